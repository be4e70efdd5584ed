package parley

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/keyring"
	"github.com/parley-rtc/parley/sdk/internal/sframe"
)

// expireEach is how often keys that were replaced are looked for.
const expireEach = 2 * time.Second

// Encryption is how far somebody in an encrypted room is known.
type Encryption string

// The values of Encryption.
const (
	// EncryptionNone is everybody's in a room that is not encrypted.
	EncryptionNone Encryption = ""
	// EncryptionPending says that no key of theirs has come yet.
	EncryptionPending Encryption = "pending"
	// EncryptionKnown says that a key came that only who has the room's key can have told, under the name that is shown.
	EncryptionKnown Encryption = "known"
	// EncryptionStranger says that theirs does not fit: nothing of them is played, and nothing is legible to them.
	EncryptionStranger Encryption = "stranger"
)

// secrecy is a room's encryption (docs/protocol.md, Encrypted rooms). The owner has it; media and data are leaves.
type secrecy struct {
	secret  *keyring.Secret
	self    *keyring.Self
	ring    *keyring.Keyring
	ends    keyring.Ends
	made    bool // the key is ours and new, and we were never inside: whoever is there has another one
	media   *vault
	data    *vault
	covers  *covers
	me      *keyring.Member // as the keyring knows us; nil in front of the door
	others  []keyring.Member
	due     time.Time // when the keyring has something to do
	expired time.Time
	told    map[string]Encryption // what the user was told, by session
}

var (
	errNotEncrypted = &Refused{
		Code:  CodeEncrypted,
		Words: "this room is not end-to-end encrypted, though your link is for one that is; ask for a new link",
	}
	errTaken = &Refused{
		Code:  CodeEncrypted,
		Words: "this room is there already, so it cannot be made an encrypted one; open its whole link, or use another name",
	}
)

// newSecrecy prepares for the room that a belongs to; nil when that is not encrypted.
func newSecrecy(a address, over <-chan struct{}) (*secrecy, error) {
	if a.key == "" {
		return nil, nil
	}
	secret, err := keyring.NewSecret(a.room, a.key)
	if err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	self, err := secret.Appear(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	data := newVault(dataPatience, over)
	return &secrecy{
		secret: secret, self: self, ring: keyring.New(secret, self, rand.Reader), made: a.made,
		media: newVault(mediaPatience, over), data: data, covers: newCovers(data), told: make(map[string]Encryption),
	}, nil
}

// mediaVault is where media are sealed; nil where they are not.
func (s *state) mediaVault() *vault {
	if s.secrecy == nil {
		return nil
	}
	return s.secrecy.media
}

// unfit says why our key is not for the room that the server shows; nil when it may be. taken is true when others are, or
// were, there.
func (s *state) unfit(taken bool) *Refused {
	switch x := s.secrecy; {
	case x == nil || !s.room.Exists:
		return nil
	case x.made && taken:
		return errTaken
	case !s.room.Encrypted && s.begins == nil:
		return errNotEncrypted
	}
	return nil
}

// standing tells how far somebody is known.
func (s *state) standing(seat *signal.Seat) Encryption {
	switch x := s.secrecy; {
	case x == nil:
		return EncryptionNone
	case seat.ID == s.me:
		return EncryptionKnown
	case x.ring.Standing(seat.Session) == keyring.Known:
		return EncryptionKnown
	case x.ring.Standing(seat.Session) == keyring.Stranger:
		return EncryptionStranger
	}
	return EncryptionPending
}

// tendSecrecy tells the keyring who is here, and does what it wants done. The owner calls it after everything that happens.
func (s *state) tendSecrecy() {
	x := s.secrecy
	if x == nil {
		return
	}
	s.showMembers()
	if !x.due.IsZero() && !s.now.Before(x.due) {
		x.ring.HandleTimeout(s.now)
	}
	for again := true; again; {
		list, due, err := x.ring.Poll()
		if err != nil {
			s.end(Ended{Err: fmt.Errorf("parley: %w", err)})
			return
		}
		x.due, again = due, len(list) > 0
		for _, e := range list {
			s.obeyKeyring(e)
		}
	}
	if s.now.Sub(x.expired) >= expireEach {
		x.expired = s.now
		x.media.expire(s.now)
		x.data.expire(s.now)
	}
}

// showMembers tells the keyring who is here, when that changed.
func (s *state) showMembers() {
	x := s.secrecy
	var me *keyring.Member
	var others []keyring.Member
	if own := s.people[s.me]; s.me != "" && own != nil {
		me = member(own)
		me.Session = s.session.id
		for _, seat := range s.people {
			if seat.ID != s.me && seat.Session != "" && seat.State != signal.SeatWaiting {
				others = append(others, *member(seat))
			}
		}
		slices.SortFunc(others, func(a, b keyring.Member) int { return cmp.Compare(a.Order, b.Order) })
	}
	if (me == nil) == (x.me == nil) && (me == nil || *me == *x.me) && slices.Equal(others, x.others) {
		return
	}
	x.me, x.others = me, others
	if me == nil {
		x.media.stop()
		x.data.stop()
	}
	x.ring.Members(s.now, me, others)
	s.coverMembers()
}

// coverMembers says who sits where, for what comes through the hub. From a stranger nothing does.
func (s *state) coverMembers() {
	x := s.secrecy
	others := slices.Clone(x.others)
	for i := range others {
		if x.ring.Standing(others[i].Session) == keyring.Stranger {
			others[i].Session = ""
		}
	}
	x.covers.know(x.me, others)
}

func member(seat *signal.Seat) *keyring.Member {
	return &keyring.Member{
		Session: seat.Session, Seat: seat.ID, Name: seat.Name, Order: seat.Order, Identity: seat.Identity,
	}
}

// obeyKeyring does one thing that the keyring wants done.
func (s *state) obeyKeyring(e keyring.Event) {
	x := s.secrecy
	switch e := e.(type) {
	case keyring.Send:
		if s.me == "" {
			return // it was for those inside
		}
		boxes := make([]signal.Box, 0, len(e.Boxes))
		for _, b := range e.Boxes {
			boxes = append(boxes, signal.Box{To: b.To, Box: b.Box})
		}
		_ = s.send(&signal.Keys{Boxes: boxes}) // an overflow has ended the room
	case keyring.Tell:
		s.tellBox(e)
	case keyring.Use:
		s.keyFault(errors.Join(x.media.use(e.KID, e.Base), x.data.use(sframe.DataKID(e.KID), e.Base)))
		s.stir = true // who reads us now may have channels
	case keyring.Add:
		s.keyFault(errors.Join(
			x.media.add(s.now, e.Session, e.KID, e.Base), x.data.add(s.now, e.Session, sframe.DataKID(e.KID), e.Base),
		))
	case keyring.Forget:
		x.media.forget(e.Session)
		x.data.forget(e.Session)
	case keyring.Met:
		x.ends.Met(e.Session, func(link string, own, peer []string) { x.ring.Describe(s.now, e.Session, link, own, peer) })
	case keyring.Changed:
		s.standings()
	case keyring.Linked:
		x.ends.Told(e.Session, e.Link, e.Own, e.Peer)
		s.retrust()
	}
}

// keyFault reports what can only be a fault of ours.
func (s *state) keyFault(err error) {
	if err != nil {
		s.end(Ended{Err: fmt.Errorf("parley: %w", err)})
	}
}

// standings tells whose standing changed.
func (s *state) standings() {
	x := s.secrecy
	for _, p := range s.list() {
		seat := s.people[p.ID]
		if seat.Session == "" || p.Me || p.State == signal.SeatWaiting || x.told[seat.Session] == p.Encryption {
			continue
		}
		_, known := x.told[seat.Session]
		x.told[seat.Session] = p.Encryption
		if known || p.Encryption != EncryptionPending {
			s.emit(Updated{Person: p})
		}
	}
	for session := range x.told {
		if s.holder(session) == nil {
			delete(x.told, session)
		}
	}
	s.coverMembers()
	s.retrust()
	for _, t := range []*trunk{s.hub.main, s.hub.next} {
		if t != nil {
			s.settlePlaces(t)
		}
	}
	s.stir = true
}

// readsHere reports whether whoever sits on seat can open what is sealed now: only then data are sealed for them.
func (s *state) readsHere(seat string) bool {
	person := s.people[seat]
	return s.secrecy == nil || person != nil && s.secrecy.ring.Reads(person.Session)
}
