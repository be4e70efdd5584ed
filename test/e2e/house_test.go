// Package e2e runs whole servers in this process and lets Go peers call each other over them: real sockets, real media,
// real time, no sleeping for events.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/internal/cli"
	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/server"
	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

// TestMain runs the tests, or, in a process that a test started, a server or the command line.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Main(os.Args[1:], cli.System()))
	}
	if listen, data, ok := strings.Cut(os.Getenv(serveChild), " "); ok {
		if err := serveForEver(listen, data); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// asCommand in the environment makes this test program the parley command.
const asCommand = "PARLEY_E2E_COMMAND"

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// house is a running server.
type house struct {
	*server.Server
	url string
}

// newHouse runs a whole server with the defaults, on a free loopback port. change may be nil.
func newHouse(t *testing.T, change func(*config.Config)) *house {
	t.Helper()
	h, stop := startHouse(t, "127.0.0.1:0", t.TempDir(), change)
	t.Cleanup(func() {
		h.Close() // at once
		stop()
	})
	return h
}

// withoutHub leaves calls of two.
func withoutHub(c *config.Config) { c.Hub.Media = "off" }

// startHouse runs a server at listen with the data directory data. stop drains it.
func startHouse(t *testing.T, listen, data string, change func(*config.Config)) (h *house, stop func()) {
	t.Helper()
	loaded, err := config.Load(config.Sources{Flags: map[string]string{"listen": listen, "data": data}})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&loaded.Config)
	}
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>page</title>")}}
	cfg := server.Config{Config: loaded.Config, Version: "test"}
	s, err := server.Open(t.Context(), cfg, page, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, drain := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return &house{Server: s, url: "http://" + s.Info().Listen.String()}, func() {
		drain()
		if err := <-ended; err != nil {
			t.Error("the end:", err)
		}
	}
}

func (h *house) link(room string) string { return h.url + "/r/" + room }

// loopback keeps media on this machine.
func loopback(name string) bool { return name == "lo" }

// peer is one participant of a test, with the newest of everything that was told.
type peer struct {
	*parley.Room
	t      *testing.T
	events <-chan parley.Event
}

// options are those of every peer, by name.
func options(name string) parley.Options {
	o := parley.Options{Name: name, Hear: true, Interfaces: loopback}
	if os.Getenv("PARLEY_DIARY") != "" { // what the SDK says, for a test that fails
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("who", name)
	}
	return o
}

func wait(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// dial opens a session in front of the room that sends the tone and the pattern once it is inside.
func dial(t *testing.T, link string, o parley.Options) *peer {
	t.Helper()
	room, err := parley.Dial(wait(t), link, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(room.Close)
	if err := errors.Join(
		room.Publish(wait(t), parley.Microphone, media.Tone()),
		room.Publish(wait(t), parley.Camera, media.Pattern()),
	); err != nil {
		t.Fatal(err)
	}
	return &peer{Room: room, t: t, events: room.Events()}
}

func (p *peer) enter() *peer {
	p.t.Helper()
	if err := p.Join(wait(p.t)); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// join is dial and enter.
func join(t *testing.T, link, name string) *peer {
	t.Helper()
	return dial(t, link, options(name)).enter()
}

// until reads events until one fits. Trouble that is not asked for fails the test.
func until[E parley.Event](p *peer, fits func(E) bool) E {
	p.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	var none E
	for {
		select {
		case e, ok := <-p.events:
			if !ok {
				p.t.Fatalf("the room ended without %T", none)
			}
			if got, is := e.(E); is && (fits == nil || fits(got)) {
				return got
			}
			if trouble, is := e.(parley.Trouble); is {
				p.t.Errorf("trouble: %v", trouble.Err)
			}
		case <-limit.C:
			p.t.Fatalf("no %T within %v", none, patience)
		}
	}
}

// hears waits until the tone and the pattern of everybody else arrive over a path that fits, and returns the stats.
func (p *peer) hears(fits func(parley.Path) bool) parley.LinkStats {
	p.t.Helper()
	var found parley.LinkStats
	watch(p.t, p.Room, func(stats parley.Stats) string {
		for _, l := range stats.Links {
			if toned(l, true) && fits(l.Path) {
				found = l
				return ""
			}
		}
		return fmt.Sprintf("nothing to hear and see: %+v", stats)
	})
	return found
}

// toned reports whether the tone, and the pattern if it is wanted, have come by a link.
func toned(l parley.LinkStats, picture bool) bool {
	camera := l.Received[parley.Camera]
	return l.Received[parley.Microphone].Tone && (!picture || camera.KeyFrames > 0 && camera.Frames > 5 && camera.Width == 320)
}

// watch looks at a room's counters, of which nothing tells, until lacking says nothing any more.
func watch(t *testing.T, room *parley.Room, lacking func(parley.Stats) string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		stats, err := room.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		what := lacking(stats)
		if what == "" {
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("after %v: %s", patience, what)
		}
	}
}

func direct(p parley.Path) bool { return p.Kind == parley.PathDirect }

// track waits for a person's track.
func (p *peer) track(source parley.Source) *parley.Track {
	p.t.Helper()
	return until(p, func(e parley.TrackAdded) bool { return e.Track.Source == source }).Track
}

// people returns the names and ids of those inside.
func (p *peer) people() map[string]string {
	p.t.Helper()
	list, err := p.People(wait(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	ids := make(map[string]string)
	for _, person := range list {
		ids[person.Name] = person.ID
	}
	return ids
}

// refused checks that err is the server's no with code.
func refused(t *testing.T, err error, code parley.Code) {
	t.Helper()
	var no *parley.Refused
	if !errors.As(err, &no) || no.Code != code {
		t.Errorf("%v, want it refused with %q", err, code)
	}
	if no != nil && no.Words == "" {
		t.Errorf("refused with %q and no words", code)
	}
}

// cable is a dialer whose connections can be cut, and kept from coming back.
type cable struct {
	mu    sync.Mutex
	conns []net.Conn
	gate  chan struct{} // closed while dialing is allowed
}

func newCable() *cable {
	c := &cable{gate: make(chan struct{})}
	close(c.gate)
	return c
}

func (c *cable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	gate := c.gate
	c.mu.Unlock()
	select {
	case <-gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err == nil {
		c.mu.Lock()
		c.conns = append(c.conns, conn)
		c.mu.Unlock()
	}
	return conn, err
}

// cut ends every connection; with stay none can be made until mend.
func (c *cable) cut(stay bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stay {
		c.gate = make(chan struct{})
	}
	for _, conn := range c.conns {
		_ = conn.Close() // it may be over already
	}
	c.conns = nil
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.gate)
}
