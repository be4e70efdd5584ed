package sfu

import "github.com/parley-rtc/parley/internal/rtp"

// marks is what was found out about a packet.
type marks uint16

const (
	empty     marks = 1 << iota // padding only
	starts                      // the (layer) frame begins
	ends                        // it ends
	begins                      // a decoder can begin here: the first packet of a key frame
	switches                    // one may take the frame's temporal layer from here on
	layered                     // the payload tells layers
	described                   // a dependency descriptor tells them
	attached                    // and brings its structure
)

// slot is a packet in a ring, with all that was found in it once for every receiver.
type slot struct {
	seq, at, pos int64
	indications  rtp.Indications
	header       rtp.Header
	values       rtp.Values
	number       uint16 // of the frame, by the dependency descriptor
	picture      uint16
	size         uint16
	marks        marks
	spatial      uint8
	temporal     uint8
	pictureBits  uint8
	tl0          uint8
	hasTL0       bool
	codec        rtp.Codec
}

func (k *slot) is(m marks) bool { return k.marks&m != 0 }

// ring keeps the last packets of a stream: a fixed number of slots, and their bytes one behind the other in a buffer that goes
// around. What is older than either has room for is forgotten.
type ring struct {
	slots []slot
	data  []byte
	head  int64 // bytes written so far, those skipped at the end included
}

// maxPacket is the longest packet that is taken: what a datagram on the way out has room for with another header and the tag.
const maxPacket = 1456

func newRing(slots, bytes int) ring {
	r := ring{slots: make([]slot, slots), data: make([]byte, bytes)}
	for i := range r.slots {
		r.slots[i].seq = -1
	}
	return r
}

// put stores a packet under its number, which is not older than what the slots reach back to.
func (r *ring) put(seq int64, pkt []byte) *slot {
	n := int64(len(r.data))
	if at := r.head % n; at+int64(len(pkt)) > n {
		r.head += n - at
	}
	k := &r.slots[seq&int64(len(r.slots)-1)]
	*k = slot{seq: seq, pos: r.head, size: uint16(len(pkt))}
	copy(r.data[r.head%n:], pkt)
	r.head += int64(len(pkt))
	return k
}

// get returns the packet with this number, nil when it is not there (any more).
func (r *ring) get(seq int64) *slot {
	if seq < 0 {
		return nil
	}
	k := &r.slots[seq&int64(len(r.slots)-1)]
	if k.seq != seq || r.head-k.pos > int64(len(r.data)) {
		return nil
	}
	return k
}

// near returns the packet whose number ends with these bits and is the nearest to newest.
func (r *ring) near(newest int64, bits uint16) *slot {
	return r.get(newest + int64(int16(bits-uint16(newest))))
}

// bytes returns the packet in a slot that get or put returned.
func (r *ring) bytes(k *slot) []byte {
	at := k.pos % int64(len(r.data))
	return r.data[at : at+int64(k.size) : at+int64(k.size)]
}

// resize gives the ring another buffer and moves what it has room for.
func (r *ring) resize(newest int64, bytes int) {
	old := *r
	*r = newRing(len(old.slots), bytes)
	for seq := max(newest-int64(len(old.slots))+1, 0); seq <= newest; seq++ {
		if k := old.get(seq); k != nil {
			moved := r.put(seq, old.bytes(k))
			pos := moved.pos
			*moved = *k
			moved.pos = pos
		}
	}
}
