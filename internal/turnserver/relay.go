package turnserver

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
)

// longestDatagram is what a relay socket takes: the payload of a jumbo frame. Longer ones are dropped, not cut.
const longestDatagram = 9000

// relay is one relay socket with its reading goroutine.
type relay struct {
	address netip.AddrPort // the relayed address, as clients know it
	conn    *net.UDPConn
}

// openRelay binds the socket of a relayed address.
func (s *Server) openRelay(address netip.AddrPort) bool {
	network, bind := "udp4", s.cfg.Bind4
	if address.Addr().Is6() {
		network, bind = "udp6", s.cfg.Bind6
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(bind, address.Port())))
	if err != nil {
		s.log.Debug("relay: cannot open a relay socket", "address", address.String(), "error", err)
		return false
	}
	r := &relay{address, conn}
	s.relays[address] = r
	s.running.Go(func() { s.readRelay(r) })
	return true
}

func (s *Server) closeRelay(address netip.AddrPort) {
	if r := s.relays[address]; r != nil {
		delete(s.relays, address)
		r.conn.Close()
	}
}

func (s *Server) toPeer(e *turn.Event) {
	r := s.relays[e.Relay]
	if r == nil {
		return
	}
	if _, err := r.conn.WriteToUDPAddrPort(e.Payload, e.Peer); err != nil {
		s.stats.RelayErrors++
	}
}

// readRelay reads a relay socket until it is closed.
func (s *Server) readRelay(r *relay) {
	b := make([]byte, longestDatagram+1)
	for failures := 0; failures < 100; {
		n, src, err := r.conn.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || n > longestDatagram:
			// Errors are of single datagrams; a socket with nothing else is broken, and its allocation will run out.
			failures++
			s.mu.Lock()
			s.stats.RelayErrors++
			s.mu.Unlock()
		default:
			failures = 0
			s.handleRelayed(r, src, b[:n])
		}
	}
	s.log.Warn("relay: a relay socket fails", "address", r.address.String())
}

func (s *Server) handleRelayed(r *relay, src netip.AddrPort, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.relays[r.address] != r {
		return
	}
	defer s.contain(turn.Client{})
	now := time.Now()
	s.engine.HandleRelayed(now, r.address, src, b)
	s.carryOut(now)
}
