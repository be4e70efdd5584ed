package rtp

import "encoding/binary"

// REDBlock is one of the blocks that a packet with redundancy carries (RFC 2198 §3).
type REDBlock struct {
	// Data is the block; it points into the payload.
	Data []byte
	// Age is by how much its timestamp is before the packet's, in timestamp units, below 16384; 0 for the primary block.
	Age uint16
	// PayloadType is that of the block.
	PayloadType uint8
}

// MaxRED is how many blocks a packet may have; browsers send two or three.
const MaxRED = 32

// ReadRED appends the blocks of a payload to dst, as far as its capacity goes: the oldest first, as they are sent, the primary
// last. More blocks than there is room for are ErrRoom.
func ReadRED(dst []REDBlock, payload []byte) ([]REDBlock, error) {
	heads, redundant, err := redHeads(payload)
	if err != nil {
		return dst, err
	}
	if cap(dst)-len(dst) < redundant+1 {
		return dst, ErrRoom
	}
	at := heads
	for i := range redundant {
		head := binary.BigEndian.Uint32(payload[4*i:])
		n := int(head & 0x3FF)
		if len(payload) < at+n {
			return dst[:len(dst)-i], ErrShort
		}
		dst = append(dst, REDBlock{payload[at : at+n : at+n], uint16(head >> 10 & 0x3FFF), uint8(head >> 24 & 0x7F)})
		at += n
	}
	return append(dst, REDBlock{Data: payload[at:], PayloadType: payload[heads-1] & 0x7F}), nil
}

// REDPrimary returns the block that would have been sent without redundancy: what a receiver without RED gets.
func REDPrimary(payload []byte) (REDBlock, error) {
	heads, redundant, err := redHeads(payload)
	if err != nil {
		return REDBlock{}, err
	}
	at := heads
	for i := range redundant {
		at += int(binary.BigEndian.Uint32(payload[4*i:]) & 0x3FF)
	}
	if at > len(payload) {
		return REDBlock{}, ErrShort
	}
	return REDBlock{Data: payload[at:], PayloadType: payload[heads-1] & 0x7F}, nil
}

// redHeads returns where the heads of the blocks end and how many redundant ones there are.
func redHeads(payload []byte) (end, redundant int, err error) {
	for end < len(payload) && payload[end]&0x80 != 0 {
		end += 4
		redundant++
		if redundant >= MaxRED {
			return 0, 0, ErrMalformed
		}
	}
	if end >= len(payload) {
		return 0, 0, ErrShort
	}
	return end + 1, redundant, nil
}
