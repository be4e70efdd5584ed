package rtp

import (
	"fmt"
	"testing"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
)

// sight is what one recorded packet was found to be.
type sight struct {
	header Header
	values Values
	pkt    []byte
	frame  Frame
	about  Descriptor
}

// media returns the packets of a recording that carry a part of a frame, in order, each read with all that we have.
func (t *tape) media(tb testing.TB) []sight {
	tb.Helper()
	var all []sight
	streams := map[uint32]*Dependency{}
	for i, pkt := range t.packets {
		s := sight{pkt: pkt}
		var err error
		if s.header, err = Parse(pkt); err != nil {
			tb.Fatalf("packet %d: %v", i, err)
		}
		if t.repairs[s.header.PayloadType] || s.header.Size == s.header.End {
			continue
		}
		s.values.Locate(&s.header, pkt, &t.table)
		if s.frame, err = ReadFrame(t.codecs[s.header.PayloadType], s.header.Payload(pkt), s.header.Marker); err != nil {
			tb.Fatalf("packet %d: frame: %v", i, err)
		}
		if value := s.values.Of(pkt, DependencyDescriptor); value != nil {
			stream := streams[s.header.SSRC]
			if stream == nil {
				stream = &Dependency{}
				streams[s.header.SSRC] = stream
			}
			if err := stream.Read(value, &s.about); err != nil {
				tb.Fatalf("packet %d: descriptor %x: %v", i, value, err)
			}
		}
		all = append(all, s)
	}
	return all
}

// What the payload descriptors and the dependency descriptors of a real encoder say agrees with each other, and with the number
// of key frames that the encoder says it made.
func TestRecordedVideo(t *testing.T) {
	for _, tt := range []struct {
		name              string
		streams           int
		spatial, temporal uint8 // the highest layers
		layered           bool  // the payload tells layers
		switches          bool  // and where to switch
	}{
		{"vp8-simulcast", 3, 0, 2, false, false},
		{"vp9-l3t3_key", 1, 2, 2, true, true},
		{"av1-l3t3_key", 1, 2, 2, true, false},
		{"av1-l1t1", 1, 0, 0, false, false},
		{"h264", 1, 0, 0, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tape := play(t, tt.name)
			if len(tape.streams) != tt.streams {
				t.Fatalf("%d streams, want %d", len(tape.streams), tt.streams)
			}
			sights := tape.media(t)
			for _, stream := range tape.streams {
				keys, attached := map[uint32]bool{}, 0
				temporal := map[uint16]uint8{}
				layers := map[string]int{}
				var spatialMax, temporalMax uint8
				for _, s := range sights {
					if s.header.SSRC != stream.SSRC {
						continue
					}
					f, d := s.frame, &s.about
					where := fmt.Sprintf("packet %d %+v", s.header.Sequence, f)
					if d.Structure == nil {
						t.Fatalf("%s: no dependency descriptor", where)
					}
					if rid := s.values.Of(s.pkt, RID); rid != nil && string(rid) != stream.RID {
						t.Fatalf("%s: rid %q, want %q", where, rid, stream.RID)
					}
					if f.Key {
						keys[s.header.Timestamp] = true
					}
					if d.Attached {
						attached++
						if !f.Key || !d.Key() || !f.Start {
							t.Errorf("%s: brings a structure, but is no key frame", where)
						}
					}
					if f.Layered && f.Temporal != d.Temporal || f.Layered && f.Spatial != d.Spatial || f.Layered && !tt.layered {
						t.Errorf("%s: layers %d %d in the descriptor", where, d.Spatial, d.Temporal)
					}
					// An AV1 layer's packets may begin new OBUs, an H.264 key frame has several packets that may begin it.
					if d.Start && !f.Start || tt.name[:2] == "vp" && (d.Start != f.Start) {
						t.Errorf("%s: start is %v in the descriptor", where, d.Start)
					}
					if tt.name[:3] == "vp9" && d.End != f.End || d.Spatial == d.Structure.Layers-1 && d.End && !s.header.Marker {
						t.Errorf("%s: end is %v in the descriptor", where, d.End)
					}
					temporal[d.Number] = d.Temporal
					if d.Start && tt.switches {
						lower := true // needs frames of lower temporal layers only
						for _, back := range d.Differences[:d.References] {
							v, ok := temporal[d.Number-back]
							lower = lower && ok && v < d.Temporal
						}
						if want := lower || d.Temporal == 0; f.Switch != want {
							t.Errorf("%s: needs %v back: want switch %v", where, d.Differences[:d.References], want)
						}
					}
					layers[fmt.Sprintf("S%dT%d", d.Spatial, d.Temporal)]++
					spatialMax, temporalMax = max(spatialMax, d.Spatial), max(temporalMax, d.Temporal)
				}
				if len(keys) != stream.KeyFrames || attached != stream.KeyFrames {
					t.Errorf("stream %q: %d key frames, %d structures; the encoder made %d", stream.RID, len(keys), attached, stream.KeyFrames)
				}
				if spatialMax != tt.spatial || temporalMax != tt.temporal {
					t.Errorf("stream %q: layers up to S%dT%d, want S%dT%d", stream.RID, spatialMax, temporalMax, tt.spatial, tt.temporal)
				}
				t.Logf("stream %q: %d key frames, packets by layer %v", stream.RID, len(keys), layers)
			}
		})
	}
}

// Without a dependency descriptor the VP8 descriptor tells pictures and layers: numbers without holes, the base layer's own
// number, and the sync bit where a frame needs the base layer only.
func TestRecordedVP8(t *testing.T) {
	tape := play(t, "vp8-bare")
	for _, stream := range tape.streams {
		keys, frames := 0, 0
		var last VP8Descriptor
		temporal, switches := map[uint8]int{}, map[uint8]int{}
		for _, s := range tape.media(t) {
			if s.header.SSRC != stream.SSRC {
				continue
			}
			d, err := ReadVP8(s.header.Payload(s.pkt))
			if err != nil || d.PictureBits != 15 || !d.HasTL0 || !d.HasTID || !s.frame.Layered {
				t.Fatalf("%+v, %v", d, err)
			}
			if !s.frame.Start {
				if d.PictureID != last.PictureID {
					t.Errorf("picture %d goes on after %d", d.PictureID, last.PictureID)
				}
				continue
			}
			if frames > 0 && d.PictureID != (last.PictureID+1)&0x7FFF {
				t.Errorf("picture %d after %d", d.PictureID, last.PictureID)
			}
			if step := d.TL0 - last.TL0; frames > 0 && (d.TID == 0) != (step == 1) || step > 1 && frames > 0 {
				t.Errorf("TL0 %d after %d in layer %d", d.TL0, last.TL0, d.TID)
			}
			if s.frame.Key {
				keys++
			}
			if s.frame.Switch {
				switches[d.TID]++
			}
			frames++
			temporal[d.TID]++
			last = d
		}
		if keys != stream.KeyFrames || len(temporal) != 3 || switches[0] != temporal[0] || switches[2] == temporal[2] {
			t.Errorf("stream %q: %d key frames, the encoder made %d; layers %v, switches %v", stream.RID, keys, stream.KeyFrames, temporal, switches)
		}
		t.Logf("stream %q: %d frames, %d of them key frames; layers %v, switches %v", stream.RID, frames, keys, temporal, switches)
	}
}

// The sizes of layers that the encoder tells by its structures are those that it was asked for.
func TestRecordedSizes(t *testing.T) {
	for _, name := range []string{"vp9-l3t3_key", "av1-l3t3_key"} {
		found := false
		for _, s := range play(t, name).media(t) {
			if st := s.about.Structure; s.about.Attached && st.HasSizes {
				found = true
				if st.Layers != 3 || st.Targets != 9 || st.Chains != 3 || st.Sizes[2].Width != 960 || st.Sizes[2].Height != 540 || st.Sizes[0].Width != 240 {
					t.Errorf("%s: %d layers, %d targets, %d chains, %v", name, st.Layers, st.Targets, st.Chains, st.Sizes)
				}
				if st.Mask(2, 2) != st.All() || st.Target[st.Best(1, 2)].Spatial != 1 || st.Target[st.Best(1, 2)].Temporal != 2 {
					t.Errorf("%s: targets %v", name, st.Target[:st.Targets])
				}
			}
		}
		if !found {
			t.Errorf("%s: no sizes", name)
		}
	}
	widths := map[uint16]bool{}
	for _, s := range play(t, "vp8-simulcast").media(t) {
		if d, _ := ReadVP8(s.header.Payload(s.pkt)); d.Key {
			widths[d.Width] = true
		}
	}
	if len(widths) != 3 || !widths[960] || !widths[480] || !widths[240] {
		t.Errorf("vp8: widths %v", widths)
	}
}

// A decode target's chain tells what is needed: along it, a forwarder can drop all other layers and the descriptors still make
// sense with another mask.
func TestRecordedMask(t *testing.T) {
	for _, name := range []string{"vp8-simulcast", "vp9-l3t3_key", "av1-l3t3_key"} {
		streams := map[uint32]*Dependency{}
		for _, s := range play(t, name).media(t) {
			value := s.values.Of(s.pkt, DependencyDescriptor)
			mask := s.about.Structure.Mask(0, 1)
			out := AppendDescriptor(nil, value, &s.about, mask)
			if streams[s.header.SSRC] == nil {
				streams[s.header.SSRC] = &Dependency{}
			}
			var d Descriptor
			if err := streams[s.header.SSRC].Read(out, &d); err != nil {
				t.Fatalf("%s: %x became %x: %v", name, value, out, err)
			}
			if d.Active != mask || !d.HasActive {
				t.Fatalf("%s: mask %b, want %b", name, d.Active, mask)
			}
			sameDescriptor(t, &d, &s.about)
			if d.Attached && *d.Structure != *s.about.Structure {
				t.Fatalf("%s: another structure", name)
			}
		}
	}
}

func TestRecordedSound(t *testing.T) {
	tape := play(t, "opus-red")
	loud, silent, redundant := 0, 0, 0
	var u Unwrapper
	var last int64
	blocks := make([]REDBlock, 0, 4)
	for i, s := range tape.media(t) {
		level, ok := ReadLevel(s.values.Of(s.pkt, AudioLevel))
		if !ok {
			t.Fatal("no level")
		}
		if level.Loudness < 60 {
			loud++
		} else {
			silent++
		}
		if n, ok := ReadUint16(s.values.Of(s.pkt, TransportNumber)); !ok {
			t.Fatal("no number")
		} else if v := u.Unwrap(n); i > 0 && v <= last {
			t.Errorf("number %d after %d", v, last)
		} else {
			last = v
		}
		if tape.codecs[s.header.PayloadType] != RED {
			continue
		}
		var err error
		payload := s.header.Payload(s.pkt)
		if blocks, err = ReadRED(blocks[:0], payload); err != nil {
			t.Fatal(err)
		}
		primary, err := REDPrimary(payload)
		if got := blocks[len(blocks)-1]; err != nil || tape.codecs[primary.PayloadType] != Opus || len(got.Data) != len(primary.Data) {
			t.Errorf("primary %d, %v", primary.PayloadType, err)
		}
		for _, b := range blocks[:len(blocks)-1] {
			redundant++
			if b.Age%960 != 0 || tape.codecs[b.PayloadType] != Opus {
				t.Errorf("block %d, %d earlier", b.PayloadType, b.Age)
			}
		}
	}
	if loud == 0 || silent == 0 || redundant < 50 {
		t.Errorf("%d loud, %d silent, %d redundant", loud, silent, redundant)
	}
}

// Retransmissions in the recordings carry a packet that was sent before, or padding.
func TestRecordedRetransmissions(t *testing.T) {
	for _, name := range recorded[:6] {
		tape := play(t, name)
		sent := map[uint16]bool{}
		again := 0
		for _, pkt := range tape.packets {
			h, err := Parse(pkt)
			if err != nil {
				t.Fatal(err)
			}
			if !tape.repairs[h.PayloadType] {
				sent[h.Sequence] = true
			} else if original, _, ok := SplitRTX(h.Payload(pkt)); ok && sent[original] {
				again++
			}
		}
		if again == 0 {
			t.Errorf("%s: none", name)
		}
	}
}

// pion reads the recordings as we do.
func TestRecordedRival(t *testing.T) {
	for _, name := range recorded {
		tape := play(t, name)
		for _, pkt := range tape.packets {
			compareRTP(t, pkt)
		}
		kinds := map[string]int{}
		for _, pkt := range tape.control {
			compareRTCP(t, pkt)
			packets, err := rtcp.Unmarshal(pkt)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := readAll(pkt); err != nil {
				t.Fatalf("%x: %v", pkt, err)
			}
			for _, p := range packets {
				kinds[fmt.Sprintf("%T", p)]++
			}
		}
		t.Log(name, kinds)
		if name == "vp8-simulcast" {
			for _, kind := range []string{"*rtcp.SenderReport", "*rtcp.SourceDescription", "*rtcp.TransportLayerCC", "*rtcp.TransportLayerNack"} {
				if kinds[kind] == 0 {
					t.Errorf("no %s in the recording", kind)
				}
			}
		}
	}
}

func TestRecordedAllocation(t *testing.T) {
	found := 0
	for _, name := range recorded[:6] {
		for _, s := range play(t, name).media(t) {
			value := s.values.Of(s.pkt, LayersAllocation)
			if value == nil {
				continue
			}
			found++
			var a Allocation
			if err := ReadAllocation(value, &a); err != nil {
				t.Fatalf("%s: %x: %v", name, value, err)
			}
			var rival pion.VLA
			if _, err := rival.Unmarshal(value); err != nil {
				t.Fatal(err)
			}
			compareAllocation(t, &a, &rival)
		}
	}
	if found < 5 {
		t.Errorf("only %d in the recordings", found)
	}
}
