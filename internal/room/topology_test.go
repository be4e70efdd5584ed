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
		"silence counts as not moved, after twenty seconds of somebody who is known to reach the hub": third + `
			cyd moved 1
			~
			ann moved 1
			+19s
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
		"after ten of somebody who is not": third + `
			ann moved 1
			bob moved 1
			+9s
			+1s
			< ann seat Cyd3#3 cyd speaker present @cyd mic hub-no:silent
			< bob seat Cyd3#3 cyd speaker present @cyd mic hub-no:silent
			< cyd seat Cyd3#3 cyd speaker present @cyd mic hub-no:silent
			< ann left Cyd3 no-hub
			< bob left Cyd3 no-hub
			< cyd left Cyd3 no-hub
			< cyd error no-hub re=2
			< ann room join host exists direct@2
			< bob room join speaker exists direct@2
			< cyd room no speaker exists direct@2 no-hub`,
		"a newcomer who reaches the hub, and is heard late or hears late, is no reason to end it": third + `
			cyd reaches on
			< ann seat Cyd3#3 cyd speaker present @cyd mic hub-yes
			< bob seat Cyd3#3 cyd speaker present @cyd mic hub-yes
			< cyd seat Cyd3#3 cyd speaker present @cyd mic hub-yes
			ann moved 1 Cyd3:microphone
			cyd moved 1 Bob2:microphone
			bob moved 1
			< ann room join host exists hub@2
			< bob room join speaker exists hub@2
			< cyd room join speaker exists hub@2`,
		"two who heard each other before have to hear each other": third + `
			cyd reaches on
			~
			cyd moved 1
			bob moved 1
			ann moved 1 Bob2:microphone
			< ann seat Ann1#1 ann host present @ann mic hub-no:silent
			< bob seat Ann1#1 ann host present @ann mic hub-no:silent
			< cyd seat Ann1#1 ann host present @ann mic hub-no:silent
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
		"one of the two goes: the newcomer has no part in the old path, so they go on to the hub and then back": third + `
			bob leaves
			< ann left Bob2 left
			< bob left Bob2 left
			< cyd left Bob2 left
			ann moved 1
			cyd moved 1
			< ann seat Cyd3#3 cyd speaker present @cyd mic hub-yes
			< bob seat Cyd3#3 cyd speaker present @cyd mic hub-yes
			< cyd seat Cyd3#3 cyd speaker present @cyd mic hub-yes
			< ann room join host exists hub@2
			< bob room join speaker exists hub@2
			< cyd room join speaker exists hub@2
			+10s
			< ann room join host exists hub>direct@3
			< bob room join speaker exists hub>direct@3
			< cyd room join speaker exists hub>direct@3`,
		"one of the two goes, and the hub does not work: two need none": third + `
			bob leaves
			~
			ann reaches off blocked
			< ann seat Ann1#1 ann host present @ann mic hub-no:blocked
			< bob seat Ann1#1 ann host present @ann mic hub-no:blocked
			< cyd seat Ann1#1 ann host present @ann mic hub-no:blocked
			< ann room join host exists direct@2
			< bob room no speaker exists direct@2 no-hub
			< cyd room join speaker exists direct@2`,
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
			+15s
			bob back
			< ann seat Bob2#2 bob speaker present @bob mic hub-yes
			< ann room join host exists hub>direct@3
			< bob room join speaker exists hub>direct@3`,
		"a closed page does not count, and comes back": three + `
			cyd closes
			~
			+10s
			< ann room join host exists hub>direct@3
			< bob room join speaker exists hub>direct@3
			< cyd room join speaker exists hub>direct@3
			ann moved 3
			bob moved 3
			~
			cyd back
			< ann seat Cyd3#3 cyd speaker present @cyd mic hub-yes
			< bob seat Cyd3#3 cyd speaker present @cyd mic hub-yes
			< ann room join host exists direct>hub@5
			< bob room join speaker exists direct>hub@5
			< cyd room join speaker exists direct>hub@5`,
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
