package transfer

import "slices"

// ranges is a set of chunks as [from, to) pairs in order, with gaps between them.
type ranges [][2]uint32

// find returns the index of the first range that ends behind c.
func (r ranges) find(c uint32) int {
	i, _ := slices.BinarySearchFunc(r, c, func(p [2]uint32, c uint32) int {
		if p[1] > c {
			return 1
		}
		return -1
	})
	return i
}

func (r ranges) has(c uint32) bool {
	i := r.find(c)
	return i < len(r) && r[i][0] <= c
}

// next returns the first chunk from c on that is not in the set.
func (r ranges) next(c uint32) uint32 {
	if i := r.find(c); i < len(r) && r[i][0] <= c {
		return r[i][1]
	}
	return c
}

// count is the number of chunks in the set.
func (r ranges) count() (n uint32) {
	for _, p := range r {
		n += p[1] - p[0]
	}
	return n
}

func (r *ranges) add(c uint32) {
	i := r.find(c)
	if i < len(*r) && (*r)[i][0] <= c {
		return
	}
	before := i > 0 && (*r)[i-1][1] == c
	after := i < len(*r) && (*r)[i][0] == c+1
	switch {
	case before && after:
		(*r)[i-1][1] = (*r)[i][1]
		*r = slices.Delete(*r, i, i+1)
	case before:
		(*r)[i-1][1]++
	case after:
		(*r)[i][0]--
	default:
		*r = slices.Insert(*r, i, [2]uint32{c, c + 1})
	}
}

// valid reports whether the set is well formed and below limit.
func (r ranges) valid(limit uint32) bool {
	end := uint32(0)
	for i, p := range r {
		if p[0] >= p[1] || p[1] > limit || i > 0 && p[0] <= end {
			return false
		}
		end = p[1]
	}
	return true
}
