package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// PublicAddress is where the Internet reaches the server: found out at start (auto, the zero value) or given.
type PublicAddress struct {
	// Addrs are the given addresses; empty means auto.
	Addrs []netip.Addr
}

// Auto reports whether the addresses have to be found out.
func (p PublicAddress) Auto() bool { return len(p.Addrs) == 0 }

// MarshalText writes "auto" or the addresses with commas between them.
func (p PublicAddress) MarshalText() ([]byte, error) {
	if p.Auto() {
		return []byte("auto"), nil
	}
	words := make([]string, len(p.Addrs))
	for i, a := range p.Addrs {
		words[i] = a.String()
	}
	return []byte(strings.Join(words, ",")), nil
}

// UnmarshalText reads what MarshalText writes: at most one IPv4 and one IPv6 address, each of which can be reached.
func (p *PublicAddress) UnmarshalText(b []byte) error {
	p.Addrs = nil
	if string(b) == "auto" {
		return nil
	}
	var addrs []netip.Addr
	for word := range strings.SplitSeq(string(b), ",") {
		word = strings.TrimSpace(word)
		a, err := netip.ParseAddr(word)
		if err != nil || a.Zone() != "" {
			return fmt.Errorf("%q is not an IP address; write auto, IP or IP,IP6", word)
		}
		a = a.Unmap()
		if a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() {
			return fmt.Errorf("%s is not an address at which somebody could reach this server", a)
		}
		for _, other := range addrs {
			if other.Is4() == a.Is4() {
				return fmt.Errorf("%s and %s are of the same family; at most one IPv4 and one IPv6 address", other, a)
			}
		}
		addrs = append(addrs, a)
	}
	p.Addrs = addrs
	return nil
}

// Ports is a range of UDP ports, both ends included, or off (the zero value).
type Ports struct{ First, Last uint16 }

// Off reports whether there is no range.
func (p Ports) Off() bool { return p == Ports{} }

// MarshalText writes "off" or "FIRST-LAST".
func (p Ports) MarshalText() ([]byte, error) {
	if p.Off() {
		return []byte("off"), nil
	}
	return fmt.Appendf(nil, "%d-%d", p.First, p.Last), nil
}

// UnmarshalText reads what MarshalText writes; ports below 1024 are refused.
func (p *Ports) UnmarshalText(b []byte) error {
	*p = Ports{}
	if string(b) == "off" {
		return nil
	}
	first, last, ok := strings.Cut(string(b), "-")
	f, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	l, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	if !ok || cmp.Or(err1, err2) != nil {
		return fmt.Errorf("%q is not a range of ports; write off or FIRST-LAST, such as 49152-50175", b)
	}
	if f < 1024 || l < f {
		return fmt.Errorf("%q is not a usable range: ports from 1024 on, the first not above the last", b)
	}
	*p = Ports{First: uint16(f), Last: uint16(l)}
	return nil
}

// parsePrefix reads a CIDR, or an address as the prefix that holds only it. The bits after the prefix must be zero,
// since 10.1.2.3/8 is more often a slip than a wish.
func parsePrefix(word string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(word); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(word)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not an IP address or CIDR, such as 192.0.2.1 or 192.0.2.0/24", word)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits set after the first %d; write %s or a longer prefix", word, p.Bits(), p.Masked())
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("write IPv4 addresses as such, not inside IPv6")
	}
	return p, nil
}
