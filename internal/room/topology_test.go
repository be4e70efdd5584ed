package room

import "testing"

// pair is a room with a hub and two who reach it.
const pair = `
	ann comes open
	~
	ann joins mic
	~
	ann reaches on
	< ann seat Ann1#1 ann host present @ann mic hub-yes
	bob comes open 192.0.2.2
	~
	bob joins mic
	< bob joined re=2 token(Bob2,0) join speaker exists direct@0 [Ann1#1 ann host present @ann mic hub-yes] [Bob2#2 bob speaker present @bob mic]
	< ann seat Bob2#2 bob speaker present @bob mic
	bob reaches on
	~
`

// third is the moment when somebody makes them three.
const third = pair + `
	cyd comes open 192.0.2.3
	< cyd sees join speaker exists direct@0 [Ann1#1 ann host present @ann mic hub-yes] [Bob2#2 bob speaker present @bob mic hub-yes]
	cyd joins mic
	< cyd joined re=2 token(Cyd3,0) join speaker exists direct@0 [Ann1#1 ann host present @ann mic hub-yes] [Bob2#2 bob speaker present @bob mic hub-yes] [Cyd3#3 cyd speaker present @cyd mic]
	< ann seat Cyd3#3 cyd speaker present @cyd mic
	< bob seat Cyd3#3 cyd speaker present @cyd mic
	< ann room join host exists direct>hub@1
	< bob room join speaker exists direct>hub@1
	< cyd room join speaker exists direct>hub@1
`

// three is a room on the hub.
const three = third + `
	cyd moved 1
	~
	ann moved 1
	bob moved 1
	< ann room join host exists hub@2
	< bob room join speaker exists hub@2
	< cyd room join speaker exists hub@2
`

func TestSwitch(t *testing.T) {
	for name, script := range map[string]string{
		"the third moves the room": three + "+1h",
		"a missing picture does not matter": third + `
			cyd moved 1 Ann1:camera
			~
			ann moved 1 Cyd3:camera Bob2:screen
			bob moved 1
			< ann room join host exists hub@2
			< bob room join speaker exists hub@2
			< cyd room join speaker exists hub@2`,
		"missing sound of the newcomer ends it, and the newcomer hears why": third + `
			ann moved 1
			bob moved 1 Cyd3:microphone
			< ann seat Cyd3#3 cyd speaker present @cyd mic hub-no:silent
			< bob seat Cyd3#3 cyd speaker present @cyd mic hub-no:silent
			< cyd seat Cyd3#3 cyd speaker present @cyd mic hub-no:silent
			< ann left Cyd3 no-hub
			< bob left Cyd3 no-hub
			< cyd left Cyd3 no-hub
			< cyd error no-hub re=2
			< ann room join host exists direct@2
			< bob room join speaker exists direct@2
			< cyd room no speaker exists direct@2 no-hub
			cyd joins
			< cyd error no-hub re=3
			cyd reaches on
			< cyd room join speaker exists direct@2`,
		"whoever hears nobody is the reason": third + `
			bob moved 1 Ann1:microphone Cyd3:microphone
			< ann seat Bob2#2 bob speaker present @bob mic hub-no:silent
			< bob seat Bob2#2 bob speaker present @bob mic hub-no:silent
			< cyd seat Bob2#2 bob speaker present @bob mic hub-no:silent
			< ann left Cyd3 no-hub
			< bob left Cyd3 no-hub
			< cyd left Cyd3 no-hub
			< cyd error no-hub re=2
			< ann room join host exists direct@2
			< bob room join speaker exists direct@2
			< cyd room no speaker exists direct@2 no-hub
			cyd joins
			< cyd error no-hub re=3
			bob reaches on
			< ann seat Bob2#2 bob speaker present @bob mic hub-yes
			< bob seat Bob2#2 bob speaker present @bob mic hub-yes
			< cyd seat Bob2#2 bob speaker present @bob mic hub-yes
			< cyd room join speaker exists direct@2`,
		"sound that is off is not missing": third + `
			cyd media off
			~
			ann moved 1 Cyd3:microphone
			~
			bob moved 1 Cyd3:microphone Nobody:microphone
			~
			cyd moved 1
			< ann seat Cyd3#3 cyd speaker present @cyd hub-yes
			< bob seat Cyd3#3 cyd speaker present @cyd hub-yes
			< cyd seat Cyd3#3 cyd speaker present @cyd hub-yes
			< ann room join host exists hub@2
			< bob room join speaker exists hub@2
			< cyd room join speaker exists hub@2`,
		"silence for ten seconds counts as not moved": third + `
			cyd moved 1
			~
			ann moved 1
			+9s
			+1s
			< ann seat Bob2#2 bob speaker present @bob mic hub-no:silent
			< bob seat Bob2#2 bob speaker present @bob mic hub-no:silent
			< cyd seat Bob2#2 bob speaker present @bob mic hub-no:silent
			< ann left Cyd3 no-hub
			< bob left Cyd3 no-hub
			< cyd left Cyd3 no-hub
			< cyd error no-hub re=2
			< ann room join host exists direct@2
			< bob room join speaker exists direct@2
			< cyd room no speaker exists direct@2 no-hub`,
		"a report about another epoch counts for nothing": third + `
			ann moved 0 Bob2:microphone
			bob moved 2 Ann1:microphone`,
		"the third goes before all have moved": third + `
			ann moved 1
			cyd leaves
			< ann left Cyd3 left
			< bob left Cyd3 left
			< cyd left Cyd3 left
			< ann room join host exists direct@2
			< bob room join speaker exists direct@2
			< cyd room join speaker exists direct@2
			bob moved 1`,
		"whoever lost the network is waited for": third + `
			cyd moved 1
			~
			ann moved 1
			bob lost
			~
			+15s
			bob back
			< ann seat Bob2#2 bob speaker present @bob mic hub-yes
			< cyd seat Bob2#2 bob speaker present @bob mic hub-yes
			+9s
			bob moved 1
			< ann room join host exists hub@2
			< bob room join speaker exists hub@2
			< cyd room join speaker exists hub@2`,
		"but not for ever": third + `
			cyd moved 1
			~
			ann moved 1
			bob lost
			~
			+20s
			< ann room join host exists hub@2
			< bob room join speaker exists hub@2
			< cyd room join speaker exists hub@2`,
		"a fourth comes in the middle": third + `
			cyd moved 1
			~
			ann moved 1
			+8s
			dan comes open 192.0.2.4
			~
			dan joins
			~
			bob moved 1
			+2s
			dan moved 1
			< ann seat Dan4#4 dan speaker present @dan hub-yes
			< bob seat Dan4#4 dan speaker present @dan hub-yes
			< cyd seat Dan4#4 dan speaker present @dan hub-yes
			< dan seat Dan4#4 dan speaker present @dan hub-yes
			< ann room join host exists hub@2
			< bob room join speaker exists hub@2
			< cyd room join speaker exists hub@2
			< dan room join speaker exists hub@2`,
		"a fourth who does not get there goes alone": third + `
			dan comes open 192.0.2.4
			~
			dan joins
			~
			ann moved 1
			bob moved 1
			cyd moved 1
			~
			dan reaches off blocked
			< ann seat Dan4#4 dan speaker present @dan hub-no:blocked
			< bob seat Dan4#4 dan speaker present @dan hub-no:blocked
			< cyd seat Dan4#4 dan speaker present @dan hub-no:blocked
			< dan seat Dan4#4 dan speaker present @dan hub-no:blocked
			< ann left Dan4 no-hub
			< bob left Dan4 no-hub
			< cyd left Dan4 no-hub
			< dan left Dan4 no-hub
			< dan error no-hub re=2
			< ann room join host exists hub@2
			< bob room join speaker exists hub@2
			< cyd room join speaker exists hub@2
			< dan room no speaker exists hub@2 no-hub`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{Hub: true}, script) })
	}
}

func TestBackToDirect(t *testing.T) {
	const two = three + `
		cyd bye
		~
		+9s
		+1s
		< ann room join host exists hub>direct@3
		< bob room join speaker exists hub>direct@3
	`
	for name, script := range map[string]string{
		"ten seconds with two": two + `
			ann moved 3
			bob moved 3
			< ann room join host exists direct@4
			< bob room join speaker exists direct@4
			+1h`,
		"not while a third comes and goes": three + `
			cyd leaves
			~
			+9s
			cyd joins mic
			~
			cyd reaches on
			~
			cyd leaves
			~
			+9s
			+1s
			< ann room join host exists hub>direct@3
			< bob room join speaker exists hub>direct@3
			< cyd room join speaker exists hub>direct@3`,
		"a third comes in the middle": two + `
			ann moved 3
			cyd comes
			~
			cyd joins
			< cyd joined re=6 token(Cyd4,0) join speaker exists hub>direct@3 [Ann1#1 ann host present @ann mic hub-yes] [Bob2#2 bob speaker present @bob mic hub-yes] [Cyd4#4 cyd speaker present @cyd]
			< ann seat Cyd4#4 cyd speaker present @cyd
			< bob seat Cyd4#4 cyd speaker present @cyd
			< ann room join host exists hub@4
			< bob room join speaker exists hub@4
			< cyd room join speaker exists hub@4
			bob moved 3`,
		"no direct path: the hub stays, until other people are here": two + `
			ann moved 3 Bob2:microphone
			< ann room join host exists hub@4
			< bob room join speaker exists hub@4
			+1h
			cyd comes
			~
			cyd joins
			~
			cyd reaches on
			~
			cyd leaves
			~
			+10s
			< ann room join host exists hub>direct@5
			< bob room join speaker exists hub>direct@5
			< cyd room join speaker exists hub>direct@5`,
		"not while one of them is away": three + `
			cyd bye
			~
			bob lost
			~
			+1m
			bob back
			< ann seat Bob2#2 bob speaker present @bob mic hub-yes
			< ann room join host exists hub>direct@3
			< bob room join speaker exists hub>direct@3`,
		"one alone needs no switch": three + `
			cyd bye
			~
			bob bye
			< ann left Bob2 left
			< ann room join host exists direct@3`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{Hub: true}, script) })
	}
}

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
			+8s
			< ann seat Bob2#2 bob speaker present @bob hub-no:unsupported
			< bob seat Bob2#2 bob speaker present @bob hub-no:unsupported
			cyd comes
			~
			cyd joins
			< cyd error no-hub re=2
			+1h
			ann offers bob
			< bob offer from ann`,
		"a seat that is away yields to make them two again": pair + `
			bob reaches off failed
			~
			bob closes
			~
			cyd comes
			~
			cyd joins
			< ann left Bob2 expired
			< bob left Bob2 expired
			< cyd left Bob2 expired
			< bob bye expired
			< cyd joined re=2 token(Cyd3,0) join speaker exists direct@0 [Ann1#1 ann host present @ann mic hub-yes] [Cyd3#3 cyd speaker present @cyd]
			< ann seat Cyd3#3 cyd speaker present @cyd`,
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
