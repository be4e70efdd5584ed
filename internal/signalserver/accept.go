package signalserver

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
)

// origin is what the HTTP request tells of a client.
type origin struct {
	address netip.Prefix // what limits count
	open    bool         // open mode holds
	host    string       // the Host header
}

// accept upgrades a request to a socket, or says why not.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.draining.Load():
		w.Header().Set("Retry-After", "5")
		http.Error(w, "the server is going down; try again in a few seconds", http.StatusServiceUnavailable)
		return
	case !s.originAllowed(r):
		http.Error(w, "pages of "+cleanOrigin(r)+" may not connect; list it under origins in the configuration", http.StatusForbidden)
		return
	case !offers(r, signal.Subprotocol):
		http.Error(w, "the WebSocket subprotocol "+signal.Subprotocol+" is required", http.StatusBadRequest)
		return
	}
	from := s.originOf(r)
	if !s.limits.conns.take(from.address) {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many connections from your address; try again later", http.StatusTooManyRequests)
		return
	}
	k := &socket{server: s, from: from}
	k.bucket.Store(new(bucket))
	h := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		Subprotocols:       []string{signal.Subprotocol},
		InsecureSkipVerify: true, // originAllowed is stricter
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     k.control,
		OnPongReceived:     k.controlPong,
	})
	if err != nil {
		s.limits.conns.give(from.address)
		s.log.Debug("no websocket", "err", err)
		return
	}
	k.ws, k.conn = ws, h.conn
	ws.SetReadLimit(discardLimit)
	if !s.sockets.add(k) {
		s.limits.conns.give(from.address)
		k.turnAway() // a drain began meanwhile
		return
	}
	go k.run() // not here: this goroutine's stack has grown in net/http, and a socket lives for long
}

// originAllowed decides whether a page may connect: none (not a browser), ours, or a listed one.
func (s *Server) originAllowed(r *http.Request) bool {
	list := r.Header.Values("Origin")
	if len(list) == 0 {
		return true
	}
	if len(list) > 1 {
		return false
	}
	scheme := r.URL.Scheme
	if scheme == "" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	own := scheme + "://" + r.Host
	return strings.EqualFold(list[0], own) || slices.ContainsFunc(s.cfg.Origins, func(o string) bool {
		return strings.EqualFold(o, list[0])
	})
}

// cleanOrigin is the Origin header, fit for an answer.
func cleanOrigin(r *http.Request) string {
	o := r.Header.Get("Origin")
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' || c == '<' {
			return '?'
		}
		return c
	}, o[:min(len(o), 100)])
}

// offers reports whether the request offers a subprotocol.
func offers(r *http.Request, protocol string) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(p) == protocol {
				return true
			}
		}
	}
	return false
}

func (s *Server) originOf(r *http.Request) origin {
	remote, _ := netip.ParseAddrPort(r.RemoteAddr)
	var local netip.AddrPort
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		local, _ = netip.ParseAddrPort(a.String())
	}
	return origin{
		address: prefixOf(remote.Addr()),
		open:    !s.cfg.Hidden(r) && auth.Open(local.Addr(), remote.Addr(), r.Host, s.cfg.Domain),
		host:    r.Host,
	}
}

// forwarded reports whether a proxy left its mark.
func forwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}
