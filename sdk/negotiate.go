package parley

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

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
	m := &signal.Offer{Peer: l.address(), SDP: offer.SDP, Tracks: l.declares(), Kind: l.kind}
	if s.send(m) == nil {
		l.offer, l.offered, l.moves = m.N, s.now, s.moves
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
		if _, known := l.sources[t.Mid]; known || len(l.sources) < maxPending {
			l.sources[t.Mid] = t.Source
		}
	}
}

// relayed handles what another session says through the server.
func (s *state) relayed(m signal.Message) {
	s.options.Log.Debug("got", "type", m.Head().Type, "n", m.Head().N)
	if s.hubRelayed(m) || s.bulkRelayed(m) {
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
			s.closed(l)
		}
	default:
		s.options.Log.Debug("a message this version does not know", "type", m.Head().Type)
	}
}

// linkOf finds the link that a relayed message is about; nil for one that is gone.
func (s *state) linkOf(p signal.Peer) *link {
	main := s.links[p.From]
	if main == nil {
		return nil
	}
	for _, l := range main.each() {
		if l.id == p.Link {
			return l
		}
	}
	return nil
}

// offered answers an offer: of a new link, or a further one.
func (s *state) offered(m *signal.Offer) {
	l := s.linkOf(m.Peer)
	fresh := l == nil
	if fresh {
		if l = s.welcomed(m); l == nil {
			return
		}
	}
	if l.twice(m.SDP) {
		return // said again by somebody who did not know that it had arrived
	}
	if l.pc.SignalingState() != webrtc.SignalingStateStable {
		if l.mine && l == s.links[l.peer] { // a collision: the polite side yields, the other one goes on as if nothing had come
			s.replace(l, transports{}, "offers collided")
		}
		return
	}
	l.learns(m.Tracks)
	if err := s.accept(l, m, fresh); err != nil {
		s.fail(l, fmt.Errorf("answer: %w", err))
		return
	}
	if main := s.links[l.peer]; main != nil { // it may have been somebody between us
		s.admit(main)
	}
}

// made counts what one of the others made lately.
type made struct {
	since time.Time
	n     int
}

// count notes that who makes one more, and returns how many those are within a time. What is older is forgotten.
func count(all map[string]made, who string, now time.Time, within time.Duration) int {
	for other, m := range all {
		if now.Sub(m.since) >= within {
			delete(all, other)
		}
	}
	m := all[who]
	if m.n == 0 {
		m.since = now
	}
	m.n++
	all[who] = m
	return m.n
}

// tooMany notes that a session makes a link, and reports whether it makes more than any program would.
func (s *state) tooMany(peer string) bool { return count(s.made, peer, s.now, madeIn) > maxMade }

// welcomed makes our end of a link that the other side offers: the first one, one that will replace it, or one beside
// it. It returns nil for one that is not wanted.
func (s *state) welcomed(m *signal.Offer) *link {
	main, how := s.links[m.From], transports{}
	var b *bond
	if b := s.files.bulks[m.Link]; b != nil && b.peer == m.From {
		return nil // what is known of a link must not become what is said of another
	}
	if s.tooMany(m.From) {
		_ = s.send(&signal.CloseLink{Peer: signal.Peer{To: m.From, Link: m.Link}}) // an overflow has ended the room
		return nil
	}
	switch {
	case !s.usesDirect(), s.now.Before(s.shunned[m.From]):
		_ = s.send(&signal.CloseLink{Peer: signal.Peer{To: m.From, Link: m.Link}}) // an overflow has ended the room
		return nil
	case m.Kind == signal.LinkSpare && main != nil && (main.mine || main.bond.spare == nil || !main.bond.spare.mine):
		b = main.bond
		if s.kit.second(main) != "" || !main.mine { // otherwise the other side has the other uplink: ours is as ever
			how, _ = s.kit.other(main, s.session.ice)
		}
		if b.spare != nil {
			s.shut(b.spare, b.spare.mine)
		}
	case m.Kind != "":
		_ = s.send(&signal.CloseLink{Peer: signal.Peer{To: m.From, Link: m.Link}}) // an overflow has ended the room
		return nil
	case main != nil && main.ever:
		b = main.bond
		if b.next != nil {
			s.shut(b.next, false)
		}
	case main != nil && main.mine && s.makes(m.From):
		return nil // both made a link at once; ours counts
	default:
		s.drop(m.From, false)
		b = newBond()
	}
	l, err := s.connect(m.From, m.Link, b, m.Kind, how)
	if err != nil {
		s.trouble(fmt.Errorf("parley: no link: %w", err))
		return nil
	}
	switch {
	case m.Kind == signal.LinkSpare:
		b.spare = l
	case s.links[m.From] != nil:
		b.next = l
	default:
		s.links[m.From] = l
	}
	return l
}

// makes reports whether it is on us to make the link with peer: the one who came later does.
func (s *state) makes(peer string) bool {
	me, other := s.people[s.me], s.holder(peer)
	return me == nil || other == nil || me.Order > other.Order
}

// twice reports whether a description or candidate of the other side was handled already, and remembers it.
func (l *link) twice(text string) bool {
	key := sha256.Sum256([]byte(text)) // a description may be a megabyte
	if l.known[key] {
		return true
	}
	if len(l.known) < maxKnown {
		l.known[key] = true
	}
	return false
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
	if s.movedAway(l.peer, l.id, m.SDP) {
		return errBetween
	}
	if old := l.pc.RemoteDescription(); !fresh && old != nil && fragment(old.SDP) != fragment(m.SDP) {
		if l.up { // the path is looked for anew, and there is none meanwhile
			s.stalled(l)
		}
		s.equip(l)
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
	s.described(l.peer, l.id, l.pc)
	return nil
}

// fragment is the ICE user name in a description; another one is an ICE restart (RFC 8445 §9).
func fragment(sdp string) string {
	for line := range strings.Lines(sdp) {
		if name, ok := strings.CutPrefix(line, "a=ice-ufrag:"); ok {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

func (s *state) answered(l *link, m *signal.Answer) {
	if l.pc.SignalingState() != webrtc.SignalingStateHaveLocalOffer {
		return // an answer to an offer that was given up
	}
	if s.movedAway(l.peer, l.id, m.SDP) {
		s.fail(l, errBetween)
		return
	}
	l.learns(m.Tracks)
	if !l.up && l.ever {
		wait := firstMend + 4*l.trip()
		if l.bond.failures == 1 && s.plain(l) {
			wait = plainMend + 2*l.trip()
		}
		l.mend = s.now.Add(wait) // it has to connect now
	}
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: m.SDP}); err != nil {
		s.fail(l, fmt.Errorf("their answer: %w", err))
		return
	}
	s.catchUp(l)
	s.described(l.peer, l.id, l.pc)
	if l.gone {
		return
	}
	if (l.moves != s.moves || s.now.Sub(l.offered) > staleOffer) && !l.up && l == s.links[l.peer] && l.ever {
		s.restart(l) // what we gathered for it is of no use any more
	}
}

// candidate adds one of the other side's candidates, now or when there is a description to add it to.
func (s *state) candidate(l *link, c signal.ICECandidate) {
	if l.twice(c.Candidate + " " + deref(c.UsernameFragment)) {
		return
	}
	if l.pc.RemoteDescription() == nil {
		if len(l.pending) < maxPending {
			l.pending = append(l.pending, c)
		}
		return
	}
	s.add(l, c)
}

func (s *state) add(l *link, c signal.ICECandidate) {
	l.noteRelay(c.Candidate)
	err := l.pc.AddICECandidate(webrtc.ICECandidateInit{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
	})
	if !l.up && (l.ever || l.how.hasty) {
		l.nudge.expect(s.now)
	}
	if err != nil { // one way less; the others may do
		s.options.Log.Info("a candidate was not taken", "room", s.address.room, "err", err)
	}
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// catchUp does what had to wait for the other side's description.
func (s *state) catchUp(l *link) {
	pending := l.pending
	l.pending = nil
	for _, c := range pending {
		s.add(l, c)
	}
	if d := l.pc.RemoteDescription(); d != nil {
		l.noteRelays(d.SDP)
	}
}

// gathered trickles one of our candidates (RFC 8838).
func (s *state) gathered(l *link, c *webrtc.ICECandidate) {
	s.reportCandidate(l, c)
	if c == nil {
		_ = s.send(&signal.EndOfCandidates{Peer: l.address()}) // an overflow has ended the room
		return
	}
	j := c.ToJSON()
	_ = s.send(&signal.Candidate{Peer: l.address(), Candidate: signal.ICECandidate{
		Candidate: j.Candidate, SDPMid: j.SDPMid, SDPMLineIndex: j.SDPMLineIndex, UsernameFragment: j.UsernameFragment,
	}})
}
