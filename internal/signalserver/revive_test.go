package signalserver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
)

// comeBack says hello to the server after the restart with the token of before.
func (c *client) comeBack(h *house) *client {
	c.t.Helper()
	d := h.client(c.t).connect().hello(signal.Hello{Room: "blue", Resume: c.welcome.Resume, Received: c.seq.Received()})
	if !d.welcome.Reset || d.welcome.Resumed || d.welcome.Session != c.welcome.Session || d.welcome.Room == nil {
		c.t.Fatalf("not taken back: %+v", d.welcome)
	}
	return d
}

// seats lists the seats of a room as "name state", in order.
func seats(r *signal.RoomState) (list []string) {
	for _, x := range r.Seats {
		list = append(list, x.Name+" "+string(x.State))
	}
	return list
}

func wantSeats(t *testing.T, r *signal.RoomState, want ...string) {
	t.Helper()
	got := seats(r)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("seats %q, want %q", got, want)
		}
	}
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Keeper: newMemory(time.Millisecond)})
		a := h.enter(t, "blue")
		ann := a.join("Ann")
		b := h.enter(t, "blue")
		bob := b.join("Bob")
		next[*signal.SeatChange](a)
		a.send(&signal.Lock{On: true})
		skipTo[*signal.Room](b)
		time.Sleep(time.Second)

		h = h.restart(t)
		if !h.srv.Alive(a.welcome.Session) || !h.srv.Alive(b.welcome.Session) {
			t.Error("relayed links cannot be made again before their sessions return")
		}
		stranger := h.enter(t, "blue")
		if r := stranger.welcome.Room; r.May != signal.MayNot || r.Why != signal.CodeLocked || len(r.Seats) > 0 {
			t.Errorf("the lock is gone: %+v", r)
		}
		b2 := b.comeBack(h)
		wantSeats(t, b2.welcome.Room, "Ann away", "Bob present")
		b2.send(&signal.Join{Name: "Bob", Media: signal.MediaState{Camera: true}, Seat: bob.Token})
		if j := skipTo[*signal.Joined](b2); j.Seat != bob.Seat || j.Token != bob.Token || !j.Room.Locked {
			t.Errorf("%+v", j)
		}
		a2 := a.comeBack(h)
		wantSeats(t, a2.welcome.Room, "Ann present", "Bob present")
		if s := skipTo[*signal.SeatChange](b2); s.Seat.ID != ann.Seat || s.Seat.State != signal.SeatPresent || s.Seat.Session != a.welcome.Session {
			t.Errorf("%+v", s)
		}
		a2.send(&signal.Join{Name: "Ann", Seat: ann.Token})
		if j := skipTo[*signal.Joined](a2); j.Seat != ann.Seat || j.Room.Role != signal.RoleHost {
			t.Errorf("%+v", j)
		}
		a2.send(&signal.Offer{Peer: signal.Peer{To: b.welcome.Session, Link: "l"}, SDP: "v=0"})
		if o := skipTo[*signal.Offer](b2); o.From != a.welcome.Session {
			t.Errorf("%+v", o)
		}
		a2.refused(&signal.Join{Name: "Ann", Seat: ann.Token}, signal.CodeOrder)
		if again := a2.resume(); again.welcome.Reset {
			t.Error("the second resume is no reset")
		}
	})
}

// TestRestartNobodyReturns: the seats of before a restart have their grace time, not more.
func TestRestartNobodyReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(time.Millisecond)
		h := inMemory(t, Config{Keeper: m})
		a, b := pair(t, h)
		time.Sleep(time.Second)
		h = h.restart(t)
		a2 := a.comeBack(h)
		a2.wait = time.Hour
		start := time.Now()
		go keepAlive(t, a2)
		if l := skipTo[*signal.Left](a2); l.Reason != signal.LeftExpired || time.Since(start) != DefaultGrace {
			t.Errorf("%+v after %v", l, time.Since(start))
		}
		if h.srv.Alive(b.welcome.Session) {
			t.Error("the session that never returned is alive")
		}
	})
}

// keepAlive pings until the test ends.
func keepAlive(t *testing.T, c *client) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	for {
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Second):
			_ = c.ws.Write(context.Background(), websocket.MessageText, []byte(`{"type":"ping","id":1}`)) // may have ended
		}
	}
}

// TestRestartLostMemory: the tokens bring back what the store lost.
func TestRestartLostMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(time.Millisecond)
		h := inMemory(t, Config{Keeper: m, Domain: true})
		host := h.keys.HostSecret("blue", time.Now())
		a := h.client(t).connect().hello(signal.Hello{Room: "blue", Host: host})
		ann := a.join("Ann")
		b := h.enter(t, "blue")
		bob := b.join("Bob")
		next[*signal.SeatChange](a)
		b = b.resume() // the newer token says which seat it has
		b.ping()
		time.Sleep(time.Second)
		h.crash()
		m.forget()
		h = inMemory(t, h.srv.cfg)

		b2 := b.comeBack(h) // a guest, first, with a token that says the seat
		wantSeats(t, b2.welcome.Room, "Bob present")
		if !h.srv.Alive(b.welcome.Session) {
			t.Error("the session may not use the relay")
		}
		b2.send(&signal.Join{Name: "Bob", Seat: bob.Token})
		if j := skipTo[*signal.Joined](b2); j.Seat != bob.Seat || j.Room.Role != signal.RoleSpeaker {
			t.Errorf("%+v", j)
		}
		// Ann's resume token is from before her join; the seat token says the seat.
		a2 := h.client(t).connect().hello(signal.Hello{Room: "blue", Host: host, Resume: a.welcome.Resume})
		if !a2.welcome.Reset || a2.welcome.Session != a.welcome.Session {
			t.Fatalf("%+v", a2.welcome)
		}
		a2.send(&signal.Join{Name: "Ann", Seat: ann.Token})
		j := skipTo[*signal.Joined](a2)
		if j.Seat != ann.Seat || j.Room.Role != signal.RoleHost {
			t.Errorf("%+v", j)
		}
		wantSeats(t, &j.Room, "Bob present", "Ann present")
	})
}

// TestRestartNoWayIn: a token is no way into a room that ended, was left, or is too long ago.
func TestRestartNoWayIn(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(t *testing.T, h *house, m *memory, a, b *client)
		after  time.Duration // from the start to the hello
	}{
		"the room ended": {before: func(t *testing.T, _ *house, _ *memory, a, b *client) {
			a.send(&signal.Leave{})
			b.send(&signal.Leave{})
			a.close()
			b.close()
			time.Sleep(DefaultGrace + time.Minute)
		}},
		"too old a token": {before: func(_ *testing.T, _ *house, m *memory, _, _ *client) {
			time.Sleep(25 * time.Hour)
			m.forget()
		}},
		"long after the start": {before: func(_ *testing.T, _ *house, m *memory, _, _ *client) { m.forget() }, after: DefaultGrace},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(time.Millisecond)
				h := inMemory(t, Config{Keeper: m, Domain: true})
				a := h.client(t).connect().hello(signal.Hello{Room: "blue", Host: h.keys.HostSecret("blue", time.Now())})
				a.join("Ann")
				b := h.enter(t, "blue")
				bob := b.join("Bob")
				next[*signal.SeatChange](a)
				b = b.resume()
				b.ping()
				tt.before(t, h, m, a, b)
				time.Sleep(time.Second)
				h.crash()
				if name != "the room ended" {
					m.forget()
				}
				h = inMemory(t, h.srv.cfg)
				time.Sleep(tt.after)
				b2 := b.comeBack(h)
				if len(b2.welcome.Room.Seats) > 0 || b2.welcome.Room.May != signal.MayNot || b2.welcome.Room.Why != signal.CodeNoRoom {
					t.Errorf("%+v", b2.welcome.Room)
				}
				b2.refused(&signal.Join{Name: "Bob", Seat: bob.Token}, signal.CodeNoRoom)
			})
		})
	}
}

// TestRestartLostWelcome: the answer to the first hello after a restart gets lost, and the second hello gets it again.
func TestRestartLostWelcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Version: "quiet", Keeper: newMemory(time.Millisecond)})
		a, b := pair(t, h)
		time.Sleep(time.Second)
		h = h.restart(t)
		lost := b.comeBack(h)
		lost.close()
		found := b.comeBack(h)
		wantSeats(t, found.welcome.Room, "Ann away", "Bob present")
		a.comeBack(h)
		if s := skipTo[*signal.SeatChange](found); s.N != 1 || s.Seat.Name != "Ann" {
			t.Errorf("%+v", s)
		}
		found.ping() // now the token of before is used up
		time.Sleep(lateHello)
		d := h.client(t).connect().hello(signal.Hello{Room: "blue", Resume: b.welcome.Resume})
		if d.welcome.Reset || d.welcome.Session == b.welcome.Session {
			t.Errorf("a used token was good again: %+v", d.welcome)
		}
	})
}

// TestRestartOldToken: what was a copied or superseded token before the restart is one after it.
func TestRestartOldToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Version: "quiet", Keeper: newMemory(time.Millisecond)})
		_, b := pair(t, h)
		stolen := b.welcome.Resume
		for range 2 {
			b = b.resume()
			b.ping()
		}
		time.Sleep(time.Second)
		h = h.restart(t)
		thief := h.client(t).connect().hello(signal.Hello{Room: "blue", Resume: stolen})
		if thief.welcome.Reset || thief.welcome.Session == b.welcome.Session {
			t.Errorf("%+v", thief.welcome)
		}
		b.comeBack(h)
	})
}

// TestRestartRemoved: removals outlive a restart.
func TestRestartRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Keeper: newMemory(time.Millisecond)})
		a := h.enter(t, "blue")
		a.join("Ann")
		b := h.enter(t, "blue")
		bob := b.join("Bob")
		next[*signal.SeatChange](a)
		a.send(&signal.Remove{Seat: bob.Seat})
		skipTo[*signal.Bye](b)
		time.Sleep(time.Second)
		h = h.restart(t)
		b2 := b.comeBack(h)
		if r := b2.welcome.Room; r.May != signal.MayNot || r.Why != signal.CodeRemoved || b2.welcome.ICE != nil {
			t.Errorf("%+v", r)
		}
		b2.refused(&signal.Join{Name: "Bob", Seat: bob.Token}, signal.CodeRemoved)
	})
}

// TestRestartWaiting: who waited, waits on.
func TestRestartWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Keeper: newMemory(time.Millisecond)})
		a := h.enter(t, "blue")
		a.join("Ann")
		a.send(&signal.WaitingRoom{On: true})
		b := h.enter(t, "blue")
		b.send(&signal.Join{Name: "Bob"})
		w := next[*signal.Waiting](b)
		time.Sleep(time.Second)
		h = h.restart(t)
		b2 := b.comeBack(h)
		if len(b2.welcome.Room.Seats) > 0 || !b2.welcome.Room.WaitingRoom {
			t.Errorf("%+v", b2.welcome.Room)
		}
		b2.send(&signal.Join{Name: "Bob", Seat: w.Token})
		if again := skipTo[*signal.Waiting](b2); again.Token != w.Token {
			t.Errorf("%+v", again)
		}
		a2 := a.comeBack(h)
		wantSeats(t, a2.welcome.Room, "Ann present", "Bob waiting")
		a2.send(&signal.Admit{Seat: a2.welcome.Room.Seats[1].ID})
		if j := skipTo[*signal.Joined](b2); len(j.Room.Seats) != 2 {
			t.Errorf("%+v", j)
		}
	})
}

// TestForgedPast: a token that we did not make brings nobody anywhere.
func TestForgedPast(t *testing.T) {
	h := onLoopback(t, Config{})
	foreign := auth.NewKeys(make([]byte, auth.MasterSize)).ResumeSeal(auth.Resume{Room: "blue", Session: "x", Seat: "y", Role: signal.RoleHost, Made: time.Now()})
	c := h.client(t).connect().hello(signal.Hello{Room: "blue", Resume: foreign})
	if c.welcome.Reset || c.welcome.Session == "x" || c.welcome.Room.Exists {
		t.Errorf("%+v", c.welcome)
	}
}
