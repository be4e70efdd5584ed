package rtp

import "encoding/binary"

// Tick is the unit of arrival times in transport-wide feedback: 250 µs, in nanoseconds.
const Tick = 250_000

// referenceTicks is how many ticks the unit of a reference time has: 64 ms.
const referenceTicks = 256

// Arrival is what transport-wide feedback says of one packet.
type Arrival struct {
	// At is when it arrived, in ticks of the receiver's clock; of no meaning when it was not Received. As read, it begins again
	// after 2^32 ticks (12 days) and may be negative; differences are what counts.
	At int64
	// Sequence is its transport-wide number.
	Sequence uint16
	Received bool
}

// TransportCC is the head of a transport-wide feedback packet (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
type TransportCC struct {
	// Sender is who sends the feedback, Media any of the sources that it is about.
	Sender, Media uint32
	// Base is the first number, Statuses how many there are from it on.
	Base, Statuses uint16
	// Reference is the time that the first arrival counts from, in 64 ms, 24 bits with sign.
	Reference int32
	// Count numbers the feedback packets, so that a lost one is noticed.
	Count uint8
}

// transportCCSize is the length of the head without the common first word.
const transportCCSize = 16

// ReadTransportCC appends what the packet says to dst, as far as its capacity goes. For more packets than there is room for it
// gives ErrRoom, which is a bound on what one datagram can cost: 13 bytes may claim 65535 packets. With an error nothing is
// appended.
func (p *Control) ReadTransportCC(dst []Arrival) (TransportCC, []Arrival, error) {
	if !p.Is(TransportFeedback, FormatTransportCC) || len(p.Body) < transportCCSize {
		return TransportCC{}, dst, ErrShort
	}
	last := p.word(3)
	t := TransportCC{
		Sender: p.word(0), Media: p.word(1), Base: uint16(p.word(2) >> 16), Statuses: uint16(p.word(2)),
		Reference: int32(last) >> 8, Count: uint8(last),
	}
	if cap(dst)-len(dst) < int(t.Statuses) {
		return t, dst, ErrRoom
	}
	deltas, err := chunksEnd(p.Body[transportCCSize:], int(t.Statuses))
	if err != nil {
		return t, dst, err
	}
	r := arrivalReader{
		chunks: p.Body[transportCCSize : transportCCSize+deltas], deltas: p.Body[transportCCSize+deltas:],
		at: int64(t.Reference) * referenceTicks,
	}
	out := dst
	for i := range t.Statuses {
		a, ok := r.next()
		if !ok {
			return t, dst, ErrShort
		}
		a.Sequence = t.Base + i
		out = append(out, a)
	}
	return t, out, nil
}

// symbol is the status of one packet (§3.1.1).
type symbol uint8

const (
	notReceived symbol = iota
	smallDelta         // received, the difference in one byte, 0 to 255
	largeDelta         // received, the difference in two bytes, with sign
	reserved
)

// chunksEnd returns where the status chunks for n packets end.
func chunksEnd(b []byte, n int) (int, error) {
	at := 0
	for n > 0 {
		if len(b) < at+2 {
			return 0, ErrShort
		}
		n -= chunkLen(binary.BigEndian.Uint16(b[at:]))
		at += 2
	}
	return at, nil
}

// chunkLen is how many statuses a chunk holds; a run may be of none.
func chunkLen(chunk uint16) int {
	switch chunk >> 14 {
	case 2:
		return 14
	case 3:
		return 7
	}
	return int(chunk & 0x1FFF)
}

// arrivalReader walks statuses and differences side by side.
type arrivalReader struct {
	chunks, deltas []byte
	at             int64
	chunk          uint16
	done, length   int // statuses of the chunk read so far, and how many it has
}

func (r *arrivalReader) next() (Arrival, bool) {
	for r.done == r.length { // chunksEnd saw that there are enough
		r.chunk, r.chunks = binary.BigEndian.Uint16(r.chunks), r.chunks[2:]
		r.done, r.length = 0, chunkLen(r.chunk)
	}
	var s symbol
	switch r.chunk >> 14 {
	case 2:
		s = symbol(r.chunk >> (13 - r.done) & 1)
	case 3:
		s = symbol(r.chunk >> (12 - 2*r.done) & 3)
	default:
		s = symbol(r.chunk >> 13 & 3)
	}
	r.done++
	switch s {
	case smallDelta:
		if len(r.deltas) < 1 {
			return Arrival{}, false
		}
		r.at += int64(r.deltas[0])
		r.deltas = r.deltas[1:]
	case largeDelta:
		if len(r.deltas) < 2 {
			return Arrival{}, false
		}
		r.at += int64(int16(binary.BigEndian.Uint16(r.deltas)))
		r.deltas = r.deltas[2:]
	default: // the reserved symbol says that it came, but not when
		return Arrival{}, true
	}
	return Arrival{At: r.at, Received: true}, true
}
