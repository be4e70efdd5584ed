package httpserver

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// visit is a request as the client meant it, with what a trusted proxy says about it.
type visit struct {
	client    netip.AddrPort // who asks; port 0 behind a proxy
	host      string         // Host as the browser shows it, with its port if any
	secure    bool           // the browser speaks https
	proxied   bool           // the peer is a trusted proxy
	forwarded bool           // somebody forwards, and it is not known for whom
}

type forwardedKey struct{}

// Forwarded reports whether this request was forwarded for an unknown client: a peer that is not a trusted proxy says so,
// or a trusted one does not tell for whom. However private the peer's address, the client may be anybody.
func Forwarded(ctx context.Context) bool { return ctx.Value(forwardedKey{}) != nil }

// visit reads who asks for what. Words say to a person why that cannot be told; "" means that it can.
func (s *Server) visit(r *http.Request, secure bool) (v *visit, words string) {
	v = &visit{host: r.Host, secure: secure}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil, "The address of the connection is not known."
	}
	v.client = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	said := readForwarded(r.Header)
	switch {
	case !s.trusted(v.client.Addr()):
		v.forwarded = said.any
	case said.contradictory:
		// A proxy that sets one of the two headers hands the other on as the client wrote it, lies included.
		return nil, "The headers Forwarded and X-Forwarded-For name different clients. The reverse proxy must set one and remove the other."
	default:
		v.proxied = true
		v.follow(s, said)
	}
	if !validHost(v.host) {
		return nil, "The Host header is not a host's name or address."
	}
	return v, ""
}

// follow takes over what a trusted proxy says.
func (v *visit) follow(s *Server, said forwarded) {
	v.forwarded = said.any && (len(said.clients) == 0 || !said.clients[len(said.clients)-1].IsValid())
	for i := len(said.clients) - 1; i >= 0; i-- { // the nearest proxy's word stands last
		if !said.clients[i].IsValid() {
			break // "unknown" or a name: the last address that is known stands
		}
		v.client = netip.AddrPortFrom(said.clients[i], 0)
		if !s.trusted(said.clients[i]) {
			break
		}
	}
	if said.proto != "" {
		v.secure = strings.EqualFold(said.proto, "https") || strings.EqualFold(said.proto, "wss")
	}
	if said.host != "" {
		v.host = said.host
	}
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// served reports whether the request is answered rather than sent to https: when it came by https, from a trusted
// proxy, or for a host that browsers treat as secure without. What counts is the name that the browser used, not the
// peer's address: a published port of a container comes from the address of a bridge, and a stranger who lies about the
// Host deceives only himself.
func (v *visit) served() bool { return v.secure || v.proxied || localHost(v.host) }

// request is r as the client meant it.
func (v *visit) request(r *http.Request) *http.Request {
	ctx := r.Context()
	if v.forwarded {
		ctx = context.WithValue(ctx, forwardedKey{}, true)
	}
	r = r.Clone(ctx)
	r.RemoteAddr = v.client.String()
	r.Host = v.host
	r.URL.Scheme = v.scheme()
	return r
}

func (v *visit) scheme() string {
	if v.secure {
		return "https"
	}
	return "http"
}

// splitHost cuts the port off a Host header, and the brackets off an IPv6 address. The port is "" when there is none.
func splitHost(host string) (name, port string) {
	if name, port, err := net.SplitHostPort(host); err == nil {
		return name, port
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), ""
}

// localHost reports whether host names this machine, which browsers trust without TLS (W3C Secure Contexts §3.1).
func localHost(host string) bool {
	name, _ := splitHost(host)
	if a, err := netip.ParseAddr(name); err == nil {
		return a.IsLoopback()
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// validHost reports whether host can stand in a header, a link and the page's policy: net/http lets more through.
func validHost(host string) bool {
	name, port := splitHost(host)
	if port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a.Zone() == "" && a.Is6() == strings.HasPrefix(host, "[")
	}
	if name == "" || len(name) > 253 || strings.HasPrefix(host, "[") || strings.HasSuffix(host, ":") {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}
