package portserver

import "sync/atomic"

// What may wait between two loops: packets and bytes. At 50,000 packets a second it is 10 ms.
const (
	ringPackets = 512
	ringBytes   = 512 << 10
)

// ring passes packets from one loop to another: one writer, one reader, no lock. What the writer has put is not seen before it
// publishes, once for all of them.
type ring struct {
	packets [ringPackets]Packet // Data is in bytes
	ends    [ringPackets]uint64 // where Data ends; the writer's
	bytes   []byte

	// The writer's. Positions count up for ever; their remainder is the place.
	next, at uint64
	_        [64]byte // the indices below are on cache lines of their own
	tail     atomic.Uint64
	_        [56]byte
	head     atomic.Uint64
}

func newRing() *ring { return &ring{bytes: make([]byte, ringBytes)} }

// put copies a packet into the ring; false means that it is full.
func (r *ring) put(p *Packet, tag uint64) bool {
	head := r.head.Load()
	if r.next-head == ringPackets {
		return false
	}
	free := r.at // where the bytes end that nobody holds any more
	if r.next > head {
		free = 0
		if head > 0 {
			free = r.ends[(head-1)%ringPackets]
		}
	}
	n := uint64(len(p.Data))
	at := r.at
	if at%ringBytes+n > ringBytes { // it does not fit before the end
		at += ringBytes - at%ringBytes
	}
	if at+n-free > ringBytes {
		return false
	}
	place := at % ringBytes
	data := r.bytes[place : place+n : place+n]
	copy(data, p.Data)
	r.packets[r.next%ringPackets] = Packet{Src: p.Src, Local: p.Local, Data: data, Tag: tag, Kind: p.Kind}
	r.ends[r.next%ringPackets] = at + n
	r.next++
	r.at = at + n
	return true
}

// publish shows the reader what was put, and reports whether that is anything.
func (r *ring) publish() bool {
	if r.tail.Load() == r.next {
		return false
	}
	r.tail.Store(r.next)
	return true
}

// peek returns packets in their order, as many as lie in one piece. They are the reader's until it drops them.
func (r *ring) peek() []Packet {
	head, tail := r.head.Load(), r.tail.Load()
	first := head % ringPackets
	return r.packets[first : first+min(tail-head, ringPackets-first)]
}

// drop gives the first n packets of peek back to the writer.
func (r *ring) drop(n int) { r.head.Add(uint64(n)) }
