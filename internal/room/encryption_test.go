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

// TestEncryptedThroughTheHub holds that an encrypted room grows to the hub as any other does, and keys go to everybody.
func TestEncryptedThroughTheHub(t *testing.T) {
	play(t, Config{Hub: true, Seats: 10}, `
		ann comes open
		~
		ann joins key=A mic
		~
		ann reaches on
		~
		bob comes open
		~
		bob joins key=B mic
		~
		bob reaches on
		~
		cyd comes open
		~
		cyd reaches on
		~
		cyd joins key=C mic
		~
		cyd keys ann:x bob:y
		< ann keys cyd x
		< bob keys cyd y
		ann moved 1
		~
		bob moved 1
		~
		cyd moved 1
		< ann room join host exists encrypted hub@2
		< bob room join speaker exists encrypted hub@2
		< cyd room join speaker exists encrypted hub@2`)
	// A host may begin it on the hub too, alone.
	play(t, Config{Hub: true, Topology: signal.PolicyHub, Seats: 10}, `
		ann comes open
		~
		ann joins
		~
		ann encrypts A
		< ann room join host exists encrypted hub@1/hub`)
}

// TestEncryptionTakesNoDoors holds that what has no key of the room is refused with a word.
func TestEncryptionTakesNoDoors(t *testing.T) {
	play(t, Config{Hub: true, Seats: 10, Players: 5}, `
		ann comes open
		~
		ann joins key=A
		~
		ann reaches on
		~
		cam comes whip
		~
		cam joins
		< cam error encrypted re=2
		eve comes whip pass
		~
		eve joins
		< eve error encrypted re=2
		tv watches open
		< tv refused encrypted
		tv watches pass
		< tv refused encrypted`)
	// What is there already keeps encryption from beginning.
	play(t, Config{Hub: true, Seats: 10, Players: 5}, alone+`
		tv watches open
		~
		ann encrypts A
		< ann error order re=4`)
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
