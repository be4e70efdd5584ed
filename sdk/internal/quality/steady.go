package quality

import "time"

// fall and rise are how long everything has to be worse, or better, before a level changes.
const (
	fall = 2500 * time.Millisecond
	rise = 6 * time.Second
)

// Steady is a level that does not flap: it falls when all looks of some seconds were worse, and rises, more slowly, when
// all were better. What is certain, such as a path that is lost, counts at once. The zero value knows nothing.
type Steady struct {
	known  bool
	level  int
	reason Reason
	// What contradicts the present level: which way, since when, and as far as every look agreed. way is meaningless
	// while since is zero.
	way   int
	since time.Time
	to    Verdict
}

// Level returns the level and its reason; known is false before the first look.
func (s *Steady) Level() (level int, reason Reason, known bool) { return s.level, s.reason, s.known }

// Take takes a look at a time that does not go back; true when the level or its reason changed. certain looks count at
// once.
func (s *Steady) Take(now time.Time, seen Verdict, certain bool) bool {
	if !s.known || certain {
		return s.set(seen)
	}
	way := 0
	switch {
	case seen.Level > s.level:
		way = 1
	case seen.Level < s.level:
		way = -1
	}
	if way == 0 && seen.Reason == s.reason {
		s.since = time.Time{}
		return false
	}
	if s.since.IsZero() || s.way != way {
		s.way, s.since, s.to = way, now, seen
	}
	patience := fall
	if way > 0 {
		patience = rise
		if seen.Level <= s.to.Level {
			s.to = seen
		}
	} else if seen.Level >= s.to.Level {
		s.to = seen
	}
	return now.Sub(s.since) >= patience && s.set(s.to)
}

func (s *Steady) set(v Verdict) bool {
	changed := !s.known || v.Level != s.level || v.Reason != s.reason
	s.known, s.level, s.reason, s.since = true, v.Level, v.Reason, time.Time{}
	return changed
}
