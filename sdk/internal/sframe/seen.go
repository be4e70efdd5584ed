package sframe

// Seen knows which numbers of a sender were there, so that nothing counts twice. It is bounded: what is far behind counts
// as seen. The zero value is not valid; see NewSeen.
type Seen struct {
	bits  []uint64
	next  uint64 // the greatest number + 1
	begun bool
}

// NewSeen makes one; size is how far behind the greatest number another one may come, a multiple of 64.
func NewSeen(size int) *Seen { return &Seen{bits: make([]uint64, size/64)} }

func (s *Seen) size() uint64 { return uint64(len(s.bits)) * 64 }

// Fresh reports whether a number is new. It does not count as seen before Add: what is not authentic shall not.
func (s *Seen) Fresh(n uint64) bool {
	if !s.begun || n >= s.next {
		return true
	}
	return s.next-1-n < s.size() && s.bits[n%s.size()/64]&(1<<(n%64)) == 0
}

// Add notes a number.
func (s *Seen) Add(n uint64) {
	size := s.size()
	switch {
	case !s.begun || n >= s.next && n-s.next+1 >= size:
		clear(s.bits)
	case n >= s.next:
		for i := s.next; i < n; i++ {
			s.bits[i%size/64] &^= 1 << (i % 64)
		}
	}
	if !s.begun || n >= s.next {
		s.next = n + 1 // a counter does not come to its end
	}
	s.begun = true
	s.bits[n%size/64] |= 1 << (n % 64)
}
