package room

import "testing"

func TestEntering(t *testing.T) {
	for name, script := range map[string]string{
		"open mode: the first is the host": `
			ann comes open
			< ann sees create host
			ann joins
			< ann joined re=2 token(Ann1,0) join host exists secret [Ann1#1 ann host present @ann]
			bob comes open
			< bob sees join speaker exists early [Ann1#1 ann host present @ann]
			bob joins
			< bob joined re=2 token(Bob2,0) join speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob speaker present @bob]
			< ann seat Bob2#2 bob speaker present @bob
			cyd comes open
			< cyd sees no speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob speaker present @bob]
			cyd joins
			< cyd error full re=2`,
		"closed: only a host makes the room": `
			bob comes
			< bob sees no speaker no-relay
			bob joins
			< bob error no-room re=2
			ann comes host
			< ann sees create host
			ann joins
			< ann joined re=2 token(Ann2,0) join host exists secret [Ann2#1 ann host present @ann]
			< bob room join speaker exists early
			< bob seat Ann2#1 ann host present @ann
			< bob relay true
			ann leaves
			< bob left Ann2 left
			< ann left Ann2 left
			< bob room no speaker
			< bob relay false
			< ann room create host`,
		"too many rooms from one address": `
			ann comes open
			~
			ann joins busy
			< ann error busy re=2
			ann joins
			< ann joined re=3 token(Ann2,0) join host exists secret [Ann2#1 ann host present @ann]
			bob comes open
			~
			bob joins busy
			< bob joined re=2 token(Bob3,0) join speaker exists [Ann2#1 ann host present @ann] [Bob3#2 bob speaker present @bob]
			< ann seat Bob3#2 bob speaker present @bob`,
		"hosts who join get the secret": `
			ann comes open
			~
			ann joins
			~
			bob comes host
			< bob sees join host exists early [Ann1#1 ann host present @ann]
			bob joins
			< bob joined re=2 token(Bob2,0) join host exists secret [Ann1#1 ann host present @ann] [Bob2#2 bob host present @bob]
			< ann seat Bob2#2 bob host present @bob`,
		"joining twice": `
			ann comes open
			~
			ann joins
			~
			ann joins
			< ann error order re=3`,
		"nothing before joining": `
			ann comes open
			~
			ann says 1 hello
			< ann error order re=2
			ann media on
			< ann error order re=3
			ann locks on
			< ann error order re=4
			ann leaves
			< ann error order re=5
			ann offers ann
			< ann error no-peer re=6`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
}

// two is a room with a host, ann, and a guest, bob.
const two = `
	ann comes open
	~
	ann joins
	~
	bob comes open 192.0.2.2
	~
	bob joins
	~
`

func TestSeats(t *testing.T) {
	for name, script := range map[string]string{
		"a lost seat is away, and comes back": two + `
			bob lost
			< ann seat Bob2#2 bob speaker away @bob
			+9m59s
			bob back
			< ann seat Bob2#2 bob speaker present @bob
			+20m`,
		"a lost seat expires": two + `
			bob lost
			~
			+9m59s
			+1s
			< ann left Bob2 expired
			< bob left Bob2 expired
			< bob bye expired`,
		"a cut does not cost the seat at once": two + `
			bob lost
			~
			cyd comes open
			< cyd sees no speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob speaker away @bob]
			+19s
			cyd joins
			< cyd error full re=2
			bob back
			< ann seat Bob2#2 bob speaker present @bob
			< cyd seat Bob2#2 bob speaker present @bob
			+20m`,
		"a cut costs it after a while": two + `
			bob lost
			~
			cyd comes open
			~
			+20s
			< cyd room join speaker exists early
			cyd joins
			< ann left Bob2 expired
			< bob left Bob2 expired
			< cyd left Bob2 expired
			< bob bye expired
			< cyd joined re=2 token(Cyd3,0) join speaker exists [Ann1#1 ann host present @ann] [Cyd3#3 cyd speaker present @cyd]
			< ann seat Cyd3#3 cyd speaker present @cyd`,
		"an away seat yields when the room would be full": two + `
			bob closes
			~
			cyd comes open
			< cyd sees join speaker exists early [Ann1#1 ann host present @ann] [Bob2#2 bob speaker away @bob]
			cyd joins
			< ann left Bob2 expired
			< bob left Bob2 expired
			< cyd left Bob2 expired
			< bob bye expired
			< cyd joined re=2 token(Cyd3,0) join speaker exists [Ann1#1 ann host present @ann] [Cyd3#3 cyd speaker present @cyd]
			< ann seat Cyd3#3 cyd speaker present @cyd`,
		"whoever has been away for longest yields": two + `
			ann closes
			~
			+1s
			bob closes
			~
			cyd comes open
			~
			cyd joins
			< ann left Ann1 expired
			< bob left Ann1 expired
			< cyd left Ann1 expired
			< ann bye expired
			< cyd joined re=2 token(Cyd3,0) join speaker exists [Bob2#2 bob speaker away @bob] [Cyd3#3 cyd speaker present @cyd]
			< bob seat Cyd3#3 cyd speaker present @cyd`,
		"a reload takes the seat again": two + `
			bob lost
			~
			bob2 comes open
			~
			bob2 joins Bobby seat=Bob2,0
			< bob bye replaced
			< bob2 joined re=2 token(Bob2,0) join speaker exists [Ann1#1 ann host present @ann] [Bob2#2 Bobby speaker present @bob2]
			< ann seat Bob2#2 Bobby speaker present @bob2`,
		"a reload of the host keeps the role": two + `
			ann gone
			< bob seat Ann1#1 ann host away
			ann2 comes
			~
			ann2 joins seat=Ann1,0
			< ann2 joined re=2 token(Ann1,0) join host exists secret [Ann1#1 ann2 host present @ann2] [Bob2#2 bob speaker present @bob]
			< bob seat Ann1#1 ann2 host present @ann2`,
		"a reload into a locked room": two + `
			ann locks on
			~
			bob lost
			~
			bob2 comes open
			< bob2 sees no speaker exists locked no-relay
			bob2 joins seat=Bob2,0
			< bob bye replaced
			< bob2 joined re=2 token(Bob2,0) join speaker exists locked [Ann1#1 ann host present @ann] [Bob2#2 bob2 speaker present @bob2]
			< ann seat Bob2#2 bob2 speaker present @bob2
			< bob2 relay true`,
		"a duplicated tab becomes a new seat": `
			ann comes open
			~
			ann joins
			~
			ann2 comes open
			~
			ann2 joins seat=Ann1,0
			< ann probe
			ann2 joins
			< ann2 error order re=3
			ann answers
			< ann2 joined re=2 token(Ann22,0) join speaker exists [Ann1#1 ann host present @ann] [Ann22#2 ann2 speaker present @ann2]
			< ann seat Ann22#2 ann2 speaker present @ann2
			+1h`,
		"a dead socket gives its seat to the reload": two + `
			bob2 comes open
			~
			bob2 joins seat=Bob2,0
			< bob probe
			+1499ms
			+1ms
			< bob bye replaced
			< bob2 joined re=2 token(Bob2,0) join speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob2 speaker present @bob2]
			< ann seat Bob2#2 bob2 speaker present @bob2`,
		"the old socket closes while it is probed": two + `
			bob2 comes open
			~
			bob2 joins seat=Bob2,0
			< bob probe
			bob lost
			< ann seat Bob2#2 bob speaker away @bob
			< bob2 seat Bob2#2 bob speaker away @bob
			< bob bye replaced
			< bob2 joined re=2 token(Bob2,0) join speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob2 speaker present @bob2]
			< ann seat Bob2#2 bob2 speaker present @bob2`,
		"two claim one dead seat": two + `
			bob2 comes open
			~
			bob2 joins seat=Bob2,0
			< bob probe
			bob3 comes open
			~
			bob3 joins seat=Bob2,0
			< bob probe
			+1500ms
			< bob bye replaced
			< bob2 joined re=2 token(Bob2,0) join speaker exists [Ann1#1 ann host present @ann] [Bob2#2 bob2 speaker present @bob2]
			< ann seat Bob2#2 bob2 speaker present @bob2
			< bob3 seat Bob2#2 bob2 speaker present @bob2
			< bob2 probe
			bob2 answers
			< bob3 error full re=2`,
		"the claimer goes while it waits": two + `
			bob2 comes open
			~
			bob2 joins seat=Bob2,0
			< bob probe
			bob2 bye
			+10s`,
		"a revoked token is worth nothing": two + `
			bob revoked
			bob closes
			~
			bob2 comes open
			~
			bob2 joins seat=Bob2,0
			< ann left Bob2 expired
			< bob left Bob2 expired
			< bob2 left Bob2 expired
			< bob bye expired
			< bob2 joined re=2 token(Bob23,0) join speaker exists [Ann1#1 ann host present @ann] [Bob23#3 bob2 speaker present @bob2]
			< ann seat Bob23#3 bob2 speaker present @bob2`,
		"a token of a seat that is gone": two + `
			bob leaves
			~
			bob joins seat=Bob2,0
			< bob joined re=4 token(Bob3,0) join speaker exists [Ann1#1 ann host present @ann] [Bob3#3 bob speaker present @bob]
			< ann seat Bob3#3 bob speaker present @bob`,
		"leaving keeps the session": two + `
			bob leaves
			< ann left Bob2 left
			< bob left Bob2 left
			< bob room join speaker exists early
			bob offers ann
			< ann offer early from bob`,
		"goodbye gives the seat up": two + `
			bob bye
			< ann left Bob2 left`,
		"the room ends with the last seat's grace": two + `
			bob bye
			~
			ann lost
			~
			cyd comes
			~
			+10m
			< ann left Ann1 expired
			< cyd left Ann1 expired
			< ann bye expired
			< cyd room no speaker
			< cyd relay false`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
}

func TestMessages(t *testing.T) {
	for name, script := range map[string]string{
		"chat reaches everybody inside": two + `
			cyd comes open
			~
			bob says x1 good morning
			< ann chat x1 bob(Bob2): good morning
			< bob chat x1 bob(Bob2): good morning
			bob says x1 good morning
			< bob chat x1 bob(Bob2): good morning
			ann says x1 hello
			< ann chat x1 ann(Ann1): hello
			< bob chat x1 ann(Ann1): hello
			cyd says x1 let me in
			< cyd error order re=2`,
		"media": two + `
			bob media on
			< ann seat Bob2#2 bob speaker present @bob mic
			bob media on
			ann mutes Bob2 microphone
			< bob muted by Ann1 microphone
			< ann seat Bob2#2 bob speaker present @bob
			ann mutes Bob2 microphone
			bob mutes Ann1 microphone
			< bob error forbidden re=5
			ann mutes Nobody microphone
			< ann error no-peer re=5`,
		"links between the two inside": two + `
			bob offers ann
			< ann offer from bob
			ann replies bob
			< bob answer from ann
			bob trickles ann
			< ann candidate from bob
			bob unlinks ann
			< ann closelink from bob
			bob offers bob
			< bob error no-peer re=6
			bob offers nobody
			< bob error no-peer re=7`,
		"links to somebody who is away wait": two + `
			ann lost
			~
			bob offers ann
			< ann offer from bob`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
}
