package turnserver

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
)

// Config is what a Server is made with. The zero value serves STUN and relays nothing.
type Config struct {
	// Engine is the engine's: relayed addresses, range of ports, peers, quotas. Policy.Own need not hold the addresses of the
	// interfaces: they are read from the system.
	Engine turn.Config
	// Bind4 and Bind6 are the local addresses that relay sockets are bound to. By default they are the relay addresses
	// themselves, or the unspecified address when those are not of this host, as behind a one-to-one NAT.
	Bind4, Bind6 netip.Addr

	// Observer is told what the relay does for sessions; nil is nobody.
	Observer Observer

	// Hub gets what clients send from their relayed addresses to the relay's address and our own port; nil is nobody. Its answers
	// are for Server.HandleHub.
	Hub Hub

	// StreamIdle is how long a stream may be without an allocation, 10 s by default.
	StreamIdle time.Duration
	// WriteTimeout is how long one write to a stream may take before the stream is closed, 10 s by default.
	WriteTimeout time.Duration
	// StreamQueue is how many bytes may wait for a stream, 128 KiB by default; what comes then is dropped, as a router would.
	StreamQueue int
	// IdleStreams and IdleStreamsPerPrefix bound how many streams may be without an allocation, in all (2048 by default) and
	// from one IPv4 address or IPv6 /64 (128 by default).
	IdleStreams, IdleStreamsPerPrefix int
}

// Hub is the media plane as a peer of clients that have no other way to it.
type Hub interface {
	// HandleRelayed takes a datagram from a relayed address. It may not block or call the relay, and b is valid during the call.
	HandleRelayed(relay netip.AddrPort, b []byte)
}

func (c Config) withDefaults() Config {
	c.Engine = c.Engine.WithDefaults()
	c.Engine.Hub = c.Hub != nil
	c.StreamIdle = cmp.Or(c.StreamIdle, 10*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	c.StreamQueue = cmp.Or(c.StreamQueue, 128<<10)
	c.IdleStreams = cmp.Or(c.IdleStreams, 2048)
	c.IdleStreamsPerPrefix = cmp.Or(c.IdleStreamsPerPrefix, 128)
	c.Bind4 = bindAddress(c.Bind4, c.Engine.Relay4, netip.IPv4Unspecified())
	c.Bind6 = bindAddress(c.Bind6, c.Engine.Relay6, netip.IPv6Unspecified())
	return c
}

func (c Config) validate() error {
	var faults []error
	if c.StreamIdle < 0 || c.WriteTimeout < 0 || c.StreamQueue < 0 || c.IdleStreams < 0 || c.IdleStreamsPerPrefix < 0 {
		faults = append(faults, errors.New("turnserver: a limit is negative"))
	}
	if !c.Bind4.Is4() {
		faults = append(faults, fmt.Errorf("turnserver: %s is not an IPv4 address to bind to", c.Bind4))
	}
	if !c.Bind6.Is6() {
		faults = append(faults, fmt.Errorf("turnserver: %s is not an IPv6 address to bind to", c.Bind6))
	}
	return errors.Join(faults...)
}

// bindAddress chooses where relay sockets are bound. A socket on the relay address itself answers from there; one on the
// unspecified address leaves by whatever address the route has, which on a host with several is the wrong one.
func bindAddress(given, relay, unspecified netip.Addr) netip.Addr {
	if given.IsValid() {
		return given.Unmap()
	}
	if relay.IsValid() {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(relay, 0)))
		if err == nil {
			conn.Close()
			return relay
		}
	}
	return unspecified
}
