package whipserver

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
)

// The media types.
const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// ServeHTTP answers both protocols.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cors(w.Header())
	k, room, id, ok := route(r.URL.Path)
	if !ok {
		refuse(http.StatusNotFound, "unknown", "the address is /whip/ROOM for encoders and /whep/ROOM for players; a room's name is 1 to 64 lower-case letters, digits, - and _").write(w)
		return
	}
	if p := s.serve(w, r, k, room, id); p != nil {
		s.log.Debug("refused", "protocol", k, "room", room, "status", p.Status, "reason", p.Detail)
		p.write(w)
	}
}

// cors lets pages of other sites use the protocols: they carry no cookies, and what such a page may do is decided by its Origin
// and its token (allowed).
func cors(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Location, Link, ETag, Accept-Patch, Accept-Post, Retry-After")
	h.Del("Cross-Origin-Resource-Policy")
}

// route reads a path: /whip/{room} or /whip/{room}/s/{id}, or the same of whep.
func route(path string) (k kind, room, id string, ok bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) == 3 && parts[2] == "" {
		parts = parts[:2] // some clients end an endpoint with a slash
	}
	if len(parts) < 2 {
		return "", "", "", false
	}
	k, room = kind(parts[0]), parts[1]
	switch {
	case k != whip && k != whep, !signal.ValidRoom(room):
		return k, room, "", false
	case len(parts) == 2:
		return k, room, "", true
	}
	return k, room, parts[len(parts)-1], len(parts) == 4 && parts[2] == "s" && parts[3] != ""
}

// serve answers a request, or says why not.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, k kind, room, id string) *problem {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	allow, accept, media := "OPTIONS, GET, HEAD, POST", "Accept-Post", typeSDP
	if id != "" {
		allow, accept, media = "OPTIONS, GET, HEAD, PATCH, DELETE", "Accept-Patch", typeFragment
	}
	switch method := r.Method; {
	case method == http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", allow)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
		h.Set("Access-Control-Max-Age", "86400")
		h.Set("Allow", allow)
		h.Set(accept, media)
		w.WriteHeader(http.StatusOK)
		return nil
	case !slices.Contains(strings.Split(allow, ", "), method):
		return refuse(http.StatusMethodNotAllowed, "method", "this address takes "+allow).with("Allow", allow)
	}
	from := s.from(r)
	if !s.limit.ask(time.Now(), from.address) {
		return refuse(http.StatusTooManyRequests, "busy", "too many requests from your address; try again in a minute").after(60)
	}
	switch r.Method {
	case http.MethodPost:
		return s.post(w, r, k, room, &from)
	case http.MethodPatch:
		return s.patch(w, r, k, room, id)
	case http.MethodDelete:
		return s.remotely(w, k, room, id)
	}
	if id != "" && s.find(k, room, id) == nil {
		return gone()
	}
	w.WriteHeader(http.StatusNoContent) // reserved: there is nothing to see (RFC 9725 §4.1)
	return nil
}

// remotely ends a session because its client says so.
func (s *Server) remotely(w http.ResponseWriter, k kind, room, id string) *problem {
	x := s.find(k, room, id)
	if x == nil {
		return gone()
	}
	x.finish("its client has ended it")
	w.WriteHeader(http.StatusOK)
	return nil
}

// visitor is who sends a request.
type visitor struct {
	address netip.Prefix
	open    bool   // open mode holds
	token   bool   // it has sent one
	pass    bool   // which is good for the room
	name    string // that the token gives it
}

func (s *Server) from(r *http.Request) visitor {
	remote, _ := netip.ParseAddrPort(r.RemoteAddr)
	var local netip.AddrPort
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		local, _ = netip.ParseAddrPort(a.String())
	}
	return visitor{
		address: prefixOf(remote.Addr()),
		open:    !s.cfg.Hidden(r) && auth.Open(local.Addr(), remote.Addr(), r.Host, s.cfg.Domain),
	}
}

// allowed finds out what a request's token is good for, and whether a page of its origin may ask. A page of a site that is neither
// ours nor listed needs a token: the network that it is looked at in proves nothing about whoever wrote it.
func (s *Server) allowed(r *http.Request, k kind, room string, from *visitor) *problem {
	from.token = r.Header.Get("Authorization") != ""
	if from.token {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || !s.admits(strings.TrimSpace(token), k, room, from) {
			return refuse(http.StatusUnauthorized, "bad-secret", "the bearer token is not good for this room, or not any more, or not for this protocol; ask the host for another one, or leave it out").
				with("WWW-Authenticate", `Bearer realm="parley", error="invalid_token"`)
		}
	}
	if !from.pass && !s.originAllowed(r) {
		return refuse(http.StatusForbidden, "forbidden", "pages of this origin need a bearer token here, or a place under origins in the configuration")
	}
	return nil
}

// admits reports whether a token is good, and notes what it says.
func (s *Server) admits(token string, k kind, room string, from *visitor) bool {
	now := time.Now()
	if s.cfg.Keys.CheckHost(room, token, now) {
		from.pass = true
		return true
	}
	pass, ok := s.cfg.Keys.PassOpen(token, now)
	if !ok || pass.Room != room || pass.Publishes != (k == whip) {
		return false
	}
	from.pass, from.name = true, pass.Name
	return true
}

// originAllowed decides as for sockets: none, ours, or a listed one.
func (s *Server) originAllowed(r *http.Request) bool {
	list := r.Header.Values("Origin")
	if len(list) != 1 {
		return len(list) == 0
	}
	return strings.EqualFold(list[0], base(r)) || slices.ContainsFunc(s.cfg.Origins, func(o string) bool { return strings.EqualFold(o, list[0]) })
}

// base is the origin that the client has reached us at.
func base(r *http.Request) string {
	scheme := r.URL.Scheme
	if scheme == "" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	return scheme + "://" + r.Host
}

// body reads a body of that type.
func body(w http.ResponseWriter, r *http.Request, media string, most int64) (string, *problem) {
	accept := "Accept-Post"
	if media == typeFragment {
		accept = "Accept-Patch"
	}
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != media {
		return "", refuse(http.StatusUnsupportedMediaType, "malformed", "the body has to be "+media+", and Content-Type has to say so").with(accept, media)
	}
	large := func() *problem {
		return refuse(http.StatusRequestEntityTooLarge, "too-large", "the body is longer than "+strconv.FormatInt(most, 10)+" bytes; offer fewer sections or codecs")
	}
	if r.ContentLength > most {
		return "", large()
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return "", large()
	case err != nil:
		return "", refuse(http.StatusBadRequest, "malformed", "the body did not come whole; send it again")
	}
	return string(b), nil
}
