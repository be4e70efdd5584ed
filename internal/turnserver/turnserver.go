// Package turnserver runs the TURN engine: it owns the relay sockets, the streams of clients, the clock and the log. Datagrams
// and streams are handed to it by whoever owns the port.
//
// The engine has one owner, the Server's mutex, and is entered for one packet at a time; what the engine puts out is written
// before the lock is released, because payloads live no longer. The mutex is a leaf: of other packages only the send function
// and [Grants] are called under it, and neither may call back into the Server, except for [Server.End]. The relay plane will
// put a loop in its place.
//
// Who closes whom: Close ends streams and relay sockets and waits for their goroutines; a stream that ends takes its allocation
// with it; an allocation that ends closes its relay socket.
package turnserver

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
)

// ownInterval is how often the addresses of this host are read again: they are out of reach for clients.
const ownInterval = 30 * time.Second

// logInterval is how often counters that changed are logged.
const logInterval = time.Minute

// Grants answers for credentials. It is called with the Server's lock held and must not call the Server, except for End.
type Grants interface {
	// Grant returns what a username stands for. It checks the signature only; Expires is checked by the engine.
	Grant(now time.Time, username string) (g turn.Grant, ok bool)
	// Alive reports whether the session may keep its allocations.
	Alive(session string) bool
}

// Send writes a datagram from the main port: to dst, leaving from the address local if that is valid. b is valid during the
// call. Errors are the sender's to count: UDP promises nothing.
type Send func(b []byte, dst netip.AddrPort, local netip.Addr)

// Stats are the engine's counters and the shell's own.
type Stats struct {
	turn.Stats
	// Streams are open now; those refused because too many had no allocation.
	Streams        int
	StreamsRefused uint64
	// QueueDropped counts frames that a stream's full queue did not take, RelayErrors datagrams that a relay socket did not
	// take or that were too long for it, Panics the packets that made the engine panic.
	QueueDropped, RelayErrors, Panics uint64
}

// Server is the shell of one TURN server. Its methods may be called by many goroutines.
type Server struct {
	cfg  Config
	send Send
	log  *slog.Logger

	mu       sync.Mutex // guards everything down to the blank line
	engine   *turn.Server
	relays   map[netip.AddrPort]*relay
	streams  streams
	told     told
	timer    *time.Timer
	armed    time.Time // when the timer goes off
	ownRead  time.Time
	loggedAt time.Time
	logged   turn.Stats
	stats    Stats
	closed   bool

	ended   ended
	running sync.WaitGroup
}

// ended holds the sessions whose end nobody has carried out yet. Its lock is never held across a call.
type ended struct {
	mu       sync.Mutex
	sessions []string
}

// New starts a server. send writes to clients over UDP; rand is crypto/rand.Reader but in tests.
func New(cfg Config, grants Grants, send Send, log *slog.Logger, rand io.Reader) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	engine, err := turn.New(cfg.Engine, grants, rand)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, send: send, log: log, engine: engine,
		relays: make(map[netip.AddrPort]*relay), streams: newStreams(), told: told{seed: maphash.MakeSeed()},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(time.Hour, s.onTimer)
	s.readOwn(time.Now())
	return s, nil
}

// SetPort says which port is ours, once it is known: on this host it is out of reach for clients in any case.
func (s *Server) SetPort(port uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Engine.Policy.Port = port
	s.readOwn(time.Now())
}

// HandlePacket handles a datagram that came from src to the address local of the main port. b is used during the call only, and
// may be overwritten.
func (s *Server) HandlePacket(src netip.AddrPort, local netip.Addr, b []byte) {
	client := turn.Client{Addr: netip.AddrPortFrom(src.Addr().Unmap(), src.Port()), Local: local}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	defer s.contain(client)
	now := time.Now()
	if now.Sub(s.ownRead) > ownInterval {
		s.readOwn(now)
	}
	if s.engine.HandlePacket(now, client, b) == nil {
		s.carryOut(now)
	}
}

// HandleHub sends a datagram of the hub's to the client that has the relayed address. b is used during the call only.
func (s *Server) HandleHub(relay netip.AddrPort, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	defer s.contain(turn.Client{})
	now := time.Now()
	s.engine.HandleHub(now, relay, b)
	s.carryOut(now)
}

// End ends all allocations of a session soon. It never blocks, so it may be called with any lock held.
func (s *Server) End(session string) {
	s.ended.mu.Lock()
	s.ended.sessions = append(s.ended.sessions, session)
	s.ended.mu.Unlock()
	s.timer.Reset(0)
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Stats = s.engine.Stats()
	st.Streams = len(s.streams.byID)
	return st
}

// Close ends every allocation and stream, and returns when nothing of them runs any more.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.timer.Stop()
		for _, r := range s.relays {
			r.conn.Close()
		}
		for _, st := range s.streams.byID {
			st.conn.Close()
		}
		s.logStats("relay closed", slog.LevelInfo)
	}
	s.mu.Unlock()
	s.running.Wait()
}

// contain recovers from a panic while a packet of the client was handled, and drops that client: nobody else is to notice.
func (s *Server) contain(client turn.Client) {
	cause := recover()
	if cause == nil {
		return
	}
	s.stats.Panics++
	s.log.Error("relay: panic", "client", client.Addr.String(), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	defer func() {
		if again := recover(); again != nil {
			s.log.Error("relay: panic while a client was dropped", "cause", fmt.Sprint(again))
		}
	}()
	s.engine.HandleClosed(client)
	s.carryOut(time.Now())
	if st := s.streams.byID[client.Stream]; st != nil {
		st.conn.Close()
	}
}

// carryOut does what the engine wants done, until it wants no more.
func (s *Server) carryOut(now time.Time) {
	for {
		events, deadline := s.engine.Poll()
		s.observe(now)
		if len(events) == 0 {
			s.arm(now, deadline)
			return
		}
		var open netip.AddrPort
		for i := range events {
			e := &events[i]
			switch e.Kind {
			case turn.ToClient:
				s.toClient(e)
			case turn.ToPeer:
				s.toPeer(e)
			case turn.ToHub:
				s.cfg.Hub.HandleRelayed(e.Relay, e.Payload)
			case turn.Open:
				open = e.Relay
			case turn.Close:
				s.closeRelay(e.Relay)
			case turn.Idle:
				s.idle(now, s.streams.byID[e.Client.Stream])
			}
		}
		if open.IsValid() {
			s.engine.HandleOpened(now, open, s.openRelay(open))
		}
	}
}

// toClient sends to a client the way it came.
func (s *Server) toClient(e *turn.Event) {
	if e.Client.Datagram() {
		s.send(e.Payload, e.Client.Addr, e.Client.Local)
		return
	}
	if st := s.streams.byID[e.Client.Stream]; st != nil && !st.enqueue(e.Payload) {
		s.stats.QueueDropped++
	}
}

// arm sets the timer to the engine's deadline, if that has changed.
func (s *Server) arm(now, deadline time.Time) {
	if deadline.Equal(s.armed) || s.closed {
		return
	}
	s.armed = deadline
	if deadline.IsZero() {
		s.timer.Stop()
	} else {
		s.timer.Reset(deadline.Sub(now))
	}
	s.ended.mu.Lock()
	waiting := len(s.ended.sessions) > 0
	s.ended.mu.Unlock()
	if waiting { // End had set the timer, and it had not fired yet
		s.timer.Reset(0)
	}
}

// onTimer runs what time or the end of sessions brings about.
func (s *Server) onTimer() {
	s.ended.mu.Lock()
	sessions := s.ended.sessions
	s.ended.sessions = nil
	s.ended.mu.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	now := time.Now()
	// Whatever happens below, the timer comes back.
	s.armed = now.Add(time.Second)
	s.timer.Reset(time.Second)
	defer s.contain(turn.Client{})
	for _, session := range sessions {
		s.engine.Revoke(session)
		s.carryOut(now)
	}
	s.engine.HandleTimeout(now)
	s.carryOut(now)
	if now.Sub(s.loggedAt) >= logInterval {
		s.loggedAt = now
		s.logStats("relay", slog.LevelDebug)
	}
}

// logStats logs the counters if they have changed.
func (s *Server) logStats(message string, level slog.Level) {
	st := s.engine.Stats()
	if st == s.logged {
		return
	}
	s.logged = st
	s.log.Log(context.Background(), level, message, "allocations", st.Allocations, "allocated", st.Allocated, "toPeers", st.ToPeers,
		"toClients", st.ToClients, "inMemory", st.InMemory, "bytes", st.Bytes, "refused", st.Refused,
		"unauthorized", st.Unauthorized, "forbiddenPeers", st.ForbiddenPeers, "suppressed", st.Suppressed,
		"malformed", st.Malformed, "queueDropped", s.stats.QueueDropped, "panics", s.stats.Panics)
}

// readOwn tells the engine the addresses of this host.
func (s *Server) readOwn(now time.Time) {
	s.ownRead = now
	own := s.cfg.Engine.Policy.Own
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		s.log.Warn("relay: cannot list own addresses, keeping the configured ones", "error", err)
	}
	for _, a := range interfaces {
		if prefix, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(prefix.IP); ok {
				own = append(own[:len(own):len(own)], addr.Unmap())
			}
		}
	}
	s.engine.SetOwn(own, s.cfg.Engine.Policy.Port)
}
