package signalserver

import (
	"testing"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestWhoClosesYields: a page that goes away gives its seat to whoever comes next, a network that goes away does not.
func TestWhoClosesYields(t *testing.T) {
	h := onLoopback(t, Config{})
	a, b := pair(t, h)
	if err := b.ws.CloseNow(); err != nil {
		t.Fatal(err)
	}
	if s := skipTo[*signal.SeatChange](a); s.Seat.State != signal.SeatAway {
		t.Fatalf("%+v", s)
	}
	h.enter(t, "blue").refused(&signal.Join{Name: "Cyd"}, signal.CodeFull)

	b = b.resume()
	skipTo[*signal.SeatChange](a)
	if err := b.ws.Close(websocket.StatusGoingAway, ""); err != nil {
		t.Fatal(err)
	}
	if s := skipTo[*signal.SeatChange](a); s.Seat.State != signal.SeatAway {
		t.Fatalf("%+v", s)
	}
	d := h.enter(t, "blue")
	d.send(&signal.Join{Name: "Dan"})
	skipTo[*signal.Joined](d)
	if l := skipTo[*signal.Left](a); l.Reason != signal.LeftExpired {
		t.Errorf("%+v", l)
	}
}

// TestEnded: whoever keeps something for a session learns of its end.
func TestEnded(t *testing.T) {
	over := make(chan string, 8)
	h := onLoopback(t, Config{Ended: func(session string) { over <- session }})
	a := h.enter(t, "blue")
	a.join("Ann")
	b := h.enter(t, "blue")
	a.send(&signal.Remove{Seat: b.join("Bob").Seat})
	if got := <-over; got != b.welcome.Session {
		t.Errorf("%s ended, not the one who was removed", got)
	}
	if h.srv.Alive(b.welcome.Session) || !h.srv.Alive(a.welcome.Session) {
		t.Error("the wrong one is alive")
	}
}
