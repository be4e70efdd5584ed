package bwe

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// algorithm is what a call is driven by: our estimator, or a rival.
type algorithm interface {
	Sent(now time.Time, number uint16, size int, kind Kind)
	Feedback(now time.Time, arrivals []Arrival)
	Tick(now time.Time)
	Probe(now time.Time) (Cluster, bool)
	Target() int
}

// path is one direction of a network with a bottleneck, and a sender and a receiver at its ends, in steps of 1 ms.
type path struct {
	length   time.Duration
	capacity func(t time.Duration) float64 // bit/s of the bottleneck
	buffer   func(t time.Duration) float64 // how many seconds of queue it has, nil for 0.3
	delay    func(t time.Duration) time.Duration
	loss     func(t time.Duration) float64 // by chance, behind the bottleneck
	jitter   func(t time.Duration, r *rand.Rand) time.Duration
	policer  bool // excess is dropped instead of queued, but for a burst of 20 kB
	deaf     func(t time.Duration) bool
	busy     func(t time.Duration) bool // every other packet is read only when it is over
	skew     float64                    // the receiver's clock, parts per million
	most     func(t time.Duration) float64
	layers   []float64 // what the sender can send, nil for anything
	rival    func(t time.Duration) bool
	config   Config
	from     time.Duration // figures count from here
	drop, up time.Duration // when the capacity falls and returns, to be timed

	vary func(seed uint64) func(t time.Duration) float64 // instead of capacity
}

// outcome is what was seen of one run.
type outcome struct {
	found      time.Duration // the target first reached 80 % of the capacity
	use        float64       // of the capacity, from path.from on
	queue95    time.Duration
	audioSent  int
	audioLost  int
	falls      int       // how often a lower layer was chosen
	lost       float64   // share of all packets
	targets    []float64 // every 100 ms
	estimates  []float64 // the same, without draining
	rates      []float64 // what arrived in these 100 ms
	capacities []float64
	down, back time.Duration // from the fall until the estimate stays within 20 %, from the return until it is 80 %
	stats      Stats
}

type inPath struct {
	number  uint16
	size    int
	kind    Kind
	rival   bool
	entered time.Duration
}

type atPath struct {
	at time.Duration
	p  inPath
}

// call is a run of a path.
type call struct {
	*path
	r        *rand.Rand
	alg      algorithm
	pacer    *Pacer[int]
	arrivals *Arrivals
	start    time.Time
	t        time.Duration
	number   uint16

	fifo     []inPath
	inQueue  int
	full     float64 // the last capacity that was one
	bucket   float64
	flying   []atPath
	unread   []inPath
	last     time.Duration
	feedback []struct {
		at   time.Duration
		list []Arrival
	}
	tcp      reno
	waits    []float64
	carried  float64
	possible float64
	out      outcome
	bin      float64
	layer    int
	sent     int
	got      int
}

var begin = time.Unix(1_700_000_000, 0)

func constant[T any](v T) func(time.Duration) T { return func(time.Duration) T { return v } }

func (p path) run(seed uint64, alg func(now time.Time, cfg Config) algorithm) outcome {
	if p.delay == nil {
		p.delay = constant(20 * time.Millisecond)
	}
	if p.buffer == nil {
		p.buffer = constant(0.3)
	}
	c := &call{
		path: &p, r: rand.New(rand.NewPCG(seed, 7)), alg: alg(begin, p.config), pacer: NewPacer[int](begin, 4096),
		arrivals: NewArrivals(begin), start: begin, number: uint16(seed * 997), bucket: 20_000,
	}
	c.tcp.window, c.tcp.threshold = 10, 1e9
	if p.vary != nil {
		p.capacity = p.vary(seed)
	}
	c.out.found = -1
	for c.t = 0; c.t < p.length; c.t += time.Millisecond {
		c.send()
		c.bottleneck()
		c.receive()
		c.observe()
	}
	slices.Sort(c.waits)
	if n := len(c.waits); n > 0 {
		c.out.queue95 = time.Duration(c.waits[n*95/100] * float64(time.Second))
	}
	c.out.use = c.carried / c.possible
	c.out.lost = 1 - float64(c.got)/float64(max(c.sent, 1))
	if e, ok := c.alg.(*Estimator); ok {
		c.out.stats = e.Stats()
	}
	c.timed()
	return c.out
}

func (c *call) now() time.Time { return c.start.Add(c.t) }

// send is the sender's millisecond: sound every 20 ms, a picture every 33, what the pacer lets out, what a probe lacks.
func (c *call) send() {
	now := c.now()
	target := float64(c.alg.Target())
	c.pacer.SetTarget(now, int(target))
	if e, ok := c.alg.(*Estimator); ok {
		c.pacer.Hold(now, e.Choked(now))
	}
	step := int(c.t / time.Millisecond)
	if step%20 == 0 {
		c.put(Audio, 120)
		c.out.audioSent++
		c.pacer.Passed(now, 120)
	}
	if step%33 == 0 {
		rate := target - 48_000
		if c.most != nil {
			rate = min(rate, c.most(c.t))
		}
		if c.layers != nil {
			rate = c.choose()
		}
		size := max(rate, 20_000) * 0.033 / 8 * (0.8 + 0.4*c.r.Float64())
		for size > 0 {
			n := min(int(size)+30, 1130)
			c.pacer.Push(Video, n, n)
			size -= 1100
		}
	}
	c.alg.Tick(now)
	if cl, ok := c.alg.Probe(now); ok {
		c.pacer.Probe(now, cl)
	}
	for {
		w, ok := c.pacer.Pop(now)
		if ok {
			c.put(Video, w.Size)
			continue
		}
		if c.pacer.Probing() > 0 && c.pacer.Len() == 0 && c.pacer.Ready(now) {
			n := 280
			if c.pacer.Probing() > 4000 {
				n = 1100
			}
			c.put(Padding, n)
			c.pacer.Passed(now, n)
			continue
		}
		break
	}
	if c.rival != nil && c.rival(c.t) {
		for c.tcp.may(c.t) {
			c.tcp.flight++
			c.enter(inPath{size: 1200, rival: true})
		}
	}
}

// choose takes the best layer that the path carries, as a forwarder does: down at once, up with a tenth to spare.
func (c *call) choose() float64 {
	best := 0
	for i, l := range c.layers {
		if spare := 1.1; i <= c.layer && l+48_000 <= c.estimate() || (l+48_000)*spare <= c.estimate() {
			best = i
		}
	}
	if best < c.layer {
		c.out.falls++
	}
	c.layer = best
	return c.layers[best]
}

// estimate is what layers are chosen by: ours, or a rival's only figure.
func (c *call) estimate() float64 {
	if e, ok := c.alg.(interface{ Estimate() int }); ok {
		return float64(e.Estimate())
	}
	return float64(c.alg.Target())
}

func (c *call) put(kind Kind, size int) {
	c.alg.Sent(c.now(), c.number, size, kind)
	c.sent++
	c.enter(inPath{number: c.number, size: size, kind: kind})
	c.number++
}

func (c *call) enter(p inPath) {
	p.entered = c.t
	capacity := c.capacity(c.t)
	if c.policer {
		if c.bucket < float64(p.size) {
			c.discard(p)
			return
		}
		c.bucket -= float64(p.size)
		c.through(p, c.t)
		return
	}
	if capacity < 1000 { // a stall: the buffer is what it was
		capacity = c.full
	}
	c.full = capacity
	if float64(c.inQueue*8)/capacity > c.buffer(c.t) {
		c.discard(p)
		return
	}
	c.inQueue += p.size
	c.fifo = append(c.fifo, p)
}

func (c *call) discard(p inPath) {
	if p.rival {
		c.tcp.lost(c.t + 2*c.delay(c.t))
	} else if p.kind == Audio {
		c.out.audioLost++
	}
}

// bottleneck lets a millisecond's worth of bytes through.
func (c *call) bottleneck() {
	budget := c.capacity(c.t) / 8 / 1000
	if c.t >= c.from {
		c.possible += budget
	}
	if c.policer {
		c.bucket = min(c.bucket+budget, 20_000)
		return
	}
	c.bucket += budget
	if len(c.fifo) == 0 {
		c.bucket = min(c.bucket, budget)
	}
	for len(c.fifo) > 0 && c.bucket >= float64(c.fifo[0].size) {
		p := c.fifo[0]
		c.fifo = c.fifo[1:]
		c.inQueue -= p.size
		c.bucket -= float64(p.size)
		c.through(p, c.t+time.Duration((1-min(c.bucket/budget, 1))*float64(time.Millisecond)))
	}
}

// through is what happens to a packet behind the bottleneck, which it left at at.
func (c *call) through(p inPath, at time.Duration) {
	if p.rival {
		c.tcp.delivered(at + 2*c.delay(c.t))
		return
	}
	if c.t >= c.from {
		c.waits = append(c.waits, (at - p.entered).Seconds())
		c.carried += float64(p.size)
	}
	c.bin += float64(p.size * 8)
	if c.loss != nil && c.r.Float64() < c.loss(c.t) {
		return
	}
	at += c.delay(c.t)
	if c.jitter != nil {
		at += c.jitter(c.t, c.r)
	}
	at = max(at, c.last)
	c.last = at
	c.flying = append(c.flying, atPath{at, p})
}

// receive is the receiver's millisecond.
func (c *call) receive() {
	for len(c.flying) > 0 && c.flying[0].at <= c.t {
		f := c.flying[0]
		c.flying = c.flying[1:]
		c.got++
		if c.busy != nil && c.busy(c.t) && f.p.number&1 == 1 {
			c.unread = append(c.unread, f.p)
			continue
		}
		c.read(f.at, f.p)
	}
	if len(c.unread) > 0 && !c.busy(c.t) {
		for _, p := range c.unread {
			c.read(c.t, p)
		}
		c.unread = c.unread[:0]
	}
	there := c.start.Add(time.Duration(float64(c.t) * (1 + c.skew/1e6)))
	if c.arrivals.Due(there) {
		list := c.arrivals.Report(there, nil)
		if c.deaf == nil || !c.deaf(c.t) {
			c.feedback = append(c.feedback, struct {
				at   time.Duration
				list []Arrival
			}{c.t + c.delay(c.t), list})
		}
	}
	for len(c.feedback) > 0 && c.feedback[0].at <= c.t {
		c.alg.Feedback(c.now(), c.feedback[0].list)
		c.feedback = c.feedback[1:]
	}
}

// read is a packet's arrival by the receiver's clock, which has steps of 250 µs in feedback.
func (c *call) read(at time.Duration, p inPath) {
	there := time.Duration(float64(at)*(1+c.skew/1e6)) / (250 * time.Microsecond) * (250 * time.Microsecond)
	c.arrivals.Add(c.start.Add(there), p.number)
}

func (c *call) observe() {
	target := float64(c.alg.Target())
	if capacity := c.capacity(c.t); c.out.found < 0 && capacity > 1000 && target >= 0.8*min(capacity, float64(c.config.WithDefaults().Ceiling)) {
		c.out.found = c.t
	}
	if c.t%(100*time.Millisecond) == 0 {
		c.out.targets = append(c.out.targets, target)
		c.out.estimates = append(c.out.estimates, c.estimate())
		c.out.capacities = append(c.out.capacities, c.capacity(c.t))
		c.out.rates = append(c.out.rates, c.bin*10)
		c.bin = 0
	}
}

// timed finds how long the estimate took to follow the capacity.
func (c *call) timed() {
	if c.drop == 0 {
		return
	}
	const tenth = 100 * time.Millisecond
	c.out.back = -1
	for i, v := range c.out.estimates {
		at := time.Duration(i) * tenth
		capacity := c.out.capacities[i]
		if at >= c.drop && at < c.up && (v < 0.8*capacity || v > 1.2*capacity) {
			c.out.down = at + tenth - c.drop
		}
		if at >= c.up && c.out.back < 0 && v >= 0.8*capacity {
			c.out.back = at - c.up
		}
	}
}

// reno is a flow that fills queues: additive increase, halved by a loss.
type reno struct {
	window, threshold float64
	flight            int
	acks, losses      []time.Duration
	recovering        time.Duration
}

func (f *reno) delivered(at time.Duration) { f.acks = append(f.acks, at) }
func (f *reno) lost(at time.Duration)      { f.losses = append(f.losses, at) }

// may reports whether a segment may be sent, after what has become known by now.
func (f *reno) may(now time.Duration) bool {
	for len(f.acks) > 0 && f.acks[0] <= now {
		f.acks = f.acks[1:]
		f.flight--
		if f.window < f.threshold {
			f.window++
		} else {
			f.window += 1 / f.window
		}
	}
	for len(f.losses) > 0 && f.losses[0] <= now {
		f.losses = f.losses[1:]
		f.flight--
		if now > f.recovering {
			f.window = math.Max(f.window/2, 2)
			f.threshold = f.window
			f.recovering = now + 100*time.Millisecond
		}
	}
	return float64(f.flight) < f.window
}
