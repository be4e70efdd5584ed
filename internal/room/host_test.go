package room

import (
	"fmt"
	"testing"
	"time"
)

func TestWaitingRoom(t *testing.T) {
	const waiting = `
		ann comes open
		~
		ann joins
		~
		ann waiting-room on
		< ann room join host exists waiting-room
		bob comes
		< bob sees knock speaker exists waiting-room
		bob joins
		< bob waiting re=2 token(Bob2,0)
		< ann seat Bob2#2 bob speaker waiting @bob
	`
	for name, script := range map[string]string{
		"admitted": waiting + `
			ann admits Bob2
			< bob joined re=2 token(Bob2,0) join speaker exists waiting-room [Ann1#1 ann host present @ann] [Bob2#2 bob speaker present @bob]
			< ann seat Bob2#2 bob speaker present @bob
			ann admits Bob2
			< ann error no-peer re=5`,
		"refused": waiting + `
			ann removes Bob2
			< ann left Bob2 removed
			< bob left Bob2 removed
			< bob bye removed`,
		"turned off": waiting + `
			ann waiting-room off
			< bob joined re=2 token(Bob2,0) join speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob speaker present @bob]
			< ann seat Bob2#2 bob speaker present @bob
			< ann room join host exists`,
		"turned off, too many": waiting + `
			cyd comes
			~
			cyd joins
			< cyd waiting re=2 token(Cyd3,0)
			< ann seat Cyd3#3 cyd speaker waiting @cyd
			ann waiting-room off
			< bob joined re=2 token(Bob2,0) join speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob speaker present @bob]
			< ann seat Bob2#2 bob speaker present @bob
			< cyd error full re=2
			< ann left Cyd3 left
			< cyd left Cyd3 left
			< ann room join host exists
			< cyd room no speaker exists
			< cyd seat Ann1#1 ann host present @ann
			< cyd seat Bob2#2 bob speaker present @bob`,
		"full": waiting + `
			cyd comes host
			~
			cyd joins
			~
			ann admits Bob2
			< ann error full re=4`,
		"a host who comes later sees who waits": waiting + `
			cyd comes host
			< cyd sees join host exists waiting-room [Ann1#1 ann host present @ann]
			cyd joins
			< cyd joined re=2 token(Cyd3,0) join host exists waiting-room secret [Ann1#1 ann host present @ann] [Bob2#2 bob speaker waiting @bob] [Cyd3#3 cyd host present @cyd]
			< ann seat Cyd3#3 cyd host present @cyd`,
		"a reload keeps the place in the queue": waiting + `
			bob lost
			+1m
			bob2 comes
			~
			bob2 joins seat=Bob2,0
			< bob bye replaced
			< bob2 waiting re=2 token(Bob2,0)
			< ann seat Bob2#2 bob2 speaker waiting @bob2
			ann admits Bob2
			< bob2 joined re=2 token(Bob2,0) join speaker exists waiting-room [Ann1#1 ann host present @ann] [Bob2#2 bob2 speaker present @bob2]
			< ann seat Bob2#2 bob2 speaker present @bob2`,
		"admitted while away": waiting + `
			bob gone
			ann admits Bob2
			< ann seat Bob2#2 bob speaker away
			bob2 comes
			~
			bob2 joins seat=Bob2,0
			< bob2 joined re=2 token(Bob2,0) join speaker exists waiting-room [Ann1#1 ann host present @ann] [Bob2#2 bob2 speaker present @bob2]
			< ann seat Bob2#2 bob2 speaker present @bob2`,
		"whoever waits hears nothing and reaches nobody": waiting + `
			bob says x hello
			< bob error order re=3
			bob offers ann
			< bob error no-peer re=4
			ann says y hi
			< ann chat y ann(Ann1): hi
			ann offers bob
			< ann error no-peer re=5`,
		"giving up": waiting + `
			bob leaves
			< ann left Bob2 left
			< bob left Bob2 left`,
		"everybody left": waiting + `
			ann leaves
			< ann left Ann1 left
			< bob error no-room re=2
			< ann room create host
			< bob room no speaker
			< bob relay false`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
}

func TestWaitingIsBounded(t *testing.T) {
	script := "ann comes open\n~\nann joins\n~\nann waiting-room on\n~\n"
	for i := range maxWaiting {
		script += fmt.Sprintf("g%d comes\n~\ng%d joins\n~\n", i, i)
	}
	play(t, Config{}, script+"zoe comes\n~\nzoe joins\n< zoe error busy re=2")
}

func TestLobbyIsBounded(t *testing.T) {
	play(t, Config{Sessions: 2}, `
		ann comes open
		~
		bob comes open
		~
		cyd comes open
		< cyd refused busy
		dan comes host
		< dan sees create host
		bob lost
		eve comes open
		< eve sees create host
		< bob bye expired
		flo comes open
		< flo refused busy`)
}

func TestLock(t *testing.T) {
	for name, script := range map[string]string{
		"a locked room lets nobody in and tells nothing": two + `
			cyd comes open
			~
			ann locks on
			< ann room join host exists locked
			< bob room join speaker exists locked
			< cyd room no speaker exists locked
			< cyd relay false
			cyd joins
			< cyd error locked re=2
			bob media on
			< ann seat Bob2#2 bob speaker present @bob mic
			bob leaves
			< ann left Bob2 left
			< bob left Bob2 left
			< bob room no speaker exists locked
			< bob relay false
			dan comes open
			< dan sees no speaker exists locked no-relay
			ann locks off
			< ann room join host exists
			< bob room join speaker exists early
			< bob seat Ann1#1 ann host present @ann
			< bob relay true
			< cyd room join speaker exists early
			< cyd seat Ann1#1 ann host present @ann
			< cyd relay true
			< dan room join speaker exists early
			< dan seat Ann1#1 ann host present @ann
			< dan relay true`,
		"hosts enter": two + `
			bob bye
			~
			ann locks on
			~
			cyd comes host
			< cyd sees join host exists locked [Ann1#1 ann host present @ann]
			cyd joins
			< cyd joined re=2 token(Cyd3,0) join host exists locked secret [Ann1#1 ann host present @ann] [Cyd3#3 cyd host present @cyd]
			< ann seat Cyd3#3 cyd host present @cyd`,
		"guests may not": two + `
			bob locks on
			< bob error forbidden re=3
			bob waiting-room on
			< bob error forbidden re=4
			bob admits Ann1
			< bob error forbidden re=5
			bob removes Ann1
			< bob error forbidden re=6`,
		"the policy waits for its host": two + `
			bob bye
			~
			ann locks on
			~
			ann bye
			+700h
			cyd comes host
			< cyd sees create host
			cyd joins
			< cyd joined re=2 token(Cyd3,0) join host exists locked secret [Cyd3#3 cyd host present @cyd]`,
		"who makes an open room anew starts afresh": two + `
			bob bye
			~
			ann locks on
			~
			ann bye
			cyd comes open
			< cyd sees create host
			cyd joins
			< cyd joined re=2 token(Cyd3,0) join host exists secret [Cyd3#3 cyd host present @cyd]`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
}

func TestRemove(t *testing.T) {
	const removed = two + `
		ann removes Bob2
		< ann left Bob2 removed
		< bob left Bob2 removed
		< bob bye removed
	`
	for name, script := range map[string]string{
		"by address": removed + `
			bob2 comes open 192.0.2.2
			< bob2 sees no speaker exists no-relay
			bob2 joins
			< bob2 error removed re=2
			cyd comes open 192.0.2.3
			< cyd sees join speaker exists early [Ann1#1 ann host present @ann]`,
		"by the seat's token": removed + `
			bob2 comes open 192.0.2.3
			< bob2 sees join speaker exists early [Ann1#1 ann host present @ann]
			bob2 joins seat=Bob2,0
			< bob2 error removed re=2
			bob2 joins
			< bob2 error removed re=3`,
		"by the resume token": removed + `
			bob2 comes open 192.0.2.3 was=bob
			< bob2 sees no speaker exists no-relay`,
		"not the host's own household": two + `
			bob bye
			~
			cyd comes open
			~
			cyd joins
			~
			ann removes Cyd3
			~
			dan comes open
			< dan sees join speaker exists early [Ann1#1 ann host present @ann]`,
		"hosts come back": removed + `
			bob2 comes host 192.0.2.2
			< bob2 sees join host exists early [Ann1#1 ann host present @ann]`,
		"for an hour": removed + `
			bob2 comes open 192.0.2.2
			~
			+59m59s
			+1s
			< bob2 room join speaker exists early
			< bob2 seat Ann1#1 ann host present @ann
			< bob2 relay true`,
		"never oneself, never nobody": two + `
			ann removes Ann1
			< ann error order re=3
			ann removes Nobody
			< ann error no-peer re=4`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
}

func TestEarly(t *testing.T) {
	const early = `
		ann comes open
		~
		ann joins
		~
		bob comes open
		< bob sees join speaker exists early [Ann1#1 ann host present @ann]
		bob offers ann
		< ann offer early from bob
	`
	for name, script := range map[string]string{
		"then joins": early + `
			ann replies bob
			< bob answer from ann
			bob trickles ann
			< ann candidate from bob
			bob joins
			< bob joined re=4 token(Bob2,0) join speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob speaker present @bob]
			< ann seat Bob2#2 bob speaker present @bob
			bob trickles ann
			< ann candidate from bob`,
		"goes away for good": early + `
			bob bye
			< ann gone bob
			ann replies bob
			< ann error no-peer re=3`,
		"the room is locked": early + `
			ann locks on
			< ann gone bob
			< ann room join host exists locked
			< bob room no speaker exists locked
			< bob relay false
			bob trickles ann
			< bob error no-peer re=3`,
		"the waiting room is turned on": early + `
			ann waiting-room on
			< ann gone bob
			< ann room join host exists waiting-room
			< bob room knock speaker exists waiting-room`,
		"somebody else takes the seat": early + `
			cyd comes open
			~
			cyd joins
			< cyd joined re=2 token(Cyd2,0) join speaker exists [Ann1#1 ann host present @ann] [Cyd2#2 cyd speaker present @cyd]
			< ann seat Cyd2#2 cyd speaker present @cyd
			< bob seat Cyd2#2 cyd speaker present @cyd
			< ann gone bob
			< bob room no speaker exists`,
		"at most two": early + `
			cyd comes open
			~
			dan comes open
			~
			cyd offers ann
			< ann offer early from cyd
			< dan room join speaker exists
			dan offers ann
			< dan error busy re=2
			bob unlinks ann
			< ann closelink from bob
			< dan room join speaker exists early
		`,
		"one without a socket yields": early + `
			cyd comes open
			~
			cyd offers ann
			~
			dan comes open
			< dan sees join speaker exists [Ann1#1 ann host present @ann]
			bob lost
			< dan room join speaker exists early
			dan offers ann
			< ann gone bob
			< ann offer early from dan
			< bob room join speaker exists`,
		"no candidate before an offer": early + `
			cyd comes open
			~
			cyd trickles ann
			< cyd error no-peer re=2
			ann offers cyd
			< ann error no-peer re=3
			cyd offers bob
			< cyd error no-peer re=3`,
		"the seated one reloads": early + `
			ann lost
			< bob seat Ann1#1 ann host away @ann
			< ann gone bob
			< bob room join speaker exists
			ann2 comes open
			~
			ann2 joins seat=Ann1,0
			< ann bye replaced
			< ann2 joined re=2 token(Ann1,0) join host exists secret [Ann1#1 ann2 host present @ann2]
			< bob seat Ann1#1 ann2 host present @ann2
			< bob room join speaker exists early
			bob offers ann2
			< ann2 offer early from bob`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
}

func TestForget(t *testing.T) {
	r := New(Config{Name: "r"}, fakeTokens{})
	now := time.Unix(1e9, 0)
	if ok, _ := r.Forget(now); !ok {
		t.Error("a room that never was is kept")
	}
	st := &stage{t: t, room: r, now: now, n: map[string]uint64{}}
	for _, line := range []string{"ann comes host", "ann joins", "ann locks on"} {
		st.step(line)
		if ok, until := r.Forget(now); ok || !until.IsZero() {
			t.Error("a room with people is forgotten after", line)
		}
	}
	st.step("ann bye")
	if ok, until := r.Forget(now); ok || !until.Equal(now.Add(Memory)) {
		t.Error("the policy is not kept:", ok, until)
	}
	if ok, _ := r.Forget(now.Add(Memory)); !ok {
		t.Error("the policy is kept for too long")
	}
}
