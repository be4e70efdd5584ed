package portserver

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// probe finds the highest tier that works here, and says what is wrong with the next one. It does not ask what the kernel claims
// to have, it sends and looks at what arrives: emulated kernels and filters of system calls lie.
func probe(most Tier) (Tier, error) {
	if most == TierPlain {
		return TierPlain, nil
	}
	if err := canary(false); err != nil {
		return TierPlain, err
	}
	if most == TierBatches {
		return TierBatches, nil
	}
	if err := canary(true); err != nil {
		return TierBatches, err
	}
	return TierSegments, nil
}

// canaryPatience is how long the probe waits for its own packets. They are there at once, or never.
const canaryPatience = 500 * time.Millisecond

// canary sends packets from a socket to another over loopback, as a run or one by one, and compares.
func canary(joined bool) error {
	from, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return fmt.Errorf("portserver: probe: %w", err)
	}
	defer from.Close()
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return fmt.Errorf("portserver: probe: %w", err)
	}
	defer to.Close()
	s := &Server{}
	out, err := newBatchSender(&datagrams{conn: from, counts: &s.counts})
	if err != nil {
		return fmt.Errorf("portserver: probe: %w", err)
	}
	in, err := newBatchReader(&datagrams{conn: to, counts: &s.counts})
	if err != nil {
		return fmt.Errorf("portserver: probe: %w", err)
	}
	o := newOutbox(&loop{server: s}, out, joined, 1)
	var sent [][]byte
	dst := to.LocalAddr().(*net.UDPAddr).AddrPort()
	for i, n := range []int{1200, 1200, 300} {
		b := bytes.Repeat([]byte{0x80, byte(i)}, n/2)
		sent = append(sent, b)
		o.Send(copy(o.Next(), b), dst, netip.Addr{})
	}
	o.Flush()
	if s.counts.writeErrors.Load() > 0 || s.counts.refused.Load() > 0 {
		return errors.New("portserver: probe: the kernel does not take what was sent")
	}
	_ = to.SetReadDeadline(time.Now().Add(canaryPatience))
	for len(sent) > 0 {
		batch, err := in.read(true)
		if err != nil {
			return fmt.Errorf("portserver: probe: not everything arrived: %w", err)
		}
		for _, p := range batch {
			if len(sent) == 0 || !bytes.Equal(p.Data, sent[0]) {
				return errors.New("portserver: probe: what arrived is not what was sent")
			}
			sent = sent[1:]
		}
	}
	return nil
}

// newSender and newReader return a socket's ways out and in of a tier.
func newSender(d *datagrams, tier Tier) (sender, error) {
	if tier == TierPlain {
		return plainSender{d}, nil
	}
	return newBatchSender(d)
}

func newReader(d *datagrams, tier Tier) (reader, error) {
	if tier == TierPlain {
		return newPlainReader(d), nil
	}
	return newBatchReader(d)
}

// canShare says that several sockets can have one port.
const canShare = true

// share lets other sockets of this user have the port of a socket too. The first one is bound without it, so that a port which
// somebody else has is noticed.
func share(raw syscall.RawConn) error {
	var fault error
	err := raw.Control(func(fd uintptr) {
		fault = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	})
	return errors.Join(err, fault)
}

// enlarge sets a socket's buffers beyond what the system allows to everybody, where this process may (CAP_NET_ADMIN).
func enlarge(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendBuffer)
	})
}
