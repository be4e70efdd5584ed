package parley

import (
	"testing"
	"testing/synctest"
	"time"
)

// muzzle lets nothing that comes on a person's socket be heard any more. What is said on it arrives.
func (p *peer) muzzle(t *testing.T) (old *socket) {
	return inside(t, p.room, func(s *state) *socket {
		deaf := *s.session.sock
		deaf.in = make(chan []byte)
		go func(in <-chan []byte) {
			defer close(deaf.in)
			for range in { // until the socket ends
			}
		}(s.session.sock.in)
		s.session.sock = &deaf
		return &deaf
	})
}

// TestLateServer: a socket that falls silent is replaced before its silence counts as a loss, and nobody is told; one that speaks
// again in time stays.
func TestLateServer(t *testing.T) {
	for seed := range seeds() {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, uint64(seed))
			w.meet(Options{})
			end := w.chatter()
			p := w.people[0]
			before := p.misses()
			old := p.muzzle(t)
			began := time.Now()
			for inside(t, p.room, func(s *state) bool { return s.session.sock == old || s.session.wary }) {
				if time.Since(began) > silence {
					t.Fatal("the silent socket is still the one, or missed")
				}
				pass(10 * time.Millisecond)
			}
			t.Log("on another socket after", time.Since(began))
			if n := p.misses() - before; n != 0 {
				t.Errorf("offline %d times", n)
			}
			pass(quietEach / 2)
			first := inside(t, p.room, func(s *state) *socket { return s.session.sock })
			p.muzzle(t)
			pass(silence + 2*pingEach)
			if inside(t, p.room, func(s *state) bool { return s.session.sock == first }) || p.misses() == before {
				t.Error("the second silence within ten seconds is one that counts")
			}
			w.flowing(time.Second)
			end()
		})
	}
}
