package parley

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// mendAfter is the pause between two attempts to bring a broken link back.
	mendAfter = 5 * time.Second
	// maxPending is how many candidates may come before the description they belong to.
	maxPending = 64
)

// link is one transport with the client that holds, or waits for, a seat. The room's owner owns it.
//
// The session that came later makes the link and offers; it is the polite side. Every medium has its section from the
// start, so nothing but an ICE restart ever needs a second offer. The side that did not make the link asks for one
// (renegotiate) instead of offering itself, so offers do not collide between two of us. The transport below cannot roll
// an offer back; when a client that offers anyway collides with ours, we yield by making the link anew.
type link struct {
	id      string
	peer    string // session
	mine    bool   // we made it
	pc      *webrtc.PeerConnection
	control *webrtc.DataChannel // small messages between the SDKs
	beat    *webrtc.DataChannel // shows that the path is alive
	outlets map[Source]*outlet
	senders map[Source]*webrtc.RTPTransceiver
	sources map[string]Source // by mid: what the other side sends there
	pending []signal.ICECandidate
	relays  map[string]bool // addresses of the other side's relay candidates
	tracks  map[Source]*Track
	offer   uint64    // number of our newest offer
	open    bool      // both sides have seats: media may flow
	up      bool      // connected
	mend    time.Time // when to try again to bring it back
	stale   bool      // an ICE restart waits for fresh servers
	path    Path
	told    Path // what the user was told of it
}

// make makes a link with peer and offers it.
func (s *state) make(peer string) {
	l, err := s.connect(peer, rand.Text(), true)
	if err != nil {
		s.trouble(fmt.Errorf("parley: no link: %w", err))
		return
	}
	for _, source := range Sources() {
		if err := l.carry(s, source); err != nil {
			s.fail(l, err)
			return
		}
	}
	s.admit(l)
	s.propose(l, false)
}

// connect makes the peer connection of a new link, which replaces an older one with the same peer.
func (s *state) connect(peer, id string, mine bool) (*link, error) {
	s.drop(peer, false)
	pc, err := s.kit.connection(s.session.ice)
	if err != nil {
		return nil, err
	}
	l := &link{
		id: id, peer: peer, mine: mine, pc: pc, outlets: make(map[Source]*outlet),
		senders: make(map[Source]*webrtc.RTPTransceiver), sources: make(map[string]Source),
		relays: make(map[string]bool), tracks: make(map[Source]*Track), path: Path{Kind: PathConnecting},
		told: Path{Kind: PathConnecting},
	}
	s.links[peer] = l
	if err := l.standing(); err != nil {
		s.drop(peer, false)
		return nil, err
	}
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

// listen turns the callbacks of the transport into messages to the owner. Those of a link that was dropped since are
// ignored.
func (s *state) listen(l *link) {
	on := func(f func(*state)) {
		s.post(func(s *state) {
			if s.links[l.peer] == l {
				f(s)
			}
		})
	}
	l.pc.OnICECandidate(func(c *webrtc.ICECandidate) { on(func(s *state) { s.gathered(l, c) }) })
	l.pc.OnConnectionStateChange(func(c webrtc.PeerConnectionState) { on(func(s *state) { s.linkState(l, c) }) })
	data, peer := s.data, l.peer
	l.pc.OnDataChannel(func(c *webrtc.DataChannel) { data.arrived(peer, c) })
	l.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { on(func(s *state) { s.arrived(l, t, r) }) })
	l.pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(func(*webrtc.ICECandidatePair) {
		on(func(s *state) { s.look(l) })
	})
}

// carry adds the media section for source.
func (l *link) carry(s *state, source Source) error {
	out := newOutlet(source, s.shows[source])
	t, err := l.pc.AddTransceiverFromTrack(out, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
	if err != nil {
		return err
	}
	l.outlets[source], l.senders[source] = out, t
	s.shows[source].add(out)
	s.running.Go(func() { out.listen(t.Sender()) })
	return nil
}

// admit lets media flow on a link when both sides have seats.
func (s *state) admit(l *link) {
	open := s.me != "" && s.holder(l.peer) != nil
	if open == l.open {
		return
	}
	l.open = open
	for source, out := range l.outlets {
		out.open(open)
		if open && l.up {
			s.shows[source].refresh(true)
		}
	}
	s.look(l)
	s.announce(l)
}

// linkState follows the transport.
func (s *state) linkState(l *link, c webrtc.PeerConnectionState) {
	switch c {
	case webrtc.PeerConnectionStateConnected:
		l.up, l.mend = true, time.Time{}
		for source := range l.outlets {
			if l.open {
				s.shows[source].refresh(true) // the first picture does not wait for its turn
			}
		}
	case webrtc.PeerConnectionStateDisconnected, webrtc.PeerConnectionStateFailed:
		l.up = false
		l.mend = s.now
	case webrtc.PeerConnectionStateClosed:
		return
	}
	s.look(l)
}

// mend begins an ICE restart, with fresh credentials for the relay. It is tried again until the link is up or dropped.
func (s *state) mend(l *link) {
	l.mend = s.now.Add(mendAfter)
	switch {
	case !s.session.greeted: // the offer could not be delivered, and would only pile up
	case l.mine:
		l.stale = true
		_ = s.send(&signal.ICEServersAsk{}) // an overflow has ended the room
	default:
		_ = s.send(&signal.Renegotiate{Peer: l.address(), Restart: true})
	}
}

// again makes a further offer because the other side asked for one.
func (s *state) again(l *link, restart bool) {
	switch {
	case !l.mine || l.pc.SignalingState() != webrtc.SignalingStateStable:
	case restart:
		if !l.stale {
			s.mend(l)
		}
	default:
		s.propose(l, false)
	}
}

// refreshed goes on with the restarts that waited for fresh servers.
func (s *state) refreshed() {
	for _, l := range s.links {
		if err := l.pc.SetConfiguration(s.kit.configuration(s.session.ice)); err != nil {
			s.options.Log.Warn("fresh ICE servers were not taken", "room", s.address.room, "err", err)
		}
		if !l.stale {
			continue
		}
		l.stale = false
		if l.pc.SignalingState() != webrtc.SignalingStateStable {
			s.make(l.peer) // the last offer was never answered
			continue
		}
		s.propose(l, true)
	}
}

// fail gives a link up and says so.
func (s *state) fail(l *link, err error) {
	s.trouble(fmt.Errorf("parley: the link failed: %w", err))
	s.drop(l.peer, true)
}

// drop closes the link with peer, if there is one. tell says so to the other side, which knows in all other cases.
func (s *state) drop(peer string, tell bool) {
	l := s.links[peer]
	if l == nil {
		return
	}
	delete(s.links, peer)
	s.dropBulks(peer)
	if tell {
		_ = s.send(&signal.CloseLink{Peer: l.address()}) // an overflow has ended the room
	}
	for source, out := range l.outlets {
		s.shows[source].remove(out)
		out.open(false)
	}
	for _, t := range l.tracks {
		t.end(errTrackEnded)
	}
	log, room := s.options.Log, s.address.room
	s.running.Go(func() {
		if err := l.pc.GracefulClose(); err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) {
			log.Info("a link was not closed cleanly", "room", room, "err", err)
		}
	})
}
