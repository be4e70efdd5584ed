package simnet

import (
	"net"
	"net/netip"
)

// maxBacklog is how many streams wait to be accepted.
const maxBacklog = 128

// listener accepts streams on every interface of a host. It implements net.Listener.
type listener struct {
	host   *Host
	port   uint16
	in     chan *stream
	done   chan struct{}
	closed bool
}

// Listen accepts streams on a port.
func (h *Host) Listen(port uint16) net.Listener {
	h.internet.mu.Lock()
	defer h.internet.mu.Unlock()
	l := &listener{host: h, port: port, in: make(chan *stream, maxBacklog), done: make(chan struct{})}
	h.listeners[port] = l
	return l
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case s := <-l.in:
		return s, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.host.internet.mu.Lock()
	defer l.host.internet.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.done)
		delete(l.host.listeners, l.port)
	}
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.IPv4Unspecified(), l.port))
}

// Crash ends every stream of the host at once, without a word to the other side, as a process does that is killed on a
// machine that goes on: what comes for them later is answered by a reset.
func (h *Host) Crash() {
	h.internet.mu.Lock()
	defer h.internet.mu.Unlock()
	for _, s := range h.streams {
		s.fail(net.ErrClosed)
	}
}
