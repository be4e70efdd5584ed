package turnserver

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
)

// diary notes what an observer hears.
type diary struct {
	mu    sync.Mutex
	facts []Fact
	told  chan struct{}
}

func (d *diary) Relayed(_ time.Time, f Fact) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.facts = append(d.facts, f)
	d.told <- struct{}{}
}

func (d *diary) lines() (out []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.facts {
		line := fmt.Sprintf("%s %d over %s", f.Session, f.Kind, f.Transport)
		switch f.Kind {
		case turn.Refused:
			line += fmt.Sprintf(" %d %t", f.Code, f.Peers)
		case turn.Ended:
			line += fmt.Sprintf(" up %d down %d peers %d/%d", f.Up, f.Down, f.PeersPermitted, f.PeersRefused)
		}
		out = append(out, line)
	}
	return out
}

func TestObserver(t *testing.T) {
	d := &diary{told: make(chan struct{}, 100)}
	h := open(t, Config{Observer: d, Engine: turn.Config{PerSession: 1}})
	ann, bob := h.client("tcp", "ann").allocate(1), h.client("udp", "bob").allocate(1)
	if code := ann.bind(0x4000, bob.relay); code != 0 {
		t.Fatal(code)
	}
	if code := bob.bind(0x4000, ann.relay); code != 0 {
		t.Fatal(code)
	}
	for range 3 {
		ann.channel(0x4000, "hello")
		if got := bob.data(); got != "4000:hello" {
			t.Fatal(got)
		}
	}
	for range 5 { // one line, whatever a client tries
		if code := bob.permit(netip.MustParseAddrPort("10.0.0.1:9")); code != 403 {
			t.Fatal(code)
		}
	}
	if code := bob.refresh(0); code != 0 {
		t.Fatal(code)
	}
	ann.conn.Close()
	want := []string{
		"ann 1 over tcp", "bob 1 over udp", "ann 2 over tcp", "bob 2 over udp", "bob 3 over udp 403 true",
		"bob 4 over udp up 0 down 15 peers 1/5", "ann 4 over tcp up 15 down 0 peers 1/0",
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for range want {
		select {
		case <-d.told:
		case <-limit.C:
			t.Fatalf("only %q", d.lines())
		}
	}
	if got := d.lines(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestObserverIsNotDrowned: of a client that makes and ends relayed addresses without end, little is told.
func TestObserverIsNotDrowned(t *testing.T) {
	d := &diary{told: make(chan struct{}, 1000)}
	h := open(t, Config{Observer: d})
	mal := h.client("udp", "mal")
	for range factBurst {
		mal.allocate(1)
		if code := mal.refresh(0); code != 0 {
			t.Fatal(code)
		}
	}
	h.client("udp", "ann").allocate(1)
	lines := d.lines()
	if n := len(lines); n > factBurst+factRate*20 || lines[n-1] != "ann 1 over udp" {
		t.Errorf("%d lines, the last is %q", n, lines[n-1])
	}
}
