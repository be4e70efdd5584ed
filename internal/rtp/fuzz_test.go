package rtp

import (
	"bytes"
	"testing"
)

// seed adds what the recordings hold to a target: one of each length at most, so that the seeds run in a moment.
func seed(f *testing.F, pick func(*tape) [][]byte) {
	f.Helper()
	seen := map[int]bool{}
	for _, name := range recorded {
		for _, b := range pick(play(f, name)) {
			if !seen[len(b)] {
				seen[len(b)] = true
				f.Add(b)
			}
		}
	}
}

func rtpOf(t *tape) [][]byte { return t.packets }

// Any bytes: no panic, all bounds inside of the packet, pion sees the same, and what is written from it is read the same.
func FuzzPacket(f *testing.F) {
	seed(f, rtpOf)
	f.Add(unhex(f, "b2 e0 0102 03040506 0708090a 11111111 22222222 1000 0002 01 00 02 03 aabbcc 00 ff 0002"))
	f.Fuzz(func(t *testing.T, pkt []byte) {
		h, err := Parse(pkt)
		if err != nil {
			return
		}
		compareRTP(t, pkt)
		var table Table
		for i := range table {
			table[i] = Kind(i) % Kinds
		}
		var v Values
		v.Locate(&h, pkt, &table)
		w := Begin(nil, Fields{h.Timestamp, h.SSRC, h.Sequence, h.PayloadType, h.Marker})
		for e := h.Elements(pkt); e.Next(); {
			w.Extension(e.ID, e.Value)
			if k := table[e.ID]; k != NoKind && len(e.Value) > 0 && v.Of(pkt, k) == nil {
				t.Fatalf("%x: kind %d was not located", pkt, k)
			}
		}
		w.Payload(h.Payload(pkt))
		w.Pad(uint8(len(pkt) - int(h.End)))
		out := w.Bytes()
		g, err := Parse(out)
		if err != nil || !bytes.Equal(g.Payload(out), h.Payload(pkt)) || g.Sequence != h.Sequence || g.Padded != h.Padded {
			t.Fatalf("%x became %x: %v", pkt, out, err)
		}
		a, b := h.Elements(pkt), g.Elements(out)
		for a.Next() {
			if !b.Next() || a.ID != b.ID || !bytes.Equal(a.Value, b.Value) {
				t.Fatalf("%x became %x", pkt, out)
			}
		}
		x, err := Parse(AppendRTX(nil, Fields{}, &h, pkt, 1, 7))
		if err != nil || int(x.End-x.Size) != int(h.End-h.Size)+2 {
			t.Fatalf("%x: %v", pkt, err)
		}
	})
}

func FuzzControl(f *testing.F) {
	seed(f, func(t *tape) [][]byte { return t.control })
	b := AppendSR(nil, 1, SenderInfo{1, 2, 3, 4}, []Report{{SSRC: 1}, {SSRC: 2, Lost: -1}})
	b = AppendREMB(AppendFIR(AppendPLI(AppendNACK(b, 1, 2, []uint16{1, 3, 30}), 1, 2), 1, IntraRequest{2, 3}), 1, 1e6, []uint32{1, 2})
	f.Add(AppendGoodbye(AppendCNAME(b, 1, "name"), 1, 2))
	b, _ = AppendTransportCC(nil, TransportCC{1, 2, 3, 4, 5, 6}, []Arrival{{1, 1, true}, {}, {500, 3, true}, {100_000, 4, true}}, 1200)
	f.Add(b)
	f.Fuzz(func(t *testing.T, datagram []byte) {
		_, _ = readAll(datagram)
		compareRTCP(t, datagram)
		room := make([]Arrival, 0, 2000)
		c := Compound{Rest: datagram}
		for p, ok := c.Next(); ok; p, ok = c.Next() {
			head, arrivals, err := p.ReadTransportCC(room)
			if err != nil {
				continue
			}
			if len(arrivals) != int(head.Statuses) {
				t.Fatalf("%d of %d", len(arrivals), head.Statuses)
			}
			again, n := AppendTransportCC(nil, head, arrivals, 1<<16)
			if n == 0 {
				continue
			}
			d := Compound{Rest: again}
			q, _ := d.Next()
			if _, got, err := q.ReadTransportCC(make([]Arrival, 0, n)); err != nil || len(got) != n {
				t.Fatalf("%x became %x: %v", datagram, again, err)
			}
		}
	})
}

// payloads picks the payloads of one codec.
func payloads(c Codec) func(*tape) [][]byte {
	return func(t *tape) (all [][]byte) {
		for _, pkt := range t.packets {
			if h, err := Parse(pkt); err == nil && t.codecs[h.PayloadType] == c && h.End > h.Size {
				all = append(all, h.Payload(pkt)[:min(60, int(h.End-h.Size))])
			}
		}
		return all
	}
}

func FuzzVP8(f *testing.F) {
	seed(f, payloads(VP8))
	f.Add(unhex(f, "90f0ffff07b900000000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ReadVP8(b)
		if err != nil {
			return
		}
		compareVP8(t, b)
		_, _ = ReadFrame(VP8, b, true)
		out := append(d.Append(nil), b[d.Size:]...)
		got, err := ReadVP8(out)
		got.Size = d.Size // an extension byte without extensions is not written
		if err != nil || got != d {
			t.Fatalf("%x became %x: %+v, %v", b, out, got, err)
		}
		d.Renumber(b, 5, 6)
	})
}

func FuzzVP9(f *testing.F) {
	seed(f, payloads(VP9))
	f.Add(unhex(f, "8a1138014000b402800168020401 34ff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ReadVP9(b)
		if err != nil {
			return
		}
		compareVP9(t, b)
		_, _ = ReadFrame(VP9, b, true)
		d.Renumber(b, d.PictureID, d.TL0)
		if again, err := ReadVP9(b); err != nil || again != d {
			t.Fatalf("%x: %+v, %v", b, again, err)
		}
	})
}

func FuzzH264(f *testing.F) {
	seed(f, payloads(H264))
	f.Add(unhex(f, "7800046742c01f000468ce3c8000026588"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ReadH264(b)
		frame, frameErr := ReadFrame(H264, b, true)
		if (err == nil) != (frameErr == nil) || frame.Key != (d.SPS || d.IDR) {
			t.Fatalf("%x: %+v %+v", b, d, frame)
		}
	})
}

func FuzzAV1(f *testing.F) {
	seed(f, payloads(AV1))
	f.Add(unhex(f, "28020a01344800"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ReadAV1(b)
		if err == nil && (d.TID > 7 || d.SID > 3 || d.New && d.Continued) {
			t.Fatalf("%x: %+v", b, d)
		}
	})
}

func FuzzRED(f *testing.F) {
	seed(f, payloads(RED))
	f.Add(unhex(f, "ef1e0003ee0f00016faabbccdd1122"))
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks, err := ReadRED(make([]REDBlock, 0, MaxRED), b)
		primary, primaryErr := REDPrimary(b)
		if (err == nil) != (primaryErr == nil) {
			t.Fatalf("%x: %v, %v", b, err, primaryErr)
		}
		if err != nil {
			return
		}
		size := 4*len(blocks) - 3
		for _, block := range blocks {
			size += len(block.Data)
		}
		if last := blocks[len(blocks)-1]; size != len(b) || !bytes.Equal(last.Data, primary.Data) || last.PayloadType != primary.PayloadType {
			t.Fatalf("%x: %v", b, blocks)
		}
	})
}

// A whole stream of descriptors, each with its length in front: whatever was read can be written with another mask and read
// again, and says the same.
func FuzzDependency(f *testing.F) {
	for _, name := range recorded[:5] {
		var stream []byte
		for _, s := range play(f, name).media(f) {
			if value := s.values.Of(s.pkt, DependencyDescriptor); value != nil && len(stream) < 400 {
				stream = append(append(stream, byte(len(value))), value...)
			}
		}
		f.Add(stream)
	}
	r := chance(41)
	for range 20 {
		s := anyStructure(r)
		var stream []byte
		for i := range 3 {
			if value, _ := anyDescriptor(r, &s, uint16(i), i == 0); len(value) < 256 {
				stream = append(append(stream, byte(len(value))), value...)
			}
		}
		f.Add(stream)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		var y Dependency
		for len(stream) > 0 {
			n := min(int(stream[0]), len(stream)-1)
			value := stream[1 : 1+n]
			stream = stream[1+n:]
			before := y
			var d, again Descriptor
			if err := y.Read(value, &d); err != nil {
				before.scratch = y.scratch
				if before != y {
					t.Fatalf("%x changed something", value)
				}
				continue
			}
			structure := *d.Structure
			if d.Spatial >= structure.Layers || structure.Templates > MaxTemplates || structure.Targets > MaxTargets || structure.Chains > structure.Targets {
				t.Fatalf("%x: %+v", value, d)
			}
			out := AppendDescriptor(nil, value, &d, 1)
			if err := before.Read(out, &again); err != nil || again.Active != 1 || *again.Structure != structure {
				t.Fatalf("%x became %x: %v", value, out, err)
			}
			sameDescriptor(t, &again, &d)
		}
	})
}

func FuzzAllocation(f *testing.F) {
	seed(f, func(t *tape) (all [][]byte) {
		for _, pkt := range t.packets {
			var v Values
			if h, err := Parse(pkt); err == nil {
				v.Locate(&h, pkt, &t.table)
			}
			if value := v.Of(pkt, LayersAllocation); value != nil {
				all = append(all, value)
			}
		}
		return all
	})
	f.Fuzz(func(t *testing.T, value []byte) {
		var a Allocation
		if err := ReadAllocation(value, &a); err == nil && (a.Count > 16 || a.Streams > 4) {
			t.Fatalf("%x: %+v", value, a)
		}
	})
}

// Small values take any bytes.
func FuzzValues(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, value []byte) {
		level, ok := ReadLevel(value)
		if ok && level.Byte() != value[0] {
			t.Fatalf("%x: %+v", value, level)
		}
		if d, ok := ReadDelay(value); ok {
			if v, _ := ReadUint24(value); d.Uint24() != v {
				t.Fatalf("%x: %+v", value, d)
			}
		}
		_, _ = ReadUint16(value)
		_, _ = ReadOffset(value)
		_, _ = ReadOrientation(value)
		_, _, _ = SplitRTX(value)
		_ = IsRTCP(value)
	})
}
