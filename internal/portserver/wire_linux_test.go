package portserver

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// TestControl: what is written is what x/net writes, and what x/net reads.
func TestControl(t *testing.T) {
	for _, s := range []string{"192.0.2.7", "2001:db8::7", "fe80::1"} {
		local := netip.MustParseAddr(s)
		var b [controlLen]byte
		n := putSource(b[:], local)
		var want []byte
		if local.Is4() {
			want = (&ipv4.ControlMessage{Src: local.AsSlice()}).Marshal()
		} else {
			want = (&ipv6.ControlMessage{Src: local.AsSlice()}).Marshal()
		}
		if string(b[:n]) != string(want) {
			t.Errorf("%s: %x, want %x", s, b[:n], want)
		}
		if n += putSegment(b[n:], 1234); n > controlLen {
			t.Errorf("%s: %d bytes", s, n)
		}
		messages, err := unix.ParseSocketControlMessage(b[:n])
		if err != nil || len(messages) != 2 || messages[1].Header.Type != unix.UDP_SEGMENT || messages[1].Header.Level != unix.SOL_UDP ||
			binary.NativeEndian.Uint16(messages[1].Data) != 1234 {
			t.Errorf("%s: %+v, %v", s, messages, err)
		}
	}
}

// TestLocalOf: as the kernel writes it, behind another message, and cut anywhere.
func TestLocalOf(t *testing.T) {
	var six, four, other [controlLen]byte
	data, sixLen := putControl(six[:], unix.SOL_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	mapped := netip.MustParseAddr("::ffff:192.0.2.7").As16()
	copy(data, mapped[:])
	data, fourLen := putControl(four[:], unix.SOL_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
	copy(data[4:], []byte{10, 0, 0, 1, 192, 0, 2, 7}) // the interface's, the header's
	_, otherLen := putControl(other[:], unix.SOL_IP, unix.IP_TTL, 4)
	for name, b := range map[string][]byte{
		"six": six[:sixLen], "four": four[:fourLen], "behind another": append(other[:otherLen:otherLen], six[:sixLen]...),
	} {
		if got := localOf(b); got.String() != "192.0.2.7" {
			t.Errorf("%s: %v", name, got)
		}
	}
	for n := range otherLen {
		if got := localOf(other[:n]); got.IsValid() {
			t.Errorf("%d bytes: %v", n, got)
		}
	}
}

// FuzzLocalOf: nothing that a control message says leads out of it.
func FuzzLocalOf(f *testing.F) {
	var b [controlLen]byte
	f.Add(b[:putSource(b[:], netip.IPv6Loopback())])
	f.Add(b[:putSource(b[:], netip.MustParseAddr("127.0.0.1"))])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a := localOf(b); a.Is4In6() || a.IsValid() && len(b) < unix.SizeofCmsghdr+unix.SizeofInet4Pktinfo {
			t.Fatalf("%x is %v", b, a)
		}
	})
}

func TestAddresses(t *testing.T) {
	z := newZones()
	for _, tt := range []struct {
		in, out string
		six     bool
	}{
		{"192.0.2.1:1234", "192.0.2.1:1234", false},
		{"192.0.2.1:1234", "192.0.2.1:1234", true},
		{"[::ffff:192.0.2.1]:65535", "192.0.2.1:65535", false},
		{"[2001:db8::1]:80", "[2001:db8::1]:80", true},
		{"[fe80::1%7777]:80", "[fe80::1%7777]:80", true}, // no such interface: the number stands
		{"[fe80::1%lo]:80", "[fe80::1%lo]:80", true},
		{"[2001:db8::1]:80", "", false},
	} {
		for range 2 { // the second time with what was remembered
			var raw unix.RawSockaddrInet6
			n := z.putAddr(&raw, netip.MustParseAddrPort(tt.in), tt.six)
			got := ""
			if n > 0 {
				got = z.addrOf(&raw, n).String()
			}
			if got != tt.out {
				t.Errorf("%s by a socket of IPv6 (%v): %q", tt.in, tt.six, got)
			}
		}
	}
	if n := z.putAddr(&unix.RawSockaddrInet6{}, netip.AddrPort{}, true); n != 0 {
		t.Error("no address has a length")
	}
	if a := z.addrOf(&unix.RawSockaddrInet6{Family: unix.AF_UNIX}, 28); a.IsValid() {
		t.Error(a)
	}
}
