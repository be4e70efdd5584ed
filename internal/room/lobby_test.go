package room

import (
	"fmt"
	"testing"
)

// TestLobbyShares: one address cannot keep others out of the lobby, nor fill it against itself twice.
func TestLobbyShares(t *testing.T) {
	play(t, Config{Sessions: 3}, `
		ann comes 192.0.2.1
		~
		bob comes 192.0.2.1
		~
		cyd comes 192.0.2.1
		~
		dan comes 192.0.2.1
		< dan refused busy
		eve comes 192.0.2.2
		< eve sees no speaker no-relay
		< ann bye expired
		flo comes 192.0.2.3
		< flo sees no speaker no-relay
		< bob bye expired
		gus comes 192.0.2.4
		< gus refused busy`)
}

// TestLobbySharesSparePeopleInside: whoever sits keeps their place, however many come from their address.
func TestLobbySharesSparePeopleInside(t *testing.T) {
	play(t, Config{Sessions: 2}, `
		ann comes open 192.0.2.1
		~
		ann joins
		~
		bob comes 192.0.2.1
		~
		bob joins
		~
		cyd comes 192.0.2.2
		< cyd refused busy`)
}

// TestEarlyShares: one address holds both places for early links only until somebody from elsewhere wants one.
func TestEarlyShares(t *testing.T) {
	play(t, Config{}, `
		ann comes open 192.0.2.9
		~
		ann joins
		~
		bob comes 192.0.2.1
		~
		cyd comes 192.0.2.1
		~
		bob offers ann
		< ann offer early from bob
		cyd offers ann
		< ann offer early from cyd
		~
		dan comes 192.0.2.1
		< dan sees join speaker exists [Ann1#1 ann host present @ann]
		dan offers ann
		< dan error busy re=2
		eve comes 192.0.2.2
		< eve sees join speaker exists early [Ann1#1 ann host present @ann]
		eve offers ann
		< ann gone bob
		< ann offer early from eve
		< bob room join speaker exists
		flo comes 192.0.2.3
		< flo sees join speaker exists [Ann1#1 ann host present @ann]
		flo offers ann
		< flo error busy re=2`)
}

// TestWaitingShares: nor can one address fill the waiting room.
func TestWaitingShares(t *testing.T) {
	script := "ann comes open 192.0.2.9\n~\nann joins\n~\nann waiting-room on\n~\n"
	for i := range maxWaiting {
		script += fmt.Sprintf("g%d comes 192.0.2.1\n~\ng%d joins\n~\n", i, i)
	}
	play(t, Config{}, script+`
		yul comes 192.0.2.1
		~
		yul joins
		< yul error busy re=2
		zoe comes 192.0.2.2
		~
		zoe joins
		< g15 error busy re=2
		< ann left G1517 left
		< g15 left G1517 left
		< zoe waiting re=2 token(Zoe19,0)
		< ann seat Zoe19#18 zoe speaker waiting @zoe`)
}
