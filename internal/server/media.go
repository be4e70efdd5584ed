package server

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/parley-rtc/parley/internal/hub"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
)

// mediaConfig is the media plane's.
func (s *Server) mediaConfig(at addresses) mediaserver.Config {
	return mediaserver.Config{
		Relay:      func(relay netip.AddrPort, b []byte) { s.relay.HandleHub(relay, b) },
		Candidates: func() []sdp.Candidate { return candidates(at.list, s.port.Addr().Port()) },
		Listener:   listeners{s}, Data: s.hub, Channels: hub.Channels(),
		Forwarder:     sfu.Config{PublisherBitrate: s.cfg.Hub.Upload * 1_000_000},
		MaxTransports: s.cfg.Hub.MaxTransports,
		Fault: func(at mediaserver.Link, cause any, stack []byte) {
			s.log.Error("a fault while handling a person's media; their link ends, nobody else's", "room", at.Room, "seat", at.Seat, "fault", cause, "stack", string(stack))
		},
	}
}

// hubConfig connects the hub with signalling, which is made after it.
func (s *Server) hubConfig(at addresses) hub.Config {
	return hub.Config{
		Candidates: func(host string) []sdp.Candidate {
			w := s.where()
			return w.candidates(at.list, host)
		},
		Tell: func(room, session string, m signal.Relayed) bool { return s.signals.Tell(room, session, m) },
		Log:  s.log,
	}
}

// candidates says where the hub is reached by a client whose request had that Host header: at the place at which it has reached us,
// if that is an address; at ours, by the port that it came to; and at our own port, which is where the relay hands over in memory.
func (i *where) candidates(list []netip.Addr, host string) []sdp.Candidate {
	name, port := i.place(host)
	mapped := i.port
	if n, err := strconv.ParseUint(port, 10, 16); err == nil && n != 0 {
		mapped = uint16(n)
	}
	var all []netip.AddrPort
	add := func(a netip.AddrPort) {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	if a, err := netip.ParseAddr(name); err == nil && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast() {
		add(netip.AddrPortFrom(a.Unmap(), mapped))
	}
	for _, a := range list {
		add(netip.AddrPortFrom(a, mapped))
	}
	for _, a := range list {
		add(netip.AddrPortFrom(a, i.port))
	}
	return both(all)
}

// candidates are those of our own port.
func candidates(list []netip.Addr, port uint16) []sdp.Candidate {
	all := make([]netip.AddrPort, len(list))
	for n, a := range list {
		all[n] = netip.AddrPortFrom(a, port)
	}
	return both(all)
}

// both are the candidates for UDP, and then for TCP.
func both(all []netip.AddrPort) []sdp.Candidate {
	var udp, tcp []sdp.Candidate
	for _, a := range all {
		udp, tcp = append(udp, sdp.Candidate{Address: a}), append(tcp, sdp.Candidate{Address: a, TCP: true})
	}
	return append(udp, tcp...)
}
