package mediaserver

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/portserver"
)

// relayVia marks the paths of relayed addresses. They differ by the address, so one number is enough.
const relayVia = 1 << 63

// relayed knows which loop the packets from a relayed address are for, once one has proved itself.
type relayed struct {
	mu    sync.Mutex
	loops map[netip.AddrPort]*loop
}

func (r *relayed) set(a netip.AddrPort, l *loop) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loops[a] = l
}

// drop takes an address out, unless it is another loop's by now: the relay gives a port that is free to the next who comes.
func (r *relayed) drop(a netip.AddrPort, l *loop) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loops[a] == l {
		delete(r.loops, a)
	}
}

func (r *relayed) get(a netip.AddrPort) *loop {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.loops[a]
}

// HandleRelayed takes a datagram that a client has sent from its relayed address: turnserver.Hub. This is the way in for networks
// that let nothing but TLS through; a packet costs a copy and a command. When the loop has too much to do it is dropped.
func (s *Server) HandleRelayed(relay netip.AddrPort, b []byte) {
	kind := portserver.Classify(b)
	var l *loop
	switch kind {
	case portserver.STUN:
		if ufrag, ok := ice.Ufrag(b); ok {
			if owner := ownerOf(ufrag); owner < len(s.loops) {
				l = s.loops[owner]
			}
		}
	case portserver.RTP, portserver.DTLS:
		l = s.relays.get(relay)
	}
	if l == nil {
		return
	}
	b = bytes.Clone(b)
	path := ice.Path{Peer: relay, Via: relayVia}
	s.tryPost(l, func(now time.Time) {
		if kind == portserver.STUN {
			l.streamCheck(now, path, b)
		} else if c := l.paths[path].client; c != nil {
			l.handle(now, c, path, b)
		}
	})
}
