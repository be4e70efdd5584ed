package e2e

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// moving waits until the room's media are being moved to a way.
func (p *peer) moving(to parley.TopologyKind) {
	p.t.Helper()
	until(p, func(e parley.TopologyChanged) bool { return e.Topology.Next == to || e.Topology.Kind == to })
}

// hearsMore waits until more of everybody's sound has come than before: the tracks go on.
func (p *peer) hearsMore(before parley.Stats) {
	p.t.Helper()
	watch(p.t, p.Room, func(now parley.Stats) string {
		stands := slices.IndexFunc(before.Links, func(l parley.LinkStats) bool {
			i := slices.IndexFunc(now.Links, func(x parley.LinkStats) bool { return x.Person.ID == l.Person.ID })
			return i < 0 || now.Links[i].Received[parley.Microphone].Packets <= l.Received[parley.Microphone].Packets
		})
		if stands < 0 {
			return ""
		}
		return before.Links[stands].Person.Name + "'s track does not go on"
	})
}

// TestThirdLeavesInTheMiddle: whoever made the room more than two goes before everybody has moved. The two stay where they
// were, or come back there, and hear each other all the time.
func TestThirdLeavesInTheMiddle(t *testing.T) {
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	bob.hears(direct)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ear, heard := listener{}, make(chan error, 1)
	track := ann.track(parley.Microphone)
	go func() { heard <- ear.read(ctx, track) }()
	for range 3 {
		cyd := join(t, h.link("tea"), "Cyd")
		ann.moving(parley.TopologyHub)
		if err := cyd.Leave(wait(t)); err != nil {
			t.Fatal(err)
		}
		cyd.Close()
		for _, p := range []*peer{ann, bob} {
			p.on(parley.TopologyDirect) // at once, or after ten seconds on the hub
			p.hears(direct)
		}
	}
	stop()
	if err := <-heard; err != nil {
		t.Error(err)
	}
	for ear.frames < 50 { // it may all have been over in less than a second
		if err := ear.take(wait(t), track); err != nil {
			t.Fatal(err)
		}
	}
	if ear.holes+ear.again+ear.back > 0 {
		t.Errorf("%+v", ear)
	}
}

// TestServerIsKilledInASwitch: signalling and the hub die while a third person's coming moves the room. The two who talk
// directly go on; when the server is back, everybody is on the hub.
func TestServerIsKilledInASwitch(t *testing.T) {
	dir := t.TempDir()
	c := startChild(t, "127.0.0.1:0", dir)
	link := "http://" + c.listen + "/r/tea"
	ann, bob := join(t, link, "Ann"), join(t, link, "Bob")
	ann.hears(direct)
	bob.hears(direct)
	cyd := dial(t, link, options("Cyd"))
	joined := make(chan error, 1)
	go func() { joined <- cyd.Join(wait(t)) }()
	ann.moving(parley.TopologyHub)
	c.kill()
	before, err := ann.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	startChild(t, c.listen, dir)
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	for _, p := range []*peer{ann, bob, cyd} {
		p.on(parley.TopologyHub)
		p.hearsAll(2, true, byHub)
	}
	ann.hearsMore(before)
}

// TestServerIsKilledUnderTheHub: nothing goes on without the server then, and everything comes back with it, on the same
// tracks.
func TestServerIsKilledUnderTheHub(t *testing.T) {
	dir := t.TempDir()
	c := startChild(t, "127.0.0.1:0", dir)
	link := "http://" + c.listen + "/r/tea"
	all := []*peer{join(t, link, "Ann"), join(t, link, "Bob"), join(t, link, "Cyd")}
	for _, p := range all {
		p.on(parley.TopologyHub)
		p.hearsAll(2, true, byHub)
	}
	before, err := all[0].Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.kill()
	until(all[0], func(e parley.PathChanged) bool { return e.Path.Kind == parley.PathLost })
	began := time.Now()
	startChild(t, c.listen, dir)
	for _, p := range all {
		p.on(parley.TopologyHub)
		until(p, func(e parley.PathChanged) bool { return byHub(e.Path) })
		p.hearsAll(2, true, byHub)
	}
	t.Logf("from the new server's start until everybody is heard and seen: %v", time.Since(began).Round(time.Millisecond))
	all[0].hearsMore(before)
}

// TestOneWhoDoesNotReachTheHub is a third person without a way: the two go on as they were, and the third is told.
func TestOneWhoDoesNotReachTheHub(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	bob.hears(direct)
	o := options("Cyd")
	o.Interfaces = func(string) bool { return false } // no network for media
	cyd := dial(t, h.link("tea"), o)
	err := cyd.Join(wait(t))
	if err == nil { // it was not known before
		var left *parley.Departed
		var no *parley.Refused
		for limit := wait(t); left == nil || no == nil; {
			select {
			case e, ok := <-cyd.events:
				if !ok {
					t.Fatal("the session of the third ended")
				}
				switch e := e.(type) {
				case parley.Trouble:
					errors.As(e.Err, &no)
				case parley.Departed:
					if e.Person.Me {
						left = &e
					}
				}
			case <-limit.Done():
				t.Fatalf("the third was not told why: %+v, %v", left, no)
			}
		}
		if left.Reason != "no-hub" {
			t.Errorf("%+v", left)
		}
		err = no
	}
	refused(t, err, parley.CodeNoHub)
	for _, p := range []*peer{ann, bob} {
		p.on(parley.TopologyDirect)
		p.hears(direct)
	}
}
