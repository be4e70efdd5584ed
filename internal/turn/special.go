package turn

import "net/netip"

// special4 holds what is not a host on the public Internet, after the IANA IPv4 Special-Purpose Address Registry
// (RFC 6890), multicast (RFC 5771), and the one cloud metadata address that has a public look.
func special4(a netip.Addr) bool {
	b := a.As4()
	switch b[0] {
	case 0, 10, 127: // "this network", private, loopback
		return true
	case 100: // shared address space (carrier NAT), 100.64.0.0/10
		return b[1]&0xC0 == 64
	case 168: // 168.63.129.16/32, the metadata service of Azure
		return b == [4]byte{168, 63, 129, 16}
	case 169: // link-local, with the metadata service 169.254.169.254
		return b[1] == 254
	case 172: // private, 172.16.0.0/12
		return b[1]&0xF0 == 16
	case 192:
		return special192(b)
	case 198: // benchmarking 198.18.0.0/15, documentation 198.51.100.0/24
		return b[1]&0xFE == 18 || b[1] == 51 && b[2] == 100
	case 203: // documentation 203.0.113.0/24
		return b[1] == 0 && b[2] == 113
	}
	return b[0] >= 224 // multicast 224.0.0.0/4, reserved 240.0.0.0/4, broadcast
}

// special192 holds the many in 192.0.0.0/8.
func special192(b [4]byte) bool {
	switch b[1] {
	case 0: // IETF protocol assignments 192.0.0.0/24, documentation 192.0.2.0/24
		return b[2] == 0 || b[2] == 2
	case 31: // AS112-v4 192.31.196.0/24
		return b[2] == 196
	case 52: // AMT 192.52.193.0/24
		return b[2] == 193
	case 88: // 6to4 relay anycast 192.88.99.0/24
		return b[2] == 99
	case 168: // private
		return true
	case 175: // AS112 direct delegation 192.175.48.0/24
		return b[2] == 48
	}
	return false
}

// special6 is the same for IPv6. Only global unicast, 2000::/3, is public at all, and NAT64 with its well-known prefix, whose
// IPv4 address is judged by itself; everything else (loopback, IPv4-mapped, unique local, link-local, site-local, multicast,
// discard-only, SRv6 …) is not. Inside 2000::/3 the IANA IPv6 Special-Purpose Address Registry takes out the rest.
func special6(a netip.Addr) bool {
	b := a.As16()
	if isNAT64(b) {
		return false
	}
	if b[0]&0xE0 != 0x20 {
		return true
	}
	switch uint16(b[0])<<8 | uint16(b[1]) {
	case 0x2001: // 2001::/23 with Teredo, benchmarking, ORCHID; documentation 2001:db8::/32
		return b[2] < 2 || b[2] == 0x0d && b[3] == 0xb8
	case 0x2002: // 6to4
		return true
	case 0x2620: // AS112 direct delegation 2620:4f:8000::/48
		return b[2] == 0 && b[3] == 0x4f && b[4] == 0x80 && b[5] == 0
	case 0x3fff: // documentation 3fff::/20
		return b[2]&0xF0 == 0
	}
	return false
}

// special reports whether the address is of a special-purpose range.
func special(a netip.Addr) bool {
	if a.Is4() {
		return special4(a)
	}
	return special6(a)
}

// isNAT64 reports whether b is in the well-known prefix 64:ff9b::/96 (RFC 6052 §2.1).
func isNAT64(b [16]byte) bool { return [12]byte(b[:12]) == [12]byte{1: 0x64, 2: 0xff, 3: 0x9b} }

// isLocalNAT64 reports whether b is in 64:ff9b:1::/48, for use inside a network (RFC 8215).
func isLocalNAT64(b [16]byte) bool { return [6]byte(b[:6]) == [6]byte{1: 0x64, 2: 0xff, 3: 0x9b, 5: 1} }

// embedded returns the IPv4 addresses that an IPv6 address can lead to, in at most two forms; the rest is invalid. They are
// judged like the address itself, so that none of the many ways to write 127.0.0.1 passes.
func embedded(a netip.Addr) (found [2]netip.Addr) {
	if !a.Is6() {
		return found
	}
	b := a.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case [10]byte(b[:10]) == [10]byte{}: // IPv4-mapped ::ffff:0:0/96, IPv4-compatible ::/96
		found[0] = at(12)
	case [8]byte(b[:8]) == [8]byte{} && b[8] == 0xff && b[9] == 0xff: // IPv4-translated ::ffff:0:0:0/96, RFC 2765
		found[0] = at(12)
	case isNAT64(b):
		found[0] = at(12)
	case isLocalNAT64(b): // both places where RFC 6052 §2.2 may put it: behind /48, and in the last 32 bits
		found[0] = at(12)
		found[1] = netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]})
	case b[0] == 0x20 && b[1] == 0x02: // 6to4, RFC 3056
		found[0] = at(2)
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0: // Teredo, RFC 4380: server, and client inverted
		found[0] = at(4)
		found[1] = netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})
	case b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214 §6.1
		found[0] = at(12)
	}
	return found
}
