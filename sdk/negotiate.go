package parley

import (
	"fmt"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

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
	if s.bulkRelayed(m) {
		return
	}
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
