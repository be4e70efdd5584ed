package bwe

import "time"

const (
	// window is how many numbers back the receiving side remembers.
	window = 1024
	// soonest and latest bound the time between two messages of feedback, and enough is how many packets make it worthwhile.
	soonest, latest = 50 * time.Millisecond, 100 * time.Millisecond
	enough          = 40
)

// MostReported is how many packets one report tells of at most.
const MostReported = window

// Arrivals is the receiving side: what came when, by transport-wide number, until it is reported.
type Arrivals struct {
	times    [window]int64 // µs since the epoch, plus 1; 0 when it has not come
	epoch    time.Time
	newest   int64 // -1 for none
	from     int64 // the lowest number that is to be reported
	fresh    int   // came since the last report
	reported time.Time
}

// NewArrivals returns an empty record. now is the origin of the reported times.
func NewArrivals(now time.Time) *Arrivals {
	return &Arrivals{epoch: now, newest: -1, reported: now}
}

// Add notes that a packet arrived now.
func (a *Arrivals) Add(now time.Time, number uint16) {
	at := int64(now.Sub(a.epoch)/time.Microsecond) + 1
	if a.newest < 0 {
		a.newest = int64(number) + 1<<16
		a.from = a.newest
		a.note(a.newest, at)
		return
	}
	n := a.newest + int64(int16(number-uint16(a.newest)))
	switch {
	case n <= a.newest-window:
		return // too late to matter
	case n > a.newest:
		if n-a.newest >= window {
			a.times = [window]int64{}
			a.from = n
		} else {
			for i := a.newest + 1; i < n; i++ {
				a.times[i&(window-1)] = 0
			}
		}
		a.newest = n
		a.from = max(a.from, n-window+1)
	case a.times[n&(window-1)] != 0:
		return // twice
	default:
		a.from = min(a.from, n)
	}
	a.note(n, at)
}

func (a *Arrivals) note(n, at int64) {
	a.times[n&(window-1)] = max(at, 1)
	a.fresh++
}

// Due reports whether it is time to report: every 50 ms while much comes, else every 100 ms, and never without news.
func (a *Arrivals) Due(now time.Time) bool {
	if a.fresh == 0 {
		return false
	}
	since := now.Sub(a.reported)
	return since >= latest || since >= soonest && a.fresh >= enough
}

// Report appends to dst what there is to be reported, in the order of numbers without a gap, and takes it for reported: the
// packets since the last report, from the first that came late, each with whether it has arrived. Give dst room for
// MostReported and it does not allocate.
func (a *Arrivals) Report(now time.Time, dst []Arrival) []Arrival {
	if a.fresh == 0 {
		return dst
	}
	for n := a.from; n <= a.newest; n++ {
		at := a.times[n&(window-1)]
		r := Arrival{Number: uint16(n)}
		if at != 0 {
			r.Arrived, r.At = true, time.Duration(at-1)*time.Microsecond%Wrap
		}
		dst = append(dst, r)
	}
	a.from, a.fresh, a.reported = a.newest+1, 0, now
	return dst
}
