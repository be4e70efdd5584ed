// Package httpserver speaks HTTP for the page, the health checks and the upgrade to signalling. It decides what plain
// HTTP gets, which client a reverse proxy speaks for, and which headers guard the page.
//
// What reaches the signalling handler has been put right: RemoteAddr is the client's address even behind a trusted
// proxy, Host is what the client's browser shows, and URL.Scheme is "https" or "http" as the browser sees it. A request
// of which somebody else than a trusted proxy says that it was forwarded carries the mark that [Forwarded] reads.
package httpserver

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// Limits of a connection. The page is small and there are no uploads, so they can be tight.
const (
	// headerTimeout is for the body too: one that never comes would hold its connection for ever.
	headerTimeout = 10 * time.Second
	writeTimeout  = 60 * time.Second // a page of 200 kB over a 30 kbit/s line
	idleTimeout   = 2 * time.Minute
	maxHeader     = 16 << 10 // bytes
	maxBody       = 1 << 10  // bytes; nothing here reads one but Config.Media
)

// Config configures a Server. The zero value serves a self-signed site without proxies.
type Config struct {
	// TrustedProxies may speak plain HTTP and say who the client is.
	TrustedProxies []netip.Prefix
	// HSTS reports whether browsers may be told never to speak plain HTTP with host again (RFC 6797); nil means never.
	HSTS func(host string) bool
	// Media answers what is below /whip/ and /whep/, and reads bodies as long as it likes; nil means nobody. It gets requests put
	// right, as signalling does.
	Media http.Handler
	// API answers what is below /api/; nil means nobody. It gets requests put right, as signalling does.
	API http.Handler
}

// Server answers HTTP requests. Make one with [New].
type Server struct {
	cfg     Config
	log     *slog.Logger
	signal  http.Handler
	site    *site
	idle    *idle
	drained atomic.Bool

	secure, plain *http.Server
}

// New makes a server of the page in files that hands /ws to signal. files must hold index.html or placeholder.html, and
// is read whole now.
func New(cfg Config, signal http.Handler, files fs.FS, log *slog.Logger) (*Server, error) {
	site, err := readSite(files)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: log, signal: signal, site: site}
	s.idle = &idle{
		limit: idleLimit, perSource: idlePerSource, exempt: s.trusted,
		sources: map[netip.Addr]*list.List{}, entries: map[net.Conn]*idleEntry{},
	}
	s.secure = s.door(true)
	s.plain = s.door(false)
	return s, nil
}

// door makes the server for one of the two listeners. Which one a connection came by says whether it was encrypted;
// the type of the connection does not, since some are wrapped.
func (s *Server) door(secure bool) *http.Server {
	return &http.Server{
		Handler:           s.Handler(secure),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ConnState:         s.idle.follow,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // clients that break off
	}
}

// Serve serves decrypted connections from secure and unencrypted ones from plain until [Server.Shutdown] or until both
// listeners are closed, and then returns nil.
func (s *Server) Serve(secure, plain net.Listener) error {
	failed := make(chan error, 2)
	go func() { failed <- s.secure.Serve(secure) }()
	go func() { failed <- s.plain.Serve(plain) }()
	var errs []error
	for range 2 {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("httpserver: %w", err))
			s.close() // one door alone is no server
		}
	}
	return errors.Join(errs...)
}

// Drain makes /readyz answer that the server is going down; everything else is served on.
func (s *Server) Drain() { s.drained.Store(true) }

// Shutdown stops listening and waits for the requests under way, but not for WebSockets, until ctx ends; then it cuts
// them off.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.close()
	return errors.Join(s.secure.Shutdown(ctx), s.plain.Shutdown(ctx))
}

func (s *Server) close() {
	s.secure.Close()
	s.plain.Close()
}

// Handler answers the requests of one door: secure when its connections are encrypted.
func (s *Server) Handler(secure bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.recover(w, r)
		v, words := s.visit(r, secure)
		if words != "" {
			refuse(w, http.StatusBadRequest, words)
			return
		}
		if !v.served() {
			s.redirect(w, r, v)
			return
		}
		s.log.Debug("request", "method", r.Method, "path", r.URL.Path, "client", v.client)
		s.route(w, v.request(r), v)
	})
}

// recover keeps a fault of ours in one request from ending more than that.
func (s *Server) recover(w http.ResponseWriter, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler { //nolint:errorlint // a panic's value, which net/http compares in the same way
		panic(fault)
	}
	s.log.Error("a request failed by a fault of ours", "path", r.URL.Path, "fault", fault, "stack", string(debug.Stack()))
	refuse(w, http.StatusInternalServerError, "Something went wrong here. It is not your fault; please try again.")
}

// redirect sends a browser that speaks plain HTTP to the same place on https: the same port speaks both.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, v *visit) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "https://"+v.host+r.URL.RequestURI(), http.StatusPermanentRedirect)
}

// route finds what answers a request.
func (s *Server) route(w http.ResponseWriter, r *http.Request, v *visit) {
	if r.URL.Path == "/ws" {
		s.signal.ServeHTTP(w, r)
		return
	}
	s.guard(w.Header(), v)
	if s.cfg.Media != nil && (strings.HasPrefix(r.URL.Path, "/whip/") || strings.HasPrefix(r.URL.Path, "/whep/")) {
		s.cfg.Media.ServeHTTP(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if s.cfg.API != nil && strings.HasPrefix(r.URL.Path, "/api/") {
		s.cfg.API.ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "Only GET is answered here.")
		return
	}
	switch path := r.URL.Path; {
	case path == "/healthz":
		words(w, http.StatusOK, "alive")
	case path == "/readyz" && s.drained.Load():
		words(w, http.StatusServiceUnavailable, "going down")
	case path == "/readyz":
		words(w, http.StatusOK, "ready")
	case path == "/":
		s.site.index.serve(w, r)
	case recordPage(path):
		s.site.index.serve(w, r)
	case strings.HasPrefix(path, "/r/"):
		s.room(w, r, strings.TrimPrefix(path, "/r/"))
	default:
		if a := s.site.files[path]; a != nil {
			a.serve(w, r)
			return
		}
		s.site.missing.serve(w, r)
	}
}

// words answers a health check.
func words(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// refuse answers a request that cannot be served.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	words(w, status, text)
}
