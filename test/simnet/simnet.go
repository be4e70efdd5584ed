// Package simnet lets real programs run over the simulated network of internal/netsim, in virtual time: a Host has
// datagram sockets for pion (transport.Net) and streams for everything else, with the clock of a testing/synctest bubble.
// Tests only.
package simnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/netsim"
)

// Internet drives a network: it delivers packets when their time has come. Safe for concurrent use.
type Internet struct {
	mu      sync.Mutex // guards everything of it, its hosts and their sockets; never held while anything waits
	network *netsim.Network
	hosts   []*Host
	timer   *time.Timer
	closed  bool
}

// New makes an internet with no hosts.
func New(seed uint64) *Internet {
	w := &Internet{network: netsim.New(seed)}
	w.timer = time.AfterFunc(time.Hour, w.tick)
	return w
}

// Close stops delivering.
func (w *Internet) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.timer.Stop()
}

// Change changes the network: its interfaces, lines and NATs are f's alone meanwhile.
func (w *Internet) Change(f func(*netsim.Network)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w.network)
}

// tick delivers what is due.
func (w *Internet) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	for _, d := range w.network.Deliver(time.Now()) {
		for _, h := range w.hosts {
			if h.owns(d.To) {
				h.deliver(d)
			}
		}
	}
	w.arm()
}

// arm sets the timer to the next delivery.
func (w *Internet) arm() {
	if next := w.network.Next(); !next.IsZero() && !w.closed {
		w.timer.Reset(max(0, time.Until(next)))
	}
}

// Host is one machine. The first of its interfaces that is up is the default one.
type Host struct {
	internet   *Internet
	interfaces []*netsim.Interface
	datagrams  map[uint16]*datagrams
	streams    map[ends]*stream
	listeners  map[uint16]*listener
	port       uint16
}

// ends are the addresses of a stream.
type ends struct{ local, remote netip.AddrPort }

// Host adds a machine without an interface.
func (w *Internet) Host() *Host {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := &Host{
		internet: w, datagrams: make(map[uint16]*datagrams), streams: make(map[ends]*stream),
		listeners: make(map[uint16]*listener), port: 30000,
	}
	w.hosts = append(w.hosts, h)
	return h
}

// Plug gives the host an interface. Change it within Internet.Change only.
func (h *Host) Plug(name, address string, behind *netsim.NAT) *netsim.Interface {
	h.internet.mu.Lock()
	defer h.internet.mu.Unlock()
	i := h.internet.network.Attach(name, netip.MustParseAddr(address), behind)
	h.interfaces = append(h.interfaces, i)
	return i
}

func (h *Host) owns(i *netsim.Interface) bool {
	for _, own := range h.interfaces {
		if own == i {
			return true
		}
	}
	return false
}

// deliver hands a packet to its socket. What nobody waits for is refused, if it is a stream's.
func (h *Host) deliver(d netsim.Delivery) {
	p := d.Packet
	if p.Protocol == netsim.UDP {
		if s := h.datagrams[p.Dst.Port()]; s != nil && (s.local.Addr().IsUnspecified() || s.local.Addr() == p.Dst.Addr()) {
			s.arrive(p)
		}
		return
	}
	h.segment(p)
}

var errNoRoute = errors.New("simnet: network is unreachable")

// send sends from the interface that has the address, or from the default one when it is unspecified.
func (h *Host) send(p netsim.Packet) error {
	for _, i := range h.interfaces {
		if !i.Up || p.Src.Addr() != i.Address && !p.Src.Addr().IsUnspecified() {
			continue
		}
		p.Src = netip.AddrPortFrom(i.Address, p.Src.Port())
		if err := i.Send(time.Now(), p); err != nil {
			return fmt.Errorf("simnet: %w", err)
		}
		h.internet.arm()
		return nil
	}
	return errNoRoute
}

// source is the address of the default interface.
func (h *Host) source() (netip.Addr, bool) {
	for _, i := range h.interfaces {
		if i.Up {
			return i.Address, true
		}
	}
	return netip.Addr{}, false
}

// free returns a port that no socket has.
func (h *Host) free() (uint16, error) {
	for range 1 << 15 {
		if h.port++; h.port < 30000 {
			h.port = 30000
		}
		if h.datagrams[h.port] == nil && h.listeners[h.port] == nil {
			return h.port, nil
		}
	}
	return 0, errors.New("simnet: no port is free")
}

// place reads the address of a socket.
func place(a net.Addr) (netip.AddrPort, error) {
	switch a := a.(type) {
	case *net.UDPAddr:
		p := a.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), nil
	case *net.TCPAddr:
		p := a.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), nil
	}
	return netip.AddrPort{}, fmt.Errorf("simnet: no address: %v", a)
}
