package parley

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestSetUpTime bounds how long a link takes on a long path when nothing could be prepared: from the join to the first
// picture, with the server next door. What takes the time: ICE's checks and its nomination, which waits for a tick of
// 200 ms, DTLS in three flights, and the picture itself.
func TestSetUpTime(t *testing.T) {
	for _, trip := range []time.Duration{200 * time.Millisecond, 400 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			d := newDeskAt(t, trip)
			ka, kb := d.kit(1), d.kit(2)
			d.start()
			a, b := d.dial("Ann", ka), d.dial("Bob", kb)
			publishBoth(t, a)
			publishBoth(t, b)
			if err := a.Join(t.Context()); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if err := b.Join(t.Context()); err != nil {
				t.Fatal(err)
			}
			until(t, b, func(e TrackAdded) bool { return e.Track.Source == Camera })
			trips := float64(time.Since(began)) / float64(trip)
			t.Logf("at %v: %.2f round trips from join to the first picture", trip, trips)
			if trips > 5 {
				t.Errorf("%.2f round trips", trips)
			}
		})
	}
}

func TestLostSessionIsBegunAnew(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		publishBoth(t, a)
		publishBoth(t, b)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		hears(t, a)
		inside(t, a, func(s *state) bool { s.session.sock.cancel(); return true })
		until(t, a, func(e Online) bool { return !e.Up })
		until(t, b, always[Departed]) // this desk keeps no seats
		until(t, a, always[Seated])
		hears(t, a)
		hears(t, b)
	})
}

// TestWordsOutliveALostSession: what was said while the socket was broken arrives once, also when the server had forgotten
// the session.
func TestWordsOutliveALostSession(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		said := inside(t, a, func(s *state) (ids []string) {
			s.cut(errors.New("a broken socket"))
			for _, text := range []string{"one", "two"} {
				id, err := s.chat(text)
				if err != nil {
					t.Error(err)
				}
				ids = append(ids, id)
			}
			return ids
		})
		until(t, a, always[Seated])
		for i, text := range []string{"one", "two"} {
			if m := until(t, b, always[Chat]); m.Text != text || m.ID != said[i] {
				t.Errorf("%d is %q under %s", i, m.Text, m.ID)
			}
		}
		if n := inside(t, a, func(s *state) int { return len(s.unsaid) }); n != 0 {
			t.Errorf("%d messages wait still", n)
		}
	})
}

func TestServerThatIsGone(t *testing.T) {
	t.Run("refused", func(t *testing.T) { goneServer(t, func(d *desk, _ *Room) { close(d.down) }) })
	t.Run("dropped", func(t *testing.T) {
		goneServer(t, func(d *desk, a *Room) {
			inside(d.t, a, func(s *state) bool {
				s.session.connect = dropping
				return true
			})
		})
	})
}

// goneServer is one that falls silent and that nobody can connect to after leave.
func goneServer(t *testing.T, leave func(d *desk, a *Room)) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		d.window = 60
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		until(t, a, func(e PathChanged) bool { return e.Path.Kind == PathDirect })
		began := time.Now()
		d.hush()
		leave(d, a)
		until(t, a, func(e Online) bool { return !e.Up })
		if took := time.Since(began); took < doubtful || took > silence+pingEach {
			t.Errorf("a silent server was noticed after %v, want %v at most", took, silence+pingEach)
		}
		began = time.Now()
		var end Ended
		for e := range a.Events() {
			// Towards the end of the window the other side may give up a moment sooner.
			if changed, ok := e.(PathChanged); ok && time.Since(began) < 55*time.Second {
				t.Errorf("the path to %s became %v", changed.Person.Name, changed.Path)
			}
			if last, ok := e.(Ended); ok {
				end = last
			}
		}
		if took := time.Since(began); end.Err == nil || took < 59*time.Second || took > 65*time.Second {
			t.Errorf("gave up after %v with %v, want the window of 60 s and a reason", took, end.Err)
		}
	})
}
