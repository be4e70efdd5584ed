package rtp

import "encoding/binary"

// Fields is what the fixed header of a packet to be written says.
type Fields struct {
	Timestamp   uint32
	SSRC        uint32
	Sequence    uint16
	PayloadType uint8
	Marker      bool
}

// Writer appends one packet to a buffer: Begin, then extensions, then payload, then padding, in this order. It is meant to live
// on the stack.
//
//	w := rtp.Begin(slab, rtp.Fields{…})
//	w.Copy(rtp.AudioLevel, ids, &values, pkt)
//	w.Uint16(ids[rtp.TransportNumber], number)
//	w.Payload(h.Payload(pkt))
//	slab = w.Bytes()
type Writer struct {
	buf []byte
	// start is where the packet begins in buf, block where its extension block does, or would.
	start, block int
	form         form
	sealed       bool // the extension block is closed
}

// Begin appends the fixed header to dst.
func Begin(dst []byte, f Fields) Writer {
	w := Writer{buf: dst, start: len(dst)}
	second := f.PayloadType & 0x7F
	if f.Marker {
		second |= 0x80
	}
	w.buf = append(w.buf, 0x80, second)
	w.buf = binary.BigEndian.AppendUint16(w.buf, f.Sequence)
	w.buf = binary.BigEndian.AppendUint32(w.buf, f.Timestamp)
	w.buf = binary.BigEndian.AppendUint32(w.buf, f.SSRC)
	w.block = len(w.buf)
	return w
}

// Extension appends an element. With id 0, which stands for "not agreed on", it does nothing; nor with more than 255 bytes. The
// block is of the one-byte form for as long as that can hold everything: ids up to 14 and 1 to 16 bytes. The first element that
// does not fit turns the block into the two-byte form, which a receiver understands only if extmap-allow-mixed was agreed
// (RFC 8285 §6); see Fits.
func (w *Writer) Extension(id uint8, value []byte) {
	if id == 0 || len(value) > 255 || w.sealed {
		return
	}
	w.element(id, len(value))
	w.buf = append(w.buf, value...)
}

// Fits reports whether an element may stand in the one-byte form.
func Fits(id uint8, value []byte) bool { return id < 15 && len(value) >= 1 && len(value) <= 16 }

// Uint8 appends an element of one byte.
func (w *Writer) Uint8(id, v uint8) {
	if id == 0 || w.sealed {
		return
	}
	w.element(id, 1)
	w.buf = append(w.buf, v)
}

// Uint16 appends an element of two bytes.
func (w *Writer) Uint16(id uint8, v uint16) {
	if id == 0 || w.sealed {
		return
	}
	w.element(id, 2)
	w.buf = binary.BigEndian.AppendUint16(w.buf, v)
}

// Uint24 appends an element of three bytes.
func (w *Writer) Uint24(id uint8, v uint32) {
	if id == 0 || w.sealed {
		return
	}
	w.element(id, 3)
	w.buf = append(w.buf, byte(v>>16), byte(v>>8), byte(v))
}

// Copy appends what the packet says about the kind, under the receiver's id: nothing when the packet has none of it, or the
// receiver does not take it.
func (w *Writer) Copy(k Kind, ids *IDs, values *Values, pkt []byte) {
	if ids[k] != 0 && values[k].size != 0 {
		w.Extension(ids[k], values.Of(pkt, k))
	}
}

// element appends the head of an element of n bytes, and before the first one that of the block.
func (w *Writer) element(id uint8, n int) {
	if w.form == noForm {
		w.form = oneByte
		w.buf[w.start] |= 0x10
		w.buf = append(w.buf, oneByteProfile>>8, oneByteProfile&0xFF, 0, 0)
	}
	if w.form == oneByte {
		if id < 15 && n >= 1 && n <= 16 {
			w.buf = append(w.buf, id<<4|uint8(n-1))
			return
		}
		w.widen()
	}
	w.buf = append(w.buf, id, uint8(n))
}

// widen turns the elements so far into the two-byte form: each grows by a byte.
func (w *Writer) widen() {
	w.form = twoByte
	binary.BigEndian.PutUint16(w.buf[w.block:], twoByteProfile)
	for at := w.block + 4; at < len(w.buf); {
		id, n := w.buf[at]>>4, int(w.buf[at]&0x0F)+1
		w.buf = append(w.buf, 0)
		copy(w.buf[at+2:], w.buf[at+1:])
		w.buf[at], w.buf[at+1] = id, uint8(n)
		at += 2 + n
	}
}

// seal closes the extension block: fills its last word and writes its length.
func (w *Writer) seal() {
	if w.sealed {
		return
	}
	w.sealed = true
	if w.form == noForm {
		return
	}
	for (len(w.buf)-w.block)%4 != 0 {
		w.buf = append(w.buf, 0)
	}
	binary.BigEndian.PutUint16(w.buf[w.block+2:], uint16((len(w.buf)-w.block)/4-1))
}

// Payload appends payload. It may be called more than once, for instance first with a descriptor that was written anew. No
// extension can be added after it.
func (w *Writer) Payload(payload []byte) {
	w.seal()
	w.buf = append(w.buf, payload...)
}

// Original appends the sequence number that a retransmitted packet had (RFC 4588 §4); its payload follows.
func (w *Writer) Original(sequence uint16) {
	w.seal()
	w.buf = binary.BigEndian.AppendUint16(w.buf, sequence)
}

// Pad ends the packet with n bytes of padding, the count included; 0 is none. A packet of padding only is what a probe is made
// of.
func (w *Writer) Pad(n uint8) {
	w.seal()
	if n == 0 {
		return
	}
	w.buf[w.start] |= 0x20
	for i := uint8(1); i < n; i++ {
		w.buf = append(w.buf, 0)
	}
	w.buf = append(w.buf, n)
}

// HeaderSize closes the header and returns its length, in bytes: what SRTP authenticates but leaves in clear.
func (w *Writer) HeaderSize() int {
	w.seal()
	size := w.block - w.start
	if w.form != noForm {
		size += 4 + 4*int(binary.BigEndian.Uint16(w.buf[w.block+2:]))
	}
	return size
}

// Bytes returns the buffer that Begin was given, with the packet at its end.
func (w *Writer) Bytes() []byte {
	w.seal()
	return w.buf
}
