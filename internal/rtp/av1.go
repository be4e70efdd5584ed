package rtp

// AV1Descriptor is the aggregation header of the AV1 RTP specification §4.4, and what the OBU headers behind it tell.
type AV1Descriptor struct {
	// Continued says that the first element goes on from the packet before (Z), Continues that the last one goes on in the next (Y).
	Continued, Continues bool
	// Elements is how many OBU elements there are, 0 when each has its length in front (W).
	Elements uint8
	// New says that a coded video sequence begins here (N): with a key frame and its sequence header.
	New bool
	// Sequence says that a sequence header is in the packet.
	Sequence bool
	// HasLayers says that an OBU's extension told the layers.
	HasLayers bool
	TID, SID  uint8
}

// OBU types (AV1 specification §6.2.2).
const obuSequenceHeader = 1

// maxElements is how many elements are looked at: more than a packet of a few OBUs has, so that a packet of empty ones costs
// nothing.
const maxElements = 16

// ReadAV1 reads the header, and the OBU headers that begin in this packet.
func ReadAV1(payload []byte) (AV1Descriptor, error) {
	var d AV1Descriptor
	if len(payload) < 2 {
		return d, ErrShort
	}
	first := payload[0]
	d.Continued, d.Continues = first&0x80 != 0, first&0x40 != 0
	d.Elements, d.New = first>>4&3, first&0x08 != 0
	if d.New && d.Continued {
		return AV1Descriptor{}, ErrMalformed
	}
	rest := payload[1:]
	for i := 1; len(rest) > 0 && i <= maxElements; i++ {
		n := len(rest)
		if d.Elements == 0 || i < int(d.Elements) {
			size, used := leb128(rest)
			if used == 0 || size > uint64(len(rest)-used) {
				return AV1Descriptor{}, ErrShort
			}
			rest, n = rest[used:], int(size)
		}
		if n > 0 && (i > 1 || !d.Continued) {
			d.unit(rest[:n])
		}
		rest = rest[n:]
		if i == int(d.Elements) {
			break
		}
	}
	return d, nil
}

// unit notes what one OBU's header tells (AV1 specification §5.3).
func (d *AV1Descriptor) unit(b []byte) {
	d.Sequence = d.Sequence || b[0]>>3&0x0F == obuSequenceHeader
	if b[0]&0x04 != 0 && len(b) > 1 && !d.HasLayers {
		d.HasLayers, d.TID, d.SID = true, b[1]>>5, b[1]>>3&3
	}
}

// leb128 reads a number of up to 8 bytes (AV1 specification §4.10.5); used is 0 when it does not end.
func leb128(b []byte) (v uint64, used int) {
	for i, c := range b[:min(8, len(b))] {
		v |= uint64(c&0x7F) << (7 * i)
		if c&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

func (d *AV1Descriptor) frame(marker bool) Frame {
	return Frame{
		Key: d.New, Start: !d.Continued, End: marker,
		Switch: d.New || d.HasLayers && d.TID == 0, Layered: d.HasLayers, Spatial: d.SID, Temporal: d.TID,
	}
}
