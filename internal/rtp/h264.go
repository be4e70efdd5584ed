package rtp

import "encoding/binary"

// H264Descriptor is what the NAL units in a packet tell (RFC 6184 §5).
type H264Descriptor struct {
	// Type is the NAL unit type: that of the packet's only unit, of the unit that a fragment is of, or of the first that an
	// aggregate holds.
	Type uint8
	// SPS, PPS and IDR say that a sequence or picture parameter set is in the packet, or that a slice of a key frame begins in it.
	SPS, PPS, IDR bool
	// First says that the first slice of a picture begins in it. It stands in the payload's first encoded bit.
	First bool
	// Begin and End say that the packet begins, or ends, with a unit's beginning or end: false for fragments in the middle.
	Begin, End bool
	// Reference says that other frames may need this one: nal_ref_idc is not 0.
	Reference bool
}

// NAL unit types (ITU-T H.264 table 7-1, RFC 6184 table 1).
const (
	nalSlice = 1
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
	nalAUD   = 9
	nalSTAPA = 24
	nalFUA   = 28
	nalFUB   = 29
)

// ReadH264 reads a single unit, an aggregate (STAP-A) or a fragment (FU-A, FU-B). The other forms, which need interleaving, are
// never agreed on; they are ErrMalformed.
func ReadH264(payload []byte) (H264Descriptor, error) {
	var d H264Descriptor
	if len(payload) < 1 {
		return d, ErrShort
	}
	switch kind := payload[0] & 0x1F; {
	case kind >= 1 && kind <= 23:
		d.Begin, d.End = true, true
		d.unit(payload[0], payload[1:])
	case kind == nalSTAPA:
		d.Begin, d.End = true, true
		if err := d.aggregate(payload[1:]); err != nil {
			return H264Descriptor{}, err
		}
	case kind == nalFUA || kind == nalFUB:
		if len(payload) < 2 {
			return d, ErrShort
		}
		head := payload[1]
		body := payload[2:]
		if kind == nalFUB { // two bytes of decoding order in front
			if len(body) < 2 {
				return d, ErrShort
			}
			body = body[2:]
		}
		d.Begin, d.End = head&0x80 != 0, head&0x40 != 0
		if d.Begin {
			d.unit(payload[0]&0x60|head&0x1F, body)
		} else {
			d.Type, d.Reference = head&0x1F, payload[0]&0x60 != 0
		}
	default:
		return d, ErrMalformed
	}
	return d, nil
}

// aggregate reads the units of a STAP-A.
func (d *H264Descriptor) aggregate(b []byte) error {
	if len(b) < 3 {
		return ErrShort
	}
	for len(b) > 0 {
		if len(b) < 2 {
			return ErrShort
		}
		n := int(binary.BigEndian.Uint16(b))
		if n == 0 {
			return ErrMalformed
		}
		if len(b) < 2+n {
			return ErrShort
		}
		d.unit(b[2], b[3:2+n])
		b = b[2+n:]
	}
	return nil
}

// unit notes what one NAL unit tells by its header and its first bit.
func (d *H264Descriptor) unit(header uint8, body []byte) {
	kind := header & 0x1F
	if d.Type == 0 {
		d.Type = kind
	}
	d.Reference = d.Reference || header&0x60 != 0
	switch kind {
	case nalSPS:
		d.SPS = true
	case nalPPS:
		d.PPS = true
	case nalIDR, nalSlice:
		d.IDR = d.IDR || kind == nalIDR
		// first_mb_in_slice is 0, which is a single 1 bit (ITU-T H.264 §7.3.3, §9.1).
		d.First = d.First || len(body) > 0 && body[0]&0x80 != 0
	}
}

func (d *H264Descriptor) frame(marker bool) Frame {
	key := d.SPS || d.IDR
	return Frame{
		Key: key, Start: d.SPS || d.First || d.Begin && d.Type == nalAUD, End: marker,
		Switch: key, Discardable: !d.Reference,
	}
}
