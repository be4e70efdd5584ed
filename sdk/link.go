package parley

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/quality"
)

const (
	// maxPending is how many candidates may come before the description they belong to, maxKnown how many of one link
	// are remembered, to drop those that come twice.
	maxPending = 64
	maxKnown   = 512
	// maxMade is how many links one session may make with us within madeIn: each costs sockets until it is closed.
	maxMade = 16
	madeIn  = 10 * time.Second
	// shunFor is how long nobody is linked with who flooded us.
	shunFor = 10 * time.Minute
	// closePatience is how long a transport may take to close before it is left behind.
	closePatience = 5 * time.Second
	// closeAfter is how much later the side that did not make a link closes it.
	closeAfter = 150 * time.Millisecond
)

// link is one transport with the client that holds, or waits for, a seat. The room's owner owns it.
//
// The session that came later makes the links and offers; it is the polite side. Every medium has its section from the
// start, so nothing but an ICE restart ever needs a second offer. The side that did not make the link asks for one
// (renegotiate) instead of offering itself, so offers do not collide between two of us. The transport below cannot roll
// an offer back; when a client that offers anyway collides with ours, we yield by making the link anew, beside the old
// one, which goes on until the new one is connected.
type link struct {
	id      string
	peer    string // session
	kind    signal.LinkKind
	mine    bool // we made it
	how     transports
	bond    *bond
	pc      *webrtc.PeerConnection
	control *webrtc.DataChannel // small messages between the SDKs
	beat    *webrtc.DataChannel // shows that the path is alive
	pulse   *pulse
	outlets map[Source]*outlet
	senders map[Source]*webrtc.RTPTransceiver
	sources map[string]Source // by mid: what the other side sends there
	pending []signal.ICECandidate
	known   map[[sha256.Size]byte]bool // candidates and descriptions of the other side that were handled
	relays  map[string]bool            // addresses of the other side's relay candidates
	offer   uint64                     // number of our newest offer
	offered time.Time                  // when it was made
	moves   int                        // how often our addresses had changed then
	began   time.Time
	base    string    // the address of ours that it used last
	up      bool      // connected, and something comes
	ever    bool      // was up once
	hope    time.Time // when it broke, or the network came back
	gone    bool      // closed
	stopped time.Time // when nothing came any more
	mend    time.Time // when to try to bring it back
	stale   bool      // an ICE restart waits for fresh servers
	nudge   nudge
	path    Path
	gate    *gate
	opened  int64                        // channels that we opened on it
	counted int64                        // of those, how many the other side was told
	claimed atomic.Int64                 // channels that the other side says it has opened
	missed  time.Time                    // since when some of those are missing
	told    atomic.Pointer[quality.Told] // what the other side says of its network, on its way to the owner
	boxes   boxes                        // what it told us sealed, on its way too
	trusted atomic.Bool                  // both sides see the same ends; always, where nothing is encrypted
}

// make makes a link with peer and offers it, in the place of any other.
func (s *state) make(peer string) {
	s.drop(peer, false)
	l, err := s.offers(peer, newBond(), "", transports{})
	if err != nil {
		s.trouble(fmt.Errorf("parley: no link: %w", err))
		return
	}
	s.links[peer] = l
	s.admit(l)
	s.propose(l, false)
}

// connect makes the peer connection of a new link.
func (s *state) connect(peer, id string, b *bond, kind signal.LinkKind, how transports) (*link, error) {
	if how.hasty {
		how.relays = &addresses{all: make(map[string]bool)}
	}
	pc, err := s.kit.connection(s.kit.direct, s.session.ice, how)
	if err != nil {
		return nil, err
	}
	l := &link{
		id: id, peer: peer, kind: kind, how: how, bond: b, pc: pc, pulse: newPulse(s.now, unansweredMore), began: s.now,
		outlets: make(map[Source]*outlet), senders: make(map[Source]*webrtc.RTPTransceiver),
		sources: make(map[string]Source), known: make(map[[sha256.Size]byte]bool), relays: make(map[string]bool),
		path: Path{Kind: PathConnecting},
	}
	l.trusted.Store(s.secrecy == nil)
	if err := l.standing(); err != nil {
		s.shut(l, false)
		return nil, err
	}
	l.pulse.listenTo(l.beat, l.control, func(m webrtc.DataChannelMessage) { s.hears(l, m) })
	s.listen(l)
	return l, nil
}

// standing makes the data channels that every link has: one for small messages between the two SDKs, and one that
// shows that the path is alive, on which nothing is sent twice.
func (l *link) standing() (err error) {
	ids, never, yes, no := []uint16{0, 1}, uint16(0), true, false
	l.control, err = l.pc.CreateDataChannel("parley", &webrtc.DataChannelInit{ID: &ids[0], Negotiated: &yes, Ordered: &yes})
	if err != nil {
		return err
	}
	l.beat, err = l.pc.CreateDataChannel("beat", &webrtc.DataChannelInit{
		ID: &ids[1], Negotiated: &yes, Ordered: &no, MaxRetransmits: &never,
	})
	return err
}

// listen turns the callbacks of the transport into messages to the owner. Those of a link that was closed since are
// ignored.
func (s *state) listen(l *link) {
	on := func(f func(*state)) {
		s.post(func(s *state) {
			if !l.gone {
				f(s)
			}
		})
	}
	l.pc.OnICECandidate(func(c *webrtc.ICECandidate) { on(func(s *state) { s.gathered(l, c) }) })
	l.pc.OnConnectionStateChange(func(c webrtc.PeerConnectionState) { on(func(s *state) { s.linkState(l, c) }) })
	l.pc.OnICEConnectionStateChange(func(c webrtc.ICEConnectionState) {
		if c == webrtc.ICEConnectionStateConnected {
			on(func(s *state) {
				if !l.ever {
					s.reportStep(l, signal.ReportICEConnected)
				}
			})
		}
	})
	l.gate = s.data.gate(l.peer, s.work.Done(), func(flood bool) { on(func(s *state) { s.crowded(l, flood) }) })
	l.gate.trust(s.secrecy == nil)
	l.pc.OnDataChannel(l.gate.enter)
	l.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { on(func(s *state) { s.arrived(l, t, r) }) })
	var waits atomic.Bool // the other side may change the pair as often as it likes
	l.pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(func(*webrtc.ICECandidatePair) {
		if !waits.Swap(true) {
			s.post(func(s *state) {
				waits.Store(false)
				if !l.gone {
					s.looked(l)
				}
			})
		}
	})
}

// carry adds the media section for source.
func (l *link) carry(s *state, source Source) error {
	out := newOutlet(source, s.shows[source])
	out.vault = s.mediaVault()
	t, err := l.pc.AddTransceiverFromTrack(out, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
	if err != nil {
		return err
	}
	l.outlets[source], l.senders[source] = out, t
	s.shows[source].add(out)
	s.running.Go(func() { out.listen(t.Sender(), l.pulse) })
	return nil
}

// admit lets media flow when both sides have seats.
func (s *state) admit(main *link) {
	b := main.bond
	open := s.me != "" && s.holder(main.peer) != nil
	if b.active == nil {
		b.active = main
	}
	if open != b.open {
		b.open = open
		b.active.admit(s, open)
	}
	s.look(main)
	s.announce(main)
}

// linkState follows the transport.
func (s *state) linkState(l *link, c webrtc.PeerConnectionState) {
	if c == webrtc.PeerConnectionStateConnected {
		s.retrust() // the other end has shown its certificate
		if l.gone {
			return
		}
	}
	main := s.links[l.peer]
	switch c {
	case webrtc.PeerConnectionStateConnected:
		if !l.ever {
			s.reportStep(l, signal.ReportDTLSConnected)
		}
		l.pulse.restart(s.now)
		if l == l.bond.next && main.up && main.pulse.beats.Load() {
			// Their end of the handshake may lack our last flight. The old link works: judge waits for a beat on the new one.
			l.ever = true
			s.look(main)
			return
		}
		s.flows(l)
		return
	case webrtc.PeerConnectionStateDisconnected, webrtc.PeerConnectionStateFailed:
		switch {
		case l.up:
			s.stalled(l)
		case l == main && l.mend.IsZero(): // never was up
			l.ever, l.mend = true, s.now
		case l == main && c == webrtc.PeerConnectionStateFailed:
			l.mend = s.now // ICE has given up, and so may have the attempt of now: its patience counts from the first one
		}
	default:
		return
	}
	s.look(main)
}

// maxWords is how much of an error is kept whose text the other side may have made: it would hold all that they sent.
const maxWords = 300

// fail gives a link up and says so.
func (s *state) fail(l *link, err error) {
	words := err.Error()
	if len(words) > maxWords {
		words = words[:maxWords] + "…"
	}
	s.trouble(fmt.Errorf("parley: the link with %s failed: %s", l.peer, strings.Clone(words)))
	if s.links[l.peer] == l {
		s.drop(l.peer, true)
		s.lost(l)
		return
	}
	s.shut(l, true)
}

// crowded replaces a link on which as many data channels came as may on one: a program that goes on for long enough gets
// there. After a flood none is made.
func (s *state) crowded(l *link, flood bool) {
	if !flood {
		s.renew(l, "many data channels", errCrowded)
		return
	}
	maps.DeleteFunc(s.shunned, func(_ string, until time.Time) bool { return !s.now.Before(until) })
	s.shunned[l.peer] = s.now.Add(shunFor)
	s.fail(l, errFlood)
}

// renew replaces a link. Who does not make the link lets it go, and the other side makes it again.
func (s *state) renew(l *link, cause string, err error) {
	if s.links[l.peer] == l && l.mine && l.up {
		s.replace(l, transports{}, cause)
		return
	}
	s.fail(l, err)
}
