package e2e

import (
	"slices"
	"testing"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/trace"
	parley "github.com/parley-rtc/parley/sdk"
)

// TestRecordOfAKilledServer kills the server with SIGKILL under a call and starts it again: the record is one, with what was
// told before, the restart, and the end.
func TestRecordOfAKilledServer(t *testing.T) {
	data := t.TempDir()
	c := startChild(t, "127.0.0.1:0", data)
	h := &house{url: "http://" + c.listen}
	ann := dial(t, h.link("tea"), options("Ann")).enter()
	record := seated(ann)
	bob := join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	bob.hears(direct)
	seats := ann.people()
	before := h.record(t, record.ID, record.Token, func(r trace.Record) bool {
		return linked(r, seats["Ann"], seats["Bob"]) && linked(r, seats["Bob"], seats["Ann"])
	})
	c.kill()
	for _, p := range []*peer{ann, bob} {
		until(p, func(e parley.Online) bool { return !e.Up })
	}
	startChild(t, c.listen, data)
	for _, p := range []*peer{ann, bob} {
		until(p, func(e parley.Online) bool { return e.Up })
	}
	if err := bob.Leave(wait(t)); err != nil {
		t.Fatal(err)
	}
	if err := ann.Leave(wait(t)); err != nil {
		t.Fatal(err)
	}
	r := h.record(t, record.ID, record.Token, func(r trace.Record) bool { return r.Ended != 0 })
	if r.Began != before.Began || len(r.Restarts) != 1 || len(r.People) != 2 || !slices.ContainsFunc(r.Verdict.Findings, func(f trace.Finding) bool {
		return f.Code == trace.CodeRestart
	}) {
		t.Errorf("%+v", r)
	}
	for _, e := range before.Events {
		if !slices.ContainsFunc(r.Events, func(f trace.Entry) bool { return f.Who == e.Who && f.N == e.N && f.Kind == e.Kind && f.Got == e.Got }) {
			t.Errorf("lost: %+v", e)
		}
	}
	for name, seat := range seats {
		for _, kind := range []signal.ReportKind{trace.Joined, trace.Away, trace.Back, trace.Left} {
			if n := count(r, seat, kind); n != 1 {
				t.Errorf("%s has %d of %s", name, n, kind)
			}
		}
	}
	t.Logf("%d events before, %d in the end: %s", len(before.Events), len(r.Events), r.Verdict.Text)
}

func count(r trace.Record, who string, kind signal.ReportKind) (n int) {
	for _, e := range r.Events {
		if e.Who == who && e.Kind == kind {
			n++
		}
	}
	return n
}

// TestRelayInTheRecord: the record says which relayed addresses people had, how they reached them, and what went through.
func TestRelayInTheRecord(t *testing.T) {
	h := newHouse(t, nil)
	over := map[string]string{"Ann": "tcp", "Bob": "udp"}
	with := func(name string) parley.Options {
		o := options(name)
		o.Relay, o.RelayOver = true, over[name]
		return o
	}
	ann := dial(t, h.link("tea"), with("Ann")).enter()
	record := seated(ann)
	bob := dial(t, h.link("tea"), with("Bob")).enter()
	for _, p := range []*peer{ann, bob} {
		p.hears(func(path parley.Path) bool { return path.Kind == parley.PathRelayed })
	}
	seats := ann.people()
	for _, p := range []*peer{bob, ann} {
		if err := p.Leave(wait(t)); err != nil {
			t.Fatal(err)
		}
		p.Close()
	}
	used := func(r trace.Record, who string) (up, down uint64) {
		for _, e := range r.Events {
			if e.Who == who && e.Kind == trace.RelayEnded {
				up, down = up+e.Relay.Up, down+e.Relay.Down
			}
		}
		return up, down
	}
	r := h.record(t, record.ID, record.Token, func(r trace.Record) bool {
		up, down := used(r, seats["Ann"])
		back, forth := used(r, seats["Bob"])
		return r.Ended != 0 && min(up, down, back, forth) > 10_000
	})
	for name, seat := range seats {
		up, down := used(r, seat)
		t.Logf("%s: %d relayed addresses, %d bytes up, %d down", name, count(r, seat, trace.RelayAllocated), up, down)
		if count(r, seat, trace.RelayAllocated) == 0 || count(r, seat, trace.RelayPermitted) == 0 {
			t.Errorf("%s: %+v", name, r.Events)
		}
		for _, e := range r.Events {
			if e.Who == seat && e.Relay != nil && (string(e.Relay.Transport) != over[name] || !e.Server) {
				t.Errorf("%s: %s over %s", name, e.Kind, e.Relay.Transport)
			}
		}
	}
	up, _ := used(r, seats["Ann"])
	_, down := used(r, seats["Bob"])
	if up != down {
		t.Logf("%d bytes of Ann's, %d to Bob: what did not get through is in between", up, down)
	}
}
