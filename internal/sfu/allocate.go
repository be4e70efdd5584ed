package sfu

import "slices"

// highest is above all layers.
const highest = 7

// rung is one way to show a source: a stream and the layers of it.
type rung struct {
	stream            *stream
	spatial, temporal uint8
	rate              int // bit/s
	width, height     int
}

// plan is how a downlink is shared among its places.
type plan struct {
	order  []*place
	want   []int // index of the desired rung
	ladder []rung
	chosen []rung

	sent, since int64 // bytes sent since
	rate        int   // bit/s, lately
	short       int64 // since when Target has been below it
	at          int64
	estimate    int // what was shared, bit/s
}

const (
	// allocation is how often the downlink is shared anew.
	allocation = 100 * milli
	// climb is how long after stepping down a place may step up again.
	climb = 2 * second
	// soundRate is what is put by for each place of sound.
	soundRate = 45_000
)

// ladder appends the ways to show a source, the cheapest first; with those of streams that are not sent only if all is true.
func (src *source) ladder(dst []rung, t int64, all bool) []rung {
	for _, s := range src.streams {
		if all || s.alive(t) {
			dst = s.rungs(dst)
		}
	}
	return dst
}

// rungs appends the ways to show a stream. Fewer frames are a choice only for the smallest picture.
func (s *stream) rungs(dst []rung) []rung {
	l := &s.layers
	before := len(dst)
	if l.structure == nil {
		for spatial := range l.spatial + 1 {
			from := l.temporal
			if spatial == 0 && s.index == 0 {
				from = 0
			}
			for temporal := from; temporal <= l.temporal; temporal++ {
				dst = append(dst, s.rung(spatial, temporal, l.rates[spatial<<2|temporal]))
			}
		}
		return dst
	}
	st := l.structure
	for spatial := range l.spatial + 1 {
		for temporal := range l.temporal + 1 {
			if temporal < l.temporal && (spatial > 0 || s.index > 0) {
				continue
			}
			for i, target := range st.Target[:min(st.Targets, maxTargets)] {
				if target.Spatial == spatial && target.Temporal == temporal && l.active>>i&1 != 0 {
					dst = append(dst, s.rung(spatial, temporal, l.rates[i]))
					break // a structure may name a choice twice, a ladder may not
				}
			}
		}
	}
	if len(dst) == before { // the encoder says that it makes none
		dst = append(dst, s.rung(0, 0, 0))
	}
	return dst
}

// rung is one of them; what is not known of it is guessed.
func (s *stream) rung(spatial, temporal uint8, rate int) rung {
	l := &s.layers
	r := rung{stream: s, spatial: spatial, temporal: temporal, rate: rate, width: l.width, height: l.height}
	if r.width == 0 {
		r.width = 1280 >> (len(s.source.streams) - 1 - s.index)
		r.height = r.width * 9 / 16
	}
	if st := l.structure; st != nil && st.HasSizes && spatial < 4 {
		r.width, r.height = int(st.Sizes[spatial].Width), int(st.Sizes[spatial].Height)
	} else if spatial < l.spatial {
		r.width, r.height = r.width>>(l.spatial-spatial), r.height>>(l.spatial-spatial)
	}
	if r.rate == 0 {
		r.rate = max(min(r.width*r.height, 4096*2304)*9/5, 30_000)
		if s.begun && !l.measured { // encoders begin slowly
			r.rate = min(r.rate, 150_000<<(2*s.index))
		}
	}
	return r
}

// desired is the first rung that is large enough for the size at which the place is shown.
func (pl *place) desired(ladder []rung) int {
	longest := max(pl.want.Width, pl.want.Height)
	for i, r := range ladder {
		full := i+1 == len(ladder) || ladder[i+1].stream != r.stream || ladder[i+1].spatial != r.spatial
		if longest > 0 && full && max(r.width, r.height)*10 >= longest*9 {
			return i
		}
	}
	return len(ladder) - 1
}

// allocate shares the downlink among the places: first everybody the least, then step by step what is wanted, the largest places
// first. Who has stepped down waits before stepping up, and up needs some room to spare.
func (p *Person) allocate(t int64) {
	d := &p.down
	pn := &d.plan
	pn.at = t
	pn.order, pn.chosen, pn.want, pn.ladder = pn.order[:0], pn.chosen[:0], pn.want[:0], pn.ladder[:0]
	budget := d.estimator.Estimate()
	pn.estimate = budget
	if pn.short != 0 && t-pn.short > 600*milli {
		budget = min(budget, d.estimator.Target())
	}
	for _, pl := range d.places {
		switch {
		case pl.source == nil:
		case pl.section.Kind == Audio:
			budget -= soundRate
		case pl.want.Paused || !pl.able:
			pl.stream, pl.next, pl.rung = nil, nil, rung{}
		default:
			pn.order = append(pn.order, pl)
		}
	}
	slices.SortStableFunc(pn.order, func(a, b *place) int { return b.want.Width*b.want.Height - a.want.Width*a.want.Height })
	demand, sum := 0, 0
	for _, pl := range pn.order {
		pn.ladder = pl.source.ladder(pn.ladder[:0], t, true)
		demand += pn.ladder[max(pl.desired(pn.ladder), 0)].rate
		least := rung{}
		if pn.ladder = pl.source.ladder(pn.ladder[:0], t, false); len(pn.ladder) > 0 {
			least = pn.ladder[0]
		}
		sum += least.rate
		pn.chosen = append(pn.chosen, least)
	}
	d.estimator.Demand(p.room.now, (demand+soundRate)*11/10)
	sum = p.starve(sum, budget)
	for climbed := true; climbed; {
		climbed = false
		for i, pl := range pn.order {
			if pn.chosen[i].stream == nil || pl.starved {
				continue
			}
			pn.ladder = pl.source.ladder(pn.ladder[:0], t, false)
			if next, more, ok := pl.step(t, pn.ladder, pn.chosen[i], budget-sum, budget); ok {
				pn.chosen[i], climbed = next, true
				sum += more
			}
		}
	}
	for i, pl := range pn.order {
		pl.choose(t, pn.chosen[i])
	}
}

// step is the next rung up for a place, if it is wanted and there is room for it.
func (pl *place) step(t int64, ladder []rung, now rung, left, budget int) (rung, int, bool) {
	most := pl.desired(ladder)
	for i := range ladder {
		if !ladder[i].is(now) || i >= most {
			continue
		}
		next := ladder[i+1]
		for j := i + 2; j <= most && next.rate <= now.rate; j++ { // a larger picture may cost less, as long as it is still
			next = ladder[j]
		}
		more := next.rate - now.rate
		if !pl.reaches(next) { // above what is shown now
			left -= budget / 12
			if pl.pick.downed != 0 && t-pl.pick.downed < climb {
				return rung{}, 0, false
			}
		}
		return next, more, more <= left
	}
	return rung{}, 0, false
}

func (r rung) is(o rung) bool {
	return r.stream == o.stream && r.spatial == o.spatial && r.temporal == o.temporal
}

// reaches reports whether the place has been given at least the rung before.
func (pl *place) reaches(r rung) bool {
	was := pl.rung
	if was.stream == nil {
		return true
	}
	if was.stream != r.stream {
		return was.stream.index > r.stream.index
	}
	return was.spatial > r.spatial || was.spatial == r.spatial && was.temporal >= r.temporal
}

// starve pauses the last of the places for which there is not even room for the least, but never the first, and returns what the
// others cost.
func (p *Person) starve(sum, budget int) int {
	pn := &p.down.plan
	for i := len(pn.order) - 1; i >= 0; i-- {
		pl := pn.order[i]
		starved := false
		if i > 0 {
			limit := budget * 5 / 4 // the measure of the least is rough, and so is the estimate
			if pl.starved {
				limit = budget * 9 / 10
			}
			starved = sum > limit
		}
		if starved != pl.starved {
			pl.starved = starved
			p.room.changed(p)
		}
		if starved {
			sum -= pn.chosen[i].rate
			pn.chosen[i] = rung{}
		}
	}
	return sum
}

// choose puts a place on a rung: at once where the encoder allows it, else with the next key frame.
func (pl *place) choose(t int64, r rung) {
	if r.stream == nil {
		if pl.starved {
			pl.stream, pl.next, pl.rung = nil, nil, rung{}
		}
		return
	}
	if pl.rung.stream != nil && !pl.rung.is(r) {
		pl.person.room.dirty = true
		if pl.reaches(r) {
			pl.pick.downed = t
		} else {
			pl.pick.upped = t
		}
	}
	pl.rung = r
	if pl.stream == r.stream {
		pl.next = nil
		pl.pick.spatial, pl.pick.temporal = r.spatial, r.temporal
		return
	}
	if pl.stream != nil {
		pl.pick.temporal = highest
		if r.stream.index < pl.stream.index { // as little as possible until the smaller one begins
			pl.pick.temporal = 0
		}
	}
	if pl.next != r.stream {
		pl.next, pl.since = r.stream, t
		if !pl.enter(t, r.stream) {
			pl.seek(t, r.stream)
		}
	}
}

// seek asks for the key frame with which a stream is to begin: what shows nothing yet is the receiver's wish, another layer ours.
func (pl *place) seek(t int64, s *stream) {
	if pl.stream == nil {
		pl.plead(t, s, true)
	} else {
		pl.ask(t, s, false)
	}
}

// chase asks for a key frame where a layer is wanted that cannot be begun otherwise.
func (pl *place) chase(t int64) {
	if pl.next != nil && t-pl.since > unanswered {
		pl.seek(t, pl.next)
		return
	}
	s := pl.stream
	if pl.owed != 0 && s != nil {
		if s.key.have && s.key.at > pl.owed {
			pl.owed = 0
		} else {
			pl.plead(t, s, false)
		}
	}
	if s == nil || !pl.numbers.layers || pl.pick.spatial == pl.numbers.now.spatial || t-max(pl.pick.changed, s.key.sent) < second {
		return
	}
	if st := s.layers.structure; st != nil {
		if want := best(st, s.layers.active, pl.pick.spatial, pl.pick.temporal); want < 0 || st.Target[want].Spatial == pl.numbers.now.spatial {
			return
		}
	} else if min(pl.pick.spatial, s.layers.spatial) <= pl.numbers.now.spatial {
		return
	}
	pl.ask(t, s, false)
}
