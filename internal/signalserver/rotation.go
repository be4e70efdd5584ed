package signalserver

import "time"

// lateHello is how long after a resume an older token is taken for a hello that was on its way all the time: a client
// that changes networks gives sockets up whose last bytes arrive when it has long been back on another.
const lateHello = 30 * time.Second

// rotation judges the resume tokens of a session.
//
// Each welcome carries a token of the next generation. The client is known to have it as soon as it sends anything
// after that welcome; until then the older one is good too, because the welcome may have been lost. A generation that
// is older than the newest the client is known to have is refused. Unless it may only be late, it comes from a copy of
// the token: then all tokens are revoked, because nobody can tell who is the owner.
type rotation struct {
	issued  uint32    // the newest generation
	known   uint32    // the newest one that the client is known to have
	since   time.Time // when known grew
	revoked bool
}

// verdict says what to do with a token.
type verdict uint8

const (
	tokenGood   verdict = iota
	tokenBad            // superseded, or revoked before
	tokenCopied         // superseded long ago: revoked just now
)

// next issues the next generation.
func (r *rotation) next() uint32 {
	r.issued++
	return r.issued
}

// confirm notes that the client has the token of a generation, and reports whether that is news.
func (r *rotation) confirm(now time.Time, generation uint32) bool {
	if generation <= r.known {
		return false
	}
	r.known, r.since = generation, now
	return true
}

// judge judges a token that is authentic.
func (r *rotation) judge(now time.Time, generation uint32) verdict {
	switch {
	case r.revoked:
		return tokenBad
	case generation >= r.known:
		return tokenGood
	case now.Sub(r.since) < lateHello:
		return tokenBad
	}
	r.revoked = true
	return tokenCopied
}
