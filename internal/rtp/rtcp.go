package rtp

import "encoding/binary"

// Type is an RTCP packet type (IANA, "RTCP Control Packet Types").
type Type uint8

// The types that we know: RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611.
const (
	SenderReport      Type = 200
	ReceiverReport    Type = 201
	Descriptions      Type = 202
	Goodbye           Type = 203
	TransportFeedback Type = 205
	PayloadFeedback   Type = 206
	Extended          Type = 207
)

// Formats of TransportFeedback and PayloadFeedback (RFC 4585 §6.2, §6.3, RFC 5104 §4.3, IANA).
const (
	FormatNACK        = 1  // of TransportFeedback
	FormatTransportCC = 15 // of TransportFeedback
	FormatPLI         = 1  // of PayloadFeedback
	FormatFIR         = 4  // of PayloadFeedback
	FormatREMB        = 15 // of PayloadFeedback
)

// Control is one RTCP packet of a compound.
type Control struct {
	// Body is what follows the first four bytes, without padding. It points into the datagram.
	Body []byte
	Type Type
	// Count is the number of reports, sources or chunks, or the format of feedback: five bits.
	Count uint8
}

// Compound walks the packets in a datagram (RFC 3550 §6.1). Reduced-size ones (RFC 5506) are as good.
//
//	c := rtp.Compound{Rest: datagram}
//	for p, ok := c.Next(); ok; p, ok = c.Next() {
//		…
//	}
//	if c.Err != nil { … }
type Compound struct {
	// Rest is what has not been read.
	Rest []byte
	// Err is why the walk ended early; the packets before it are sound.
	Err error
}

// Next returns the next packet; false at the end, or when Err says what is wrong.
func (c *Compound) Next() (Control, bool) {
	b := c.Rest
	if len(b) == 0 || c.Err != nil {
		return Control{}, false
	}
	if len(b) < 4 {
		c.Err = ErrShort
		return Control{}, false
	}
	if b[0]>>6 != 2 {
		c.Err = ErrVersion
		return Control{}, false
	}
	size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
	if len(b) < size {
		c.Err = ErrShort
		return Control{}, false
	}
	end := size
	if b[0]&0x20 != 0 {
		n := int(b[size-1])
		// RFC 3550 §6.4.1 allows it at the datagram's end only, and in whole words. Chromium pads transport-wide feedback by 1 to 3
		// bytes, wherever it stands.
		if n == 0 || n > size-4 {
			c.Err = ErrPadding
			return Control{}, false
		}
		end -= n
	}
	c.Rest = b[size:]
	return Control{Body: b[4:end:end], Type: Type(b[1]), Count: b[0] & 0x1F}, true
}

// word returns the i-th 32-bit word of the body, 0 when there is none.
func (p *Control) word(i int) uint32 {
	if len(p.Body) < 4*i+4 {
		return 0
	}
	return binary.BigEndian.Uint32(p.Body[4*i:])
}

// Sender returns who sent the packet: the SSRC that most types begin with; false when there is none.
func (p *Control) Sender() (uint32, bool) {
	if len(p.Body) < 4 || p.Type == Descriptions || p.Type == Goodbye {
		return 0, false
	}
	return p.word(0), true
}

// Media returns which source feedback is about; 0 in REMB and FIR, which list theirs.
func (p *Control) Media() uint32 { return p.word(1) }

// Is reports whether it is feedback of this type and format, with both of its SSRCs (RFC 4585 §6.1).
func (p *Control) Is(t Type, format uint8) bool {
	return p.Type == t && p.Count == format && len(p.Body) >= 8
}

// Goodbyes returns how many sources leave, and Goodbye which one is the i-th (RFC 3550 §6.6).
func (p *Control) Goodbyes() int {
	if p.Type != Goodbye {
		return 0
	}
	return min(int(p.Count), len(p.Body)/4)
}

// Goodbye returns the i-th source that leaves, i < Goodbyes.
func (p *Control) Goodbye(i int) uint32 { return p.word(i) }
