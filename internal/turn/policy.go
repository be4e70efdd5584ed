package turn

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Policy says which peers clients may reach through the relay. The zero value allows the public Internet and refuses every
// special-purpose address, whatever it is wrapped in.
type Policy struct {
	// Allow lists prefixes that are reachable although they are special-purpose or our own, as a laboratory needs it.
	Allow []netip.Prefix
	// Deny lists prefixes that are not reachable in any case. It wins over Allow.
	Deny []netip.Prefix
	// Own are the addresses of this host.
	Own []netip.Addr
	// Port is the number of our own TCP and UDP port. On our own addresses it is out of reach even when Allow lists them; on the
	// relay's it is the hub, when there is one (Config.Hub).
	Port uint16
}

// Validate reports every prefix that is none.
func (p Policy) Validate() error {
	var faults []error
	for _, prefix := range slices.Concat(p.Allow, p.Deny) {
		if !prefix.IsValid() {
			faults = append(faults, fmt.Errorf("turn: invalid peer prefix %q", prefix))
		}
	}
	return errors.Join(faults...)
}

// verdict is how a peer may be reached.
type verdict uint8

const (
	refused  verdict = iota
	inMemory         // only as a live allocation of this server
	bySocket         // through a relay socket, if the allocation has one
)

// policy is a Policy made ready for use, with the relay's own addresses.
type policy struct {
	Policy
	relays [2]netip.Addr
	epoch  uint32 // grows with every change, so that verdicts can be kept
}

func newPolicy(p Policy, relays ...netip.Addr) policy {
	made := policy{Policy: Policy{Allow: canonicalPrefixes(p.Allow), Deny: canonicalPrefixes(p.Deny)}}
	copy(made.relays[:], relays)
	made.setOwn(p.Own, p.Port)
	return made
}

// setOwn replaces the host's own addresses.
func (p *policy) setOwn(own []netip.Addr, port uint16) {
	p.Own = make([]netip.Addr, 0, len(own))
	for _, a := range own {
		p.Own = append(p.Own, a.Unmap().WithZone(""))
	}
	p.Port = port
	p.epoch++
}

// canonicalPrefixes makes an IPv4 prefix of an IPv4-mapped one: judge compares both families in their own form.
func canonicalPrefixes(prefixes []netip.Prefix) []netip.Prefix {
	made := make([]netip.Prefix, 0, len(prefixes))
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		made = append(made, p.Masked())
	}
	return made
}

// judgeAddr decides on an address, as a permission needs it: permissions have no port (RFC 8656 §9).
func (p *policy) judgeAddr(a netip.Addr) verdict {
	if !a.IsValid() || a.Zone() != "" {
		return refused
	}
	if p.isRelay(a) {
		return inMemory
	}
	if !p.reachable(a) {
		return refused
	}
	for _, inner := range embedded(a) {
		// Through a translator a packet could come back to the relay's address by a socket: the exception is not for these.
		if inner.IsValid() && (p.isRelay(inner) || !p.reachable(inner)) {
			return refused
		}
	}
	return bySocket
}

// judge decides on an address with its port.
func (p *policy) judge(peer netip.AddrPort) verdict {
	if peer.Port() == 0 {
		return refused
	}
	v := p.judgeAddr(peer.Addr())
	if v == bySocket && p.Port != 0 && peer.Port() == p.Port && p.isHost(peer.Addr()) {
		return refused
	}
	return v
}

// reachable applies the lists to one form of an address.
func (p *policy) reachable(a netip.Addr) bool {
	contains := func(prefix netip.Prefix) bool { return prefix.Contains(a) }
	if slices.ContainsFunc(p.Deny, contains) {
		return false
	}
	if special(a) || slices.Contains(p.Own, a) {
		return slices.ContainsFunc(p.Allow, contains)
	}
	return true
}

// isRelay reports whether a is the address that relayed addresses are made of.
func (p *policy) isRelay(a netip.Addr) bool { return a == p.relays[0] || a == p.relays[1] }

// isHost reports whether a packet to a stays on this host, in any of its forms.
func (p *policy) isHost(a netip.Addr) bool {
	forms := embedded(a)
	for _, form := range [...]netip.Addr{a, forms[0], forms[1]} {
		if form.IsValid() && (form.IsLoopback() || form.IsUnspecified() || slices.Contains(p.Own, form)) {
			return true
		}
	}
	return false
}
