package netsim

import "time"

// Line shapes one direction of an interface. The zero value is perfect.
type Line struct {
	// Delay is how long a packet takes.
	Delay time.Duration
	// Jitter is added to it, evenly between zero and this. Packets keep their order all the same.
	Jitter time.Duration
	// Loss is the share of packets that vanish, from 0 to 1.
	Loss float64
	// Reorder is the share of packets that are not held back by the queue or by those before them.
	Reorder float64
	// BytesPerSecond is what the line carries, 0 for any amount.
	BytesPerSecond int
	// Queue is how long a packet may wait for the line before it is dropped; 0 means 200 ms.
	Queue time.Duration

	free time.Time // when the line has sent what it took
	last time.Time // when the last packet that keeps the order arrives
}

// pass says when a packet of size bytes that comes at now is through, or that it is lost.
func (l *Line) pass(now time.Time, size int, c *chance) (at time.Time, ok bool) {
	if l.Loss > 0 && c.share() < l.Loss {
		return at, false
	}
	at = now
	if l.BytesPerSecond > 0 {
		most := l.Queue
		if most == 0 {
			most = 200 * time.Millisecond
		}
		if l.free.Before(now) {
			l.free = now
		}
		if l.free.Sub(now) > most {
			return at, false
		}
		l.free = l.free.Add(time.Duration(size) * time.Second / time.Duration(l.BytesPerSecond))
		at = l.free
	}
	at = at.Add(l.Delay)
	if l.Reorder > 0 && c.share() < l.Reorder {
		return at, true
	}
	if l.Jitter > 0 {
		at = at.Add(time.Duration(c.share() * float64(l.Jitter)))
	}
	if at.Before(l.last) {
		at = l.last
	}
	l.last = at
	return at, true
}

// chance is a generator of pseudo-random numbers (splitmix64): small, and the same everywhere.
type chance uint64

func (c *chance) next() uint64 {
	*c += 0x9e3779b97f4a7c15
	z := uint64(*c)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// share is evenly distributed from 0 up to, and without, 1.
func (c *chance) share() float64 { return float64(c.next()>>11) / (1 << 53) }
