package room

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

func TestEncryption(t *testing.T) {
	for name, script := range map[string]string{
		"whoever makes it decides": `
			ann comes open
			~
			ann joins key=A
			~
			bob comes
			~
			bob joins
			< bob error encrypted re=2
			bob joins key=B
			~
			ann keys bob:x cyd:y ann:z
			< bob keys ann x
			bob keys ann:1
			< ann keys bob 1`,
		"a room that is not": `
			ann comes open
			~
			ann joins
			~
			bob comes
			~
			bob joins key=B
			< bob error encrypted re=2
			ann keys bob:x
			< ann error order re=3`,
		"a host begins it alone, and only alone": `
			ann comes open
			~
			ann joins
			~
			ann encrypts A
			< ann room join host exists encrypted
			bob comes
			~
			bob joins
			< bob error encrypted re=2
			bob joins key=B
			~
			bob encrypts B
			< bob error forbidden re=4
			ann encrypts A
			< ann error order re=4`,
		"not from the lobby": `
			ann comes open
			~
			ann joins key=A
			~
			bob comes
			~
			bob keys ann:x
			< bob error order re=2`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
}

// TestEncryptedIsDirect holds that where there is a hub an encrypted room has none, and holds two.
func TestEncryptedIsDirect(t *testing.T) {
	play(t, Config{Hub: true}, `
		ann comes open
		~
		ann joins key=A
		~
		bob comes
		~
		bob joins key=B
		~
		cyd comes
		~
		cyd joins key=C
		< cyd error full re=2
		ann offers-hub
		< ann error no-peer re=3`)
	// What the room had to do for the hub's sake, and when, is over with it: time goes on.
	play(t, Config{Hub: true}, `
		ann comes open
		~
		ann joins
		~
		ann encrypts A
		< ann room join host exists encrypted
		+1m`)
}

// TestEncryptionLasts holds that neither a restart nor an empty room makes an encrypted room one that is not.
func TestEncryptionLasts(t *testing.T) {
	now := time.Unix(1e9, 0)
	join := func(r *Room, id, seat, identity string, n uint64) (last signal.Message) {
		m := &signal.Join{Name: id, Identity: identity}
		m.N = n
		r.Effects()
		r.Join(now, id, Join{Join: m, ID: seat})
		for _, e := range r.Effects() {
			if e.Session == id && e.Message != nil {
				if _, ok := e.Message.(*signal.Room); !ok {
					last = e.Message
				}
			}
		}
		return last
	}
	refused := func(m signal.Message) bool {
		e, ok := m.(*signal.Error)
		return ok && e.Code == signal.CodeEncrypted
	}
	r := New(Config{Name: "r"}, fakeTokens{})
	r.Attach(now, Visitor{ID: "ann", Host: true})
	if m := join(r, "ann", "s1", "A", 1); refused(m) {
		t.Fatalf("the maker got %v", m)
	}
	r.Events()
	again := Revive(Config{Name: "r"}, fakeTokens{}, now, r.Snapshot())
	state, _, _ := again.Return(now, Visitor{ID: "ann", Host: true}, Return{Seat: "s1"})
	if !state.Encrypted || len(state.Seats) != 1 || state.Seats[0].Identity != "A" {
		t.Fatalf("after a restart: %+v", state)
	}
	if m := join(again, "ann", "s1", "", 1); !refused(m) {
		t.Errorf("a host who comes back without a key got %+v", m)
	}
	again.Handle(now, "ann", &signal.Leave{})
	if forget, until := again.Forget(now.Add(time.Hour)); again.Exists() || forget && until.IsZero() {
		t.Errorf("the empty room: exists %v, forget %v until %v", again.Exists(), forget, until)
	}
	if m := join(again, "ann", "s2", "", 2); !refused(m) {
		t.Errorf("its host, who makes it anew without a key, got %+v", m)
	}
	if m := join(again, "ann", "s2", "A", 3); refused(m) {
		t.Errorf("its host with a key got %+v", m)
	}
}
