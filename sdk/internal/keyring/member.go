package keyring

import (
	"crypto/ecdh"
	"encoding/base64"
	"time"

	"github.com/parley-rtc/parley/sdk/internal/sframe"
)

// known is somebody who knows the room's secret.
type known struct {
	member   Member
	key      *ecdh.PublicKey
	boxes    *boxes
	heard    *heard
	standing Standing
	odd      *words // what they said with their last key when it did not fit who they are shown as
}

// heard is which boxes of a client were there.
type heard struct {
	*sframe.Seen
	used uint64
}

// Members takes who is here now, us and the others; me is nil while we have no seat.
func (k *Keyring) Members(now time.Time, me *Member, others []Member) {
	moved := !alike(me, k.me)
	k.me = nil
	if me == nil {
		others = nil
	} else {
		own := *me
		k.me = &own
	}
	changed := k.depart(others) || moved
	for _, m := range others {
		if x := k.known[m.Session]; x != nil {
			k.show(x, m)
		} else if _, strange := k.strangers[m.Session]; !strange {
			k.recognize(m)
			changed = true
		}
	}
	if changed {
		k.emit(Changed{})
	}
	waiting := k.early
	k.early = nil
	for _, e := range waiting {
		k.Receive(now, e.from, e.box)
	}
	for _, x := range k.known { // words past the server may have come before its own, which they have to fit
		if x.odd != nil {
			k.believe(now, x, *x.odd)
		}
	}
	if k.me != nil && changed {
		k.rotate(now)
	}
}

// alike reports whether the others would see the same person.
func alike(a, b *Member) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Session == b.Session && a.Seat == b.Seat && a.Name == b.Name
}

// depart forgets who is not here any more, and reports whether somebody was read or could read.
func (k *Keyring) depart(others []Member) (changed bool) {
	here := make(map[string]string, len(others))
	for _, m := range others {
		here[m.Session] = m.Identity
	}
	for session, x := range k.known {
		if identity, there := here[session]; there && identity == x.member.Identity {
			continue
		}
		k.keep(x.key, x.heard) // long here is not long gone
		delete(k.known, session)
		k.shut(session)
		changed = true
	}
	for session, identity := range k.strangers {
		if now, there := here[session]; !there || now != identity {
			delete(k.strangers, session)
		}
	}
	return changed
}

// show takes somebody as the server shows them now. Under another name they have yet to say who they are.
func (k *Keyring) show(x *known, m Member) {
	old := x.member
	x.member = m
	if x.standing == Known && (old.Seat != m.Seat || old.Name != m.Name || old.Order != m.Order) {
		x.standing = Pending
		k.emit(Changed{})
	}
}

// recognize takes somebody new.
func (k *Keyring) recognize(m Member) {
	key := k.secret.recognize(m.Identity)
	if key == nil || key.Equal(k.self.key.PublicKey()) { // our own words would come back to us, in somebody else's name
		k.strangers[m.Session] = m.Identity
		return
	}
	b, err := k.secret.agree(k.self, key)
	if err != nil {
		k.strangers[m.Session] = m.Identity
		return
	}
	k.known[m.Session] = &known{member: m, key: key, boxes: b, heard: k.remember(key)}
	k.emit(Met{m.Session})
}

// remember finds what was heard of a client: no box counts again when the server takes somebody away and back.
func (k *Keyring) remember(key *ecdh.PublicKey) *heard {
	h := k.heard[string(key.Bytes())]
	if h == nil {
		h = &heard{Seen: sframe.NewSeen(lateness)}
	}
	k.keep(key, h)
	return h
}

// keep remembers what was heard of a client as the newest, in the place of the oldest when there are too many.
func (k *Keyring) keep(key *ecdh.PublicKey, h *heard) {
	name := string(key.Bytes())
	if k.heard[name] == nil && len(k.heard) >= maxHeard {
		oldest, least := "", k.turn+1
		for other, x := range k.heard {
			if x.used < least {
				oldest, least = other, x.used
			}
		}
		delete(k.heard, oldest)
	}
	k.heard[name] = h
	k.touch(h)
}

func (k *Keyring) touch(h *heard) {
	k.turn++
	h.used = k.turn
}

// shut sees to it that somebody reads nothing of us any more, nor we of them; a new key has to follow.
func (k *Keyring) shut(session string) {
	delete(k.readers, session)
	if k.next != nil {
		delete(k.next.told, session)
	}
	k.emit(Forget{session})
	k.got(session)
}

// Receive takes a box of somebody, by whatever way it came.
func (k *Keyring) Receive(now time.Time, from, box string) {
	x := k.known[from]
	if x == nil { // its sender may have heard of us before we heard of them
		if _, strange := k.strangers[from]; !strange && len(k.early) < maxEarly {
			k.early = append(k.early, early{from, box})
		}
		return
	}
	plain, ok := open(x.boxes.in, box, nil)
	if !ok {
		return
	}
	w, ok := readWords(plain)
	if !ok || !x.heard.Fresh(w.N) {
		return
	}
	x.heard.Add(w.N)
	switch w.Type {
	case wordsHave:
		if k.next != nil && w.KID != nil && *w.KID == k.next.kid {
			k.got(x.member.Session)
		}
	case wordsLink:
		if w.Link != "" && len(w.Link) <= maxWord && w.Own != nil && w.Peer != nil {
			k.emit(Linked{x.member.Session, w.Link, w.Own, w.Peer})
		}
	case wordsKey:
		k.believe(now, x, w)
	}
}

// believe takes somebody's key, if they say to be who they are shown as; otherwise they are a stranger until they do.
func (k *Keyring) believe(now time.Time, x *known, w words) {
	if w.KID == nil || w.Key == "" {
		return
	}
	m, before := x.member, x.standing
	base, err := base64.RawURLEncoding.DecodeString(w.Key)
	// The server might show one person's words under another one's name.
	fits := err == nil && len(base) == sframe.KeySize && w.Seat == m.Seat && w.Name == m.Name && *w.KID/generations == m.Order
	switch {
	case fits:
		x.odd, x.standing = nil, Known
		k.emit(Add{m.Session, *w.KID, base})
		k.say(now, x, words{Type: wordsHave, KID: w.KID})
	default:
		x.odd, x.standing = &w, Stranger
		if before != Stranger {
			k.shut(m.Session)
		}
	}
	if x.standing == before {
		return
	}
	k.emit(Changed{})
	if !fits || before == Stranger { // who has turned out to be a stranger reads no further; who is none any more reads again
		k.rotate(now)
	}
}

// Describe tells somebody what the ends of our link are as we see them.
func (k *Keyring) Describe(now time.Time, session, link string, own, peer []string) {
	if x := k.known[session]; x != nil {
		k.say(now, x, words{Type: wordsLink, Link: link, Own: own, Peer: peer})
	}
}
