package simnet

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/pion/transport/v4/deadline"

	"github.com/parley-rtc/parley/internal/netsim"
)

// maxWaiting is how many datagrams wait for their reader; then the newest are dropped.
const maxWaiting = 2048

// datagrams is a UDP socket. It implements transport.UDPConn.
type datagrams struct {
	host   *Host
	local  netip.AddrPort
	remote netip.AddrPort // when it is connected
	in     chan netsim.Packet
	done   chan struct{}
	read   *deadline.Deadline
	closed bool
}

// listen opens a UDP socket.
func (h *Host) listen(local, remote netip.AddrPort) (*datagrams, error) {
	h.internet.mu.Lock()
	defer h.internet.mu.Unlock()
	if !local.Addr().IsValid() {
		local = netip.AddrPortFrom(netip.IPv4Unspecified(), local.Port())
	}
	if remote.IsValid() && local.Addr().IsUnspecified() {
		source, ok := h.source()
		if !ok {
			return nil, errNoRoute
		}
		local = netip.AddrPortFrom(source, local.Port())
	}
	if local.Port() == 0 {
		port, err := h.free()
		if err != nil {
			return nil, err
		}
		local = netip.AddrPortFrom(local.Addr(), port)
	}
	if h.datagrams[local.Port()] != nil {
		return nil, errors.New("simnet: the port is in use")
	}
	s := &datagrams{
		host: h, local: local, remote: remote, in: make(chan netsim.Packet, maxWaiting),
		done: make(chan struct{}), read: deadline.New(),
	}
	h.datagrams[local.Port()] = s
	return s, nil
}

func (s *datagrams) arrive(p netsim.Packet) {
	if s.remote.IsValid() && s.remote != p.Src {
		return
	}
	select {
	case s.in <- p:
	default:
	}
}

// Close implements net.Conn.
func (s *datagrams) Close() error {
	s.host.internet.mu.Lock()
	defer s.host.internet.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	delete(s.host.datagrams, s.local.Port())
	close(s.done)
	return nil
}

// LocalAddr implements net.Conn.
func (s *datagrams) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.local) }

// RemoteAddr implements net.Conn.
func (s *datagrams) RemoteAddr() net.Addr {
	if !s.remote.IsValid() {
		return nil
	}
	return net.UDPAddrFromAddrPort(s.remote)
}

// SetDeadline implements net.Conn. Writing never waits.
func (s *datagrams) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (s *datagrams) SetReadDeadline(t time.Time) error {
	s.read.Set(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (s *datagrams) SetWriteDeadline(time.Time) error { return nil }

// SetReadBuffer implements transport.UDPConn; the buffer has one size.
func (s *datagrams) SetReadBuffer(int) error { return nil }

// SetWriteBuffer implements transport.UDPConn.
func (s *datagrams) SetWriteBuffer(int) error { return nil }

// Read implements net.Conn.
func (s *datagrams) Read(b []byte) (int, error) {
	n, _, err := s.ReadFromUDP(b)
	return n, err
}

// ReadFrom implements net.PacketConn.
func (s *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := s.ReadFromUDP(b)
	if err != nil {
		return n, nil, err
	}
	return n, from, nil
}

// ReadFromUDP implements transport.UDPConn.
func (s *datagrams) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	n, from, err := s.take(b)
	if err != nil {
		return 0, nil, &net.OpError{Op: "read", Net: "udp", Addr: s.LocalAddr(), Err: err}
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

func (s *datagrams) take(b []byte) (int, netip.AddrPort, error) {
	select {
	case <-s.done: // before all else that may be true as well
		return 0, netip.AddrPort{}, net.ErrClosed
	default:
	}
	select {
	case <-s.read.Done():
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	default:
	}
	select {
	case p := <-s.in:
		return copy(b, p.Payload), p.Src, nil
	case <-s.done:
		return 0, netip.AddrPort{}, net.ErrClosed
	case <-s.read.Done():
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	}
}

// ReadMsgUDP implements transport.UDPConn.
func (s *datagrams) ReadMsgUDP(b, _ []byte) (n, oobn, flags int, from *net.UDPAddr, err error) {
	n, from, err = s.ReadFromUDP(b)
	return n, 0, 0, from, err
}

// Write implements net.Conn.
func (s *datagrams) Write(b []byte) (int, error) { return s.put(b, s.remote) }

// WriteTo implements net.PacketConn.
func (s *datagrams) WriteTo(b []byte, to net.Addr) (int, error) {
	p, err := place(to)
	if err != nil {
		return 0, err
	}
	return s.put(b, p)
}

// WriteToUDP implements transport.UDPConn.
func (s *datagrams) WriteToUDP(b []byte, to *net.UDPAddr) (int, error) { return s.WriteTo(b, to) }

// WriteMsgUDP implements transport.UDPConn.
func (s *datagrams) WriteMsgUDP(b, _ []byte, to *net.UDPAddr) (n, oobn int, err error) {
	n, err = s.WriteTo(b, to)
	return n, 0, err
}

func (s *datagrams) put(b []byte, to netip.AddrPort) (int, error) {
	s.host.internet.mu.Lock()
	defer s.host.internet.mu.Unlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	p := netsim.Packet{Protocol: netsim.UDP, Src: s.local, Dst: to, Payload: append([]byte(nil), b...)}
	if err := s.host.send(p); err != nil {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: net.UDPAddrFromAddrPort(to), Err: err}
	}
	return len(b), nil
}
