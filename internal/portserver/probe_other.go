//go:build !linux

package portserver

import (
	"errors"
	"syscall"
)

// probe finds the highest tier: here there is only one.
func probe(Tier) (Tier, error) { return TierPlain, nil }

func newSender(d *datagrams, _ Tier) (sender, error) { return plainSender{d}, nil }

func newReader(d *datagrams, _ Tier) (reader, error) { return newPlainReader(d), nil }

// canShare says that several sockets can have one port: other systems do not spread packets over them.
const canShare = false

func share(syscall.RawConn) error { return errors.ErrUnsupported }

// steer has the kernel choose among the sockets of a port: here there is only one.
func steer(syscall.RawConn, steeringKey, []heading) error { return errors.ErrUnsupported }

func canSteer() error { return errors.ErrUnsupported }

func enlarge(syscall.RawConn) {}
