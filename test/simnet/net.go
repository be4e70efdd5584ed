package simnet

import (
	"context"
	"net"
	"net/netip"

	"github.com/pion/transport/v4"
)

// Net is the host as pion sees it. Names are addresses here; streams go through DialContext.
type Net struct{ Host *Host }

var _ transport.Net = Net{}

// ListenPacket implements transport.Net.
func (n Net) ListenPacket(network, address string) (net.PacketConn, error) {
	a, err := n.ResolveUDPAddr(network, address)
	if err != nil {
		return nil, err
	}
	return n.ListenUDP(network, a)
}

// ListenUDP implements transport.Net.
func (n Net) ListenUDP(_ string, local *net.UDPAddr) (transport.UDPConn, error) {
	return n.DialUDP("udp", local, nil)
}

// DialUDP implements transport.Net.
func (n Net) DialUDP(_ string, local, remote *net.UDPAddr) (transport.UDPConn, error) {
	var from, to netip.AddrPort
	if local != nil {
		p := local.AddrPort()
		from = netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	if remote != nil {
		p := remote.AddrPort()
		to = netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	s, err := n.Host.listen(from, to)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Err: err}
	}
	return s, nil
}

// ListenTCP implements transport.Net; there is none for pion.
func (n Net) ListenTCP(string, *net.TCPAddr) (transport.TCPListener, error) {
	return nil, transport.ErrNotSupported
}

// DialTCP implements transport.Net; there is none for pion.
func (n Net) DialTCP(string, *net.TCPAddr, *net.TCPAddr) (transport.TCPConn, error) {
	return nil, transport.ErrNotSupported
}

// Dial implements transport.Net.
func (n Net) Dial(network, address string) (net.Conn, error) {
	if network[0] == 't' {
		return n.Host.DialContext(context.Background(), network, address)
	}
	a, err := n.ResolveUDPAddr(network, address)
	if err != nil {
		return nil, err
	}
	return n.DialUDP(network, nil, a)
}

// ResolveIPAddr implements transport.Net.
func (n Net) ResolveIPAddr(_, address string) (*net.IPAddr, error) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return nil, err
	}
	return &net.IPAddr{IP: a.AsSlice()}, nil
}

// ResolveUDPAddr implements transport.Net.
func (n Net) ResolveUDPAddr(_, address string) (*net.UDPAddr, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	return net.UDPAddrFromAddrPort(a), nil
}

// ResolveTCPAddr implements transport.Net.
func (n Net) ResolveTCPAddr(_, address string) (*net.TCPAddr, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	return net.TCPAddrFromAddrPort(a), nil
}

// Interfaces implements transport.Net.
func (n Net) Interfaces() ([]*transport.Interface, error) {
	n.Host.internet.mu.Lock()
	defer n.Host.internet.mu.Unlock()
	var list []*transport.Interface
	for index, i := range n.Host.interfaces {
		if !i.Up {
			continue
		}
		one := transport.NewInterface(net.Interface{Index: index + 1, MTU: 1500, Name: i.Name, Flags: net.FlagUp | net.FlagMulticast})
		one.AddAddress(&net.IPNet{IP: i.Address.AsSlice(), Mask: net.CIDRMask(24, 32)})
		list = append(list, one)
	}
	return list, nil
}

// InterfaceByIndex implements transport.Net.
func (n Net) InterfaceByIndex(index int) (*transport.Interface, error) {
	return n.interfaceBy(func(i *transport.Interface) bool { return i.Index == index })
}

// InterfaceByName implements transport.Net.
func (n Net) InterfaceByName(name string) (*transport.Interface, error) {
	return n.interfaceBy(func(i *transport.Interface) bool { return i.Name == name })
}

func (n Net) interfaceBy(fits func(*transport.Interface) bool) (*transport.Interface, error) {
	list, err := n.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, i := range list {
		if fits(i) {
			return i, nil
		}
	}
	return nil, transport.ErrInterfaceNotFound
}

// CreateDialer implements transport.Net.
func (n Net) CreateDialer(*net.Dialer) transport.Dialer { return n }

// CreateListenConfig implements transport.Net.
func (n Net) CreateListenConfig(*net.ListenConfig) transport.ListenConfig { return listenConfig{n} }

type listenConfig struct{ net Net }

// Listen implements transport.ListenConfig; there are no streams for pion.
func (listenConfig) Listen(context.Context, string, string) (net.Listener, error) {
	return nil, transport.ErrNotSupported
}

// ListenPacket implements transport.ListenConfig.
func (c listenConfig) ListenPacket(_ context.Context, network, address string) (net.PacketConn, error) {
	return c.net.ListenPacket(network, address)
}
