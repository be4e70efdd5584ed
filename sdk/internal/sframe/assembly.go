package sframe

import "slices"

const (
	// maxOpen is how many frames wait for packets that are missing, maxPieces how many packets wait in all: as many as a
	// large key frame, and what comes while one of its packets is sent again.
	maxOpen   = 64
	maxPieces = 2048
	// maxSpare is how many lists of frames that are over are kept for others.
	maxSpare = 4
)

// Piece is an RTP packet that carries a part of a frame.
type Piece[V any] struct {
	// Sequence and Timestamp are those of its header.
	Sequence  uint16
	Timestamp uint32
	// First and Last say that the frame begins, or ends, with it.
	First, Last bool
	// Value is whatever belongs to it.
	Value V
}

// Assembly gathers the packets of frames, which come in any order and one by one. The zero value is ready.
type Assembly[V any] struct {
	frames [][]Piece[V] // that are not complete, the oldest first, each in order
	pieces int
	spare  [][]Piece[V]
	one    [1]Piece[V]
}

// Take takes a packet and returns the frame that it completes, in order; nil while none is. What it returns is valid until
// the next call. Frames of which nothing more is to be expected are forgotten.
func (a *Assembly[V]) Take(p Piece[V]) []Piece[V] {
	if p.First && p.Last {
		a.one[0] = p
		return a.one[:]
	}
	at := slices.IndexFunc(a.frames, func(f []Piece[V]) bool { return f[0].Timestamp == p.Timestamp })
	if at < 0 {
		for len(a.frames) >= maxOpen || a.pieces >= maxPieces && len(a.frames) > 0 {
			a.forget(0)
		}
		var list []Piece[V]
		if n := len(a.spare); n > 0 {
			list, a.spare = a.spare[n-1], a.spare[:n-1]
		}
		a.frames = append(a.frames, list)
		at = len(a.frames) - 1
	}
	f := a.frames[at]
	where, twice := slices.BinarySearchFunc(f, p, func(x, y Piece[V]) int { return int(int16(x.Sequence - y.Sequence)) }) // the wrap is meant
	if twice {
		return nil
	}
	f = slices.Insert(f, where, p)
	a.frames[at] = f
	a.pieces++
	if whole(f) {
		a.forget(at)
		return f
	}
	if a.pieces > maxPieces { // one frame alone is larger than any
		a.forget(at)
	}
	return nil
}

// forget lets go of a frame. Its list is another one's from the next call on.
func (a *Assembly[V]) forget(at int) {
	f := a.frames[at]
	a.pieces -= len(f)
	if len(a.spare) < maxSpare {
		a.spare = append(a.spare, f[:0])
	}
	a.frames = slices.Delete(a.frames, at, at+1)
}

// whole reports whether nothing is missing of a frame.
func whole[V any](f []Piece[V]) bool {
	return f[0].First && f[len(f)-1].Last && int(f[len(f)-1].Sequence-f[0].Sequence) == len(f)-1
}
