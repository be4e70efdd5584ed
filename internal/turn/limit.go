package turn

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"
)

// SourceOf returns what limits and quotas count an address by: one IPv4 address, or one IPv6 /64, which is what one customer gets.
func SourceOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		b := a.As16()
		clear(b[8:])
		return netip.AddrFrom16(b)
	}
	return a
}

const buckets = 4096

// limiter is one token bucket per source, in a table of fixed size: sources that fall into the same place share its bucket,
// and the seed keeps an attacker from choosing whose. However many addresses are forged, it takes no more memory.
type limiter struct {
	seed    uint64
	perSec  float64
	buckets []bucket
}

type bucket struct {
	tokens float64
	filled time.Time
}

func newLimiter(seed uint64, perSec int) limiter {
	return limiter{seed: seed, perSec: float64(perSec), buckets: make([]bucket, buckets)}
}

// allow takes a token for the source, if there is one.
func (l *limiter) allow(now time.Time, source netip.Addr) bool {
	b := &l.buckets[l.place(source)]
	burst := 2 * l.perSec
	if b.filled.IsZero() {
		b.tokens = burst
	} else if passed := now.Sub(b.filled); passed > 0 {
		b.tokens = min(burst, b.tokens+passed.Seconds()*l.perSec)
	}
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// place mixes the source with the seed by multiplying and folding, twice.
func (l *limiter) place(source netip.Addr) int {
	b := SourceOf(source).As16()
	fold := func(x, y uint64) uint64 {
		hi, lo := bits.Mul64(x, y)
		return hi ^ lo
	}
	h := fold(binary.BigEndian.Uint64(b[:8])^l.seed, 0x9e3779b97f4a7c15)
	h = fold(h^binary.BigEndian.Uint64(b[8:]), l.seed|1)
	return int(h % buckets)
}
