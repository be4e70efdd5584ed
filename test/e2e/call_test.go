package e2e

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

func TestTwoHearAndSeeEachOther(t *testing.T) {
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	began := time.Now()
	bob := join(t, h.link("tea"), "Bob")
	bob.track(parley.Camera)
	t.Logf("from dialing to the first picture: %v", time.Since(began).Round(time.Millisecond/10))
	if e := until[parley.Arrived](ann, nil); e.Person.Name != "Bob" {
		t.Errorf("%s arrived", e.Person.Name)
	}
	for _, p := range []*peer{ann, bob} {
		l := p.hears(direct)
		if l.Received[parley.Microphone].Lost > 0 || l.Received[parley.Camera].Lost > 0 {
			t.Errorf("%+v", l)
		}
		if len(l.Received) != 2 {
			t.Errorf("received %d sources, two are sent", len(l.Received))
		}
	}
}

func TestEarlyLinkShowsTheFirstPictureAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	bob := dial(t, h.link("tea"), options("Bob"))
	until(bob, func(e parley.PathChanged) bool { return e.Person.Name == "Ann" && direct(e.Path) }) // in front of the door
	stats, err := ann.Stats(t.Context())
	if err != nil || len(stats.Links) != 0 {
		t.Errorf("a link with somebody inside before anybody joined: %+v, %v", stats, err)
	}
	began := time.Now()
	bob.enter()
	seated := time.Since(began)
	bob.track(parley.Camera)
	t.Logf("from Join to the seat: %v, to the first picture: %v", seated.Round(time.Millisecond/10), time.Since(began).Round(time.Millisecond/10))
	ann.hears(direct)
	bob.hears(direct)
}

func TestSomebodyGoesAwayFromTheDoor(t *testing.T) {
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	for range 3 { // more than may wait at the door at once
		bob := dial(t, h.link("tea"), options("Bob"))
		until(bob, func(e parley.PathChanged) bool { return direct(e.Path) })
		bob.Close()
	}
	eve := dial(t, h.link("tea"), options("Eve"))
	until(eve, func(e parley.PathChanged) bool { return direct(e.Path) })
	eve.enter()
	ann.hears(direct)
	eve.hears(direct)
	if people := ann.people(); len(people) != 2 {
		t.Errorf("inside are %v", people)
	}
}

func TestLeaveAndRejoin(t *testing.T) {
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	track := ann.track(parley.Camera)
	if err := bob.Leave(wait(t)); err != nil {
		t.Fatal(err)
	}
	if e := until[parley.Departed](ann, nil); e.Person.Name != "Bob" || e.Reason != "left" {
		t.Errorf("%+v", e)
	}
	for {
		if _, err := track.ReadRTP(wait(t)); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := bob.Leave(wait(t)); err == nil {
		t.Error("left twice")
	}
	bob.enter()
	ann.hears(direct)
	bob.hears(direct)
}

func TestReloadKeepsTheSeat(t *testing.T) {
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	seat := ann.people()["Bob"]
	token, err := bob.Seat(wait(t))
	if err != nil || token == "" {
		t.Fatalf("no token: %v", err)
	}
	bob.Close()
	o := options("Bob")
	o.Seat = token
	again := dial(t, h.link("tea"), o).enter()
	again.hears(direct)
	ann.hears(direct)
	if now := ann.people()["Bob"]; now != seat || len(ann.people()) != 2 {
		t.Errorf("seat %s became %s: %v", seat, now, ann.people())
	}
	for {
		select {
		case e := <-ann.events:
			if _, left := e.(parley.Departed); left {
				t.Errorf("Ann was told that Bob left: %+v", e)
			}
			continue
		default:
		}
		return
	}
}

func TestThirdIsRefused(t *testing.T) {
	h := newHouse(t, withoutHub)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	eve := dial(t, h.link("tea"), options("Eve"))
	refused(t, eve.Join(wait(t)), parley.CodeFull)
	ann.hears(direct)
	if err := bob.Leave(wait(t)); err != nil {
		t.Fatal(err)
	}
	until[parley.Departed](ann, nil)
	eve.enter()
	eve.hears(direct)
	ann.hears(direct)
}

func TestWaitingRoomAndLock(t *testing.T) {
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann") // made the room: the host
	if err := ann.WaitingRoom(wait(t), true); err != nil {
		t.Fatal(err)
	}
	until(ann, func(e parley.Changed) bool { return e.Info.WaitingRoom })
	bob := dial(t, h.link("tea"), options("Bob"))
	inside := make(chan error, 1)
	go func() { inside <- bob.Join(wait(t)) }()
	until[parley.Waiting](bob, nil)
	waits := until(ann, func(e parley.Arrived) bool { return e.Person.State == "waiting" }).Person
	select {
	case err := <-inside:
		t.Fatalf("Bob is in without being admitted: %v", err)
	default:
	}
	if err := ann.Admit(wait(t), waits.ID); err != nil {
		t.Fatal(err)
	}
	if err := <-inside; err != nil {
		t.Fatal(err)
	}
	ann.hears(direct)
	bob.hears(direct)
	refused(t, bob.Lock(wait(t), true), parley.CodeForbidden)
	if err := errors.Join(bob.Leave(wait(t)), ann.Lock(wait(t), true)); err != nil {
		t.Fatal(err)
	}
	until(ann, func(e parley.Changed) bool { return e.Info.Locked })
	refused(t, bob.Join(wait(t)), parley.CodeLocked)
}

func TestRefusedAtTheDoor(t *testing.T) {
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	if err := ann.WaitingRoom(wait(t), true); err != nil {
		t.Fatal(err)
	}
	bob := dial(t, h.link("tea"), options("Bob"))
	inside := make(chan error, 1)
	go func() { inside <- bob.Join(wait(t)) }()
	waits := until(ann, func(e parley.Arrived) bool { return e.Person.State == "waiting" }).Person
	if err := ann.Remove(wait(t), waits.ID); err != nil {
		t.Fatal(err)
	}
	if err := <-inside; err == nil {
		t.Error("Bob was refused and is in")
	} else {
		t.Log(err)
	}
}

func TestMuteAndRemove(t *testing.T) {
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	id := ann.people()["Bob"]
	refused(t, bob.Mute(wait(t), bob.people()["Ann"], parley.Camera), parley.CodeForbidden)
	if err := ann.Mute(wait(t), id, parley.Camera); err != nil {
		t.Fatal(err)
	}
	if e := until[parley.Muted](bob, nil); e.Source != parley.Camera || e.By != bob.people()["Ann"] {
		t.Errorf("%+v", e)
	}
	until(ann, func(e parley.Updated) bool {
		return e.Person.ID == id && !e.Person.Media.Camera && e.Person.Media.Microphone
	})
	if err := bob.Media(wait(t), parley.MediaState{Microphone: true, Camera: true}); err != nil {
		t.Fatal(err)
	}
	until(ann, func(e parley.Updated) bool { return e.Person.ID == id && e.Person.Media.Camera })
	if err := ann.Remove(wait(t), id); err != nil {
		t.Fatal(err)
	}
	if e := until[parley.Ended](bob, nil); e.Reason != "removed" || e.Err == nil {
		t.Errorf("%+v", e)
	}
	if e := until[parley.Departed](ann, nil); e.Reason != "removed" {
		t.Errorf("%+v", e)
	}
	if _, err := bob.Chat(wait(t), "hello?"); !errors.Is(err, parley.ErrClosed) {
		t.Errorf("chat after the end: %v", err)
	}
}

// wired is a peer whose signalling can be cut.
func wired(t *testing.T, link, name string) (*peer, *cable) {
	t.Helper()
	c := newCable()
	o := options(name)
	o.Dial = c.dial
	return dial(t, link, o).enter(), c
}

func TestChatOverCutSockets(t *testing.T) {
	h := newHouse(t, nil)
	ann, cableA := wired(t, h.link("tea"), "Ann")
	bob, cableB := wired(t, h.link("tea"), "Bob")
	const each = 60
	for i := range each {
		for _, p := range []*peer{ann, bob} {
			if _, err := p.Chat(wait(t), fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		switch i % 20 {
		case 5:
			cableA.cut(false)
		case 12:
			cableB.cut(false)
		case 19:
			cableA.cut(false)
			cableB.cut(false)
		}
	}
	for _, p := range []*peer{ann, bob} {
		seen := map[string]int{}
		for range 2 * each {
			e := until[parley.Chat](p, nil)
			if want := fmt.Sprint(seen[e.Name]); e.Text != want {
				t.Fatalf("%s says %q, want %q: lost, doubled or out of order", e.Name, e.Text, want)
			}
			seen[e.Name]++
		}
	}
}

func TestSignallingCutLeavesNoGapInTheMedia(t *testing.T) {
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	bob, cable := wired(t, h.link("tea"), "Bob")
	sound := ann.track(parley.Microphone)
	ann.hears(direct)
	cable.cut(true)
	until(bob, func(e parley.Online) bool { return !e.Up })
	until(ann, func(e parley.Updated) bool { return e.Person.State == "away" })
	before := sound.Stats()
	// Two seconds of sound arrive while Bob has no signalling: nothing lost, and no new beginning.
	n := 0
	for first := true; n < 100; n++ {
		p, err := sound.ReadRTP(wait(t))
		if err != nil {
			t.Fatal(err)
		}
		if p.Marker && !first {
			t.Errorf("packet %d begins anew", n)
		}
		first = false
	}
	if after := sound.Stats(); after.Lost != before.Lost {
		t.Errorf("%d packets lost while the signalling was cut", after.Lost-before.Lost)
	}
	cable.mend()
	until(bob, func(e parley.Online) bool { return e.Up })
	until(ann, func(e parley.Updated) bool { return e.Person.State == "present" })
	ann.hears(direct)
	bob.hears(direct)
}

func TestServerRestartsAndTheCallGoesOn(t *testing.T) {
	data := t.TempDir()
	h, stop := startHouse(t, "127.0.0.1:0", data, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	sound := ann.track(parley.Microphone)
	ann.hears(direct)
	bob.hears(direct)
	stop()
	until(ann, func(e parley.Online) bool { return !e.Up })
	until(bob, func(e parley.Online) bool { return !e.Up })
	for range 50 { // a second of sound without any server
		if _, err := sound.ReadRTP(wait(t)); err != nil {
			t.Fatal(err)
		}
	}
	_, stop = startHouse(t, h.Info().Listen.String(), data, nil)
	t.Cleanup(stop)
	until(ann, func(e parley.Online) bool { return e.Up }) // the session goes on, and so does the link
	until(bob, func(e parley.Online) bool { return e.Up })
	if _, err := ann.Chat(wait(t), "the same seats"); err != nil {
		t.Fatal(err)
	}
	if e := until[parley.Chat](bob, nil); e.Text != "the same seats" {
		t.Errorf("%+v", e)
	}
	if _, err := sound.ReadRTP(wait(t)); err != nil {
		t.Error("the track of before the restart:", err)
	}
	ann.hears(direct)
	bob.hears(direct)
	ann.Close()
	bob.Close()
}

func TestTwoServersInOneProcess(t *testing.T) {
	one, other := newHouse(t, nil), newHouse(t, nil)
	ann := join(t, one.link("tea"), "Ann")
	eve := join(t, other.link("tea"), "Eve") // the same room's name, another server's room
	bob := join(t, one.link("tea"), "Bob")
	bob.hears(direct)
	ann.hears(direct)
	if people := eve.people(); len(people) != 1 {
		t.Errorf("Eve is with %v", people)
	}
}
