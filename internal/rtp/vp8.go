package rtp

import "encoding/binary"

// VP8Descriptor is the payload descriptor of RFC 7741 §4.2, and what stands behind it in a key frame.
type VP8Descriptor struct {
	// Size is the descriptor's length, in bytes.
	Size uint8
	// Partition is the index of the partition that the packet carries, 0 to 7; PartitionStart says that it begins here.
	Partition      uint8
	PartitionStart bool
	// NonReference says that the frame may be dropped without harm to others.
	NonReference bool
	// PictureBits is how wide the picture id is: 0 (none), 7 or 15.
	PictureBits uint8
	PictureID   uint16
	// HasTL0 says that TL0, the running number of the frames of the base layer, is there.
	HasTL0 bool
	TL0    uint8
	// HasTID says that the temporal layer and its sync bit are there. Sync: the frame needs only the base layer.
	HasTID bool
	TID    uint8
	Sync   bool
	// HasKeyIndex says that KeyIndex, the running number of key frames, is there.
	HasKeyIndex bool
	KeyIndex    uint8
	// Key says that a key frame begins here; Width and Height, in pixels, are then its size when enough of it is in the packet.
	Key           bool
	Width, Height uint16
}

// ReadVP8 reads the descriptor, and of a frame's beginning whether it is a key frame.
func ReadVP8(payload []byte) (VP8Descriptor, error) {
	var d VP8Descriptor
	if len(payload) < 1 {
		return d, ErrShort
	}
	first := payload[0]
	d.NonReference = first&0x20 != 0
	d.PartitionStart = first&0x10 != 0
	d.Partition = first & 0x07
	at := 1
	if first&0x80 != 0 {
		n, err := d.readExtended(payload)
		if err != nil {
			return VP8Descriptor{}, err
		}
		at = n
	}
	d.Size = uint8(at)
	rest := payload[at:]
	if !d.starts() {
		return d, nil
	}
	if len(rest) < 1 {
		return VP8Descriptor{}, ErrShort
	}
	d.Key = rest[0]&1 == 0
	if d.Key && len(rest) >= 10 && rest[3] == 0x9D && rest[4] == 0x01 && rest[5] == 0x2A { // RFC 6386 §9.1
		d.Width = binary.LittleEndian.Uint16(rest[6:]) & 0x3FFF
		d.Height = binary.LittleEndian.Uint16(rest[8:]) & 0x3FFF
	}
	return d, nil
}

// readExtended reads the fields after the first byte and returns where they end.
func (d *VP8Descriptor) readExtended(b []byte) (int, error) {
	if len(b) < 2 {
		return 0, ErrShort
	}
	has, at := b[1], 2
	if has&0x80 != 0 {
		if len(b) < at+1 {
			return 0, ErrShort
		}
		d.PictureBits, d.PictureID = 7, uint16(b[at])
		if b[at]&0x80 != 0 {
			if len(b) < at+2 {
				return 0, ErrShort
			}
			d.PictureBits, d.PictureID = 15, binary.BigEndian.Uint16(b[at:])&0x7FFF
			at++
		}
		at++
	}
	if has&0x40 != 0 {
		if len(b) < at+1 {
			return 0, ErrShort
		}
		d.HasTL0, d.TL0 = true, b[at]
		at++
	}
	d.HasTID, d.HasKeyIndex = has&0x20 != 0, has&0x10 != 0
	if has&0x30 != 0 {
		if len(b) < at+1 {
			return 0, ErrShort
		}
		if d.HasTID {
			d.TID, d.Sync = b[at]>>6, b[at]&0x20 != 0
		}
		if d.HasKeyIndex {
			d.KeyIndex = b[at] & 0x1F
		}
		at++
	}
	return at, nil
}

// starts reports whether the frame begins in this packet.
func (d *VP8Descriptor) starts() bool { return d.PartitionStart && d.Partition == 0 }

func (d *VP8Descriptor) frame(marker bool) Frame {
	return Frame{
		Key: d.Key, Start: d.starts(), End: marker, Discardable: d.NonReference,
		Switch:  d.Key || d.HasTID && (d.Sync || d.TID == 0),
		Layered: d.HasTID, Temporal: d.TID,
	}
}

// Renumber writes another picture id and TL0 into the descriptor that b begins with, as wide as they are; what is not there is
// not written. d is what ReadVP8 said of b, or of what b is a copy of.
func (d *VP8Descriptor) Renumber(b []byte, pictureID uint16, tl0 uint8) {
	at := 2
	switch d.PictureBits {
	case 7:
		b[at] = uint8(pictureID) & 0x7F
		at++
	case 15:
		binary.BigEndian.PutUint16(b[at:], pictureID|0x8000)
		at += 2
	}
	if d.HasTL0 {
		b[at] = tl0
	}
}

// Append writes the descriptor to dst, for when its fields are to be wider or other ones than those that came.
func (d *VP8Descriptor) Append(dst []byte) []byte {
	first, has := d.Partition&0x07, uint8(0)
	if d.NonReference {
		first |= 0x20
	}
	if d.PartitionStart {
		first |= 0x10
	}
	if d.PictureBits != 0 {
		has |= 0x80
	}
	if d.HasTL0 {
		has |= 0x40
	}
	if d.HasTID {
		has |= 0x20
	}
	if d.HasKeyIndex {
		has |= 0x10
	}
	if has == 0 {
		return append(dst, first)
	}
	dst = append(dst, first|0x80, has)
	switch d.PictureBits {
	case 0:
	case 7:
		dst = append(dst, uint8(d.PictureID)&0x7F)
	default:
		dst = binary.BigEndian.AppendUint16(dst, d.PictureID|0x8000)
	}
	if d.HasTL0 {
		dst = append(dst, d.TL0)
	}
	if has&0x30 != 0 {
		last := d.TID<<6 | d.KeyIndex&0x1F
		if d.Sync {
			last |= 0x20
		}
		dst = append(dst, last)
	}
	return dst
}
