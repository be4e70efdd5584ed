package rtp

import "encoding/binary"

// fixedSize is the length of the fixed header (RFC 3550 §5.1).
const fixedSize = 12

// Header is what stands in front of a payload (RFC 3550 §5.1), with the bounds of its parts in the packet that it was read
// from. It holds no pointer, so it may be kept beside a stored packet.
type Header struct {
	Timestamp   uint32
	SSRC        uint32
	Sequence    uint16
	PayloadType uint8
	Marker      bool
	// Padded is the P bit: the last byte of the packet, once it is decrypted, counts the padding.
	Padded bool
	// CSRCs is how many contributing sources are listed, up to 15.
	CSRCs uint8
	// form is of which kind the extension block is.
	form form
	// Size is where the payload begins: the length of the header with sources and extensions, in bytes.
	Size uint16
	// extension is where the extension elements begin; they end at Size.
	extension uint16
	// End is where the payload ends and the padding begins. After ParseHeader it is the end of the packet.
	End uint16
}

// form is the kind of an extension block (RFC 8285 §4).
type form uint8

const (
	noForm form = iota
	oneByte
	twoByte
	foreign // some other profile's extension: passed over
)

const (
	oneByteProfile = 0xBEDE
	twoByteProfile = 0x1000 // the last four bits are the application's
)

// MaxPacket is the longest packet that is read, in bytes: what UDP carries.
const MaxPacket = 65535

// ParseHeader reads the header of a packet whose payload may still be encrypted; the padding is left alone.
func ParseHeader(pkt []byte) (Header, error) {
	var h Header
	if len(pkt) < fixedSize {
		return h, ErrShort
	}
	if len(pkt) > MaxPacket {
		return h, ErrMalformed
	}
	if pkt[0]>>6 != 2 {
		return h, ErrVersion
	}
	h.Padded = pkt[0]&0x20 != 0
	h.CSRCs = pkt[0] & 0x0F
	h.Marker = pkt[1]&0x80 != 0
	h.PayloadType = pkt[1] & 0x7F
	h.Sequence = binary.BigEndian.Uint16(pkt[2:4])
	h.Timestamp = binary.BigEndian.Uint32(pkt[4:8])
	h.SSRC = binary.BigEndian.Uint32(pkt[8:12])
	size := fixedSize + 4*int(h.CSRCs)
	if pkt[0]&0x10 != 0 {
		if len(pkt) < size+4 {
			return h, ErrShort
		}
		h.form = formOf(binary.BigEndian.Uint16(pkt[size:]))
		h.extension = uint16(size + 4)
		size += 4 + 4*int(binary.BigEndian.Uint16(pkt[size+2:]))
	}
	if len(pkt) < size {
		return h, ErrShort
	}
	h.Size, h.End = uint16(size), uint16(len(pkt))
	return h, nil
}

// Parse reads the header of a packet in clear and takes its padding off: End is then where the payload ends.
func Parse(pkt []byte) (Header, error) {
	h, err := ParseHeader(pkt)
	if err != nil || !h.Padded {
		return h, err
	}
	n := int(pkt[len(pkt)-1])
	if n == 0 || len(pkt)-n < int(h.Size) {
		return h, ErrPadding
	}
	h.End -= uint16(n)
	return h, nil
}

func formOf(profile uint16) form {
	switch {
	case profile == oneByteProfile:
		return oneByte
	case profile&0xFFF0 == twoByteProfile:
		return twoByte
	}
	return foreign
}

// Payload returns the part of the packet that h bounds. pkt is the packet that h was read from.
func (h *Header) Payload(pkt []byte) []byte { return pkt[h.Size:h.End:h.End] }

// CSRC returns the i-th contributing source, i < CSRCs.
func (h *Header) CSRC(pkt []byte, i int) uint32 {
	return binary.BigEndian.Uint32(pkt[fixedSize+4*i : fixedSize+4*int(h.CSRCs)])
}
