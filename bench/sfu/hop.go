package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
)

// hop is a process between two people that passes datagrams on as they are: what it adds, any server does.
type hop struct {
	*target
	ports [2]string // for the one who offers, and for the one who answers
}

// newHop starts this program as one.
func newHop(ctx context.Context, self string) (*hop, error) {
	t, err := start(ctx, program{"hop", []string{self, "-serve-hop"}})
	if err != nil {
		return nil, err
	}
	h := &hop{target: t}
	var ok bool
	if h.ports[0], h.ports[1], ok = strings.Cut(t.base, " "); !ok {
		t.stop()
		return nil, errors.New("the hop does not say its ports")
	}
	return h, nil
}

// candidate is what leads to a person, up to the port.
var candidate = regexp.MustCompile(`(a=candidate:\S+ \d udp \d+ )\S+ \d+`)

// lead has a description lead to a port of the hop.
func (h *hop) lead(sdp string, to int) string {
	return candidate.ReplaceAllString(sdp, "${1}127.0.0.1 "+h.ports[to])
}

// serveHop passes datagrams on until in ends. What comes to one socket leaves from the other, to whoever has spoken to that last.
func serveHop(in io.Reader, out io.Writer) error {
	var sockets [2]*net.UDPConn
	var people [2]atomic.Pointer[netip.AddrPort]
	for i := range sockets {
		var err error
		if sockets[i], err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return err
		}
		defer sockets[i].Close()
	}
	for i, conn := range sockets {
		go func() {
			b := make([]byte, 1<<16)
			for {
				n, src, err := conn.ReadFromUDPAddrPort(b)
				if err != nil {
					return
				}
				if known := people[i].Load(); known == nil || *known != src {
					came := src // only this one goes to the heap
					people[i].Store(&came)
				}
				if dst := people[1-i].Load(); dst != nil {
					_, _ = sockets[1-i].WriteToUDPAddrPort(b[:n], *dst)
				}
			}
		}()
	}
	port := func(i int) uint16 { return sockets[i].LocalAddr().(*net.UDPAddr).AddrPort().Port() }
	fmt.Fprintf(out, "%d %d\n", port(0), port(1))
	_, err := io.Copy(io.Discard, in)
	return err
}
