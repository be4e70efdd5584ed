package rtp

import "encoding/binary"

// VP9Descriptor is the payload descriptor of RFC 9628 §4.2.
type VP9Descriptor struct {
	// Size is the descriptor's length, in bytes.
	Size uint16
	// PictureBits is how wide the picture id is: 0 (none), 7 or 15.
	PictureBits uint8
	PictureID   uint16
	// Predicted says that the frame needs frames of other pictures (P).
	Predicted bool
	// Flexible says that the frame itself lists what it needs (F).
	Flexible bool
	// Begin and End say that the layer's frame begins or ends here.
	Begin, End bool
	// Unneeded says that no higher spatial layer needs this frame (Z).
	Unneeded bool
	// HasLayers says that the layer indices are there.
	HasLayers bool
	TID, SID  uint8
	// SwitchUp says that one may go up to a higher temporal layer here (U). Browsers set it in frames that need none of their own
	// temporal layer, as VP8's sync bit.
	SwitchUp bool
	// Dependent says that the frame needs the next lower spatial layer of this picture (D).
	Dependent bool
	// TL0 is the running number of the frames of the lowest temporal layer; there with layers and without Flexible.
	TL0 uint8
	// References is how many picture id differences are listed, up to 3, in Differences.
	References  uint8
	Differences [3]uint8
	// Layers is the number of spatial layers that the scalability structure tells, 0 when there is none; Sizes are theirs, in
	// pixels, when HasSizes.
	Layers   uint8
	HasSizes bool
	Sizes    [8]struct{ Width, Height uint16 }
}

// ReadVP9 reads the descriptor.
func ReadVP9(payload []byte) (VP9Descriptor, error) {
	var d VP9Descriptor
	if len(payload) < 1 {
		return d, ErrShort
	}
	first := payload[0]
	r := bitReader{b: payload, at: 8}
	d.Predicted, d.Flexible = first&0x40 != 0, first&0x10 != 0
	d.Begin, d.End, d.Unneeded = first&0x08 != 0, first&0x04 != 0, first&0x01 != 0
	if d.Flexible && first&0x80 == 0 {
		return VP9Descriptor{}, ErrMalformed
	}
	if first&0x80 != 0 {
		d.PictureBits = 7
		if r.flag() {
			d.PictureBits = 15
		}
		d.PictureID = uint16(r.read(int(d.PictureBits)))
	}
	if first&0x20 != 0 {
		d.HasLayers = true
		d.TID, d.SwitchUp = uint8(r.read(3)), r.flag()
		d.SID, d.Dependent = uint8(r.read(3)), r.flag()
		if !d.Flexible {
			d.TL0 = uint8(r.read(8))
		}
	}
	if d.Flexible && d.Predicted {
		for more := true; more; {
			if d.References == 3 {
				return VP9Descriptor{}, ErrMalformed
			}
			d.Differences[d.References] = uint8(r.read(7))
			d.References++
			more = r.flag()
		}
	}
	if first&0x02 != 0 {
		d.readStructure(&r)
	}
	if r.short {
		return VP9Descriptor{}, ErrShort
	}
	d.Size = uint16(r.at / 8)
	return d, nil
}

// readStructure reads the scalability structure; the groups of pictures are passed over.
func (d *VP9Descriptor) readStructure(r *bitReader) {
	d.Layers = uint8(r.read(3)) + 1
	d.HasSizes = r.flag()
	groups := r.flag()
	r.read(3)
	if d.HasSizes {
		for i := range d.Layers {
			d.Sizes[i].Width = uint16(r.read(16))
			d.Sizes[i].Height = uint16(r.read(16))
		}
	}
	if !groups {
		return
	}
	for range r.read(8) {
		r.read(4)
		references := r.read(2)
		r.read(2)
		for range references {
			r.read(8)
		}
	}
}

func (d *VP9Descriptor) frame() Frame {
	key := d.Begin && !d.Predicted && (d.SID == 0 || !d.Dependent)
	return Frame{
		Key: key, Start: d.Begin, End: d.End,
		Switch: key || d.SwitchUp || d.HasLayers && d.TID == 0, Layered: d.HasLayers, Spatial: d.SID, Temporal: d.TID,
	}
}

// Renumber writes another picture id and TL0 into the descriptor that b begins with, as VP8Descriptor.Renumber does.
func (d *VP9Descriptor) Renumber(b []byte, pictureID uint16, tl0 uint8) {
	at := 1
	switch d.PictureBits {
	case 7:
		b[at] = uint8(pictureID) & 0x7F
		at++
	case 15:
		binary.BigEndian.PutUint16(b[at:], pictureID|0x8000)
		at += 2
	}
	if d.HasLayers && !d.Flexible {
		b[at+1] = tl0
	}
}
