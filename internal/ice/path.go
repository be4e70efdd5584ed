package ice

import (
	"slices"
	"time"
)

const (
	// aggressive is how long after the nomination of one path that of a worse one is taken for aggressive nomination
	// (RFC 5245 §8.1.1.2): Firefox nominates every path that it checks and then uses the best of them.
	aggressive = 500 * time.Millisecond
	// deserted is how long the selected path has been silent when a check on another says that the peer uses that one, without
	// having nominated it. Browsers check the path they use every 2.5 to 6 s.
	deserted = 8 * time.Second
	// moved is the same for a path that looks like the selected one behind a NAT that has given it another address: the peer
	// does not know that and has nothing to nominate.
	moved = 1500 * time.Millisecond
)

// pathState is a valid path: an authenticated check came from it.
type pathState struct {
	path     Path
	priority uint32    // of the peer's candidate as its last check says
	checked  time.Time // when its last check came
	// nominated is when its last check with USE-CANDIDATE came, and generation under which credentials; 0 before the first.
	nominated  time.Time
	generation int
}

// better reports whether a path is to be preferred when the peer nominates both at once.
func (p *pathState) better(than *pathState) bool {
	if (p.path.Via == 0) != (than.path.Via == 0) {
		return p.path.Via == 0
	}
	return p.priority > than.priority
}

// follows reports whether a path may be the same candidate of the peer behind a new address of its NAT.
func (p *pathState) follows(s *pathState) bool {
	return p.path.Via == 0 && s.path.Via == 0 && p.path.Local == s.path.Local && p.priority == s.priority
}

// paths are the valid paths, and which of them is selected.
type paths struct {
	all      []*pathState
	selected *pathState // nil when there are none
}

func (ps *paths) find(path Path) *pathState {
	for _, p := range ps.all {
		if p.path == path {
			return p
		}
	}
	return nil
}

// checked takes note of an authenticated check under the credentials of the generation.
func (ps *paths) checked(now time.Time, path Path, m *Message, generation int) Event {
	e := ps.expire(now)
	p := ps.find(path)
	if p == nil {
		p = ps.add(path)
		e |= Found
	}
	p.checked, p.priority = now, m.priority
	s := ps.selected
	choose := s == nil
	switch {
	case m.useCandidate:
		choose = choose || p != s && ps.nominates(now, p, generation)
		p.nominated, p.generation = now, generation
	case s == nil || p == s:
	case now.Sub(s.checked) >= moved && p.follows(s):
		choose = true
		p.nominated, p.generation = s.nominated, s.generation
	default:
		choose = now.Sub(s.checked) >= deserted
	}
	if choose {
		ps.selected = p
		e = e&^Lost | Selected
	}
	return e
}

// nominates reports whether the nomination of p takes the selection from another path: the last one wins, but for those that
// an aggressive peer sends along.
func (ps *paths) nominates(now time.Time, p *pathState, generation int) bool {
	s := ps.selected
	if s.generation != generation {
		return s.generation < generation
	}
	return now.Sub(s.nominated) >= aggressive || !s.better(p)
}

// add makes room for a path and adds it.
func (ps *paths) add(path Path) *pathState {
	if len(ps.all) >= MaxPaths {
		oldest := -1
		for i, p := range ps.all {
			if p != ps.selected && (oldest < 0 || p.checked.Before(ps.all[oldest].checked)) {
				oldest = i
			}
		}
		// Its memory is used again: a peer that comes from ever new ports allocates nothing.
		p := ps.all[oldest]
		*p = pathState{path: path}
		return p
	}
	p := &pathState{path: path}
	ps.all = append(ps.all, p)
	return p
}

// expire forgets the paths that have been silent for too long.
func (ps *paths) expire(now time.Time) Event {
	return ps.drop(func(p *pathState) bool { return now.Sub(p.checked) >= ConsentTime })
}

// drop forgets paths, and selects another when the selected one is among them.
func (ps *paths) drop(dead func(*pathState) bool) Event {
	ps.all = slices.DeleteFunc(ps.all, dead)
	if ps.selected == nil || slices.Contains(ps.all, ps.selected) {
		return 0
	}
	ps.selected = nil
	for _, p := range ps.all {
		if ps.selected == nil || p.livelier(ps.selected) {
			ps.selected = p
		}
	}
	if ps.selected == nil {
		return Lost
	}
	return Selected
}

// livelier reports whether a path is to take the place of one that has died: nominated last, else checked last.
func (p *pathState) livelier(than *pathState) bool {
	if p.generation != than.generation {
		return p.generation > than.generation
	}
	if !p.nominated.Equal(than.nominated) {
		return p.nominated.After(than.nominated)
	}
	return p.checked.After(than.checked)
}

// deadline returns when the first path expires.
func (ps *paths) deadline() time.Time {
	var first time.Time
	for _, p := range ps.all {
		if end := p.checked.Add(ConsentTime); first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first
}
