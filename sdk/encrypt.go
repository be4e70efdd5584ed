package parley

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/keyring"
)

// MakeKey makes the key of an encrypted room, for Room.Encrypt: what stands behind #key= in its link.
func MakeKey() string {
	key, err := keyring.NewKey(rand.Reader)
	if err != nil {
		panic("parley: crypto/rand never fails: " + err.Error())
	}
	return key
}

// Encrypt encrypts a room that was begun without, from end to end and for good, with a key of MakeKey. Only a host may, and
// only while nobody else is there, waits or watches: the error is *Refused otherwise, with CodeForbidden or CodeOrder. Whoever
// comes after that needs the link with the key (Info.Key).
//
// **Keep the key before you ask.** From the call on nothing leaves that is not sealed, but for a frame that is leaving already,
// and a server that is away is waited for, however long: it does then what it was asked, also when ctx has ended meanwhile.
// Only when Info.Key is empty again was it refused.
func (r *Room) Encrypt(ctx context.Context, key string) error {
	var q *request
	if err := r.do(ctx, func(s *state) (err error) {
		q, err = s.encrypt(key)
		return err
	}); err != nil {
		return err
	}
	return q.wait(ctx)
}

// beginning is an encryption that was asked for, until the room is seen to be encrypted or it was refused.
type beginning struct {
	n uint64 // of the message that asks, 0 when that was lost
	q *request
}

var errNeverEncrypted = errors.New("parley: the session ended before the room was encrypted; ask again")

// encrypt asks for it.
func (s *state) encrypt(key string) (*request, error) {
	switch {
	case s.me == "":
		return nil, errNotSeated
	case s.begins != nil:
		return nil, &Refused{Code: CodeOrder, Words: "it is being encrypted"}
	case s.secrecy != nil:
		return nil, &Refused{Code: CodeOrder, Words: "this room is encrypted already"}
	case len(s.people) > 1: // their call is not to be broken for the server's no
		return nil, &Refused{Code: CodeOrder, Words: "others are here, or wait; encryption begins before they come"}
	}
	a := s.address
	a.key = key
	x, err := newSecrecy(a, s.work.Done())
	if err != nil {
		return nil, err
	}
	if x == nil {
		return nil, errors.New("parley: a room is not encrypted without a key; MakeKey makes one")
	}
	s.begins = &beginning{q: newRequest()}
	s.seal(x, key)
	m := &signal.Encrypt{Identity: x.self.Identity}
	if err := s.send(m); err != nil {
		return nil, err // the room ends
	}
	s.begins.n = m.N
	return s.begins.q, nil
}

// seal seals what leaves from now on, with nil as x nothing. Links that were made before are made anew: what has left them
// once cannot be called back, and nothing more does, but for a frame that is leaving already: a transport that looks for its
// path may keep it for long, for which nobody waits here.
func (s *state) seal(x *secrecy, key string) {
	for peer := range s.links {
		s.drop(peer, true)
	}
	s.leaveHub(true)
	s.unlink()
	if old := s.secrecy; old != nil {
		old.media.stop()
		old.data.stop()
	}
	s.secrecy, s.address.key = x, key
	if x == nil {
		s.data.covers.Store(nil)
	} else {
		s.data.covers.Store(x.covers)
	}
	s.labels.tend(s) // closes what led to everybody
	s.arrange(false)
	s.seekHub(probeAfter)
}

// encrypted settles an encryption that was asked for, once the room shows it. Where the question was lost with its session,
// a room that is there and not encrypted is the answer: it is not ours to make any more.
func (s *state) encrypted() {
	switch b := s.begins; {
	case b == nil:
	case s.room.Encrypted:
		s.begins = nil
		b.q.settle(nil)
	case b.n == 0 && s.room.Exists:
		s.notEncrypted(errNeverEncrypted)
	}
}

// notEncrypted goes back to what was before somebody asked.
func (s *state) notEncrypted(why error) {
	b := s.begins
	if b == nil {
		return
	}
	s.begins = nil
	s.seal(nil, "")
	b.q.settle(why)
}
