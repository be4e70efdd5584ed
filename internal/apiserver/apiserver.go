// Package apiserver answers the HTTP API below /api/v1: in JSON, faults too. The manual is docs/api.md.
//
// Who asks is known by a Bearer token: the admin's, from a file of the data directory, or that of a seat in one call. A
// request that comes from this very machine is the admin's as well, see local.go. Nothing here may be read by the pages of
// other sites: there is no CORS, and what a browser sends on their behalf is refused.
package apiserver

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/trace"
)

const (
	// defaultPage and maxPage are how many calls one answer lists.
	defaultPage = 50
	maxPage     = 200
	// base is where everything is below.
	base = "/api/v1"
)

// Calls has the records. It must be safe for concurrent use.
type Calls interface {
	// Get returns a record, and false when there is none, or none any more.
	Get(ctx context.Context, id string) (r trace.Record, ok bool, err error)
	// List returns calls, the newest first, that come after the one with the place before, and whether there are more.
	List(ctx context.Context, before string, limit int) (list []trace.Summary, more bool, err error)
}

// Config is what a Server is made with.
type Config struct {
	// Version is the program's, for the description.
	Version string
	// Admin is the admin token.
	Admin auth.Secret
	// Local lets requests from this machine pass for the admin's. It must be off where a reverse proxy on this machine
	// forwards other people's.
	Local bool
	// Metrics returns the numbers of now; nil is none. It is asked from many goroutines.
	Metrics func() []Metric
}

// Server is the API. Make one with New.
type Server struct {
	cfg     Config
	keys    *auth.Keys
	calls   Calls
	log     *slog.Logger
	guesses guesses
	mux     *http.ServeMux
	openapi []byte
}

// New makes a server of the records in calls.
func New(cfg Config, keys *auth.Keys, calls Calls, log *slog.Logger) *Server {
	s := &Server{cfg: cfg, keys: keys, calls: calls, log: log, mux: http.NewServeMux(), openapi: describe(cfg.Version)}
	s.mux.HandleFunc(base+"/calls", s.list)
	s.mux.HandleFunc(base+"/calls/{id}", s.call)
	s.mux.HandleFunc(base+"/metrics", s.metrics)
	s.mux.HandleFunc(base+"/openapi.json", s.describe)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "unknown", "There is nothing at this address; see "+base+"/openapi.json.")
	})
	return s
}

// ServeHTTP answers a request. RemoteAddr and Host have to be those that the client sees.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "method", "Only GET is answered here.")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Page is one answer of the list.
type Page struct {
	// Calls are the newest first.
	Calls []trace.Summary `json:"calls"`
	// Next is what to ask with as "before" for the calls before these; absent when there are none.
	Next string `json:"next,omitempty"`
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.who(w, r); !ok {
		return
	} else if !who.admin {
		refuse(w, http.StatusForbidden, "forbidden", "Only the admin may list calls; this token is for one call.")
		return
	}
	limit := defaultPage
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			refuse(w, http.StatusBadRequest, "malformed", "limit has to be a number from 1 to "+strconv.Itoa(maxPage)+".")
			return
		}
		limit = n
	}
	list, more, err := s.calls.List(r.Context(), r.URL.Query().Get("before"), limit)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	page := Page{Calls: list}
	if page.Calls == nil {
		page.Calls = []trace.Summary{}
	}
	if more && len(list) > 0 {
		page.Next = list[len(list)-1].Place()
	}
	answer(w, http.StatusOK, page)
}

func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	who, ok := s.who(w, r)
	if !ok {
		return
	}
	id := r.PathValue("id")
	if !who.admin && who.call != id {
		refuse(w, http.StatusForbidden, "forbidden", "This token is for another call.")
		return
	}
	record, ok, err := s.calls.Get(r.Context(), id)
	switch {
	case err != nil:
		s.fault(w, r, err)
	case !ok:
		refuse(w, http.StatusNotFound, "unknown", "There is no record of this call, or none any more: records are kept for a time only.")
	default:
		answer(w, http.StatusOK, record)
	}
}

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.openapi) // a client that is gone needs no answer
}

// visitor is who asks.
type visitor struct {
	admin bool
	call  string // the one call that may be read
}

// who finds out who asks, or answers why that is not known.
func (s *Server) who(w http.ResponseWriter, r *http.Request) (v visitor, ok bool) {
	token := bearer(r)
	if token == "" {
		if s.cfg.Local && local(r) {
			return visitor{admin: true}, true
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="parley"`)
		refuse(w, http.StatusUnauthorized, "unauthorized",
			"Say who you are: Authorization: Bearer, with the token of your seat in the call, or the admin token from the data directory.")
		return visitor{}, false
	}
	if s.cfg.Admin.Is(token) {
		return visitor{admin: true}, true
	}
	if c, ok := s.keys.CallOpen(token); ok {
		return visitor{call: c.ID}, true
	}
	if wait := s.guesses.wrong(r.RemoteAddr); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		refuse(w, http.StatusTooManyRequests, "busy", "Too many wrong tokens came from your address; try again later.")
		return visitor{}, false
	}
	refuse(w, http.StatusForbidden, "forbidden", "This token is not good here.")
	return visitor{}, false
}

// bearer is the token of the request (RFC 6750 §2.1); the form in the address is not taken, since addresses are logged.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func (s *Server) fault(w http.ResponseWriter, r *http.Request, err error) {
	s.log.Warn("a call record could not be read", "path", r.URL.Path, "err", err)
	refuse(w, http.StatusServiceUnavailable, "fault", "The records cannot be read just now. It is not your fault; please try again.")
}

// Fault is the answer to a request that could not be obeyed.
type Fault struct {
	// Code is for programs: unauthorized, forbidden, unknown, malformed, method, busy or fault.
	Code string `json:"code"`
	// Words say to a person what is wrong and what to do.
	Words string `json:"words"`
}

func refuse(w http.ResponseWriter, status int, code, words string) {
	answer(w, status, Fault{Code: code, Words: words})
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("apiserver: our own types have JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a client that is gone needs no answer
}
