package bwe

import (
	"math"
	"testing"
	"time"
)

// FuzzEstimator reads bytes as what may happen to an estimator, the worst of receivers included.
func FuzzEstimator(f *testing.F) {
	f.Add([]byte{0, 10, 1, 5, 2, 8, 0, 100, 3, 1, 2, 200, 7, 7})
	f.Add([]byte("sent, heard, lost, and sent again while nobody listened"))
	for seed := range uint64(8) {
		r, b := chance(seed), make([]byte, 600)
		for i := range b {
			b[i] = byte(r.next())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		w := &world{t: t, now: begin, e: New(begin, Config{Floor: 50_000, Ceiling: 8_000_000}), p: NewPacer[int](begin, 16), a: NewArrivals(begin)}
		for len(script) >= 2 {
			w.step(script[0], script[1])
			script = script[2:]
		}
	})
}

type world struct {
	t      *testing.T
	now    time.Time
	e      *Estimator
	p      *Pacer[int]
	a      *Arrivals
	number uint16
	seed   chance
}

func (w *world) step(op, v byte) {
	e := w.e
	w.seed += chance(v)
	switch op % 12 {
	case 0:
		w.now = w.now.Add(time.Duration(v) * ms)
	case 1:
		w.now = w.now.Add(time.Duration(v) * time.Duration(v) * sec)
	case 2:
		for range v {
			e.Sent(w.now, w.number, int(w.seed.next()%1500), Kind(w.seed.next()%4))
			w.a.Add(w.now.Add(30*ms), w.number)
			w.number++
			w.now = w.now.Add(time.Duration(w.seed.next()%5) * ms)
		}
	case 3:
		e.Feedback(w.now, w.a.Report(w.now, nil))
	case 4: // lies about what was sent
		list := make([]Arrival, v)
		for i := range list {
			list[i] = Arrival{w.number - uint16(w.seed.next()%300), w.seed.next()%4 > 0, time.Duration(w.seed.next())}
		}
		e.Feedback(w.now, list)
	case 5: // and about what was not
		e.Feedback(w.now, []Arrival{{uint16(w.seed.next()), true, time.Duration(w.seed.next())}, {uint16(w.seed.next()), false, 0}})
	case 6:
		e.REMB(w.now, w.seed.next()>>(v%64))
	case 7:
		e.ReceiverReport(w.now, math.Float64frombits(w.seed.next()), time.Duration(w.seed.next()))
		e.ReceiverReport(w.now, float64(v)/255, time.Duration(v)*ms)
	case 8:
		e.Demand(w.now, int(int64(w.seed.next())>>(v%64)))
	case 9:
		if c, ok := e.Probe(w.now); ok {
			w.p.Probe(w.now, c)
			if c.Rate <= 0 || c.Bytes <= 0 || c.Packets <= 0 || c.Rate > 8_000_000 {
				w.t.Fatalf("a probe of %+v", c)
			}
		}
	case 10:
		w.number += uint16(v) << 4
		e.Sent(w.now, uint16(w.seed.next()), int(int64(w.seed.next())), Video)
	case 11:
		w.p.SetTarget(w.now, e.Target())
		w.p.Push(Kind(v%4), 1, int(v))
		w.p.Pop(w.now)
		if at, ok := w.p.Next(w.now); ok && at.Before(w.now) {
			w.t.Fatal("the pacer's next is past")
		}
	}
	e.Tick(w.now)
	target, estimate, s := e.Target(), e.Estimate(), e.Stats()
	if target < 50_000 || target > 8_000_000 || target > estimate {
		w.t.Fatalf("target %d, estimate %d", target, estimate)
	}
	for _, v := range []float64{e.rate.value, e.rate.drain, e.rate.capacity, e.loss.own, e.loss.lately, e.trend.threshold, e.trend.smooth, e.acked.rate(1), s.Loss} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			w.t.Fatalf("not a number: %+v", s)
		}
	}
}
