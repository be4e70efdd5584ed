package httpserver

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowBody: a request whose body never comes is let go of, as one whose header never comes is.
func TestSlowBody(t *testing.T) {
	for name, request := range map[string]string{
		"header":          "GET / HTTP/1.1\r\nHost: localh",
		"body":            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
		"chunked body":    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"body of a GET":   "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
		"body of upgrade": "GET /ws HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, Config{})
				plain, secure := newPipes(), newPipes()
				served := make(chan error, 1)
				go func() { served <- s.Serve(secure, plain) }()
				client, server := net.Pipe()
				plain.conns <- &localConn{server}
				if _, err := io.WriteString(client, request); err != nil {
					t.Fatal(err)
				}
				if err := client.SetReadDeadline(time.Now().Add(2 * headerTimeout)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, client); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("still held")
				}
				client.Close()
				if err := s.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// pipes is a listener of connections in memory.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return localAddr }

var localAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// localConn is a connection that says it comes from this machine.
type localConn struct{ net.Conn }

func (*localConn) LocalAddr() net.Addr  { return localAddr }
func (*localConn) RemoteAddr() net.Addr { return localAddr }
