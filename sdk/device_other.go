//go:build !linux

package parley

import (
	"errors"
	"net"
)

// listenOn opens a UDP socket that uses one interface alone. Here an address of the interface has to do.
func listenOn(string, string, *net.UDPAddr) (*net.UDPConn, error) { return nil, errors.ErrUnsupported }
