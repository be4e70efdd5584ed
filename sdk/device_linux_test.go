package parley

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// deviceOf says which interface a socket is bound to.
func deviceOf(t *testing.T, conn net.PacketConn) (name string) {
	t.Helper()
	raw, err := conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var errGet error
	if err := raw.Control(func(fd uintptr) {
		name, errGet = unix.GetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE)
	}); err != nil || errGet != nil {
		t.Fatal(err, errGet)
	}
	return name
}

func TestUplinkUsesItsInterface(t *testing.T) {
	network, err := newResolver(nil)
	if err != nil {
		t.Fatal(err)
	}
	lo := &uplink{Net: network, name: "lo"}
	conn, err := lo.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if at := conn.LocalAddr().(*net.UDPAddr).IP.String(); at != "127.0.0.1" {
		t.Errorf("bound to %s, want an address of the interface", at)
	}
	if name := deviceOf(t, conn); name != "lo" {
		if os.Getenv("CI") == "true" {
			t.Errorf("bound to the interface %q", name)
		} else {
			t.Skipf("this system lets no program choose an interface: bound to %q", name)
		}
	}
	other, err := (&uplink{Net: network, name: "nothing0"}).ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatalf("an interface that cannot be chosen: %v, want a socket bound to the address", err)
	}
	_ = other.Close()
}
