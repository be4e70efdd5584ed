package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

const (
	// loud is the level from which on somebody speaks, in dBov.
	loud = -50
	// pause is the silence that ends what somebody says, short what is too short to be told.
	pause = 1500 * time.Millisecond
	short = 300 * time.Millisecond
)

// level is how loud somebody is now, by the newest packet of theirs.
type level struct {
	name    string
	dbov    float64
	packets uint64 // so far: sound that stops leaves its last level behind
}

// ear makes a transcript of levels: who is how loud, from when to when.
type ear struct{ people map[string]*speech }

// speech is what one person says.
type speech struct {
	name        string
	packets     uint64
	began, last time.Time // zero while nothing is said
	loudest     float64
	sum         float64
	n           int
}

func newEar() *ear { return &ear{people: make(map[string]*speech)} }

// hear takes everybody's level and returns a line for each person who has just finished, in the order of their beginnings.
func (e *ear) hear(now time.Time, levels map[string]level) (lines []string) {
	for id, l := range levels {
		s := e.people[id]
		if s == nil {
			s = &speech{}
			e.people[id] = s
		}
		s.name = l.name
		if l.packets != s.packets && l.dbov >= loud {
			s.add(now, l.dbov)
		}
		s.packets = l.packets
	}
	var over []*speech
	for _, id := range slices.Sorted(maps.Keys(e.people)) {
		s := e.people[id]
		_, here := levels[id]
		if !s.began.IsZero() && (!here || now.Sub(s.last) >= pause) {
			over = append(over, s)
		}
		if !here {
			delete(e.people, id)
		}
	}
	slices.SortStableFunc(over, func(a, b *speech) int { return cmp.Compare(a.began.UnixNano(), b.began.UnixNano()) })
	for _, s := range over {
		if s.last.Sub(s.began) >= short {
			lines = append(lines, s.line())
		}
		*s = speech{name: s.name, packets: s.packets}
	}
	return lines
}

func (s *speech) add(now time.Time, dbov float64) {
	if s.began.IsZero() {
		s.began, s.loudest = now, math.Inf(-1)
	}
	s.last, s.loudest = now, max(s.loudest, dbov)
	s.sum += dbov
	s.n++
}

func (s *speech) line() string {
	return fmt.Sprintf("%s %s spoke for %.1f s, %.0f dBov on average, %.0f at the loudest",
		s.began.Format("15:04:05"), s.name, s.last.Sub(s.began).Seconds(), s.sum/float64(s.n), s.loudest)
}
