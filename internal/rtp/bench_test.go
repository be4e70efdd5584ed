package rtp

import (
	"testing"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// forwarded returns a packet as it comes from a publisher (VP8, 1100 bytes of payload), its table and a receiver's ids.
func forwarded() ([]byte, *Table, *IDs) {
	table := &Table{}
	table[2], table[4], table[9], table[10], table[3] = AbsSendTime, TransportNumber, MID, RID, VideoOrientation
	ids := &IDs{MID: 1, AbsSendTime: 2, TransportNumber: 3, VideoOrientation: 4}
	w := Begin(nil, Fields{SSRC: 1, Sequence: 2, Timestamp: 3, PayloadType: 96, Marker: true})
	w.Uint24(2, 0x123456)
	w.Uint16(4, 1000)
	w.Extension(9, []byte("1"))
	w.Extension(10, []byte("f"))
	w.Uint8(3, 0)
	d := VP8Descriptor{PartitionStart: true, PictureBits: 15, PictureID: 4711, HasTL0: true, TL0: 5, HasTID: true, TID: 1}
	w.Payload(append(d.Append(nil), make([]byte, 1094)...))
	return w.Bytes(), table, ids
}

// way is one thing that is done to a packet, by us and by pion.
type way struct {
	name       string
	ours, pion func() error
}

func ways() []way {
	pkt, table, ids := forwarded()
	h, _ := Parse(pkt)
	payload := h.Payload(pkt)
	vp8, _ := ReadVP8(payload)
	var values Values
	values.Locate(&h, pkt, table)
	slab := make([]byte, 0, 2048)
	var rivalIn, rivalOut pion.Packet
	_ = rivalIn.Unmarshal(pkt)
	buf := make([]byte, 2048)
	lost := []uint16{1, 2, 5, 9, 40, 41, 42}
	nack := AppendNACK(nil, 1, 2, lost)
	report := AppendRR(nil, 1, []Report{{SSRC: 2, Lost: 3, Highest: 4}})
	arrivals, seen := make([]Arrival, 100), make([]Arrival, 0, 2000)
	for i := range arrivals {
		arrivals[i] = Arrival{Sequence: uint16(i), At: int64(4 * i), Received: i%17 != 5}
	}
	feedback, _ := AppendTransportCC(nil, TransportCC{}, arrivals, 1200)
	var rivalFeedback rtcp.TransportLayerCC
	_ = rivalFeedback.Unmarshal(feedback)
	return []way{
		{"parse", func() error {
			h, err := Parse(pkt)
			values.Locate(&h, pkt, table)
			return err
		}, func() error {
			var p pion.Packet
			err := p.Unmarshal(pkt)
			_, _ = p.GetExtension(4), p.GetExtension(9)
			return err
		}},
		{"forward", func() error {
			w := Begin(slab[:0], Fields{SSRC: 9, Sequence: 8, Timestamp: 7, PayloadType: 100, Marker: true})
			w.Copy(VideoOrientation, ids, &values, pkt)
			w.Uint24(ids[AbsSendTime], 5)
			w.Uint16(ids[TransportNumber], 6)
			size := w.HeaderSize()
			w.Payload(payload)
			slab = w.Bytes()
			vp8.Renumber(slab[size:], 100, 7)
			return nil
		}, func() error {
			rivalOut.Header = pion.Header{Version: 2, SSRC: 9, SequenceNumber: 8, Timestamp: 7, PayloadType: 100, Marker: true}
			rivalOut.Payload = rivalIn.Payload
			_ = rivalOut.SetExtension(4, rivalIn.GetExtension(3))
			_ = rivalOut.SetExtension(2, []byte{0, 0, 5})
			_ = rivalOut.SetExtension(3, []byte{0, 6})
			_, err := rivalOut.MarshalTo(buf)
			return err
		}},
		{"vp8", func() error {
			_, err := ReadFrame(VP8, payload, true)
			return err
		}, func() error {
			var p codecs.VP8Packet
			_, err := p.Unmarshal(payload)
			return err
		}},
		{"nack", func() error {
			c := Compound{Rest: nack}
			p, _ := c.Next()
			for i := range p.NACKs() {
				m := p.NACK(i)
				for number, rest, ok := m.First, m.Following, true; ok; number, rest, ok = Pop(number, rest) {
				}
			}
			return c.Err
		}, func() error {
			packets, err := rtcp.Unmarshal(nack)
			for _, pair := range packets[0].(*rtcp.TransportLayerNack).Nacks {
				pair.Range(func(uint16) bool { return true })
			}
			return err
		}},
		{"report", func() error {
			c := Compound{Rest: report}
			p, _ := c.Next()
			_ = p.Report(0)
			return c.Err
		}, func() error {
			_, err := rtcp.Unmarshal(report)
			return err
		}},
		{"feedback in", func() error {
			c := Compound{Rest: feedback}
			p, _ := c.Next()
			_, _, err := p.ReadTransportCC(seen)
			return err
		}, func() error {
			_, err := rtcp.Unmarshal(feedback)
			return err
		}},
		{"feedback out", func() error {
			slab, _ = AppendTransportCC(slab[:0], TransportCC{}, arrivals, 1200)
			return nil
		}, func() error {
			_, err := rivalFeedback.Marshal()
			return err
		}},
	}
}

// BenchmarkRival does each thing as we do it and as pion does it, in one run. pion's "feedback out" is handed chunks and
// differences that are made already, ours makes them from the arrivals.
func BenchmarkRival(b *testing.B) {
	for _, w := range ways() {
		for name, do := range map[string]func() error{"ours": w.ours, "pion": w.pion} {
			b.Run(w.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkDescriptor reads recorded dependency descriptors and writes them with another mask.
func BenchmarkDescriptor(b *testing.B) {
	for _, name := range []string{"vp9-l3t3_key", "av1-l3t3_key"} {
		sights := play(b, name).media(b)
		var y Dependency
		var d Descriptor
		buf := make([]byte, 0, 256)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s := &sights[i%len(sights)]
				value := s.values.Of(s.pkt, DependencyDescriptor)
				if err := y.Read(value, &d); err != nil && i < len(sights) {
					b.Fatal(err)
				}
				buf = AppendDescriptor(buf[:0], value, &d, 1)
			}
		})
	}
}

// TestNoAllocations holds the contract of the package: whatever is done to a packet, sound or not, allocates nothing.
func TestNoAllocations(t *testing.T) {
	for _, w := range ways() {
		if n := testing.AllocsPerRun(100, func() { _ = w.ours() }); n != 0 {
			t.Errorf("%s: %v allocations", w.name, n)
		}
	}
	buf, room, blocks := make([]byte, 0, 4096), make([]Arrival, 0, 2000), make([]REDBlock, 0, MaxRED)
	for _, name := range recorded {
		tape := play(t, name)
		var y Dependency
		var d Descriptor
		var v Values
		var a Allocation
		n := testing.AllocsPerRun(2, func() {
			for _, pkt := range tape.packets {
				h, err := Parse(pkt)
				if err != nil {
					continue
				}
				v.Locate(&h, pkt, &tape.table)
				_, _ = ReadFrame(tape.codecs[h.PayloadType], h.Payload(pkt), h.Marker)
				_, _ = ReadRED(blocks, h.Payload(pkt))
				_, _ = ReadLevel(v.Of(pkt, AudioLevel))
				_ = ReadAllocation(v.Of(pkt, LayersAllocation), &a)
				value := v.Of(pkt, DependencyDescriptor)
				if err := y.Read(value, &d); err == nil {
					buf = AppendDescriptor(buf[:0], value, &d, 1)
				}
				buf = AppendRTX(buf[:0], Fields{}, &h, pkt, 4, 7)
			}
			for _, datagram := range tape.control {
				c := Compound{Rest: datagram}
				for p, ok := c.Next(); ok; p, ok = c.Next() {
					for names := p.Names(); names.Next(); {
					}
					_, _ = p.REMB()
					_, _, _ = p.ReadTransportCC(room)
				}
			}
			buf = AppendSR(buf[:0], 1, SenderInfo{}, []Report{{SSRC: 1}})
			buf = AppendRR(buf, 1, nil)
			buf = AppendCNAME(buf, 1, "name")
			buf = AppendPLI(buf, 1, 2)
			buf = AppendFIR(buf, 1, IntraRequest{2, 3})
			buf = AppendREMB(buf, 1, 1e6, nil)
			buf = AppendGoodbye(buf, 1)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
