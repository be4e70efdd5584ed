package trace

import (
	"slices"

	"github.com/parley-rtc/parley/internal/signal"
)

// Link is how one person's connection with another came about, as that person's client saw it.
type Link struct {
	// With is the other's seat.
	With string `json:"with"`
	// Gathered counts the candidates by type, relayed ones as relay/udp, relay/tcp and relay/tls.
	Gathered map[string]int `json:"gathered,omitempty"`
	// Tried and Failed count the pairs that were tried beside the winner, and those of them that failed.
	Tried  int `json:"tried,omitempty"`
	Failed int `json:"failed,omitempty"`
	// Won is the pair that carries the media now, or did at last, and Why says why it won.
	Won *signal.ReportPair `json:"won,omitempty"`
	Why Why                `json:"why,omitempty"`
	// ICE, DTLS, Packet and Frame are how many milliseconds the steps of the first connection took; absent while unknown.
	ICE    *int64 `json:"iceMs,omitempty"`
	DTLS   *int64 `json:"dtlsMs,omitempty"`
	Packet *int64 `json:"firstPacketMs,omitempty"`
	Frame  *int64 `json:"firstFrameMs,omitempty"`
	// Restarts and Replaced count what was done to keep it up.
	Restarts int `json:"restarts,omitempty"`
	Replaced int `json:"replaced,omitempty"`
}

// Why says why a pair won.
type Why string

// Reasons for a pair to win.
const (
	WhySameNetwork Why = "same-network" // both ends reach each other at their own addresses
	WhyThroughNAT  Why = "through-nat"  // through address translators, without a relay
	WhyUDPBlocked  Why = "udp-blocked"  // this person's network lets no UDP out, so the relay is reached over TCP or TLS
	WhyTheirUDP    Why = "their-udp"    // the other one's does
	WhyNoDirect    Why = "no-direct"    // the pairs without a relay did not answer
	WhyRelayOnly   Why = "relay-only"   // only relayed candidates were there to try
)

// links gathers what a person's events say about each connection, sorted by when they came about.
func (r *Record) links(seat string) []Link {
	out := []Link{}
	for _, e := range r.mine[seat] {
		if e.Server || e.Seat == "" || e.Seat == seat || len(r.mine[e.Seat]) == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(l Link) bool { return l.With == e.Seat })
		if i < 0 {
			i = len(out)
			out = append(out, Link{With: e.Seat})
		}
		out[i].take(e, r.waited(seat, e))
	}
	for i := range out {
		out[i].Why = r.why(seat, &out[i])
	}
	return out
}

// waited is how long it took until something arrived: a client counts from its own Join, and whoever was there first has
// waited from when the other one came.
func (r *Record) waited(seat string, e *Entry) int64 {
	me, other := r.comes(seat), r.comes(e.Seat)
	if other <= me {
		return e.MS
	}
	return min(e.MS, max(0, e.At-other))
}

// comes is when somebody took a seat.
func (r *Record) comes(seat string) int64 {
	i := slices.IndexFunc(r.mine[seat], func(e *Entry) bool { return e.Kind == Joined })
	if i < 0 {
		return 0
	}
	return r.mine[seat][i].At
}

// take adds an event; waited is how long what is first took to arrive.
func (l *Link) take(e *Entry, waited int64) {
	first := func(into **int64, ms int64) {
		if *into == nil {
			*into = &ms
		}
	}
	switch e.Kind {
	case signal.ReportGathered:
		if n := gathered(e.Candidates); len(n) > 0 {
			l.Gathered = n
		}
	case signal.ReportPairTried:
		switch {
		case e.Pair == nil:
		case e.Pair.State == signal.PairWon:
			l.Won = e.Pair
		case e.Pair.State == signal.PairFailed:
			l.Failed++
			l.Tried++
		default:
			l.Tried++
		}
	case signal.ReportICEConnected:
		first(&l.ICE, e.MS)
	case signal.ReportDTLSConnected:
		first(&l.DTLS, e.MS)
	case signal.ReportFirstPacket:
		first(&l.Packet, waited)
	case signal.ReportFirstFrame:
		first(&l.Frame, waited)
	case signal.ReportRestart:
		l.Restarts++
	case signal.ReportReplaced:
		l.Replaced++
	}
}

// gathered counts candidates by what they say about the network.
func gathered(list []signal.ReportCandidate) map[string]int {
	n := map[string]int{}
	for _, c := range list {
		key := string(c.Type)
		if c.Type == signal.CandidateRelay && c.Relay != "" {
			key += "/" + string(c.Relay)
		}
		n[key]++
	}
	return n
}

// udpBlocked reports whether the candidates say that no UDP reached a server: the relay was, but over TCP or TLS only,
// and nothing was learnt over UDP.
func udpBlocked(n map[string]int) bool {
	return n["relay/tcp"]+n["relay/tls"] > 0 && n["relay/udp"] == 0 && n["srflx"] == 0
}

// relayOnly reports whether the browser was told to offer nothing but the relay.
func relayOnly(n map[string]int) bool {
	return n["relay/udp"]+n["relay/tcp"]+n["relay/tls"]+n["relay"] > 0 && n["host"]+n["srflx"] == 0
}

// why judges the winning pair by what both sides gathered.
func (r *Record) why(seat string, l *Link) Why {
	if l.Won == nil {
		return ""
	}
	local, remote := l.Won.Local, l.Won.Remote
	relayed := local.Type == signal.CandidateRelay || remote.Type == signal.CandidateRelay
	theirs := r.gatheredBy(l.With, seat)
	switch {
	case !relayed && local.Type == signal.CandidateHost && remote.Type == signal.CandidateHost:
		return WhySameNetwork
	case !relayed:
		return WhyThroughNAT
	case udpBlocked(l.Gathered) || len(l.Gathered) == 0 && (local.Relay == signal.TransportTLS || local.Relay == signal.TransportTCP):
		return WhyUDPBlocked
	case udpBlocked(theirs):
		return WhyTheirUDP
	case relayOnly(l.Gathered) || relayOnly(theirs):
		return WhyRelayOnly
	}
	return WhyNoDirect
}

// gatheredBy is what one side gathered for its link with another.
func (r *Record) gatheredBy(seat, with string) map[string]int {
	var n map[string]int
	for _, e := range r.mine[seat] {
		if e.Kind == signal.ReportGathered && e.Seat == with && len(e.Candidates) > 0 {
			n = gathered(e.Candidates)
		}
	}
	return n
}
