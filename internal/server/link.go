package server

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/certificate"
	"github.com/parley-rtc/parley/internal/config"
)

func decimal(port uint16) string { return strconv.Itoa(int(port)) }

// Links are the two addresses of a room.
type Links struct {
	// Host makes its bearer a host of the room, for 30 days. The secret is in the fragment, which browsers do not send.
	Host string
	// Guest is for everybody else.
	Guest string
}

// NewGuestLink makes the link to a room below base for everybody but its hosts.
func NewGuestLink(base, room string) string { return strings.TrimSuffix(base, "/") + "/r/" + room }

// NewLinks makes the links to a room below base, such as "https://meet.example.org", with a host secret made at made.
func NewLinks(keys *auth.Keys, base, room string, made time.Time) Links {
	guest := NewGuestLink(base, room)
	return Links{Guest: guest, Host: guest + "#host=" + keys.HostSecret(room, made)}
}

// base is the address of a site on host: a name, or an IP address without brackets.
func base(scheme, host string, port uint16) string {
	if scheme == "https" && port == 443 {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, decimal(port))
}

// bases are the addresses of the site, the one to hand out first. local is the one for a browser on this machine; ""
// when the server does not listen there.
func bases(domain string, names []string, at addresses, listen netip.AddrPort) (public []string, local string) {
	port := listen.Port()
	if listen.Addr().IsUnspecified() || listen.Addr().IsLoopback() {
		local = base("http", "localhost", port)
	}
	if domain != "" {
		// The Internet reaches the domain's certificate on 443, whatever port that is mapped to here.
		return []string{base("https", domain, 443)}, local
	}
	for _, name := range names {
		public = append(public, base("https", name, port))
	}
	for _, a := range at.list {
		if a.IsLoopback() && local != "" {
			public = append(public, local) // without TLS, browsers trust it as it is
			continue
		}
		public = append(public, base("https", a.String(), port))
	}
	return public, local
}

// newBase computes what Base says.
func newBase(c *config.Config, n network) (string, error) {
	public, _, err := newBases(c, n)
	return public, err
}

// newBases computes what Bases says.
func newBases(c *config.Config, n network) (public, local string, err error) {
	if c.Domain != "" && c.Cert == "" {
		return base("https", c.Domain, 443), "", nil // whatever its addresses are
	}
	at, _, err := discover(context.Background(), c, n)
	if err != nil {
		return "", "", err
	}
	var names []string
	if c.Cert != "" {
		if names, err = certificate.Names(c.Cert, c.Key); err != nil {
			return "", "", err
		}
	}
	listen, err := netip.ParseAddrPort(c.Listen)
	if err != nil { // :PORT, or localhost:PORT
		host, port, _ := net.SplitHostPort(c.Listen)
		number, _ := strconv.ParseUint(port, 10, 16)
		a := netip.IPv4Unspecified()
		if host == "localhost" {
			a = at.list[0]
		}
		listen = netip.AddrPortFrom(a, uint16(number))
	}
	list, local := bases("", names, at, listen)
	return list[0], local, nil
}
