package certificate_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/internal/certificate"
	"github.com/parley-rtc/parley/test/acme"
)

var quiet = slog.New(slog.DiscardHandler)

func open(t *testing.T, cfg certificate.Config) *certificate.Store {
	t.Helper()
	s, err := certificate.Open(cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// noLeaks checks at the end of the test, after all other clean-ups, that no goroutine began here is left.
func noLeaks(t *testing.T, but ...goleak.Option) {
	t.Helper()
	but = append(but, goleak.IgnoreCurrent())
	t.Cleanup(func() { goleak.VerifyNone(t, but...) })
}

// listen serves handshakes with the store's certificates on a real socket.
func listen(t *testing.T, s *certificate.Store) netip.AddrPort {
	t.Helper()
	l, err := tls.Listen("tcp4", "127.0.0.1:0", s.TLSConfig())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.(*tls.Conn).Handshake()
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// served returns the certificate that a client gets by name, without judging it.
func served(t *testing.T, addr netip.AddrPort, name string, protos ...string) *x509.Certificate {
	t.Helper()
	c, err := tls.Dial("tcp", addr.String(), &tls.Config{InsecureSkipVerify: true, ServerName: name, NextProtos: protos})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(protos) > 0 && c.ConnectionState().NegotiatedProtocol != protos[0] {
		t.Errorf("protocol %q, want %q", c.ConnectionState().NegotiatedProtocol, protos[0])
	}
	return c.ConnectionState().PeerCertificates[0]
}

func TestSelfSigned(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	now := time.Now()
	cfg := certificate.Config{Dir: dir, Names: []string{"192.0.2.7", "2001:db8::7"}, Now: func() time.Time { return now }}
	first := open(t, cfg)
	addr := listen(t, first)
	cert := served(t, addr, "localhost", "stun.turn")
	for _, name := range []string{"localhost", "127.0.0.1", "192.0.2.7", "2001:db8::7"} {
		if err := cert.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if hostname, err := os.Hostname(); err == nil && cert.VerifyHostname(hostname) != nil {
		t.Errorf("the host's name %s is not in it", hostname)
	}
	if life := cert.NotAfter.Sub(cert.NotBefore); life > 398*24*time.Hour {
		t.Errorf("browsers refuse a life of %v", life)
	}
	if first.Trusted("localhost") || first.Names() != nil {
		t.Error("a self-signed certificate is not trusted")
	}
	info, err := os.Stat(filepath.Join(dir, "self-signed.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}
	for _, tt := range []struct {
		name string
		at   time.Time
		same bool
	}{
		{"kept", now.Add(time.Hour), true},
		{"a day before its renewal", cert.NotAfter.Add(-31 * 24 * time.Hour), true},
		{"renewed", cert.NotAfter.Add(-30*24*time.Hour + time.Second), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now = tt.at
			again := served(t, listen(t, open(t, cfg)), "")
			if again.Equal(cert) != tt.same {
				t.Errorf("the same certificate: %v, want %v", !tt.same, tt.same)
			}
		})
	}
	if served(t, addr, "").Equal(cert) {
		t.Error("the running store did not renew its certificate")
	}
}

func TestFilesAreReloaded(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	certPath, keyPath := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	root := newRoot(t)
	one, oneKey := root.issue(t, "one.example.org", "*.wild.example.org")
	two, twoKey := root.issue(t, "two.example.org")
	write(t, certPath, one)
	write(t, keyPath, oneKey)
	now := time.Now()
	s := open(t, certificate.Config{Dir: dir, Cert: certPath, Key: keyPath, Now: func() time.Time { return now }})
	addr := listen(t, s)
	check := func(step, want string) {
		t.Helper()
		now = now.Add(2 * time.Second)
		if got := served(t, addr, "x.example.org").DNSNames[0]; got != want {
			t.Errorf("%s: serves %s, want %s", step, got, want)
		}
	}
	check("at first", "one.example.org")
	for name, want := range map[string]bool{"one.example.org": true, "a.wild.example.org": true, "two.example.org": false, "127.0.0.1": false, "": false} {
		if s.Trusted(name) != want {
			t.Errorf("Trusted(%q) is not %v", name, want)
		}
	}
	if names := s.Names(); len(names) != 1 || s.Domain("one.example.org") {
		t.Error("names", names)
	}
	write(t, certPath, two)
	check("half replaced", "one.example.org")
	write(t, keyPath, twoKey)
	check("replaced", "two.example.org")
	if err := os.Remove(certPath); err != nil {
		t.Fatal(err)
	}
	check("removed", "two.example.org")
}

func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	root := newRoot(t)
	cert, key := root.issue(t, "one.example.org")
	_, other := root.issue(t, "two.example.org")
	path := func(name string, text []byte) string {
		p := filepath.Join(dir, name)
		if text != nil {
			write(t, p, text)
		}
		return p
	}
	good, goodKey, missing := path("cert", cert), path("key", key), path("missing", nil)
	for _, tt := range []struct{ name, cert, key, file, words string }{
		{"no certificate file", missing, goodKey, "missing", "no such file"},
		{"no key file", good, missing, "missing", "no such file"},
		{"not PEM", path("junk", []byte("junk")), goodKey, "junk", "no certificate"},
		{"cut short", path("cut", bytes.Replace(cert, []byte("\nM"), []byte("\nMA"), 1)), goodKey, "cut", "certificate"},
		{"swapped", goodKey, good, "key", "no certificate"},
		{"no key in it", good, path("nokey", cert), "nokey", "no private key"},
		{"locked", good, path("locked", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")), "locked", "password"},
		{"of another", good, path("other", other), "other", "is not the key of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := certificate.Open(certificate.Config{Dir: dir, Cert: tt.cert, Key: tt.key}, quiet)
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, tt.file)) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("want %s and %q, got %v", tt.file, tt.words, err)
			}
			if check := certificate.Check(tt.cert, tt.key); check == nil || check.Error() != err.Error() {
				t.Errorf("Check says %v", check)
			}
		})
	}
}

func TestSelfIssuedFilesAreNotTrusted(t *testing.T) {
	dir := t.TempDir()
	open(t, certificate.Config{Dir: dir})
	own := filepath.Join(dir, "self-signed.pem")
	s := open(t, certificate.Config{Dir: t.TempDir(), Cert: own, Key: own})
	if s.Trusted("localhost") || s.Names() != nil {
		t.Error("a self-signed certificate is trusted when it is given as a file")
	}
}

// A real authority validates the domain by TLS-ALPN-01 through the very listener that serves the certificate, and
// nothing listens for HTTP-01.
func TestACME(t *testing.T) {
	// Pebble has no end, certmagic paces its requests for the life of the process and looks after a lock once more 5 s
	// after it gave it back. What the store itself began must have ended.
	noLeaks(t,
		goleak.IgnoreAnyFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"))
	ca := acme.New(t)
	dir := t.TempDir()
	cfg := certificate.Config{
		Dir: dir, Domain: "meet.parley.test",
		ACME: certificate.ACME{Directory: ca.Directory, Email: "ops@parley.test", Roots: ca.RootsFile},
	}
	s := open(t, cfg)
	addr := listen(t, s)
	if served(t, addr, cfg.Domain).VerifyHostname(cfg.Domain) == nil || s.Trusted(cfg.Domain) || s.Domain(cfg.Domain) {
		t.Error("before there is one, the self-signed certificate is served and not trusted")
	}
	ca.Serve(addr.String())
	if err := s.Manage(addr); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return s.Trusted(cfg.Domain) })
	got := served(t, addr, cfg.Domain)
	if _, err := got.Verify(x509.VerifyOptions{DNSName: cfg.Domain, Roots: ca.Issued, Intermediates: intermediates(t, addr, cfg.Domain)}); err != nil {
		t.Error(err)
	}
	if served(t, addr, "").Equal(got) || !s.Domain(cfg.Domain) || s.Trusted("other.parley.test") {
		t.Error("whoever comes by address gets the self-signed certificate, and only the domain is trusted")
	}
	s.Close()

	// The next start serves it from the data directory, with the authority gone.
	ca.Stop()
	again := open(t, cfg)
	addr = listen(t, again)
	if err := again.Manage(addr); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return again.Trusted(cfg.Domain) })
	if !served(t, addr, cfg.Domain).Equal(got) {
		t.Error("after a restart it is another certificate")
	}
}

func intermediates(t *testing.T, addr netip.AddrPort, name string) *x509.CertPool {
	t.Helper()
	c, err := tls.Dial("tcp", addr.String(), &tls.Config{InsecureSkipVerify: true, ServerName: name})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	pool := x509.NewCertPool()
	for _, cert := range c.ConnectionState().PeerCertificates[1:] {
		pool.AddCert(cert)
	}
	return pool
}

// await polls until ok, for what happens in other programs' goroutines.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatal("it did not happen within 30 s")
		case <-tick.C:
		}
	}
}
