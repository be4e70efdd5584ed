package bwe

import "math"

const (
	// heavy loss beyond the path's own is judged by a few packets, light by many.
	heavy, heavyPackets = 0.08, 40
	light, lightPackets = 0.02, 300
	// trial is how much of what arrived is sent for a trial.
	trial = 0.9
	// mostOwn is the largest loss that may pass for the path's own.
	mostOwn = 0.3
	// What was proved once is tried again after leastTrust, later after up to mostTrust.
	leastTrust, mostTrust = 8 * second, 60 * second
	// settling is how long it takes until less is sent after the target fell.
	settling = 150 * milli
	// reconsidering is how much later than a report another must come for what is missing in both to be lost. Receivers that read
	// their streams one by one report what they have not read yet as missing, and in the next report that it came.
	reconsidering = 40 * milli
)

// loss tells the loss that the path has always from the loss that we make. What is more than its own is put to trial: a
// little less is sent than arrived, and when as much is lost as before then that is how the path is.
type loss struct {
	short, long lossWindow
	lately, own float64
	hold        bool // more is lost than usual: no increase

	trying bool
	since  int64 // the trial counts what was sent later
	share  float64
	before float64
	sent   float64 // how much was sent when it began
	again  int     // times that it had to be lengthened
	proved int64   // when the path's own loss was last proved

	suspected bool  // so much is missing since a probe that no more is sent than before it, until that is settled
	trust     int64 // for how long that is believed
}

type lossWindow struct {
	lost, total int
	since       int64
}

func (w *lossWindow) share() float64 {
	return min(max(float64(w.lost)/float64(max(w.total, 1)), 0), 1)
}

// error is two standard deviations of the share.
func (w *lossWindow) error() float64 {
	p := min(max(w.share(), 0.02), 0.98)
	return 2 * math.Sqrt(p*(1-p)/float64(max(w.total, 1)))
}

func (l *loss) reset() { *l = loss{trust: leastTrust} }

// count takes what was said of a packet that was sent at sent.
func (l *loss) count(sent int64, lost, total int) {
	if l.trying && sent <= l.since {
		return
	}
	for _, w := range [...]*lossWindow{&l.short, &l.long} {
		if w.since == 0 {
			w.since = sent
		}
		w.lost += lost
		w.total += total
	}
}

// recount takes what was said later of a packet that was counted in the state before: pending, when nothing had been said of it.
func (l *loss) recount(sent int64, before uint8, came bool) {
	switch {
	case before == pending && came:
		l.count(sent, 0, 1)
	case before == pending:
		l.count(sent, 1, 1)
	case before == lost && came:
		l.count(sent, -1, 0)
	}
}

// settle counts what became of the packets that an earlier report has spoken of.
func (e *Estimator) settle(t int64) {
	h := &e.sent
	if t-h.noted < reconsidering {
		return
	}
	for n := max(h.settled+1, h.last-ring+1); n <= h.due; n++ {
		if p := h.find(n); p != nil && p.state != pending {
			e.loss.recount(t-int64(uint32(t)-p.sent), pending, p.state == arrived)
		}
	}
	h.settled = max(h.settled, h.due)
	h.due, h.noted = e.reported, t
}

// suspect looks at what is missing but not settled: right after a probe, waiting for that would lose as much again.
func (e *Estimator) suspect(t int64) {
	h, l := &e.sent, &e.loss
	l.suspected = false
	if !e.probe.fresh(t) {
		return
	}
	var w lossWindow
	for n := max(h.settled+1, h.last-ring+1); n <= e.reported; n++ {
		p := h.find(n)
		if p == nil || p.state == pending {
			continue
		}
		if w.total++; p.state != arrived {
			w.lost++
		}
	}
	l.suspected = w.total >= heavyPackets/4 && w.share() > l.own+heavy+w.error()
}

func (l *loss) restart() { l.short, l.long = lossWindow{}, lossWindow{} }

// judgeLoss begins and ends trials.
func (e *Estimator) judgeLoss(t int64) {
	l := &e.loss
	if l.trying {
		e.verdict(t)
		return
	}
	if w := &l.short; w.total >= heavyPackets && t-w.since > 300*milli || e.probe.fresh(t) && w.total >= heavyPackets/2 {
		share, margin := w.share(), w.error()
		l.lately += 0.5 * (share - l.lately)
		l.hold = share > l.own+light+margin/2
		*w = lossWindow{}
		if share > l.own+heavy+margin {
			e.try(t, share)
			return
		}
	}
	if w := &l.long; w.total >= lightPackets && t-w.since > second {
		share, margin := w.share(), w.error()
		*w = lossWindow{}
		switch {
		case share > l.own+light+margin && share < l.own+heavy && e.limited():
			l.hold = true // we hardly use the path: a trial would cost a picture, and prove little
		case share > l.own+light+margin, l.own > 2*light && t-l.proved > l.trust:
			e.try(t, share)
		case share < l.own:
			l.own = share
		}
	}
}

// try sends less than arrived, to see whether less is lost then.
func (e *Estimator) try(t int64, share float64) {
	l, r := &e.loss, &e.rate
	carried := e.acked.rate(500 * milli)
	next := min(r.value, trial*carried)
	if carried == 0 {
		next = r.value * (1 - share)
	}
	l.trying, l.since, l.share, l.before = true, t+settling, share, r.value
	l.sent, l.again = e.out.rate(500*milli), 0
	e.fell(t, r.value, next)
	r.value = next
	r.decreases++
	l.restart()
}

// verdict ends a trial once enough packets have told.
func (e *Estimator) verdict(t int64) {
	l, w := &e.loss, &e.loss.short
	enough := lightPackets
	if l.share > l.own+0.1 {
		enough = 2 * heavyPackets
	}
	if w.total < enough && (t-l.since < 3*second || w.total < 20) {
		if t-l.since > 10*second {
			l.trying = false
			l.restart()
		}
		return
	}
	share := w.share()
	l.lately = share
	// Were the path full, it would go on carrying what it did: so much would be lost now, and else as much as before.
	sent := e.out.rate(500 * milli)
	full := max(1-(1-l.share)*l.sent/max(sent, 1), 0)
	if share < (full+l.share)/2 {
		l.own = min(l.own, share)
		e.conclude()
		e.rate.learn(1.05 * e.rate.value)
		e.rate.policed = t
		return
	}
	if l.share-full < l.share/2 && l.again < 3 { // hardly less was sent yet: that proves nothing
		l.again++
		l.since = t
		l.restart()
		return
	}
	e.conclude()
	if l.trust = min(2*l.trust, mostTrust); t-l.proved > mostTrust || share > l.own+light {
		l.trust = leastTrust
	}
	l.proved = t
	l.own = min((share+l.share)/2, mostOwn)
	if share < mostOwn {
		e.rate.value = max(e.rate.value, l.before)
	}
}

// conclude ends a trial.
func (e *Estimator) conclude() {
	e.loss.trying, e.loss.hold = false, false
	e.loss.restart()
}
