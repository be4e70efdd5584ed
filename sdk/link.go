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
	}
	s.links[peer] = l
	zero, yes := uint16(0), true
	if _, err := pc.CreateDataChannel("parley", &webrtc.DataChannelInit{ID: &zero, Negotiated: &yes, Ordered: &yes}); err != nil {
		s.drop(peer, false)
		return nil, err
	}
	s.listen(l)
	return l, nil
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

// propose offers, with new ICE credentials when restart is true.
func (s *state) propose(l *link, restart bool) {
	offer, err := l.pc.CreateOffer(&webrtc.OfferOptions{
		ICERestart: restart, OfferAnswerOptions: webrtc.OfferAnswerOptions{ICETricklingSupported: true},
	})
	if err == nil {
		err = l.pc.SetLocalDescription(offer)
	}
	if err != nil {
		s.fail(l, fmt.Errorf("offer: %w", err))
		return
	}
	m := &signal.Offer{Peer: l.address(), SDP: offer.SDP, Tracks: l.declares()}
	if s.send(m) == nil {
		l.offer = m.N
	}
}

func (l *link) address() signal.Peer { return signal.Peer{To: l.peer, Link: l.id} }

// declares says what each of our media sections carries.
func (l *link) declares() (list []signal.Track) {
	for _, source := range Sources() {
		if t := l.senders[source]; t != nil && t.Mid() != "" {
			list = append(list, signal.Track{Mid: t.Mid(), Source: source})
		}
	}
	return list
}

// learns notes what the other side's sections carry.
func (l *link) learns(tracks []signal.Track) {
	for _, t := range tracks {
		l.sources[t.Mid] = t.Source
	}
}

// relayed handles what another session says through the server.
func (s *state) relayed(m signal.Message) {
	switch m := m.(type) {
	case *signal.Offer:
		s.offered(m)
	case *signal.Answer:
		if l := s.linkOf(m.Peer); l != nil {
			s.answered(l, m)
		}
	case *signal.Candidate:
		if l := s.linkOf(m.Peer); l != nil {
			s.candidate(l, m.Candidate)
		}
	case *signal.EndOfCandidates:
		// The agent needs no end: it checks what it has and fails by time.
	case *signal.Renegotiate:
		if l := s.linkOf(m.Peer); l != nil {
			s.again(l, m.Restart)
		}
	case *signal.CloseLink:
		if l := s.linkOf(m.Peer); l != nil {
			s.drop(l.peer, false)
		}
	default:
		s.options.Log.Debug("a message this version does not know", "type", m.Head().Type)
	}
}

// linkOf finds the link that a relayed message is about; nil for one that is not the newest.
func (s *state) linkOf(p signal.Peer) *link {
	if l := s.links[p.From]; l != nil && l.id == p.Link {
		return l
	}
	return nil
}

// offered answers an offer: of a new link, or a further one.
func (s *state) offered(m *signal.Offer) {
	l := s.linkOf(m.Peer)
	fresh := l == nil
	if fresh {
		var err error
		if l, err = s.connect(m.From, m.Link, false); err != nil {
			s.trouble(fmt.Errorf("parley: no link: %w", err))
			return
		}
	}
	if l.pc.SignalingState() != webrtc.SignalingStateStable {
		if l.mine { // a collision: the polite side yields, the other one goes on as if nothing had come
			s.make(l.peer)
		}
		return
	}
	l.learns(m.Tracks)
	if err := s.accept(l, m, fresh); err != nil {
		s.fail(l, fmt.Errorf("answer: %w", err))
		return
	}
	s.admit(l)
}

// accept applies an offer and answers it.
func (s *state) accept(l *link, m *signal.Offer, fresh bool) error {
	offer := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: m.SDP}
	if fresh {
		sections, err := offer.Unmarshal()
		if err != nil {
			return err
		}
		for _, section := range sections.MediaDescriptions {
			mid, _ := section.Attribute("mid")
			source := l.sources[mid]
			if s.shows[source] == nil || l.outlets[source] != nil || section.MediaName.Media != kindOf(source).String() {
				continue // something that this version does not send; it may still be received
			}
			if err := l.carry(s, source); err != nil {
				return err
			}
		}
	}
	if err := l.pc.SetRemoteDescription(offer); err != nil {
		return err
	}
	answer, err := l.pc.CreateAnswer(&webrtc.AnswerOptions{
		OfferAnswerOptions: webrtc.OfferAnswerOptions{ICETricklingSupported: true},
	})
	if err != nil {
		return err
	}
	if err := l.pc.SetLocalDescription(answer); err != nil {
		return err
	}
	_ = s.send(&signal.Answer{Peer: l.address(), SDP: answer.SDP, Tracks: l.declares()}) // an overflow has ended the room
	s.catchUp(l)
	return nil
}

func (s *state) answered(l *link, m *signal.Answer) {
	if l.pc.SignalingState() != webrtc.SignalingStateHaveLocalOffer {
		return // an answer to an offer that was given up
	}
	l.learns(m.Tracks)
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: m.SDP}); err != nil {
		s.fail(l, fmt.Errorf("their answer: %w", err))
		return
	}
	s.catchUp(l)
}

// candidate adds one of the other side's candidates, now or when there is a description to add it to.
func (s *state) candidate(l *link, c signal.ICECandidate) {
	if l.pc.RemoteDescription() == nil {
		if len(l.pending) < maxPending {
			l.pending = append(l.pending, c)
		}
		return
	}
	l.noteRelay(c.Candidate)
	err := l.pc.AddICECandidate(webrtc.ICECandidateInit{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
	})
	if err != nil { // one way less; the others may do
		s.options.Log.Info("a candidate was not taken", "room", s.address.room, "err", err)
	}
}

// catchUp does what had to wait for the other side's description.
func (s *state) catchUp(l *link) {
	for _, c := range l.pending {
		s.candidate(l, c)
	}
	l.pending = nil
	if d := l.pc.RemoteDescription(); d != nil {
		l.noteRelays(d.SDP)
	}
}

// gathered trickles one of our candidates (RFC 8838).
func (s *state) gathered(l *link, c *webrtc.ICECandidate) {
	if c == nil {
		_ = s.send(&signal.EndOfCandidates{Peer: l.address()}) // an overflow has ended the room
		return
	}
	j := c.ToJSON()
	_ = s.send(&signal.Candidate{Peer: l.address(), Candidate: signal.ICECandidate{
		Candidate: j.Candidate, SDPMid: j.SDPMid, SDPMLineIndex: j.SDPMLineIndex, UsernameFragment: j.UsernameFragment,
	}})
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
