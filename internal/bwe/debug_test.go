package bwe

import (
	"os"
	"strconv"
	"testing"
	"time"
)

type spy struct {
	*Estimator
	t        *testing.T
	from, to time.Duration
	n        int
}

func (s *spy) Feedback(now time.Time, a []Arrival) {
	before := *s.Estimator
	s.Estimator.Feedback(now, a)
	e := s.Estimator
	at := now.Sub(begin)
	if at < s.from || at > s.to {
		return
	}
	s.t.Logf("%6.2f val %5.0f->%5.0f drain %.2f q %3d foreign %d usage %d slope %.4f thr %.1f acked %5.0f out %5.0f loss %.3f own %.3f try %v hold %v probe %v/%v next %.2f cap %.0f n=%d", at.Seconds(), before.rate.value/1000, e.rate.value/1000, e.rate.drain, e.queue.now/1000, e.queue.foreign/1000, e.trend.usage, e.trend.slope*240, e.trend.threshold, e.acked.rate(300000)/1000, e.out.rate(300000)/1000, e.loss.lately, e.loss.own, e.loss.trying, e.loss.hold, e.probe.active, e.probe.run.rate/1000, float64(e.probe.next-1e6)/1e6, e.rate.capacity/1000, len(a))
}

func TestDebug(t *testing.T) {
	name := os.Getenv("S")
	f, _ := strconv.ParseFloat(os.Getenv("FROM"), 64)
	to, _ := strconv.ParseFloat(os.Getenv("TO"), 64)
	for _, s := range scenarios {
		if s.name == name {
			s.path.length = time.Duration((to + .1) * 1e9)
			seed, _ := strconv.Atoi(os.Getenv("SEED"))
			s.path.run(uint64(seed), func(now time.Time, cfg Config) algorithm {
				return &spy{Estimator: New(now, cfg), t: t, from: time.Duration(f * 1e9), to: time.Duration(to * 1e9)}
			})
		}
	}
}
