package hub

import (
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/mediaserver"
)

// end is what is needed of a data channel with a client.
type end interface {
	channel
	// Buffered is how many bytes wait to be sent on it, Pending on all channels of the client.
	Buffered() uint64
	Pending() int
	Close() error
}

// feed is a channel that a client has opened to send on: to everybody, or, as a pipe, to one, who answers on it.
type feed struct {
	from        *link
	in          end
	label, kind string
	reliability dtlsserver.Reliability
	pipe        bool
	outs        map[*link]*out // guarded by the room's mutex
	back        *out           // of a pipe: what the other one answers
}

// Opened notes a data channel: mediaserver.Data.
func (h *Hub) Opened(at mediaserver.Link, ch *dtlsserver.Channel) {
	h.take(at, ch, ch.ChannelConfig, ch.Local)
}

// take takes a channel that is open.
func (h *Hub) take(at mediaserver.Link, ch end, c dtlsserver.ChannelConfig, ours bool) {
	l := h.linked(at)
	switch {
	case ours:
	case l == nil:
		_ = ch.Close() // of a link that has ended
	case c.ID == controlID:
		l.session.room.opened(l, ch)
	default:
		l.session.room.feed(l, ch, c)
	}
}

// address reads the protocol of a channel: what kind it is, and whose it is to be, "" for everybody. A protocol that the hub hands on
// is parley.KIND.v1 with or without ;to=SEAT.
func address(protocol string) (kind, to string, ok bool) {
	kind, rest, parameter := strings.Cut(protocol, ";")
	if parameter {
		if to, ok = strings.CutPrefix(rest, "to="); !ok || to == "" {
			return "", "", false
		}
	}
	return kind, to, strings.HasPrefix(kind, "parley.") && strings.HasSuffix(kind, ".v1") && len(kind) > len("parley..v1")
}

// feed takes a channel on which a client is going to send.
func (r *room) feed(l *link, ch end, c dtlsserver.ChannelConfig) {
	kind, to, ok := address(c.Protocol)
	if !ok {
		_ = ch.Close()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	dest := r.seats[to]
	if l.ended || to != "" && (dest == nil || dest == l) || !l.may(to != "", time.Now()) {
		r.later(func() { _ = ch.Close() })
		return
	}
	f := &feed{from: l, in: ch, label: c.Label, kind: kind, reliability: c.Reliability, pipe: to != "", outs: map[*link]*out{}}
	l.feeds[ch] = f
	if f.pipe {
		f.back = &out{feed: f, to: l, ch: ch}
		l.line.add(f.back)
		r.out(f, dest)
		r.pump(dest)
	}
}

// may reports whether a client may open another channel to send on, with the mutex held: everybody else gets one for it, or, of a
// pipe, somebody.
func (l *link) may(pipe bool, now time.Time) bool {
	if pipe {
		return l.session.pipes.take(now, pipeEach, pipeBurst)
	}
	n := 0
	for _, f := range l.feeds {
		if !f.pipe {
			n++
		}
	}
	return n < maxFeeds && l.session.feeds.take(now, feedEach, feedBurst)
}

// later does something that must not be done with the mutex held.
func (r *room) later(f func()) { r.hub.run(f) }

// Message takes a message of a client's, and holds its channel up while others cannot take it: mediaserver.Data.
func (h *Hub) Message(at mediaserver.Link, ch *dtlsserver.Channel, message []byte, text bool) {
	h.carry(at, ch, ch.ID, message, text)
}

// carry is Message.
func (h *Hub) carry(at mediaserver.Link, ch end, id uint16, data []byte, text bool) {
	l := h.linked(at)
	if l == nil {
		return
	}
	if id == controlID {
		h.heard(l, data, text)
		return
	}
	r := l.session.room
	m := message{append([]byte(nil), data...), text}
	f, o := r.whose(l, ch)
	r.mu.Lock()
	if f == nil && o != nil && o.feed.pipe {
		f = o.feed
	}
	if f == nil || f.reliability.Lossy && l.line.owes(time.Now()) > 0 {
		r.mu.Unlock()
		return
	}
	to := []*link{f.from}
	if f.from == l {
		to = r.spread(f, m)
	} else {
		r.put(f.back, m)
	}
	l.line.charge(time.Now(), len(data)*len(to))
	r.mu.Unlock()
	if !f.reliability.Lossy {
		r.hold(l, to)
	}
}

// whose finds what a channel of a client belongs to: one that it has opened to send on, or one that it was opened.
func (r *room) whose(l *link, ch end) (f *feed, o *out) {
	r.mu.Lock()
	f, o = l.feeds[ch], l.line.find(ch)
	r.mu.Unlock()
	if f == nil && o == nil {
		l.opening.Lock()
		r.mu.Lock()
		o = l.line.find(ch)
		r.mu.Unlock()
		l.opening.Unlock()
	}
	return f, o
}

// spread queues a message for all whose it is, with the mutex held, and returns them.
func (r *room) spread(f *feed, m message) []*link {
	to := make([]*link, 0, len(r.seats))
	if f.pipe {
		for l, o := range f.outs {
			to = append(to, l)
			r.put(o, m)
		}
		return to
	}
	for _, l := range r.seats {
		if l.at.Seat == f.from.at.Seat || l.control == nil {
			continue
		}
		to = append(to, l)
		r.put(r.out(f, l), m)
	}
	return to
}

// out returns the way of a feed to a receiver, with the mutex held: another one when the last is over, after a pause.
func (r *room) out(f *feed, l *link) *out {
	old := f.outs[l]
	if old != nil && (!old.over || time.Now().Before(old.again)) {
		return old
	}
	o := &out{feed: f, to: l, since: time.Now()}
	if old != nil {
		o.pause = old.pause
	}
	f.outs[l] = o
	l.line.add(o)
	return o
}

// hold waits until those to whom a client sends have taken enough, and as long as it takes to stay below what one may send. Who takes
// next to nothing holds nobody up.
func (r *room) hold(from *link, to []*link) {
	r.pace(from)
	for _, l := range to {
		for {
			r.mu.Lock()
			wait := l.line.patience(time.Now())
			if l.ended || from.ended || l.line.bytes < heldUp || wait <= 0 {
				l.line.slow = l.line.slow || wait <= 0 && l.line.bytes >= heldUp
				r.mu.Unlock()
				break
			}
			drained := l.line.wait()
			r.mu.Unlock()
			timer := time.NewTimer(wait)
			select {
			case <-drained:
			case <-timer.C:
			case <-r.hub.base.Done():
				timer.Stop()
				return
			}
			timer.Stop()
		}
	}
}

// pace holds a client up that has sent more than it may.
func (r *room) pace(from *link) {
	r.mu.Lock()
	wait := from.line.owes(time.Now())
	r.mu.Unlock()
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.hub.base.Done():
	}
}

// Low says that there is room again: mediaserver.Data.
func (h *Hub) Low(at mediaserver.Link, _ *dtlsserver.Channel) {
	if l := h.linked(at); l != nil {
		l.line.poke()
	}
}

// Closed notes that a data channel has closed: mediaserver.Data.
func (h *Hub) Closed(at mediaserver.Link, ch *dtlsserver.Channel) { h.drop(at, ch) }

// drop closes what belongs to a channel that has closed, once what waits has been sent.
func (h *Hub) drop(at mediaserver.Link, ch end) {
	l := h.linked(at)
	if l == nil {
		return
	}
	r := l.session.room
	f, o := r.whose(l, ch)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case f != nil:
		r.stop(f)
	case o != nil:
		r.cut(o)
		r.hush(o)
	}
}

// hush closes the channel of who asked for a pipe whose other end is gone, with the mutex held.
func (r *room) hush(o *out) {
	if back := o.feed.back; back != nil && back != o {
		back.closing = true
		r.pump(o.feed.from)
	}
}

// stop ends a feed, with the mutex held: its receivers get what waits for them.
func (r *room) stop(f *feed) {
	delete(f.from.feeds, f.in)
	for l, o := range f.outs {
		o.closing = true
		r.pump(l)
	}
	if f.back != nil {
		r.cut(f.back)
	}
}

// unplug takes a link out of everybody's data, with the mutex held.
func (r *room) unplug(l *link) {
	for _, f := range l.feeds {
		r.stop(f)
	}
	for _, o := range append([]*out(nil), l.line.outs...) {
		r.cut(o)
		r.hush(o)
	}
	for _, s := range r.sessions {
		for _, other := range s.links {
			for _, f := range other.feeds {
				delete(f.outs, l)
			}
		}
	}
	l.line.poke()
}
