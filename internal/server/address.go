package server

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/config"
)

// addresses are those at which clients reach this server.
type addresses struct {
	list []netip.Addr // the best first; never empty
	from string       // how they are known, in words
}

// network is what address discovery asks of the machine.
type network interface {
	// lookup resolves a name to its addresses.
	lookup(ctx context.Context, name string) ([]netip.Addr, error)
	// interfaces lists the addresses of the interfaces that are up.
	interfaces() ([]netip.Addr, error)
	// outbound are the addresses that packets to the Internet leave from, without sending any.
	outbound() []netip.Addr
}

// lookupTimeout bounds how long the start waits for the DNS.
const lookupTimeout = 3 * time.Second

// discover finds the addresses as the configuration has it: given ones; else those of the domain; else the one that is
// listened on; else those of the interfaces. The warning, if any, says what could not be found out.
func discover(ctx context.Context, c *config.Config, n network) (found addresses, warning string, err error) {
	if !c.PublicAddress.Auto() {
		return addresses{c.PublicAddress.Addrs, "public_address"}, "", nil
	}
	if c.Domain != "" {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		list, err := n.lookup(ctx, c.Domain)
		if list = rank(list, nil); err == nil && len(list) > 0 {
			return addresses{list, "the DNS, for " + c.Domain}, "", nil
		}
		warning = fmt.Sprintf("The DNS has no address for %s yet, so those of the interfaces are used and no certificate can be got.", c.Domain)
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil {
		if host == "localhost" {
			host = "127.0.0.1"
		}
		if a, err := netip.ParseAddr(host); err == nil && !a.IsUnspecified() {
			return addresses{[]netip.Addr{a.Unmap()}, "listen"}, warning, nil
		}
	}
	list, err := n.interfaces()
	if err != nil {
		return addresses{}, "", fmt.Errorf("server: list the network interfaces: %w", err)
	}
	list = rank(list, n.outbound())
	if len(list) == 0 {
		list = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return addresses{list, "the network interfaces"}, warning, nil
}

// rank keeps the addresses at which another machine may reach this one, each once: public before private, within that
// those that packets leave from by themselves before others, IPv4 before IPv6. When some are public, private ones of
// the same family are left out.
func rank(list, outbound []netip.Addr) []netip.Addr {
	var kept []netip.Addr
	for _, a := range list {
		a = a.Unmap().WithZone("")
		if a.IsGlobalUnicast() && !slices.Contains(kept, a) { // global in Go's sense: private ones too
			kept = append(kept, a)
		}
	}
	score := func(a netip.Addr) int {
		n := 0
		if !public(a) {
			n += 4
		}
		if !slices.Contains(outbound, a) {
			n += 2
		}
		if a.Is6() {
			n++
		}
		return n
	}
	slices.SortStableFunc(kept, func(a, b netip.Addr) int { return cmp.Compare(score(a), score(b)) })
	return slices.DeleteFunc(slices.Clone(kept), func(a netip.Addr) bool {
		return !public(a) && slices.ContainsFunc(kept, func(b netip.Addr) bool { return public(b) && a.Is4() == b.Is4() })
	})
}

// shared is the address space between carriers' NATs and their customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// public reports whether the Internet may reach a.
func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !shared.Contains(a)
}

// of returns the best address of a family, or the zero value.
func (a addresses) of(is4 bool) netip.Addr {
	for _, addr := range a.list {
		if addr.Is4() == is4 {
			return addr
		}
	}
	return netip.Addr{}
}

// private reports whether no address is public.
func (a addresses) private() bool { return !slices.ContainsFunc(a.list, public) }

// machine is the network of this machine.
type machine struct{}

func (machine) lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

func (machine) interfaces() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var out []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr())
		}
	}
	return out, nil
}

func (machine) outbound() []netip.Addr {
	var out []netip.Addr
	for _, target := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} { // documentation addresses; connecting sends nothing
		c, err := net.Dial("udp", target)
		if err != nil {
			continue
		}
		if a, ok := c.LocalAddr().(*net.UDPAddr); ok {
			out = append(out, a.AddrPort().Addr().Unmap().WithZone(""))
		}
		c.Close()
	}
	return out
}
