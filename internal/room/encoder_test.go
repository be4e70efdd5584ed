package room

import "testing"

// alone is somebody who reaches the hub, alone in a room.
const alone = `
	ann comes open
	~
	ann joins mic
	~
	ann reaches on
	~
`

// encoded is a room with one person and an encoder, on the hub.
const encoded = alone + `
	cam comes open whip 192.0.2.9
	~
	cam joins Encoder
	~
	ann moved 1
	< ann room join host exists hub@2
	< cam room join speaker exists hub@2
`

func TestEncoder(t *testing.T) {
	for name, script := range map[string]string{
		"one person and an encoder need the hub, and only the person is waited for": alone + `
			cam comes open whip 192.0.2.9
			< cam sees join speaker exists direct@0 [Ann1#1 ann host present @ann mic hub-yes]
			cam joins Encoder
			< cam joined re=2 token(Cam2,0) join speaker exists direct@0 [Ann1#1 ann host present @ann mic hub-yes] [Cam2#2 Encoder speaker present hub-yes by-whip]
			< ann seat Cam2#2 Encoder speaker present hub-yes by-whip
			< ann room join host exists direct>hub@1
			< cam room join speaker exists direct>hub@1
			cam media on
			< ann seat Cam2#2 Encoder speaker present mic hub-yes by-whip
			ann moved 1 Cam2:microphone
			< ann room join host exists hub@2
			< cam room join speaker exists hub@2`,
		"it cannot be linked with, or made a host": encoded + `
			ann offers cam
			< ann error no-peer re=5
			ann makes Cam2 host
			< ann error order re=6
			ann topology direct
			< ann error order re=7`,
		"it is silenced like a person": encoded + `
			cam media on
			~
			ann mutes Cam2 microphone
			< cam muted by Ann1 microphone
			< ann seat Cam2#2 Encoder speaker present hub-yes by-whip`,
		"it leaves no seat, and then the room goes back": encoded + `
			cam gone
			< ann left Cam2 left
			< ann room join host exists direct@3`,
		"alone it makes a room, on the hub at once, and the first person is its host": `
			cam comes open whip 192.0.2.9
			< cam sees create speaker
			cam joins Encoder
			< cam joined re=2 token(Cam1,0) join speaker exists direct@0 [Cam1#1 Encoder speaker present hub-yes by-whip]
			< cam room join speaker exists hub@2
			ann comes open
			< ann sees join host exists hub@2 [Cam1#1 Encoder speaker present hub-yes by-whip]
			ann joins
			< ann joined re=2 token(Ann2,0) join host exists secret hub@2 [Cam1#1 Encoder speaker present hub-yes by-whip] [Ann2#2 ann host present @ann]
			< cam seat Ann2#2 ann host present @ann
			+5s`,
		"without open mode it needs a pass to make one": `
			cam comes whip
			~
			cam joins
			< cam error no-room re=2
			eve comes whip pass
			~
			eve joins
			< eve joined re=2 token(Eve2,0) join speaker exists direct@0 [Eve2#1 eve speaker present hub-yes by-whip]
			< cam room join speaker exists hub@2
			< cam seat Eve2#1 eve speaker present hub-yes by-whip
			< cam relay true
			< eve room join speaker exists hub@2`,
		"the lock and the waiting room are for it too, but for its pass": encoded + `
			ann locks on
			~
			eve comes open whip 192.0.2.10
			~
			eve joins
			< eve error locked re=2
			pat comes pass whip 192.0.2.11
			~
			pat joins
			~
			ann locks off
			~
			ann waiting-room on
			~
			eve joins
			< eve waiting re=3 token(Eve5,0)
			< ann seat Eve5#4 eve speaker waiting by-whip
			ann admits Eve5
			< eve joined re=3 token(Eve5,0) join speaker exists waiting-room hub@2 [Ann1#1 ann host present @ann mic hub-yes] [Cam2#2 Encoder speaker present hub-yes by-whip] [Pat4#3 pat speaker present hub-yes by-whip] [Eve5#4 eve speaker present hub-yes by-whip]
			< ann seat Eve5#4 eve speaker present hub-yes by-whip
			< cam seat Eve5#4 eve speaker present hub-yes by-whip
			< pat seat Eve5#4 eve speaker present hub-yes by-whip`,
		"who does not reach the hub keeps it out": alone + `
			ann reaches off blocked
			~
			cam comes open whip 192.0.2.9
			< cam sees no speaker exists direct@0 no-hub [Ann1#1 ann host present @ann mic hub-no:blocked]
			cam joins
			< cam error no-hub re=2`,
		"or has it go again when that comes out": alone + `
			cam comes open whip 192.0.2.9
			~
			cam joins
			~
			ann reaches off failed
			< ann seat Ann1#1 ann host present @ann mic hub-no:failed
			< cam seat Ann1#1 ann host present @ann mic hub-no:failed
			< ann left Cam2 no-hub
			< cam left Cam2 no-hub
			< cam error no-hub re=2
			< ann room join host exists direct@2
			< cam room no speaker exists direct@2 no-hub`,
		"who comes and does not reach the hub is sent away": encoded + `
			bob comes open 192.0.2.2
			~
			bob reaches off blocked
			~
			bob joins
			< bob error no-hub re=3`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{Hub: true, Seats: 10}, script) })
	}
	play(t, Config{}, `
		cam comes open whip
		~
		cam joins
		< cam error no-hub re=2
		tv watches open
		< tv refused no-room`)
}

func TestPlayers(t *testing.T) {
	for name, script := range map[string]string{
		"it is counted and takes no seat, and the room goes over to the hub and back": alone + `
			tv watches 192.0.2.9
			< tv watches [Ann1#1 ann host present @ann mic hub-yes]
			< ann room join host exists direct>hub@1 watching=1
			ann moved 1
			< ann room join host exists hub@2 watching=1
			bob comes open 192.0.2.2
			< bob sees join speaker exists hub@2 [Ann1#1 ann host present @ann mic hub-yes]
			bob joins
			< bob joined re=2 token(Bob2,0) join speaker exists hub@2 watching=1 [Ann1#1 ann host present @ann mic hub-yes] [Bob2#2 bob speaker present @bob]
			< ann seat Bob2#2 bob speaker present @bob
			< tv seat Bob2#2 bob speaker present @bob
			bob bye
			< ann left Bob2 left
			< tv left Bob2 left
			tv gone
			< ann room join host exists direct@3`,
		"there is nothing to see in a room that nobody is in": `
			tv watches pass
			< tv refused no-room`,
		"when the last one leaves it is over": alone + `
			tv watches
			~
			ann leaves
			< ann left Ann1 left
			< tv left Ann1 left
			< tv bye expired
			< ann room create host`,
		"a lock keeps strangers out and sends them away; a waiting room keeps them out": alone + `
			tv watches
			~
			ann waiting-room on
			~
			eve watches open
			< eve refused locked
			pat watches pass
			~
			ann waiting-room off
			~
			ann locks on
			< tv bye removed
			< ann room join host exists locked direct>hub@1 watching=1
			eve watches
			< eve refused locked
			pat gone
			< ann room join host exists locked direct@2`,
		"who does not reach the hub keeps it out, also when that comes out later": alone + `
			tv watches
			~
			ann reaches off failed
			< ann seat Ann1#1 ann host present @ann mic hub-no:failed
			< tv seat Ann1#1 ann host present @ann mic hub-no:failed
			< tv bye expired
			< ann room join host exists direct@2
			tv watches
			< tv refused no-hub`,
		"in a room for direct calls there is none, and with one there is no such room": alone + `
			ann topology direct
			~
			tv watches
			< tv refused no-hub
			ann topology auto
			~
			tv watches
			~
			ann topology direct
			< ann error order re=6`,
		"there are only so many": alone + `
			tv watches
			~
			to watches
			~
			ti watches
			< ti refused full`,
		"who was removed cannot come back as one": three + `
			ann removes Cyd3
			~
			tv watches 192.0.2.3
			< tv refused removed`,
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{Hub: true, Seats: 10, Players: 2}, script) })
	}
}

// TestEncoderIsNotKept: a restart of the server ends its transport, so that its seat is not kept.
func TestEncoderIsNotKept(t *testing.T) {
	st := &stage{t: t, room: New(Config{Name: "r", Hub: true, Seats: 10}, fakeTokens{}), n: map[string]uint64{}}
	for _, line := range []string{"cam comes open whip", "cam joins"} {
		st.step(line)
	}
	if s := st.room.Snapshot(); s.Exists || len(s.Seats) != 0 {
		t.Errorf("alone: %+v", s)
	}
	st.step("ann comes open")
	st.step("ann joins")
	if s := st.room.Snapshot(); !s.Exists || len(s.Seats) != 1 || s.Seats[0].Name != "ann" {
		t.Errorf("with somebody: %+v", s)
	}
}
