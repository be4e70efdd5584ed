package room

import "github.com/parley-rtc/parley/internal/signal"

// hub says whether there is a hub for this room. Clients of an encrypted one do not seal what goes there as yet, so it
// stays direct, and holds two.
func (r *Room) hub() bool { return r.cfg.Hub && !r.encrypted }

// unfit says why a client may not join, by whether it encrypts: an encrypted room takes nobody who does not, and nobody
// who does takes a seat in a room that is not. Whoever makes a room decides, unless it is a host whose room was
// encrypted before.
func (r *Room) unfit(s *session, identity string) (signal.Code, string) {
	anew := !r.exists && !s.Host
	switch {
	case r.encrypted && identity == "" && !anew:
		return signal.CodeEncrypted, "this room is end-to-end encrypted; open its whole link, with #key=… in it, in a browser that can encrypt"
	case r.exists && !r.encrypted && identity != "":
		return signal.CodeEncrypted, "this room is not end-to-end encrypted, though your link is for one that is; ask for a new link"
	}
	return "", ""
}

// encrypt obeys a host who is alone in the room. It is for good: nobody is to find later that it was not so.
func (r *Room) encrypt(s *session, m *signal.Encrypt) {
	if len(r.seats) > 1 {
		r.refuse(s, m.N, signal.CodeOrder, "others are here, or wait; encryption begins before they come")
		return
	}
	if r.course.Kind == signal.TopologyHub && !r.encrypted {
		r.refuse(s, m.N, signal.CodeOrder, "this room goes through the hub; let it be direct first")
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
