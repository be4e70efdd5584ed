package turn_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
	"github.com/pion/stun/v4"
)

// nobody is a turn.Grants that knows no user.
type nobody struct{}

func (nobody) Grant(time.Time, string) (turn.Grant, bool) { return turn.Grant{}, false }
func (nobody) Alive(string) bool                          { return false }

// The whole of a shell: hand a packet in, carry out what Poll returns, come back when it says.
func ExampleServer() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	server, err := turn.New(turn.Config{}, nobody{}, rand.NewChaCha8([32]byte{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	client := turn.Client{Addr: netip.MustParseAddrPort("203.0.113.9:5000")}
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	if err := server.HandlePacket(now, client, request.Raw); err != nil {
		fmt.Println(err)
	}
	events, deadline := server.Poll()
	for _, e := range events {
		answer := stun.New()
		_, _ = answer.Write(e.Payload)
		var address stun.XORMappedAddress
		_ = address.GetFrom(answer)
		fmt.Println("to", e.Client.Addr, "you are", address)
	}
	fmt.Println("nothing to wait for:", deadline.IsZero())
	// Output:
	// to 203.0.113.9:5000 you are 203.0.113.9:5000
	// nothing to wait for: true
}
