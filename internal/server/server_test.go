package server_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/server"
	"github.com/parley-rtc/parley/internal/signal"
)

var page = fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>the page</title>")}}

// house is a running server.
type house struct {
	*server.Server
	at    netip.AddrPort
	drain context.CancelFunc
	ended chan error
}

// start runs a server with the configuration that change makes of the defaults, on a free loopback port.
func start(t *testing.T, change func(*config.Config)) *house {
	t.Helper()
	h, err := open(t, change)
	if err != nil {
		t.Fatal(err)
	}
	ctx, drain := context.WithCancel(context.Background())
	h.drain = drain
	go func() { h.ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		h.Close()
		drain()
		if err := <-h.ended; err != nil {
			t.Error("the end:", err)
		}
	})
	return h
}

func open(t *testing.T, change func(*config.Config)) (*house, error) {
	t.Helper()
	t.Chdir(t.TempDir()) // no parley.yaml
	loaded, err := config.Load(config.Sources{Flags: map[string]string{"listen": "127.0.0.1:0", "data": t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&loaded.Config)
	}
	s, err := server.Open(t.Context(), server.Config{Config: loaded.Config, Version: "test"}, page, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return &house{Server: s, at: s.Info().Listen, ended: make(chan error, 1)}, nil
}

func noLeaks(t *testing.T, but ...goleak.Option) {
	t.Helper()
	but = append(but, goleak.IgnoreCurrent())
	t.Cleanup(func() { goleak.VerifyNone(t, but...) })
}

// client reaches h whatever the name, and accepts its certificate.
func (h *house) client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", h.at.String())
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// answer is what came back.
type answer struct {
	StatusCode int
	Proto      string
	Header     http.Header
	body       string
}

func (h *house) get(t *testing.T, url string) answer {
	t.Helper()
	r, err := h.client(t).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Proto, r.Header, string(b)}
}

// hello opens a socket as a browser on url's host does and returns it with the answer to hello.
func (h *house) hello(t *testing.T, url string, m *signal.Hello) (*websocket.Conn, signal.Message) {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), url+"/ws", &websocket.DialOptions{HTTPClient: h.client(t), Subprotocols: []string{signal.Subprotocol}}) //nolint:bodyclose // the library closes it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	m.Type, m.Client = signal.TypeHello, signal.Client{Name: "test"}
	b, err := signal.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), websocket.MessageText, b); err != nil {
		t.Fatal(err)
	}
	return c, receive(t, c)
}

func receive(t *testing.T, c *websocket.Conn) signal.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, b, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, fault := signal.Decode(b, signal.FromServer)
	if fault != nil {
		t.Fatal(fault)
	}
	return m
}

func welcomed(t *testing.T, m signal.Message) *signal.Welcome {
	t.Helper()
	w, ok := m.(*signal.Welcome)
	if !ok {
		t.Fatalf("not welcome: %#v", m)
	}
	return w
}

// Two servers in one process, each with its own port and data: pages, redirects, sockets.
func TestTwoServers(t *testing.T) {
	noLeaks(t)
	one, two := start(t, nil), start(t, nil)
	if one.at == two.at || one.Info().Room == two.Info().Room || one.Info().Links == two.Info().Links {
		t.Error("they share something:", one.Info(), two.Info())
	}
	for _, h := range []*house{one, two} {
		r := h.get(t, "http://localhost"+portOf(h))
		if r.StatusCode != 200 || r.body != string(page["index.html"].Data) {
			t.Error("plain on localhost:", r)
		}
		r = h.get(t, "https://192.0.2.1"+portOf(h)+"/r/some-room")
		if r.StatusCode != 200 || r.Proto != "HTTP/2.0" || r.body != string(page["index.html"].Data) || r.Header.Get("Strict-Transport-Security") != "" {
			t.Error("HTTP/2 with a self-signed certificate:", r)
		}
		r = h.get(t, "http://192.0.2.1"+portOf(h)+"/r/some-room?x=1")
		if r.StatusCode != 308 || r.Header.Get("Location") != "https://192.0.2.1"+portOf(h)+"/r/some-room?x=1" {
			t.Error("plain elsewhere:", r)
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if r := h.get(t, "http://localhost"+portOf(h)+path); r.StatusCode != 200 {
				t.Error(path, r)
			}
		}
		_, m := h.hello(t, "ws://localhost"+portOf(h), &signal.Hello{Room: "some-room"})
		if w := welcomed(t, m); w.Room == nil || w.Room.May != signal.MayCreate || w.Server.Version != "test" {
			t.Errorf("welcome: %+v", w)
		}
	}
}

func portOf(h *house) string {
	s := h.at.String()
	return s[strings.LastIndexByte(s, ':'):]
}

// The credentials of a welcome open an allocation on every way to the relay; those of another server do not.
func TestRelayWithTheWelcomesCredentials(t *testing.T) {
	noLeaks(t)
	h, other := start(t, nil), start(t, nil)
	_, m := h.hello(t, "ws://localhost"+portOf(h), &signal.Hello{Room: "some-room"})
	ice := welcomed(t, m).ICE
	if ice == nil || len(ice.Servers) != 2 || ice.Servers[0].URLs[0] != "stun:"+h.at.String() {
		t.Fatalf("%+v", ice)
	}
	for _, way := range []string{"udp", "tcp", "tls"} {
		relayed, err := allocate(t, h.at, way, ice.Servers[1].Username, ice.Servers[1].Credential)
		if err != nil || relayed.Addr() != h.at.Addr() {
			t.Errorf("%s: %v, %v", way, relayed, err)
		}
		if _, err := allocate(t, other.at, way, ice.Servers[1].Username, ice.Servers[1].Credential); err == nil {
			t.Errorf("%s: another server took them", way)
		}
	}
}

// A public Host without a domain is no open house: no room for a stranger, no relay; with the host link both.
func TestStrangerAtAPublicAddress(t *testing.T) {
	noLeaks(t)
	h := start(t, nil)
	url := "wss://203.0.113.5" + portOf(h)
	_, m := h.hello(t, url, &signal.Hello{Room: "some-room"})
	if w := welcomed(t, m); w.Room.May != signal.MayNot || w.ICE != nil {
		t.Errorf("a stranger may %s, relay %v", w.Room.May, w.ICE)
	}
	guest, secret, _ := strings.Cut(h.Info().Links.Host, "#host=")
	if guest != h.Info().Links.Guest {
		t.Error(h.Info().Links)
	}
	_, m = h.hello(t, url, &signal.Hello{Room: h.Info().Room, Host: secret})
	if w := welcomed(t, m); w.Room.May != signal.MayCreate || w.Room.Role != signal.RoleHost || w.ICE == nil {
		t.Errorf("the host: %+v", w)
	}
}

// The end in order: readiness goes first, clients are told, nothing new is taken, and all is over in 10 s.
func TestDrain(t *testing.T) {
	noLeaks(t)
	h := start(t, nil)
	c, _ := h.hello(t, "ws://localhost"+portOf(h), &signal.Hello{Room: "some-room"})
	began := time.Now()
	h.drain()
	for {
		if bye, ok := receive(t, c).(*signal.Bye); ok {
			if bye.Reason != signal.ByeDraining || bye.Retry == 0 {
				t.Errorf("%+v", bye)
			}
			break
		}
	}
	if _, _, err := c.Read(t.Context()); err == nil {
		t.Error("the socket is open after bye")
	}
	if err := <-h.ended; err != nil {
		t.Error(err)
	}
	h.ended <- nil // for the clean-up
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if c, err := net.Dial("tcp", h.at.String()); err == nil {
		c.Close()
		t.Error("the port is open still")
	}
}

// Close does not wait for anybody: not for clients that never answer, and not for a drain under way.
func TestCloseDuringDrain(t *testing.T) {
	noLeaks(t)
	h := start(t, nil)
	idle, err := net.Dial("tcp", h.at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	c, _ := h.hello(t, "ws://localhost"+portOf(h), &signal.Hello{Room: "some-room"})
	h.drain()
	h.Close()
	select {
	case err := <-h.ended:
		if err != nil {
			t.Error(err)
		}
		h.ended <- nil
	case <-time.After(5 * time.Second):
		t.Error("Close waits")
	}
	_ = c.CloseNow()
}

func TestRestartKeepsTheLinks(t *testing.T) {
	data := t.TempDir()
	keep := func(c *config.Config) { c.Data = data }
	var links [2]server.Links
	var rooms [2]string
	for i := range links {
		h, err := open(t, keep)
		if err != nil {
			t.Fatal(err)
		}
		rooms[i] = h.Info().Room
		_, links[i].Host, _ = strings.Cut(h.Info().Links.Host, "/r/")
		h.Close()
	}
	if links[0] != links[1] || rooms[0] != rooms[1] {
		t.Error(links, rooms)
	}
}

func TestPortInUse(t *testing.T) {
	noLeaks(t)
	h := start(t, nil)
	if _, err := open(t, func(c *config.Config) { c.Listen = h.at.String() }); !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
}

// Idle connections do not keep an honest page away, and end with the server.
func TestManyIdleConnections(t *testing.T) {
	noLeaks(t)
	h := start(t, nil)
	var wg sync.WaitGroup
	conns := make(chan net.Conn, 500)
	for range cap(conns) {
		wg.Go(func() {
			if c, err := net.Dial("tcp", h.at.String()); err == nil {
				conns <- c
			}
		})
	}
	wg.Wait()
	close(conns)
	began := time.Now()
	if r := h.get(t, "http://localhost"+portOf(h)); r.StatusCode != 200 || time.Since(began) > 2*time.Second {
		t.Error(r, time.Since(began))
	}
	for c := range conns {
		c.Close()
	}
}
