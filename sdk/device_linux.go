package parley

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// listenOn opens a UDP socket that uses one interface alone, whatever the routes say: with an address of the interface
// alone, packets leave by the default route, which a second uplink is not. Since Linux 5.7 that needs no rights.
func listenOn(network, device string, local *net.UDPAddr) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var errBind error
		err := raw.Control(func(fd uintptr) { errBind = unix.BindToDevice(int(fd), device) })
		if err == nil {
			err = errBind
		}
		return err
	}}
	conn, err := config.ListenPacket(context.Background(), network, local.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil // of a UDP network
}
