package signalserver

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// plane is a hub that answers after a while, or never.
type plane struct {
	delay time.Duration // negative is never
	fault *signal.Error

	mu  sync.Mutex
	log []string
}

func (p *plane) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, fmt.Sprintf(format, args...))
}

func (p *plane) has(t *testing.T, line string) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.log, line) {
		t.Fatalf("the hub has not heard %q but %q", line, p.log)
	}
}

func (p *plane) Offer(peer HubPeer, o *signal.Offer, done func(HubAnswer, *signal.Error)) {
	p.note("offer %s %s tracks=%d show=%d listens=%v", peer.Session, o.Link, len(o.Tracks), len(o.Show), peer.Listens)
	p.mu.Lock()
	delay, fault := p.delay, p.fault
	p.mu.Unlock()
	if delay < 0 {
		return
	}
	time.AfterFunc(delay, func() {
		done(HubAnswer{SDP: "v=0 " + peer.Seat, Places: []signal.Place{{Mid: "4", Seat: "s1", Source: signal.SourceCamera}}}, fault)
	})
}

func (p *plane) Handle(peer HubPeer, m signal.Relayed) {
	p.note("%T %s %s", m, peer.Session, m.Route().Link)
}
func (p *plane) Listen(peer HubPeer)        { p.note("listen %s %v", peer.Session, peer.Listens) }
func (p *plane) Close(room, session string) { p.note("close %s %s", room, session) }

func offerTo(link string) *signal.Offer {
	return &signal.Offer{
		Peer: signal.Peer{To: signal.Hub, Link: link}, SDP: "v=0",
		Tracks: []signal.Track{{Mid: "0", Source: signal.SourceMicrophone}},
		Show:   []signal.Want{{Mid: "4", Seat: "s1", Source: signal.SourceCamera, Width: 640, Height: 360}},
	}
}

// seated seats three people with a hub.
func seated(t *testing.T, p *plane) (h *house, list []*client) {
	h = inMemory(t, Config{Hub: p})
	for i := range 3 {
		c := h.enter(t, "blue")
		c.join(fmt.Sprint("P", i))
		list = append(list, c)
	}
	return h, list
}

func TestHubAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plane{delay: 30 * time.Millisecond}
		h, people := seated(t, p)
		a := people[0]
		id := a.welcome.Session
		a.send(offerTo("h1"))
		ans := skipTo[*signal.Answer](a)
		if ans.From != signal.Hub || ans.Link != "h1" || len(ans.Places) != 1 || ans.SDP == "" {
			t.Fatalf("%+v", ans)
		}
		p.has(t, "offer "+id+" h1 tracks=1 show=1 listens=false")
		a.send(&signal.Candidate{Peer: signal.Peer{To: signal.Hub, Link: "h1"}})
		p.has(t, "*signal.Candidate "+id+" h1")
		if !h.srv.Tell("blue", id, &signal.Renegotiate{Peer: signal.Peer{Link: "h1"}, Restart: true}) {
			t.Fatal("not told")
		}
		if m := skipTo[*signal.Renegotiate](a); m.From != signal.Hub || m.To != "" || !m.Restart {
			t.Fatalf("%+v", m)
		}
		if !h.srv.Tell("green", id, &signal.CloseLink{Peer: signal.Peer{Link: "h1"}}) {
			t.Fatal("a session of another room is nobody, and that is no reason to wait")
		}
		b := people[1]
		seat := b.welcome.Session
		b.send(offerTo("h1"))
		skipTo[*signal.Answer](b)
		for _, s := range h.srv.shard("blue").halls["blue"].Seats() {
			if s.Session == seat {
				a.send(&signal.SetRole{Seat: s.ID, Role: signal.RoleListener})
			}
		}
		p.has(t, "listen "+seat+" true")
		b.send(offerTo("h1"))
		p.has(t, "offer "+seat+" h1 tracks=0 show=1 listens=true")
		b.send(&signal.Leave{})
		p.has(t, "close blue "+seat)
		a.raw(`{"type":"bye"}`)
		p.has(t, "close blue "+id)
	})
}

// TestHubIsSlow: nobody waits for a hub that does not answer but who asked it, and not for ever.
func TestHubIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plane{delay: -1}
		_, people := seated(t, p)
		a, b := people[0], people[1]
		var asked []uint64
		for range maxAsked {
			asked = append(asked, a.send(offerTo("h1")))
		}
		a.refused(offerTo("h1"), signal.CodeBusy)
		b.send(&signal.Chat{ID: "1", Text: "still here"})
		skipTo[*signal.Chat](a)
		for range maxAsked {
			e := skipTo[*signal.Error](a)
			i := slices.Index(asked, e.Re)
			if i < 0 || e.Code != signal.CodeBusy {
				t.Fatalf("%+v", e)
			}
			asked = slices.Delete(asked, i, i+1)
		}
		p.has(t, "*signal.CloseLink "+a.welcome.Session+" h1")
		p.mu.Lock()
		p.delay, p.fault = 11*time.Second, nil
		p.mu.Unlock()
		a.refused(offerTo("h2"), signal.CodeBusy)
		time.Sleep(5 * time.Second) // the late answer is nobody's
		p.mu.Lock()
		p.delay, p.fault = 0, &signal.Error{Code: signal.CodeMalformed, Words: "not a description"}
		p.mu.Unlock()
		a.refused(offerTo("h3"), signal.CodeMalformed)
	})
}

func TestNoHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{})
		a := h.enter(t, "blue")
		if j := a.join("Ann"); j.Room.Topology != nil {
			t.Fatalf("%+v", j.Room.Topology)
		}
		a.refused(offerTo("h1"), signal.CodeNoPeer)
		h.enter(t, "blue").join("Bob")
		h.enter(t, "blue").refused(&signal.Join{Name: "Cyd"}, signal.CodeFull)
	})
}

// TestTopologyAfterCrash: a room on the hub is one after a crash, and its people are told so.
func TestTopologyAfterCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Hub: &plane{}, Keeper: newMemory(time.Millisecond)})
		var people []*client
		for i := range 3 {
			c := h.enter(t, "blue")
			c.join(fmt.Sprint("P", i))
			people = append(people, c)
		}
		for _, c := range people {
			c.send(&signal.Moved{Epoch: 1})
		}
		people[1].send(&signal.Hand{Up: true})
		for r := skipTo[*signal.Room](people[0]).Room; r.Topology.Epoch != 2; r = skipTo[*signal.Room](people[0]).Room {
			if r.Topology.Next != signal.TopologyHub {
				t.Fatalf("%+v", r.Topology)
			}
		}
		time.Sleep(time.Second)
		h = h.restart(t)
		for _, c := range people {
			r := c.comeBack(h).welcome.Room
			if r.Topology == nil || r.Topology.Kind != signal.TopologyHub || r.Topology.Epoch != 2 || r.Seats[1].Hand != 1 {
				t.Fatalf("%+v %+v", r.Topology, r.Seats)
			}
		}
	})
}
