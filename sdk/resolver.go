package parley

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

// resolver is the real network as it is now, with names looked up as the options say; a nil lookup is the system's.
type resolver struct {
	transport.Net
	lookup func(ctx context.Context, host string) ([]net.IP, error)
}

func newResolver(lookup func(context.Context, string) ([]net.IP, error)) (*resolver, error) {
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	return &resolver{Net: n, lookup: lookup}, nil
}

// Interfaces returns the interfaces of now: the real network remembers those of its beginning.
func (r *resolver) Interfaces() ([]*transport.Interface, error) {
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	return n.Interfaces()
}

// InterfaceByName returns an interface of now.
func (r *resolver) InterfaceByName(name string) (*transport.Interface, error) {
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	return n.InterfaceByName(name)
}

// ResolveUDPAddr is net.ResolveUDPAddr with our look-up.
func (r *resolver) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	if r.lookup == nil {
		return r.Net.ResolveUDPAddr(network, address)
	}
	ip, port, err := r.resolve(network, address)
	return &net.UDPAddr{IP: ip, Port: port}, err
}

// ResolveTCPAddr is net.ResolveTCPAddr with our look-up.
func (r *resolver) ResolveTCPAddr(network, address string) (*net.TCPAddr, error) {
	if r.lookup == nil {
		return r.Net.ResolveTCPAddr(network, address)
	}
	ip, port, err := r.resolve(network, address)
	return &net.TCPAddr{IP: ip, Port: port}, err
}

func (r *resolver) resolve(network, address string) (net.IP, int, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, 0, err
	}
	port, err := strconv.Atoi(service)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	all, err := look(ctx, r.lookup, host)
	if err != nil {
		return nil, 0, err
	}
	for _, ip := range all {
		four := ip.To4() != nil
		if network[len(network)-1] != '6' && four || network[len(network)-1] != '4' && !four {
			return ip, port, nil
		}
	}
	return nil, 0, &net.DNSError{Err: "no address of this family", Name: host, IsNotFound: true}
}

// look finds the addresses of host, which may be one.
func look(ctx context.Context, lookup func(context.Context, string) ([]net.IP, error), host string) ([]net.IP, error) {
	if ip := net.ParseIP(host); ip != nil {
		return []net.IP{ip}, nil
	}
	return lookup(ctx, host)
}

// dialer returns the options' way to open TCP connections.
func (o Options) dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	d := o.Dial
	if d == nil {
		d = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	if o.Lookup == nil {
		return d
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		all, err := look(ctx, o.Lookup, host)
		if err != nil {
			return nil, err
		}
		var errs []error
		for _, ip := range all {
			conn, err := d(ctx, network, net.JoinHostPort(ip.String(), port))
			if err == nil {
				return conn, nil
			}
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	}
}
