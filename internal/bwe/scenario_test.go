package bwe

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

const sec = time.Second

func ours(now time.Time, cfg Config) algorithm { return New(now, cfg) }

// step is v before at, then w.
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

const mbit = 1e6

func wifi(t time.Duration, r *rand.Rand) time.Duration {
	// Mostly a few milliseconds; now and then the air is taken for up to 40 ms, and all that waited comes at once.
	d := time.Duration(r.ExpFloat64() * 1.5 * float64(time.Millisecond))
	if r.Float64() < 0.02 {
		d += time.Duration(r.Float64() * 40 * float64(time.Millisecond))
	}
	return min(d, 60*time.Millisecond)
}

var scenarios = []struct {
	name string
	path path
}{
	{"steady 4 Mbit/s", path{length: 30 * sec, capacity: constant(4 * mbit), from: 5 * sec}},
	{"steady 1 Mbit/s", path{length: 30 * sec, capacity: constant(1 * mbit), from: 5 * sec}},
	{"steady 200 kbit/s", path{length: 30 * sec, capacity: constant(0.2 * mbit), from: 5 * sec}},
	{"steady 15 Mbit/s", path{length: 20 * sec, capacity: constant(15 * mbit), from: 5 * sec}},
	{"4 Mbit/s, 0.4, 4", path{length: 45 * sec, capacity: steps(4*mbit, 15*sec, 0.4*mbit, 30*sec, 4*mbit), from: 5 * sec}},
	{"loss 2 %", path{length: 30 * sec, capacity: constant(4 * mbit), loss: constant(0.02), from: 10 * sec}},
	{"loss 5 %", path{length: 30 * sec, capacity: constant(4 * mbit), loss: constant(0.05), from: 10 * sec}},
	{"loss 10 %", path{length: 30 * sec, capacity: constant(4 * mbit), loss: constant(0.10), from: 10 * sec}},
	{"bursty Wi-Fi", path{length: 30 * sec, capacity: constant(4 * mbit), jitter: wifi, from: 5 * sec}},
	{"policer 2 Mbit/s", path{length: 30 * sec, capacity: constant(2 * mbit), policer: true, from: 5 * sec}},
	{"bufferbloat 1 s", path{length: 45 * sec, capacity: steps(4*mbit, 15*sec, 1*mbit, 30*sec, 4*mbit), buffer: constant(1.0), from: 5 * sec}},
	{"feedback lost 2 s", path{length: 30 * sec, capacity: constant(4 * mbit), from: 5 * sec, deaf: func(t time.Duration) bool { return t > 15*sec && t < 17*sec }}},
	{"clock +200 ppm", path{length: 30 * sec, capacity: constant(4 * mbit), skew: 200, from: 5 * sec}},
	{"clock -200 ppm", path{length: 30 * sec, capacity: constant(4 * mbit), skew: -200, from: 5 * sec}},
	{"route +100 ms", path{length: 40 * sec, capacity: constant(4 * mbit), from: 5 * sec, delay: func(t time.Duration) time.Duration {
		if t > 15*sec {
			return 120 * time.Millisecond
		}
		return 20 * time.Millisecond
	}}},
	{"app limited, then not", path{length: 30 * sec, capacity: constant(4 * mbit), from: 5 * sec, most: steps(150_000, 20*sec, 1e9)}},
	{"layers", path{length: 30 * sec, capacity: constant(3 * mbit), from: 5 * sec, layers: []float64{150e3, 500e3, 1.5e6, 2.5e6}}},
	{"TCP beside it", path{length: 60 * sec, capacity: constant(4 * mbit), from: 15 * sec, buffer: constant(0.1), rival: func(t time.Duration) bool { return t > 10*sec }}},
	{"long path 300 ms", path{length: 30 * sec, capacity: constant(4 * mbit), delay: constant(150 * time.Millisecond), from: 10 * sec}},
}

// seeds is how many runs each scenario gets.
func seeds(t testing.TB) int {
	n, err := strconv.Atoi(os.Getenv("PARLEY_SEEDS"))
	if err != nil {
		n = 20
	}
	if testing.Short() {
		n = min(n, 3)
	}
	return n
}

func median[T int | float64 | time.Duration](v []T, share float64) T {
	slices.Sort(v)
	return v[min(int(share*float64(len(v))), len(v)-1)]
}

func TestScenarios(t *testing.T) {
	for _, s := range scenarios {
		var found, queue []time.Duration
		var use, lost []float64
		var last outcome
		for seed := range seeds(t) {
			o := s.path.run(uint64(seed), ours)
			found, queue, use, lost = append(found, o.found), append(queue, o.queue95), append(use, o.use), append(lost, o.lost)
			last = o
		}
		t.Logf("%-24s found %5.2f s (worst %5.2f)  use %3.0f %% (least %3.0f)  queue p95 %4.0f ms (most %4.0f)  lost %4.1f %%  %+v", s.name,
			median(found, 0.5).Seconds(), median(found, 1).Seconds(), 100*median(use, 0.5), 100*median(use, 0),
			1000*median(queue, 0.5).Seconds(), 1000*median(queue, 1).Seconds(), 100*median(lost, .5), last.stats)
		if os.Getenv("TRACE") == s.name {
			for i := range last.targets {
				t.Logf("%5.1f target %7.0f arrived %7.0f", float64(i)/10, last.targets[i]/1000, last.rates[i]/1000)
			}
		}
	}
}
