package rtp

import "encoding/binary"

// SenderInfo is what a sender says of itself in its report (RFC 3550 §6.4.1).
type SenderInfo struct {
	// NTP is when the report was sent, Timestamp the same moment in the units of the stream.
	NTP       uint64
	Timestamp uint32
	// Packets and Octets is how much was sent so far, without headers and padding.
	Packets, Octets uint32
}

// Report is what a receiver says of one source (RFC 3550 §6.4.1).
type Report struct {
	SSRC uint32
	// Lost is how many packets are missing so far, less duplicates: may be negative, and goes no further than 24 bits.
	Lost int32
	// Highest is the highest sequence number, with the count of its rounds in the upper 16 bits.
	Highest uint32
	// Jitter is in timestamp units.
	Jitter uint32
	// LastSR is the middle of the NTP timestamp of the last sender report, 0 for none; Delay how long ago that came, in 1/65536 s.
	LastSR, Delay uint32
	// FractionLost is the part of packets lost since the last report, in 1/256.
	FractionLost uint8
}

const (
	infoSize   = 20
	reportSize = 24
)

// SenderInfo returns what a sender report begins with.
func (p *Control) SenderInfo() (SenderInfo, bool) {
	if p.Type != SenderReport || len(p.Body) < 4+infoSize {
		return SenderInfo{}, false
	}
	return SenderInfo{
		NTP:       binary.BigEndian.Uint64(p.Body[4:]),
		Timestamp: p.word(3), Packets: p.word(4), Octets: p.word(5),
	}, true
}

// reports returns where the report blocks begin and how many there are.
func (p *Control) reports() (start, n int) {
	switch p.Type {
	case SenderReport:
		start = 4 + infoSize
	case ReceiverReport:
		start = 4
	default:
		return 0, 0
	}
	return start, min(int(p.Count), max(0, len(p.Body)-start)/reportSize)
}

// Reports returns how many report blocks a sender or receiver report has.
func (p *Control) Reports() int {
	_, n := p.reports()
	return n
}

// Report returns the i-th report block, i < Reports.
func (p *Control) Report(i int) Report {
	start, _ := p.reports()
	at := start/4 + i*reportSize/4
	lost := p.word(at + 1)
	return Report{
		SSRC: p.word(at), FractionLost: uint8(lost >> 24), Lost: int32(lost<<8) >> 8,
		Highest: p.word(at + 2), Jitter: p.word(at + 3), LastSR: p.word(at + 4), Delay: p.word(at + 5),
	}
}

// AppendSR appends a sender report; of reports no more than 31 are taken.
func AppendSR(dst []byte, ssrc uint32, info SenderInfo, reports []Report) []byte {
	reports = reports[:min(31, len(reports))]
	dst, at := beginControl(dst, SenderReport, uint8(len(reports)))
	dst = binary.BigEndian.AppendUint32(dst, ssrc)
	dst = binary.BigEndian.AppendUint64(dst, info.NTP)
	dst = binary.BigEndian.AppendUint32(dst, info.Timestamp)
	dst = binary.BigEndian.AppendUint32(dst, info.Packets)
	dst = binary.BigEndian.AppendUint32(dst, info.Octets)
	return endControl(appendReports(dst, reports), at)
}

// AppendRR appends a receiver report; of reports no more than 31 are taken.
func AppendRR(dst []byte, ssrc uint32, reports []Report) []byte {
	reports = reports[:min(31, len(reports))]
	dst, at := beginControl(dst, ReceiverReport, uint8(len(reports)))
	dst = binary.BigEndian.AppendUint32(dst, ssrc)
	return endControl(appendReports(dst, reports), at)
}

func appendReports(dst []byte, reports []Report) []byte {
	for i := range reports {
		r := &reports[i]
		lost := uint32(min(max(r.Lost, -1<<23), 1<<23-1)) & 0xFFFFFF
		dst = binary.BigEndian.AppendUint32(dst, r.SSRC)
		dst = binary.BigEndian.AppendUint32(dst, uint32(r.FractionLost)<<24|lost)
		dst = binary.BigEndian.AppendUint32(dst, r.Highest)
		dst = binary.BigEndian.AppendUint32(dst, r.Jitter)
		dst = binary.BigEndian.AppendUint32(dst, r.LastSR)
		dst = binary.BigEndian.AppendUint32(dst, r.Delay)
	}
	return dst
}

// beginControl appends the first word of an RTCP packet, endControl writes its length.
func beginControl(dst []byte, t Type, count uint8) (out []byte, at int) {
	return append(dst, 0x80|count&0x1F, byte(t), 0, 0), len(dst)
}

// endControl fills the last word of the packet that begins at at with zeros and notes its length.
func endControl(dst []byte, at int) []byte {
	for (len(dst)-at)%4 != 0 {
		dst = append(dst, 0)
	}
	binary.BigEndian.PutUint16(dst[at+2:], uint16((len(dst)-at)/4-1))
	return dst
}
