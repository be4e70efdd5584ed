package hub

import (
	"errors"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
)

// Bounds of programs' data.
const (
	// maxFeeds is how many channels to everybody a client may have open. In feedEach it may open one, and feedBurst at once; in
	// pipeEach a channel to one, and pipeBurst at once: clients' transports keep a little for each channel that they ever had.
	maxFeeds  = 16
	feedEach  = 500 * time.Millisecond
	feedBurst = 4 * maxFeeds
	pipeEach  = 125 * time.Millisecond
	pipeBurst = 128
	// dataRate is how many bytes one client may have the hub send in a second, counted for each receiver.
	dataRate = 32 << 20
	// lossyMost is how much of a channel that may lose waits for one receiver, in bytes; what comes then is dropped.
	lossyMost = 64 << 10
	// heldUp is how much waits for a receiver when those who send to it are held up, in bytes, and lineMost when its channels are
	// closed instead; waitMost is how much waits for all receivers of the server together before those are closed that are furthest
	// behind, and spare how much more may while that is done.
	heldUp   = 1 << 20
	lineMost = 16 << 20
	waitMost = 256 << 20
	spare    = 32 << 20
	// stuck is how long a receiver may take less than leastTaken, in bytes, and still hold others up.
	stuck, leastTaken = 2 * time.Second, 256 << 10
	// firstPause is after how long somebody whose channel ended gets another one, with the next message. It doubles, up to lastPause,
	// unless the channel was there for as long.
	firstPause, lastPause = time.Second, time.Minute
	// window is how much is given to a receiver's association at once, in bytes: what the hub has to say waits behind it.
	window = 256 << 10
	// look is how often the association is asked whether there is room, when it says nothing by itself.
	look = 20 * time.Millisecond
)

// message is one of a program's; its data are shared by all who get it, and not changed.
type message struct {
	data []byte
	text bool
}

// out is the way of a feed to one receiver.
type out struct {
	feed    *feed
	to      *link
	ch      end // nil until there is something to say
	queue   []message
	bytes   int
	closing bool // once the queue is empty
	over    bool
	since   time.Time     // when it began
	pause   time.Duration // after its end
	again   time.Time     // when another one may take its place
}

// line is what waits for one receiver. Guarded by the room's mutex, but for low.
type line struct {
	outs    []*out
	turn    int
	bytes   int       // that wait
	since   time.Time // when something began to wait, or leastTaken had been taken
	taken   int       // bytes since then
	slow    bool      // it took longer than it may
	pumping bool
	drained chan struct{} // closed when little waits again
	low     chan struct{} // holds one when there may be room
	spent   time.Time     // until when what this client has sent itself is more than it may
}

func newLine() line { return line{low: make(chan struct{}, 1)} }

func (l *line) add(o *out) { l.outs = append(l.outs, o) }

// charge notes that the client has sent n bytes, copies for all receivers counted.
func (l *line) charge(now time.Time, n int) {
	if l.spent.Before(now) {
		l.spent = now
	}
	l.spent = l.spent.Add(time.Duration(n) * time.Second / dataRate)
}

// owes is how long the client is to be held up: beyond what it may send in a second.
func (l *line) owes(now time.Time) time.Duration { return l.spent.Sub(now.Add(time.Second)) }

// find returns the way that a channel belongs to, nil when it has ended.
func (l *line) find(ch end) *out {
	for _, o := range l.outs {
		if o.ch == ch {
			return o
		}
	}
	return nil
}

// wait returns what is closed when little waits.
func (l *line) wait() chan struct{} {
	if l.drained == nil {
		l.drained = make(chan struct{})
	}
	return l.drained
}

// poke says that there may be room.
func (l *line) poke() {
	select {
	case l.low <- struct{}{}:
	default:
	}
}

// moved notes that n bytes were sent to the receiver. One who is slow is so until it has taken enough in time, or all.
func (l *line) moved(now time.Time, n int) {
	if l.taken += n; l.taken >= leastTaken {
		l.slow = now.Sub(l.since) > stuck
		l.since, l.taken = now, 0
	}
}

// patience is for how long the receiver may still hold others up: not at all when it is slow.
func (l *line) patience(now time.Time) time.Duration {
	if l.slow {
		return 0
	}
	return stuck - now.Sub(l.since)
}

// took notes that n bytes do not wait any more.
func (l *line) took(n int) {
	l.bytes -= n
	if l.drained != nil && l.bytes < heldUp/2 {
		close(l.drained)
		l.drained = nil
	}
}

// next returns a way that has something to do, the next one in turn.
func (l *line) next() *out {
	for range l.outs {
		l.turn = (l.turn + 1) % len(l.outs)
		if o := l.outs[l.turn]; len(o.queue) > 0 || o.closing || o.ch == nil && o.feed.pipe {
			return o
		}
	}
	return nil
}

// put queues a message, with the mutex held.
func (r *room) put(o *out, m message) {
	l := &o.to.line
	n := len(m.data)
	switch {
	case o.over || o.closing:
		return
	case o.feed.reliability.Lossy && o.bytes+n+o.buffered() > lossyMost:
		return
	case l.bytes+n > lineMost, l.bytes > lossyMost && r.hub.wait.Load()+int64(n) > waitMost+spare:
		r.hub.late.Add(1)
		r.cut(o)
		r.hush(o)
		return
	}
	if l.bytes == 0 {
		l.since, l.taken, l.slow = time.Now(), 0, false
	}
	o.queue = append(o.queue, m)
	o.bytes += n
	l.bytes += n
	if r.hub.wait.Add(int64(n)) > waitMost {
		r.hub.relieve()
	}
	r.pump(o.to)
}

func (o *out) buffered() int {
	if o.ch == nil {
		return 0
	}
	return int(o.ch.Buffered())
}

// cut ends a way at once, with the mutex held: what waits is lost, and the channel is closed.
func (r *room) cut(o *out) {
	if o.over {
		return
	}
	o.over = true
	now := time.Now()
	if o.pause = min(2*o.pause, lastPause); o.pause == 0 || now.Sub(o.since) >= lastPause {
		o.pause = firstPause
	}
	o.again = now.Add(o.pause)
	l := &o.to.line
	r.hub.wait.Add(-int64(o.bytes))
	l.took(o.bytes)
	o.queue, o.bytes = nil, 0
	l.outs = slices.DeleteFunc(l.outs, func(other *out) bool { return other == o })
	if ch := o.ch; ch != nil {
		r.later(func() { _ = ch.Close() })
	}
}

// pump has what waits for a link sent, with the mutex held.
func (r *room) pump(l *link) {
	if !l.line.pumping {
		l.line.pumping = r.hub.run(func() { r.drain(l) })
	}
}

// drain sends what waits for a link until nothing does.
func (r *room) drain(l *link) {
	for {
		r.mu.Lock()
		o := l.line.next()
		if o == nil || l.ended {
			l.line.pumping = false
			r.mu.Unlock()
			return
		}
		if o.closing && len(o.queue) == 0 {
			r.cut(o)
			r.mu.Unlock()
			continue
		}
		ch := o.ch
		r.mu.Unlock()
		if ch == nil {
			r.dial(o)
		} else if !r.send(o, ch) && !r.rest(l) {
			return
		}
	}
}

// dial opens the channel of a way.
func (r *room) dial(o *out) {
	o.to.opening.Lock()
	defer o.to.opening.Unlock()
	f := o.feed
	ch, err := r.hub.open(o.to.at, dtlsserver.ChannelConfig{
		Label: f.label, Protocol: f.kind + ";from=" + f.from.at.Seat, Reliability: f.reliability,
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.cut(o)
		r.hush(o)
	case o.over:
		r.later(func() { _ = ch.Close() })
	default:
		o.ch = ch
	}
}

// send sends the first message of a way; it is false when there is no room.
func (r *room) send(o *out, ch end) bool {
	r.mu.Lock()
	if len(o.queue) == 0 {
		r.mu.Unlock()
		return true // it was cut
	}
	m := o.queue[0]
	r.mu.Unlock()
	if ch.Pending() >= window {
		return false
	}
	err := ch.Send(m.data, m.text)
	if errors.Is(err, dtlsserver.ErrFull) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.cut(o) // a hole is worse than an end
		r.hush(o)
		return true
	}
	if o.over {
		return true
	}
	o.queue[0] = message{}
	if o.queue = o.queue[1:]; len(o.queue) == 0 {
		o.queue = nil
	}
	o.bytes -= len(m.data)
	r.hub.wait.Add(-int64(len(m.data)))
	o.to.line.moved(time.Now(), len(m.data))
	o.to.line.took(len(m.data))
	return true
}

// rest waits until there may be room; it is false when the hub ends.
func (r *room) rest(l *link) bool {
	timer := time.NewTimer(look)
	defer timer.Stop()
	select {
	case <-l.line.low:
	case <-timer.C:
	case <-r.hub.base.Done():
		return false
	}
	return true
}
