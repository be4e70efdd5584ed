package rtp

import (
	"encoding/binary"
	"math/bits"
)

// Missing is one entry of a NACK (RFC 4585 §6.2.1): a lost packet and 16 bits for those after it, the lowest for the next.
type Missing struct{ First, Following uint16 }

// Len is how many packets it names.
func (m Missing) Len() int { return 1 + bits.OnesCount16(m.Following) }

// Pop takes the next number off; false when there is none. To walk the entry:
//
//	for number, rest, ok := m.First, m.Following, true; ok; number, rest, ok = rtp.Pop(number, rest) { … }
func Pop(number, following uint16) (next, rest uint16, ok bool) {
	if following == 0 {
		return 0, 0, false
	}
	step := bits.TrailingZeros16(following) + 1
	return number + uint16(step), following >> step, true
}

// NACKs returns how many entries a NACK has, 0 for other packets. A datagram has room for a few hundred, each naming up to 17
// packets: what is answered is for the caller to bound.
func (p *Control) NACKs() int {
	if !p.Is(TransportFeedback, FormatNACK) {
		return 0
	}
	return (len(p.Body) - 8) / 4
}

// NACK returns the i-th entry, i < NACKs.
func (p *Control) NACK(i int) Missing {
	v := p.word(2 + i)
	return Missing{uint16(v >> 16), uint16(v)}
}

// AppendNACK appends a NACK for the lost packets, which are in the order of their numbers, from one source of feedback to the
// sender of media. Nothing is appended for none.
func AppendNACK(dst []byte, sender, media uint32, lost []uint16) []byte {
	if len(lost) == 0 {
		return dst
	}
	dst, at := beginFeedback(dst, TransportFeedback, FormatNACK, sender, media)
	for i := 0; i < len(lost); {
		first, following := lost[i], uint16(0)
		for i++; i < len(lost); i++ {
			step := lost[i] - first - 1
			if step == 0xFFFF { // named twice
				continue
			}
			if step > 15 {
				break
			}
			following |= 1 << step
		}
		dst = binary.BigEndian.AppendUint16(dst, first)
		dst = binary.BigEndian.AppendUint16(dst, following)
	}
	return endControl(dst, at)
}

// AppendPLI appends a picture loss indication (RFC 4585 §6.3.1): a request for a key frame.
func AppendPLI(dst []byte, sender, media uint32) []byte {
	dst, at := beginFeedback(dst, PayloadFeedback, FormatPLI, sender, media)
	return endControl(dst, at)
}

// IntraRequest is an entry of a full intra request (RFC 5104 §4.3.1): a command to send a key frame. A number that is the last
// one again is the same command repeated.
type IntraRequest struct {
	SSRC   uint32
	Number uint8
}

// FIRs returns how many entries a full intra request has, 0 for other packets.
func (p *Control) FIRs() int {
	if !p.Is(PayloadFeedback, FormatFIR) {
		return 0
	}
	return (len(p.Body) - 8) / 8
}

// FIR returns the i-th entry, i < FIRs.
func (p *Control) FIR(i int) IntraRequest {
	return IntraRequest{p.word(2 + 2*i), uint8(p.word(3+2*i) >> 24)}
}

// AppendFIR appends a full intra request for one source.
func AppendFIR(dst []byte, sender uint32, request IntraRequest) []byte {
	dst, at := beginFeedback(dst, PayloadFeedback, FormatFIR, sender, 0)
	dst = binary.BigEndian.AppendUint32(dst, request.SSRC)
	return endControl(append(dst, request.Number, 0, 0, 0), at)
}

// remb is "REMB", which tells it from other application feedback (draft-alvestrand-rmcat-remb-03 §2.2).
const remb = 0x52454D42

// REMB returns the receiver's estimate of its downlink in bit/s, over all the sources it lists; false for other packets.
func (p *Control) REMB() (bitrate uint64, ok bool) {
	if !p.Is(PayloadFeedback, FormatREMB) || len(p.Body) < 16 || p.word(2) != remb {
		return 0, false
	}
	v := p.word(3)
	if len(p.Body) < 16+4*int(v>>24) {
		return 0, false
	}
	exponent, mantissa := v>>18&0x3F, uint64(v&0x3FFFF)
	if mantissa != 0 && bits.Len64(mantissa)+int(exponent) > 63 {
		return 1<<63 - 1, true
	}
	return mantissa << exponent, true
}

// AppendREMB appends an estimate in bit/s over the sources, of which no more than 255 are taken. It is rounded down to 18 bits.
func AppendREMB(dst []byte, sender uint32, bitrate uint64, ssrcs []uint32) []byte {
	ssrcs = ssrcs[:min(255, len(ssrcs))]
	exponent := max(0, bits.Len64(bitrate)-18)
	dst, at := beginFeedback(dst, PayloadFeedback, FormatREMB, sender, 0)
	dst = binary.BigEndian.AppendUint32(dst, remb)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(ssrcs))<<24|uint32(exponent)<<18|uint32(bitrate>>exponent))
	for _, ssrc := range ssrcs {
		dst = binary.BigEndian.AppendUint32(dst, ssrc)
	}
	return endControl(dst, at)
}

// beginFeedback appends the head of a feedback packet (RFC 4585 §6.1).
func beginFeedback(dst []byte, t Type, format uint8, sender, media uint32) (out []byte, at int) {
	dst, at = beginControl(dst, t, format)
	dst = binary.BigEndian.AppendUint32(dst, sender)
	return binary.BigEndian.AppendUint32(dst, media), at
}
