package turn

import "encoding/binary"

// MaxFrame is the longest frame that a [Splitter] takes, in bytes. Packets of WebRTC are a tenth of it.
const MaxFrame = 16 << 10

// Splitter cuts a TCP or TLS stream into STUN messages and ChannelData (RFC 8656 §3.1 and §12.5). The zero value is ready for
// use. Its memory grows with the bytes that came, not with the length that a header claims, up to MaxFrame.
//
//	n, err := conn.Read(s.Space())
//	s.Wrote(n)
//	for frame, err := s.Next(); frame != nil; frame, err = s.Next() { … }
type Splitter struct {
	buf        []byte
	start, end int
}

// Space returns where the next bytes of the stream are to be read into. It is never empty while Next returned no error.
func (s *Splitter) Space() []byte {
	if s.start > 0 {
		s.end = copy(s.buf, s.buf[s.start:s.end])
		s.start = 0
	}
	if s.end == len(s.buf) {
		grown := make([]byte, min(max(2048, 2*len(s.buf)), MaxFrame+3))
		copy(grown, s.buf[:s.end])
		s.buf = grown
	}
	return s.buf[s.end:]
}

// Wrote says that n bytes were read into Space.
func (s *Splitter) Wrote(n int) { s.end += n }

// Next returns the next whole frame, ChannelData without its padding; nil when more bytes are needed. The frame is valid until
// Space is called. ErrMalformed is final: the stream is to be closed.
func (s *Splitter) Next() ([]byte, error) {
	b := s.buf[s.start:s.end]
	if len(b) < frameSize {
		return nil, checkFirst(b)
	}
	if err := checkFirst(b); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint16(b[2:4]))
	frame, whole := frameSize+size, (frameSize+size+3)&^3
	if b[0] < 4 {
		frame, whole = headerSize+size, headerSize+size
		if size%4 != 0 || len(b) >= 8 && binary.BigEndian.Uint32(b[4:8]) != magicCookie {
			return nil, ErrMalformed
		}
	}
	if frame > MaxFrame {
		return nil, ErrMalformed
	}
	if len(b) < whole {
		return nil, nil
	}
	s.start += whole
	return b[:frame:frame], nil
}

// checkFirst looks at the first byte: below 4 a STUN message, 0x40-0x4F ChannelData (RFC 8656 §12, Table 4).
func checkFirst(b []byte) error {
	if len(b) == 0 || b[0] < 4 || b[0]&0xF0 == 0x40 {
		return nil
	}
	return ErrMalformed
}
