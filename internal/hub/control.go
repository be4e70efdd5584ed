package hub

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
)

// The control channel of a link (docs/protocol.md).
const (
	controlLabel = "parley"
	controlID    = 0
	// maxControl is the longest message on it, in bytes.
	maxControl = 16 << 10
	// maxPixels bounds the width and the height of a place.
	maxPixels = 16384
	// showEach is the shortest time between two changes of what a link shows.
	showEach = 50 * time.Millisecond
	// tellRate and tellBytes are how many messages, and bytes of them, a client may tell others in a second.
	tellRate  = 100
	tellBytes = 256 << 10
	// maxWaiting is how many bytes told by others may wait for a client.
	maxWaiting = 256 << 10
)

// request is what a client says on the control channel. Which fields mean something is for Type to say.
type request struct {
	Type    string          `json:"type"`
	Show    []want          `json:"show"`
	To      string          `json:"to"`
	Message json.RawMessage `json:"message"`
	ID      uint64          `json:"id"`
}

// want is signal.Want as programs write it whose numbers have fractions.
type want struct {
	Mid    string        `json:"mid"`
	Seat   string        `json:"seat"`
	Source signal.Source `json:"source"`
	Width  float64       `json:"width"`
	Height float64       `json:"height"`
	Paused bool          `json:"paused"`
}

// read reads a message of a client; ok is false when it says nothing that is known.
func read(message []byte, text bool) (q request, ok bool) {
	if !text || len(message) > maxControl || json.Unmarshal(message, &q) != nil {
		return request{}, false
	}
	return q, true
}

// wants are those of a request.
func (q *request) wants() []sfu.Want {
	all := make([]sfu.Want, 0, len(q.Show))
	size := func(pixels float64) int { return int(min(max(pixels, 0), maxPixels)) }
	for _, w := range q.Show[:min(len(q.Show), signal.MaxShow)] {
		all = append(all, sfu.Want{MID: w.Mid, Seat: w.Seat, Source: string(w.Source), Width: size(w.Width), Height: size(w.Height), Paused: w.Paused})
	}
	return all
}

// heard obeys a message on the control channel of a link.
func (h *Hub) heard(l *link, message []byte, text bool) {
	q, ok := read(message, text)
	if !ok {
		return
	}
	r := l.session.room
	switch q.Type {
	case "show":
		wants := q.wants()
		r.mu.Lock()
		l.wants = wants
		l.shows++
		r.showing(l)
		r.mu.Unlock()
	case "tell":
		r.pass(l, &q, time.Now())
	case "ping":
		r.answer(l, pong{"pong", q.ID})
	}
}

// showing has somebody tell the media plane what a link is to show now, with the mutex held.
func (r *room) showing(l *link) {
	l.due = true
	if !l.telling {
		l.telling = r.hub.run(func() { r.show(l) })
	}
}

// show tells the media plane what a link is to show, the newest of it, at once and then at most once in showEach.
func (r *room) show(l *link) {
	timer := time.NewTimer(showEach)
	defer timer.Stop()
	for {
		r.mu.Lock()
		if l.ended || !l.due {
			l.telling = false
			r.mu.Unlock()
			return
		}
		wants := l.wants
		l.due = false
		r.mu.Unlock()
		_ = r.hub.plane.Show(r.hub.base, l.at, wants) // a link that has ended shows nothing
		timer.Reset(showEach)
		select {
		case <-timer.C:
		case <-r.hub.base.Done():
			return
		}
	}
}

type pong struct {
	Type string `json:"type"`
	ID   uint64 `json:"id"`
}

// told is what somebody has told somebody.
type told struct {
	Type    string          `json:"type"`
	From    string          `json:"from"`
	Message json.RawMessage `json:"message"`
}

// pass hands a message to the client of another seat, if both may.
func (r *room) pass(l *link, q *request, now time.Time) {
	if len(q.Message) == 0 || q.Message[0] != '{' {
		return
	}
	r.mu.Lock()
	to := r.seats[q.To]
	ok := l.tells.take(now, len(q.Message)) && to != nil && to != l
	r.mu.Unlock()
	if ok {
		r.answer(to, told{"told", l.at.Seat, q.Message})
	}
}

// answer queues a message for a client, behind those that wait. One that finds no room is dropped.
func (r *room) answer(l *link, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.control == nil || l.waiting+len(b) > maxWaiting {
		return
	}
	l.told = append(l.told, b)
	l.waiting += len(b)
	r.wake()
}

// bucket is what a client may still send: so much in a second, and as much at once.
type bucket struct {
	rate, size      float64 // messages and bytes in a second
	at              time.Time
	messages, bytes float64
}

func newBucket(rate, size float64) bucket {
	return bucket{rate: rate, size: size, messages: rate, bytes: size}
}

// take is false when a message of n bytes is too much.
func (b *bucket) take(now time.Time, n int) bool {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.messages = min(b.messages+passed*b.rate, b.rate)
		b.bytes = min(b.bytes+passed*b.size, b.size)
		b.at = now
	}
	if b.messages < 1 || b.bytes < float64(n) {
		return false
	}
	b.messages--
	b.bytes -= float64(n)
	return true
}

// allowance is how often something may be done. Its value is the time at which nothing is owed any more.
type allowance struct{ time.Time }

// take is false when something that may be done once in each, and burst times at once, would be done too often.
func (a *allowance) take(now time.Time, each time.Duration, burst int) bool {
	next := a.Time
	if next.Before(now) {
		next = now
	}
	next = next.Add(each)
	if next.Sub(now) > time.Duration(burst)*each {
		return false
	}
	a.Time = next
	return true
}

// own reports whether a link ended by what its client did.
func own(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, mediaserver.ErrReplaced) }

func peerOf(room, session string) signalserver.HubPeer {
	return signalserver.HubPeer{Room: room, Session: session}
}
