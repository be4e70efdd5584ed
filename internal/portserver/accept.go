package portserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"
)

// accept accepts connections until the listener is closed.
func (s *Server) accept() error {
	for pause := time.Duration(0); ; {
		c, err := s.tcp.Accept()
		if err == nil {
			pause = 0
			s.counts.accepted.Add(1)
			entry, evicted := s.waiting.add(c)
			if evicted != nil {
				s.counts.evicted.Add(1)
				evicted.Close()
			}
			if s.isClosing() { // shut may have missed it
				c.Close()
			}
			s.running.Go(func() { s.handle(c, entry) })
			continue
		}
		if s.isClosing() || errors.Is(err, net.ErrClosed) {
			return nil
		}
		// Out of descriptors, most likely: those who say nothing make room. The pause keeps the loop from spinning, and ends.
		if excess := s.waiting.relieve(); excess != nil {
			s.counts.evicted.Add(1)
			excess.Close()
		}
		pause = min(max(2*pause, time.Millisecond), 100*time.Millisecond)
		s.log.Warn("cannot accept", "error", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-s.closing:
			return nil
		}
	}
}

// handle decides what a connection speaks and hands it on.
func (s *Server) handle(c net.Conn, entry *waitingEntry) {
	defer s.waiting.remove(entry)
	defer func() {
		if cause := recover(); cause != nil {
			s.counts.panics.Add(1)
			c.Close()
			s.log.Error("connection: panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}
	}()
	_ = c.SetDeadline(time.Now().Add(s.cfg.Patience))
	head, protocol, err := sniffConn(c)
	if err != nil {
		s.counts.silent.Add(1)
		c.Close()
		return
	}
	c = &replay{Conn: c, head: head}
	switch protocol {
	case TLS:
		s.handleTLS(c, entry)
	case TURN:
		s.counts.turn.Add(1)
		s.serveStream(c, entry, false)
	case HTTP:
		s.counts.http.Add(1)
		s.offer(s.http, c)
	case ICETCP:
		s.counts.iceTCP.Add(1)
		s.servePeer(c, entry)
	default:
		s.counts.strangers.Add(1)
		c.Close()
	}
}

// sniffConn reads until Sniff has decided. The deadline is the caller's.
func sniffConn(c net.Conn) (head []byte, protocol Protocol, err error) {
	b := make([]byte, SniffLen)
	for n := 0; ; {
		got, err := c.Read(b[n:])
		n += got
		if protocol := Sniff(b[:n]); protocol != Undecided {
			return b[:n], protocol, nil
		}
		if err != nil {
			return nil, Undecided, err
		}
	}
}

// handleTLS finishes the handshake and decides by ALPN, or without it by the first byte: below 4 begins a STUN message, and no
// request of HTTP.
func (s *Server) handleTLS(c net.Conn, entry *waitingEntry) {
	if s.cfg.TLS == nil {
		s.counts.strangers.Add(1)
		c.Close()
		return
	}
	secure := tls.Server(c, s.cfg.TLS)
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Patience)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		s.counts.handshakes.Add(1)
		s.log.Debug("TLS handshake failed", "client", c.RemoteAddr().String(), "error", err)
		c.Close()
		return
	}
	switch secure.ConnectionState().NegotiatedProtocol {
	case alpnTURN:
		s.counts.turns.Add(1)
		s.serveStream(secure, entry, true)
	case "h2", "http/1.1":
		s.counts.https.Add(1)
		s.offer(s.https, secure)
	case "":
		s.handleUnnamed(secure, entry)
	default: // acme-tls/1: the handshake was all of it
		s.counts.handshakeOnly.Add(1)
		secure.Close()
	}
}

// handleUnnamed decides on a TLS connection without ALPN.
func (s *Server) handleUnnamed(secure *tls.Conn, entry *waitingEntry) {
	b := make([]byte, 1)
	if n, err := secure.Read(b); n == 0 || err != nil {
		s.counts.silent.Add(1)
		secure.Close()
		return
	}
	c := &replayTLS{replay{Conn: secure, head: b}, secure}
	if b[0] < 4 {
		s.counts.turns.Add(1)
		s.serveStream(c, entry, true)
		return
	}
	s.counts.https.Add(1)
	s.offer(s.https, c)
}

// serveStream hands a connection to Streams and waits until it is done with it.
func (s *Server) serveStream(c net.Conn, entry *waitingEntry, overTLS bool) {
	_ = c.SetDeadline(time.Time{})
	if s.cfg.Streams == nil || !s.serving.add(c) {
		c.Close()
		return
	}
	defer s.serving.remove(c)
	s.waiting.remove(entry)
	s.cfg.Streams.ServeStream(c, overTLS)
}

// servePeer hands a connection to Peers and waits until it is done with it.
func (s *Server) servePeer(c net.Conn, entry *waitingEntry) {
	if s.cfg.Peers == nil || !s.serving.add(c) {
		c.Close()
		return
	}
	defer s.serving.remove(c)
	s.waiting.remove(entry)
	s.cfg.Peers.ServeICE(c)
}

// offer gives a connection to whoever accepts on the listener. While nobody does it stays undecided, and its time runs.
func (s *Server) offer(l *listener, c net.Conn) {
	_ = c.SetDeadline(time.Time{})
	timer := time.NewTimer(s.cfg.Patience)
	defer timer.Stop()
	select {
	case l.conns <- c:
	case <-l.done:
		c.Close()
	case <-timer.C:
		s.counts.unaccepted.Add(1)
		c.Close()
	}
}
