package rtp

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pion/rtp/codecs"
)

// Frames as in the examples of RFC 7741 §4.6, and the fields of §4.2.
func TestVP8(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		want          VP8Descriptor
		frame         Frame // with the marker set
	}{
		{"key frame", "90 80 11 10 00 00 9d012a 8002 6801", VP8Descriptor{
			Size: 3, PartitionStart: true, PictureBits: 7, PictureID: 17, Key: true, Width: 640, Height: 360,
		}, Frame{Key: true, Start: true, End: true, Switch: true}},
		{"interframe, second partition", "81 80 11 ff", VP8Descriptor{Size: 3, Partition: 1, PictureBits: 7, PictureID: 17}, Frame{End: true}},
		{"layers", "b0 e0 11 2f 40 01", VP8Descriptor{
			Size: 5, PartitionStart: true, NonReference: true, PictureBits: 7, PictureID: 17, HasTL0: true, TL0: 47, HasTID: true, TID: 1,
		}, Frame{Start: true, End: true, Discardable: true, Layered: true, Temporal: 1}},
		{"long picture id", "80 80 9223 ff", VP8Descriptor{Size: 4, PictureBits: 15, PictureID: 4643}, Frame{End: true}},
		{"all fields", "90 f0 ffff 07 b9 01", VP8Descriptor{
			Size: 6, PartitionStart: true, PictureBits: 15, PictureID: 32767, HasTL0: true, TL0: 7, HasTID: true, TID: 2, Sync: true,
			HasKeyIndex: true, KeyIndex: 25,
		}, Frame{Start: true, End: true, Switch: true, Layered: true, Temporal: 2}},
		{"key index only", "90 10 f9 01", VP8Descriptor{Size: 3, PartitionStart: true, HasKeyIndex: true, KeyIndex: 25}, Frame{Start: true, End: true}},
		{"one byte", "10 01", VP8Descriptor{Size: 1, PartitionStart: true}, Frame{Start: true, End: true}},
		{"key frame cut after its first byte", "10 00", VP8Descriptor{Size: 1, PartitionStart: true, Key: true}, Frame{Key: true, Start: true, End: true, Switch: true}},
		{"in the middle", "00", VP8Descriptor{Size: 1}, Frame{End: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := unhex(t, tt.payload)
			d, err := ReadVP8(b)
			if err != nil || d != tt.want {
				t.Fatalf("%+v, %v\nwant %+v", d, err, tt.want)
			}
			if f, err := ReadFrame(VP8, b, true); err != nil || f != tt.frame {
				t.Errorf("%+v, %v\nwant %+v", f, err, tt.frame)
			}
			if got := d.Append(nil); !bytes.Equal(got, b[:d.Size]) && !d.HasKeyIndex {
				t.Errorf("written %x", got)
			}
			d.Renumber(b, 0x1234, 99)
			again, err := ReadVP8(b)
			if d.HasTL0 {
				d.TL0 = 99
			}
			d.PictureID = map[uint8]uint16{7: 0x34, 15: 0x1234}[d.PictureBits]
			if err != nil || again != d {
				t.Errorf("renumbered %+v, %v\nwant %+v", again, err, d)
			}
		})
	}
	for _, short := range []string{"", "80", "8080", "808080", "8040", "8020", "90c011", "10", "90e01122"} {
		if _, err := ReadVP8(unhex(t, short)); !errors.Is(err, ErrShort) {
			t.Errorf("%s: %v", short, err)
		}
		if f, err := ReadFrame(VP8, unhex(t, short), true); err == nil || f != (Frame{}) {
			t.Errorf("%s: %+v, %v", short, f, err)
		}
	}
}

// Whatever descriptor is written is read again, and pion reads the same.
func TestVP8RoundTrip(t *testing.T) {
	r := chance(11)
	for range 4_000 {
		d := VP8Descriptor{
			Partition: uint8(r.IntN(8)), PartitionStart: r.IntN(2) == 0, NonReference: r.IntN(2) == 0,
			PictureBits: []uint8{0, 7, 15}[r.IntN(3)], HasTL0: r.IntN(2) == 0, HasTID: r.IntN(2) == 0, HasKeyIndex: r.IntN(2) == 0,
		}
		d.PictureID = uint16(r.IntN(1 << d.PictureBits))
		if d.HasTL0 {
			d.TL0 = uint8(r.Uint32())
		}
		if d.HasTID {
			d.TID, d.Sync = uint8(r.IntN(4)), r.IntN(2) == 0
		}
		if d.HasKeyIndex {
			d.KeyIndex = uint8(r.IntN(32))
		}
		b := d.Append(nil)
		d.Size = uint8(len(b))
		b = append(b, 1, 2, 3) // an interframe
		got, err := ReadVP8(b)
		if err != nil || got != d {
			t.Fatalf("%x: %+v, %v\nwant %+v", b, got, err, d)
		}
		compareVP8(t, b)
	}
}

func compareVP8(t *testing.T, b []byte) {
	t.Helper()
	d, err := ReadVP8(b)
	var rival codecs.VP8Packet
	rest, rivalErr := rival.Unmarshal(b)
	if err != nil || rivalErr != nil {
		return
	}
	if !bytes.Equal(rest, b[d.Size:]) || rival.PictureID != d.PictureID || rival.TL0PICIDX != d.TL0 || rival.PID != d.Partition ||
		rival.TID != d.TID || rival.KEYIDX != d.KeyIndex || rival.N == 1 != d.NonReference || rival.S == 1 != d.PartitionStart {
		t.Fatalf("%x: %+v, pion %+v", b, d, rival)
	}
}

// The fields of RFC 9628 §4.2.
func TestVP9(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		want          VP9Descriptor
		frame         Frame
	}{
		{"nothing", "00", VP9Descriptor{Size: 1}, Frame{}},
		{"key frame", "8c 11", VP9Descriptor{Size: 2, PictureBits: 7, PictureID: 17, Begin: true, End: true}, Frame{Key: true, Start: true, End: true, Switch: true}},
		{"layers", "e8 9223 71 2f", VP9Descriptor{
			Size: 5, PictureBits: 15, PictureID: 4643, Predicted: true, HasLayers: true, TID: 3, SwitchUp: true, SID: 0, Dependent: true, TL0: 47, Begin: true,
		}, Frame{Start: true, Switch: true, Layered: true, Temporal: 3}},
		{"upper layer of a key frame", "ac 11 03 05", VP9Descriptor{
			Size: 4, PictureBits: 7, PictureID: 17, HasLayers: true, SID: 1, Dependent: true, TL0: 5, Begin: true, End: true,
		}, Frame{Start: true, End: true, Switch: true, Layered: true, Spatial: 1}},
		{"upper layer on its own", "a8 11 02 05", VP9Descriptor{
			Size: 4, PictureBits: 7, PictureID: 17, HasLayers: true, SID: 1, TL0: 5, Begin: true,
		}, Frame{Key: true, Start: true, Switch: true, Layered: true, Spatial: 1}},
		{"flexible, three references", "f1 11 20 03 05 08", VP9Descriptor{
			Size: 6, PictureBits: 7, PictureID: 17, Predicted: true, Flexible: true, Unneeded: true, HasLayers: true, TID: 1,
			References: 3, Differences: [3]uint8{1, 2, 4},
		}, Frame{Layered: true, Temporal: 1}},
		{"structure", "8a 11 38 0140 00b4 0280 0168 02 04 01 34 ff", VP9Descriptor{
			Size: 16, PictureBits: 7, PictureID: 17, Begin: true, Layers: 2, HasSizes: true,
			Sizes: [8]struct{ Width, Height uint16 }{{320, 180}, {640, 360}},
		}, Frame{Key: true, Start: true, Switch: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := unhex(t, tt.payload)
			d, err := ReadVP9(b)
			if err != nil || d != tt.want {
				t.Fatalf("%+v, %v\nwant %+v", d, err, tt.want)
			}
			if f, err := ReadFrame(VP9, b, false); err != nil || f != tt.frame {
				t.Errorf("%+v, %v\nwant %+v", f, err, tt.frame)
			}
			compareVP9(t, append(b, 0))
			d.Renumber(b, 0x1234, 99)
			again, err := ReadVP9(b)
			if d.HasLayers && !d.Flexible {
				d.TL0 = 99
			}
			d.PictureID = map[uint8]uint16{7: 0x34, 15: 0x1234}[d.PictureBits]
			if err != nil || again != d {
				t.Errorf("renumbered %+v, %v\nwant %+v", again, err, d)
			}
		})
	}
	for bad, want := range map[string]error{
		"": ErrShort, "80": ErrShort, "8080": ErrShort, "a011": ErrShort, "a01100": ErrShort, "10": ErrMalformed,
		"d01103050700": ErrMalformed, "d01103": ErrShort, "0230": ErrShort, "020805": ErrShort,
	} {
		if d, err := ReadVP9(unhex(t, bad)); !errors.Is(err, want) || d != (VP9Descriptor{}) {
			t.Errorf("%s: %v, want %v", bad, err, want)
		}
	}
}

func compareVP9(t *testing.T, b []byte) {
	t.Helper()
	d, err := ReadVP9(b)
	var rival codecs.VP9Packet
	rest, rivalErr := rival.Unmarshal(b)
	if err != nil || rivalErr != nil {
		return
	}
	same := bytes.Equal(rest, b[d.Size:]) && rival.PictureID == d.PictureID && rival.P == d.Predicted && rival.F == d.Flexible &&
		rival.B == d.Begin && rival.E == d.End && rival.L == d.HasLayers && rival.TID == d.TID && rival.SID == d.SID && rival.U == d.SwitchUp &&
		rival.D == d.Dependent && rival.TL0PICIDX == d.TL0 && len(rival.PDiff) == int(d.References)
	for i, width := range rival.Width {
		same = same && d.Sizes[i].Width == width && d.Sizes[i].Height == rival.Height[i]
	}
	if !same {
		t.Fatalf("%x: %+v, pion %+v", b, d, rival)
	}
}

// The packet forms of RFC 6184 §5.
func TestH264(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		want          H264Descriptor
		frame         Frame
	}{
		{"SPS", "67 42c01f", H264Descriptor{Type: 7, SPS: true, Begin: true, End: true, Reference: true}, Frame{Key: true, Start: true, Switch: true}},
		{"PPS", "68 ce3c80", H264Descriptor{Type: 8, PPS: true, Begin: true, End: true, Reference: true}, Frame{}},
		{"IDR", "65 88", H264Descriptor{Type: 5, IDR: true, First: true, Begin: true, End: true, Reference: true}, Frame{Key: true, Start: true, Switch: true}},
		{"second slice", "41 40", H264Descriptor{Type: 1, Begin: true, End: true, Reference: true}, Frame{}},
		{"slice that nothing needs", "01 9a", H264Descriptor{Type: 1, First: true, Begin: true, End: true}, Frame{Start: true, Discardable: true}},
		{"delimiter", "09 10", H264Descriptor{Type: 9, Begin: true, End: true}, Frame{Start: true, Discardable: true}},
		{"STAP-A", "78 0004 6742c01f 0004 68ce3c80 0002 6588", H264Descriptor{
			Type: 7, SPS: true, PPS: true, IDR: true, First: true, Begin: true, End: true, Reference: true,
		}, Frame{Key: true, Start: true, Switch: true}},
		{"FU-A, beginning of an IDR", "7c 85 88", H264Descriptor{Type: 5, IDR: true, First: true, Begin: true, Reference: true}, Frame{Key: true, Start: true, Switch: true}},
		{"FU-A, middle", "7c 05 88", H264Descriptor{Type: 5, Reference: true}, Frame{}},
		{"FU-A, end", "7c 45 88", H264Descriptor{Type: 5, End: true, Reference: true}, Frame{}},
		{"FU-A of a slice", "5c 81 9a", H264Descriptor{Type: 1, First: true, Begin: true, Reference: true}, Frame{Start: true}},
		{"FU-B", "7d 85 0001 88", H264Descriptor{Type: 5, IDR: true, First: true, Begin: true, Reference: true}, Frame{Key: true, Start: true, Switch: true}},
	} {
		d, err := ReadH264(unhex(t, tt.payload))
		if err != nil || d != tt.want {
			t.Errorf("%s: %+v, %v\nwant %+v", tt.name, d, err, tt.want)
		}
		if f, err := ReadFrame(H264, unhex(t, tt.payload), false); err != nil || f != tt.frame {
			t.Errorf("%s: %+v, %v\nwant %+v", tt.name, f, err, tt.frame)
		}
	}
	for bad, want := range map[string]error{
		"": ErrShort, "00": ErrMalformed, "1e": ErrMalformed, "19": ErrMalformed, "7c": ErrShort, "7d8500": ErrShort, "78": ErrShort,
		"7800": ErrShort, "780000ff": ErrMalformed, "780004674200": ErrShort, "7800016700": ErrShort,
	} {
		if d, err := ReadH264(unhex(t, bad)); !errors.Is(err, want) || d != (H264Descriptor{}) {
			t.Errorf("%s: %+v, %v, want %v", bad, d, err, want)
		}
	}
}

// The aggregation header of the AV1 RTP specification §4.4 and the OBU header of the AV1 specification §5.3.
func TestAV1(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		want          AV1Descriptor
		frame         Frame
	}{
		{"new sequence", "28 02 0a01 30", AV1Descriptor{Elements: 2, New: true, Sequence: true}, Frame{Key: true, Start: true, Switch: true}},
		{"layers", "28 02 0a01 34 48 00", AV1Descriptor{
			Elements: 2, New: true, Sequence: true, HasLayers: true, TID: 2, SID: 1,
		}, Frame{Key: true, Start: true, Switch: true, Layered: true, Spatial: 1, Temporal: 2}},
		{"lengths for all", "00 02 3000 03 340011", AV1Descriptor{HasLayers: true}, Frame{Start: true, Switch: true, Layered: true}},
		{"fragment goes on", "50 30 ff", AV1Descriptor{Continues: true, Elements: 1}, Frame{Start: true}},
		{"in the middle of a fragment", "d0 0a ff", AV1Descriptor{Continued: true, Continues: true, Elements: 1}, Frame{}},
		{"end of a fragment, and a new one", "a0 01 ff 0a", AV1Descriptor{Continued: true, Elements: 2, Sequence: true}, Frame{}},
	} {
		d, err := ReadAV1(unhex(t, tt.payload))
		if err != nil || d != tt.want {
			t.Errorf("%s: %+v, %v\nwant %+v", tt.name, d, err, tt.want)
		}
		if f, err := ReadFrame(AV1, unhex(t, tt.payload), false); err != nil || f != tt.frame {
			t.Errorf("%s: %+v, %v\nwant %+v", tt.name, f, err, tt.frame)
		}
	}
	for bad, want := range map[string]error{
		"": ErrShort, "10": ErrShort, "8801": ErrMalformed, "0005aa": ErrShort, "2005aa": ErrShort, "0080808080808080808001": ErrShort,
	} {
		if d, err := ReadAV1(unhex(t, bad)); !errors.Is(err, want) || d != (AV1Descriptor{}) {
			t.Errorf("%s: %+v, %v, want %v", bad, d, err, want)
		}
	}
}

// The example of RFC 2198 §4: a primary of type 5 and a redundant block of type 7, and the limits.
func TestRED(t *testing.T) {
	payload := unhex(t, "ef 1e0003 ee 0f0001 6f aabbcc dd 1122")
	blocks, err := ReadRED(make([]REDBlock, 0, 3), payload)
	want := []REDBlock{{[]byte{0xaa, 0xbb, 0xcc}, 0x1e00 >> 2, 111}, {[]byte{0xdd}, 0x0f00 >> 2, 110}, {[]byte{0x11, 0x22}, 0, 111}}
	if err != nil || len(blocks) != 3 {
		t.Fatal(blocks, err)
	}
	for i, b := range blocks {
		if !bytes.Equal(b.Data, want[i].Data) || b.Age != want[i].Age || b.PayloadType != want[i].PayloadType {
			t.Errorf("%+v, want %+v", b, want[i])
		}
	}
	if p, err := REDPrimary(payload); err != nil || !bytes.Equal(p.Data, want[2].Data) || p.PayloadType != 111 {
		t.Error(p, err)
	}
	if _, err := ReadRED(make([]REDBlock, 0, 2), payload); !errors.Is(err, ErrRoom) {
		t.Error(err)
	}
	many := bytes.Repeat(unhex(t, "ef000000"), MaxRED)
	for bad, want := range map[string]error{"": ErrShort, "ef": ErrShort, "ef0000": ErrShort, "ef00000f 6f 11": ErrShort, string(many): ErrMalformed} {
		b := []byte(bad)
		if len(bad) < 30 {
			b = unhex(t, bad)
		}
		if got, err := ReadRED(make([]REDBlock, 0, MaxRED), b); !errors.Is(err, want) || len(got) != 0 {
			t.Errorf("%x: %v, want %v", b, err, want)
		}
		if _, err := REDPrimary(b); !errors.Is(err, want) {
			t.Errorf("%x: %v, want %v", b, err, want)
		}
	}
}

func TestOtherCodecs(t *testing.T) {
	for _, c := range []Codec{NoCodec, Opus, RED} {
		if f, err := ReadFrame(c, []byte{1}, false); err != nil || f != (Frame{Start: true, End: true}) {
			t.Errorf("%d: %+v, %v", c, f, err)
		}
		if _, err := ReadFrame(c, nil, false); !errors.Is(err, ErrShort) {
			t.Errorf("%d: %v", c, err)
		}
	}
}
