package keyring

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const roomKey = "AAECAwQFBgcICQoLDA0ODw"

// room is some clients and a server that passes boxes on, in virtual time.
type room struct {
	t       testing.TB
	now     time.Time
	clients []*client
	deaf    map[string]bool // their boxes do not arrive
	twice   bool            // boxes come by two ways
}

type client struct {
	*Keyring
	room     *room
	me       Member
	using    uint64
	used     []uint64
	keys     map[string][]byte // by session and kid
	mine     []byte
	boxes    []Box // all that were sent
	told     []string
	linked   []Linked
	messages int
}

func newRoom(t testing.TB) *room {
	return &room{t: t, now: time.Unix(1_000_000, 0), deaf: make(map[string]bool)}
}

func (r *room) client(name, key string) *client {
	secret, err := NewSecret("tea", key)
	if err != nil {
		r.t.Fatal(err)
	}
	self, err := secret.Appear(rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	order := uint64(len(r.clients) + 1)
	c := &client{
		Keyring: New(secret, self, rand.Reader), room: r, keys: make(map[string][]byte),
		me: Member{Session: name, Seat: "seat-" + name, Name: strings.ToUpper(name), Order: order, Identity: self.Identity},
	}
	return c
}

// enter seats somebody, and tells everybody.
func (r *room) enter(c *client) *client {
	r.clients = append(r.clients, c)
	r.show()
	return c
}

func (r *room) leave(c *client) {
	r.clients = slices.DeleteFunc(r.clients, func(x *client) bool { return x == c })
	r.show()
}

func (r *room) show() {
	for _, c := range r.clients {
		var others []Member
		for _, x := range r.clients {
			if x != c {
				others = append(others, x.me)
			}
		}
		c.Members(r.now, &c.me, others)
	}
	r.run(0)
}

// run passes time, and on the way everything that is said.
func (r *room) run(d time.Duration) {
	for end := r.now.Add(d); ; {
		next := end.Add(1)
		for _, c := range r.clients {
			if at := c.drain(); !at.IsZero() && at.Before(next) {
				next = at
			}
		}
		if next.After(end) {
			r.now = end
			return
		}
		r.now = next
		for _, c := range r.clients {
			c.HandleTimeout(r.now)
		}
	}
}

// drain does what a client wants done, until nothing more is.
func (c *client) drain() time.Time {
	for {
		list, at, err := c.Poll()
		if err != nil {
			c.room.t.Fatal(err)
		}
		if len(list) == 0 {
			return at
		}
		for _, e := range list {
			switch e := e.(type) {
			case Send:
				c.messages++
				for _, b := range e.Boxes {
					c.boxes = append(c.boxes, b)
					c.room.pass(c, b)
				}
			case Tell:
				c.told = append(c.told, e.Box)
				if c.room.twice {
					c.room.pass(c, Box{e.Session, e.Box})
				}
			case Use:
				c.using, c.mine = e.KID, e.Base
				c.used = append(c.used, e.KID)
			case Add:
				c.keys[fmt.Sprint(e.Session, e.KID)] = e.Base
			case Forget:
				for name := range c.keys {
					if strings.HasPrefix(name, e.Session) {
						delete(c.keys, name)
					}
				}
			case Linked:
				c.linked = append(c.linked, e)
			}
		}
	}
}

func (r *room) pass(from *client, b Box) {
	for _, c := range r.clients {
		if c.me.Session == b.To && !r.deaf[from.me.Session] {
			c.Receive(r.now, from.me.Session, b.Box)
		}
	}
}

// reads reports whether c can open what x seals now.
func (c *client) reads(x *client) bool {
	return x.mine != nil && bytes.Equal(c.keys[fmt.Sprint(x.me.Session, x.using)], x.mine)
}

func TestKeysChangeWithThePeople(t *testing.T) {
	r := newRoom(t)
	ann, bob := r.client("ann", roomKey), r.client("bob", roomKey)
	r.enter(ann)
	r.enter(bob)
	r.run(time.Second)
	if !ann.reads(bob) || !bob.reads(ann) || ann.Standing("bob") != Known || !ann.Reads("bob") {
		t.Fatalf("ann reads bob: %v, bob reads ann: %v", ann.reads(bob), bob.reads(ann))
	}
	before := ann.mine
	cyd := r.enter(r.client("cyd", roomKey))
	r.run(time.Second)
	for _, c := range r.clients {
		for _, x := range r.clients {
			if c != x && !c.reads(x) {
				t.Errorf("%s does not read %s", c.me.Name, x.me.Name)
			}
		}
	}
	if bytes.Equal(before, ann.mine) {
		t.Error("cyd can read what was before")
	}
	at := ann.mine
	r.leave(cyd)
	r.run(3 * time.Second)
	if bytes.Equal(at, ann.mine) || cyd.reads(ann) || !bob.reads(ann) {
		t.Error("cyd can read what comes after")
	}
	for _, kid := range ann.used {
		if kid/generations != ann.me.Order {
			t.Errorf("kid %d of order %d", kid, ann.me.Order)
		}
	}
}

func TestManyComeAtOnce(t *testing.T) {
	r := newRoom(t)
	ann := r.enter(r.client("ann", roomKey))
	r.run(time.Second)
	began := len(ann.used)
	for i := range 20 {
		r.enter(r.client(fmt.Sprintf("p%02d", i), roomKey))
		r.run(10 * time.Millisecond)
	}
	r.run(3 * time.Second)
	if n := len(ann.used) - began; n < 1 || n > 3 {
		t.Errorf("%d changes of keys", n)
	}
	for _, c := range r.clients[1:] {
		if !c.reads(ann) || !ann.reads(c) {
			t.Errorf("%s and ann do not read each other", c.me.Name)
		}
	}
}

// TestSilentOneHoldsUpNobody: a key is used after 2 s although somebody does not say to have it.
func TestSilentOneHoldsUpNobody(t *testing.T) {
	r := newRoom(t)
	ann, bob := r.enter(r.client("ann", roomKey)), r.enter(r.client("bob", roomKey))
	r.run(time.Second)
	r.deaf["bob"] = true
	old := ann.using
	r.enter(r.client("cyd", roomKey))
	r.run(switchAfter - 1)
	if ann.using != old {
		t.Error("it is used too early")
	}
	r.run(2)
	if ann.using == old || !bob.reads(ann) {
		t.Error("it is not used")
	}
}

func TestStrangers(t *testing.T) {
	r := newRoom(t)
	ann := r.enter(r.client("ann", roomKey))
	eve := r.enter(r.client("eve", "EAECAwQFBgcICQoLDA0ODw")) // of another key
	mirror := r.client("mir", roomKey)
	mirror.me.Identity = ann.me.Identity
	r.enter(mirror)
	plain := r.client("pat", roomKey)
	plain.me.Identity = ""
	r.enter(plain)
	r.run(3 * time.Second)
	for _, x := range []*client{eve, mirror, plain} {
		if ann.Standing(x.me.Session) != Stranger || ann.Reads(x.me.Session) || x.reads(ann) || ann.reads(x) {
			t.Errorf("%s is %v", x.me.Name, ann.Standing(x.me.Session))
		}
	}
	if len(ann.boxes)+len(ann.told) > 0 {
		t.Error("ann has told them something")
	}
}

// TestServerThatLies: one person's words under another one's name make a stranger of them, until it is set right.
func TestServerThatLies(t *testing.T) {
	r := newRoom(t)
	ann, bob := r.enter(r.client("ann", roomKey)), r.enter(r.client("bob", roomKey))
	r.run(time.Second)
	lie := bob.me
	lie.Name = "BOSS"
	ann.Members(r.now, &ann.me, []Member{lie})
	r.run(time.Second)
	if s := ann.Standing("bob"); s != Pending {
		t.Errorf("under another name bob is %v", s)
	}
	bob.me.Seat = "another" // bob's next key says so, and the server says otherwise
	bob.Members(r.now, &bob.me, []Member{ann.me})
	ann.Members(r.now, &ann.me, []Member{lie})
	r.run(3 * time.Second)
	if s := ann.Standing("bob"); s != Stranger || ann.reads(bob) || bob.reads(ann) {
		t.Errorf("bob is %v; ann reads: %v, bob reads: %v", s, ann.reads(bob), bob.reads(ann))
	}
	ann.Members(r.now, &ann.me, []Member{bob.me})
	r.run(3 * time.Second)
	if s := ann.Standing("bob"); s != Known || !bob.reads(ann) {
		t.Errorf("bob is %v", s)
	}
}

// TestNoBoxCountsTwice: not by two ways, and not when the server takes somebody away and back.
func TestNoBoxCountsTwice(t *testing.T) {
	r := newRoom(t)
	r.twice = true
	ann, bob := r.enter(r.client("ann", roomKey)), r.enter(r.client("bob", roomKey))
	r.run(time.Second)
	said := ann.said
	r.leave(bob)
	r.run(time.Second)
	r.clients = append(r.clients, bob)
	ann.Members(r.now, &ann.me, []Member{bob.me})
	ann.drain()
	for _, b := range bob.boxes {
		ann.Receive(r.now, "bob", b.Box)
	}
	if ann.Standing("bob") != Pending {
		t.Errorf("with boxes of before bob is %v", ann.Standing("bob"))
	}
	if said > 4 {
		t.Errorf("%d words were said", said)
	}
}

func TestChat(t *testing.T) {
	secret, _ := NewSecret("tea", roomKey)
	said := Words{Text: "hello <you>", Name: "Ann", Seat: "s1"}
	text, err := secret.SealChat(rand.Reader, "m1", said)
	if err != nil || !strings.HasPrefix(text, SealedChat) || strings.Contains(text, "hello") {
		t.Fatalf("%q, %v", text, err)
	}
	if got, ok := secret.OpenChat("m1", text); !ok || got != said {
		t.Errorf("%+v, %v", got, ok)
	}
	other, _ := NewSecret("tea", "EAECAwQFBgcICQoLDA0ODw")
	elsewhere, _ := NewSecret("coffee", roomKey)
	for name, open := range map[string]func() (Words, bool){
		"another message":  func() (Words, bool) { return secret.OpenChat("m2", text) },
		"another secret":   func() (Words, bool) { return other.OpenChat("m1", text) },
		"another room":     func() (Words, bool) { return elsewhere.OpenChat("m1", text) },
		"in the clear":     func() (Words, bool) { return secret.OpenChat("m1", "hello") },
		"a text cut short": func() (Words, bool) { return secret.OpenChat("m1", text[:len(text)-4]) },
	} {
		if got, ok := open(); ok {
			t.Errorf("%s is opened: %+v", name, got)
		}
	}
}

func TestSecrets(t *testing.T) {
	for _, text := range []string{"", "short", roomKey + "A", "AAECAwQFBgcICQoLDA0OD!", "AAECAwQFBgcICQoLDA0ODx=="} {
		if _, err := NewSecret("tea", text); err == nil {
			t.Errorf("%q is a secret", text)
		}
	}
	if key, err := NewKey(rand.Reader); err != nil || len(key) != 22 {
		t.Errorf("%q, %v", key, err)
	}
}

func TestEnds(t *testing.T) {
	const a, b, c = "v=0\r\na=fingerprint:SHA-256 aa:bb\r\n", "a=fingerprint:sha-256 CC:DD\r\na=fingerprint:sha-256 cc:dd\r\n", "a=fingerprint:sha-256 EE:FF\r\n"
	var ann Ends
	own, peer := ann.Described("bob", "l1", a, b)
	if !slices.Equal(own, []string{"sha-256 AA:BB"}) || !slices.Equal(peer, []string{"sha-256 CC:DD"}) {
		t.Fatalf("%q and %q", own, peer)
	}
	if own, _ := ann.Described("bob", "l1", a, b); own != nil {
		t.Error("it is told again")
	}
	if v := ann.Verdict("bob", "l1"); v != Unknown {
		t.Errorf("before the other side has said anything: %v", v)
	}
	ann.Told("bob", "l1", peer, fingerprints(a))
	if v := ann.Verdict("bob", "l1"); v != Trusted {
		t.Errorf("the same ends: %v", v)
	}
	ann.Told("bob", "l2", []string{"sha-256 EE:FF"}, fingerprints(a))
	ann.Described("bob", "l2", a, b)
	if v := ann.Verdict("bob", "l2"); v != Broken {
		t.Errorf("somebody is between: %v", v)
	}
	// The handshake was with whom the first description names: another one, however right it looks, is made by who is between.
	ann.Described("bob", "l2", a, c)
	if v := ann.Verdict("bob", "l2"); v != Broken {
		t.Errorf("described anew: %v", v)
	}
	certificate := []byte("what the handshake showed")
	sum := sha256.Sum256(certificate)
	shown := "a=fingerprint:sha-256 " + strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
	ann.Described("bob", "l3", a, shown)
	if !ann.Shown("bob", "l3", certificate) || ann.Shown("bob", "l3", []byte("another")) || ann.Shown("bob", "l3", nil) || ann.Shown("bob", "l1", certificate) {
		t.Error("a certificate is taken for another")
	}
	if ann.Moved("bob", "l1", "a=candidate:1\r\n"+b) || ann.Moved("bob", "l9", c) || ann.Verdict("bob", "l1") != Trusted {
		t.Error("an end that stays, or is the first, is taken for another")
	}
	for i, other := range []string{c, "a=candidate:1\r\n", b + c} { // of another certificate, of none, of both
		link := fmt.Sprintf("m%d", i)
		ann.Described("bob", link, a, b)
		ann.Told("bob", link, peer, own)
		if !ann.Moved("bob", link, other) || ann.Verdict("bob", link) != Broken || !ann.Moved("bob", link, b) {
			t.Errorf("%q is to be described in the place of %q", other, b)
		}
	}
	ann.Forget("bob", "l2")
	if v := ann.Verdict("bob", "l2"); v != Unknown {
		t.Errorf("a link that is over: %v", v)
	}
}

// TestEndsAreBounded: somebody who tells of many links pushes out their own, and many who do those that are oldest.
func TestEndsAreBounded(t *testing.T) {
	var e Ends
	e.Told("ann", "l1", nil, nil)
	for i := range 10 * maxLinksOf {
		e.Told("bob", fmt.Sprint(i), nil, nil)
	}
	if n := len(e.links); n != 1+maxLinksOf || e.links[end{"ann", "l1"}] == nil {
		t.Errorf("%d links are remembered", n)
	}
	for i := range 2 * maxLinks {
		e.Told(fmt.Sprint(i), "l1", nil, nil)
	}
	if n := len(e.links); n != maxLinks || e.links[end{"ann", "l1"}] != nil {
		t.Errorf("%d links are remembered", n)
	}
}

func FuzzWords(f *testing.F) {
	f.Add([]byte(`{"n":1,"type":"key","kid":17,"key":"AAECAwQFBgcICQoLDA0ODw","seat":"s","name":"n"}`))
	f.Add([]byte(`{"n":1,"type":"link","link":"l","own":["sha-256 AA"],"peer":[null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, ok := readWords(b)
		if ok && (w.N > maxNumber || len(w.Own) > maxList || len(w.Peer) > maxList) {
			t.Errorf("%+v", w)
		}
	})
}

func FuzzIdentity(f *testing.F) {
	secret, err := NewSecret("tea", roomKey)
	if err != nil {
		f.Fatal(err)
	}
	self, err := secret.Appear(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(self.Identity)
	f.Fuzz(func(t *testing.T, text string) {
		if secret.recognize(text) == nil {
			return
		}
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for at := range b { // every byte of it counts
			b[at] ^= 1
			if secret.recognize(base64.RawURLEncoding.EncodeToString(b)) != nil {
				t.Errorf("%x is believed, byte %d of which is another's", b, at)
			}
			b[at] ^= 1
		}
	})
}
