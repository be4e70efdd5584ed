package keyring

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/parley-rtc/parley/sdk/internal/sframe"
)

const (
	// switchAfter is when a new key is used although somebody has not said to have it.
	switchAfter = 2 * time.Second
	// rest is how soon after one change of keys another one follows: many who come at once make few.
	rest = 500 * time.Millisecond
	// gather is how long words wait for others to go with them.
	gather = 20 * time.Millisecond
	// maxBoxes is how many boxes go in one message.
	maxBoxes = 64
	// generations of a key are counted in so many numbers.
	generations = 16
	// maxEarly is how many boxes of people who are not known yet wait.
	maxEarly = 256
	// lateness is how late a box may come, in numbers of its sender: by two ways they come in no order.
	lateness = 4096
	// maxHeard is of how many clients it is known which of their boxes were there.
	maxHeard = 1024
)

// Member is somebody in the room, as the server says.
type Member struct {
	Session, Seat, Name string
	Order               uint64
	// Identity is empty when they say not to encrypt.
	Identity string
}

// Standing is how far somebody is known.
type Standing int

// The standings.
const (
	// Pending: no key of theirs has come.
	Pending Standing = iota
	// Known: one has, told by who they are shown as.
	Known
	// Stranger: it was told by somebody else, or what they say to be is not from who knows the room's secret.
	Stranger
)

// Box is a sealed word for one session.
type Box struct{ To, Box string }

// Events are what a keyring wants done or known, in order.
type (
	// Event is one of those below.
	Event interface{ event() }
	// Send sends boxes by the server, at most 64.
	Send struct{ Boxes []Box }
	// Tell sends a box past the server, where there is a way.
	Tell struct{ Seat, Session, Box string }
	// Use seals with this key from now on.
	Use struct {
		KID  uint64
		Base []byte
	}
	// Add opens somebody's frames with this key too.
	Add struct {
		Session string
		KID     uint64
		Base    []byte
	}
	// Forget opens nothing of somebody any more.
	Forget struct{ Session string }
	// Met says that somebody is there now who can be talked to.
	Met struct{ Session string }
	// Changed says that the standing of somebody, or who can read us, changed.
	Changed struct{}
	// Linked says what somebody sees at the two ends of a link.
	Linked struct {
		Session, Link string
		Own, Peer     []string
	}
)

func (Send) event()    {}
func (Tell) event()    {}
func (Use) event()     {}
func (Add) event()     {}
func (Forget) event()  {}
func (Met) event()     {}
func (Changed) event() {}
func (Linked) event()  {}

// next is our key that is not in use yet.
type next struct {
	kid  uint64
	base []byte
	// wait is who has to have it: those who can read us now. told is who was given it: who comes later gets another one.
	wait, told map[string]bool
	// at is when it is used all the same; one that is made meanwhile takes over the time that is left.
	at time.Time
}

type early struct{ from, box string }

// Keyring has the keys of everybody's frames. Our own is made anew whenever somebody comes or goes, told to everybody one
// by one, and used when those who could read us have it: nobody goes dark, whoever comes reads nothing of before, whoever
// goes nothing of after. **Poll after every call.**
type Keyring struct {
	secret     *Secret
	self       *Self
	rand       io.Reader
	known      map[string]*known
	heard      map[string]*heard // by public key: they may be back
	turn       uint64
	strangers  map[string]string // identities by session
	readers    map[string]bool   // who was given the key in use
	me         *Member
	said       uint64 // numbers all that is said, to whomever: who comes back under another session hears no number twice
	generation uint64
	next       *next
	due        bool      // another change follows the rest
	restUntil  time.Time // zero when none is
	out        []Box
	flushAt    time.Time
	early      []early
	events     []Event
	err        error
}

// New makes the keyring of one client.
func New(secret *Secret, self *Self, rand io.Reader) *Keyring {
	return &Keyring{
		secret: secret, self: self, rand: rand, known: make(map[string]*known), heard: make(map[string]*heard),
		strangers: make(map[string]string), readers: make(map[string]bool),
	}
}

// Standing says how far somebody is known.
func (k *Keyring) Standing(session string) Standing {
	if _, strange := k.strangers[session]; strange {
		return Stranger
	}
	if x := k.known[session]; x != nil {
		return x.standing
	}
	return Pending
}

// Reads reports whether somebody was given the key in use.
func (k *Keyring) Reads(session string) bool {
	return k.readers[session] && k.Standing(session) != Stranger
}

// Poll returns what is to be done, and when HandleTimeout is to be called next; zero for never. An error is one of
// randomness or of a cipher, and nothing that anybody else sent: nothing can be sealed then.
func (k *Keyring) Poll() (list []Event, deadline time.Time, err error) {
	list, k.events = k.events, nil
	for _, at := range []time.Time{k.restUntil, k.flushAt, k.switchAt()} {
		if !at.IsZero() && (deadline.IsZero() || at.Before(deadline)) {
			deadline = at
		}
	}
	return list, deadline, k.err
}

func (k *Keyring) switchAt() time.Time {
	if k.next == nil {
		return time.Time{}
	}
	return k.next.at
}

// HandleTimeout does what is due.
func (k *Keyring) HandleTimeout(now time.Time) {
	if k.next != nil && !now.Before(k.next.at) {
		k.change()
	}
	if !k.restUntil.IsZero() && !now.Before(k.restUntil) {
		k.restUntil = time.Time{}
		if k.due {
			k.due = false
			k.rotate(now)
		}
	}
	if !k.flushAt.IsZero() && !now.Before(k.flushAt) {
		k.flushAt = time.Time{}
		for part := range slices.Chunk(k.out, maxBoxes) {
			k.emit(Send{part})
		}
		k.out = nil
	}
}

func (k *Keyring) emit(e Event) { k.events = append(k.events, e) }

func (k *Keyring) fail(err error) {
	if k.err == nil {
		k.err = err
	}
}

// rotate makes a new key and tells it to everybody who is not a stranger; soon, when the last one is not long ago.
func (k *Keyring) rotate(now time.Time) {
	if !k.restUntil.IsZero() {
		k.due = true
		return
	}
	k.restUntil = now.Add(rest)
	if k.me == nil {
		return
	}
	base := make([]byte, sframe.KeySize)
	if _, err := io.ReadFull(k.rand, base); err != nil {
		k.fail(fmt.Errorf("keyring: %w", err))
		return
	}
	k.generation = (k.generation + 1) % generations
	n := &next{
		kid: k.me.Order*generations + k.generation, base: base, wait: maps.Clone(k.readers), told: make(map[string]bool),
		at: now.Add(switchAfter),
	}
	if k.next != nil {
		n.at = k.next.at
	}
	k.next = n
	for _, session := range slices.Sorted(maps.Keys(k.known)) {
		if x := k.known[session]; x.standing != Stranger {
			k.say(now, x, words{
				Type: wordsKey, KID: &n.kid, Key: base64.RawURLEncoding.EncodeToString(base), Seat: k.me.Seat, Name: k.me.Name,
			})
			n.told[session] = true
		}
	}
	if len(n.wait) == 0 {
		k.change()
	}
}

// change begins to use the newest key.
func (k *Keyring) change() {
	n := k.next
	k.next, k.readers = nil, n.told
	k.emit(Use{n.kid, n.base})
	k.emit(Changed{})
}

// got notes that somebody has the next key, or is gone.
func (k *Keyring) got(session string) {
	if n := k.next; n != nil && n.wait[session] {
		delete(n.wait, session)
		if len(n.wait) == 0 {
			k.change()
		}
	}
}

// say puts words into a box for somebody.
func (k *Keyring) say(now time.Time, x *known, w words) {
	w.N = k.said
	k.said++
	b, err := json.Marshal(w)
	if err != nil {
		k.fail(fmt.Errorf("keyring: %w", err))
		return
	}
	box, err := seal(k.rand, x.boxes.out, b, nil)
	if err != nil {
		k.fail(err)
		return
	}
	k.emit(Tell{Seat: x.member.Seat, Session: x.member.Session, Box: box})
	k.out = append(k.out, Box{x.member.Session, box})
	if k.flushAt.IsZero() {
		k.flushAt = now.Add(gather)
	}
}
