package auth

import (
	"net/netip"
	"strings"
)

// Open reports whether a request is in open mode, in which anybody who can reach us may make rooms: no domain is
// configured, both ends of the connection are loopback, private or link-local addresses, and the Host header names no
// public place. The last one keeps a name that was pointed at a private address (DNS rebinding), or a container whose
// proxy hides the strangers' addresses, from opening the house. Carrier-grade NAT space (RFC 6598) is shared with
// strangers and is not private.
func Open(local, remote netip.Addr, host string, domainSet bool) bool {
	return !domainSet && private(local) && private(remote) && privateHost(host)
}

func private(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// privateHost judges a Host header: an address as private does, or a name that no public DNS resolves.
func privateHost(host string) bool {
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name = host[:i]
		if strings.Trim(host[i+1:], "0123456789") != "" {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		a, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && strings.HasSuffix(name, "]") && private(a)
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a.Is4() && private(a)
	}
	return privateName(strings.ToLower(strings.TrimSuffix(name, ".")))
}

// privateName accepts single labels and the suffixes kept for local use: RFC 6761 (localhost), RFC 6762 (local),
// RFC 8375 (home.arpa), and internal and lan, which the root does not delegate.
func privateName(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	if !strings.Contains(name, ".") {
		return name[0] >= 'a' && name[0] <= 'z' // 2130706433 and 0x7f000001 are ways to write an address
	}
	for _, suffix := range []string{".localhost", ".local", ".home.arpa", ".internal", ".lan"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
