package parley

import (
	"errors"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/keyring"
)

// errBetween says why a link was closed.
var errBetween = errors.New("its ends are not those that the two sides know: somebody is between them")

// errStranger says so of one that had been let in.
var errStranger = errors.New("whoever is at its other end does not show that they have the room's key any more")

// descriptions are the two ends of a link.
type descriptions interface {
	LocalDescription() *webrtc.SessionDescription
	RemoteDescription() *webrtc.SessionDescription
}

// described takes note of the two ends of a link, once both are described.
func (s *state) described(session, link string, pc descriptions) {
	x := s.secrecy
	own, peer := pc.LocalDescription(), pc.RemoteDescription()
	if x == nil || own == nil || peer == nil {
		return
	}
	if mine, theirs := x.ends.Described(session, link, own.SDP, peer.SDP); mine != nil {
		x.ring.Describe(s.now, session, link, mine, theirs)
	}
	s.retrust()
}

// movedAway reports whether a further description of the other end of a link is that of another one. It is asked before the
// description is set: a transport would look for a way there at once, and go on with the keys that it has.
func (s *state) movedAway(session, link, sdp string) bool {
	return s.secrecy != nil && s.secrecy.ends.Moved(session, link, sdp)
}

// trusts reports whether the ends of a link are the same for both sides, who both have the room's key, and the handshake was
// with the other one.
func (s *state) trusts(session, link string, pc *webrtc.PeerConnection) bool {
	x := s.secrecy
	return x == nil || x.ring.Standing(session) != keyring.Stranger && x.ends.Verdict(session, link) == keyring.Trusted &&
		x.ends.Shown(session, link, certificateOf(pc))
}

// certificateOf is the certificate that the other end of a connection has shown, nil before.
func certificateOf(pc *webrtc.PeerConnection) []byte {
	if pc == nil || pc.SCTP() == nil {
		return nil
	}
	return pc.SCTP().Transport().GetRemoteCertificate()
}

// retrust lets data and words onto the links that are trusted now, and closes those that somebody has put themselves into.
func (s *state) retrust() {
	x := s.secrecy
	if x == nil {
		return
	}
	for _, main := range s.links {
		for _, l := range main.each() {
			if x.ends.Verdict(l.peer, l.id) == keyring.Broken {
				s.fail(l, errBetween)
				continue
			}
			now := s.trusts(l.peer, l.id, l.pc)
			if l.trusted.Load() && !now { // what is open on it would go on
				s.fail(l, errStranger)
				continue
			}
			if now != l.trusted.Load() {
				l.trusted.Store(now)
				l.gate.trust(now)
				s.stir = true
			}
		}
	}
	for _, b := range s.files.bulks {
		if x.ends.Verdict(b.peer, b.id) == keyring.Broken {
			s.options.Log.Warn("a link for files is closed", "room", s.address.room, "err", errBetween)
			s.dropBulk(b, true)
			continue
		}
		now := s.trusts(b.peer, b.id, b.pc)
		if b.trusted && !now {
			s.dropBulk(b, true)
			continue
		}
		b.trusted = now
		b.gate.trust(now)
		s.bulkReady(b)
	}
}

// untrust forgets a link that is over, and what waits at its gate; that may be nil.
func (s *state) untrust(session, link string, g *gate) {
	if g != nil {
		g.shut()
	}
	if s.secrecy != nil {
		s.secrecy.ends.Forget(session, link)
	}
}
