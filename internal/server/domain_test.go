package server_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/test/acme"
)

// With a domain, the certificate is got from a real authority through the one port, which serves the page, sockets and
// TURN over TLS with it.
func TestDomain(t *testing.T) {
	const domain = "meet.parley.test"
	// See the test of package certificate for why these stay.
	noLeaks(t,
		goleak.IgnoreAnyFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"))
	ca := acme.New(t)
	h := start(t, func(c *config.Config) {
		c.Domain = domain
		c.PublicAddress.Addrs = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		c.ACME = config.ACME{Directory: ca.Directory, Email: "ops@parley.test", Roots: ca.RootsFile}
	})
	if h.Info().Bases[0] != "https://"+domain {
		t.Error(h.Info().Bases)
	}
	ca.Serve(h.at.String())
	strict := ca.Client(t, h.at.String())
	var r *http.Response
	for deadline := time.Now().Add(30 * time.Second); ; {
		var err error
		if r, err = strict.Get("https://" + domain + "/"); err == nil {
			r.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no certificate within 30 s: ", err)
		}
		<-time.After(50 * time.Millisecond) // for what happens in Pebble
	}
	if r.StatusCode != 200 || r.Header.Get("Strict-Transport-Security") == "" {
		t.Error(r.Status, r.Header)
	}

	_, secret, _ := strings.Cut(h.Info().Links.Host, "#host=")
	_, m := h.hello(t, "wss://"+domain, &signal.Hello{Room: h.Info().Room, Host: secret})
	ice := welcomed(t, m).ICE
	if ice == nil || !strings.Contains(strings.Join(ice.Servers[1].URLs, " "), "turns:"+domain+":443?transport=tcp") {
		t.Errorf("turns is not offered: %+v", ice)
	}
	// The relay over TLS by name, with the certificate checked as a browser does.
	c, err := tls.Dial("tcp", h.at.String(), &tls.Config{RootCAs: ca.Issued, ServerName: domain})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()

	// Guests may not make rooms here, not even from this machine.
	_, m = h.hello(t, "ws://localhost"+portOf(h), &signal.Hello{Room: "another-room"})
	if w := welcomed(t, m); w.Room.May != signal.MayNot || w.ICE != nil {
		t.Errorf("a guest may %s, relay %v", w.Room.May, w.ICE)
	}
}

// A page of another site may not open a socket; one that is listed may.
func TestOrigins(t *testing.T) {
	noLeaks(t)
	h := start(t, func(c *config.Config) { c.Origins = []string{"https://friend.example"} })
	for origin, want := range map[string]bool{
		"":                               true,
		"http://localhost" + portOf(h):   true,
		"https://localhost" + portOf(h):  false,
		"https://friend.example":         true,
		"https://enemy.example":          false,
		"https://friend.example.evil.ex": false,
		"null":                           false,
	} {
		options := &websocket.DialOptions{HTTPClient: h.client(t), Subprotocols: []string{signal.Subprotocol}, HTTPHeader: http.Header{}}
		if origin != "" {
			options.HTTPHeader.Set("Origin", origin)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		c, _, err := websocket.Dial(ctx, "ws://localhost"+portOf(h)+"/ws", options) //nolint:bodyclose // the library closes it
		cancel()
		if (err == nil) != want {
			t.Errorf("origin %q: %v", origin, err)
		}
		if err == nil {
			_ = c.CloseNow()
		}
	}
}

// Behind a trusted proxy the client's address counts, not the proxy's: a stranger does not make rooms, although the
// proxy is on a private network. An unlisted proxy does not open the house either.
func TestProxies(t *testing.T) {
	noLeaks(t)
	for _, tt := range []struct {
		name    string
		trusted string
		header  string
		may     signal.May
	}{
		{"nobody forwards", "127.0.0.1/32", "", signal.MayCreate},
		{"for a stranger", "127.0.0.1/32", "203.0.113.9", signal.MayNot},
		{"for a neighbour", "127.0.0.1/32", "192.168.1.9", signal.MayCreate},
		{"an unlisted proxy", "10.0.0.0/8", "192.168.1.9", signal.MayNot},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := start(t, func(c *config.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(tt.trusted)} })
			client := h.client(t)
			transport := client.Transport
			client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if tt.header != "" {
					r.Header.Set("X-Forwarded-For", tt.header)
				}
				return transport.RoundTrip(r)
			})
			c, _, err := websocket.Dial(t.Context(), "ws://localhost"+portOf(h)+"/ws", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{signal.Subprotocol}}) //nolint:bodyclose // the library closes it
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.CloseNow() }()
			b, err := signal.Encode(&signal.Hello{Header: signal.Header{Type: signal.TypeHello}, Client: signal.Client{Name: "test"}, Room: "some-room"})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Write(t.Context(), websocket.MessageText, b); err != nil {
				t.Fatal(err)
			}
			if w := welcomed(t, receive(t, c)); w.Room.May != tt.may {
				t.Errorf("may %s, want %s", w.Room.May, tt.may)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
