//go:build linux

package main

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// line is one direction of a long cable, in virtual time: frames go in, and come out later, or never. It owns no clock
// and no randomness; exactly one goroutine at a time may use it.
type line struct {
	// set is what the line does to frames that come in from now on.
	set settings
	// random decides about loss and jitter.
	random *rand.Rand
	// free is when the sender's end has put everything so far on the cable.
	free time.Time
	// waiting are the frames under way, the next to arrive first.
	waiting queue
	// order breaks ties, so that frames without jitter keep their order.
	order uint64
}

// settings describe a line. The zero value is a perfect one.
type settings struct {
	// delay is how long every frame takes.
	delay time.Duration
	// jitter is added to or taken from the delay, evenly spread; frames may overtake each other.
	jitter time.Duration
	// loss is the share of frames that vanish, 0 to 1.
	loss float64
	// rate is in bits per second; 0 is as fast as the machine.
	rate int64
	// queue is how many bytes may wait for the rate; more is dropped at the tail. 0 is 256 KiB.
	queue int
	// down lines drop everything, also what is under way.
	down bool
}

const defaultQueue = 256 << 10

// push puts a frame on the line at the time now. The line keeps frame.
func (l *line) push(now time.Time, frame []byte) {
	if l.set.down || l.random.Float64() < l.set.loss {
		return
	}
	start := now
	if l.set.rate > 0 {
		limit := l.set.queue
		if limit == 0 {
			limit = defaultQueue
		}
		if l.free.After(now) {
			start = l.free
			if behind := int64(start.Sub(now)) * l.set.rate / (8 * int64(time.Second)); behind > int64(limit) {
				return
			}
		}
		start = start.Add(time.Duration(int64(len(frame)) * 8 * int64(time.Second) / l.set.rate))
		l.free = start
	}
	due := start.Add(l.set.delay)
	if l.set.jitter > 0 {
		due = due.Add(time.Duration((l.random.Float64()*2 - 1) * float64(l.set.jitter)))
	}
	l.order++
	heap.Push(&l.waiting, item{due: due, order: l.order, frame: frame})
}

// pop takes a frame that has arrived by now, nil when there is none.
func (l *line) pop(now time.Time) []byte {
	if len(l.waiting) == 0 || l.waiting[0].due.After(now) {
		return nil
	}
	return heap.Pop(&l.waiting).(item).frame
}

// next is when the next frame arrives; zero when nothing is under way.
func (l *line) next() time.Time {
	if len(l.waiting) == 0 {
		return time.Time{}
	}
	return l.waiting[0].due
}

// change sets the line anew. A line that goes down forgets what is under way.
func (l *line) change(set settings) {
	l.set = set
	if set.down {
		l.waiting, l.free = nil, time.Time{}
	}
}

// item is a frame under way.
type item struct {
	due   time.Time
	order uint64
	frame []byte
}

// queue is a heap of frames, the earliest on top.
type queue []item

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].order < q[j].order
	}
	return q[i].due.Before(q[j].due)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(item)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = item{}
	*q = old[:len(old)-1]
	return last
}
