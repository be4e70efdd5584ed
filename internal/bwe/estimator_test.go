package bwe

import (
	"math"
	"testing"
	"time"
	"unsafe"
)

// drive sends and acknowledges steadily for a while: size bytes every gap, all arriving after delay.
type drive struct {
	e      *Estimator
	now    time.Time
	number uint16
}

func (d *drive) run(during, gap time.Duration, size int, delay time.Duration) {
	var list []Arrival
	next := d.now.Add(100 * ms)
	for end := d.now.Add(during); d.now.Before(end); d.now = d.now.Add(gap) {
		d.e.Sent(d.now, d.number, size, Video)
		list = append(list, Arrival{Number: d.number, Arrived: true, At: d.now.Sub(begin) + delay})
		d.number++
		if !d.now.Before(next) {
			d.e.Tick(d.now)
			d.e.Feedback(d.now, list)
			list, next = nil, d.now.Add(100*ms)
		}
	}
}

func TestSilence(t *testing.T) {
	e := New(begin, Config{Start: 1e6})
	d := &drive{e: e, now: begin}
	d.run(2*sec, 10*ms, 1000, 20*ms)
	before := e.Target()
	for range 100 { // 10 s in which nothing comes back
		e.Sent(d.now, d.number, 1000, Video)
		d.number++
		d.now = d.now.Add(100 * ms)
		e.Tick(d.now)
	}
	if got := e.Target(); got > before/10 || got < e.cfg.Floor {
		t.Errorf("after 10 s of silence %d, before %d", got, before)
	}
	d.run(sec, 10*ms, 1000, 20*ms)
	if got := e.Target(); got < before*8/10 {
		t.Errorf("after the silence %d, before %d", got, before)
	}
	// Who sends nothing hears nothing: that is no silence.
	for range 600 {
		d.now = d.now.Add(100 * ms)
		e.Tick(d.now)
	}
	if got := e.Target(); got < before*8/10 {
		t.Errorf("after a pause %d, before %d", got, before)
	}
}

func TestOldClients(t *testing.T) {
	e := New(begin, Config{})
	e.REMB(begin, 800_000)
	if got := e.Target(); got != 800_000 {
		t.Errorf("after a REMB of 800000: %d", got)
	}
	for i := range 20 { // what arrives is fine: REMB stays the bound
		e.ReceiverReport(begin.Add(time.Duration(i)*sec), 0, 50*ms)
	}
	if got := e.Target(); got != 800_000 {
		t.Errorf("without loss: %d", got)
	}
	for i := 20; i < 30; i++ {
		e.ReceiverReport(begin.Add(time.Duration(i)*sec), 0.4, 50*ms)
	}
	if got := e.Target(); got > 400_000 || got < e.cfg.Floor {
		t.Errorf("with 40 %% loss: %d", got)
	}
	e.ReceiverReport(begin.Add(31*sec), math.NaN(), -time.Second)
	e.REMB(begin.Add(31*sec), 0)
	e.REMB(begin.Add(31*sec), math.MaxUint64)
	if got := e.Target(); got < e.cfg.Floor || got > e.cfg.Ceiling {
		t.Errorf("after nonsense: %d", got)
	}
}

// REMB bounds what transport-wide feedback found.
func TestREMBBounds(t *testing.T) {
	e := New(begin, Config{Start: 2e6})
	d := &drive{e: e, now: begin}
	d.run(2*sec, 4*ms, 1000, 20*ms)
	e.REMB(d.now, 500_000)
	if e.Target() != 500_000 || e.Estimate() != 500_000 {
		t.Error(e.Target(), e.Estimate())
	}
	if _, ok := e.Probe(d.now); ok {
		t.Error("probes beyond the receiver's own bound")
	}
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct{ in, want Config }{
		{Config{}, Config{300_000, 60_000, 20_000_000}},
		{Config{Start: 1, Floor: 5, Ceiling: 3}, Config{5, 5, 5}},
		{Config{Start: 9e6, Ceiling: 1e6}, Config{1_000_000, 60_000, 1_000_000}},
		{Config{-1, -1, -1}, Config{300_000, 60_000, 20_000_000}},
	} {
		if got := tt.in.WithDefaults(); got != tt.want {
			t.Errorf("%+v: got %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

// No probe goes beyond what is wanted, and none is made when enough is known.
func TestDemand(t *testing.T) {
	e := New(begin, Config{Start: 500_000})
	e.Demand(begin, 600_000)
	c, ok := e.Probe(begin)
	if !ok || c.Rate > 660_000 {
		t.Fatal(c, ok)
	}
	if _, ok := e.Probe(begin); ok {
		t.Error("offered twice")
	}
	d := &drive{e: e, now: begin}
	d.run(3*sec, 12*ms, 1000, 20*ms) // 667 kbit/s
	if got := e.Estimate(); got < 600_000 {
		t.Fatalf("%d is known", got)
	}
	if c, ok := e.Probe(d.now); ok {
		t.Error("probes although enough is known: ", c)
	}
	e.Demand(d.now, 2_000_000)
	if c, ok := e.Probe(d.now); !ok || c.Rate > 2_200_000 {
		t.Error("more is wanted, and no probe made: ", c, ok)
	}
}

// A packet that leaves again under its number was lost, whatever is heard of the number later: the delay of the repetition is none of
// the path's, and the loss stays seen.
func TestRepeated(t *testing.T) {
	for _, tt := range []struct {
		name   string
		repeat bool
	}{{"lost", false}, {"lost and repeated", true}} {
		e := New(begin, Config{Start: 1e6})
		now, number := begin, uint16(0)
		var before []uint16 // lost in the last message
		for range 60 {
			var list []Arrival
			for _, n := range before {
				if tt.repeat { // it comes 400 ms after it was sent first, in front of the newer ones
					list = append(list, Arrival{Number: n, Arrived: true, At: now.Sub(begin) + 400*ms})
				}
			}
			before = before[:0]
			for i := range 10 {
				e.Sent(now, number, 1000, Audio)
				lost := i == 3
				if lost {
					before = append(before, number)
				}
				list = append(list, Arrival{Number: number, Arrived: !lost, At: now.Sub(begin) + 20*ms})
				number++
				now = now.Add(10 * ms)
			}
			e.Tick(now)
			e.Feedback(now, list)
			for _, n := range before {
				if tt.repeat {
					e.Repeated(now, n)
					e.Repeated(now, n)
				}
			}
		}
		st := e.Stats()
		if share := st.Loss + st.OwnLoss; share < 0.08 || st.Queue > 30*ms {
			t.Errorf("%s: %+v", tt.name, st)
		}
		e.Repeated(now, number+100) // never sent
	}
}

// A packet counts once, whatever is said of it; one of which nothing is known does not count.
func TestHistory(t *testing.T) {
	var h history
	h.reset()
	if h.find(h.unwrap(7)) != nil {
		t.Error("found in nothing")
	}
	first := h.add(second, 65_530, 100)
	for i := range 20 {
		if n := h.add(second, uint16(65_531+i), 100); n != first+int64(i)+1 {
			t.Fatalf("number %d became %d after %d", 65_531+i, n, first)
		}
	}
	if h.add(second, 65_535, 100) >= 0 {
		t.Error("added twice")
	}
	if p := h.find(h.unwrap(65_530)); p == nil || p.state != pending {
		t.Error("lost over the wrap")
	}
	gap := h.last + 5
	h.add(second, uint16(gap), 100)
	if h.find(gap-2) != nil || h.find(gap) == nil {
		t.Error("what was not sent is known")
	}
	if h.add(second, uint16(gap-2), 100) != gap-2 {
		t.Error("one out of order was refused")
	}
	h.add(second, uint16(gap+ring+3), 100)
	if h.find(gap) != nil || h.find(h.last) == nil {
		t.Error("a jump did not clear")
	}
	last := h.last
	h.add(100*second, uint16(last+1), 100)
	if h.find(last) != nil || h.find(last+1) == nil {
		t.Error("what is old is known after a long pause")
	}
}

func TestUnwrap(t *testing.T) {
	var u unwrapper
	at := u.unwrap(Wrap - ms)
	if got := u.unwrap(ms); got-at != 2000 {
		t.Errorf("over the wrap it is %d µs", got-at)
	}
	if got := u.unwrap(Wrap - 2*ms); got-at != -1000 {
		t.Errorf("back over the wrap it is %d µs", got-at)
	}
	if got := u.unwrap(5 * ms); got-at != 6000 {
		t.Errorf("and forth %d µs", got-at)
	}
}

func TestMeter(t *testing.T) {
	var m meter
	for at := int64(0); at < 2*second; at += 10 * milli {
		m.add(10*second+at, 1250)
	}
	if got := m.rate(300 * milli); math.Abs(got-1e6) > 1e4 {
		t.Errorf("1 Mbit/s measured as %.0f", got)
	}
	m.interrupt()
	if got := m.rate(300 * milli); got != 0 {
		t.Errorf("after an interruption %.0f", got)
	}
	m.add(5*second, 1250) // long ago
	m.add(-5*second, 1250)
	m.add(1000*second, 1250) // a leap
	if got := m.rate(300 * milli); got != 0 {
		t.Errorf("after a leap %.0f", got)
	}
}

// TestSizes keeps the package's word on memory.
func TestSizes(t *testing.T) {
	e, a, p := unsafe.Sizeof(Estimator{}), unsafe.Sizeof(Arrivals{}), unsafe.Sizeof(Pacer[uint32]{})+2*512*unsafe.Sizeof(Waiting[uint32]{})
	t.Logf("Estimator %d B, Arrivals %d B, Pacer for 2 × 512 handles of 4 bytes %d B", e, a, p)
	if e > 20<<10 || a > 9<<10 {
		t.Error("the package says less")
	}
}
