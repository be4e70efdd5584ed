package room

import (
	"strings"
	"testing"
)

func TestConference(t *testing.T) {
	for name, script := range map[string]string{
		"hands in order": two + `
			bob hand up
			< ann seat Bob2#2 bob speaker present @bob hand1
			< bob seat Bob2#2 bob speaker present @bob hand1
			bob hand up
			ann hand up
			< ann seat Ann1#1 ann host present @ann hand2
			< bob seat Ann1#1 ann host present @ann hand2
			bob hand down Ann1
			< bob error forbidden re=5
			ann hand down Bob2
			< ann seat Bob2#2 bob speaker present @bob
			< bob seat Bob2#2 bob speaker present @bob
			ann hand up Bob2
			< ann error forbidden re=5
			bob hand up
			< ann seat Bob2#2 bob speaker present @bob hand3
			< bob seat Bob2#2 bob speaker present @bob hand3
			ann hand down Nobody
			< ann error no-peer re=6`,
		"reactions, and too many": two + `
			bob reacts like
			< ann reaction like Bob2
			< bob reaction like Bob2
			` + strings.Repeat("bob reacts love\n~\n", 4) + `
			bob reacts like
			< bob error busy re=8
			+1s
			bob reacts like
			< ann reaction like Bob2
			< bob reaction like Bob2
			cyd comes
			~
			cyd reacts like
			< cyd error order re=2`,
		"mute all but hosts": two + `
			ann media on
			~
			bob media on
			~
			bob mutes-all microphone
			< bob error forbidden re=4
			ann mutes-all microphone
			< bob muted by Ann1 microphone
			< ann seat Bob2#2 bob speaker present @bob`,
		"handing over": two + `
			ann makes Ann1 speaker
			< ann error order re=3
			ann makes Bob2 host
			< ann seat Bob2#2 bob host present @bob
			< bob seat Bob2#2 bob host present @bob
			< bob room join host exists
			ann makes Ann1 speaker
			< ann seat Ann1#1 ann speaker present @ann
			< bob seat Ann1#1 ann speaker present @ann
			< ann room join speaker exists
			ann locks on
			< ann error forbidden re=6`,
		"a listener is invited": two + `
			bob media on
			~
			ann makes Bob2 listener
			< ann seat Bob2#2 bob listener present @bob
			< bob seat Bob2#2 bob listener present @bob
			< bob room join listener exists
			bob media on
			< bob error forbidden re=4
			bob speaks on
			< bob error forbidden re=5
			ann makes Bob2 speaker
			< ann error order re=4
			bob hand up
			~
			ann invites Bob2
			< ann seat Bob2#2 bob listener present @bob hand1 invited
			< bob seat Bob2#2 bob listener present @bob hand1 invited
			bob speaks off
			< ann seat Bob2#2 bob listener present @bob hand1
			< bob seat Bob2#2 bob listener present @bob hand1
			ann invites Bob2
			~
			bob speaks on
			< ann seat Bob2#2 bob speaker present @bob
			< bob seat Bob2#2 bob speaker present @bob
			< bob room join speaker exists
			bob media on
			< ann seat Bob2#2 bob speaker present @bob mic
			bob speaks off
			< ann seat Bob2#2 bob listener present @bob
			< bob seat Bob2#2 bob listener present @bob
			< bob room join listener exists
			ann speaks off
			< ann error order re=7
			ann invites Ann1
			< ann error order re=8`,
		"joining as a listener": `
			ann comes open
			~
			ann joins listening
			~
			bob comes
			~
			bob joins listening mic
			< bob joined re=2 token(Bob2,0) join listener exists [Ann1#1 ann host present @ann] [Bob2#2 bob listener present @bob]
			< ann seat Bob2#2 bob listener present @bob
			bob lost
			~
			bob2 comes
			~
			bob2 joins mic seat=Bob2,0
			< bob bye replaced
			< bob2 joined re=2 token(Bob2,0) join listener exists [Ann1#1 ann host present @ann] [Bob2#2 bob2 listener present @bob2]
			< ann seat Bob2#2 bob2 listener present @bob2`,
		"the waiting room has reasons": `
			ann comes open
			~
			ann joins
			~
			ann waiting-room on in-a-meeting
			~
			bob comes
			~
			bob joins note=it-is-bob
			< bob waiting re=2 token(Bob2,0) in-a-meeting
			< ann seat Bob2#2 bob speaker waiting @bob note=it-is-bob
			ann waiting-room on five-minutes
			< bob waiting re=2 token(Bob2,0) five-minutes
			ann admits Bob2
			< bob joined re=2 token(Bob2,0) join speaker exists waiting-room [Ann1#1 ann host present @ann] [Bob2#2 bob speaker present @bob]
			< ann seat Bob2#2 bob speaker present @bob`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{}, script) })
	}
	play(t, Config{Hub: true}, two+`
		bob offers-hub
		< bob offer to the hub of Bob2, 1 tracks
		bob answers-hub
		< bob error order re=4
		ann makes Bob2 listener
		~
		bob offers-hub
		< bob offer to the hub of Bob2, 0 tracks
		cyd comes
		~
		cyd offers-hub
		< cyd error no-peer re=2`)
}
