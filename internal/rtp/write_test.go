package rtp

import (
	"bytes"
	"math/rand/v2"
	"testing"

	pion "github.com/pion/rtp"
)

// chance returns the same numbers in every run.
func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 4)) }

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// What is written is what was asked for, as we read it and as pion does.
func TestWriter(t *testing.T) {
	r := chance(1)
	for range 4_000 {
		f := Fields{r.Uint32(), r.Uint32(), uint16(r.Uint32()), uint8(r.Uint32() & 0x7F), r.IntN(2) == 0}
		prefix := noise(r, r.IntN(9))
		w := Begin(bytes.Clone(prefix), f)
		var ids []uint8
		values := map[uint8][]byte{}
		fits := true
		for range r.IntN(6) {
			id, n := uint8(1+r.IntN(14)), 1+r.IntN(16)
			if r.IntN(12) == 0 {
				id, n = uint8(1+r.IntN(255)), r.IntN(256)
			}
			if _, ok := values[id]; ok {
				continue
			}
			values[id] = noise(r, n)
			ids = append(ids, id)
			fits = fits && Fits(id, values[id])
			w.Extension(id, values[id])
		}
		payload := noise(r, r.IntN(40))
		w.Payload(payload[:len(payload)/2])
		w.Payload(payload[len(payload)/2:])
		w.Extension(1, []byte{1}) // too late
		w.Uint8(1, 1)
		w.Uint16(1, 1)
		w.Uint24(1, 1)
		pad := uint8(r.IntN(256)) * uint8(r.IntN(2))
		w.Pad(pad)
		out := w.Bytes()
		if !bytes.HasPrefix(out, prefix) {
			t.Fatal("the buffer's beginning is gone")
		}
		pkt := out[len(prefix):]
		h, err := Parse(pkt)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Fields{h.Timestamp, h.SSRC, h.Sequence, h.PayloadType, h.Marker}); got != f || int(h.Size) != w.HeaderSize() {
			t.Fatalf("%+v, want %+v", got, f)
		}
		if !bytes.Equal(h.Payload(pkt), payload) || len(pkt)-int(h.End) != int(pad) {
			t.Fatalf("%x: payload %x", pkt, h.Payload(pkt))
		}
		if want := map[bool]form{true: oneByte, false: twoByte}[fits]; len(ids) > 0 && h.form != want {
			t.Fatalf("%x: form %d, want %d", pkt, h.form, want)
		}
		i := 0
		for e := h.Elements(pkt); e.Next(); i++ {
			if e.ID != ids[i] || !bytes.Equal(e.Value, values[e.ID]) {
				t.Fatalf("%x: element %d is %d %x", pkt, i, e.ID, e.Value)
			}
		}
		if i != len(ids) {
			t.Fatalf("%d elements, want %d", i, len(ids))
		}
		var rival pion.Packet
		if err := rival.Unmarshal(pkt); err != nil {
			t.Fatalf("%x: pion: %v", pkt, err)
		}
		compareRTP(t, pkt)
	}
}

// What pion writes, we read.
func TestRivalWriter(t *testing.T) {
	r := chance(2)
	for range 1_000 {
		p := pion.Packet{Header: pion.Header{
			Version: 2, Marker: r.IntN(2) == 0, PayloadType: uint8(r.IntN(128)), SequenceNumber: uint16(r.Uint32()),
			Timestamp: r.Uint32(), SSRC: r.Uint32(),
		}, Payload: noise(r, r.IntN(30))}
		for range r.IntN(4) {
			p.CSRC = append(p.CSRC, r.Uint32())
		}
		for range r.IntN(4) {
			_ = p.SetExtension(uint8(1+r.IntN(14)), noise(r, 1+r.IntN(16)))
		}
		if r.IntN(4) == 0 {
			p.Padding, p.PaddingSize = true, uint8(1+r.IntN(200))
		}
		pkt, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(pkt); err != nil {
			t.Fatalf("%x: %v", pkt, err)
		}
		compareRTP(t, pkt)
	}
}

// A forwarded packet carries the receiver's ids, and of the kinds what was asked for.
func TestForward(t *testing.T) {
	var table Table
	table[1], table[2], table[3], table[4], table[5] = MID, RID, AudioLevel, TransportNumber, DependencyDescriptor
	long := noise(chance(3), 40)
	w := Begin(nil, Fields{SSRC: 1, Sequence: 2, Timestamp: 3, PayloadType: 96})
	w.Extension(1, []byte("0"))
	w.Extension(2, []byte("f"))
	w.Uint8(3, Level{30, true}.Byte())
	w.Uint16(4, 77)
	w.Extension(5, long)
	w.Payload([]byte("picture"))
	in := w.Bytes()
	h, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	var v Values
	v.Locate(&h, in, &table)
	ids := IDs{MID: 9, AudioLevel: 10, TransportNumber: 11, DependencyDescriptor: 12, AbsSendTime: 13}
	w = Begin(nil, Fields{SSRC: 5, Sequence: 6, Timestamp: 7, PayloadType: 100, Marker: true})
	w.Extension(ids[MID], []byte("mid"))
	for _, k := range []Kind{AudioLevel, DependencyDescriptor, RID, VideoOrientation} {
		w.Copy(k, &ids, &v, in)
	}
	w.Uint16(ids[TransportNumber], 1234)
	w.Uint24(ids[AbsSendTime], 0x123456)
	w.Uint8(ids[PlayoutDelay], 1)
	w.Payload(h.Payload(in))
	out := w.Bytes()
	got, err := Parse(out)
	if err != nil || got.SSRC != 5 || got.Sequence != 6 || got.Timestamp != 7 || got.PayloadType != 100 || !got.Marker || string(got.Payload(out)) != "picture" {
		t.Fatalf("%+v, %v", got, err)
	}
	count := 0
	for e := got.Elements(out); e.Next(); {
		count++
	}
	level, _ := ReadLevel(got.Extension(out, 10))
	number, _ := ReadUint16(got.Extension(out, 11))
	sent, _ := ReadUint24(got.Extension(out, 13))
	if count != 5 || string(got.Extension(out, 9)) != "mid" || level != (Level{30, true}) || number != 1234 || sent != 0x123456 || !bytes.Equal(got.Extension(out, 12), long) {
		t.Errorf("%d extensions: %x", count, out)
	}
}

// RFC 4588 §4: the retransmission has its own stream, number and payload type, and the original number before the payload.
func TestRTX(t *testing.T) {
	w := Begin(nil, Fields{SSRC: 1, Sequence: 0xABCD, Timestamp: 3, PayloadType: 96, Marker: true})
	w.Extension(1, []byte("mid"))
	w.Uint16(4, 77)
	w.Payload([]byte("picture"))
	w.Pad(3)
	sent := w.Bytes()
	h, err := Parse(sent)
	if err != nil {
		t.Fatal(err)
	}
	pkt := AppendRTX(nil, Fields{SSRC: 2, Sequence: 5, Timestamp: 3, PayloadType: 97, Marker: true}, &h, sent, 4, 78)
	x, err := Parse(pkt)
	if err != nil || x.SSRC != 2 || x.Sequence != 5 || x.PayloadType != 97 || x.Timestamp != 3 || !x.Marker {
		t.Fatalf("%+v, %v", x, err)
	}
	original, payload, ok := SplitRTX(x.Payload(pkt))
	if !ok || original != 0xABCD || string(payload) != "picture" {
		t.Errorf("%x %q %v", original, payload, ok)
	}
	number, _ := ReadUint16(x.Extension(pkt, 4))
	if number != 78 || string(x.Extension(pkt, 1)) != "mid" {
		t.Errorf("number %d", number)
	}
	pkt = AppendRTX(nil, Fields{}, &h, sent, 0, 0) // no transport-wide numbers: all as it was
	if x, _ = Parse(pkt); !bytes.Equal(x.Extension(pkt, 4), []byte{0, 77}) {
		t.Errorf("%x", pkt)
	}
	if _, _, ok := SplitRTX([]byte{1}); ok {
		t.Error("too short")
	}
}

func TestValues(t *testing.T) {
	if l, ok := ReadLevel([]byte{0x80 | 42}); !ok || l != (Level{42, true}) || l.Byte() != 0x80|42 || (Level{42, false}).Byte() != 42 {
		t.Error(l)
	}
	if d, ok := ReadDelay(unhex(t, "123456")); !ok || d != (Delay{0x123, 0x456}) || d.Uint24() != 0x123456 {
		t.Error(d)
	}
	if o, ok := ReadOrientation([]byte{0x0D}); !ok || o != (Orientation{1, true, true}) {
		t.Error(o)
	}
	if v, ok := ReadOffset(unhex(t, "fffffe")); !ok || v != -2 {
		t.Error(v)
	}
	for _, short := range [][]byte{nil, {1}, {1, 2}} {
		_, level := ReadLevel(short)
		_, word := ReadUint16(short)
		_, three := ReadUint24(short)
		_, turn := ReadOrientation(short)
		if level != (len(short) > 0) || word != (len(short) > 1) || three || turn != (len(short) > 0) {
			t.Errorf("%x", short)
		}
	}
	// pion's own arithmetic is the judge.
	for _, nanos := range []int64{0, 1, 999_999_999, 1_000_000_000, 63_999_999_999, 64_000_000_000, 1_763_750_000_123_456_789} {
		want := uint32(uint64(nanos)/1e9%64)<<18 | uint32((float64(uint64(nanos)%1e9)/1e9)*(1<<18))
		if got := SendTime(nanos); got != want && got != (want+1)&0xFFFFFF {
			t.Errorf("%d: %x, want %x", nanos, got, want)
		}
	}
	// 1 January 1970 is 2208988800 s after 1900; half a second is 2^31.
	if got := NTP(1_500_000_000); got != (2208988800+1)<<32|1<<31 || MiddleNTP(got) != 0x7E81_8000 {
		t.Errorf("%x %x", got, MiddleNTP(got))
	}
}

func TestUnwrap(t *testing.T) {
	var u Unwrapper
	if _, ok := u.Highest(); ok {
		t.Error("highest of nothing")
	}
	for _, step := range []struct {
		number uint16
		want   int64
	}{
		{65530, 65530}, {65535, 65535}, {0, 65536}, {65534, 65534}, {3, 65539}, {65529, 65529}, {32771, 32771}, // half a circle away counts as late

		{3, 65539}, {32770, 98306}, {0, 131072}, {5, 131077}, {65535, 131071}, {32773, 98309},
	} {
		if got := u.Unwrap(step.number); got != step.want {
			t.Errorf("%d: %d, want %d", step.number, got, step.want)
		}
	}
	if h, ok := u.Highest(); !ok || h != 131077 || u.Peek(6) != 131078 {
		t.Error(h)
	}
	if h, _ := u.Highest(); h != 131077 {
		t.Error("Peek took note")
	}
	u = Unwrapper{}
	u.Unwrap(1)
	if got := u.Unwrap(65535); got != -1 {
		t.Error(got)
	}
	// Any walk of steps below half a circle is followed, whatever comes late in between.
	r := chance(5)
	u = Unwrapper{}
	at := int64(u.Unwrap(7))
	for range 20_000 {
		at += int64(r.IntN(1 << 14))
		if got := u.Unwrap(uint16(at)); got != at {
			t.Fatalf("%d, want %d", got, at)
		}
		if late := at - int64(r.IntN(1<<14)); u.Unwrap(uint16(late)) != late {
			t.Fatalf("late %d", late)
		}
	}
	var c TimeUnwrapper
	for _, want := range []int64{1<<32 - 5, 1<<32 + 5, 1<<32 - 1, 1<<32 + 1<<31, 1<<33 - 1} {
		if got := c.Unwrap(uint32(want)); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
}

func TestBefore(t *testing.T) {
	for _, tt := range []struct {
		a, b uint16
		want bool
	}{{1, 2, true}, {2, 1, false}, {1, 1, false}, {65535, 0, true}, {0, 65535, false}, {0, 32767, true}, {0, 32768, false}, {32768, 0, false}} {
		if Before(tt.a, tt.b) != tt.want {
			t.Errorf("%d before %d", tt.a, tt.b)
		}
		if BeforeTime(uint32(tt.a)<<16, uint32(tt.b)<<16) != tt.want {
			t.Errorf("times %d before %d", tt.a, tt.b)
		}
	}
}
