package ice_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/pion/stun/v4"
)

// The whole of a shell: find the agent by the packet, hand it over, send the answer back, and ask where packets are to go.
func ExampleAgent() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ours, err := ice.NewCredentials(rand.NewChaCha8([32]byte{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	agent, err := ice.New(ours, "peer")
	if err != nil {
		fmt.Println(err)
		return
	}
	byUfrag := map[string]*ice.Agent{ours.Ufrag: agent}

	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(ours.Ufrag+":peer"),
		stun.RawAttribute{Type: stun.AttrUseCandidate}, stun.NewShortTermIntegrity(ours.Password), stun.Fingerprint)
	from := ice.Path{Peer: netip.MustParseAddrPort("203.0.113.9:5000")}

	m, err := ice.Parse(check.Raw)
	if err != nil || !m.Check() {
		fmt.Println("not for ICE")
		return
	}
	answer, event := byUfrag[string(m.Ufrag())].Handle(now, from, &m)
	fmt.Println(len(answer), "bytes of answer, selected:", event.Has(ice.Selected))
	path, ok := agent.Sendable(now.Add(14 * time.Second))
	fmt.Println(path.Peer, ok)
	path, ok = agent.Sendable(now.Add(15 * time.Second))
	fmt.Println(path.Peer, ok)
	// Output:
	// 64 bytes of answer, selected: true
	// 203.0.113.9:5000 true
	// invalid AddrPort false
}
