package bwe

import (
	"math/rand/v2"
	"testing"
	"time"
)

// flow is one of several receivers behind the same bottleneck.
type flow struct {
	e        *Estimator
	p        *Pacer[int]
	a        *Arrivals
	number   uint16
	coming   []arriving
	reports  []reporting
	carried  int
	pictures int
}

type arriving struct {
	at     time.Time
	number uint16
}

type reporting struct {
	at   time.Time
	list []Arrival
}

// TestShare puts three calls behind one bottleneck, each beginning 5 s after the one before, and prints what each gets.
func TestShare(t *testing.T) {
	const capacity, length = 6 * mbit, 60 * sec
	for seed := range uint64(min(seeds(t), 10)) {
		r := rand.New(rand.NewPCG(seed, 3))
		flows := make([]*flow, 3)
		free := begin // when the bottleneck has sent all it took
		var waits []float64
		for at := time.Duration(0); at < length; at += ms {
			now := begin.Add(at)
			for i := range flows {
				if flows[i] == nil {
					if at < time.Duration(i)*5*sec {
						continue
					}
					flows[i] = &flow{e: New(now, Config{}), p: NewPacer[int](now, 2048), a: NewArrivals(begin), number: uint16(r.Uint32()), pictures: r.IntN(33)}
				}
				flows[i].send(now, r, func(size int) (time.Time, bool) {
					if free.Before(now) {
						free = now
					}
					wait := free.Sub(now)
					if wait > 300*ms {
						return now, false
					}
					free = free.Add(time.Duration(float64(size*8) / capacity * float64(sec)))
					if at > 30*sec {
						flows[i].carried += size
						waits = append(waits, wait.Seconds())
					}
					return free.Add(20 * ms), true
				})
				flows[i].receive(now)
			}
		}
		var sum, squares float64
		var shares []float64
		for _, f := range flows {
			v := float64(f.carried*8) / 30
			shares = append(shares, v/mbit)
			sum, squares = sum+v, squares+v*v
		}
		fair := sum * sum / (3 * squares)
		t.Logf("seed %d: %.2f Mbit/s of 6, used %.0f %%, fairness %.2f (1 is equal), queue p95 %.0f ms", seed, shares, 100*sum/capacity, fair, 1000*share(waits, 0.95))
		if fair < 0.6 || sum < 0.8*capacity {
			t.Errorf("seed %d: unfair, or wasteful", seed)
		}
	}
}

func (f *flow) send(now time.Time, r *rand.Rand, bottleneck func(size int) (time.Time, bool)) {
	leave := func(size int, kind Kind) {
		f.e.Sent(now, f.number, size, kind)
		if at, ok := bottleneck(size); ok {
			f.coming = append(f.coming, arriving{at, f.number})
		}
		f.number++
	}
	f.e.Tick(now)
	f.p.SetTarget(now, f.e.Target())
	step := int(now.Sub(begin)/ms) + f.pictures
	if step%33 == 0 {
		for left := int(float64(f.e.Target()) * 0.033 / 8 * (0.8 + 0.4*r.Float64())); left > 0; left -= 1100 {
			f.p.Push(Video, 0, min(left, 1100)+30)
		}
	}
	if c, ok := f.e.Probe(now); ok {
		f.p.Probe(now, c)
	}
	for f.p.Ready(now) {
		if w, ok := f.p.Pop(now); ok {
			leave(w.Size, Video)
		} else if f.p.Probing() > 0 {
			leave(280, Padding)
			f.p.Passed(now, 280)
		} else {
			return
		}
	}
}

func (f *flow) receive(now time.Time) {
	for len(f.coming) > 0 && !f.coming[0].at.After(now) {
		f.a.Add(f.coming[0].at, f.coming[0].number)
		f.coming = f.coming[1:]
	}
	if f.a.Due(now) {
		f.reports = append(f.reports, reporting{now.Add(20 * ms), f.a.Report(now, nil)})
	}
	for len(f.reports) > 0 && !f.reports[0].at.After(now) {
		f.e.Feedback(now, f.reports[0].list)
		f.reports = f.reports[1:]
	}
}
