// Package portserver owns the one TCP port and the one UDP port of the same number, tells what arrives there apart, and hands
// it on: datagrams to [Batches] and [Packets], TURN streams to [Streams], HTTP connections to the two listeners.
//
// # TCP
//
// Every connection has a goroutine of its own, so the accept loop never waits for a client. Until it is known what a connection
// speaks it is undecided: it has ten seconds, TLS handshake included, and there may be only so many of them, from one source and
// in all. Beyond that the oldest undecided one is dropped, in all that of the source which has most, and never the newest:
// whoever speaks at once gets through, however many others hold their connection open and say nothing.
//
// # UDP
//
// The port is read by loops: each is a goroutine with a socket of its own (SO_REUSEPORT), and the kernel keeps the packets of one
// sender on one socket: its hash's, or the one that [Server.Steer] named. A loop takes packets by the batch (recvmmsg), gives
// them to [Batches], the media plane, and what that does not take to [Packets]; what they answer with waits in the loop's
// [Outbox] and goes out by the batch at the end of the wake-up (sendmmsg, UDP_SEGMENT). A probe at the start finds out which of
// this the system can do ([Tier]); the plainest tier does it all with a system call for each packet. Between packets a loop
// sleeps in the kernel: the next packet, the deadline of the media plane, a command ([Server.Post]) or a packet passed on by
// another loop ([Outbox.Pass]) wakes it up. Per packet nothing is allocated, locked, logged or sent through a channel.
//
// The sockets are bound to the wildcard address, so that addresses which come and go need no care; the address that a datagram
// came to travels with it (IP_PKTINFO), and its answer leaves from there. One socket per address would need to follow every
// change of the interfaces, and trusting the route picks the wrong source on a host with several addresses.
//
// # Closing
//
// Close closes the sockets and every connection that is undecided or with [Streams], and waits for their goroutines; what the
// listeners gave away belongs to whoever accepted it.
package portserver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Packets takes the datagrams that are STUN or ChannelData.
type Packets interface {
	// HandlePacket is called by the loops, each for itself. src is where the datagram came from, local the address it came
	// to: invalid when the socket is bound to a single address. b may be changed, and is valid during the call.
	HandlePacket(src netip.AddrPort, local netip.Addr, b []byte)
}

// Streams takes the connections that speak TURN.
type Streams interface {
	// ServeStream owns c, and blocks until it has closed it.
	ServeStream(c net.Conn, overTLS bool)
}

// Peers takes the connections that speak ICE over TCP (RFC 6544).
type Peers interface {
	// ServeICE owns c, which has a deadline still, and blocks until it has closed it.
	ServeICE(c net.Conn)
}

// Config is what a Server is made with.
type Config struct {
	// Address is the TCP and UDP address to listen on, ":8443" by default. Port 0 takes one that is free for both.
	Address string
	// TLS is for connections that begin with a handshake; nil closes them. Its NextProtos tell protocols apart, so it should
	// offer h2, http/1.1 and stun.turn. A connection that negotiates acme-tls/1 is closed after the handshake, which is all
	// that the challenge needs (RFC 8737).
	TLS *tls.Config
	// Packets and Streams take what is TURN's; without them it is dropped.
	Packets Packets
	Streams Streams
	// Peers takes ICE over TCP; without it such connections are closed.
	Peers Peers
	// Batches is asked first for every datagram.
	Batches Batches
	// Loops is how many loops read the UDP port, 64 at most. By default there is one for each processor, and a single one when
	// there are no Batches; on other systems than Linux it is always a single one.
	Loops int
	// Tier is the highest to use. It is there for comparisons, and for a kernel with a fault that the probe does not find.
	Tier Tier
	// Patience is how long a connection may be undecided, 10 s by default.
	Patience time.Duration
	// Undecided and UndecidedPerPrefix bound how many connections may be so, in all (default 4096) and from one IPv4 address
	// or one IPv6 /64 (default 1024).
	Undecided, UndecidedPerPrefix int
}

func (c Config) withDefaults() Config {
	c.Address = cmp.Or(c.Address, ":8443")
	c.Patience = cmp.Or(c.Patience, 10*time.Second)
	c.Undecided = cmp.Or(c.Undecided, 4096)
	c.UndecidedPerPrefix = cmp.Or(c.UndecidedPerPrefix, 1024)
	return c
}

// alpnTURN is TURN's name in TLS (RFC 7443 §3).
const alpnTURN = "stun.turn"

// Server owns the port. Its methods may be called by many goroutines.
type Server struct {
	cfg   Config
	log   *slog.Logger
	tcp   net.Listener
	loops []*loop
	tier  Tier
	// steering is nil where there is one loop, or the kernel cannot.
	steering *steering
	https    *listener
	http     *listener

	waiting *undecided
	serving *connections // with Streams
	running sync.WaitGroup
	mu      sync.Mutex // guards the closing of closing, and that nothing starts after it
	closing chan struct{}
	counts  counts
}

// Listen opens the sockets. Nothing is read or accepted before Serve.
func Listen(cfg Config, log *slog.Logger) (*Server, error) {
	cfg = cfg.withDefaults()
	if cfg.Patience < 0 || cfg.Undecided < 0 || cfg.UndecidedPerPrefix < 0 || cfg.Loops < 0 {
		return nil, errors.New("portserver: a limit is negative")
	}
	cfg.TLS = preferTURN(cfg.TLS)
	tcp, udp, err := listenBoth(cfg.Address)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: log, tcp: tcp,
		waiting: newUndecided(cfg.Undecided, cfg.UndecidedPerPrefix), serving: newConnections(),
		closing: make(chan struct{}),
	}
	if err := s.openLoops(udp); err != nil {
		tcp.Close()
		return nil, err
	}
	s.https, s.http = newListener(tcp.Addr()), newListener(tcp.Addr())
	return s, nil
}

// preferTURN puts stun.turn first of the protocols: the server's order decides, and some TURN clients offer http/1.1 as well.
// Browsers that want a page never offer stun.turn.
func preferTURN(config *tls.Config) *tls.Config {
	if config == nil || slices.Index(config.NextProtos, alpnTURN) <= 0 {
		return config
	}
	config = config.Clone()
	others := slices.DeleteFunc(slices.Clone(config.NextProtos), func(p string) bool { return p == alpnTURN })
	config.NextProtos = append([]string{alpnTURN}, others...)
	return config
}

// listenBoth opens TCP and UDP on the same number. When any number will do and the one that TCP got is taken for UDP, it tries
// again.
func listenBoth(address string) (net.Listener, *net.UDPConn, error) {
	var faults []error
	for range 16 {
		tcp, err := net.Listen("tcp", address)
		if err != nil {
			return nil, nil, fmt.Errorf("portserver: %w", err)
		}
		bound := tcp.Addr().(*net.TCPAddr)
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: bound.IP, Port: bound.Port, Zone: bound.Zone})
		if err == nil {
			return tcp, udp, nil
		}
		tcp.Close()
		faults = append(faults, fmt.Errorf("portserver: %w", err))
		if _, port, _ := net.SplitHostPort(address); port != "0" {
			break
		}
	}
	return nil, nil, errors.Join(faults...)
}

// Addr returns the address of the port, TCP and UDP.
func (s *Server) Addr() netip.AddrPort {
	a := s.tcp.Addr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// HTTP returns the listener of HTTPS connections, handshake done. Those that negotiated h2 or http/1.1 are *tls.Conn, as net/http
// needs it for HTTP/2; those that negotiated nothing have the ConnectionState method, which net/http takes for Request.TLS.
func (s *Server) HTTP() net.Listener { return s.https }

// PlainHTTP returns the listener of connections that speak HTTP without TLS.
func (s *Server) PlainHTTP() net.Listener { return s.http }

// WriteTo sends a datagram from the UDP port to dst. It leaves from the address local, as HandlePacket was told it, or from
// whatever the route picks when local is invalid. Errors are counted: UDP promises nothing.
func (s *Server) WriteTo(b []byte, dst netip.AddrPort, local netip.Addr) {
	if err := s.loops[0].d.write(b, dst, local); err != nil {
		s.counts.writeErrors.Add(1)
	}
}

// Serve accepts and reads until ctx ends or Close is called, and returns when nothing runs any more. It returns nil then, and an
// error when a socket fails. It is to be called once.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.shut)
	defer stop()
	failed := make(chan error, len(s.loops)+1)
	s.mu.Lock()
	if s.isClosing() {
		s.mu.Unlock()
		return nil
	}
	for _, l := range s.loops {
		s.running.Go(func() { failed <- l.run() })
	}
	s.running.Go(func() { failed <- s.accept() })
	if s.steering != nil {
		s.running.Go(func() { s.steering.run(s.closing) })
	}
	s.mu.Unlock()
	err := <-failed
	s.shut()
	s.running.Wait()
	for range s.loops { // of which, and accept, one was first
		err = errors.Join(err, <-failed)
	}
	return err
}

// Close ends Serve and waits for it to be done.
func (s *Server) Close() {
	s.shut()
	s.running.Wait()
}

// shut closes everything and does not wait.
func (s *Server) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosing() {
		return
	}
	close(s.closing)
	s.tcp.Close()
	for _, l := range s.loops {
		l.d.conn.Close()
	}
	s.https.shut()
	s.http.shut()
	s.waiting.closeAll()
	s.serving.closeAll()
	s.log.Debug("port closed", "counts", s.Stats())
}

// isClosing reports whether the server is shutting down.
func (s *Server) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}
