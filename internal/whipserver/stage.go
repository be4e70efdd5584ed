package whipserver

import (
	"cmp"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
)

// holdTime is for how long whoever has the floor keeps it at least: a cough does not cut the picture.
const holdTime = 2 * time.Second

// stage decides what a player's places show. It is a value without a clock: screens first, then whoever has the floor, then the
// others by who spoke last and by their order. What is shown stays on its place for as long as it is among those.
type stage struct {
	only     string   // the seat that alone is shown, "" for the whole room
	pictures []string // places for pictures
	sounds   []string // places for sound
	people   map[string]signal.Seat
	speaking []string // now, the loudest first
	spoke    []string // whoever has had the floor, the last one first
	floor    string
	since    time.Time // when the floor was given
	shown    []sfu.Want
}

// maxSpoke is how many are remembered to have had the floor.
const maxSpoke = 64

// seat takes a seat as it is now, and leave its end.
func (s *stage) seat(x signal.Seat) {
	if s.people == nil {
		s.people = map[string]signal.Seat{}
	}
	if s.only == "" || s.only == x.ID {
		s.people[x.ID] = x
	}
}

func (s *stage) leave(seat string) { delete(s.people, seat) }

// speak takes who speaks.
func (s *stage) speak(all []sfu.Speaker) {
	s.speaking = s.speaking[:0]
	for _, x := range all {
		s.speaking = append(s.speaking, x.Seat)
	}
}

// give gives the floor to the loudest once whoever has it is silent. It returns when to look again, zero for when something
// changes.
func (s *stage) give(now time.Time) (again time.Time) {
	next := ""
	for _, seat := range s.speaking {
		if seat == s.floor {
			return time.Time{}
		}
		if _, there := s.people[seat]; there && next == "" {
			next = seat
		}
	}
	_, there := s.people[s.floor]
	switch until := s.since.Add(holdTime); {
	case next == "":
		return time.Time{}
	case there && now.Before(until):
		return until
	}
	s.floor, s.since = next, now
	s.spoke = slices.DeleteFunc(s.spoke, func(seat string) bool { return seat == next })
	s.spoke = slices.Insert(s.spoke, 0, next)
	s.spoke = s.spoke[:min(len(s.spoke), maxSpoke)]
	return time.Time{}
}

// ranked lists the pictures there are, the foremost first.
func (s *stage) ranked() []sfu.Want {
	people := make([]signal.Seat, 0, len(s.people))
	for _, x := range s.people {
		people = append(people, x)
	}
	turn := func(x signal.Seat) int {
		if i := slices.Index(s.spoke, x.ID); i >= 0 {
			return i
		}
		return maxSpoke
	}
	slices.SortFunc(people, func(a, b signal.Seat) int {
		return cmp.Or(cmp.Compare(turn(a), turn(b)), cmp.Compare(a.Order, b.Order))
	})
	var screens, cameras []sfu.Want
	for _, x := range people {
		if x.Media.Screen {
			screens = append(screens, sfu.Want{Seat: x.ID, Source: string(signal.SourceScreen)})
		}
		if x.Media.Camera {
			cameras = append(cameras, sfu.Want{Seat: x.ID, Source: string(signal.SourceCamera)})
		}
	}
	slices.SortStableFunc(screens, func(a, b sfu.Want) int { return -cmp.Compare(s.people[a.Seat].Order, s.people[b.Seat].Order) })
	return append(screens, cameras...)
}

// wants says what each place is to show now, and whether that is something else than the last time.
func (s *stage) wants(now time.Time) (wants []sfu.Want, changed bool, again time.Time) {
	again = s.give(now)
	chosen := s.ranked()
	chosen = chosen[:min(len(chosen), len(s.pictures))]
	on := make(map[string]sfu.Want, len(s.pictures))
	for _, w := range s.shown { // stays where it is
		at := slices.IndexFunc(chosen, func(c sfu.Want) bool { return c.Seat == w.Seat && c.Source == w.Source })
		if at >= 0 && slices.Contains(s.pictures, w.MID) {
			on[w.MID] = w
			chosen = slices.Delete(chosen, at, at+1)
		}
	}
	for _, mid := range s.pictures {
		w, ok := on[mid]
		if !ok && len(chosen) > 0 {
			w, ok, chosen = chosen[0], true, chosen[1:]
			w.MID = mid
		}
		if ok {
			wants = append(wants, w)
		}
	}
	wants = append(wants, s.heard()...)
	changed = !slices.Equal(wants, s.shown)
	s.shown = wants
	return wants, changed, again
}

// heard puts the places for sound onto the one seat that is wanted; those of a whole room are filled by the hub.
func (s *stage) heard() (wants []sfu.Want) {
	if s.only == "" {
		return nil
	}
	sources := []signal.Source{signal.SourceMicrophone, signal.SourceScreenAudio}
	if m := s.people[s.only].Media; m.ScreenAudio && !m.Microphone {
		slices.Reverse(sources)
	}
	for i, mid := range s.sounds {
		w := sfu.Want{MID: mid, Seat: s.only}
		if i < len(sources) {
			w.Source = string(sources[i])
		}
		wants = append(wants, w)
	}
	return wants
}
