package portserver

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
)

// replay is a connection whose first bytes were read already; Read gives them again.
type replay struct {
	net.Conn
	head []byte
}

// Read reads the first bytes again, then the connection.
func (r *replay) Read(b []byte) (int, error) {
	if len(r.head) == 0 {
		return r.Conn.Read(b)
	}
	n := copy(b, r.head)
	r.head = r.head[n:]
	return n, nil
}

// replayTLS is the same inside TLS.
type replayTLS struct {
	replay
	secure *tls.Conn
}

// ConnectionState is what net/http asks a connection for that is not a *tls.Conn.
func (r *replayTLS) ConnectionState() tls.ConnectionState { return r.secure.ConnectionState() }

// listener is a net.Listener fed with connections that somebody else accepted.
type listener struct {
	address net.Addr
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func newListener(address net.Addr) *listener {
	return &listener{address: address, conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept returns the next connection, or net.ErrClosed.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// shut ends Accept.
func (l *listener) shut() { l.once.Do(func() { close(l.done) }) }

// Close ends Accept. The port itself stays open.
func (l *listener) Close() error {
	l.shut()
	return nil
}

// Addr returns the address of the port.
func (l *listener) Addr() net.Addr { return l.address }

// sourceOf returns what connections are counted by: the IPv4 address or the IPv6 /64.
func sourceOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if addr.Is6() {
		b := addr.As16()
		clear(b[8:])
		return netip.AddrFrom16(b)
	}
	return addr
}

// connections is a set that can be closed as a whole.
type connections struct {
	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

func newConnections() *connections { return &connections{open: make(map[net.Conn]struct{})} }

// add takes a connection in; false means that the set is closed.
func (s *connections) add(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[c] = struct{}{}
	return true
}

func (s *connections) remove(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *connections) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
}
