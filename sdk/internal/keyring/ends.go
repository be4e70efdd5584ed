package keyring

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// maxLinks is how many links are remembered, maxLinksOf how many of one session.
const (
	maxLinks   = 1024
	maxLinksOf = 16
)

// Verdict is what is known of a link.
type Verdict int

// The verdicts.
const (
	// Unknown: one side has not said yet what it sees.
	Unknown Verdict = iota
	// Trusted: both sides see the same two ends.
	Trusted
	// Broken: they do not, so somebody is between them.
	Broken
)

// Ends are the ends of links, as both sides see them. Descriptions pass through the server, which could put itself between
// two people; their certificates' fingerprints, compared by sealed words, tell. The zero value is ready.
type Ends struct {
	links map[end]*seen
	turn  uint64
}

// end names a link with a session.
type end struct{ session, link string }

type seen struct {
	mine, theirs *sight
	moved        bool // an end was described anew: nobody but somebody between us does that
	used         uint64
}

// sight is what one side sees: its own fingerprints, and those of the other.
type sight struct{ own, peer []string }

// Described takes the descriptions of a link's two ends as they are set here. It returns what is to be told to the other
// side (Keyring.Describe); nothing when that is not new, or an end is missing.
func (e *Ends) Described(session, link, ownSDP, peerSDP string) (own, peer []string) {
	own, peer = fingerprints(ownSDP), fingerprints(peerSDP)
	if len(own) == 0 || len(peer) == 0 {
		return nil, nil
	}
	l := e.link(session, link)
	if l.mine != nil {
		l.moved = l.moved || !slices.Equal(l.mine.own, own) || !slices.Equal(l.mine.peer, peer)
		return nil, nil
	}
	l.mine = &sight{own, peer}
	return own, peer
}

// Moved takes a further description of the other end before it is set, and reports whether it is that of another one: the
// link is broken then.
func (e *Ends) Moved(session, link, peerSDP string) bool {
	l := e.links[end{session, link}]
	if l == nil || l.mine == nil {
		return false
	}
	l.moved = l.moved || !slices.Equal(l.mine.peer, fingerprints(peerSDP))
	return l.moved
}

// Told takes what the other side sees, which may be before we see anything.
func (e *Ends) Told(session, link string, own, peer []string) {
	e.link(session, link).theirs = &sight{own, peer}
}

// Met returns what was seen of links with somebody who could not be told before, by link.
func (e *Ends) Met(session string, tell func(link string, own, peer []string)) {
	for at, l := range e.links {
		if at.session == session && l.mine != nil {
			tell(at.link, l.mine.own, l.mine.peer)
		}
	}
}

// Verdict says what is known of a link.
func (e *Ends) Verdict(session, link string) Verdict {
	l := e.links[end{session, link}]
	switch {
	case l != nil && l.moved:
		return Broken
	case l == nil || l.mine == nil || l.theirs == nil:
		return Unknown
	case same(l.mine.own, l.theirs.peer) && same(l.mine.peer, l.theirs.own):
		return Trusted
	default:
		return Broken
	}
}

// Shown reports whether a certificate (DER) that a handshake has shown is one that the other end was described with. What is
// only described proves nothing: a transport does not shake hands again for another description.
func (e *Ends) Shown(session, link string, certificate []byte) bool {
	l := e.links[end{session, link}]
	if l == nil || l.mine == nil || len(certificate) == 0 {
		return false
	}
	sum := sha256.Sum256(certificate)
	var text strings.Builder
	for i, b := range sum {
		if i > 0 {
			text.WriteByte(':')
		}
		fmt.Fprintf(&text, "%02X", b)
	}
	return slices.Contains(l.mine.peer, "sha-256 "+text.String())
}

// Forget forgets a link that is over.
func (e *Ends) Forget(session, link string) { delete(e.links, end{session, link}) }

// link finds a link, or makes it; when there are too many, in the place of the one that was not used for longest, of the
// same session if those are too many.
func (e *Ends) link(session, link string) *seen {
	if e.links == nil {
		e.links = make(map[end]*seen)
	}
	at := end{session, link}
	l := e.links[at]
	if l == nil {
		l = &seen{}
		e.room(session)
		e.links[at] = l
	}
	e.turn++
	l.used = e.turn
	return l
}

// room makes room for another link of a session.
func (e *Ends) room(session string) {
	var oldest, oldestOf end
	least, leastOf, of := e.turn+1, e.turn+1, 0
	for at, l := range e.links {
		if l.used < least {
			oldest, least = at, l.used
		}
		if at.session != session {
			continue
		}
		of++
		if l.used < leastOf {
			oldestOf, leastOf = at, l.used
		}
	}
	switch {
	case of >= maxLinksOf:
		delete(e.links, oldestOf)
	case len(e.links) >= maxLinks:
		delete(e.links, oldest)
	}
}

func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, one := range a {
		if !slices.Contains(b, one) {
			return false
		}
	}
	return true
}

// fingerprints are those of a description (RFC 8122), each once, sorted.
func fingerprints(sdp string) (list []string) {
	for line := range strings.Lines(sdp) {
		rest, ok := strings.CutPrefix(line, "a=fingerprint:")
		if hash, value, two := strings.Cut(strings.TrimSpace(rest), " "); ok && two && hash != "" && value != "" {
			list = append(list, strings.ToLower(hash)+" "+strings.ToUpper(value))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
