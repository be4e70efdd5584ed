package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/parley-rtc/parley/internal/cli"
	parley "github.com/parley-rtc/parley/sdk"
)

// encrypted makes an encrypted room and returns who made it, with the link that leads in.
func encrypted(t *testing.T, h *house, room, name string) (p *peer, link string) {
	t.Helper()
	o := options(name)
	o.Encrypt = true
	p = dial(t, h.link(room), o).enter()
	info, err := p.Info(wait(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Key) != 22 {
		t.Fatalf("the room has the key %q", info.Key)
	}
	return p, h.link(room) + "#key=" + info.Key
}

// says says something and waits until everybody has read it.
func (p *peer) says(text string, others ...*peer) {
	p.t.Helper()
	if _, err := p.Chat(wait(p.t), text); err != nil {
		p.t.Fatal(err)
	}
	for _, x := range append(others, p) {
		until(x, func(e parley.Chat) bool { return e.Text == text })
	}
}

// knows waits until everybody else is known to have the room's key.
func (p *peer) knows(others int, want parley.Encryption) {
	p.t.Helper()
	watch(p.t, p.Room, func(parley.Stats) string {
		list, err := p.People(p.t.Context())
		if err != nil {
			p.t.Fatal(err)
		}
		n := 0
		for _, x := range list {
			if !x.Me && x.Encryption == want {
				n++
			}
		}
		if n == others {
			return ""
		}
		return fmt.Sprintf("%d of %d are %s: %+v", n, others, want, list)
	})
}

// sends sends something on a label and waits until it has come.
func (p *peer) sends(label, text string, others ...*peer) {
	p.t.Helper()
	var all []*parley.Data
	for _, x := range append(others, p) {
		d, err := x.Data(wait(p.t), label, parley.DataOptions{})
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, d)
	}
	mine := all[len(others)]
	watch(p.t, p.Room, func(parley.Stats) string {
		if err := mine.SendText(text); err != nil {
			return err.Error()
		}
		return ""
	})
	for i := range others {
		if m, err := all[i].Receive(wait(p.t)); err != nil || string(m.Data) != text || !m.Text {
			p.t.Errorf("%q (%v), %v", m.Data, m.Text, err)
		}
	}
}

// TestEncryptedCallOfTwo: two programs in an encrypted room hear and see each other, write, and send data, and whoever has
// no key is refused.
func TestEncryptedCallOfTwo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withoutHub)
	ann, link := encrypted(t, h, "tea", "Ann")
	if _, err := ann.Chat(wait(t), "before"); err != nil {
		t.Fatal(err)
	}
	bob := join(t, link, "Bob")
	ann.hears(direct)
	bob.hears(direct)
	ann.knows(1, parley.EncryptionKnown)
	bob.knows(1, parley.EncryptionKnown)
	ann.says("hello, <Bob>", bob)
	bob.says("hello, Ann", ann)
	ann.sends("pings", "ping", bob)
	bob.sends("pongs", "pong", ann)
	list, _, err := bob.History(wait(t), 0, 0)
	if err != nil || len(list) != 3 || list[0].Text != "before" || list[0].Name != "Ann" {
		t.Errorf("what was said: %+v, %v", list, err)
	}
	_, err = parley.Join(wait(t), h.link("tea"), options("Cyd"))
	refused(t, err, parley.CodeEncrypted)
	o := options("Dan")
	o.Encrypt = true
	_, err = parley.Join(wait(t), h.link("tea"), o)
	refused(t, err, parley.CodeEncrypted)
}

// TestKeyForARoomThatIsNotEncrypted is refused, with words that say what to do.
func TestKeyForARoomThatIsNotEncrypted(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withoutHub)
	join(t, h.link("tea"), "Ann")
	_, err := parley.Join(wait(t), h.link("tea")+"#key=AAECAwQFBgcICQoLDA0ODw", options("Bob"))
	refused(t, err, parley.CodeEncrypted)
	_, err = parley.Join(wait(t), h.link("tea")+"#key=AAECAwQFBgcICQoLDA0OD", options("Bob"))
	refused(t, err, parley.CodeEncrypted)
}

// tapped is a dialer that keeps what comes on its connections, as the server sent it.
type tapped struct {
	mu   sync.Mutex
	came bytes.Buffer
}

func (x *tapped) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &tap{conn, x}, nil
}

// has reports whether a text came.
func (x *tapped) has(text string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return bytes.Contains(x.came.Bytes(), []byte(text))
}

type tap struct {
	net.Conn
	to *tapped
}

// Read implements net.Conn.
func (x *tap) Read(b []byte) (int, error) {
	n, err := x.Conn.Read(b)
	x.to.mu.Lock()
	defer x.to.mu.Unlock()
	x.to.came.Write(b[:n])
	return n, err
}

// TestStrangerWithAnotherKey sits in the room and tries: of media, data and chat nothing is legible to her, of what was said
// before as of what is said now, and nothing of hers is to the others.
func TestStrangerWithAnotherKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann, link := encrypted(t, h, "tea", "Ann")
	bob := join(t, link, "Bob")
	ann.says("before she came", bob)
	line, o := &tapped{}, options("Eve")
	o.Dial = line.dial
	eve := dial(t, h.link("tea")+"#key=AAECAwQFBgcICQoLDA0ODw", o).enter()
	var read []string // what is legible to her; her reader ends with her room
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for e := range eve.events {
			switch e := e.(type) {
			case parley.Chat:
				if !e.Mine {
					read = append(read, e.Text)
				}
			case parley.Recalled:
				for _, c := range e.Messages {
					read = append(read, c.Text)
				}
			case parley.TrackAdded:
				read = append(read, "a track of "+e.Track.Name())
			}
		}
	}()
	data, err := eve.Data(wait(t), "secret", parley.DataOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		defer close(got)
		if m, err := data.Receive(context.Background()); err == nil { // until her room ends
			got <- string(m.Data)
		}
	}()
	for _, p := range []*peer{ann, bob} {
		p.knows(1, parley.EncryptionKnown)
		p.knows(1, parley.EncryptionStranger)
		p.hearsAll(1, true, byHub)
	}
	eve.knows(2, parley.EncryptionStranger)
	for i := range 10 {
		ann.says(fmt.Sprintf("is she there? %d", i), bob)
		ann.sends("secret", fmt.Sprintf("psst %d", i), bob)
		if _, err := eve.Chat(wait(t), fmt.Sprintf("let me in %d", i)); err != nil {
			t.Fatal(err)
		}
		_ = data.SendText("let me in") // sends checks that it is not what comes
	}
	watch(t, eve.Room, func(parley.Stats) string { // as much as the server gives her
		if line.has("parley.sealed.v1:") {
			return ""
		}
		return "nothing of the chat has come to her"
	})
	if list, _, err := eve.History(wait(t), 0, 0); err != nil || len(list) != 0 {
		for _, c := range list {
			if !c.Mine {
				t.Errorf("what was said is legible to her: %+v", c)
			}
		}
	}
	eve.getsNothing()
	for _, text := range []string{"before she came", "is she there?", "psst"} {
		if line.has(text) {
			t.Errorf("the server has told her %q", text)
		}
	}
	ann.says("the end", bob)
	list, _, err := bob.History(wait(t), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if strings.Contains(c.Text, "let me in") || c.Name == "Eve" {
			t.Errorf("Bob reads %+v", c)
		}
	}
	eve.Close()
	<-reading
	if text, ok := <-got; ok || len(read) > 0 {
		t.Errorf("she has read %q of the data, and %q", text, read)
	}
}

// getsNothing checks that no packet of anybody was opened.
func (p *peer) getsNothing() {
	p.t.Helper()
	stats, err := p.Stats(wait(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, l := range stats.Links {
		for source, got := range l.Received {
			if got.Packets > 0 {
				p.t.Errorf("%s of %s comes: %+v", source, l.Person.Name, got)
			}
		}
	}
}

// TestEncryptARoomThatWasBegunWithout: a room is begun without; it cannot be encrypted while two are there, and their call goes
// on. Once one is alone, it can; the other one comes back with the key, a third one too, and whoever has no key is refused.
func TestEncryptARoomThatWasBegunWithout(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	bob.hears(direct)
	key := parley.MakeKey()
	refused(t, ann.Encrypt(wait(t), key), parley.CodeOrder)
	ann.sends("pings", "in the clear", bob)
	bob.Close()
	until(ann, func(e parley.Updated) bool { return e.Person.State == "away" })
	refused(t, ann.Encrypt(wait(t), key), parley.CodeOrder) // the seat is kept
	if err := ann.Remove(wait(t), ann.people()["Bob"]); err != nil {
		t.Fatal(err)
	}
	until[parley.Departed](ann, nil)
	if err := ann.Encrypt(wait(t), key); err != nil {
		t.Fatal(err)
	}
	info, err := ann.Info(wait(t))
	if err != nil || info.Key != key {
		t.Errorf("the room has the key %q, want %q: %v", info.Key, key, err)
	}
	_, err = parley.Join(wait(t), h.link("tea"), options("Eve"))
	refused(t, err, parley.CodeEncrypted)
	link := h.link("tea") + "#key=" + key
	bob = join(t, link, "Bob")
	for _, p := range []*peer{ann, bob} {
		p.hears(direct)
		p.knows(1, parley.EncryptionKnown)
	}
	ann.says("nobody else reads this", bob)
	ann.sends("pongs", "nor this", bob)
	cyd := join(t, link, "Cyd")
	for _, p := range []*peer{ann, bob, cyd} {
		p.on(parley.TopologyHub)
		p.hearsAll(2, true, byHub)
		p.knows(2, parley.EncryptionKnown)
	}
}

// TestEncryptARoomOnTheHub: the host is alone on the hub, by their own decision; the way there is made anew, and what is said
// on it from then on is sealed.
func TestEncryptARoomOnTheHub(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	if err := ann.SetTopology(wait(t), parley.PolicyHub); err != nil {
		t.Fatal(err)
	}
	ann.on(parley.TopologyHub)
	key := parley.MakeKey()
	if err := ann.Encrypt(wait(t), key); err != nil {
		t.Fatal(err)
	}
	bob := join(t, h.link("tea")+"#key="+key, "Bob")
	for _, p := range []*peer{ann, bob} {
		p.hears(byHub)
		p.knows(1, parley.EncryptionKnown)
	}
	ann.sends("pings", "sealed", bob)
}

// TestRoomThatIsMadeTwice: of two who make it in the same moment, each with a key of their own, one gets in.
func TestRoomThatIsMadeTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	results := make(chan error, 2)
	for _, name := range []string{"Ann", "Bob"} {
		o := options(name)
		o.Encrypt = true
		room := dial(t, h.link("tea"), o).Room
		go func() { results <- room.Join(wait(t)) }()
	}
	one, other := <-results, <-results
	var refused *parley.Refused
	if err := errors.Join(one, other); (one == nil) == (other == nil) || !errors.As(err, &refused) || refused.Code != parley.CodeEncrypted {
		t.Errorf("%v, and %v", one, other)
	}
}

// TestStrangerOnADirectLink: their link is up and pictures leave on it, and neither hears, sees or reads anything.
func TestStrangerOnADirectLink(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withoutHub)
	ann, _ := encrypted(t, h, "tea", "Ann")
	eve := join(t, h.link("tea")+"#key=AAECAwQFBgcICQoLDA0ODw", "Eve")
	for _, p := range []*peer{ann, eve} {
		p.knows(1, parley.EncryptionStranger)
	}
	for _, p := range []*peer{ann, eve} {
		watch(t, p.Room, func(stats parley.Stats) string {
			for _, l := range stats.Links {
				if l.Sent[parley.Camera].Frames > 30 {
					return ""
				}
			}
			return fmt.Sprintf("nothing leaves: %+v", stats)
		})
	}
	d, err := ann.Data(wait(t), "x", parley.DataOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SendText("secret"); !errors.Is(err, parley.ErrDataFull) {
		t.Errorf("data for a stranger: %v", err)
	}
	ann.getsNothing()
	eve.getsNothing()
}

// TestEncryptedRoomOnTheHub: with a third person the room moves to the hub, and back when they leave; pictures, sound, chat
// and data are opened on both ways, and nobody is lost in the changes of keys.
func TestEncryptedRoomOnTheHub(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann, link := encrypted(t, h, "tea", "Ann")
	bob := join(t, link, "Bob")
	ann.hears(direct)
	bob.hears(direct)
	cyd := join(t, link, "Cyd")
	all := []*peer{ann, bob, cyd}
	for _, p := range all {
		p.on(parley.TopologyHub)
		p.hearsAll(2, true, byHub)
		p.knows(2, parley.EncryptionKnown)
	}
	cyd.says("all of us", ann, bob)
	ann.sends("pings", "to all", bob, cyd)
	if err := cyd.Leave(wait(t)); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*peer{ann, bob} {
		p.on(parley.TopologyDirect)
		p.hears(direct)
	}
	bob.sends("pongs", "to ann", ann)
}

// TestFilesInAnEncryptedRoom arrive as they were sent, between two and through the hub.
func TestFilesInAnEncryptedRoom(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann, link := encrypted(t, h, "tea", "Ann")
	bob := join(t, link, "Bob")
	ann.hears(direct)
	give := func(name string) {
		t.Helper()
		to, big := t.TempDir(), content(3<<20+77, 3)
		out := send(t, ann, "Bob", files(t, write(t, t.TempDir(), name, big)), parley.SendOptions{})
		offer := until[parley.FilesOffered](bob, nil).Offer
		if err := offer.Accept(to); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(out.Wait(wait(t)), offer.Wait(wait(t))); err != nil {
			t.Fatal(err)
		}
		same(t, filepath.Join(to, name), big)
	}
	give("direct.bin")
	cyd := join(t, link, "Cyd")
	for _, p := range []*peer{ann, bob, cyd} {
		p.on(parley.TopologyHub)
		p.knows(2, parley.EncryptionKnown)
	}
	give("hub.bin")
}

// TestCallMakesAnEncryptedRoom: parley call --encrypt prints the link that leads in.
func TestCallMakesAnEncryptedRoom(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withoutHub)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := newLines()
	done := make(chan error, 1)
	go func() {
		c := cli.Call{URL: h.link("tea"), Name: "Bot", Encrypt: true}
		done <- c.Run(ctx, nil, out)
	}()
	_, link, _ := strings.Cut(out.until(t, has("gets in: ", "#key=")), "gets in: ")
	ann := join(t, link, "Ann")
	ann.hears(direct)
	out.until(t, has("Ann", "key checked"))
	out.until(t, has("Ann: microphone", "440 Hz tone", "camera", "320x180 at 15 frames/s", "direct"))
	interrupt()
	if err := <-done; err != nil {
		t.Errorf("leaving when asked to: %v", err)
	}
}

// TestSendEncrypts is parley send --encrypt, and parley receive with the link that it prints.
func TestSendEncrypts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withoutHub)
	dir, big := t.TempDir(), content(2<<20+5, 9)
	env := []string{"XDG_STATE_HOME=" + filepath.Join(dir, "state")}
	sender := command(t, env, "send", "--json", "--encrypt", "--server", h.url, write(t, dir, "big.bin", big))
	link := sender.until("a link", func(r report) bool { return r.Event == "waiting" }).Link
	if _, key, ok := strings.Cut(link, "#key="); !ok || len(key) != 22 {
		t.Fatalf("the link %s has no key", link)
	}
	bare, _, _ := strings.Cut(link, "#")
	_, err := parley.Join(wait(t), bare, options("Eve"))
	refused(t, err, parley.CodeEncrypted)
	to := t.TempDir()
	receiver := command(t, env, "receive", "--json", "--yes", "--to", to, link)
	for _, p := range []*program{receiver, sender} {
		if end := p.until("the end", func(r report) bool { return r.Event == "ended" }); end.State != "done" {
			t.Errorf("%+v", end)
		}
		if p.end(); !p.cmd.ProcessState.Success() {
			t.Errorf("%s ended with %v", p.cmd.Args[1], p.cmd.ProcessState)
		}
	}
	same(t, filepath.Join(to, "big.bin"), big)
}
