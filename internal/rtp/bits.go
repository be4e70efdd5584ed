package rtp

// bitReader reads big-endian bit fields. Past the end it gives zeros and remembers that in short.
type bitReader struct {
	b     []byte
	at    int // in bits
	short bool
}

// read returns the next n bits, n ≤ 32.
func (r *bitReader) read(n int) uint32 {
	if r.at+n > 8*len(r.b) {
		r.short = true
		r.at = 8 * len(r.b)
		return 0
	}
	var v uint64
	first, last := r.at>>3, (r.at+n+7)>>3
	for _, c := range r.b[first:last] {
		v = v<<8 | uint64(c)
	}
	r.at += n
	return uint32(v >> (8*last - r.at) & (1<<n - 1))
}

func (r *bitReader) flag() bool { return r.read(1) == 1 }

// even reads a number below n that was written with as few bits as it needs: ns(n) of the AV1 specification, §4.10.7.
func (r *bitReader) even(n uint32) uint32 {
	w := 0
	for x := n; x != 0; x >>= 1 {
		w++
	}
	m := uint32(1)<<w - n
	v := r.read(w - 1)
	if v < m {
		return v
	}
	return v<<1 - m + r.read(1)
}

// align goes on to the next whole byte.
func (r *bitReader) align() { r.at = (r.at + 7) &^ 7 }

// bitWriter appends bit fields to a buffer.
type bitWriter struct {
	buf  []byte
	free int // bits not used in the last byte
}

// write appends the n low bits of v, n ≤ 32.
func (w *bitWriter) write(v uint32, n int) {
	for n > 0 {
		if w.free == 0 {
			w.buf, w.free = append(w.buf, 0), 8
		}
		k := min(n, w.free)
		part := byte(v >> (n - k) & (1<<k - 1))
		w.buf[len(w.buf)-1] |= part << (w.free - k)
		w.free -= k
		n -= k
	}
}

// copy appends the bits of b from bit from to bit to.
func (w *bitWriter) copy(b []byte, from, to int) {
	r := bitReader{b: b, at: from}
	for r.at < to {
		n := min(32, to-r.at)
		w.write(r.read(n), n)
	}
}
