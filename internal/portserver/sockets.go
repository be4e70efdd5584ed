package portserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"syscall"
	"time"
)

// openLoops makes the loops, the first of them on the socket that is open already. Where several sockets cannot share the port
// there is one loop.
func (s *Server) openLoops(first *net.UDPConn) error {
	var err error
	if s.tier, err = probe(s.cfg.Tier); err != nil {
		s.log.Warn("udp: a faster way in and out does not work here", "error", err)
	}
	conns, err := shareSocket(first, s.loopCount())
	if err != nil {
		s.log.Warn("udp: the port cannot be shared by loops, one has to do", "error", err)
	}
	for i, conn := range conns {
		l := &loop{server: s, id: i, d: newDatagrams(conn, &s.counts, s.log), commands: make(chan func(time.Time, *Outbox), maxCommands)}
		out, err := newSender(l.d, s.tier)
		if err == nil {
			l.in, err = newReader(l.d, s.tier)
		}
		if err != nil {
			for _, c := range conns {
				c.Close()
			}
			return fmt.Errorf("portserver: %w", err)
		}
		l.out = newOutbox(l, out, s.tier == TierSegments, rand.Uint64())
		s.loops = append(s.loops, l)
	}
	if len(conns) > 1 {
		s.steering = s.openSteering(conns[0])
	}
	s.log.Info("udp", "loops", len(s.loops), "by", s.tier.String(), "steered", s.steering != nil)
	return nil
}

// openSteering returns nil where the kernel cannot be told which socket a sender's packets are for.
func (s *Server) openSteering(conn *net.UDPConn) *steering {
	raw, err := conn.SyscallConn()
	key := steeringKey{rand.Uint32(), rand.Uint32() | 1}
	attach := func(headings []heading) error { return steer(raw, key, headings) }
	if err = errors.Join(err, canSteer()); err == nil {
		err = attach(nil)
	}
	if err != nil {
		s.log.Debug("udp: packets are not steered to their loops, but passed on", "reason", err)
		return nil
	}
	return newSteering(attach, key, s.log)
}

// loopCount returns how many loops are wanted. Without a media plane there is nothing to spread.
func (s *Server) loopCount() int {
	n := s.cfg.Loops
	if n == 0 {
		n = 1
		if s.cfg.Batches != nil {
			n = runtime.GOMAXPROCS(0)
		}
	}
	if !canShare {
		n = 1
	}
	return min(n, maxLoops)
}

// shareSocket returns n sockets on the port of the first, which is among them. After an error the first is left alone.
func shareSocket(first *net.UDPConn, n int) ([]*net.UDPConn, error) {
	conns := []*net.UDPConn{first}
	if n == 1 {
		return conns, nil
	}
	raw, err := first.SyscallConn()
	if err != nil {
		return conns, err
	}
	if err := share(raw); err != nil {
		return conns, err
	}
	listen := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error { return share(raw) }}
	for range n - 1 {
		conn, err := listen.ListenPacket(context.Background(), "udp", first.LocalAddr().String())
		if err != nil {
			for _, c := range conns[1:] {
				c.Close()
			}
			return conns[:1], err
		}
		udp, ok := conn.(*net.UDPConn)
		if !ok {
			return conns, errors.New("not a UDP socket")
		}
		conns = append(conns, udp)
	}
	return conns, nil
}
