package hub

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
)

// open returns a hub with a media plane on a port, and what it tells to sessions, which is theirs who read it after an answer.
func open(t *testing.T) (*Hub, *[]string) {
	t.Helper()
	var told []string
	var port *portserver.Server
	here := func(string) []sdp.Candidate { return []sdp.Candidate{{Address: port.Addr()}} }
	h := New(Config{Log: slog.New(slog.DiscardHandler), Candidates: here, Tell: func(room, session string, m signal.Relayed) bool {
		if m, ok := m.(*signal.CloseLink); ok {
			told = append(told, room+" "+session+" "+m.Link)
		}
		return true
	}})
	plane, err := mediaserver.New(mediaserver.Config{Listener: h, Data: h, Channels: Channels(), Candidates: func() []sdp.Candidate { return here("") }})
	if err != nil {
		t.Fatal(err)
	}
	if port, err = portserver.Listen(portserver.Config{Address: "127.0.0.1:0", Batches: plane, Loops: 1}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	plane.Attach(port)
	h.Attach(plane)
	var running sync.WaitGroup
	running.Go(func() {
		if err := port.Serve(context.Background()); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		plane.Close()
		port.Close()
		h.Stop()
		running.Wait()
	})
	return h, &told
}

// TestManyLinks: of a client that offers one link after the other two are remembered, and it is told which have ended for the next.
func TestManyLinks(t *testing.T) {
	h, told := open(t)
	text, err := os.ReadFile(filepath.Join("..", "sdp", "testdata", "chromium-plain.sdp"))
	if err != nil {
		t.Fatal(err)
	}
	p := signalserver.HubPeer{Room: "tea", Session: "s1", Seat: "ann"}
	const links = 20
	for i := range links {
		answered := make(chan *signal.Error)
		o := &signal.Offer{Peer: signal.Peer{Link: fmt.Sprint("h", i)}, SDP: string(text)}
		h.Offer(p, o, func(_ signalserver.HubAnswer, fault *signal.Error) { answered <- fault })
		if fault := <-answered; fault != nil {
			t.Fatal(fault.Words)
		}
	}
	r := h.find("tea")
	r.mu.Lock()
	remembered := len(r.sessions["s1"].links)
	r.mu.Unlock()
	if remembered != 2 || len(*told) != links-2 || (*told)[0] != "tea s1 h0" {
		t.Errorf("%d links are remembered, told: %q", remembered, *told)
	}
}
