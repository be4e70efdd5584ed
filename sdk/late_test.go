package parley

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// muzzle lets nothing be heard of what comes on a person's socket, until release is called. What is said on it arrives.
func (p *peer) muzzle(t *testing.T) (muzzled *socket, release func()) {
	var speaks atomic.Bool
	return p.filter(t, func([]byte) bool { return speaks.Load() }), func() { speaks.Store(true) }
}

// filter lets be heard what passes of what comes on a person's socket.
func (p *peer) filter(t *testing.T, passes func([]byte) bool) *socket {
	return inside(t, p.room, func(s *state) *socket {
		deaf := *s.session.sock
		deaf.in = make(chan []byte)
		go func(in <-chan []byte) {
			defer close(deaf.in)
			for b := range in { // until the socket ends
				if passes(b) {
					deaf.in <- b
				}
			}
		}(s.session.sock.in)
		s.session.sock = &deaf
		return &deaf
	})
}

// through makes the sockets that a person opens from now on go through wrap.
func (p *peer) through(t *testing.T, wrap func(*socket) *socket) {
	inside(t, p.room, func(s *state) bool {
		connect := s.session.connect
		s.session.connect = func(ctx context.Context) (*socket, error) {
			sock, err := connect(ctx)
			if err != nil {
				return nil, err
			}
			return wrap(sock), nil
		}
		return true
	})
}

// dropping is a path on which nothing is answered.
func dropping(ctx context.Context) (*socket, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// sockOf is the socket that a person's session is on.
func (p *peer) sockOf(t *testing.T) *socket {
	return inside(t, p.room, func(s *state) *socket { return s.session.sock })
}

// TestLateServer: a socket that falls silent is replaced before its silence counts as a loss, and nobody is told; the
// next one soon after too, since the first was no false alarm.
func TestLateServer(t *testing.T) {
	for seed := range seeds() {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, uint64(seed))
			w.meet(Options{})
			end := w.chatter()
			p := w.people[0]
			before := p.misses()
			for range 3 {
				old, _ := p.muzzle(t)
				began := time.Now()
				for p.sockOf(t) == old {
					if time.Since(began) > silence {
						t.Fatal("the silent socket is still the one")
					}
					pass(10 * time.Millisecond)
				}
				t.Log("on another socket after", time.Since(began))
				pass(time.Second)
			}
			if n := p.misses() - before; n != 0 {
				t.Errorf("offline %d times", n)
			}
			w.flowing(time.Second)
			end()
		})
	}
}

// TestLateServerAnswersNothing: messages that come are no answers; where only what we say is lost, the socket is replaced
// all the same.
func TestLateServerAnswersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.meet(Options{})
		p, other := w.people[0], w.people[1]
		before := p.misses()
		var messages atomic.Int32
		old := p.filter(t, func(b []byte) bool {
			m, fault := signal.Decode(b, signal.FromServer)
			if fault != nil {
				return false
			}
			if _, pong := m.(*signal.Pong); pong {
				return false
			}
			messages.Add(1)
			return true
		})
		for i := range 8 {
			if err := other.room.Hand(t.Context(), i%2 == 0); err != nil {
				t.Fatal(err)
			}
			pass(100 * time.Millisecond)
		}
		if messages.Load() == 0 {
			t.Fatal("nothing came: this shows nothing")
		}
		if p.sockOf(t) == old {
			t.Error("the socket that answers nothing is still the one")
		}
		if n := p.misses() - before; n != 0 {
			t.Errorf("offline %d times", n)
		}
		w.flowing(time.Second)
	})
}

// TestNobodyIsLateAtTheDoor: in front of the door one pings seldom, and a server that has not been asked for long owes no
// answer when somebody joins.
func TestNobodyIsLateAtTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.meet(Options{})
		p := w.people[0]
		if err := p.room.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(90 * time.Second)
		if err := p.room.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(pingEach)
		if late := inside(t, p.room, func(s *state) bool { return s.session.wary || !s.session.warned.IsZero() }); late {
			t.Error("another socket is tried")
		}
	})
}

// TestLateServerSpeaks: one that speaks again before another socket is there stays, and the others are given up.
func TestLateServerSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.meet(Options{})
		p := w.people[0]
		before := p.misses()
		inside(t, p.room, func(s *state) bool {
			s.session.connect = dropping
			return true
		})
		old, release := p.muzzle(t)
		pass(pingEach + lateness + 200*time.Millisecond)
		if tried := inside(t, p.room, func(s *state) bool { return s.session.wary && len(s.session.attempts) > 0 }); !tried {
			t.Error("no other socket is tried")
		}
		release()
		pass(2 * pingEach)
		if p.sockOf(t) != old || p.misses() != before {
			t.Errorf("the old socket is not the one, or was missed %d times", p.misses()-before)
		}
		if still := inside(t, p.room, func(s *state) bool { return s.session.wary || len(s.session.attempts) > 0 }); still {
			t.Error("another socket is still tried")
		}
		// It was a false alarm: the next one within ten seconds waits until it counts.
		p.muzzle(t)
		pass(pingEach + lateness + 200*time.Millisecond)
		if tried := inside(t, p.room, func(s *state) bool { return s.session.wary }); tried {
			t.Error("another socket is tried again, soon after that was in vain")
		}
		pass(silence)
		if p.misses() == before {
			t.Error("a silence that lasts is not missed")
		}
		w.flowing(time.Second)
	})
}

// TestLateServerCloses: the server closes the old socket for the new one, and that is seen before the welcome is.
func TestLateServerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.meet(Options{})
		end := w.chatter()
		p := w.people[0]
		before := p.misses()
		p.through(t, func(sock *socket) *socket {
			slow := *sock
			slow.in = make(chan []byte)
			go func() {
				defer close(slow.in)
				time.Sleep(100 * time.Millisecond) // virtual: the welcome's way
				for b := range sock.in {
					slow.in <- b
				}
			}()
			return &slow
		})
		old, _ := p.muzzle(t)
		gone := false
		for began := time.Now(); ; pass(5 * time.Millisecond) {
			sock := p.sockOf(t)
			gone = gone || sock == nil
			if sock != nil && sock != old {
				break
			}
			if time.Since(began) > 2*time.Second {
				t.Fatal("there is no other socket")
			}
		}
		pass(200 * time.Millisecond)
		if !gone || p.misses() != before {
			t.Errorf("closed before the welcome: %v; missed %d times", gone, p.misses()-before)
		}
		w.flowing(time.Second)
		end()
	})
}

// TestHelloIsOvertaken: what is said on the old socket after hello arrives before it. The session goes on, for nothing
// is acknowledged that hello does not say.
func TestHelloIsOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.meet(Options{})
		p := w.people[0]
		var late atomic.Int32
		p.through(t, func(sock *socket) *socket {
			slow := *sock
			slow.out = make(chan []byte, cap(sock.out))
			go func() {
				defer close(sock.out)
				for first := true; ; first = false {
					select {
					case b, ok := <-slow.out:
						if !ok {
							return
						}
						if first {
							late.Add(1)
							time.Sleep(500 * time.Millisecond) // virtual: hello's way, while the old socket lives
						}
						sock.out <- b
					case <-sock.done:
						return
					}
				}
			}()
			return &slow
		})
		session := func() string { return inside(t, p.room, func(s *state) string { return s.session.id }) }
		id := session()
		old, release := p.muzzle(t)
		pass(pingEach + lateness + 100*time.Millisecond) // hello is said by now
		release()
		for began := time.Now(); p.sockOf(t) == old; pass(10 * time.Millisecond) {
			if time.Since(began) > 2*time.Second {
				t.Fatal("there is no other socket")
			}
			for range 3 {
				_, _ = w.people[1].room.Chat(t.Context(), "meanwhile")
			}
		}
		if late.Load() != 1 || session() != id {
			t.Errorf("%d hellos were late, and the session is %s, not %s", late.Load(), session(), id)
		}
		w.flowing(time.Second)
	})
}
