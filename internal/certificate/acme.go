package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
)

// authority gets and renews the domain's certificate.
type authority struct {
	log    *slog.Logger
	roots  *x509.CertPool
	domain string
	dir    string

	cache  *certmagic.Cache
	config atomic.Pointer[certmagic.Config] // nil until manage
	until  atomic.Int64                     // end of the certificate's life, Unix seconds; 0 while there is none

	life context.Context // ends with close
	end  context.CancelFunc
	once sync.Once
}

func openAuthority(cfg Config, dir string, log *slog.Logger) (*authority, error) {
	a := &authority{log: log, domain: cfg.Domain, dir: dir}
	if cfg.ACME.Roots != "" {
		text, err := os.ReadFile(cfg.ACME.Roots)
		if err != nil {
			return nil, fileError("read", cfg.ACME.Roots, pathless(err))
		}
		a.roots = x509.NewCertPool()
		if !a.roots.AppendCertsFromPEM(text) {
			return nil, fileError("read", cfg.ACME.Roots, errors.New("no certificate in PEM is in it"))
		}
	}
	a.life, a.end = context.WithCancel(context.Background())
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config.Load(), nil },
		Logger:           zapLogger(log),
	})
	return a, nil
}

// manage starts the work; TLS-ALPN-01 is the only challenge.
func (a *authority) manage(cfg ACME, listen netip.AddrPort) error {
	logger := zapLogger(a.log)
	config := certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: a.dir},
		Logger:  logger,
		OnEvent: a.event,
		OCSP:    certmagic.OCSPConfig{DisableStapling: true}, // authorities have ended OCSP; do not call out for it
		Issuers: []certmagic.Issuer{},                        // set below; nil would mean the package's globals
	})
	config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(config, certmagic.ACMEIssuer{
		CA:                   cfg.Directory,
		Email:                cfg.Email,
		Agreed:               true,
		TrustedRoots:         a.roots,
		DisableHTTPChallenge: true, // it would need port 80
		// certmagic would open a listener of its own for the challenge, unless it finds the address taken: by ours.
		ListenHost:     hostOf(listen.Addr()),
		AltTLSALPNPort: int(listen.Port()),
		Logger:         logger,
	})}
	a.config.Store(config)
	if err := config.ManageAsync(a.life, []string{a.domain}); err != nil {
		return fmt.Errorf("certificate: get one for %s: %w", a.domain, err)
	}
	return nil
}

// get answers a handshake for the domain, or a challenge.
func (a *authority) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	config := a.config.Load()
	if config == nil {
		return nil, errors.New("certificate: none is managed yet")
	}
	return config.GetCertificate(hello)
}

// hostOf is the host part of an address for net.Listen: empty for all interfaces.
func hostOf(a netip.Addr) string {
	if !a.IsValid() || a.IsUnspecified() {
		return ""
	}
	return a.String()
}

// event tells the log what certmagic did. certmagic hands it over from its own goroutines.
func (a *authority) event(_ context.Context, name string, data map[string]any) error {
	switch name {
	case "cached_managed_cert":
		a.log.Info("the domain's certificate is in use", "domain", a.domain)
	case "cert_failed":
		a.log.Error("the domain's certificate could not be got; it will be tried again", "domain", a.domain, "error", data["error"])
	}
	return nil
}

// ready reports whether a certificate that is valid now is there. certmagic does not tell of each renewal, so when the
// last known certificate is over, its cache is asked.
func (a *authority) ready(now time.Time) bool {
	if now.Unix() < a.until.Load() {
		return true
	}
	for _, cert := range a.cache.AllMatchingCertificates(a.domain) {
		if cert.Leaf != nil && now.Before(cert.Leaf.NotAfter) {
			a.until.Store(cert.Leaf.NotAfter.Unix())
			return true
		}
	}
	return false
}

func (a *authority) close() {
	a.once.Do(func() {
		a.end()
		a.cache.Stop()
	})
}
