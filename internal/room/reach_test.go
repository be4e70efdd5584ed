package room

import "testing"

func TestReach(t *testing.T) {
	for name, script := range map[string]string{
		"somebody inside does not reach the hub": pair + `
			bob reaches off blocked
			< ann seat Bob2#2 bob speaker present @bob mic hub-no:blocked
			< bob seat Bob2#2 bob speaker present @bob mic hub-no:blocked
			cyd comes open
			< cyd sees no speaker exists direct@0 no-hub [Ann1#1 ann host present @ann mic hub-yes] [Bob2#2 bob speaker present @bob mic hub-no:blocked]
			cyd joins
			< cyd error no-hub re=2
			bob reaches on
			< ann seat Bob2#2 bob speaker present @bob mic hub-yes
			< bob seat Bob2#2 bob speaker present @bob mic hub-yes
			< cyd seat Bob2#2 bob speaker present @bob mic hub-yes
			< cyd room join speaker exists direct@0`,
		"the newcomer does not reach it, and makes no third": pair + `
			cyd comes open
			~
			cyd reaches off
			< cyd room no speaker exists direct@0 no-hub
			cyd joins
			< cyd error no-hub re=3
			bob bye
			< ann left Bob2 left
			< cyd left Bob2 left
			< cyd room join speaker exists early direct@0
			cyd joins
			< cyd joined re=4 token(Cyd4,0) join speaker exists direct@0 [Ann1#1 ann host present @ann mic hub-yes] [Cyd4#3 cyd speaker present @cyd hub-no:failed]
			< ann seat Cyd4#3 cyd speaker present @cyd hub-no:failed`,
		"an old client says nothing, and two go on": `
			ann comes open
			~
			ann joins
			~
			bob comes
			~
			bob joins
			~
			ann reaches on
			~
			+12s
			< ann seat Bob2#2 bob speaker present @bob hub-no:unsupported
			< bob seat Bob2#2 bob speaker present @bob hub-no:unsupported
			cyd comes
			~
			cyd joins
			< cyd error no-hub re=2
			+1h
			ann offers bob
			< bob offer from ann`,
		"who closed the page does not count, until it comes back and makes them three": pair + `
			bob reaches off failed
			~
			bob closes
			~
			cyd comes
			~
			cyd joins
			< cyd joined re=2 token(Cyd3,0) join speaker exists direct@0 [Ann1#1 ann host present @ann mic hub-yes] [Bob2#2 bob speaker away @bob mic hub-no:failed] [Cyd3#3 cyd speaker present @cyd]
			< ann seat Cyd3#3 cyd speaker present @cyd
			< bob seat Cyd3#3 cyd speaker present @cyd
			cyd reaches on
			~
			bob back
			< ann seat Bob2#2 bob speaker present @bob mic hub-no:failed
			< cyd seat Bob2#2 bob speaker present @bob mic hub-no:failed
			< ann left Bob2 no-hub
			< bob left Bob2 no-hub
			< cyd left Bob2 no-hub
			< bob error no-hub re=2
			< bob room no speaker exists direct@0 no-hub`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{Hub: true}, script) })
	}
}

func TestTopologyPolicy(t *testing.T) {
	for name, script := range map[string]string{
		"hub for two, and back": pair + `
			bob topology hub
			< bob error forbidden re=4
			ann topology hub
			< ann room join host exists direct>hub@1/hub
			< bob room join speaker exists direct>hub@1/hub
			ann moved 1
			bob moved 1
			< ann room join host exists hub@2/hub
			< bob room join speaker exists hub@2/hub
			ann topology direct
			< ann room join host exists hub>direct@3/direct
			< bob room join speaker exists hub>direct@3/direct
			ann moved 3
			bob moved 3
			< ann room join host exists direct@4/direct
			< bob room join speaker exists direct@4/direct
			cyd comes
			~
			cyd joins
			< cyd error full re=2`,
		"direct is for two": three + `
			ann topology direct
			< ann error order re=5`,
		"hub, and somebody does not reach it": pair + `
			bob reaches off
			~
			ann topology hub
			< ann error no-hub re=4`,
		"hub fails: as before, until it works": pair + `
			ann topology hub
			~
			bob reaches off failed
			< ann seat Bob2#2 bob speaker present @bob mic hub-no:failed
			< bob seat Bob2#2 bob speaker present @bob mic hub-no:failed
			< ann room join host exists direct@2/hub
			< bob room join speaker exists direct@2/hub
			+1h
			bob reaches on
			< ann seat Bob2#2 bob speaker present @bob mic hub-yes
			< bob seat Bob2#2 bob speaker present @bob mic hub-yes
			< ann room join host exists direct>hub@3/hub
			< bob room join speaker exists direct>hub@3/hub`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{Hub: true}, script) })
	}
	play(t, Config{}, two+`
		ann topology hub
		< ann error no-hub re=3
		cyd comes
		~
		cyd joins
		< cyd error full re=2
		cyd reaches on
		< cyd error no-hub re=3
		ann offers-hub
		< ann error no-peer re=4`)
}

// TestSeatsAreBounded: listeners count, and who is away holds the seat until somebody needs it.
func TestSeatsAreBounded(t *testing.T) {
	play(t, Config{Hub: true, Seats: 3}, three+`
		dan comes
		~
		dan joins listening
		< dan error full re=2
		cyd leaves
		~
		dan joins listening
		~
		dan moved 2
		eve comes
		~
		eve joins
		< eve error full re=2
		dan closes
		~
		eve joins
		< ann left Dan5 expired
		< bob left Dan5 expired
		< cyd left Dan5 expired
		< dan left Dan5 expired
		< eve left Dan5 expired
		< dan bye expired
		< eve joined re=3 token(Eve7,0) join speaker exists hub@2 [Ann1#1 ann host present @ann mic hub-yes] [Bob2#2 bob speaker present @bob mic hub-yes] [Eve7#5 eve speaker present @eve]
		< ann seat Eve7#5 eve speaker present @eve
		< bob seat Eve7#5 eve speaker present @eve
		< cyd seat Eve7#5 eve speaker present @eve
		< cyd room no speaker exists hub@2`)
}

func TestPolicyIsKept(t *testing.T) {
	play(t, Config{Hub: true}, `
		ann comes host
		~
		ann joins
		~
		ann topology hub
		< ann room join host exists hub@1/hub
		bob comes
		< bob sees join speaker exists hub@1/hub [Ann1#1 ann host present @ann]
		ann bye
		~
		bob bye
		+700h
		cyd comes host
		~
		cyd joins
		< cyd joined re=2 token(Cyd2,0) join host exists secret hub@3/hub [Cyd2#2 cyd host present @cyd]`)
}
