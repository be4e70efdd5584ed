package rtp

// Elements walks the extension elements of a packet (RFC 8285 §4.2, §4.3).
//
//	for e := h.Elements(pkt); e.Next(); {
//		use(e.ID, e.Value)
//	}
type Elements struct {
	// Value is the element's data; it points into the packet.
	Value []byte
	// ID is the element's local identifier.
	ID   uint8
	form form
	rest []byte
}

// Elements returns a walk over the extension elements, empty when there are none of RFC 8285. pkt is the packet that h was read
// from.
func (h *Header) Elements(pkt []byte) Elements {
	if h.form != oneByte && h.form != twoByte {
		return Elements{}
	}
	return Elements{form: h.form, rest: pkt[h.extension:h.Size:h.Size]}
}

// Next goes to the next element. An element that is longer than the block ends the walk, as do, in the one-byte form, id 15 and
// id 0 with a length; those before it count (RFC 8285 §4.2).
func (e *Elements) Next() bool {
	for len(e.rest) > 0 {
		first := e.rest[0]
		if first == 0 { // padding; in the two-byte form, too, id 0 stands alone
			e.rest = e.rest[1:]
			continue
		}
		var start, n int
		if e.form == oneByte {
			if first>>4 == 15 || first>>4 == 0 {
				break
			}
			e.ID, start, n = first>>4, 1, int(first&0x0F)+1
		} else {
			if len(e.rest) < 2 {
				break
			}
			e.ID, start, n = first, 2, int(e.rest[1])
		}
		if len(e.rest) < start+n {
			break
		}
		e.Value, e.rest = e.rest[start:start+n:start+n], e.rest[start+n:]
		return true
	}
	e.rest, e.Value, e.ID = nil, nil, 0
	return false
}

// Extension returns the data of the first element with this id; nil when there is none. An element without data is empty, not
// nil.
func (h *Header) Extension(pkt []byte, id uint8) []byte {
	for e := h.Elements(pkt); e.Next(); {
		if e.ID == id {
			return e.Value
		}
	}
	return nil
}

// Values is where in a packet the extensions of each kind are, found in one walk, so that each receiver's copy costs no search.
// It holds no pointer and may be kept beside a stored packet.
type Values [Kinds]struct {
	at   uint16
	size uint8
}

// Locate notes where the elements of the kinds in t are. The first of a kind counts; empty ones are as good as none.
func (v *Values) Locate(h *Header, pkt []byte, t *Table) {
	*v = Values{}
	end := int(h.Size)
	for e := h.Elements(pkt); e.Next(); {
		if k := t[e.ID]; k != NoKind && v[k].size == 0 && len(e.Value) > 0 {
			v[k].at = uint16(end - len(e.rest) - len(e.Value))
			v[k].size = uint8(len(e.Value))
		}
	}
}

// Of returns the data of the kind in pkt; nil when the packet has none.
func (v *Values) Of(pkt []byte, k Kind) []byte {
	if v[k].size == 0 {
		return nil
	}
	end := int(v[k].at) + int(v[k].size)
	return pkt[v[k].at:end:end]
}
