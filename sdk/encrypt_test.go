package parley

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// plainOutlets is how many ways there are by which something of ours could leave that is not sealed.
func plainOutlets(t *testing.T, r *Room) int {
	t.Helper()
	return inside(t, r, func(s *state) (n int) {
		for _, show := range s.shows {
			show.mu.Lock()
			for out := range show.to {
				if out.vault == nil {
					n++
				}
			}
			show.mu.Unlock()
		}
		return n
	})
}

// TestEncryptARoomThatWasBegunWithout: somebody waits in front of the door with a link from before. From the switch on
// nothing leaves in the clear, whoever comes with the key hears and is heard, and whoever has none does not.
func TestEncryptARoomThatWasBegunWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.early = true
		ka, ke, kb := d.kit(1), d.kit(2), d.kit(3)
		d.start()
		ann := d.dial("Ann", ka)
		publishBoth(t, ann)
		if err := ann.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		eve := d.dial("Eve", ke)
		pass(time.Second)
		if n := plainOutlets(t, ann); n == 0 {
			t.Fatal("there is no link from before")
		}
		key := MakeKey()
		if err := ann.Encrypt(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if n := plainOutlets(t, ann); n != 0 {
			t.Errorf("%d outlets that do not seal are left", n)
		}
		if info, err := ann.Info(t.Context()); err != nil || info.Key != key {
			t.Errorf("the room has the key %q, want %q: %v", info.Key, key, err)
		}
		var no *Refused
		if err := ann.Encrypt(t.Context(), MakeKey()); !errors.As(err, &no) || no.Code != CodeOrder {
			t.Errorf("encrypted twice: %v", err)
		}
		d.key = key
		bob := d.dial("Bob", kb)
		publishBoth(t, bob)
		if err := bob.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		hears(t, ann)
		hears(t, bob)
		if n := plainOutlets(t, ann) + plainOutlets(t, bob); n != 0 {
			t.Errorf("%d outlets do not seal", n)
		}
		until(t, bob, func(e Updated) bool { return e.Person.Name == "Ann" && e.Person.Encryption == EncryptionKnown })
		eve.Close()
	})
}

// TestEncryptionThatIsRefused leaves the room as it was.
func TestEncryptionThatIsRefused(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		ann := d.dial("Ann", ka)
		publishBoth(t, ann)
		if err := ann.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.refuse = true
		var no *Refused
		if err := ann.Encrypt(t.Context(), MakeKey()); !errors.As(err, &no) || no.Code != CodeOrder {
			t.Errorf("%v", err)
		}
		d.refuse = false
		if info, err := ann.Info(t.Context()); err != nil || info.Key != "" {
			t.Errorf("the room has the key %q: %v", info.Key, err)
		}
		if err := ann.Encrypt(t.Context(), "not a key"); err == nil {
			t.Error("encrypted with what is no key")
		}
		bob := d.dial("Bob", kb)
		publishBoth(t, bob)
		if err := bob.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		hears(t, ann)
		hears(t, bob)
		if err := ann.Encrypt(t.Context(), MakeKey()); !errors.As(err, &no) || no.Code != CodeOrder {
			t.Errorf("with another one there: %v", err)
		}
		hears(t, bob)
	})
}

// TestEncryptionThatARestartForgot: the server acknowledged the question and died before it told of the room. The next one has
// it in the clear, and the room is as it was.
func TestEncryptionThatARestartForgot(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		ann := d.dial("Ann", ka)
		publishBoth(t, ann)
		if err := ann.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.forgets = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		answer := make(chan error, 1)
		go func() { answer <- ann.Encrypt(ctx, MakeKey()) }()
		pass(time.Second)
		inside(t, ann, func(s *state) any {
			if s.begins == nil || s.session.sequence.Unacked() != 0 {
				t.Error("the question is not acknowledged")
			}
			s.cut(errors.New("the server died"))
			return nil
		})
		if err := <-answer; !errors.Is(err, errNeverEncrypted) {
			t.Errorf("encrypted: %v", err)
		}
		if info, err := ann.Info(t.Context()); err != nil || info.Key != "" {
			t.Errorf("the room has the key %q: %v", info.Key, err)
		}
		bob := d.dial("Bob", kb)
		publishBoth(t, bob)
		if err := bob.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		hears(t, ann)
		hears(t, bob)
	})
}

// TestEncryptionInANewSession: what the new session says of its own messages is not about the old one's question.
func TestEncryptionInANewSession(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, _ *kit) {
		ann := d.dial("Ann", ka)
		if err := ann.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		inside(t, ann, func(s *state) any {
			s.begins = &beginning{n: s.session.sent, q: newRequest()}
			s.room.Exists = false
			s.session.trial, s.session.sock = s.session.sock, nil
			s.welcome(&signal.Welcome{Session: "new", Heartbeat: 1})
			if s.begins == nil || s.begins.n != 0 {
				t.Error("an answer to the question is waited for still")
			}
			s.refused(&signal.Error{Code: signal.CodeOrder})
			if s.begins == nil {
				t.Error("an error that is about nothing refused it")
			}
			// Somebody made the room before us, in the clear.
			question, me := s.begins.q, signal.Seat{ID: "me", Session: "new", State: signal.SeatPresent, Role: signal.RoleSpeaker}
			s.joined(&signal.Joined{Seat: "me", Room: signal.RoomState{Exists: true, Seats: []signal.Seat{me}}})
			if err := question.wait(t.Context()); s.begins != nil || !errors.Is(err, errNeverEncrypted) {
				t.Errorf("in somebody else's room: %v", err)
			}
			return nil
		})
	})
}
