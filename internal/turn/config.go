package turn

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Times that RFC 8656 sets, and ours.
const (
	defaultLifetime    = 10 * time.Minute // of an allocation, RFC 8656 §3.2
	maxLifetime        = time.Hour        // the same section recommends it as the ceiling
	permissionLifetime = 5 * time.Minute  // RFC 8656 §9
	channelLifetime    = 10 * time.Minute // RFC 8656 §12
	nonceLifetime      = 10 * time.Minute // what coturn calls stale-nonce, same value
	answerLifetime     = 40 * time.Second // how long a retransmission may come, RFC 8656 §7.2
	aliveInterval      = 10 * time.Second // how often a session is asked for
)

// An allocation's own bounds. A browser asks for one permission per candidate of its peer, some tens at most.
const (
	maxPermissions = 128
	maxChannels    = 64
)

// Dynamic ports (RFC 6335 §6): where virtual relayed addresses live, and where RFC 8656 §7.2 wants them.
const (
	firstVirtualPort = 49152
	lastVirtualPort  = 65535
)

// Ports is an inclusive range of UDP ports. The zero value means none.
type Ports struct {
	First, Last uint16
}

// size returns how many ports the range holds.
func (p Ports) size() int { return int(p.Last) - int(p.First) + 1 }

// Config is what an engine is made with. The zero value serves STUN and refuses every allocation with 440, for it has no
// relay address.
type Config struct {
	// Realm is the realm of the long-term credentials (RFC 8489 §9.2), "parley" by default.
	Realm string
	// Relay4 and Relay6 are the addresses that relayed addresses are made of: our public ones. The zero value means that
	// relayed addresses of this family are not offered.
	Relay4, Relay6 netip.Addr
	// Ports is where relay sockets are opened. Zero: none are, relayed addresses are virtual.
	Ports Ports
	// Policy says which peers may be reached.
	Policy Policy
	// Hub says that the relay's own address with our own port, Policy.Port, is the hub: data for it become events ToHub.
	Hub bool
	// PerSession, PerPrefix and Total are how many allocations may live at once: of one session (default 128), from one IPv4
	// address or one IPv6 /64 (default 512), and in all (default 12000).
	PerSession, PerPrefix, Total int
	// ErrorRate and BindingRate are how many answers a second an unauthenticated source may draw over UDP, errors
	// (default 50) and Binding answers (default 400), so that we are of no use for reflection. A burst of the double is
	// let through. Sources are counted like PerPrefix.
	ErrorRate, BindingRate int
}

// WithDefaults returns the configuration with every unset value filled in.
func (c Config) WithDefaults() Config {
	c.Realm = cmp.Or(c.Realm, "parley")
	c.PerSession = cmp.Or(c.PerSession, 128)
	c.PerPrefix = cmp.Or(c.PerPrefix, 512)
	c.Total = cmp.Or(c.Total, 12000)
	c.ErrorRate = cmp.Or(c.ErrorRate, 50)
	c.BindingRate = cmp.Or(c.BindingRate, 400)
	c.Relay4, c.Relay6 = c.Relay4.Unmap(), c.Relay6.WithZone("")
	return c
}

// Validate reports every fault at once.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("turn: "+format, args...)) }
	if len(c.Realm) > 127 {
		fault("realm is longer than 127 bytes")
	}
	if c.Relay4.IsValid() && !c.Relay4.Unmap().Is4() {
		fault("relay address %s is not IPv4", c.Relay4)
	}
	if c.Relay6.IsValid() && (!c.Relay6.Is6() || c.Relay6.Is4In6()) {
		fault("relay address %s is not IPv6", c.Relay6)
	}
	for _, a := range []netip.Addr{c.Relay4, c.Relay6} {
		if a.IsValid() && (a.IsUnspecified() || a.IsMulticast()) {
			fault("relay address %s is not an address of one host", a)
		}
	}
	if c.Ports != (Ports{}) && (c.Ports.First == 0 || c.Ports.First > c.Ports.Last) {
		fault("relay ports %d-%d are not a range", c.Ports.First, c.Ports.Last)
	}
	for name, n := range map[string]int{
		"per session": c.PerSession, "per prefix": c.PerPrefix, "total": c.Total,
		"error rate": c.ErrorRate, "binding rate": c.BindingRate,
	} {
		if n < 0 {
			fault("%s is negative", name)
		}
	}
	return errors.Join(append(faults, c.Policy.Validate())...)
}
