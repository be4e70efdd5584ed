package bwe

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

const (
	sec  = time.Second
	ms   = time.Millisecond
	mbit = 1e6
)

func ours(now time.Time, cfg Config) algorithm { return New(now, cfg) }

// steps is v before at, then w.
func steps(v float64, more ...any) func(time.Duration) float64 {
	return func(t time.Duration) float64 {
		got := v
		for i := 0; i+1 < len(more); i += 2 {
			if t >= more[i].(time.Duration) {
				got = more[i+1].(float64)
			}
		}
		return got
	}
}

func wifi(t time.Duration, r *rand.Rand) time.Duration {
	// Mostly a few milliseconds; now and then the air is taken for up to 40 ms, and all that waited comes at once.
	d := time.Duration(r.ExpFloat64() * 1.5 * float64(time.Millisecond))
	if r.Float64() < 0.02 {
		d += time.Duration(r.Float64() * 40 * float64(time.Millisecond))
	}
	return min(d, 60*time.Millisecond)
}

// stalls is a capacity with moments of nothing: a radio that looks for other networks.
func stalls(seed uint64) func(t time.Duration) float64 {
	r := rand.New(rand.NewPCG(seed, 11))
	var from, until []time.Duration
	for at := 3 * sec; at < 60*sec; at += 2*sec + time.Duration(r.IntN(4000))*time.Millisecond {
		from, until = append(from, at), append(until, at+time.Duration(60+r.IntN(120))*time.Millisecond)
	}
	return func(t time.Duration) float64 {
		for i := range from {
			if t >= from[i] && t < until[i] {
				return 1
			}
		}
		return 6 * mbit
	}
}

// mobile is a capacity that goes its own way: another one every half second, at most 40 % from the last.
func mobile(seed uint64) func(t time.Duration) float64 {
	r := rand.New(rand.NewPCG(seed, 12))
	list := []float64{3 * mbit}
	for range 200 {
		list = append(list, min(max(list[len(list)-1]*(0.6+0.8*r.Float64()), 0.8*mbit), 8*mbit))
	}
	return func(t time.Duration) float64 { return list[t/(500*time.Millisecond)] }
}

// want is what every seed of a scenario has to keep to; 0 asks for nothing.
type want struct {
	found, queue, down, back time.Duration // at most
	use                      float64       // at least
	most                     float64       // at most
	lost                     float64       // at most
	audio                    float64       // of it lost, at most
	falls                    int           // to a lower layer, at most
}

var scenarios = []struct {
	name string
	path path
	want want
}{
	{"steady 4 Mbit/s", path{length: 30 * sec, capacity: constant(4 * mbit), from: 5 * sec}, want{found: sec, queue: 80 * ms, use: 0.9, lost: 0.01}},
	{"steady 1 Mbit/s", path{length: 30 * sec, capacity: constant(1 * mbit), from: 5 * sec}, want{found: sec, queue: 100 * ms, use: 0.9, lost: 0.01}},
	{"steady 200 kbit/s", path{length: 30 * sec, capacity: constant(0.2 * mbit), from: 5 * sec}, want{queue: 150 * ms, use: 0.9, lost: 0.02}},
	{"steady 15 Mbit/s", path{length: 20 * sec, capacity: constant(15 * mbit), from: 5 * sec}, want{found: sec, queue: 80 * ms, use: 0.9, lost: 0.02}},
	{"4 Mbit/s, 0.4, 4", path{length: 45 * sec, capacity: steps(4*mbit, 15*sec, 0.4*mbit, 30*sec, 4*mbit), from: 5 * sec, drop: 15 * sec, up: 30 * sec}, want{found: sec, down: 2 * sec, back: 5 * sec, use: 0.8, audio: 0.02}},
	{"the same, 1 s of queue", path{length: 45 * sec, capacity: steps(4*mbit, 15*sec, 0.4*mbit, 30*sec, 4*mbit), buffer: constant(1.0), from: 5 * sec, drop: 15 * sec, up: 30 * sec}, want{found: sec, down: 2 * sec, back: 5 * sec, use: 0.8, audio: 0.02}},
	{"layers, 4 Mbit/s, 0.4, 4", path{length: 45 * sec, capacity: steps(4*mbit, 15*sec, 0.4*mbit, 30*sec, 4*mbit), layers: []float64{150e3, 500e3, 1.5e6, 2.5e6}, from: 5 * sec, drop: 15 * sec, up: 30 * sec}, want{found: sec, back: 5 * sec, audio: 0.02}},
	{"loss 2 %", path{length: 30 * sec, capacity: constant(4 * mbit), loss: constant(0.02), from: 10 * sec}, want{found: 4 * sec, queue: 100 * ms, use: 0.85}},
	{"loss 5 %", path{length: 30 * sec, capacity: constant(4 * mbit), loss: constant(0.05), from: 10 * sec}, want{found: 4 * sec, queue: 100 * ms, use: 0.85}},
	{"loss 10 %", path{length: 30 * sec, capacity: constant(4 * mbit), loss: constant(0.10), from: 10 * sec}, want{found: 8 * sec, queue: 100 * ms, use: 0.8}},
	{"Wi-Fi, bursts", path{length: 30 * sec, capacity: constant(4 * mbit), jitter: wifi, from: 5 * sec}, want{found: 6 * sec, queue: 250 * ms, use: 0.85}},
	{"Wi-Fi, stalls", path{length: 30 * sec, vary: stalls, from: 5 * sec}, want{found: 5 * sec, use: 0.7}},
	{"mobile", path{length: 60 * sec, vary: mobile, buffer: constant(1.0), from: 5 * sec}, want{use: 0.6}},
	{"policer 2 Mbit/s", path{length: 30 * sec, capacity: constant(2 * mbit), policer: true, from: 5 * sec}, want{found: sec, use: 0.85, lost: 0.10}},
	{"1 s of queue, 4, 1, 4", path{length: 45 * sec, capacity: steps(4*mbit, 15*sec, 1*mbit, 30*sec, 4*mbit), buffer: constant(1.0), from: 5 * sec, drop: 15 * sec, up: 30 * sec}, want{found: sec, queue: 200 * ms, down: 2 * sec, back: 5 * sec, use: 0.8}},
	{"feedback lost for 2 s", path{length: 30 * sec, capacity: constant(4 * mbit), from: 5 * sec, drop: 17 * sec, up: 17 * sec, deaf: func(t time.Duration) bool { return t > 15*sec && t < 17*sec }}, want{found: sec, back: sec, use: 0.85}},
	{"clock +200 ppm", path{length: 30 * sec, capacity: constant(4 * mbit), skew: 200, from: 5 * sec}, want{found: sec, queue: 80 * ms, use: 0.9}},
	{"clock -200 ppm", path{length: 30 * sec, capacity: constant(4 * mbit), skew: -200, from: 5 * sec}, want{found: sec, queue: 80 * ms, use: 0.9}},
	{"route +100 ms", path{length: 40 * sec, capacity: constant(4 * mbit), from: 5 * sec, delay: func(t time.Duration) time.Duration {
		if t > 15*sec {
			return 120 * ms
		}
		return 20 * ms
	}}, want{found: sec, queue: 80 * ms, use: 0.88}},
	{"little to send, then much", path{length: 30 * sec, capacity: constant(4 * mbit), from: 20 * sec, most: steps(150_000, 20*sec, 1e9)}, want{found: sec, use: 0.85}},
	{"layers", path{length: 30 * sec, capacity: constant(3 * mbit), from: 5 * sec, layers: []float64{150e3, 500e3, 1.5e6, 2.5e6}}, want{found: sec, queue: 80 * ms, use: 0.8}},
	{"layers, loss 5 %", path{length: 60 * sec, capacity: constant(4 * mbit), loss: constant(0.05), from: 5 * sec, layers: []float64{150e3, 500e3, 1.5e6, 2.5e6}}, want{found: 4 * sec, queue: 80 * ms, use: 0.5, falls: 5}},
	{"layers, Wi-Fi, bursts", path{length: 60 * sec, capacity: constant(4 * mbit), jitter: wifi, from: 5 * sec, layers: []float64{150e3, 500e3, 1.5e6, 2.5e6}}, want{found: 6 * sec, queue: 80 * ms, use: 0.5, falls: 5}},
	{"TCP beside it", path{length: 60 * sec, capacity: constant(4 * mbit), from: 15 * sec, buffer: constant(0.1), rival: func(t time.Duration) bool { return t > 10*sec }}, want{use: 0.15, most: 0.75}},
	{"TCP with 300 ms of queue", path{length: 60 * sec, capacity: constant(4 * mbit), from: 15 * sec, rival: func(t time.Duration) bool { return t > 10*sec }}, want{use: 0.05, most: 0.75}},
	{"a receiver that reads late", path{length: 30 * sec, capacity: constant(4 * mbit), from: 5 * sec, busy: func(t time.Duration) bool { return t%(300*ms) < 150*ms }}, want{found: 5 * sec, use: 0.85, lost: 0.01}},
	{"300 ms there and back", path{length: 30 * sec, capacity: constant(4 * mbit), delay: constant(150 * ms), from: 10 * sec}, want{found: 3 * sec, queue: 100 * ms, use: 0.85}},
}

// seeds is how many runs each scenario gets: a few, or as many as PARLEY_SEEDS says.
func seeds(t testing.TB) int {
	n, err := strconv.Atoi(os.Getenv("PARLEY_SEEDS"))
	if err != nil {
		n = 3
	}
	if testing.Short() {
		n = min(n, 3)
	}
	return n
}

// figures are medians of runs.
type figures struct {
	found, foundLast, queue95, queueMost, down, downLast, back, backLast time.Duration
	use, useLeast, lost, audio                                           float64
	falls, fallsMost                                                     int
}

func summary(runs []outcome) figures {
	var found, queue, down, back []time.Duration
	var use, lost, audio []float64
	var falls []int
	for _, o := range runs {
		if o.found < 0 {
			o.found = time.Hour
		}
		if o.back < 0 {
			o.back = time.Hour
		}
		found, queue, down, back = append(found, o.found), append(queue, o.queue95), append(down, o.down), append(back, o.back)
		use, lost = append(use, o.use), append(lost, o.lost)
		falls = append(falls, o.falls)
		audio = append(audio, float64(o.audioLost)/float64(o.audioSent))
	}
	return figures{
		share(found, 0.5), share(found, 1), share(queue, 0.5), share(queue, 1), share(down, 0.5), share(down, 1), share(back, 0.5), share(back, 1),
		share(use, 0.5), share(use, 0), share(lost, 0.5), share(audio, 0.5), share(falls, 0.5), share(falls, 1),
	}
}

func (f figures) String() string {
	s := fmt.Sprintf("found %s (%s)  use %3.0f %% (%3.0f)  queue p95 %4.0f ms (%4.0f)  lost %4.1f %%, sound %3.1f %%",
		never(f.found), never(f.foundLast), 100*f.use, 100*f.useLeast, 1000*f.queue95.Seconds(), 1000*f.queueMost.Seconds(), 100*f.lost, 100*f.audio)
	if f.down > 0 {
		s += fmt.Sprintf("  down %s (%s)  back %s (%s)", never(f.down), never(f.downLast), never(f.back), never(f.backLast))
	}
	if f.fallsMost > 0 {
		s += fmt.Sprintf("  lower layer %d times (%d)", f.falls, f.fallsMost)
	}
	return s
}

func never(d time.Duration) string {
	if d >= time.Hour {
		return " never"
	}
	return fmt.Sprintf("%4.2f s", d.Seconds())
}

// share returns the value that a share of all are below.
func share[T int | float64 | time.Duration](v []T, part float64) T {
	slices.Sort(v)
	return v[min(int(part*float64(len(v))), len(v)-1)]
}

// TestScenarios drives a call through networks as they are, and prints what it was like: medians, the worst in brackets.
func TestScenarios(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			var runs []outcome
			for seed := range seeds(t) {
				o := s.path.run(uint64(seed), ours)
				runs = append(runs, o)
				if fault := s.want.fault(o); fault != "" {
					t.Errorf("seed %d: %s", seed, fault)
				}
			}
			t.Log(summary(runs))
		})
	}
}

func (w want) fault(o outcome) string {
	switch {
	case w.found > 0 && (o.found < 0 || o.found > w.found):
		return fmt.Sprintf("80 %% of the path found after %v, want %v", o.found, w.found)
	case o.use < w.use:
		return fmt.Sprintf("used %.2f of the path, want %.2f", o.use, w.use)
	case w.most > 0 && o.use > w.most:
		return fmt.Sprintf("used %.2f of the path, others are to have more than %.2f", o.use, 1-w.most)
	case w.queue > 0 && o.queue95 > w.queue:
		return fmt.Sprintf("a queue of %v, want %v", o.queue95, w.queue)
	case w.lost > 0 && o.lost > w.lost:
		return fmt.Sprintf("lost %.3f, want %.3f", o.lost, w.lost)
	case w.down > 0 && o.down > w.down:
		return fmt.Sprintf("followed the fall after %v, want %v", o.down, w.down)
	case w.back > 0 && (o.back < 0 || o.back > w.back):
		return fmt.Sprintf("was back after %v, want %v", o.back, w.back)
	case w.audio > 0 && float64(o.audioLost) > w.audio*float64(o.audioSent):
		return fmt.Sprintf("lost %d of %d packets of sound", o.audioLost, o.audioSent)
	}
	if w.falls > 0 && o.falls > w.falls {
		return fmt.Sprintf("%d falls to a lower layer, want %d", o.falls, w.falls)
	}
	return ""
}
