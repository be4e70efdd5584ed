package signalserver

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

func TestWelcome(t *testing.T) {
	h := onLoopback(t, Config{Version: "1.2"})
	c := h.enter(t, "blue")
	w := c.welcome
	if w.Session == "" || w.Resume == "" || w.Resumed || w.Window != 600 || w.Heartbeat != 20000 || w.Server.Version != "1.2" {
		t.Errorf("%+v", w)
	}
	if w.ICE == nil || w.ICE.Servers[0].URLs[0] != "stun:localhost" || w.ICE.Servers[0].Username != w.Session {
		t.Errorf("%+v", w.ICE)
	}
	if r := w.Room; r.Name != "blue" || r.Exists || r.May != signal.MayCreate || r.Role != signal.RoleHost {
		t.Errorf("%+v", r)
	}
	if !h.srv.Alive(w.Session) || h.srv.Alive("somebody") {
		t.Error("alive is wrong")
	}
	j := c.join("Ann")
	if j.Room.Host == "" || !h.keys.CheckHost("blue", j.Room.Host, time.Now()) {
		t.Errorf("no host secret: %+v", j.Room)
	}
	c.refused(&signal.Join{Name: "Ann"}, signal.CodeOrder)
	n := c.send(&signal.ICEServersAsk{})
	if a := next[*signal.ICEServersAnswer](c); a.Re != n || a.ICE.Servers[0].Username != w.Session {
		t.Errorf("%+v", a)
	}
	c.send(&signal.Ping{ID: 77})
	if p := next[*signal.Pong](c); p.ID != 77 {
		t.Errorf("%+v", p)
	}
	c.send(&signal.Bye{Reason: signal.ByeClosed})
	if code := c.ended(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
	if h.srv.Alive(w.Session) {
		t.Error("alive after goodbye")
	}
}

// TestClosedHouse is a server with a public name: strangers make no rooms and get no relay.
func TestClosedHouse(t *testing.T) {
	h := onLoopback(t, Config{Domain: true})
	guest := h.enter(t, "blue")
	if w := guest.welcome; w.ICE != nil || w.Room.May != signal.MayNot || h.srv.Alive(w.Session) {
		t.Errorf("%+v %+v", w, w.Room)
	}
	guest.refused(&signal.ICEServersAsk{}, signal.CodeForbidden)
	guest.refused(&signal.Join{Name: "Guest"}, signal.CodeNoRoom)

	liar := h.client(t).connect().hello(signal.Hello{Room: "blue", Host: h.keys.HostSecret("red", time.Now())})
	if e := next[*signal.Error](liar); e.Code != signal.CodeBadSecret || e.Field != "host" {
		t.Errorf("%+v", e)
	}
	liar.refused(&signal.Join{Name: "Liar"}, signal.CodeNoRoom)

	host := h.client(t).connect().hello(signal.Hello{Room: "blue", Host: h.keys.HostSecret("blue", time.Now())})
	if w := host.welcome; w.ICE == nil || w.Room.May != signal.MayCreate || w.Room.Role != signal.RoleHost {
		t.Errorf("%+v", w)
	}
	host.join("Host")
	if r := skipTo[*signal.Room](guest); !r.Room.Exists || r.Room.May != signal.MayJoin {
		t.Errorf("%+v", r)
	}
	next[*signal.SeatChange](guest)
	guest.send(&signal.ICEServersAsk{})
	next[*signal.ICEServersAnswer](guest)
	guest.join("Guest")
}

func TestNotOpen(t *testing.T) {
	for name, change := range map[string]func(*client){
		"public Host":             func(c *client) { c.host = "meet.example.com" },
		"forwarded by a stranger": func(c *client) { c.header.Set("X-Forwarded-For", "203.0.113.7") },
		"via":                     func(c *client) { c.header.Set("Via", "1.1 proxy") },
	} {
		t.Run(name, func(t *testing.T) {
			c := onLoopback(t, Config{}).client(t)
			change(c)
			c.connect().hello(signal.Hello{Room: "blue"})
			if c.welcome.ICE != nil || c.welcome.Room.May != signal.MayNot {
				t.Errorf("%+v", c.welcome.Room)
			}
		})
	}
}

func TestOrigin(t *testing.T) {
	h := onLoopback(t, Config{Origins: []string{"https://app.example"}})
	for _, tt := range []struct {
		name   string
		origin []string
		status int
	}{
		{"none", nil, http.StatusSwitchingProtocols},
		{"own", []string{"http://localhost"}, http.StatusSwitchingProtocols},
		{"own, other case", []string{"HTTP://LOCALHOST"}, http.StatusSwitchingProtocols},
		{"listed", []string{"https://app.example"}, http.StatusSwitchingProtocols},
		{"other site", []string{"https://evil.example"}, http.StatusForbidden},
		{"other scheme", []string{"https://localhost"}, http.StatusForbidden},
		{"other port", []string{"http://localhost:81"}, http.StatusForbidden},
		{"prefix", []string{"http://localhost.evil.example"}, http.StatusForbidden},
		{"subdomain of a listed one", []string{"https://x.app.example"}, http.StatusForbidden},
		{"null", []string{"null"}, http.StatusForbidden},
		{"empty", []string{""}, http.StatusForbidden},
		{"two", []string{"http://localhost", "https://evil.example"}, http.StatusForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := h.client(t)
			c.header["Origin"] = tt.origin
			resp, err := c.tryConnect(signal.Subprotocol)
			if err == nil {
				defer c.close()
			}
			if resp == nil || resp.StatusCode != tt.status {
				t.Fatalf("%+v %v", resp, err)
			}
		})
	}
}

func TestUpgradeRefused(t *testing.T) {
	h := onLoopback(t, Config{})
	if resp, err := h.client(t).tryConnect(); err == nil || resp.StatusCode != http.StatusBadRequest {
		t.Error("no subprotocol is needed", err)
	}
	if resp, err := h.client(t).tryConnect("parley.v0"); err == nil || resp.StatusCode != http.StatusBadRequest {
		t.Error("another subprotocol is taken", err)
	}
	c := h.client(t)
	c.header.Set("Sec-WebSocket-Extensions", "permessage-deflate")
	resp, err := c.tryConnect("chat", signal.Subprotocol)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if resp.Header.Get("Sec-WebSocket-Extensions") != "" || c.ws.Subprotocol() != signal.Subprotocol {
		t.Errorf("negotiated %v", resp.Header)
	}
}

func TestBeforeHello(t *testing.T) {
	h := onLoopback(t, Config{})
	c := h.client(t).connect()
	c.raw(`{"type":"ping","id":1}`)
	if e := next[*signal.Error](c); e.Code != signal.CodeOrder || e.N != 0 {
		t.Errorf("%+v", e)
	}
	c.raw(`{"type":"hello","client":{"name":"x"},"room":"Blue"}`)
	if e := next[*signal.Error](c); e.Code != signal.CodeMalformed || e.Field != "room" {
		t.Errorf("%+v", e)
	}
	c.hello(signal.Hello{Room: "blue"})
	c.raw(`{"type":"hello","client":{"name":"x"},"room":"blue"}`)
	if e := next[*signal.Error](c); e.Code != signal.CodeOrder {
		t.Errorf("%+v", e)
	}

	c = h.client(t).connect()
	for range helloTries {
		c.raw("what?")
	}
	if code := c.ended(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
}

func TestHelloTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{})
		c := h.client(t).connect()
		start := time.Now()
		c.ended()
		if waited := time.Since(start); waited != signal.HelloTimeout {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestLimitsPerAddress(t *testing.T) {
	h := onLoopback(t, Config{SessionsPerAddress: 3, RoomsPerAddress: 2})
	var all []*client
	for i := range 3 {
		c := h.enter(t, "room"+string(rune('a'+i)))
		all = append(all, c)
	}
	c := h.client(t).connect()
	c.raw(`{"type":"hello","client":{"name":"x"},"room":"blue"}`)
	if e := next[*signal.Error](c); e.Code != signal.CodeBusy {
		t.Errorf("%+v", e)
	}
	if code := c.ended(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
	all[0].join("a")
	all[1].join("b")
	all[2].refused(&signal.Join{Name: "c"}, signal.CodeBusy)
	all[0].send(&signal.Leave{})
	skipTo[*signal.Room](all[0])
	all[2].join("c")
	all[1].send(&signal.Bye{})
	all[1].ended()
	h.enter(t, "another")
}

func TestSocketsPerAddress(t *testing.T) {
	h := onLoopback(t, Config{SessionsPerAddress: 1})
	for range 1 + spareSockets {
		h.client(t).connect()
	}
	resp, err := h.client(t).tryConnect(signal.Subprotocol)
	if err == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Fatal(resp, err)
	}
}

func TestDrain(t *testing.T) {
	h := onLoopback(t, Config{})
	silent := h.client(t).connect()
	c := h.enter(t, "blue")
	c.join("Ann")
	done := make(chan struct{})
	go func() {
		ctx, cancel := within()
		defer cancel()
		h.srv.Drain(ctx)
		close(done)
	}()
	for _, c := range []*client{c, silent} {
		if b := next[*signal.Bye](c); b.Reason != signal.ByeDraining || b.Retry < 1 || b.Retry > 10 {
			t.Errorf("%+v", b)
		}
		if code := c.ended(); code != websocket.StatusNormalClosure && c != silent {
			t.Errorf("closed with %d", code)
		}
	}
	<-done
	if resp, err := h.client(t).tryConnect(signal.Subprotocol); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Error(resp, err)
	}
	if h.srv.Alive(c.welcome.Session) {
		t.Error("alive after the drain")
	}
}

// TestDrainStubborn has clients that read nothing: they are cut when the time is up.
func TestDrainStubborn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{})
		h.enter(t, "blue").join("Ann")
		h.client(t).connect()
		start := time.Now()
		ctx, cancel := within()
		defer cancel()
		ctx, cancel2 := context.WithTimeout(ctx, 3*time.Second)
		defer cancel2()
		h.srv.Drain(ctx)
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestTwoServers(t *testing.T) {
	one, two := onLoopback(t, Config{}), onLoopback(t, Config{})
	a, b := one.enter(t, "blue"), two.enter(t, "blue")
	a.join("Ann")
	b.join("Bob")
	if one.srv.Alive(b.welcome.Session) {
		t.Error("a session of the other server")
	}
	// a token of one is worth nothing at the other, although they have the same key
	c := two.client(t).connect().hello(signal.Hello{Room: "blue", Resume: a.welcome.Resume, Received: a.seq.Received()})
	if c.welcome.Resumed {
		t.Error("resumed on another server")
	}
	if strings.Contains(c.welcome.Resume, a.welcome.Resume) {
		t.Error("the same token")
	}
}
