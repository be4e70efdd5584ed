package mediaserver

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/pion/webrtc/v4"
)

func camera(seat string) sfu.Want { return sfu.Want{Seat: seat, Source: "camera"} }

// TestRoom: sound and pictures arrive, also at somebody who comes later, who begins with a key frame; who leaves and comes back
// gets them again, and a new link of a seat takes over from the one before.
func TestRoom(t *testing.T) {
	h := open(t, 1)
	ann := h.come(t, Link{"room", "ann", "1"}, 0, true)
	ann.offer(false)
	bob := h.come(t, Link{"room", "bob", "1"}, 1, false)
	if answer := bob.offer(false, camera("ann")); len(answer.Places) != 2 {
		t.Errorf("places %v", answer.Places)
	}
	bob.hears(1, 1)
	cleo := h.come(t, Link{"room", "cleo", "1"}, 1, false)
	cleo.offer(false, camera("ann"))
	cleo.hears(1, 1)

	bob.leave()
	h.until(t, "bob's goodbye", func() bool { return errors.Is(h.ended[bob.at], io.EOF) })
	again := h.come(t, Link{"room", "bob", "2"}, 1, false)
	again.offer(false, camera("ann"))
	again.hears(1, 1)

	other := h.come(t, Link{"room", "cleo", "2"}, 1, false)
	other.offer(false, camera("ann"))
	other.hears(1, 1)
	if err := h.endedWith(cleo.at); !errors.Is(err, ErrReplaced) {
		t.Errorf("the link before: %v", err)
	}
	if st := h.Stats(); st.Rooms != 1 || st.Transports != 3 || len(h.Links("room")) != 3 || h.Links("none") != nil {
		t.Errorf("%+v", st)
	}
	for _, g := range []*guest{ann, again, other} {
		if err := h.Leave(t.Context(), Link{Room: "room", Seat: g.at.Seat}); err != nil {
			t.Error(err)
		}
	}
	if st := h.Stats(); st.Rooms != 0 || st.Transports != 0 || st.Spread[0] != 0 {
		t.Errorf("afterwards: %+v", st)
	}
	for _, l := range h.loops {
		if len(l.clients)+len(l.byUfrag)+len(l.paths)+len(l.timers) != 0 {
			t.Errorf("left behind: %d clients, %d names, %d paths, %d timers", len(l.clients), len(l.byUfrag), len(l.paths), len(l.timers))
		}
	}
}

// TestSurplus: of the links of a seat that offers one after the other two are kept, and each that goes for the next is told of, the
// one that carries its media too.
func TestSurplus(t *testing.T) {
	h := open(t, 1)
	ann := h.come(t, Link{"room", "ann", "1"}, 0, true)
	ann.offer(false)
	h.until(t, "connected", func() bool { return h.up[ann.at] })
	const links = 6
	text := ann.pc.LocalDescription().SDP
	for i := 2; i <= links; i++ {
		if _, err := h.Offer(t.Context(), Offer{Link: Link{"room", "ann", fmt.Sprint(i)}, SDP: text}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i <= links; i++ {
		err := h.endedWith(Link{"room", "ann", fmt.Sprint(i)})
		if kept := i > links-maxLinks; kept && err != nil || !kept && !errors.Is(err, ErrSurplus) {
			t.Errorf("link %d: %v", i, err)
		}
	}
	if st := h.Stats(); st.Transports != maxLinks || len(h.Links("room")) != maxLinks {
		t.Errorf("%+v", st)
	}
}

// TestTCP: who has no UDP publishes and receives over TCP, on either loop, and the connection is let go of when it ends.
func TestTCP(t *testing.T) {
	h := open(t, 2)
	h.way = webrtc.NetworkTypeTCP4
	ann := h.come(t, Link{"room", "ann", "1"}, 0, true)
	ann.offer(false)
	bob := h.come(t, Link{"room", "bob", "1"}, 1, false)
	bob.offer(false, camera("ann"))
	bob.hears(1, 1)
	h.way = webrtc.NetworkTypeUDP4
	cleo := h.come(t, Link{"room", "cleo", "1"}, 1, false)
	cleo.offer(false, camera("ann"))
	cleo.hears(1, 1)
	if n := h.port.Stats().ICETCP; n < 2 {
		t.Errorf("%d connections", n)
	}
	before := h.streams.Load()
	bob.leave() // pion may close the connection before it has written its goodbye; then the seat is kept for a minute, as after a cut
	limit := time.After(patience)
	for tick := time.NewTicker(5 * time.Millisecond); h.streams.Load() >= before; {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%d connections of %d are still served", h.streams.Load(), before)
		}
	}
}

// TestRelayed: who reaches nothing but the relay gets to the hub through it, over UDP and over TCP.
func TestRelayed(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		h := open(t, 2)
		h.only = &webrtc.ICEServer{URLs: []string{"turn:" + h.port.Addr().String() + "?transport=" + transport}, Username: "somebody", Credential: "pw"}
		ann := h.come(t, Link{"room", "ann", "1"}, 0, true)
		ann.offer(false)
		bob := h.come(t, Link{"room", "bob", "1"}, 1, false)
		bob.offer(false, camera("ann"))
		bob.hears(1, 1)
		if st := h.turn.Stats(); st.InMemory == 0 || st.ToPeers != 0 {
			t.Errorf("%s: %+v", transport, st)
		}
	}
}

// TestChange: a link that is negotiated again gets more places, and goes on through a restart of ICE.
func TestChange(t *testing.T) {
	h := open(t, 1)
	ann := h.come(t, Link{"room", "ann", "1"}, 0, true)
	ann.offer(false)
	bob := h.come(t, Link{"room", "bob", "1"}, 1, false)
	bob.offer(false, camera("ann"))
	bob.hears(1, 1)
	cleo := h.come(t, Link{"room", "cleo", "1"}, 0, true)
	cleo.offer(false)
	bob.places(1)
	bob.offer(false, camera("ann"), camera("cleo"))
	bob.hears(1, 1)
	bob.offer(true) // which says nothing of what is shown
	wants, c := 0, h.linked(bob.at)
	if err := h.do(t.Context(), c.loop, func(time.Time) { wants = len(c.wants) }); err != nil || wants != 2 {
		t.Errorf("%d pictures are wanted, %v", wants, err)
	}
	before := ann.pc.CurrentRemoteDescription().SDP
	ann.offer(true)
	if ann.pc.CurrentRemoteDescription().SDP == before {
		t.Error("no new credentials")
	}
	dan := h.come(t, Link{"room", "dan", "1"}, 1, false)
	dan.offer(false, camera("ann"))
	dan.hears(1, 1)
	stats, err := h.LinkStats(t.Context(), ann.at)
	if err != nil || !stats.Ready || len(stats.Person.Streams) != 2 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// TestLoops: two rooms are on two loops, and everybody gets everything on whichever loop their packets arrive; soon they all come
// to the loop that they belong to.
func TestLoops(t *testing.T) {
	h := open(t, 2)
	if h.port.Loops() != 2 {
		t.Skip("there is one loop here")
	}
	var people []*guest
	for i := range 2 {
		name := fmt.Sprint("room", i)
		p := h.come(t, Link{name, "ann", "1"}, 0, true)
		p.offer(false)
		for j := range 4 {
			g := h.come(t, Link{name, fmt.Sprint("guest", j), "1"}, 1, false)
			g.offer(false, camera("ann"))
			people = append(people, g)
		}
	}
	for _, g := range people {
		g.hears(1, 1)
	}
	if st := h.Stats(); st.Spread[0] != 5 || st.Spread[1] != 5 {
		t.Errorf("%+v", st)
	}
	if !h.port.Steers() {
		t.Log("packets cannot be steered here, those that come to the other loop go on being passed")
		return
	}
	const enough = 500 // packets of all ten that came without one that was passed: a few seconds
	timeout, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for from := h.port.Stats(); ; {
		st := h.port.Stats()
		if st.Passed != from.Passed {
			from = st
		}
		if st.RTP-from.RTP >= enough {
			t.Logf("%d packets passed, %d lost on the way", st.Passed, st.PassLost)
			return
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("packets go on coming to the wrong loop: %+v", st)
		}
	}
}
