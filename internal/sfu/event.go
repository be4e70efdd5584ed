package sfu

import "slices"

// Event is something that the room wants others to know: one of the types below.
type Event interface{ event() }

// Place is what a place shows.
type Place struct {
	MID, Seat, Source string
	State             State
}

// State is how a place fares.
type State uint8

// The states of a place.
const (
	// Empty says that nothing is to be shown, or that it is not there.
	Empty State = iota
	// Shown says that it is forwarded as soon as it comes.
	Shown
	// Paused says that the receiver wants nothing for now.
	Paused
	// Starved says that the downlink does not even carry the smallest picture beside the others.
	Starved
	// Unplayable says that the receiver understands none of the publisher's codecs.
	Unplayable
	// Silent says that the publisher has sent nothing for some seconds, though it is wanted.
	Silent
)

// PlacesChanged says what the places of a seat show now.
type PlacesChanged struct {
	Seat   string
	Places []Place
}

// Speakers says who speaks, the loudest first; nobody, when it is empty.
type Speakers struct{ Speakers []Speaker }

// Layers says which encodings of a source somebody wants: the publisher may stop the others. None is wanted when RIDs is empty.
type Layers struct {
	Seat, MID, Source string
	// RIDs are the wanted ones; a source without simulcast has the one that is called "".
	RIDs []string
	// Spatial is the highest wanted spatial layer, for a source with layers in one stream; 7 for all.
	Spatial int
}

// Policed says that a publisher sends more than is forwarded. It comes once in 10 s at most.
type Policed struct {
	Seat    string
	Packets uint64
}

func (PlacesChanged) event() {}
func (Speakers) event()      {}
func (Layers) event()        {}
func (Policed) event()       {}

// news is what is to be told about a person.
type news struct {
	places  bool
	policed uint64
	at      int64
}

// changed notes that what the person's places show is to be told.
func (r *Room) changed(p *Person) { p.news.places = true }

// Events hands over what has happened since the last call. There is one event for each thing that changed, with its last state,
// so that nothing piles up.
func (r *Room) Events(f func(Event)) {
	if r.stage.changed {
		r.stage.changed = false
		r.stage.told = append(r.stage.told[:0], r.stage.speakers...)
		f(Speakers{slices.Clone(r.stage.speakers)})
	}
	for _, p := range r.persons {
		if p.news.places {
			p.news.places = false
			f(PlacesChanged{p.seat, p.placesNow()})
		}
		if n := p.up.stats.Policed; n > p.news.policed && (p.news.at == 0 || r.t-p.news.at > 10*second) {
			p.news.policed, p.news.at = n, r.t
			f(Policed{p.seat, n})
		}
		for _, src := range p.up.sources {
			if a := &src.asked; src.kind == Video && a.known && (a.told != a.streams || a.said != a.spatial) {
				a.told, a.said = a.streams, a.spatial
				f(Layers{p.seat, src.mid, src.name, src.wanted(), int(a.spatial)})
			}
		}
	}
}

func (p *Person) placesNow() []Place {
	var all []Place
	for _, pl := range p.down.places {
		now := Place{MID: pl.section.MID}
		if src := pl.source; src != nil {
			now.Seat, now.Source, now.State = src.person.seat, src.name, Shown
			switch {
			case !pl.able:
				now.State = Unplayable
			case pl.want.Paused:
				now.State = Paused
			case pl.starved:
				now.State = Starved
			case src.silent:
				now.State = Silent
			}
		}
		all = append(all, now)
	}
	return all
}

func (src *source) wanted() []string {
	var rids []string
	for _, s := range src.streams {
		if src.asked.streams>>s.index&1 != 0 {
			rids = append(rids, s.rid)
		}
	}
	return rids
}

// patience before a publisher is told that less is wanted.
const relinquish = 3 * second

// askLayers finds out which encodings of the source somebody wants. More is told at once, less after a while.
func (src *source) askLayers(t int64, ladder []rung) []rung {
	streams, spatial := uint8(0), uint8(0)
	for _, pl := range src.subs {
		if pl.want.Paused || !pl.able {
			continue
		}
		ladder = src.ladder(ladder[:0], t, true)
		want := ladder[pl.desired(ladder)]
		streams |= 1 | 1<<want.stream.index
		spatial = max(spatial, want.spatial)
		if now := pl.rung.stream; now != nil && now.index < want.stream.index {
			streams |= 1<<now.index | 1<<(want.stream.index-1)
		}
	}
	a := &src.asked
	if !a.known { // until they are told otherwise, they send everything
		a.known, a.streams, a.told = true, 1<<len(src.streams)-1, 1<<len(src.streams)-1
		a.spatial, a.said = highest, highest
	}
	if a.streams|streams == a.streams && max(a.spatial, spatial) == a.spatial && (streams != a.streams || spatial != a.spatial) {
		if a.since == 0 {
			a.since = t
		}
		if t-a.since < relinquish {
			return ladder
		}
		a.streams, a.spatial, a.since = streams, spatial, 0
		return ladder
	}
	a.since = 0
	a.streams, a.spatial = a.streams|streams, max(a.spatial, spatial)
	return ladder
}
