package apiserver

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// guessesAtOnce is how many wrong tokens one address may send in guessWindow.
	guessesAtOnce = 10
	guessWindow   = time.Minute
	// guessers is how many addresses are remembered.
	guessers = 4096
)

// guesses counts wrong tokens by address (IPv6: by /64). Guessing 256 bits is hopeless; this keeps it cheap as well.
type guesses struct {
	mu    sync.Mutex
	since time.Time
	count map[netip.Prefix]int
}

// wrong counts one and returns for how many seconds the address has to wait; 0 when it need not.
func (g *guesses) wrong(remote string) (wait int) {
	at, _ := netip.ParseAddrPort(remote)
	a := at.Addr().Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	prefix, _ := a.Prefix(bits) // the zero prefix stands for all that have no address
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count == nil || now.Sub(g.since) >= guessWindow || len(g.count) >= guessers {
		g.since, g.count = now, map[netip.Prefix]int{}
	}
	if g.count[prefix]++; g.count[prefix] <= guessesAtOnce {
		return 0
	}
	return max(1, int((guessWindow - now.Sub(g.since)).Seconds()))
}
