package sfu

import (
	"slices"

	"github.com/parley-rtc/parley/internal/rtp"
)

const (
	// ranking is how often the loudest are found.
	ranking = 200 * milli
	// loud is from which score on somebody speaks; scores are 127 less the level in -dBov.
	loud = 70
	// bonus is by how much others have to be louder than who is forwarded already.
	bonus = 6
	// unheard is the level of sound that does not tell it.
	unheard = 80
	// mostSpeakers is how many are told at once.
	mostSpeakers = 8
)

// speech is how loud a source has been.
type speech struct {
	score  float32
	heard  int64
	chosen bool
}

// stage is who is heard.
type stage struct {
	ranked   int64
	order    []*source
	chosen   []*source
	speakers []Speaker
	told     []Speaker
	changed  bool
}

// Speaker is somebody who speaks.
type Speaker struct {
	Seat, Source string
	// Level is how loud, lately: 0 is silence, 127 the loudest.
	Level int
}

// hear takes the level of a packet of sound: up fast, down slowly.
func (src *source) hear(t int64, k *slot, pkt []byte) {
	if k.is(empty) {
		return
	}
	score := float32(unheard)
	if l, ok := rtp.ReadLevel(k.values.Of(pkt, rtp.AudioLevel)); ok {
		score = float32(127 - l.Loudness)
	}
	sp := &src.speech
	if score > sp.score {
		sp.score += (score - sp.score) * 0.3
	} else {
		sp.score += (score - sp.score) * 0.03
	}
	sp.heard = t
}

// rank finds the loudest sources, and who speaks. Who was chosen stays so for as long as nobody is clearly louder.
func (st *stage) rank(r *Room, t int64) {
	st.ranked = t
	st.order = st.order[:0]
	for _, p := range r.persons {
		for _, src := range p.up.sources {
			if src.kind != Audio {
				continue
			}
			if t-src.speech.heard > 300*milli { // silent: muted, or nothing is sent for silence
				src.speech.score *= 0.8
			}
			st.order = append(st.order, src)
		}
	}
	slices.SortStableFunc(st.order, func(a, b *source) int { return int(b.rank() - a.rank()) })
	chosen := st.order[:min(len(st.order), r.cfg.Loudest)]
	for _, src := range st.chosen {
		src.speech.chosen = false
	}
	changed := false
	for _, src := range chosen {
		src.speech.chosen = true
		changed = changed || !slices.Contains(st.chosen, src)
	}
	st.chosen = append(st.chosen[:0], chosen...)
	for _, p := range r.persons {
		if changed || p.down.short {
			p.seatSounds(t)
		}
	}
	st.speakers = st.speakers[:0]
	for _, src := range chosen[:min(len(chosen), mostSpeakers)] {
		if src.speech.score >= loud {
			st.speakers = append(st.speakers, Speaker{src.person.seat, src.name, int(src.speech.score)})
		}
	}
	same := func(a, b Speaker) bool { return a.Seat == b.Seat && a.Source == b.Source }
	st.changed = !slices.EqualFunc(st.speakers, st.told, same)
}

func (src *source) rank() float32 {
	if src.speech.chosen {
		return src.speech.score + bonus
	}
	return src.speech.score
}

// forget drops a person's sources.
func (st *stage) forget(p *Person) {
	mine := func(src *source) bool { return src.person == p }
	st.order, st.chosen = slices.DeleteFunc(st.order, mine), slices.DeleteFunc(st.chosen, mine)
}

// seatSounds puts sources onto the places for sound: all of them while there are enough places, else the chosen ones, and of
// those the loudest. A place keeps what it plays for as long as that is to be heard.
func (p *Person) seatSounds(t int64) {
	places, others, chosen := 0, 0, 0
	for _, pl := range p.down.places {
		if pl.open() {
			places++
		}
	}
	for _, src := range p.room.stage.order {
		if src.person != p {
			others++
			if src.speech.chosen {
				chosen++
			}
		}
	}
	everybody := others <= places
	p.down.short = places < chosen
	for _, pl := range p.down.places {
		if src := pl.source; src != nil && pl.open() && !everybody && !src.speech.chosen {
			pl.show(t, nil)
		}
	}
	for _, src := range p.room.stage.order {
		if src.person == p || !everybody && !src.speech.chosen || p.plays(src) {
			continue
		}
		for _, pl := range p.down.places {
			if pl.open() && pl.source == nil {
				pl.show(t, src)
				break
			}
		}
	}
	for range places {
		if !p.down.short || !p.louder(t) {
			return
		}
	}
}

// louder gives the place of the quietest who is heard to the loudest who is chosen and not heard, if that is clearly louder.
func (p *Person) louder(t int64) bool {
	var quietest *place
	for _, pl := range p.down.places {
		if pl.open() && pl.source != nil && (quietest == nil || pl.source.speech.score < quietest.source.speech.score) {
			quietest = pl
		}
	}
	if quietest == nil {
		return false
	}
	var loudest *source
	for _, src := range p.room.stage.order {
		if src.person != p && src.speech.chosen && (loudest == nil || src.speech.score > loudest.speech.score) && !p.plays(src) {
			loudest = src
		}
	}
	if loudest == nil || loudest.speech.score <= quietest.source.speech.score+bonus {
		return false
	}
	quietest.show(t, loudest)
	return true
}

// open reports whether the room fills the place: it is for sound, and no want pins it to a source.
func (pl *place) open() bool { return pl.section.Kind == Audio && pl.want.Seat == "" }

func (p *Person) plays(src *source) bool {
	for _, pl := range p.down.places {
		if pl.source == src {
			return true
		}
	}
	return false
}
