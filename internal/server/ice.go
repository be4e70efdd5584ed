package server

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
)

// ice makes the list of STUN and TURN servers for a client: always this one, at the place at which the client has
// reached it, for that place is known to work.
type ice struct {
	keys *auth.Keys
	where
	trusted func(name string) bool // clients accept our certificate by this name
}

// where finds out at which place a client has reached us.
type where struct {
	port    uint16
	proxied bool         // reverse proxies are configured: the port in Host may be theirs
	given   []netip.Addr // public addresses that somebody configured
	loop6   bool         // only the IPv6 loopback address is listened on
}

// Servers lists the servers with fresh credentials for session. host is the Host header of the client's request.
func (i *ice) Servers(session, host string, now time.Time) *signal.ICEServers {
	name, port := i.place(host)
	at := net.JoinHostPort(name, port)
	urls := []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
	if i.trusted(name) {
		urls = append(urls, "turns:"+at+"?transport=tcp")
	}
	username, password, expires := i.keys.RelayIssue(now, session)
	return &signal.ICEServers{
		Servers: []signal.ICEServer{
			{URLs: []string{"stun:" + at}},
			{URLs: urls, Username: username, Credential: password},
		},
		Expires: expires.UnixMilli(),
	}
}

// place is where the client reaches us. A Host without a port was reached on 443, whatever number that has behind a
// port mapping; a reverse proxy's port is not ours, since it carries no TURN.
func (i *where) place(host string) (name, port string) {
	own := decimal(i.port)
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "443"
	}
	if i.proxied && port != own {
		port = own
		if len(i.given) > 0 {
			return i.given[0].String(), port
		}
	}
	// Browsers differ in which address localhost means to TURN.
	if lower := strings.TrimSuffix(strings.ToLower(name), "."); lower == "localhost" || strings.HasSuffix(lower, ".localhost") {
		name = "127.0.0.1"
		if i.loop6 {
			name = "::1"
		}
	}
	return name, port
}
