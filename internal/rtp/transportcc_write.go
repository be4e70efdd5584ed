package rtp

import "encoding/binary"

// AppendTransportCC appends transport-wide feedback about as many of the arrivals as fit into limit bytes, and returns how many
// those are: the rest belongs into the next packet, with the next Count. arrivals are consecutive numbers, the missing ones
// among them with Received false; their own Sequence counts for the first only. Of t, Base, Statuses and Reference are found
// from them. n is 0, and nothing is appended, when none was received.
func AppendTransportCC(dst []byte, t TransportCC, arrivals []Arrival, limit int) (out []byte, n int) {
	arrivals = arrivals[:min(len(arrivals), 1<<16-1)]
	w := arrivalWriter{arrivals: arrivals}
	first := 0
	for first < len(arrivals) && !arrivals[first].Received {
		first++
	}
	if first == len(arrivals) {
		return dst, 0
	}
	reference := arrivals[first].At >> 8 // rounded down, also below 0
	w.begin = reference * referenceTicks
	start := len(dst)
	out, at := beginFeedback(dst, TransportFeedback, FormatTransportCC, t.Sender, t.Media)
	out = binary.BigEndian.AppendUint16(out, arrivals[0].Sequence)
	out = append(out, 0, 0, byte(reference>>16), byte(reference>>8), byte(reference), t.Count)
	// The chunks first, and with them what the differences will take.
	last, size := w.begin, len(out)-start
	for n < len(arrivals) {
		chunk, statuses, deltas, now := w.chunk(n, last)
		if statuses == 0 || size+2+deltas > limit-3 {
			break
		}
		out = binary.BigEndian.AppendUint16(out, chunk)
		size += 2 + deltas
		n += statuses
		last = now
	}
	if n <= first {
		return dst, 0
	}
	binary.BigEndian.PutUint16(out[start+14:], uint16(n))
	out = w.appendDeltas(out, n)
	return endControl(out, at), n
}

// arrivalWriter finds chunks for arrivals.
type arrivalWriter struct {
	arrivals []Arrival
	begin    int64
}

// symbol returns the status of the i-th arrival after a packet that arrived at last; false when the difference is too large for
// one packet.
func (w *arrivalWriter) symbol(i int, last int64) (symbol, bool) {
	a := &w.arrivals[i]
	if !a.Received {
		return notReceived, true
	}
	switch d := a.At - last; {
	case d >= 0 && d <= 255:
		return smallDelta, true
	case d == int64(int16(d)):
		return largeDelta, true
	}
	return reserved, false
}

// chunk returns the best chunk for the arrivals from i on, how many statuses it holds, how many bytes their differences take,
// and when the last of them arrived. It holds none when the next one cannot be written.
func (w *arrivalWriter) chunk(i int, last int64) (chunk uint16, statuses, deltas int, now int64) {
	run, s := w.run(i, last)
	if run == 0 {
		return 0, 0, 0, last
	}
	vector, statuses := w.vector(i, last)
	chunk = vector
	if run >= statuses || i+run == len(w.arrivals) {
		chunk, statuses = uint16(s)<<13|uint16(run), run
	}
	now = last
	for j := i; j < i+statuses; j++ {
		s, _ := w.symbol(j, now)
		deltas += int(s) // 0, 1 and 2 bytes
		if s != notReceived {
			now = w.arrivals[j].At
		}
	}
	return chunk, statuses, deltas, now
}

// run returns how many arrivals from i on have the same status, which one, at most what a run-length chunk holds.
func (w *arrivalWriter) run(i int, last int64) (n int, same symbol) {
	for j := i; j < len(w.arrivals) && n < 1<<13-1; j++ {
		s, ok := w.symbol(j, last)
		if !ok || n > 0 && s != same {
			break
		}
		same = s
		if s != notReceived {
			last = w.arrivals[j].At
		}
		n++
	}
	return n, same
}

// vector returns the vector chunk for the arrivals from i on, with one bit each if 14 of them, or all there are, need no more.
func (w *arrivalWriter) vector(i int, last int64) (chunk uint16, n int) {
	one, two, plain := uint16(0x8000), uint16(0xC000), 0
	counted := 0
	for j := i; j < len(w.arrivals) && counted < 14; j++ {
		s, ok := w.symbol(j, last)
		if !ok {
			break
		}
		if s != notReceived {
			last = w.arrivals[j].At
		}
		if counted < 7 {
			two |= uint16(s) << (12 - 2*counted)
		}
		if s != largeDelta && plain == counted {
			one |= uint16(s) << (13 - counted)
			plain++
		}
		counted++
	}
	// With fewer statuses than it has places, a chunk ends the packet; only the last one may.
	if plain == counted || plain == 14 {
		return one, plain
	}
	return two, min(7, counted)
}

// appendDeltas appends the differences of the first n arrivals.
func (w *arrivalWriter) appendDeltas(out []byte, n int) []byte {
	last := w.begin
	for i := range n {
		s, _ := w.symbol(i, last)
		switch s {
		case smallDelta:
			out = append(out, byte(w.arrivals[i].At-last))
		case largeDelta:
			out = binary.BigEndian.AppendUint16(out, uint16(w.arrivals[i].At-last))
		case notReceived, reserved:
			continue
		}
		last = w.arrivals[i].At
	}
	return out
}
