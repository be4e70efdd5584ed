package parley

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/test/simnet"
)

// dial brings a person in front of the door, with the interests of the test in their ears.
func (w *world) dial(p *peer, o Options) {
	o.Name, o.Dial = p.name, p.host.DialContext
	o.Log = slog.New(slog.NewTextHandler(&w.diary, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "room" || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		},
	})).With("who", p.name)
	o = o.withDefaults()
	a := address{room: oneRoom, host: serverIP, socket: fmt.Sprintf("ws://%s:%d/ws", serverIP, socketPort)}
	if p == w.people[0] {
		a.secret = w.keys.HostSecret(oneRoom, time.Now())
	}
	k, err := newKit(a, o, simnet.Net{Host: p.host})
	if err != nil {
		w.t.Fatal(err)
	}
	c := &connector{url: a.socket, dial: p.host.DialContext}
	p.room = newRoom(a, o, k, c.open)
	if err := p.room.opened.wait(w.t.Context()); err != nil {
		w.t.Fatal(p.name, err)
	}
	go p.follow(w.t)
}

// follow reads the events of a person until the end.
func (p *peer) follow(t *testing.T) {
	for e := range p.room.Events() {
		switch e := e.(type) {
		case TrackAdded:
			l := &listenerOf{last: time.Now(), from: time.Now()}
			p.mu.Lock()
			if p.ears[e.Track.Source] != nil {
				t.Errorf("%s: a second track of the %s", p.name, e.Track.Source)
			}
			p.ears[e.Track.Source] = l
			p.mu.Unlock()
			go p.hear(e.Track, l)
		case Online:
			if !e.Up {
				p.mu.Lock()
				p.offline++
				p.mu.Unlock()
			}
		case Chat:
			p.mu.Lock()
			p.chats = append(p.chats, e)
			p.mu.Unlock()
		case QualityChanged:
			p.mu.Lock()
			p.rated[e.Person.Name] = append(p.rated[e.Person.Name], e.Quality)
			p.mu.Unlock()
		case Saved:
			p.saved(e)
		case Recalled: // what was said while we were not back after a restart of the server
			for _, c := range e.Messages {
				p.recall(c)
			}
		case Ended:
			if e.Err != nil {
				t.Errorf("%s: the room ended: %v", p.name, e.Err)
			}
		}
	}
}

// saved notes the place of a message. One that was said just before a person was back is recalled later.
func (p *peer) saved(e Saved) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range p.chats {
		if c.ID == e.ID && c.From == e.From {
			p.chats[i].Seq = e.Seq
		}
	}
	p.sort()
}

// recall puts a message where it belongs in the history. One that came back live may have been said before those that
// the server recalls, or after them.
func (p *peer) recall(c Chat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	same := func(d Chat) bool { return d.ID == c.ID && d.From == c.From }
	if i := slices.IndexFunc(p.chats, same); i >= 0 {
		p.chats[i].Seq = c.Seq
	} else {
		p.chats = append(p.chats, c)
	}
	p.sort()
}

func (p *peer) sort() {
	slices.SortStableFunc(p.chats, func(a, b Chat) int { // what is not saved yet comes last
		return cmp.Compare(a.Seq-1, b.Seq-1) // 0 wraps around to the largest number
	})
}

func (p *peer) hear(track *Track, l *listenerOf) {
	for {
		if _, err := track.ReadRTP(context.Background()); err != nil {
			return
		}
		now := time.Now()
		p.mu.Lock()
		l.gap = max(l.gap, now.Sub(later(l.last, l.from)))
		l.last = now
		l.packets++
		p.mu.Unlock()
	}
}

// misses is how often a person was told that signalling is lost.
func (p *peer) misses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offline
}

// mark begins to measure gaps anew.
func (p *peer) mark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.ears {
		l.from, l.gap = time.Now(), 0
	}
}

// silent is how long a person has heard nothing now, and the longest gap since mark.
func (p *peer) silent() (now, longest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ears) < 2 {
		return time.Hour, time.Hour
	}
	for _, l := range p.ears {
		quiet := time.Since(later(l.last, l.from))
		now, longest = max(now, quiet), max(longest, l.gap, quiet)
	}
	return now, longest
}

// meet lets both in, with sound and pictures, and waits until both get them. Ann makes the room; a coin decides who
// sits later, and so makes the links.
func (w *world) meet(o Options) {
	ann, bob := w.people[0], w.people[1]
	for _, p := range w.people {
		w.dial(p, o)
		publishBoth(w.t, p.room)
		if err := p.room.Join(w.t.Context()); err != nil {
			w.t.Fatal(p.name, err)
		}
	}
	if w.rand.IntN(2) == 0 {
		w.flowing(time.Minute)
		if err := ann.room.Leave(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		pass(time.Second) // virtual: the old tracks end
		for _, p := range []*peer{ann, bob} {
			p.mu.Lock()
			clear(p.ears)
			p.mu.Unlock()
		}
		if err := ann.room.Join(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	w.flowing(time.Minute)
}

// flowing waits until both hear and see the other.
func (w *world) flowing(limit time.Duration) {
	w.t.Helper()
	for began := time.Now(); time.Since(began) < limit; pass(20 * time.Millisecond) {
		a, _ := w.people[0].silent()
		b, _ := w.people[1].silent()
		if a < 150*time.Millisecond && b < 150*time.Millisecond {
			return
		}
	}
	a, _ := w.people[0].silent()
	b, _ := w.people[1].silent()
	w.t.Fatalf("no media after %v: Ann hears nothing for %v, Bob for %v\n%s\n%s", limit, a, b, w.people[0].tell(w.t), w.people[1].tell(w.t))
}

// tell says how a person's links stand.
func (p *peer) tell(t *testing.T) string {
	return inside(t, p.room, func(s *state) string {
		out := fmt.Sprintf("%s: online %v doubt %v seat %q", p.name, s.session.online(), s.session.doubt, s.me)
		for _, main := range s.links {
			for _, l := range main.each() {
				out += fmt.Sprintf("; link %.4s %s mine %v up %v ice %v signalling %v active %v failures %d %v",
					l.id, l.kind, l.mine, l.up, l.pc.ICEConnectionState(), l.pc.SignalingState(), main.bond.active == l, main.bond.failures, l.path)
			}
		}
		return out
	})
}

// chatter says something now and then until the returned function is called, which waits for everything to arrive and
// checks it.
func (w *world) chatter() (end func()) {
	stop := make(chan struct{})
	var talking sync.WaitGroup
	for _, p := range w.people {
		talking.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
				}
				_, err := p.room.Chat(context.Background(), fmt.Sprintf("%s %d", p.name, p.said))
				if errors.Is(err, ErrClosed) {
					return // the test failed
				}
				if err != nil {
					w.t.Errorf("%s cannot chat: %v", p.name, err)
					return
				}
				p.said++
			}
		})
	}
	return func() {
		w.t.Helper()
		close(stop)
		talking.Wait()
		want := w.people[0].said + w.people[1].said
		for range 300 {
			if w.people[0].heard() >= want && w.people[1].heard() >= want {
				break
			}
			pass(100 * time.Millisecond)
		}
		for _, p := range w.people {
			p.complete(w.t, w.people)
		}
	}
}

func (p *peer) heard() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.chats)
}

// complete checks that a person got every message once, those of one sender in order.
func (p *peer) complete(t *testing.T, people [2]*peer) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	next := map[string]int{}
	for _, chat := range p.chats {
		text := chat.Text
		var name string
		var n int
		if _, err := fmt.Sscanf(text, "%s %d", &name, &n); err != nil || n != next[name] {
			t.Errorf("%s got %q, want number %d: %v; of %+v", p.name, text, next[name], err, p.chats)
			return
		}
		next[name]++
	}
	for _, q := range people {
		if next[q.name] != q.said {
			t.Errorf("%s got %d of %s's %d messages", p.name, next[q.name], q.name, q.said)
		}
	}
}
