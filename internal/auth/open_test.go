package auth

import (
	"net/netip"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, tt := range []struct {
		name, local, remote, host string
		domain, open              bool
	}{
		{"loopback", "127.0.0.1", "127.0.0.1", "localhost:8443", false, true},
		{"loopback by address", "127.0.0.1", "127.0.0.1", "127.0.0.1:8443", false, true},
		{"another loopback", "127.0.0.1", "127.9.9.9", "127.8.8.8", false, true},
		{"loopback IPv6", "::1", "::1", "[::1]:8443", false, true},
		{"loopback IPv6, no port", "::1", "::1", "[::1]", false, true},
		{"upper case", "127.0.0.1", "127.0.0.1", "LOCALHOST", false, true},
		{"trailing dot", "127.0.0.1", "127.0.0.1", "localhost.", false, true},
		{"sub of localhost", "127.0.0.1", "127.0.0.1", "a.localhost", false, true},
		{"LAN", "192.168.1.5", "192.168.1.7", "192.168.1.5:8443", false, true},
		{"LAN 10", "10.0.0.1", "10.200.3.4", "10.0.0.1", false, true},
		{"LAN 172", "172.31.0.1", "172.16.0.1", "172.31.0.1:443", false, true},
		{"LAN mapped", "::ffff:192.168.1.5", "::ffff:192.168.1.7", "192.168.1.5", false, true},
		{"LAN IPv6", "fd00::1", "fd00::2", "[fd00::1]:8443", false, true},
		{"link-local", "169.254.1.1", "169.254.1.2", "169.254.1.1", false, true},
		{"link-local IPv6", "fe80::1%eth0", "fe80::2%eth0", "[fe80::1]:8443", false, true},
		{"LAN by mDNS name", "192.168.1.5", "192.168.1.7", "laptop.local:8443", false, true},
		{"LAN by one label", "192.168.1.5", "192.168.1.7", "laptop", false, true},
		{"LAN by router's name", "192.168.1.5", "192.168.1.7", "nas.lan", false, true},
		{"LAN by home.arpa", "192.168.1.5", "192.168.1.7", "nas.home.arpa", false, true},
		{"container, LAN host", "172.17.0.2", "172.17.0.1", "192.168.1.5:8443", false, true},

		{"domain set", "127.0.0.1", "127.0.0.1", "localhost", true, false},
		{"public remote", "192.168.1.5", "203.0.113.7", "192.168.1.5", false, false},
		{"public remote, spoofed Host", "192.168.1.5", "203.0.113.7", "localhost", false, false},
		{"public remote IPv6", "fd00::1", "2001:db8::1", "[fd00::1]", false, false},
		{"public local", "203.0.113.9", "203.0.113.7", "203.0.113.9", false, false},
		{"public local, neighbour in the LAN", "203.0.113.9", "10.0.0.2", "203.0.113.9", false, false},
		{"public local, spoofed Host", "203.0.113.9", "203.0.113.7", "127.0.0.1", false, false},
		{"public local IPv6", "2001:db8::2", "2001:db8::2", "[2001:db8::2]", false, false},
		{"from the machine itself, public address", "203.0.113.9", "203.0.113.9", "203.0.113.9:8443", false, false},
		{"container, public address", "172.17.0.2", "172.17.0.1", "203.0.113.9:8443", false, false},
		{"container, public name", "172.17.0.2", "172.17.0.1", "meet.example.com", false, false},
		{"container, public IPv6", "172.17.0.2", "172.17.0.1", "[2001:db8::2]:8443", false, false},
		{"proxy on the machine, public name", "127.0.0.1", "127.0.0.1", "meet.example.com", false, false},
		{"DNS rebinding", "127.0.0.1", "127.0.0.1", "evil.example:8443", false, false},
		{"DNS rebinding, looks local", "127.0.0.1", "127.0.0.1", "localhost.evil.example", false, false},
		{"DNS rebinding, wildcard address name", "127.0.0.1", "127.0.0.1", "127.0.0.1.nip.io", false, false},
		{"carrier-grade NAT", "100.64.0.1", "100.64.0.2", "100.64.0.1", false, false},
		{"carrier-grade NAT remote", "192.168.1.5", "100.100.1.1", "192.168.1.5", false, false},
		{"mapped public", "::ffff:192.168.1.5", "::ffff:203.0.113.7", "192.168.1.5", false, false},
		{"unspecified", "0.0.0.0", "127.0.0.1", "0.0.0.0", false, false},
		{"multicast", "127.0.0.1", "224.0.0.1", "localhost", false, false},
		{"no Host", "127.0.0.1", "127.0.0.1", "", false, false},
		{"only a port", "127.0.0.1", "127.0.0.1", ":8443", false, false},
		{"only a dot", "127.0.0.1", "127.0.0.1", ".", false, false},
		{"two dots", "127.0.0.1", "127.0.0.1", "a..local", false, false},
		{"port is a word", "127.0.0.1", "127.0.0.1", "localhost:evil.example", false, false},
		{"userinfo", "127.0.0.1", "127.0.0.1", "evil@localhost", false, false},
		{"path", "127.0.0.1", "127.0.0.1", "evil.example/.local", false, false},
		{"short address", "127.0.0.1", "127.0.0.1", "127.1", false, false},
		{"decimal address", "127.0.0.1", "127.0.0.1", "2130706433", false, false},
		{"hex address", "127.0.0.1", "127.0.0.1", "0x7f000001", false, false},
		{"octal address", "127.0.0.1", "127.0.0.1", "0177.0.0.1", false, false},
		{"IPv6 without brackets", "::1", "::1", "::1", false, false},
		{"half a bracket", "::1", "::1", "[::1", false, false},
		{"garbage behind the bracket", "::1", "::1", "[::1]evil:80", false, false},
		{"suffix alone", "127.0.0.1", "127.0.0.1", ".local", false, false},
		{"not quite the suffix", "127.0.0.1", "127.0.0.1", "evil.notlocal", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Open(netip.MustParseAddr(tt.local), netip.MustParseAddr(tt.remote), tt.host, tt.domain)
			if got != tt.open {
				t.Errorf("open = %v", got)
			}
		})
	}
	if Open(netip.Addr{}, netip.Addr{}, "localhost", false) {
		t.Error("unknown addresses are open")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("localhost:80")
	f.Add("[::1]:1")
	f.Fuzz(func(t *testing.T, host string) {
		lo, public := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("203.0.113.7")
		if Open(lo, public, host, false) || Open(public, lo, host, false) || Open(lo, lo, host, true) {
			t.Errorf("%q opens the house", host)
		}
		Open(lo, lo, host, false)
	})
}
