package signalserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestMalformed: the error names the field, the session stays, and the numbers go on.
func TestMalformed(t *testing.T) {
	h := onLoopback(t, Config{})
	a, b := pair(t, h)
	a.burn(`{"type":"chat","n":2,"id":"x","text":5}`)
	if e := next[*signal.Error](a); e.Code != signal.CodeMalformed || e.Field != "text" || e.Re != 2 {
		t.Errorf("%+v", e)
	}
	a.burn(`{"type":"chat","n":3,"id":"x","text":"good"}`)
	next[*signal.Chat](a)
	a.burn(`{"type":"chat","n":4,"id":"x`)
	if e := next[*signal.Error](a); e.Code != signal.CodeMalformed || e.Re != 4 {
		t.Errorf("%+v", e)
	}
	a.burn(`no json at all`)
	if e := next[*signal.Error](a); e.Code != signal.CodeMalformed || e.Re != 0 {
		t.Errorf("%+v", e)
	}
	a.burn(`{"type":"chat","n":6,"id":"z","text":"five was unreadable"}`)
	next[*signal.Chat](a)
	if _, err := a.seq.Send(&signal.Leave{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := within()
	defer cancel()
	if err := a.ws.Write(ctx, websocket.MessageBinary, []byte(`{"type":"leave","n":7}`)); err != nil {
		t.Fatal(err)
	}
	if e := next[*signal.Error](a); e.Code != signal.CodeMalformed {
		t.Errorf("%+v", e)
	}
	for _, want := range []string{"good", "five was unreadable"} {
		if c := next[*signal.Chat](b); c.Text != want {
			t.Errorf("%+v", c)
		}
	}
}

func TestUnreadableAgainAndAgain(t *testing.T) {
	h := onLoopback(t, Config{Version: "quiet"})
	a, b := pair(t, h)
	for range maxUnreadable {
		a.raw("{")
		next[*signal.Error](a)
	}
	a.raw("{")
	if bye := next[*signal.Bye](a); bye.Reason != signal.ByeProtocol {
		t.Errorf("%+v", bye)
	}
	a.ended()
	if s := next[*signal.SeatChange](b); s.Seat.State != signal.SeatAway {
		t.Errorf("%+v", s)
	}
}

func TestForgedAck(t *testing.T) {
	h := onLoopback(t, Config{})
	a := h.enter(t, "blue")
	a.raw(`{"type":"ack","ack":1000}`)
	if bye := next[*signal.Bye](a); bye.Reason != signal.ByeProtocol {
		t.Errorf("%+v", bye)
	}
}

func TestSizes(t *testing.T) {
	h := onLoopback(t, Config{})
	a, b := pair(t, h)
	sdp := strings.Repeat("a=x\r\n", 60_000)
	a.send(&signal.Offer{Peer: signal.Peer{To: b.welcome.Session, Link: "l"}, SDP: sdp})
	if o := next[*signal.Offer](b); o.SDP != sdp || o.From != a.welcome.Session || o.Early {
		t.Errorf("%d bytes from %s", len(o.SDP), o.From)
	}
	for i, text := range []string{
		`{"type":"chat","n":3,"id":"x","text":"` + strings.Repeat("x", 100_000) + `"}`,
		`{"type":"offer","n":4,"to":"x","link":"l","sdp":"` + strings.Repeat("x", 2<<20) + `"}`,
		`{"n":5,"sdp":"` + strings.Repeat("x", 100_000) + `","type":"offer","to":"x","link":"l"}`, // the type comes too late
	} {
		a.burn(text)
		if e := next[*signal.Error](a); e.Code != signal.CodeTooLarge || e.Re != uint64(3+i) {
			t.Errorf("%+v", e)
		}
	}
	a.burn(`{"type":"chat","n":6,"id":"x","text":"still here"}`)
	next[*signal.Chat](a)
	b.raw(`{"type":"offer","n":2,"sdp":"` + strings.Repeat("x", discardLimit) + `"}`)
	if code := b.ended(); code != websocket.StatusMessageTooBig && code != -1 {
		t.Errorf("closed with %d", code)
	}
	if s := next[*signal.SeatChange](a); s.Seat.State != signal.SeatAway {
		t.Errorf("%+v", s)
	}
}

// TestFlood: whoever floods is closed, and the others do not feel it.
func TestFlood(t *testing.T) {
	h := onLoopback(t, Config{Version: "quiet"})
	a, b := pair(t, h)
	quiet, _ := roundTrips(b, 200)
	const most = 10_000_000
	flooded := make(chan int)
	go func() {
		n := 0
		for ; n < most; n++ {
			ctx, cancel := within()
			err := a.ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"ping","id":%d}`, n))
			cancel()
			if err != nil {
				break
			}
		}
		flooded <- n
	}()
	busy, away := roundTrips(b, 200)
	n := <-flooded
	if bye := skipTo[*signal.Bye](a); bye.Reason != signal.ByeFlood || bye.Retry == 0 {
		t.Errorf("%+v", bye)
	}
	if n == most {
		t.Error("never stopped")
	}
	if !away {
		skipTo[*signal.SeatChange](b)
	}
	b.send(&signal.Chat{ID: "1", Text: "that was loud"})
	next[*signal.Chat](b)
	t.Logf("p99 round trip: %v alone, %v beside a flood of %d messages", quiet, busy, n)
}

// roundTrips returns the 99th percentile of n pings and pongs, and whether a seat changed meanwhile.
func roundTrips(c *client, n int) (p99 time.Duration, changed bool) {
	var all []time.Duration
	for i := range n {
		start := time.Now()
		c.send(&signal.Ping{ID: uint64(i)})
		for {
			m, err := c.read()
			if err != nil {
				c.t.Fatal(err)
			}
			if _, ok := m.(*signal.SeatChange); ok {
				changed = true
			}
			if p, ok := m.(*signal.Pong); ok && p.ID == uint64(i) {
				break
			}
		}
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	return all[n*99/100], changed
}

func TestControlFlood(t *testing.T) {
	h := onLoopback(t, Config{})
	a := h.enter(t, "blue")
	ctx, cancel := within()
	defer cancel()
	reading := make(chan struct{})
	go func() { // pongs are seen only by a reader
		defer close(reading)
		_, _ = a.read()
		a.close()
	}()
	var err error
	for range 10 * maxControls {
		if err = a.ws.Ping(ctx); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("never stopped")
	}
	<-reading
}

// TestSlowReader: somebody who does not read loses the socket, not the session, and delays nobody.
func TestSlowReader(t *testing.T) {
	text := strings.Repeat("x", 200_000)
	for name, tt := range map[string]struct {
		offers int
		wait   time.Duration
	}{
		"too much waits": {18, 0},
		"for too long":   {3, writeTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := inMemory(t, Config{})
				a, b := pair(t, h)
				start := time.Now()
				for i := range tt.offers {
					a.send(&signal.Offer{Peer: signal.Peer{To: b.welcome.Session, Link: fmt.Sprint(i)}, SDP: text})
					synctest.Wait() // the writer has the first, and all others wait behind it
				}
				if s := next[*signal.SeatChange](a); s.Seat.State != signal.SeatAway || time.Since(start) != tt.wait {
					t.Errorf("%+v after %v", s, time.Since(start))
				}
				b = b.resume()
				for i := range tt.offers {
					if o := next[*signal.Offer](b); o.Link != fmt.Sprint(i) {
						t.Fatalf("link %s, want %d", o.Link, i)
					}
				}
			})
		})
	}
}

// TestNoAcknowledgement: a client that never acknowledges ends before it costs much memory.
func TestNoAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Version: "quiet"})
		a, b := pair(t, h)
		a.listen()
		reason := make(chan signal.ByeReason, 1)
		go func() { // reads, and says nothing
			defer close(reason)
			for {
				_, raw, err := b.ws.Read(context.Background())
				if err != nil {
					return
				}
				if m, _ := signal.Decode(raw, signal.FromServer); m.Head().Type == signal.TypeBye {
					reason <- m.(*signal.Bye).Reason
				}
			}
		}()
		for i := range signal.MaxUnacked + 10 {
			a.raw(fmt.Sprintf(`{"type":"candidate","n":%d,"to":%q,"link":"l","candidate":{"candidate":""}}`, 2+i, b.welcome.Session))
			time.Sleep(20 * time.Millisecond) // below the flood limit
		}
		if r := <-reason; r != signal.ByeProtocol {
			t.Errorf("ended with %q", r)
		}
	})
}

// TestPanic: a fault of ours while one session's message is obeyed ends that session only.
func TestPanic(t *testing.T) {
	h := onLoopback(t, Config{Version: "quiet", Shards: 1})
	a, b := pair(t, h)
	c := h.client(t)
	c.host = "panic" // see fakeICE
	c.connect()
	c.raw(`{"type":"hello","client":{"name":"x"},"room":"blue"}`)
	if bye := next[*signal.Bye](c); bye.Reason != signal.ByeFault || bye.Retry == 0 {
		t.Errorf("%+v", bye)
	}
	c.ended()
	a.send(&signal.Chat{ID: "1", Text: "all well?"})
	if m := skipTo[*signal.Chat](b); m.Text != "all well?" {
		t.Errorf("%+v", m)
	}
}

// TestIsolation tries 10,000 times to reach people of another room by their identifiers.
func TestIsolation(t *testing.T) {
	synctest.Test(t, isolation)
}

func isolation(t *testing.T) {
	h := inMemory(t, Config{Heartbeat: time.Hour})
	var seats, sessions []string
	var others []*client
	for range 2 {
		c := h.enter(t, "red")
		j := c.join("Red")
		seats, sessions = append(seats, j.Seat), append(sessions, c.welcome.Session)
		others = append(others, c)
	}
	next[*signal.SeatChange](others[0]) // the other one's arrival, and nothing else
	heard := make(chan signal.Message, 10_000)
	for _, c := range others {
		c.wait = time.Hour
		go func() {
			for {
				m, err := c.read()
				heard <- m
				if err != nil {
					return
				}
			}
		}()
	}
	eve := h.enter(t, "blue")
	eve.join("Eve")
	attacks := func(seat, session string) []signal.Message {
		peer := signal.Peer{To: session, Link: "l"}
		return []signal.Message{
			&signal.Offer{Peer: peer, SDP: "v"}, &signal.Answer{Peer: peer, SDP: "v"}, &signal.Candidate{Peer: peer},
			&signal.EndOfCandidates{Peer: peer}, &signal.Renegotiate{Peer: peer}, &signal.CloseLink{Peer: peer},
			&signal.Mute{Seat: seat, Source: signal.SourceMicrophone}, &signal.Admit{Seat: seat}, &signal.Remove{Seat: seat},
		}
	}
	for i := 0; i < 10_000; {
		for _, m := range attacks(seats[i%2], sessions[i%2]) {
			n := eve.send(m)
			if e := next[*signal.Error](eve); e.Re != n || e.Code != signal.CodeNoPeer {
				t.Fatalf("%+v for %#v", e, m)
			}
			i++
			time.Sleep(10 * time.Millisecond) // in virtual time, to stay below the flood limit
		}
	}
	synctest.Wait()
	if len(heard) > 0 {
		t.Errorf("the other room heard %#v", <-heard)
	}
	for _, c := range others {
		if !h.srv.Alive(c.welcome.Session) {
			t.Error("a session of the other room has ended")
		}
	}
}

// TestIdleSockets: many sockets that say nothing do not slow an honest join.
func TestIdleSockets(t *testing.T) {
	h := onLoopback(t, Config{SessionsPerAddress: 5000})
	idle := make([]net.Conn, 0, 2000)
	defer func() {
		for _, c := range idle {
			c.Close()
		}
	}()
	for range cap(idle) {
		c, err := h.dial()
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, c)
		if len(idle)%2 == 0 {
			_, err = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		}
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	start := time.Now()
	h.enter(t, "blue").join("Ann")
	t.Logf("joined in %v beside %d idle connections", time.Since(start), len(idle))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
