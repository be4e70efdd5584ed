package server

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/parley-rtc/parley/internal/config"
)

// Info is what a person who started the server should know.
type Info struct {
	// Version is the program's.
	Version string
	// Listen is the address of the one TCP port and the one UDP port.
	Listen netip.AddrPort
	// Local is the address of the page for a browser on this machine; empty when the server does not listen there.
	Local string
	// Bases are the addresses of the page for others, the one to hand out first.
	Bases []string
	// Room is the name of the first room, and Links lead to it.
	Room  string
	Links Links
	// Addresses are those at which clients reach this server, and AddressesFrom says how they are known.
	Addresses     []netip.Addr
	AddressesFrom string
	// WhoMakesRooms says who may make rooms; the sentence goes on from "Rooms".
	WhoMakesRooms string
	// RelayPorts are the open relay ports.
	RelayPorts config.Ports
	// Data is the data directory.
	Data string
	// Warnings are sentences about what will not work as one might expect, and what to do.
	Warnings []string
}

// AddressWords lists the addresses.
func (i Info) AddressWords() string {
	words := make([]string, len(i.Addresses))
	for n, a := range i.Addresses {
		words[n] = a.String()
	}
	return strings.Join(words, ", ")
}

// Info tells about the server; it does not change.
func (s *Server) Info() Info { return s.info }

// describe fills in what is known once the port is open.
func (s *Server) describe(at addresses, first room, warning string) Info {
	c := &s.cfg.Config
	i := Info{
		Version: s.cfg.Version, Listen: s.port.Addr(), Room: first.name, Addresses: at.list, AddressesFrom: at.from,
		RelayPorts: c.Relay.Ports, Data: c.Data,
		WhoMakesRooms: "are made by anybody on this private network; from elsewhere only with a host link (parley token ROOM)",
	}
	if c.Domain != "" {
		i.WhoMakesRooms = "are made with a host link only (parley token ROOM prints one)"
	}
	i.Bases, i.Local = bases(s.acmeDomain(), s.certificates.Names(), at, i.Listen)
	i.Links = NewLinks(s.keys, i.Bases[0], first.name, first.made)
	if warning != "" {
		i.Warnings = append(i.Warnings, warning)
	}
	i.Warnings = append(i.Warnings, s.warnings(at, i.Listen)...)
	return i
}

// acmeDomain is the domain when its certificate comes by ACME.
func (s *Server) acmeDomain() string {
	if s.cfg.Cert != "" {
		return ""
	}
	return s.cfg.Domain
}

// warnings says what will not work as one might expect.
func (s *Server) warnings(at addresses, listen netip.AddrPort) []string {
	c := &s.cfg.Config
	var out []string
	loopback := listen.Addr().IsLoopback()
	switch {
	case s.acmeDomain() != "" && listen.Port() != 443:
		out = append(out, fmt.Sprintf("People and the certificate authority come to port 443 of %s: TCP and UDP 443 must lead to port %d here.", c.Domain, listen.Port()))
	case c.Cert != "" && len(s.certificates.Names()) == 0:
		out = append(out, "The certificate names no host or is signed by its own key, so browsers warn, and networks that let only TLS out cannot use the relay.")
	case c.Cert == "" && c.Domain == "" && !loopback:
		out = append(out, "The certificate is self-signed: browsers warn once, and networks that let only TLS out cannot use the relay. For both there is --domain NAME, or --cert and --key.")
	}
	switch {
	case loopback:
		out = append(out, "Only this machine can reach "+net.JoinHostPort(listen.Addr().String(), decimal(listen.Port()))+". Leave the host out of --listen for others.")
	case at.private() && c.PublicAddress.Auto() && c.Domain == "":
		out = append(out, fmt.Sprintf("%s is private: people elsewhere on the Internet do not reach it. If they reach this machine by another address, say which: --public-address IP.", at.list[0]))
	}
	return out
}

// Bases is Base, and the address of the site for programs on the server's own machine; local is empty when it does not
// listen there.
func Bases(c *config.Config) (public, local string, err error) { return newBases(c, machine{}) }

// Base is the address of the site that a configuration leads to, without starting anything: what "parley serve" would
// hand out first.
func Base(c *config.Config) (string, error) { return newBase(c, machine{}) }
