package bwe

// Queue measures how long packets wait on the path: their delay above the least of the last 10 to 12 seconds. The least
// within about 100 ms counts, so jitter does not pass for a queue; clocks that differ by 1000 ppm are 12 ms wrong.

const (
	baseSlots = 6
	baseTime  = 2 * second
	unset     = int64(1) << 62
)

type queue struct {
	slots   [baseSlots]int64 // least delay of each 2 s
	slot    int64            // number of the present one
	recent  int64            // least of this report
	recents int
	latest  int64 // what this report alone says, µs
	grown   int64 // by how much more than the one before
	apart   int64 // and how much later
	prior   int64 // least of the reports before, of the last 100 ms
	priorAt int64
	now     int64 // the queue, µs
	foreign int64 // the part of it that is not ours
	seen    bool
}

func (q *queue) reset() {
	*q = queue{recent: unset, prior: unset}
	for i := range q.slots {
		q.slots[i] = unset
	}
}

// add takes the delay of a packet, by two clocks.
func (q *queue) add(delay int64) {
	q.recent = min(q.recent, delay)
	q.recents++
}

// report ends a report.
func (q *queue) report(t int64) {
	if q.recents == 0 {
		return
	}
	n := t / baseTime
	if n-q.slot > baseSlots {
		q.slot = n - baseSlots
	}
	for q.slot < n {
		q.slot++
		q.slots[q.slot%baseSlots] = unset
	}
	s := &q.slots[n%baseSlots]
	*s = min(*s, q.recent)
	base := unset
	for _, v := range q.slots {
		base = min(base, v)
	}
	least := q.recent
	if q.recents < 5 || t-q.priorAt < 60*milli {
		least = min(least, q.prior)
	}
	latest := q.recent - base
	q.grown, q.apart, q.latest = latest-q.latest, t-q.priorAt, latest
	q.prior, q.priorAt = q.recent, t
	q.recent, q.recents = unset, 0
	q.now = least - base
	q.foreign = min(q.foreign, q.now)
	q.seen = true
}

// steep reports whether the queue grew nearly as fast as time passed: the path carries a small part of what it did, and to wait for
// another report would fill it.
func (q *queue) steep() bool {
	return q.newest() > much/2 && q.grown > 3*little && 2*q.grown > q.apart && q.apart < 150*milli
}

// newest is the part of what the last report alone says that is ours, in µs.
func (q *queue) newest() int64 { return q.latest - q.foreign }

// own is the part of the queue that is ours, in µs.
func (q *queue) own() int64 { return q.now - q.foreign }

// disown says that the queue stays whatever is sent.
func (q *queue) disown() { q.foreign = q.now }
