package pace

import (
	"math/rand/v2"
	"testing"
	"time"
)

// path is a bottleneck with a queue, in steps of a millisecond: what is over the queue's size or unlucky is lost and
// sent again a round trip later, as the transport below would.
type path struct {
	rate  float64       // bytes a second
	trip  time.Duration // without a queue
	queue float64       // its size in bytes
	loss  float64
	other func(now time.Duration) float64 // bytes a second of somebody who does not give way

	now    time.Duration
	waits  float64 // bytes in the queue
	acks   []arrival
	again  []arrival
	random *rand.Rand
	wrote  uint64
	acked  uint64
	spent  uint64
	lost   int
	all    int
}

type arrival struct {
	at    time.Duration
	bytes int
}

func (p *path) send(bytes int) {
	for bytes > 0 {
		n := min(bytes, packet)
		bytes -= n
		p.spent += uint64(n) * 108 / 100
		p.all++
		if p.waits+float64(n) > p.queue || p.random.Float64() < p.loss {
			p.lost++
			p.again = append(p.again, arrival{p.now + p.trip + time.Duration(p.waits/p.rate*1e9), n})
			continue
		}
		p.waits += float64(n)
		p.acks = append(p.acks, arrival{p.now + p.trip + time.Duration(p.waits/p.rate*1e9), n})
	}
}

// run transfers for a while with w and returns the rate in Mbit/s and the mean and largest queue delay of the last half.
func (p *path) run(w *Window, lasts time.Duration) (rate float64, mean, most time.Duration) {
	if p.random == nil {
		p.random = rand.New(rand.NewPCG(1, 2))
	}
	zero := time.Unix(1e9, 0)
	end, n, from := p.now+lasts, 0, uint64(0)
	for half := p.now + lasts/2; p.now < end; p.now += time.Millisecond {
		p.waits = max(0, p.waits-p.rate/1000)
		if p.other != nil {
			p.waits = min(p.queue, p.waits+p.other(p.now)/1000)
		}
		var later []arrival
		for _, a := range p.acks {
			if a.at <= p.now {
				p.acked += uint64(a.bytes)
			} else {
				later = append(later, a)
			}
		}
		p.acks = later
		lost := p.again
		p.again = nil
		for _, a := range lost {
			if a.at <= p.now {
				p.send(a.bytes)
			} else {
				p.again = append(p.again, a)
			}
		}
		for p.now%(4*time.Millisecond) == 0 {
			limit := w.Limit(zero.Add(p.now), p.wrote, p.acked, func() uint64 { return p.spent })
			if limit == 0 {
				break
			}
			p.send(limit)
			p.wrote += uint64(limit)
			w.Wrote(zero.Add(p.now), p.wrote)
		}
		if p.now == half {
			from = p.acked
		}
		if p.now > half {
			delay := time.Duration(p.waits / p.rate * 1e9)
			mean, most, n = mean+delay, max(most, delay), n+1
		}
	}
	return float64(p.acked-from) * 8 / 1e6 / (lasts / 2).Seconds(), mean / time.Duration(n), most
}

func mbit(n float64) float64 { return n * 1e6 / 8 }

func TestFillsPathsAndKeepsTheirQueuesShort(t *testing.T) {
	for _, tt := range []struct {
		name  string
		path  path
		least float64 // Mbit/s
	}{
		{"long and lossy", path{rate: mbit(50), trip: 80 * time.Millisecond, queue: 1 << 20, loss: 0.005}, 40},
		{"very lossy", path{rate: mbit(50), trip: 80 * time.Millisecond, queue: 1 << 20, loss: 0.03}, 35},
		{"home upload", path{rate: mbit(5), trip: 30 * time.Millisecond, queue: mbit(5) / 10}, 4},
		{"bufferbloat", path{rate: mbit(5), trip: 30 * time.Millisecond, queue: mbit(5)}, 4},
		{"near and fast", path{rate: mbit(200), trip: 4 * time.Millisecond, queue: 1 << 20}, 150},
		{"satellite", path{rate: mbit(20), trip: 600 * time.Millisecond, queue: 1 << 20}, 12},
		{"no queue to speak of", path{rate: mbit(10), trip: 40 * time.Millisecond, queue: mbit(10) / 80}, 6},
		{"a trickle", path{rate: mbit(0.5), trip: 50 * time.Millisecond, queue: mbit(0.5) / 2}, 0.35},
	} {
		rate, mean, most := tt.path.run(New(), 60*time.Second)
		t.Logf("%-16s %.1f Mbit/s, queue %v on average, %v at most", tt.name, rate, mean.Round(time.Millisecond), most.Round(time.Millisecond))
		if share := float64(tt.path.lost) / float64(tt.path.all); share > 0.15 {
			t.Errorf("%s: %.0f %% were lost", tt.name, 100*share)
		}
		if rate < tt.least {
			t.Errorf("%s: %.1f Mbit/s, want %v", tt.name, rate, tt.least)
		}
		if limit := max(2*Target, time.Duration(3*smallest/tt.path.rate*1e9)) + tt.path.trip/20; mean > limit {
			t.Errorf("%s: a queue of %v", tt.name, mean)
		}
	}
}

func TestGivesWayAndComesBack(t *testing.T) {
	p := path{rate: mbit(10), trip: 40 * time.Millisecond, queue: mbit(10) / 5}
	p.other = func(now time.Duration) float64 {
		if now > 20*time.Second && now < 40*time.Second {
			return mbit(7)
		}
		return 0
	}
	w := New()
	before, _, _ := p.run(w, 20*time.Second)
	during, queue, _ := p.run(w, 20*time.Second)
	after, _, _ := p.run(w, 20*time.Second)
	t.Logf("%.1f, beside 7 Mbit/s %.1f with a queue of %v, then %.1f Mbit/s", before, during, queue, after)
	if before < 8 || during > 3.2 || during < 1.5 || queue > 2*Target || after < 8 {
		t.Error("it does not share")
	}
}

func TestALongerPathIsLearnt(t *testing.T) {
	p := path{rate: mbit(20), trip: 20 * time.Millisecond, queue: mbit(20) / 5}
	w := New()
	p.run(w, 20*time.Second)
	p.trip = 150 * time.Millisecond
	p.run(w, 2*memory)
	if rate, _, _ := p.run(w, 20*time.Second); rate < 14 {
		t.Errorf("%.1f Mbit/s on a path that became longer", rate)
	}
}

func TestNothingOnTheWayMaySend(t *testing.T) {
	w := New()
	now := time.Unix(1e9, 0)
	if w.Limit(now, 0, 0, nil) <= 0 {
		t.Error("nothing may be sent at first")
	}
	w.Wrote(now, 1<<20)
	if w.Limit(now, 1<<20, 0, nil) != 0 {
		t.Error("more than the window may be on the way")
	}
	if w.Limit(now.Add(time.Hour), 1<<20, 1<<20, nil) <= 0 {
		t.Error("nothing may be sent after a pause")
	}
}

func TestStuck(t *testing.T) {
	p := path{rate: mbit(20), trip: 80 * time.Millisecond, queue: mbit(20) / 10}
	w := New()
	p.run(w, 10*time.Second)
	zero := time.Unix(1e9, 0)
	for at := p.now; at < p.now+10*time.Second; at += 4 * time.Millisecond {
		w.Limit(zero.Add(at), p.wrote, p.acked, nil)
		if w.Stuck(zero.Add(at), p.wrote) {
			if took := at - p.now; took > 4*time.Second {
				t.Errorf("seen after %v", took)
			}
			if next := w.Again(); next.Size() < first || next.Size() > w.Size() {
				t.Errorf("the next window has %d bytes, this one %d", next.Size(), w.Size())
			}
			return
		}
	}
	t.Error("a transport that carries nothing is not stuck")
}

func TestAFlowingTransportIsNotStuck(t *testing.T) {
	for _, rate := range []float64{0.3, 5, 100} {
		p := path{rate: mbit(rate), trip: 80 * time.Millisecond, queue: mbit(rate) / 5, loss: 0.01}
		w := New()
		zero := time.Unix(1e9, 0)
		for range 3000 {
			p.run(w, 20*time.Millisecond)
			if w.Stuck(zero.Add(p.now), p.wrote) {
				t.Fatalf("stuck at %v with %.1f Mbit/s", p.now, rate)
			}
		}
	}
}

// FuzzWindow lets bytes choose time, acknowledgements and writes: the window keeps to its bounds.
func FuzzWindow(f *testing.F) {
	f.Add([]byte{1, 2, 3, 250, 5, 6})
	f.Fuzz(func(t *testing.T, b []byte) {
		w, now := New(), time.Unix(1e9, 0)
		var wrote, acked uint64
		for i, x := range b {
			switch i % 3 {
			case 0:
				now = now.Add(time.Duration(x) * time.Duration(x) * time.Millisecond)
			case 1:
				acked += min(wrote-acked, uint64(x)<<10)
			case 2:
				n := w.Limit(now, wrote, acked, func() uint64 { return wrote * 2 })
				if n < 0 || n > 65536 || w.Size() < smallest || w.Size() > Max {
					t.Fatalf("a limit of %d, a window of %d", n, w.Size())
				}
				if n > 0 {
					wrote += uint64(n)
					w.Wrote(now, wrote)
				}
			}
		}
	})
}
