package signalserver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
)

// resume goes on with c's session, which must work, on a new socket.
func (c *client) resume() *client {
	c.t.Helper()
	d := c.tryResume(c.welcome.Resume)
	if !d.welcome.Resumed || d.welcome.Session != c.welcome.Session {
		c.t.Fatalf("not resumed: %+v", d.welcome)
	}
	pending, err := d.seq.Resume(d.welcome.Received)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, b := range pending {
		d.raw(string(b))
	}
	return d
}

// tryResume says hello with a token on a new socket.
func (c *client) tryResume(token string) *client {
	c.t.Helper()
	d := c.again()
	return d.hello(signal.Hello{Room: "blue", Resume: token, Received: c.seq.Received()})
}

// pair is two people in a room.
func pair(t *testing.T, h *house) (a, b *client) {
	a = h.enter(t, "blue")
	a.join("Ann")
	b = h.enter(t, "blue")
	b.join("Bob")
	next[*signal.SeatChange](a)
	return a, b
}

func TestResume(t *testing.T) {
	h := onLoopback(t, Config{})
	a, b := pair(t, h)
	if err := b.ws.CloseNow(); err != nil {
		t.Fatal(err)
	}
	if s := next[*signal.SeatChange](a); s.Seat.State != signal.SeatAway {
		t.Errorf("%+v", s)
	}
	a.send(&signal.Chat{ID: "1", Text: "are you there?"})
	next[*signal.Chat](a)
	b = b.resume()
	if c := next[*signal.Chat](b); c.Text != "are you there?" {
		t.Errorf("%+v", c)
	}
	if s := next[*signal.SeatChange](a); s.Seat.State != signal.SeatPresent || s.Seat.Session != b.welcome.Session {
		t.Errorf("%+v", s)
	}
	if b.welcome.Room != nil || b.welcome.ICE == nil {
		t.Errorf("%+v", b.welcome)
	}
}

// TestResumeHalfOpen resumes while the server believes in the old socket.
func TestResumeHalfOpen(t *testing.T) {
	h := onLoopback(t, Config{})
	a, b := pair(t, h)
	old := b
	b = b.resume()
	old.ended()
	b.send(&signal.Chat{ID: "1", Text: "here"})
	if c := next[*signal.Chat](a); c.Text != "here" {
		t.Errorf("%+v", c)
	}
	next[*signal.Chat](b)
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Version: "quiet"})
		a, b := pair(t, h)
		a.listen()
		first := b.welcome.Resume

		// The welcome may get lost: the old token is good until something was sent after the new one.
		lost := b.tryResume(first)
		lost.close()
		if b = b.tryResume(first); !b.welcome.Resumed {
			t.Fatal("the old token must be good until the new one is acknowledged")
		}
		second := b.welcome.Resume
		b.ping()

		// Now the first is acknowledged out. Soon after, it may come from a socket that the client has given up.
		time.Sleep(lateHello - 1)
		if late := b.tryResume(first); late.welcome.Resumed || late.welcome.Session == b.welcome.Session {
			t.Fatal("a token was good twice")
		}
		b.ping()
		if b = b.tryResume(second); !b.welcome.Resumed {
			t.Fatal("a late hello has revoked the tokens")
		}
		third := b.welcome.Resume
		b.ping()

		// Later it is a copy.
		time.Sleep(lateHello)
		if thief := b.tryResume(second); thief.welcome.Resumed {
			t.Fatal("a token was good twice")
		}
		b.ping() // the owner's socket is not disturbed
		if heir := b.tryResume(third); heir.welcome.Resumed {
			t.Error("the tokens were not revoked")
		}
	})
}

// ping makes sure that the session lives.
func (c *client) ping() {
	c.t.Helper()
	c.send(&signal.Ping{ID: 7})
	skipTo[*signal.Pong](c)
}

// TestStolenTicket replays somebody's used token 1,000 times.
func TestStolenTicket(t *testing.T) {
	h := onLoopback(t, Config{Version: "quiet", SessionsPerAddress: 3000})
	a, b := pair(t, h)
	stolen := b.welcome.Resume
	b = b.resume()
	b.send(&signal.Ping{ID: 1})
	next[*signal.Pong](b)
	for range 1000 {
		c := b.tryResume(stolen)
		if c.welcome.Resumed {
			t.Fatal("accepted")
		}
		c.close()
	}
	b.send(&signal.Chat{ID: "1", Text: "undisturbed"})
	skipTo[*signal.Chat](a)
}

func TestResumeRefused(t *testing.T) {
	h := onLoopback(t, Config{Version: "quiet"})
	_, b := pair(t, h)
	for name, c := range map[string]signal.Hello{
		"another room":           {Room: "red", Resume: b.welcome.Resume, Received: b.seq.Received()},
		"garbage":                {Room: "blue", Resume: "garbage", Received: b.seq.Received()},
		"received too little":    {Room: "blue", Resume: b.welcome.Resume, Received: 0},
		"received too much":      {Room: "blue", Resume: b.welcome.Resume, Received: 1000},
		"another's session":      {Room: "blue", Resume: h.keys.ResumeSeal(auth.Resume{Room: "blue", Session: "x"}), Received: 1},
		"an earlier server's":    {Room: "blue", Resume: h.keys.ResumeSeal(auth.Resume{Room: "blue", Session: b.welcome.Session, Generation: 1}), Received: 1},
		"a seat token, confused": {Room: "blue", Resume: h.keys.SeatSeal(auth.Seat{Room: "blue", Seat: "x"}), Received: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "received too little" {
				b.send(&signal.Ping{ID: 1}) // acknowledges what it has
				next[*signal.Pong](b)
			}
			d := h.client(t).connect().hello(c)
			if d.welcome.Resumed || d.welcome.Room == nil {
				t.Errorf("%+v", d.welcome)
			}
		})
	}
	b.send(&signal.Ping{ID: 2})
	next[*signal.Pong](b) // nothing of this disturbed the session
}

// TestReload takes the seat again with a new session.
func TestReload(t *testing.T) {
	h := onLoopback(t, Config{})
	a := h.enter(t, "blue")
	a.join("Ann")
	b := h.enter(t, "blue")
	seat := b.join("Bob")
	next[*signal.SeatChange](a)
	_ = b.ws.CloseNow()
	next[*signal.SeatChange](a)
	b = h.enter(t, "blue")
	b.send(&signal.Join{Name: "Bob", Seat: seat.Token})
	if j := next[*signal.Joined](b); j.Seat != seat.Seat || j.Token != seat.Token {
		t.Errorf("%+v", j)
	}
	if s := next[*signal.SeatChange](a); s.Seat.ID != seat.Seat || s.Seat.Session != b.welcome.Session || s.Seat.State != signal.SeatPresent {
		t.Errorf("%+v", s)
	}
}

// TestReloadWhileHalfOpen claims a seat whose old socket is dead without our knowing.
func TestReloadWhileHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{})
		a := h.enter(t, "blue")
		seat := a.join("Ann")
		b := h.enter(t, "blue")
		start := time.Now()
		b.send(&signal.Join{Name: "Ann", Seat: seat.Token})
		ended := make(chan signal.ByeReason)
		go func() {
			time.Sleep(2 * time.Second) // the page behind it is frozen and answers nothing
			ended <- skipTo[*signal.Bye](a).Reason
		}()
		if j := skipTo[*signal.Joined](b); j.Seat != seat.Seat {
			t.Errorf("%+v", j)
		}
		if took := time.Since(start); took != 1500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if r := <-ended; r != signal.ByeReplaced {
			t.Errorf("%s", r)
		}
	})
}

// TestDuplicatedTab claims a seat whose holder lives.
func TestDuplicatedTab(t *testing.T) {
	h := onLoopback(t, Config{})
	a := h.enter(t, "blue")
	seat := a.join("Ann")
	b := h.enter(t, "blue")
	b.send(&signal.Join{Name: "Ann", Seat: seat.Token})
	a.send(&signal.Pong{ID: next[*signal.Ping](a).ID})
	if j := next[*signal.Joined](b); j.Seat == seat.Seat || len(j.Room.Seats) != 2 {
		t.Errorf("%+v", j)
	}
	if s := next[*signal.SeatChange](a); s.Seat.ID == seat.Seat {
		t.Errorf("%+v", s)
	}
}

// TestSilence lets a socket fall silent, and then the session's time run out.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{})
		a, b := pair(t, h)
		a.wait = time.Hour
		start := time.Now() // from here on b neither reads nor writes: half-open
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-time.After(20 * time.Second):
					a.raw(`{"type":"ping","id":1}`)
				case <-stop:
					return
				}
			}
		}()
		defer func() { close(stop); <-stopped }()
		if s := skipTo[*signal.SeatChange](a); s.Seat.State != signal.SeatAway || time.Since(start) != time.Minute {
			t.Errorf("%+v after %v", s, time.Since(start))
		}
		if !h.srv.Alive(b.welcome.Session) {
			t.Error("not alive within the window")
		}
		start = time.Now()
		if l := skipTo[*signal.Left](a); l.Reason != signal.LeftExpired || time.Since(start) != 10*time.Minute {
			t.Errorf("%+v after %v", l, time.Since(start))
		}
		if h.srv.Alive(b.welcome.Session) {
			t.Error("alive after the window")
		}
	})
}

// TestAcknowledge: what was received is acknowledged after a second, or sixteen messages.
func TestAcknowledge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{})
		a := h.enter(t, "blue")
		a.join("Ann")
		start := time.Now()
		a.send(&signal.Media{Media: signal.MediaState{Camera: true}})
		if text := a.rawRead(); text != `{"type":"ack","ack":2}` || time.Since(start) != time.Second {
			t.Errorf("%s after %v", text, time.Since(start))
		}
		start = time.Now()
		for i := range 16 {
			a.send(&signal.Media{Media: signal.MediaState{Camera: i%2 == 0}})
		}
		if text := a.rawRead(); text != `{"type":"ack","ack":18}` || time.Since(start) != 0 {
			t.Errorf("%s after %v", text, time.Since(start))
		}
	})
}

func (c *client) rawRead() string {
	ctx, cancel := within()
	defer cancel()
	_, b, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// TestRemovedStaysOut: whoever was removed can neither resume nor come back as the session or the seat they were.
func TestRemovedStaysOut(t *testing.T) {
	h := onLoopback(t, Config{})
	a := h.enter(t, "blue")
	a.join("Ann")
	b := h.enter(t, "blue")
	seat := b.join("Bob")
	next[*signal.SeatChange](a)
	a.send(&signal.Remove{Seat: seat.Seat})
	if bye := skipTo[*signal.Bye](b); bye.Reason != signal.ByeRemoved {
		t.Errorf("%+v", bye)
	}
	b.ended()
	c := b.tryResume(b.welcome.Resume)
	if c.welcome.Resumed || c.welcome.Room.May != signal.MayNot || c.welcome.ICE != nil {
		t.Errorf("%+v %+v", c.welcome, c.welcome.Room)
	}
	c.refused(&signal.Join{Name: "Bob"}, signal.CodeRemoved)
	d := h.enter(t, "blue")
	d.refused(&signal.Join{Name: "Bob", Seat: seat.Token}, signal.CodeRemoved)
}

func TestGapAndDuplicates(t *testing.T) {
	h := onLoopback(t, Config{})
	a, b := pair(t, h)
	b.raw(`{"type":"chat","n":1,"id":"x","text":"a duplicate of my join's number"}`)
	b.raw(`{"type":"chat","n":9,"id":"y","text":"a gap"}`)
	e := next[*signal.Error](b)
	if e.Code != signal.CodeOutOfOrder || e.N != 0 {
		t.Errorf("%+v", e)
	}
	b.ended()
	if s := next[*signal.SeatChange](a); s.Seat.State != signal.SeatAway {
		t.Errorf("%+v", s)
	}
	for range maxGaps - 1 {
		b = b.resume()
		b.raw(`{"type":"leave","n":9}`)
		next[*signal.Error](b)
		b.ended()
	}
	b = b.resume()
	b.raw(`{"type":"leave","n":9}`)
	if bye := next[*signal.Bye](b); bye.Reason != signal.ByeProtocol {
		t.Errorf("%+v", bye)
	}
}
