package bwe

import "time"

const (
	// haste is how much faster than the target packets leave, so that a frame is not late for being large.
	haste = 2.5
	// slack is how much may leave at once after a pause: a frame of a stream that takes all of the target, and half of another. Its
	// packets are then one message to the kernel, where waiting would be a wake-up for each. More lets nothing else leave sooner,
	// and what came late, after the process or the publisher was held up, would leave in one go.
	slack = 20 * time.Millisecond
	// longest is how long a packet may have to wait: a key frame leaves faster, if need be, so that it has left by then.
	longest = 250 * time.Millisecond
)

// Waiting is a packet that waits in a Pacer: what the caller knows it by.
type Waiting[T any] struct {
	Item T
	Size int
}

// Pacer spreads packets in time. It keeps no packets but what the caller knows them by. Sound does not go through it; it
// is told of it, and the others wait for it.
type Pacer[T any] struct {
	rate    float64 // bytes per second
	probing float64
	probe   int     // bytes left of the cluster
	debt    float64 // bytes that were sent before their time; below 0, what may be
	at      time.Time
	boost   float64 // bytes per second at which what waits is gone in time
	lanes   [2]lane[T]
	bytes   int
	held    bool
}

// lane is a bounded queue of one urgency.
type lane[T any] struct {
	ring  []Waiting[T]
	first int
	count int
}

// NewPacer returns a pacer for at most size packets of each urgency: retransmissions, and the rest.
func NewPacer[T any](now time.Time, size int) *Pacer[T] {
	p := &Pacer[T]{at: now}
	for i := range p.lanes {
		p.lanes[i].ring = make([]Waiting[T], max(size, 1))
	}
	return p
}

// SetTarget sets the rate by which packets leave: a multiple of target, in bit/s.
func (p *Pacer[T]) SetTarget(now time.Time, target int) {
	p.pass(now)
	p.rate = haste * float64(max(target, 1000)) / 8
}

// Probe lets the next packets leave at the cluster's rate, until as many bytes have left.
func (p *Pacer[T]) Probe(now time.Time, c Cluster) {
	p.pass(now)
	p.probing, p.probe = float64(max(c.Rate, 1000))/8, c.Bytes
	p.debt = 0
}

// Probing returns how many bytes are missing of the cluster. What waits is sent first; when nothing waits and Ready says
// that something may leave, it is for the caller to fill the gap.
func (p *Pacer[T]) Probing() int { return max(p.probe, 0) }

// Push puts a packet into the queue. It returns false when that is full: the packet is the caller's to drop.
func (p *Pacer[T]) Push(kind Kind, item T, size int) bool {
	l := &p.lanes[1]
	if kind == Retransmission {
		l = &p.lanes[0]
	}
	if l.count == len(l.ring) {
		return false
	}
	l.ring[(l.first+l.count)%len(l.ring)] = Waiting[T]{item, size}
	l.count++
	p.bytes += size
	p.boost = max(p.boost, float64(p.bytes)/longest.Seconds())
	return true
}

// Hold has all that waits stay, and what comes wait with it, until it is called with false: Estimator.Choked. Sound passes.
func (p *Pacer[T]) Hold(now time.Time, held bool) {
	p.pass(now)
	p.held = held
}

// Passed notes that a packet left without waiting: sound, or what fills a probe.
func (p *Pacer[T]) Passed(now time.Time, size int) {
	p.pass(now)
	p.spend(size)
}

// Ready reports whether a packet may leave now.
func (p *Pacer[T]) Ready(now time.Time) bool {
	p.pass(now)
	return p.debt <= 0 && !p.held
}

// Pop takes the next packet that may leave now. The caller sends it.
func (p *Pacer[T]) Pop(now time.Time) (Waiting[T], bool) {
	if p.bytes == 0 && p.lanes[0].count+p.lanes[1].count == 0 || !p.Ready(now) {
		return Waiting[T]{}, false
	}
	for i := range p.lanes {
		l := &p.lanes[i]
		if l.count == 0 {
			continue
		}
		w := l.ring[l.first]
		l.ring[l.first] = Waiting[T]{}
		l.first = (l.first + 1) % len(l.ring)
		l.count--
		p.bytes -= w.Size
		p.spend(w.Size)
		if p.Len() == 0 {
			p.boost = 0
		}
		return w, true
	}
	return Waiting[T]{}, false
}

// Next says when a packet may leave; ok is false when none waits, and while what waits is held.
func (p *Pacer[T]) Next(now time.Time) (at time.Time, ok bool) {
	if p.held || p.Len() == 0 && p.probe <= 0 {
		return at, false
	}
	p.pass(now)
	if p.debt <= 0 {
		return now, true
	}
	return now.Add(time.Duration(p.debt / p.speed() * float64(time.Second))).Add(time.Microsecond), true
}

// Len is how many packets wait.
func (p *Pacer[T]) Len() int { return p.lanes[0].count + p.lanes[1].count }

// Delay is how long the last of the waiting has to wait, at the present rate.
func (p *Pacer[T]) Delay() time.Duration {
	return time.Duration(float64(p.bytes) / p.speed() * float64(time.Second))
}

// Drop forgets all that waits, and hands each to dropped first.
func (p *Pacer[T]) Drop(dropped func(T)) {
	for i := range p.lanes {
		l := &p.lanes[i]
		for ; l.count > 0; l.count-- {
			dropped(l.ring[l.first].Item)
			l.ring[l.first] = Waiting[T]{}
			l.first = (l.first + 1) % len(l.ring)
		}
	}
	p.bytes, p.boost = 0, 0
}

func (p *Pacer[T]) spend(size int) {
	p.debt += float64(size)
	p.probe -= min(p.probe, size)
}

// speed is how fast bytes leave now, per second.
func (p *Pacer[T]) speed() float64 {
	if p.probe > 0 {
		return p.probing
	}
	return max(p.rate, p.boost, 125)
}

// pass pays the debt of the time that has passed.
func (p *Pacer[T]) pass(now time.Time) {
	passed := now.Sub(p.at)
	if passed <= 0 {
		return
	}
	p.at = now
	speed := p.speed()
	p.debt = max(p.debt-speed*passed.Seconds(), -speed*slack.Seconds())
}
