package rtp

import (
	"bytes"
	"testing"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
)

// compareRTP holds our reading of a packet against pion's. pion takes some that we refuse, and the other way round; where both
// accept it, both must see the same.
func compareRTP(t *testing.T, pkt []byte) {
	t.Helper()
	h, err := Parse(pkt)
	var rival pion.Packet
	if rivalErr := rival.Unmarshal(pkt); err != nil || rivalErr != nil {
		return
	}
	if h.Marker != rival.Marker || h.PayloadType != rival.PayloadType || h.Sequence != rival.SequenceNumber ||
		h.Timestamp != rival.Timestamp || h.SSRC != rival.SSRC || int(h.CSRCs) != len(rival.CSRC) || h.Padded != rival.Padding {
		t.Fatalf("%x: %+v, pion %+v", pkt, h, rival.Header)
	}
	for i, csrc := range rival.CSRC {
		if h.CSRC(pkt, i) != csrc {
			t.Fatalf("%x: source %d is %x, pion %x", pkt, i, h.CSRC(pkt, i), csrc)
		}
	}
	if !bytes.Equal(h.Payload(pkt), rival.Payload) {
		t.Fatalf("%x: payload %x, pion %x", pkt, h.Payload(pkt), rival.Payload)
	}
	for _, id := range rival.GetExtensionIDs() {
		if h.form == foreign || h.form == twoByte && id == 0 || h.form == oneByte && (id == 0 || id == 15) {
			continue
		}
		if got, want := h.Extension(pkt, id), rival.GetExtension(id); !bytes.Equal(got, want) {
			t.Fatalf("%x: extension %d is %x, pion %x", pkt, id, got, want)
		}
	}
}

// readAll walks a datagram with all that can be asked of its packets, and returns them rebuilt as pion's types.
func readAll(datagram []byte) (all []rtcp.Packet, err error) {
	c := Compound{Rest: datagram}
	for p, ok := c.Next(); ok; p, ok = c.Next() {
		if q := rebuild(&p); q != nil {
			all = append(all, q)
		}
	}
	return all, c.Err
}

func rebuild(p *Control) rtcp.Packet {
	sender, _ := p.Sender()
	var reports []rtcp.ReceptionReport
	for i := range p.Reports() {
		r := p.Report(i)
		reports = append(reports, rtcp.ReceptionReport{
			SSRC: r.SSRC, FractionLost: r.FractionLost, TotalLost: uint32(r.Lost) & 0xFFFFFF, LastSequenceNumber: r.Highest,
			Jitter: r.Jitter, LastSenderReport: r.LastSR, Delay: r.Delay,
		})
	}
	if info, ok := p.SenderInfo(); ok {
		return &rtcp.SenderReport{
			SSRC: sender, NTPTime: info.NTP, RTPTime: info.Timestamp, PacketCount: info.Packets, OctetCount: info.Octets, Reports: reports,
		}
	}
	bitrate, isREMB := p.REMB()
	switch {
	case p.Type == ReceiverReport:
		return &rtcp.ReceiverReport{SSRC: sender, Reports: reports}
	case p.Type == Goodbye:
		q := &rtcp.Goodbye{}
		for i := range p.Goodbyes() {
			q.Sources = append(q.Sources, p.Goodbye(i))
		}
		return q
	case p.Type == Descriptions:
		q := &rtcp.SourceDescription{}
		for n := p.Names(); n.Next(); {
			q.Chunks = append(q.Chunks, rtcp.SourceDescriptionChunk{
				Source: n.SSRC, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: string(n.CNAME)}},
			})
		}
		return q
	case p.Is(TransportFeedback, FormatNACK):
		q := &rtcp.TransportLayerNack{SenderSSRC: sender, MediaSSRC: p.Media()}
		for i := range p.NACKs() {
			m := p.NACK(i)
			q.Nacks = append(q.Nacks, rtcp.NackPair{PacketID: m.First, LostPackets: rtcp.PacketBitmap(m.Following)})
		}
		return q
	case p.Is(PayloadFeedback, FormatPLI):
		return &rtcp.PictureLossIndication{SenderSSRC: sender, MediaSSRC: p.Media()}
	case p.Is(PayloadFeedback, FormatFIR):
		q := &rtcp.FullIntraRequest{SenderSSRC: sender, MediaSSRC: p.Media()}
		for i := range p.FIRs() {
			f := p.FIR(i)
			q.FIR = append(q.FIR, rtcp.FIREntry{SSRC: f.SSRC, SequenceNumber: f.Number})
		}
		return q
	case isREMB:
		return &rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: sender, Bitrate: float32(bitrate)}
	}
	return nil
}

// compareRTCP holds our reading of a datagram against pion's, where both accept it.
func compareRTCP(t *testing.T, datagram []byte) {
	t.Helper()
	rivals, rivalErr := rtcp.Unmarshal(datagram)
	c := Compound{Rest: datagram}
	n := 0
	for {
		padded := len(c.Rest) > 0 && c.Rest[0]&0x20 != 0
		p, ok := c.Next()
		if !ok {
			break
		}
		// pion leaves padding in most packets and takes it for data.
		if rivalErr == nil && n < len(rivals) && (!padded || p.Is(TransportFeedback, FormatTransportCC)) {
			comparePacket(t, &p, rivals[n], datagram)
		}
		n++
	}
	if rivalErr == nil && c.Err == nil && n != len(rivals) {
		t.Fatalf("%x: %d packets, pion %d", datagram, n, len(rivals))
	}
}

// comparePacket holds one packet against pion's, as far as pion keeps what it says.
func comparePacket(t *testing.T, p *Control, rival rtcp.Packet, datagram []byte) {
	t.Helper()
	if cc, ok := rival.(*rtcp.TransportLayerCC); ok {
		compareTransportCC(t, p, cc)
		return
	}
	if sdes, ok := rival.(*rtcp.SourceDescription); ok {
		compareNames(t, p, sdes)
		return
	}
	got := rebuild(p)
	if got == nil {
		return
	}
	switch q := rival.(type) {
	case *rtcp.SenderReport:
		q.ProfileExtensions = nil
	case *rtcp.ReceiverReport:
		q.ProfileExtensions = nil
	case *rtcp.Goodbye:
		q.Reason = ""
	case *rtcp.ReceiverEstimatedMaximumBitrate:
		// pion takes a rate of 0 for 8.39 Mbit/s.
		if mine, ok := got.(*rtcp.ReceiverEstimatedMaximumBitrate); !ok || mine.Bitrate != 0 && q.Bitrate < 1<<62 && q.Bitrate != mine.Bitrate {
			t.Fatalf("%x: %v, pion %v", datagram, got, rival)
		}
		return
	case *rtcp.RawPacket:
		return
	}
	a, err := got.Marshal()
	b, rivalErr := rival.Marshal()
	if rivalErr == nil && (err != nil || !bytes.Equal(a, b)) {
		t.Fatalf("%x:\n%v %x\npion\n%v %x", datagram, got, a, rival, b)
	}
}

func compareNames(t *testing.T, p *Control, rival *rtcp.SourceDescription) {
	t.Helper()
	i := 0
	for n := p.Names(); n.Next(); i++ {
		if i >= len(rival.Chunks) {
			t.Fatalf("%x: more sources than pion's %d", p.Body, len(rival.Chunks))
		}
		want, has := "", false
		for _, item := range rival.Chunks[i].Items {
			if item.Type == rtcp.SDESCNAME && !has {
				want, has = item.Text, true
			}
		}
		if n.SSRC != rival.Chunks[i].Source || string(n.CNAME) != want {
			t.Fatalf("%x: source %x is %q, pion %x %q", p.Body, n.SSRC, n.CNAME, rival.Chunks[i].Source, want)
		}
	}
	if i != len(rival.Chunks) && i != int(p.Count) {
		t.Fatalf("%x: %d sources, pion %d", p.Body, i, len(rival.Chunks))
	}
}

// compareTransportCC holds arrivals against pion's, whose differences are in µs and stand in a list of their own.
func compareTransportCC(t *testing.T, p *Control, rival *rtcp.TransportLayerCC) {
	t.Helper()
	head, arrivals, err := p.ReadTransportCC(make([]Arrival, 0, rival.PacketStatusCount))
	if err != nil {
		return
	}
	if head.Base != rival.BaseSequenceNumber || head.Statuses != rival.PacketStatusCount || head.Count != rival.FbPktCount ||
		uint32(head.Reference)&0xFFFFFF != rival.ReferenceTime || head.Sender != rival.SenderSSRC || head.Media != rival.MediaSSRC {
		t.Fatalf("%+v, pion %+v", head, rival)
	}
	at := int64(head.Reference) * referenceTicks
	deltas := rival.RecvDeltas
	for i, a := range arrivals {
		if a.Sequence != head.Base+uint16(i) {
			t.Fatalf("arrival %d has number %d", i, a.Sequence)
		}
		if !a.Received {
			continue
		}
		if len(deltas) == 0 {
			t.Fatalf("%v: more arrivals than pion has", rival)
		}
		at += deltas[0].Delta / 250
		deltas = deltas[1:]
		if a.At != at {
			t.Fatalf("number %d came at %d, pion %d", a.Sequence, a.At, at)
		}
	}
}

func compareAllocation(t *testing.T, a *Allocation, rival *pion.VLA) {
	t.Helper()
	if int(a.Stream) != rival.RTPStreamID || int(a.Streams) != rival.RTPStreamCount || int(a.Count) != len(rival.ActiveSpatialLayer) {
		t.Fatalf("%+v, pion %v", a, rival)
	}
	for i, want := range rival.ActiveSpatialLayer {
		got := a.Layers[i]
		if int(got.Stream) != want.RTPStreamID || int(got.Spatial) != want.SpatialID || int(got.Temporals) != len(want.TargetBitrates) {
			t.Fatalf("layer %d is %+v, pion %+v", i, got, want)
		}
		for j, rate := range want.TargetBitrates {
			if int(got.Rates[j]) != rate {
				t.Fatalf("layer %d is %+v, pion %+v", i, got, want)
			}
		}
		if rival.HasResolutionAndFramerate && (int(got.Width) != want.Width || int(got.Height) != want.Height || int(got.Rate) != want.Framerate) {
			t.Fatalf("layer %d is %+v, pion %+v", i, got, want)
		}
	}
}

// sameDescriptor compares what does not depend on the mask.
func sameDescriptor(t *testing.T, a, b *Descriptor) {
	t.Helper()
	x, y := *a, *b
	for _, d := range []*Descriptor{&x, &y} {
		d.Structure, d.Active, d.HasActive, d.activeAt, d.used = nil, 0, false, 0, 0
	}
	if x != y {
		t.Fatalf("%+v\nwant %+v", x, y)
	}
}
