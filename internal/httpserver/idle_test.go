package httpserver

import (
	"bufio"
	"container/list"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
)

// TestIdle: of the connections that ask for nothing, each source has so many; the oldest makes room. A trusted proxy's
// are many people's.
func TestIdle(t *testing.T) {
	for name, tt := range map[string]struct {
		proxies []netip.Prefix
		silent  bool
		closed  bool
	}{
		"after a request":  {closed: true},
		"never a request":  {silent: true, closed: true},
		"behind the proxy": {proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, Config{TrustedProxies: tt.proxies})
				s.idle.perSource = 3
				plain, secure := newPipes(), newPipes()
				served := make(chan error, 1)
				go func() { served <- s.Serve(secure, plain) }()
				var all []net.Conn
				for range 5 {
					client, server := net.Pipe()
					plain.conns <- &localConn{server}
					all = append(all, client)
					if !tt.silent {
						askHealth(t, client)
					}
					synctest.Wait()
				}
				for i, c := range all {
					gone := make(chan bool, 1)
					go func() { _, err := c.Read(make([]byte, 1)); gone <- err == io.EOF }() //nolint:errorlint // a pipe's own
					synctest.Wait()
					want := tt.closed && i < 2
					if got := len(gone) > 0 && <-gone; got != want {
						t.Errorf("connection %d: closed %v, want %v", i, got, want)
					}
				}
				for _, c := range all {
					c.Close()
				}
				if err := s.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if err := <-served; err != nil {
					t.Error(err)
				}
				synctest.Wait()
				s.idle.mu.Lock()
				defer s.idle.mu.Unlock()
				if len(s.idle.entries) != 0 || len(s.idle.sources) != 0 || s.idle.all.Len() != 0 {
					t.Errorf("kept: %d entries, %d sources", len(s.idle.entries), len(s.idle.sources))
				}
			})
		})
	}
}

// TestIdleFlood: whoever fills the server loses their own connections, and nobody else theirs.
func TestIdleFlood(t *testing.T) {
	d := &idle{
		limit: 10, perSource: 8, exempt: func(netip.Addr) bool { return false },
		sources: map[netip.Addr]*list.List{}, entries: map[net.Conn]*idleEntry{},
	}
	closed := make(chan string, 100)
	from := func(address string) {
		d.follow(&countedConn{from: address, closed: closed}, http.StateNew)
	}
	from("192.0.2.1:1")
	from("192.0.2.2:1")
	for i := range 20 {
		from(fmt.Sprintf("[2001:db8:0:%x::1]:1", i%2)) // two networks, each below what one may have
	}
	for range 12 {
		if a := <-closed; !strings.HasPrefix(a, "[2001:db8") {
			t.Errorf("%s lost its connection", a)
		}
	}
	if d.all.Len() != 10 || len(d.sources) != 4 {
		t.Errorf("%d connections of %d sources are kept, want 10 of 4", d.all.Len(), len(d.sources))
	}
}

type countedConn struct {
	net.Conn
	from   string
	closed chan<- string
}

func (c *countedConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}

func (c *countedConn) Close() error {
	c.closed <- c.from
	return nil
}

func askHealth(t *testing.T, c net.Conn) {
	t.Helper()
	go func() { _, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") }()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
}
