package rtp

import (
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
)

// The packets of RFC 3550 §6 and RFC 4585 §6, byte by byte, in one datagram.
func TestCompound(t *testing.T) {
	datagram := unhex(t, `81c8000c 00000001 0000000200000003 00000004 00000005 00000006`+
		` 00000007 08fffffe 00010009 0000000a 0000000b 0000000c`+
		`81ca0003 00000001 01 04 61406263 00 00`+
		`81cd0003 00000001 00000002 00058001`+
		`81ce0002 00000001 00000002`+
		`84ce0004 00000001 00000000 00000003 07000000`+
		`8fce0005 00000001 00000000 52454d42 0103ffff 00000003`+
		`82cb0002 00000001 00000002`+
		`a0c90003 00000001 00000000 00000008`)
	c := Compound{Rest: datagram}
	next := func(want Type, count uint8) *Control {
		t.Helper()
		p, ok := c.Next()
		if !ok || p.Type != want || p.Count != count {
			t.Fatalf("%d %d, %v, %v", p.Type, p.Count, ok, c.Err)
		}
		return &p
	}
	p := next(SenderReport, 1)
	sender, _ := p.Sender()
	if info, ok := p.SenderInfo(); !ok || sender != 1 || info != (SenderInfo{2<<32 | 3, 4, 5, 6}) {
		t.Error(info)
	}
	if r := p.Report(0); p.Reports() != 1 || r != (Report{7, -2, 0x10009, 10, 11, 12, 8}) {
		t.Error(r)
	}
	p = next(Descriptions, 1)
	n := p.Names()
	if !n.Next() || n.SSRC != 1 || string(n.CNAME) != "a@bc" || n.Next() {
		t.Errorf("%+v", n)
	}
	if _, ok := p.Sender(); ok {
		t.Error("a description has no sender")
	}
	p = next(TransportFeedback, FormatNACK)
	var lost []uint16
	for number, rest, ok := p.NACK(0).First, p.NACK(0).Following, true; ok; number, rest, ok = Pop(number, rest) {
		lost = append(lost, number)
	}
	if p.NACKs() != 1 || p.Media() != 2 || p.NACK(0).Len() != 3 || len(lost) != 3 || lost[0] != 5 || lost[1] != 6 || lost[2] != 21 {
		t.Error(lost)
	}
	if p = next(PayloadFeedback, FormatPLI); !p.Is(PayloadFeedback, FormatPLI) || p.Media() != 2 {
		t.Error("PLI")
	}
	if p = next(PayloadFeedback, FormatFIR); p.FIRs() != 1 || p.FIR(0) != (IntraRequest{3, 7}) {
		t.Error("FIR")
	}
	p = next(PayloadFeedback, FormatREMB)
	if rate, ok := p.REMB(); !ok || rate != 0x3ffff {
		t.Error(rate)
	}
	if p = next(Goodbye, 2); p.Goodbyes() != 2 || p.Goodbye(0) != 1 || p.Goodbye(1) != 2 {
		t.Error("BYE")
	}
	if p = next(ReceiverReport, 0); len(p.Body) != 4 || p.Reports() != 0 {
		t.Errorf("padding: %x", p.Body)
	}
	if _, ok := c.Next(); ok || c.Err != nil {
		t.Error(c.Err)
	}
	compareRTCP(t, datagram)
}

func TestCompoundRefuses(t *testing.T) {
	for datagram, want := range map[string]error{
		"80c9": ErrShort, "40c90000": ErrVersion, "80c90001": ErrShort, "80c900010000": ErrShort, "a0c9000100000000": ErrPadding,
		"a0c9000100000005": ErrPadding, "a0c9000100000008": ErrPadding, "a0c90000": ErrPadding, "80c90000 00": ErrShort,
	} {
		c := Compound{Rest: unhex(t, datagram)}
		for _, ok := c.Next(); ok; _, ok = c.Next() {
		}
		if !errors.Is(c.Err, want) {
			t.Errorf("%s: %v, want %v", datagram, c.Err, want)
		}
		if _, ok := c.Next(); ok {
			t.Errorf("%s: goes on", datagram)
		}
	}
	// A packet may claim more than it has: what is there counts.
	for _, datagram := range []string{"9fc80000", "9fc90001 00000001", "9fc90005 00000001 0000000000000000 0000000000000000", "9fca0000", "9fca0001 00000001", "9fcb0000", "81cd0000", "8fcd0001 00000001", "84ce0000", "8fce0003 0000000000000000 52454d42", "8fce0004 0000000000000000 52454d42 ff000000"} {
		c := Compound{Rest: unhex(t, datagram)}
		p, ok := c.Next()
		if !ok {
			t.Errorf("%s: %v", datagram, c.Err)
		}
		_, info := p.SenderInfo()
		_, remb := p.REMB()
		_, _, err := p.ReadTransportCC(nil)
		if info || remb || err == nil || p.Reports()+p.NACKs()+p.FIRs()+p.Goodbyes() != 0 {
			t.Errorf("%s: read something", datagram)
		}
	}
	for _, chunk := range []string{"82ca0002 00000001 01ff6162", "81ca0002 00000001 01046162", "81ca0001 00000001"} {
		c := Compound{Rest: unhex(t, chunk)}
		p, _ := c.Next()
		for n := p.Names(); n.Next(); {
			if n.CNAME != nil {
				t.Errorf("%s: %q", chunk, n.CNAME)
			}
		}
	}
}

// What we write, pion reads as it was meant.
func TestControlWriters(t *testing.T) {
	r := chance(31)
	for range 400 {
		sender, media := r.Uint32(), r.Uint32()
		reports := make([]Report, r.IntN(34))
		for i := range reports {
			reports[i] = Report{r.Uint32(), int32(r.Uint32()) >> 8, r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32(), uint8(r.Uint32())}
		}
		info := SenderInfo{r.Uint64(), r.Uint32(), r.Uint32(), r.Uint32()}
		var lost []uint16
		wanted := map[uint16]bool{}
		for number := uint16(r.Uint32()); len(lost) < 1+r.IntN(60); number += uint16(1 + r.IntN(20)) {
			lost = append(lost, number)
			wanted[number] = true
			if r.IntN(10) == 0 {
				lost = append(lost, number) // named twice
			}
		}
		cname := string(noise(r, r.IntN(300)))
		ssrcs := make([]uint32, r.IntN(5))
		for i := range ssrcs {
			ssrcs[i] = r.Uint32()
		}
		bitrate := r.Uint64() >> (2 + r.IntN(60))
		request := IntraRequest{r.Uint32(), uint8(r.Uint32())}
		prefix := noise(r, r.IntN(3))
		b := AppendSR(prefix, sender, info, reports)
		b = AppendRR(b, sender, reports)
		b = AppendCNAME(b, sender, cname)
		b = AppendNACK(b, sender, media, lost)
		b = AppendNACK(b, sender, media, nil)
		b = AppendPLI(b, sender, media)
		b = AppendFIR(b, sender, request)
		b = AppendREMB(b, sender, bitrate, ssrcs)
		b = AppendGoodbye(b, ssrcs...)
		b = b[len(prefix):]
		packets, err := rtcp.Unmarshal(b)
		if err != nil || len(packets) != 8 {
			t.Fatalf("%d packets, %v: %x", len(packets), err, b)
		}
		compareRTCP(t, b)
		reports = reports[:min(31, len(reports))]
		sr := packets[0].(*rtcp.SenderReport)
		if sr.SSRC != sender || sr.NTPTime != info.NTP || sr.RTPTime != info.Timestamp || sr.PacketCount != info.Packets || sr.OctetCount != info.Octets || len(sr.Reports) != len(reports) {
			t.Fatalf("%v, want %v", sr, info)
		}
		for i, got := range packets[1].(*rtcp.ReceiverReport).Reports {
			want := reports[i]
			if got.SSRC != want.SSRC || got.TotalLost != uint32(want.Lost)&0xFFFFFF || got.FractionLost != want.FractionLost || got.LastSequenceNumber != want.Highest || got.Jitter != want.Jitter || got.LastSenderReport != want.LastSR || got.Delay != want.Delay {
				t.Fatalf("%v, want %v", got, want)
			}
		}
		if text := packets[2].(*rtcp.SourceDescription).Chunks[0].Items[0].Text; text != cname[:min(255, len(cname))] {
			t.Fatalf("%q, want %q", text, cname)
		}
		named := map[uint16]bool{}
		for _, pair := range packets[3].(*rtcp.TransportLayerNack).Nacks {
			for _, number := range pair.PacketList() {
				named[number] = true
			}
		}
		if len(named) != len(wanted) {
			t.Fatalf("%v, want %v", named, wanted)
		}
		for number := range wanted {
			if !named[number] {
				t.Fatalf("%d is not named", number)
			}
		}
		if fir := packets[5].(*rtcp.FullIntraRequest).FIR[0]; fir.SSRC != request.SSRC || fir.SequenceNumber != request.Number {
			t.Fatal(fir)
		}
		remb := packets[6].(*rtcp.ReceiverEstimatedMaximumBitrate)
		if got := float64(remb.Bitrate); bitrate > 0 && got > float64(bitrate) || got < float64(bitrate)*(1-1.0/(1<<17)) || len(remb.SSRCs) != len(ssrcs) {
			t.Fatalf("%v, want %d", remb, bitrate)
		}
		if bye := packets[7].(*rtcp.Goodbye); len(bye.Sources) != len(ssrcs) {
			t.Fatal(bye)
		}
	}
	// Losses beyond 24 bits are cut, not wrapped.
	for lost, want := range map[int32]int32{math.MaxInt32: 1<<23 - 1, math.MinInt32: -1 << 23, -1: -1} {
		c := Compound{Rest: AppendRR(nil, 1, []Report{{Lost: lost}})}
		if p, _ := c.Next(); p.Report(0).Lost != want {
			t.Errorf("%d became %d", lost, p.Report(0).Lost)
		}
	}
	// A rate that no integer holds.
	c := Compound{Rest: unhex(t, "8fce0004 0000000000000000 52454d42 00ffffff")}
	if p, _ := c.Next(); true {
		if rate, ok := p.REMB(); !ok || rate != 1<<63-1 {
			t.Error(rate)
		}
	}
}

// Feedback about any arrivals is read as it was written, in as many packets as the limit asks for, by us and by pion.
func TestTransportCC(t *testing.T) {
	r := chance(32)
	room := make([]Arrival, 0, 1<<16)
	for range 400 {
		arrivals := make([]Arrival, 1+r.IntN(400))
		at := int64(r.Uint32()) - 1<<31
		loss, jump := r.IntN(3)*r.IntN(60), r.IntN(20)
		for i := range arrivals {
			at += int64(r.IntN(300))
			if r.IntN(100) < jump {
				at += int64(r.IntN(100_000)) - 3_000
			}
			arrivals[i] = Arrival{Sequence: uint16(65000 + i), At: at, Received: r.IntN(100) >= loss}
		}
		limit := []int{60, 200, 1200}[r.IntN(3)]
		t0 := TransportCC{Sender: r.Uint32(), Media: r.Uint32(), Count: uint8(r.Uint32())}
		for done := 0; done < len(arrivals); t0.Count++ {
			b, n := AppendTransportCC([]byte{1}, t0, arrivals[done:], limit)
			if n == 0 {
				// Only with nothing received, or more missing at the front than the limit lets tell.
				if received(arrivals[done:]) && limit > 60 {
					t.Fatalf("nothing written of %v", arrivals[done:])
				}
				break
			}
			if len(b)-1 > limit {
				t.Fatalf("%d bytes, limit %d", len(b)-1, limit)
			}
			c := Compound{Rest: b[1:]}
			p, _ := c.Next()
			head, got, err := p.ReadTransportCC(room)
			if err != nil || len(got) != n || head.Sender != t0.Sender || head.Media != t0.Media || head.Count != t0.Count {
				t.Fatalf("%+v, %d of %d, %v", head, len(got), n, err)
			}
			// The reference has 24 bits: all arrivals may be off by the same multiple of 2^32.
			var shift int64
			found := false
			for i, want := range arrivals[done : done+n] {
				if got[i].Sequence != want.Sequence || got[i].Received != want.Received {
					t.Fatalf("%+v, want %+v", got[i], want)
				}
				if want.Received && !found {
					shift, found = want.At-got[i].At, true
				}
				if want.Received && want.At-got[i].At != shift || shift%(1<<32) != 0 {
					t.Fatalf("%+v, want %+v", got[i], want)
				}
			}
			var rival rtcp.TransportLayerCC
			if err := rival.Unmarshal(b[1:]); err != nil {
				t.Fatalf("pion: %x: %v", b, err)
			}
			compareTransportCC(t, &p, &rival)
			done += n
		}
	}
}

func received(arrivals []Arrival) bool {
	for _, a := range arrivals {
		if a.Received {
			return true
		}
	}
	return false
}

// The chunks of draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.3 and §3.1.4.
func TestTransportCCVectors(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		statuses   string // of each packet: its ticks after the reference, or - for missing
	}{
		{"run of 3", "0003 000001 05 2003 01 02 03", "1 3 6"},
		{"run of none", "0002 000001 05 2000 6000 2002 01 02", "1 3"},
		{"run of missing, then one", "0004 000001 05 0003 a000 0a", "- - - 10"},
		{"one bit each", "0005 000001 05 ac00 01 02 03", "1 - 3 6 -"},
		{"two bits each", "0003 000001 05 d800 01 ff00", "1 -255 -"},
		{"negative reference", "0001 ffffff 05 2001 07", "7"},
		{"reserved symbol", "0002 000001 05 f400 07", "- 7"},
	} {
		// The lengths of the fields are part of the vector: base, status count, reference, count, chunks, differences.
		body := append(unhex(t, "8fcd0000 00000001 00000002 0064"), unhex(t, tt.body)...)
		body = endControl(body, 0)
		c := Compound{Rest: body}
		p, _ := c.Next()
		head, arrivals, err := p.ReadTransportCC(make([]Arrival, 0, 10))
		if err != nil || head.Base != 100 || head.Count != 5 {
			t.Fatalf("%s: %+v, %v", tt.name, head, err)
		}
		text := ""
		for i, a := range arrivals {
			if i > 0 {
				text += " "
			}
			if a.Received {
				text += strconv.FormatInt(a.At-int64(head.Reference)*256, 10)
			} else {
				text += "-"
			}
		}
		if text != tt.statuses {
			t.Errorf("%s: %s, want %s", tt.name, text, tt.statuses)
		}
	}
	for name, text := range map[string]string{
		"no chunk": "0001 000001 05", "half a chunk": "0001 000001 05 20", "a chunk too few": "000f 000001 05 8000", "no difference": "0006 000001 05 2006 0101",
		"half a difference": "0001 000001 05 e000 01", "claims all": "ffff 000001 05 2001",
	} {
		body := append(unhex(t, "8fcd0000 00000001 00000002 0064"), unhex(t, text)...)
		p := Control{Type: TransportFeedback, Count: FormatTransportCC, Body: body[4:]}
		if _, got, err := p.ReadTransportCC(make([]Arrival, 0, 1<<16)); !errors.Is(err, ErrShort) || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	p := Control{Type: TransportFeedback, Count: FormatTransportCC, Body: unhex(t, "00000001 00000002 0064 ffff 000001 05 1fff")}
	if _, _, err := p.ReadTransportCC(make([]Arrival, 0, 2000)); !errors.Is(err, ErrRoom) {
		t.Error(err)
	}
	if b, n := AppendTransportCC(nil, TransportCC{}, make([]Arrival, 5), 1200); n != 0 || b != nil {
		t.Error("wrote about nothing")
	}
}

// pion writes allocations, we read them.
func TestAllocation(t *testing.T) {
	r := chance(33)
	for range 1_000 {
		rival := pion.VLA{RTPStreamCount: 1 + r.IntN(4), HasResolutionAndFramerate: r.IntN(2) == 0}
		rival.RTPStreamID = r.IntN(rival.RTPStreamCount)
		same := r.IntN(2) == 0
		spatials := 1 + r.IntN(4)
		for stream := range rival.RTPStreamCount {
			if !same {
				spatials = r.IntN(5)
			}
			for spatial := range spatials {
				layer := pion.SpatialLayer{RTPStreamID: stream, SpatialID: spatial, Width: 1 + r.IntN(4000), Height: 1 + r.IntN(4000), Framerate: r.IntN(120)}
				for range 1 + r.IntN(4) {
					layer.TargetBitrates = append(layer.TargetBitrates, r.IntN(1<<(1+r.IntN(28))))
				}
				rival.ActiveSpatialLayer = append(rival.ActiveSpatialLayer, layer)
			}
		}
		value, err := rival.Marshal()
		if err != nil {
			continue
		}
		var again pion.VLA
		if _, err := again.Unmarshal(value); err != nil {
			continue // pion writes one mask for all streams when some have no layers; it cannot read that itself
		}
		var a Allocation
		if err := ReadAllocation(value, &a); err != nil {
			t.Fatalf("%x: %v: %v", value, rival, err)
		}
		compareAllocation(t, &a, &again)
		for n := range len(value) {
			_ = ReadAllocation(value[:n], &a) // must not panic; with the sizes cut off it may be sound
		}
	}
	var a Allocation
	if err := ReadAllocation([]byte{0}, &a); err != nil || a.Count != 0 {
		t.Error(err)
	}
	for _, bad := range []string{"", "01", "0100", "010080", "01008080808080808080", "01000500"} {
		if err := ReadAllocation(unhex(t, bad), &a); !errors.Is(err, ErrShort) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
