package portserver

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTCPIsToldApart(t *testing.T) {
	h := open(t, Config{})
	page := func(want string) func(net.Conn) error {
		return func(c net.Conn) error {
			if got, err := request(c); got != want || err != nil {
				return fmt.Errorf("got %q, %w", got, err)
			}
			return nil
		}
	}
	turn := func(want string) func(net.Conn) error {
		return func(c net.Conn) error {
			for _, b := range stun() { // a byte at a time
				if _, err := c.Write([]byte{b}); err != nil {
					return err
				}
			}
			answer := make([]byte, 4)
			if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "turn" {
				return fmt.Errorf("%q, %w", answer, err)
			}
			if got := <-h.streams; got != want+string(stun()) {
				return fmt.Errorf("stream %q", got)
			}
			return nil
		}
	}
	closed := func(send string) func(net.Conn) error {
		return func(c net.Conn) error {
			if _, err := io.WriteString(c, send); err != nil {
				return err
			}
			return ended(c)
		}
	}
	plain := func() net.Conn { return h.dial() }
	secure := func(p ...string) func() net.Conn { return func() net.Conn { return h.dialTLS(p...) } }
	for _, tt := range []struct {
		name string
		dial func() net.Conn
		do   func(net.Conn) error
	}{
		{"plain http", plain, page("HTTP/1.1 tls=false")},
		{"https", secure("http/1.1"), page("HTTP/1.1 tls=true")},
		{"https without alpn", secure(), page("HTTP/1.1 tls=true")},
		{"turn over tcp", plain, turn("tcp ")},
		{"turn over tls", secure("stun.turn"), turn("tls ")},
		{"turn over tls, offered last", secure("http/1.1", "stun.turn"), turn("tls ")},
		{"turn over tls without alpn", secure(), turn("tls ")},
		{"acme", secure("acme-tls/1"), ended},
		{"ice over tcp", plain, closed("\x00\x14" + string(stun()))},
		{"stranger", plain, closed("\xff\xff\xff\xff")},
		{"broken tls", plain, func(c net.Conn) error {
			_, _ = io.WriteString(c, "\x16\x03\x01\x00\x05hello")
			_, err := io.Copy(io.Discard, c) // an alert, then the end
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.do(tt.dial()); err != nil {
				t.Error(err)
			}
		})
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.roots}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	r, err := client.Get("https://" + h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if string(body) != "HTTP/2.0 tls=true" {
		t.Errorf("http/2: %q", body)
	}
	st := h.Stats()
	if st.TURN != 1 || st.TURNS != 3 || st.HTTP != 1 || st.HTTPS != 3 || st.HandshakeOnly != 1 || st.ICETCP != 1 ||
		st.Strangers != 1 || st.HandshakeFailed != 1 || st.Panics != 0 {
		t.Errorf("%+v", st)
	}
}

// TestSilenceEnds: whoever says too little in time is dropped.
func TestSilenceEnds(t *testing.T) {
	t.Parallel()
	h := open(t, Config{Patience: 2 * time.Second})
	conns := map[string]net.Conn{"nothing after the handshake": h.dialTLS()}
	for name, said := range map[string]string{
		"nothing": "", "half a cookie": "\x00\x01\x00\x00\x21\x12", "half a handshake": "\x16\x03\x01\x02\x00",
	} {
		conns[name] = h.dial()
		if _, err := io.WriteString(conns[name], said); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range conns {
		if err := ended(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.Close() // what is counted after a connection has closed is counted now
	if st := h.Stats(); st.Silent+st.HandshakeFailed != 4 {
		t.Errorf("%+v", st)
	}
}

// TestOldestUndecidedGoesFirst: at the limit the newest connection is served.
func TestOldestUndecidedGoesFirst(t *testing.T) {
	for name, cfg := range map[string]Config{"prefix": {UndecidedPerPrefix: 10}, "total": {Undecided: 10}} {
		t.Run(name, func(t *testing.T) {
			h := open(t, cfg)
			var idle []net.Conn
			for range 30 {
				idle = append(idle, h.dial())
			}
			if got, err := request(h.dial()); err != nil {
				t.Fatal(got, err)
			}
			for _, c := range idle[:20] { // in the order of their coming
				if err := ended(c); err != nil {
					t.Fatal(err)
				}
			}
			last := idle[29]
			if got, err := request(last); err != nil {
				t.Errorf("the newest idle one: %q, %v", got, err)
			}
			if st := h.Stats(); st.Evicted < 20 || st.Evicted > 21 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestIdleConnectionsDoNotSlow: two thousand connections that say nothing stay open, half of them in the middle of a TLS
// handshake, while honest ones of every kind are served.
func TestIdleConnectionsDoNotSlow(t *testing.T) {
	const idle = 2000
	h := open(t, Config{Undecided: idle + 10, UndecidedPerPrefix: idle + 10, Patience: time.Minute})
	honest := func() []time.Duration {
		var took []time.Duration
		for range 20 {
			begun := time.Now()
			if got, err := request(h.dialTLS("http/1.1")); err != nil || !strings.Contains(got, "tls=true") {
				t.Fatalf("%q, %v", got, err)
			}
			took = append(took, time.Since(begun))
		}
		c := h.dialTLS("stun.turn")
		if _, err := c.Write(stun()); err != nil {
			t.Fatal(err)
		}
		<-h.streams
		slices.Sort(took)
		return took
	}
	before := honest()
	var conns []net.Conn
	for i := range idle {
		c := h.dial()
		if i%2 == 0 {
			if _, err := io.WriteString(c, "\x16\x03\x01\x02\x00\x01"); err != nil {
				t.Fatal(err)
			}
		}
		conns = append(conns, c)
	}
	during := honest()
	if st := h.Stats(); st.Undecided < idle || st.Evicted != 0 {
		t.Errorf("the idle ones are gone: %+v", st)
	}
	for _, c := range []net.Conn{conns[1], conns[idle-1]} { // still open, and still served
		if _, err := request(c); err != nil {
			t.Error(err)
		}
	}
	t.Logf("HTTPS request, new connection: median %v and worst %v alone, %v and %v beside %d idle connections",
		before[10], before[19], during[10], during[19], idle)
}
