package signalserver

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestPace: whoever opens session after session to try the names of rooms is slowed down, although none of them is kept.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{SessionsPerAddress: 6})
		for round, allowed := range []int{12, 6, 6} {
			for i := range allowed {
				c := h.enter(t, fmt.Sprintf("room-%d-%d", round, i))
				c.send(&signal.Bye{})
				c.ended()
			}
			c := h.client(t).connect()
			c.raw(`{"type":"hello","client":{"name":"x"},"room":"blue"}`)
			if e := next[*signal.Error](c); e.Code != signal.CodeBusy {
				t.Errorf("%+v", e)
			}
			c.ended()
			time.Sleep(time.Minute)
		}
	})
}

// TestLobbyNoAcknowledgement: a session that has no seat costs little memory when it never acknowledges.
func TestLobbyNoAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Version: "quiet"})
		a := h.enter(t, "blue")
		ended := make(chan struct{})
		go func() { // reads, and acknowledges nothing
			defer close(ended)
			for {
				if _, _, err := a.ws.Read(context.Background()); err != nil {
					return
				}
			}
		}()
		for i := range lobbyUnacked + 1 {
			a.raw(fmt.Sprintf(`{"type":"chat","n":%d,"id":"a","text":"nobody may say this here"}`, 1+i))
		}
		start := time.Now()
		<-ended
		if took := time.Since(start); took > lingerTime {
			t.Errorf("ended only after %v", took)
		}
	})
}

// TestResumeBehindErrors: a socket that has errors of its own waiting cannot take all that a session has to send again;
// that costs the socket, not the session.
func TestResumeBehindErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{})
		a, b := pair(t, h)
		a.listen()
		b.close()
		synctest.Wait()
		for i := range maxFrames + 10 {
			a.send(&signal.Candidate{Peer: signal.Peer{To: b.welcome.Session, Link: fmt.Sprint(i)}})
			time.Sleep(10 * time.Millisecond) // below the flood limit
		}
		d := b.again()
		for range helloTries - 1 {
			d.raw("no hello")
			synctest.Wait() // the first error is being written, the second one waits
		}
		d.raw(fmt.Sprintf(`{"type":"hello","client":{"name":"x"},"room":"blue","resume":%q,"received":%d}`, b.welcome.Resume, b.seq.Received()))
		synctest.Wait()
		b = b.resume()
		for i := range maxFrames + 10 {
			if c := next[*signal.Candidate](b); c.Link != fmt.Sprint(i) {
				t.Fatalf("link %s, want %d", c.Link, i)
			}
		}
	})
}
