package parley

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// PathKind says how media reaches a person.
type PathKind string

// The kinds of paths.
const (
	PathConnecting PathKind = "connecting"
	PathDirect     PathKind = "direct"
	PathRelayed    PathKind = "relayed"
	PathHub        PathKind = "hub"  // through the server's media plane, as in rooms of three and more
	PathLost       PathKind = "lost" // it was up; it is being brought back
)

// Path is the way that media takes to a person and back.
type Path struct {
	// Kind is relayed when either end uses a relay.
	Kind PathKind
	// Protocol is how we reach our relay: "udp", "tcp" or "tls". Empty when only the other side uses one.
	Protocol string
	// Server is the relay's host name or address.
	Server string
	// Local and Remote are the ends in use, as type and address: "host 192.0.2.1:5000".
	Local, Remote string
}

// String says it in words.
func (p Path) String() string {
	switch p.Kind {
	case PathDirect:
		return "direct"
	case PathHub:
		over := ""
		if p.Protocol != "" {
			over = " over " + strings.ToUpper(p.Protocol)
		}
		return "by the hub" + over
	case PathRelayed:
		over := ""
		if p.Protocol != "" {
			over = " over " + strings.ToUpper(p.Protocol)
		}
		return "relayed by " + p.Server + over
	}
	return string(p.Kind)
}

// look finds out which way media takes, and tells when that changed and it is known to whom it leads.
func (s *state) look(main *link) {
	if main == nil {
		return
	}
	path := s.way(main)
	if s.onHub() {
		return // lookHub tells
	}
	if seat := s.holder(main.peer); seat != nil && path != main.bond.told {
		main.bond.told = path
		s.emit(PathChanged{Person: s.person(seat), Path: path})
		s.reportPath(main.bond.active, path)
	}
}

// looked notes that the pair of candidates in use changed.
func (s *state) looked(l *link) {
	if base := s.kit.base(l); base != "" {
		l.base = base
	}
	s.look(s.links[l.peer])
}

// way is the path that our media takes.
func (s *state) way(main *link) Path {
	l := main.bond.active
	if l == nil {
		l = main
	}
	if path := s.pathOf(l); path.Kind != PathLost {
		l.path = path // of a link that is lost, the last one is remembered
		return path
	}
	return Path{Kind: PathLost}
}

func (s *state) pathOf(l *link) Path {
	if !l.up {
		if !l.ever {
			return Path{Kind: PathConnecting}
		}
		return Path{Kind: PathLost}
	}
	pair, err := l.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Local == nil || pair.Remote == nil {
		return l.path
	}
	path := Path{Kind: PathDirect, Local: describe(pair.Local), Remote: describe(pair.Remote)}
	local, remote := pair.Local.Typ == webrtc.ICECandidateTypeRelay, pair.Remote.Typ == webrtc.ICECandidateTypeRelay
	// The other side's relay may reach us before we were told of it; then its address tells.
	remote = remote || l.relays[endpoint(pair.Remote.Address, int(pair.Remote.Port))]
	switch {
	case local:
		path.Kind, path.Server, path.Protocol = PathRelayed, s.address.host, relayProtocol(pair.Local)
	case remote:
		path.Kind, path.Server = PathRelayed, pair.Remote.Address
	}
	return path
}

func describe(c *webrtc.ICECandidate) string {
	return c.Typ.String() + " " + endpoint(c.Address, int(c.Port))
}

func endpoint(address string, port int) string { return net.JoinHostPort(address, strconv.Itoa(port)) }

// relayProtocol finds how we talk to the relay that gave us candidate c: by the preference that the agent gives each way
// (RFC 8445 §5.1.2.1). The agent itself knows, but must not be asked: it may wait for a relay, or be closing.
func relayProtocol(c *webrtc.ICECandidate) string {
	for _, way := range []string{"udp", "tcp", "tls", "dtls"} {
		like, err := ice.NewCandidateRelay(&ice.CandidateRelayConfig{
			Network: "udp", Address: "192.0.2.1", Port: 9, Component: 1, RelayProtocol: way,
		})
		if err == nil && like.LocalPreference() == uint16(c.Priority>>8) { // the middle 16 bits
			return way
		}
	}
	return ""
}

// roundTrip is the smoothed round-trip time of the path in use, by the beats; 0 while unknown.
func (l *link) roundTrip() time.Duration {
	if !l.up {
		return 0
	}
	return l.trip()
}

// noteRelay remembers the address of a relay candidate of the other side.
func (l *link) noteRelay(line string) {
	c, err := ice.UnmarshalCandidate(strings.TrimPrefix(line, "candidate:"))
	if err == nil && c.Type() == ice.CandidateTypeRelay && len(l.relays) < maxPending {
		l.relays[endpoint(c.Address(), c.Port())] = true
		if l.how.relays != nil {
			l.how.relays.add(c.Address())
		}
	}
}

// noteRelays does so for those that came inside a description.
func (l *link) noteRelays(sdp string) {
	for line := range strings.Lines(sdp) {
		if c, ok := strings.CutPrefix(line, "a=candidate:"); ok {
			l.noteRelay(strings.TrimSpace(c))
		}
	}
}
