// Package server puts the house together: it opens the data directory, the certificates and the port, connects the
// shells with each other, starts, drains and stops them. It holds no rule of its own.
//
// Who closes whom: Run drains signalling (which tells the clients), then HTTP, then the hub, then closes the port, the relay and
// the certificates, in this order. Everything ends with it.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/apiserver"
	"github.com/parley-rtc/parley/internal/archive"
	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/certificate"
	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/httpserver"
	"github.com/parley-rtc/parley/internal/hub"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
	"github.com/parley-rtc/parley/internal/store"
	"github.com/parley-rtc/parley/internal/turn"
	"github.com/parley-rtc/parley/internal/turnserver"
	"github.com/parley-rtc/parley/internal/whipserver"
)

// drainTime bounds how long a drain takes: 10 s from the signal to the end, less two for the rest on a busy machine.
const drainTime = 8 * time.Second

// Config is a configuration and what the program itself knows.
type Config struct {
	config.Config
	// Version is the program's version.
	Version string
}

// Server is one running Parley. Several may live in one process.
type Server struct {
	cfg          Config
	log          *slog.Logger
	keys         *auth.Keys
	certificates *certificate.Store
	media        *mediaserver.Server // nil when no media are forwarded, as hub is
	hub          *hub.Hub
	port         *portserver.Server
	relay        *turnserver.Server
	signals      *signalserver.Server
	site         *httpserver.Server
	store        *store.Store // nil when it could not be opened
	archive      *archive.Archive
	api          *apiserver.Server
	switches     switches
	whip         *whipserver.Server
	info         Info

	now    context.Context // ends when everything has to stop at once
	stop   context.CancelFunc
	closed sync.Once
}

// Open opens files and sockets and connects everything; nothing is served before Run. Whether Run is called or not,
// Close must be. files is the page.
func Open(ctx context.Context, cfg Config, files fs.FS, log *slog.Logger) (*Server, error) {
	s := &Server{cfg: cfg, log: log}
	s.now, s.stop = context.WithCancel(context.Background())
	if err := s.open(ctx, files); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open is Open; what it opened before an error stays in s.
func (s *Server) open(ctx context.Context, files fs.FS) (err error) {
	if err := openData(s.cfg.Data, s.log); err != nil {
		return err
	}
	if s.keys, err = openKeys(s.cfg.Data, rand.Reader); err != nil {
		return err
	}
	first, err := openFirstRoom(s.cfg.Data, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	s.openStore(ctx)
	if err := s.openCalls(ctx); err != nil {
		return err
	}
	at, warning, err := discover(ctx, &s.cfg.Config, machine{})
	if err != nil {
		return err
	}
	if s.certificates, err = certificate.Open(s.certificateConfig(at), s.log); err != nil {
		return err
	}
	if s.cfg.Hub.On() {
		s.hub = hub.New(s.hubConfig(at))
		if s.media, err = mediaserver.New(s.mediaConfig(at)); err != nil {
			return err
		}
		s.hub.Attach(s.media)
	}
	if s.relay, err = turnserver.New(s.relayConfig(at), grants{s}, s.send, s.log, rand.Reader); err != nil {
		return err
	}
	if s.port, err = portserver.Listen(s.portConfig(), s.log); err != nil {
		return err
	}
	if s.media != nil {
		s.media.Attach(s.port)
	}
	s.relay.SetPort(s.port.Addr().Port())
	if s.signals, err = signalserver.New(s.signalConfig(), s.keys, s.newICE(), s.log, rand.Reader); err != nil {
		return err
	}
	if s.whip, err = whipserver.New(s.whipConfig(at), s.log); err != nil {
		return err
	}
	if s.site, err = httpserver.New(s.siteConfig(), s.signals.Handler(), files, s.log); err != nil {
		return err
	}
	s.info = s.describe(at, first, warning)
	return nil
}

// Run serves until ctx ends, then drains: new sessions are refused, clients are told, and everything ends within 10 s.
// It returns nil after a drain or Close, and an error when the port fails.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 2)
	go func() { failed <- s.port.Serve(s.now) }()
	go func() { failed <- s.site.Serve(s.port.HTTP(), s.port.PlainHTTP()) }()
	if err := s.certificates.Manage(s.port.Addr()); err != nil {
		s.log.Error("no certificate for the domain", "error", err)
	}
	var first error
	running := 2
	select {
	case <-ctx.Done():
	case <-s.now.Done():
	case first = <-failed:
		running--
	}
	s.drain()
	s.Close()
	for range running {
		first = errors.Join(first, <-failed)
	}
	return first
}

// drain tells the clients and waits for them, but not for ever, and not after Close.
func (s *Server) drain() {
	ctx, cancel := context.WithTimeout(s.now, drainTime)
	defer cancel()
	s.site.Drain()
	s.signals.Drain(ctx)
	s.whip.Close()
	if err := s.site.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Warn("requests were cut off", "error", err)
	}
	if s.media != nil {
		s.media.Close() // its goodbyes leave by the port
	}
}

// Close stops at once whatever runs.
func (s *Server) Close() {
	s.stop()
	s.closed.Do(func() {
		if s.signals != nil {
			s.signals.Drain(s.now) // its time is over: it cuts
		}
		if s.whip != nil {
			s.whip.Close()
		}
		if s.site != nil {
			_ = s.site.Shutdown(s.now) // the same; the error is that it cut
		}
		if s.media != nil {
			s.media.Close()
			s.hub.Stop()
		}
		if s.port != nil {
			s.port.Close()
		}
		if s.relay != nil {
			s.relay.Close()
		}
		if s.certificates != nil {
			s.certificates.Close()
		}
		if s.archive != nil {
			s.archive.Close()
		}
		if s.store != nil {
			s.store.Close()
		}
	})
}

func (s *Server) certificateConfig(at addresses) certificate.Config {
	c := &s.cfg
	names := []string{c.Domain}
	for _, a := range at.list {
		names = append(names, a.String())
	}
	return certificate.Config{
		Dir: filepath.Join(c.Data, certificatesDir), Names: names, Domain: c.Domain, Cert: c.Cert, Key: c.Key,
		ACME: certificate.ACME{Directory: c.ACME.Directory, Email: c.ACME.Email, Roots: c.ACME.Roots},
	}
}

func (s *Server) relayConfig(at addresses) turnserver.Config {
	r := &s.cfg.Relay
	c := turnserver.Config{Observer: witness{s.archive}, Engine: turn.Config{
		Relay4: at.of(true), Relay6: at.of(false),
		Ports:      turn.Ports{First: r.Ports.First, Last: r.Ports.Last},
		Policy:     turn.Policy{Allow: r.AllowPeers, Deny: r.DenyPeers, Own: at.list},
		PerSession: r.PerSession, PerPrefix: r.PerPrefix,
	}}
	if s.media != nil { // a nil pointer in an interface is not nil
		c.Hub = s.media
	}
	return c
}

func (s *Server) portConfig() portserver.Config {
	c := portserver.Config{Address: s.cfg.Listen, TLS: s.certificates.TLSConfig(), Packets: s.relay, Streams: s.relay}
	if s.media != nil {
		c.Batches, c.Peers = s.media, s.media
	}
	return c
}

func (s *Server) signalConfig() signalserver.Config {
	c := &s.cfg
	out := signalserver.Config{
		Version: c.Version, Domain: c.Domain != "", Origins: c.Origins,
		Hidden: func(r *http.Request) bool { return httpserver.Forwarded(r.Context()) },
		Ended:  s.ended,
		Keeper: s.keeper(), Observer: counting{witness{s.archive}, &s.switches}, History: signal.History(c.History.Policy),
		Seats: c.Rooms.Seats, Grace: c.Rooms.Grace, RoomsPerAddress: c.Rooms.PerAddress,
		Topology: signal.TopologyPolicy(c.Rooms.Topology),
		Players:  c.WHIP.Players,
	}
	if s.hub != nil {
		out.Hub = s.hub
	}
	return out
}

func (s *Server) siteConfig() httpserver.Config {
	return httpserver.Config{TrustedProxies: s.cfg.TrustedProxies, HSTS: s.certificates.Domain, API: s.api, Media: s.whip}
}

func (s *Server) newICE() *ice {
	return &ice{
		keys: s.keys, trusted: s.certificates.Trusted, where: s.where(),
	}
}

func (s *Server) where() where {
	return where{
		port: s.port.Addr().Port(), proxied: len(s.cfg.TrustedProxies) > 0, given: s.cfg.PublicAddress.Addrs,
		loop6: s.port.Addr().Addr() == netip.IPv6Loopback(),
	}
}

// send writes a datagram of the relay from the port.
func (s *Server) send(b []byte, dst netip.AddrPort, local netip.Addr) { s.port.WriteTo(b, dst, local) }

// grants lets the relay ask whom it may serve.
type grants struct{ s *Server }

// Grant says what a username stands for.
func (g grants) Grant(_ time.Time, username string) (turn.Grant, bool) {
	password, session, expires, ok := g.s.keys.RelayVerify(username)
	return turn.Grant{Password: password, Session: session, Expires: expires}, ok
}

// Alive reports whether a session may keep its allocations.
func (g grants) Alive(session string) bool { return g.s.signals.Alive(session) }
