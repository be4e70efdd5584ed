package parley

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	dialTimeout  = 15 * time.Second
	writeTimeout = 15 * time.Second
	// maxQueue is how many messages may wait to be written to one socket.
	maxQueue = signal.MaxUnacked + 64
)

// socket is one WebSocket with its reader and its writer. It belongs to the owner of the room, who reads in and done.
type socket struct {
	in     chan []byte   // what arrives; closed at the end
	err    error         // why it ended; valid once in is closed
	out    chan []byte   // what is to be written
	cancel func()        // ends it at once
	done   chan struct{} // closed when both goroutines are over
}

// connector opens sockets to one server.
type connector struct {
	url   string
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	trust *tls.Config
	proxy func(*http.Request) (*url.URL, error)
}

func newConnector(a address, o Options) *connector {
	return &connector{url: a.socket, dial: o.Dial, trust: o.tlsConfig(""), proxy: http.ProxyFromEnvironment}
}

// client makes the client for one socket. Its connection ends with ctx: by itself a client goes on dialing for others
// when nobody waits any more, which on a dead path adds up.
func (c *connector) client(ctx context.Context) *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy: c.proxy,
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			conn, err := c.dial(ctx, network, address)
			if err == nil {
				context.AfterFunc(ctx, func() { _ = conn.Close() }) // nobody wants it any more
			}
			return conn, err
		},
		DisableKeepAlives:   true,
		TLSClientConfig:     c.trust,
		TLSHandshakeTimeout: dialTimeout,
	}}
}

// tlsConfig is how this program trusts servers. name is empty where the HTTP client fills it in.
func (o Options) tlsConfig(name string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: name, RootCAs: o.Roots,
		InsecureSkipVerify: o.Insecure, // only when the user asked for it by name
	}
}

// open connects. The socket lives until its context ends, it fails, or close is called.
func (c *connector) open(ctx context.Context) (*socket, error) {
	ctx, end := context.WithCancel(ctx)
	limit := time.AfterFunc(dialTimeout, end)
	defer limit.Stop()
	options := &websocket.DialOptions{HTTPClient: c.client(ctx), Subprotocols: []string{signal.Subprotocol}}
	conn, res, err := websocket.Dial(ctx, c.url, options) //nolint:bodyclose // the library closes it
	if err != nil {
		end()
		return nil, dialError(res, err)
	}
	if conn.Subprotocol() != signal.Subprotocol {
		_ = conn.CloseNow() // nothing was said yet
		end()
		return nil, fmt.Errorf("parley: the server at %s does not speak %s", c.url, signal.Subprotocol)
	}
	conn.SetReadLimit(signal.MaxDescription + signal.MaxMessage)
	life, cancel := ctx, end
	s := &socket{
		in: make(chan []byte, 16), out: make(chan []byte, maxQueue),
		cancel: cancel, done: make(chan struct{}),
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.write(life, conn)
	}()
	go func() {
		defer close(s.done)
		s.read(life, conn)
		cancel()
		<-written
		_ = conn.CloseNow() // it is broken or closed already
	}()
	return s, nil
}

// dialError says in words what a failed connection means.
func dialError(res *http.Response, err error) error {
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("parley: the server's certificate is not trusted: %w", unknown.Err)
	case res != nil && res.StatusCode != http.StatusSwitchingProtocols:
		return fmt.Errorf("parley: the server answered %q instead of opening a session", res.Status)
	}
	return fmt.Errorf("parley: no connection: %w", err)
}

func (s *socket) read(ctx context.Context, conn *websocket.Conn) {
	defer close(s.in)
	for {
		kind, b, err := conn.Read(ctx)
		if err == nil && kind != websocket.MessageText {
			err = errors.New("parley: the server sent a binary message")
		}
		if err != nil {
			s.err = err
			return
		}
		select {
		case s.in <- b:
		case <-ctx.Done():
			s.err = context.Cause(ctx)
			return
		}
	}
}

// write sends what is queued until out is closed; then it says goodbye to the WebSocket.
func (s *socket) write(ctx context.Context, conn *websocket.Conn) {
	for {
		select {
		case b, ok := <-s.out:
			if !ok {
				_ = conn.Close(websocket.StatusNormalClosure, "") // as far as it goes; the socket is done with
				s.cancel()
				return
			}
			writing, cancel := context.WithTimeout(ctx, writeTimeout)
			err := conn.Write(writing, websocket.MessageText, b)
			cancel()
			if err != nil {
				s.cancel()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// send queues b. It never blocks; a socket that cannot keep up is cut, and the session resumes on another.
func (s *socket) send(b []byte) {
	select {
	case s.out <- b:
	default:
		s.cancel()
	}
}
