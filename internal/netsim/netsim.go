// Package netsim is a network in memory and in virtual time, for tests: interfaces with delay, loss, jitter, reordering
// and a rate, NATs before them, and every fault that a call has to survive. It is sans-IO: the caller sends packets and
// fetches what has arrived by the time that it says; the same seed and the same calls give the same network.
//
// Whoever sends and receives is an Interface. It has an address and one line to the next NAT, or to the internet when it
// has none. The internet itself takes no time: delay, loss and faults belong to lines.
package netsim

import (
	"container/heap"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Protocol is what a packet belongs to; NATs keep the two apart, firewalls too.
type Protocol uint8

// The protocols.
const (
	UDP Protocol = iota
	TCP
)

// MTU is the longest payload that passes, in bytes: an Ethernet frame without its headers. Longer ones are lost.
const MTU = 1472

// maxFlying is how many packets may be under way in a network; what is sent beyond that is lost.
const maxFlying = 1 << 16

// Packet is one datagram, or one segment of a stream. Its payload belongs to the network once it was sent.
type Packet struct {
	Protocol Protocol
	Src, Dst netip.AddrPort
	Payload  []byte
}

// Delivery is a packet that has arrived.
type Delivery struct {
	To     *Interface
	Packet Packet
}

// Stats counts packets of a network since its beginning.
type Stats struct {
	// Sent left an interface; Delivered arrived. Lost were dropped by chance, by a full queue or a fault; Refused had no
	// way: an interface that is down, a NAT without a mapping, an address that nobody has.
	Sent, Delivered, Lost, Refused uint64
}

// Network is one simulated internet. **Exactly one goroutine uses it at a time.**
type Network struct {
	chance     chance
	interfaces []*Interface
	nats       []*NAT
	flying     flight
	order      uint64
	stats      Stats
}

// New makes an empty network. Everything that is left to chance in it follows from seed.
func New(seed uint64) *Network { return &Network{chance: chance(seed)} }

// Stats returns the counters.
func (n *Network) Stats() Stats { return n.stats }

// Interface is one end of the network with its line. Its fields may be changed at any time; what is under way keeps its
// delay, and arrives only if the interface is up and has the address by then.
type Interface struct {
	// Name is for people and for filters: "eth0".
	Name string
	// Address is where it can be reached: a public address, or any other behind a NAT.
	Address netip.Addr
	// Behind is the NAT before it, nil on the internet.
	Behind *NAT
	// Up is false while it is unplugged: nothing goes in or out.
	Up bool
	// Hole is true while everything vanishes although the interface seems fine.
	Hole bool
	// NoUDP is true while a firewall lets no UDP through.
	NoUDP bool
	// Out and In shape what is sent and what arrives.
	Out, In Line

	network *Network
}

// Attach adds an interface that is up, with lines of no delay.
func (n *Network) Attach(name string, address netip.Addr, behind *NAT) *Interface {
	i := &Interface{Name: name, Address: address, Behind: behind, Up: true, network: n}
	n.interfaces = append(n.interfaces, i)
	return i
}

// ErrTooLong says that a packet exceeds the MTU.
var ErrTooLong = errors.New("netsim: the packet is longer than the network carries")

// ErrDown says that an interface is down.
var ErrDown = errors.New("netsim: the interface is down")

// Send sends a packet from an interface at now, which never goes back. p.Src is one of the interface's own addresses.
// An error is what a system call would say; all else that happens to a packet only shows by its not arriving.
func (i *Interface) Send(now time.Time, p Packet) error {
	n := i.network
	if len(p.Payload) > MTU {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(p.Payload), MTU)
	}
	if !i.Up || p.Src.Addr() != i.Address {
		n.stats.Refused++
		return ErrDown
	}
	n.stats.Sent++
	if i.Hole || i.NoUDP && p.Protocol == UDP {
		n.stats.Lost++
		return nil
	}
	at, ok := i.Out.pass(now, len(p.Payload), &n.chance)
	if !ok {
		n.stats.Lost++
		return nil
	}
	n.launch(packetAt{at: at, from: i, packet: p})
	return nil
}

// Next is when Deliver has something to do; zero when nothing is under way.
func (n *Network) Next() time.Time {
	if len(n.flying) == 0 {
		return time.Time{}
	}
	return n.flying[0].at
}

// Deliver returns what has arrived by now, in the order of arrival.
func (n *Network) Deliver(now time.Time) (list []Delivery) {
	for len(n.flying) > 0 && !n.flying[0].at.After(now) {
		f := heap.Pop(&n.flying).(packetAt)
		if f.to == nil {
			n.route(f)
			continue
		}
		if !f.to.takes(f.packet) {
			n.stats.Lost++
			continue
		}
		n.stats.Delivered++
		list = append(list, Delivery{To: f.to, Packet: f.packet})
	}
	return list
}

// takes reports whether a packet that is here can go in.
func (i *Interface) takes(p Packet) bool {
	return i.Up && !i.Hole && i.Address == p.Dst.Addr() && (!i.NoUDP || p.Protocol != UDP)
}

// route takes a packet that left its line through the NATs to the line of its receiver.
func (n *Network) route(f packetAt) {
	p := f.packet
	behind := f.from.Behind
	to := n.find(p.Dst.Addr(), behind)
	if to == nil && behind != nil {
		var ok bool
		if p.Src, ok = behind.out(f.at, p); !ok {
			n.stats.Refused++
			return
		}
		to = n.find(p.Dst.Addr(), nil)
	}
	if to == nil {
		if nat := n.nat(p.Dst.Addr()); nat != nil {
			var ok bool
			if p.Dst, ok = nat.in(f.at, p); ok {
				to = n.find(p.Dst.Addr(), nat)
			}
		}
	}
	if to == nil {
		n.stats.Refused++
		return
	}
	at, ok := to.In.pass(f.at, len(p.Payload), &n.chance)
	if !ok {
		n.stats.Lost++
		return
	}
	n.launch(packetAt{at: at, to: to, packet: p})
}

// find returns the interface with an address in one realm: behind a NAT, or on the internet.
func (n *Network) find(address netip.Addr, behind *NAT) *Interface {
	for _, i := range n.interfaces {
		if i.Address == address && i.Behind == behind {
			return i
		}
	}
	return nil
}

func (n *Network) nat(address netip.Addr) *NAT {
	for _, nat := range n.nats {
		if nat.Address == address {
			return nat
		}
	}
	return nil
}

func (n *Network) launch(f packetAt) {
	if len(n.flying) >= maxFlying {
		n.stats.Lost++
		return
	}
	n.order++
	f.order = n.order
	heap.Push(&n.flying, f)
}

// packetAt is a packet under way: to its receiver, or, while that is nil, to the end of the sender's line.
type packetAt struct {
	at     time.Time
	order  uint64
	from   *Interface
	to     *Interface
	packet Packet
}

// flight is a heap of packets by the time they arrive; those of one time keep their order.
type flight []packetAt

func (f flight) Len() int { return len(f) }
func (f flight) Less(i, j int) bool {
	if !f[i].at.Equal(f[j].at) {
		return f[i].at.Before(f[j].at)
	}
	return f[i].order < f[j].order
}
func (f flight) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

// Push implements heap.Interface.
func (f *flight) Push(x any) { *f = append(*f, x.(packetAt)) }

// Pop implements heap.Interface.
func (f *flight) Pop() any {
	last := len(*f) - 1
	x := (*f)[last]
	(*f)[last] = packetAt{}
	*f = (*f)[:last]
	return x
}
