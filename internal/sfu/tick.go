package sfu

import "time"

const (
	// busy and idle are how often the room is looked after, with and without packets.
	busy, idle = 20 * milli, 250 * milli
)

// Deadline says when Tick is to be called next; zero when that is never.
func (r *Room) Deadline() time.Time {
	if r.next == 0 || len(r.persons) == 0 {
		return time.Time{}
	}
	return r.epoch.Add(time.Duration(r.next - second))
}

// Tick does what is due: what waits leaves, feedback and reports are sent, the downlinks shared anew. Call it after each batch of
// packets too, when Deadline has passed.
func (r *Room) Tick(now time.Time) {
	t := r.pass(now)
	if r.next == 0 || t < r.next {
		return
	}
	r.next = 0
	period := idle
	for _, p := range r.persons {
		if p.active(t) {
			period = busy
		}
	}
	full := t-r.ticked >= busy
	if full {
		r.ticked = t
		r.look(t)
	}
	for _, p := range r.persons {
		if full {
			p.look(now, t)
		}
		p.ask(t)
		p.pump(t)
	}
	if len(r.persons) > 0 {
		r.wake(max(r.ticked+period, t+milli))
	}
}

// active reports whether something comes from the person or leaves to them.
func (p *Person) active(t int64) bool {
	if d := p.down.pacer; d != nil && (d.Len() > 0 || d.Probing() > 0) {
		return true
	}
	for _, src := range p.up.sources {
		for _, s := range src.streams {
			if s.begun && t-s.layers.heard < second {
				return true
			}
		}
	}
	return p.down.plan.rate > 0
}

// look does what concerns the room as a whole.
func (r *Room) look(t int64) {
	if t-r.stage.ranked >= ranking {
		r.stage.rank(r, t)
	}
	for _, p := range r.persons {
		for _, src := range p.up.sources {
			if src.kind != Video {
				continue
			}
			for _, s := range src.streams {
				s.measure(t)
			}
			src.listen(t)
			if r.dirty || src.asked.since != 0 {
				p.down.plan.ladder = src.askLayers(t, p.down.plan.ladder)
			}
		}
	}
	r.dirty = false
}

// look does what is due for one person.
func (p *Person) look(now time.Time, t int64) {
	d := &p.down
	p.feedback(now)
	p.reports(t)
	d.estimator.Tick(now)
	if d.pacer == nil {
		return
	}
	target := d.estimator.Target()
	d.pacer.SetTarget(now, target)
	d.pacer.Hold(now, d.estimator.Choked(now))
	if c, ok := d.estimator.Probe(now); ok && d.probing != nil {
		d.pacer.Probe(now, c)
	}
	if passed := t - d.plan.since; passed >= 200*milli {
		rate := int(d.plan.sent * 8 * 1000 / (passed / milli))
		d.plan.rate, d.plan.sent, d.plan.since = (d.plan.rate+rate)/2, 0, t
		switch {
		case target >= d.plan.rate*95/100:
			d.plan.short = 0
		case d.plan.short == 0:
			d.plan.short = t
		}
	}
	if t-d.plan.at >= allocation || d.estimator.Estimate() < d.plan.estimate*9/10 {
		p.allocate(t)
	}
	for _, pl := range d.places {
		if pl.source != nil && pl.section.Kind == Video {
			pl.chase(t)
		}
	}
}
