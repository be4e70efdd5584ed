package parley

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/keyring"
	"github.com/parley-rtc/parley/sdk/media"
)

const teaKey = "AAECAwQFBgcICQoLDA0ODw"

// sealedPair seats two in an encrypted room of a desk that may lie, with peers that do not look at certificates
// themselves.
func sealedPair(t *testing.T, d *desk) (ann, bob *Room) {
	d.key = teaKey
	kits := []*kit{d.kit(1), d.kit(2)}
	d.start()
	list := make([]*Room, len(kits))
	for i, k := range kits {
		if d.forge != nil {
			k.tune = func(se *webrtc.SettingEngine) { se.DisableCertificateFingerprintVerification(true) }
		}
		list[i] = d.dial([]string{"Ann", "Bob"}[i], k)
	}
	for _, r := range list {
		if err := errors.Join(r.Publish(t.Context(), Microphone, media.Tone()), r.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	return list[0], list[1]
}

// TestKeysPastTheServer: the server passes no keys on any more when a third one comes. The two who are linked tell each
// other their new keys past it, and nothing is missing of what they hear and send.
func TestKeysPastTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		third := d.kit(3)
		ann, bob := sealedPair(t, d)
		until(t, ann, func(e Updated) bool { return e.Person.Encryption == EncryptionKnown })
		track := until(t, bob, always[TrackAdded]).Track
		to, err := bob.Data(t.Context(), "x", DataOptions{})
		if err != nil {
			t.Fatal(err)
		}
		from, err := ann.Data(t.Context(), "x", DataOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for from.SendText("hello") != nil {
			pass(10 * time.Millisecond)
		}
		if m, err := to.Receive(t.Context()); err != nil || string(m.Data) != "hello" {
			t.Errorf("%q, %v", m.Data, err)
		}
		d.mu.Lock()
		d.mum = true
		d.mu.Unlock()
		cyd := d.dial("Cyd", third)
		if err := cyd.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		for !inside(t, ann, func(s *state) bool { return s.secrecy.ring.Reads("session-3") }) { // the new key is in use
			pass(100 * time.Millisecond)
		}
		before := track.Stats()
		pass(5 * time.Second)
		if now := track.Stats(); now.Packets < before.Packets+200 || now.Lost != before.Lost {
			t.Errorf("%+v, and then %+v", before, now)
		}
	})
}

// channelsOf is how many data channels a side has opened on its links, and how many came in, as the transports count them.
func channelsOf(t *testing.T, r *Room) (opened, came uint32, up bool) {
	t.Helper()
	inside(t, r, func(s *state) any {
		for _, main := range s.links {
			for _, l := range main.each() {
				up = up || l.up
				list := l.pc.GetStats()
				if x, ok := list.GetConnectionStats(l.pc); ok {
					opened += x.DataChannelsRequested - 2 // those that every link has
					came += x.DataChannelsAccepted
				}
			}
		}
		return nil
	})
	return opened, came, up
}

// TestSomebodyBetween: the server shows each of the two another one's certificate, and keeps the words by which they would
// know for a while. Nothing of what Ann sends leaves: not before there is a link, not while it is up and nobody knows, and
// not after it was closed.
func TestSomebodyBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		print := regexp.MustCompile(`(a=fingerprint:\S+) \S+`)
		d.forge = func(sdp string) string { return print.ReplaceAllString(sdp, "$1 AA:BB:CC") }
		const dwell = 5 * time.Second
		d.keep(dwell)
		ann, bob := sealedPair(t, d)
		from, err := ann.Data(t.Context(), "x", DataOptions{})
		if err != nil {
			t.Fatal(err)
		}
		to, err := bob.Data(t.Context(), "x", DataOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan DataMessage, 1)
		go func() {
			if m, err := to.Receive(t.Context()); err == nil {
				got <- m
			}
		}()
		between := make(chan struct{})
		go func() {
			defer close(between)
			for _, r := range []*Room{ann, bob} {
				until(t, r, func(e Trouble) bool { return strings.Contains(e.Err.Error(), "somebody is between") })
			}
		}()
		unknown, after := 0, 0
		for began := time.Now(); time.Since(began) < 2*dwell; pass(20 * time.Millisecond) {
			for _, send := range []func() error{
				func() error { return from.Send([]byte("secret")) },
				func() error { return from.SendText("secret", "seat-session-2") },
			} {
				if err := send(); !errors.Is(err, ErrDataFull) {
					t.Fatalf("after %v data are sent: %v", time.Since(began), err)
				}
			}
			for _, r := range []*Room{ann, bob} {
				opened, came, up := channelsOf(t, r)
				if opened != 0 || came != 0 {
					t.Fatalf("after %v: %d channels are opened and %d came", time.Since(began), opened, came)
				}
				select {
				case <-between:
					after++
				default:
					if up {
						unknown++
					}
				}
			}
		}
		if unknown < 50 || after < 50 {
			t.Errorf("looked %d times at a link of which nobody knew, and %d times after it was closed", unknown, after)
		}
		select {
		case m := <-got:
			t.Errorf("Bob got %q", m.Data)
		default:
		}
	})
}

// TestTrustNeedsTheHandshake: that both sides agree on two ends is not enough, when the handshake was with another one. A link that
// carried data already is closed.
func TestTrustNeedsTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ann, _ := sealedPair(t, d)
		trusted := func(s *state) *link {
			if l := s.links["session-2"]; l != nil && l.trusted.Load() {
				return l
			}
			return nil
		}
		for inside(t, ann, trusted) == nil {
			pass(10 * time.Millisecond)
		}
		if gone := inside(t, ann, func(s *state) bool {
			l, x := trusted(s), s.secrecy
			x.ends.Forget(l.peer, l.id)
			own, peer := x.ends.Described(l.peer, l.id, "a=fingerprint:sha-256 AA", "a=fingerprint:sha-256 BB")
			x.ends.Told(l.peer, l.id, peer, own)
			if v := x.ends.Verdict(l.peer, l.id); v != keyring.Trusted {
				t.Errorf("the two do not agree: %v", v)
			}
			s.retrust()
			return l.gone
		}); !gone {
			t.Error("the link goes on")
		}
	})
}

// TestServerThatSaysNotEncrypted seats us in a room that it says is not encrypted: we leave it.
func TestServerThatSaysNotEncrypted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.key, d.plain = teaKey, true
		k := d.kit(1)
		d.start()
		ann := d.dial("Ann", k)
		var no *Refused
		if err := ann.Join(t.Context()); !errors.As(err, &no) || no.Code != CodeEncrypted || !strings.Contains(no.Words, "new link") {
			t.Errorf("%v", err)
		}
	})
}

// TestChatThatIsNotOurs: what the server makes up, or says in somebody else's name, is not read.
func TestChatThatIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ann, bob := sealedPair(t, d)
		sealed := inside(t, ann, func(s *state) string {
			text, err := s.sealChat("m1", "hello")
			if err != nil {
				t.Error(err)
			}
			return text
		})
		for _, tt := range []struct {
			name, from, id, text string
			want                 bool
		}{
			{"as it was said", "seat-session-1", "m1", sealed, true},
			{"in the clear", "seat-session-1", "m1", "hello", false},
			{"under another number", "seat-session-1", "m2", sealed, false},
			{"in another one's name", "seat-session-2", "m1", sealed, false},
		} {
			text, name := tt.text, "Mallory"
			ok := inside(t, bob, func(s *state) bool { return s.openChat(tt.from, tt.id, &text, &name) })
			if ok != tt.want || ok && (text != "hello" || name != "Ann") {
				t.Errorf("%s: %v, %q by %q", tt.name, ok, text, name)
			}
		}
	})
}

// TestQuote: a context is letter for letter what a browser writes.
func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"plain": `"plain"`, `a"b\c`: `"a\"b\\c"`, "\b\f\n\r\t\x01\x1f": `"\b\f\n\r\t\u0001\u001f"`, "<&>\u2028é": "\"<&>\u2028é\"",
	} {
		if got := quote(text); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
}
