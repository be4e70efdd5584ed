package signalserver

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestBacklog: what waits for all clients is bounded together; who has most of it goes, and others do not notice.
func TestBacklog(t *testing.T) {
	h := onLoopback(t, Config{Version: "quiet", Backlog: 1 << 20, Shards: 1})
	a, b := pair(t, h) // Bob reads, and never says that he did
	b.listen()
	other := h.enter(t, "green")
	other.join("Cyd")
	go a.drop()
	sdp := "v=0" + strings.Repeat("x", 60<<10)
	for i := range 30 {
		body, err := a.seq.Send(&signal.Offer{Peer: signal.Peer{To: b.welcome.Session, Link: "l"}, SDP: sdp})
		if err != nil {
			t.Fatal(i, err)
		}
		a.raw(string(body))
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for h.srv.Alive(b.welcome.Session) {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("whoever has most waiting is still there")
		}
	}
	other.ping()
	if !h.srv.Alive(a.welcome.Session) {
		t.Error("somebody else had to go")
	}
	backlog := make(chan int)
	h.srv.shards[0].do(command{kind: cmdCall, call: func() { backlog <- h.srv.shards[0].backlog }})
	if n := <-backlog; n > 1<<20 || n < 0 {
		t.Errorf("%d bytes wait", n)
	}
}

// TestBacklogWithManyProcessors: however many shards share it, each can serve everybody who comes back at once.
func TestBacklogWithManyProcessors(t *testing.T) {
	for _, shards := range []int{1, 2, 64} {
		h := onLoopback(t, Config{Shards: shards})
		if all := h.srv.cfg.Backlog; all < DefaultBacklog || all/shards < leastShare {
			t.Errorf("%d shards have %d bytes together", shards, all)
		}
	}
}

// drop reads and forgets until the socket ends.
func (c *client) drop() {
	for {
		if _, _, err := c.ws.Read(c.t.Context()); err != nil {
			return
		}
	}
}

// TestBacklogIsCounted: acknowledging and leaving give back what was counted.
func TestBacklogIsCounted(t *testing.T) {
	h := onLoopback(t, Config{Shards: 1})
	a, b := pair(t, h)
	for i := range 10 {
		a.send(&signal.Chat{ID: strings.Repeat("i", i+1), Text: "x"})
		skipTo[*signal.Chat](a)
		skipTo[*signal.Chat](b)
	}
	a.ping()
	b.ping()
	count := func() int {
		got := make(chan int)
		h.srv.shards[0].do(command{kind: cmdCall, call: func() { got <- h.srv.shards[0].backlog }})
		return <-got
	}
	if n := count(); n != 0 {
		t.Errorf("all is acknowledged, and %d bytes wait", n)
	}
	a.send(&signal.Chat{ID: "last", Text: "x"})
	skipTo[*signal.Chat](b)
	if count() == 0 {
		t.Error("nothing is counted")
	}
	a.send(&signal.Bye{Reason: signal.ByeClosed})
	b.send(&signal.Bye{Reason: signal.ByeClosed})
	a.ended()
	b.ended()
	if n := count(); n != 0 {
		t.Errorf("nobody is there, and %d bytes wait", n)
	}
}

// TestRestartKnowsReplacedTokens: a token that was replaced before a restart is refused after it, too.
func TestRestartKnowsReplacedTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Version: "quiet", Keeper: newMemory(time.Millisecond)})
		a := h.enter(t, "blue")
		a.join("Ann")
		stolen := a.welcome.Resume
		b := a.resume()
		b.ping() // from now on the older one is a copy
		time.Sleep(time.Second)
		h = h.restart(t)
		thief := h.client(t).connect().hello(signal.Hello{Room: "blue", Resume: stolen})
		if thief.welcome.Reset || thief.welcome.Session == a.welcome.Session {
			t.Error("a replaced token took the seat after a restart")
		}
		b.comeBack(h)
	})
}

// TestPurgeOutlivesACrash: what a host wanted forgotten does not come back when the server died before the disk forgot it.
func TestPurgeOutlivesACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(time.Millisecond)
		h := inMemory(t, Config{Keeper: m})
		a := h.enter(t, "blue")
		ann := a.join("Ann")
		a.send(&signal.Chat{ID: "1", Text: "forget this"})
		skipTo[*signal.ChatSaved](a)
		a.send(&signal.KeepHistory{Policy: signal.HistoryNone})
		time.Sleep(time.Second)
		m.mu.Lock()
		m.chats["blue"] = []said{{Said: Said{Seq: 1, Message: []byte(`{"id":"1","text":"forget this","from":"x","name":"Ann","at":1}`)}, id: "x 1"}}
		m.mu.Unlock()
		h = h.restart(t)
		a = a.comeBack(h)
		a.send(&signal.Join{Name: "Ann", Seat: ann.Token})
		skipTo[*signal.Joined](a)
		n := a.send(&signal.HistoryAsk{})
		if answer := skipTo[*signal.HistoryAnswer](a); answer.Re != n || len(answer.Messages) > 0 {
			t.Errorf("%+v", answer)
		}
		time.Sleep(time.Second)
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.chats["blue"]) > 0 {
			t.Error("it is on the disk")
		}
	})
}

// TestReportFlood: a client that floods its lane is heard no more for a while, and is not punished otherwise.
func TestReportFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		h := inMemory(t, Config{Observer: w, Shards: 1})
		a := h.enter(t, "blue")
		a.join("Ann")
		flood := &signal.Report{Events: make([]signal.ReportEvent, signal.MaxReport)}
		for i := range flood.Events {
			flood.Events[i] = signal.ReportEvent{At: 1, Kind: signal.ReportNote}
		}
		heard := func() (n int) {
			a.ping()
			for _, line := range w.lines {
				if strings.HasPrefix(line, "report") {
					n++
				}
			}
			return n
		}
		for range 50 {
			a.send(flood)
		}
		if n := heard(); n != 10 {
			t.Errorf("%d reports of 50 were heard", n)
		}
		time.Sleep(4 * time.Second)
		a.send(flood)
		if n := heard(); n != 11 {
			t.Errorf("%d reports were heard in the end", n)
		}
	})
}

// TestHistoryForEverybody: after a restart everybody comes back at once, and everybody is told what was said.
func TestHistoryForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Keeper: newMemory(100 * time.Millisecond), Shards: 1, RoomsPerAddress: 1000})
		var people []*client
		for i := range maxReads + 20 {
			room := "r" + strings.Repeat("x", i%60) + string(rune('a'+i/60))
			a := h.enter(t, room)
			a.join("Ann")
			a.send(&signal.Chat{ID: "1", Text: "hello"})
			skipTo[*signal.ChatSaved](a)
			people = append(people, h.enter(t, room))
		}
		for _, b := range people {
			b.send(&signal.Join{Name: "Bob"})
		}
		for i, b := range people {
			if m := skipTo[*signal.HistoryAnswer](b); len(m.Messages) != 1 {
				t.Fatalf("person %d is told %+v", i, m)
			}
		}
	})
}
