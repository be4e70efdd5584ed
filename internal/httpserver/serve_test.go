package httpserver

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

// Real sockets: HTTP/2 and HTTP/1.1 over TLS, a WebSocket through the upgrade, limits, and the end.
func TestServe(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	upgraded := make(chan struct{})
	socket := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		close(upgraded)
		kind, b, err := c.Read(r.Context())
		if err == nil {
			_ = c.Write(r.Context(), kind, b)
		}
		_, _, _ = c.Read(r.Context())
	})
	s, err := New(Config{}, socket, page, quiet)
	if err != nil {
		t.Fatal(err)
	}
	plain := listen(t)
	helper := httptest.NewUnstartedServer(nil) // for its certificate
	helper.StartTLS()
	certs := helper.TLS.Certificates
	roots := helper.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	helper.Close()
	secure := tls.NewListener(listen(t), &tls.Config{Certificates: certs, NextProtos: []string{"h2", "http/1.1"}})
	served := make(chan error, 1)
	go func() { served <- s.Serve(secure, plain) }()

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	client := &http.Client{Transport: transport}
	r, err := client.Get("https://" + secure.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.ProtoMajor != 2 || r.StatusCode != 200 {
		t.Error(r.Proto, r.Status)
	}
	client.CloseIdleConnections()

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+plain.Addr().String()+"/ws", nil) //nolint:bodyclose // the library closes it
	if err != nil {
		t.Fatal(err)
	}
	<-upgraded
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(ctx); err != nil || string(b) != "hello" {
		t.Error(string(b), err)
	}

	big, err := http.NewRequestWithContext(ctx, "GET", "http://"+plain.Addr().String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	big.Header.Set("Cookie", strings.Repeat("x", 64<<10))
	if r, err := client.Do(big); err == nil {
		r.Body.Close()
		if r.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Error("64 kB of headers:", r.Status)
		}
	}

	client.CloseIdleConnections()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	_ = c.CloseNow()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
