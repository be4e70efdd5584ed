package room

import "github.com/parley-rtc/parley/internal/signal"

// unsealed says why a client may not join, by whether it encrypts: an encrypted room takes nobody who does not, and nobody
// who does takes a seat in a room that is not. Whoever makes a room decides, unless they come by a secret of a room that
// was encrypted before.
func (r *Room) unsealed(s *session, identity string) (signal.Code, string) {
	switch {
	case s.Door != "" && r.seals(&s.Visitor):
		return signal.CodeEncrypted, keyless
	case r.seals(&s.Visitor) && identity == "":
		return signal.CodeEncrypted, "this room is end-to-end encrypted; open its whole link, with #key=… in it, in a browser or a program that can encrypt"
	case r.exists && !r.encrypted && identity != "":
		return signal.CodeEncrypted, "this room is not end-to-end encrypted, though your link is for one that is; ask for a new link"
	}
	return "", ""
}

const keyless = "this room is end-to-end encrypted, and encoders and players have no key; use a room that is not"

// seals reports whether whoever comes now has to encrypt.
func (r *Room) seals(v *Visitor) bool { return r.encrypted && (r.exists || v.trusted()) }

// encrypt obeys a host who is alone in the room. It is for good: nobody is to find later that it was not so.
func (r *Room) encrypt(s *session, m *signal.Encrypt) {
	if len(r.seats) > 1 || len(r.players) > 0 {
		r.refuse(s, m.N, signal.CodeOrder, "others are here, wait or watch; encryption begins before they come")
		return
	}
	r.changed = r.changed || !r.encrypted
	r.encrypted = true
	s.seat.Identity = m.Identity
	r.announce(s.seat, s)
}

// keys passes sealed words on to those who are inside.
func (r *Room) keys(s *session, m *signal.Keys) {
	if !s.inside() || !r.encrypted {
		r.refuse(s, m.N, signal.CodeOrder, "join an encrypted room first")
		return
	}
	for _, b := range m.Boxes {
		if to := r.find(b.To); to != nil && to != s && to.inside() {
			r.send(to, &signal.Keys{From: s.ID, Box: b.Box})
		}
	}
}
