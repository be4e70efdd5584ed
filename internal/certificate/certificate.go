// Package certificate is the one store of TLS certificates for every door of the server. It serves, in this order:
//
//   - files that the person gave, read again when they change;
//   - for the domain, a certificate got by ACME (RFC 8555) with the TLS-ALPN-01 challenge (RFC 8737) alone, which is
//     answered by the very listener that serves everything else;
//   - else a self-signed one, made once and kept in the data directory.
//
// A Store may be used by many goroutines. It has none of its own but those of certmagic, from Manage to Close.
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
)

// ALPN protocols (RFC 7301) that the one TLS port speaks.
const (
	ProtoHTTP2 = "h2"
	ProtoHTTP1 = "http/1.1"
	ProtoSTUN  = "stun.turn"  // TURN over TLS (RFC 7443)
	ProtoACME  = "acme-tls/1" // the challenge of RFC 8737; nothing is spoken after the handshake
)

// Config says which certificates to serve. The zero value of everything but Dir means a self-signed one.
type Config struct {
	// Dir is where certificates are kept; it must exist.
	Dir string
	// Names are further names and addresses for the self-signed certificate, beside localhost, the host's name and the
	// addresses of its interfaces.
	Names []string
	// Domain is the name to get a certificate for by ACME. With Cert it is not used.
	Domain string
	// Cert and Key are PEM files of one's own; both or none.
	Cert, Key string
	// ACME configures how the domain's certificate is got.
	ACME ACME
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// ACME names a certificate authority.
type ACME struct {
	// Directory is the https address of the ACME directory.
	Directory string
	// Email is a contact for the authority; may be empty.
	Email string
	// Roots is a PEM file with the certificates that the directory's own certificate is checked by; empty means the
	// system's.
	Roots string
}

// Store serves certificates. Make one with [Open].
type Store struct {
	cfg   Config
	self  *selfSigned
	files *files     // nil without Cert
	acme  *authority // nil without Domain, or with Cert
}

// Open reads or makes the certificates. An error names the file at fault.
func Open(cfg Config, log *slog.Logger) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Store{cfg: cfg}
	var err error
	if s.self, err = openSelfSigned(filepath.Join(cfg.Dir, "self-signed.pem"), cfg.Names, cfg.Now, log); err != nil {
		return nil, err
	}
	switch {
	case cfg.Cert != "":
		s.files, err = openFiles(cfg.Cert, cfg.Key, cfg.Now, log)
	case cfg.Domain != "":
		s.acme, err = openAuthority(cfg, filepath.Join(cfg.Dir, "domain"), log)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// TLSConfig is the configuration for the one TLS listener.
func (s *Store) TLSConfig() *tls.Config {
	return &tls.Config{
		GetCertificate: s.get,
		NextProtos:     []string{ProtoHTTP2, ProtoHTTP1, ProtoSTUN, ProtoACME},
		MinVersion:     tls.VersionTLS12,
	}
}

// get picks the certificate for a handshake.
func (s *Store) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == ProtoACME {
		if s.acme == nil {
			return nil, errors.New("certificate: no challenge is open")
		}
		return s.acme.get(hello)
	}
	if s.files != nil {
		return s.files.get(), nil
	}
	if s.acme != nil && strings.EqualFold(hello.ServerName, s.cfg.Domain) && s.acme.ready(s.cfg.Now()) {
		if cert, err := s.acme.get(hello); err == nil {
			return cert, nil
		}
	}
	// Before the domain's certificate is there, a browser's warning tells a person more than a broken handshake, and
	// those who come by address are served at all times.
	return s.self.get()
}

// Manage begins to get and renew the domain's certificate, until [Store.Close]; it returns at once. The listener that
// serves TLSConfig must accept connections at listen already, and the Internet's connections to port 443 of the domain
// must end there. When there is nothing to manage, nothing happens.
func (s *Store) Manage(listen netip.AddrPort) error {
	if s.acme == nil {
		return nil
	}
	return s.acme.manage(s.cfg.ACME, listen)
}

// Close ends what Manage began and waits for it.
func (s *Store) Close() {
	if s.acme != nil {
		s.acme.close()
	}
}

// Domain reports whether the certificate that is served for name is the one got by ACME: one that every browser
// accepts, now and as long as this server keeps its domain.
func (s *Store) Domain(name string) bool {
	return s.acme != nil && strings.EqualFold(name, s.cfg.Domain) && s.acme.ready(s.cfg.Now())
}

// Trusted reports whether clients accept this server as name without an exception made by hand: the domain once its
// certificate is there, or a DNS name in one's own certificate, unless that is self-signed. It cannot know
// whether the clients trust the authority that issued one's own certificate; whoever configures it says so. Addresses
// are never trusted: TURN over TLS needs a name.
func (s *Store) Trusted(name string) bool {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return false
	}
	if s.files == nil {
		return s.Domain(name)
	}
	leaf := s.files.get().Leaf
	return name != "" && !selfIssued(leaf) && leaf.VerifyHostname(name) == nil && s.cfg.Now().Before(leaf.NotAfter)
}

// Names are the DNS names under which [Store.Trusted] will hold, without wildcards; empty with a self-signed
// certificate.
func (s *Store) Names() []string {
	switch {
	case s.acme != nil:
		return []string{s.cfg.Domain}
	case s.files == nil:
		return nil
	}
	return names(s.files.get().Leaf)
}

func names(leaf *x509.Certificate) []string {
	var names []string
	for _, name := range leaf.DNSNames {
		if !strings.Contains(name, "*") && !selfIssued(leaf) {
			names = append(names, name)
		}
	}
	return names
}

// Names reads what [Store.Names] would be with a pair of files, without serving it.
func Names(cert, key string) ([]string, error) {
	pair, err := readPair(cert, key)
	if err != nil {
		return nil, err
	}
	return names(pair.Leaf), nil
}

// Check reads a pair of files without serving it, so that check-config can tell a fault before the start does.
func Check(cert, key string) error {
	_, err := readPair(cert, key)
	return err
}

// hostNames lists localhost, the host's name and the addresses of its interfaces, then more; each once.
func hostNames(hostname string, addrs []net.Addr, more []string) []string {
	names := []string{"localhost"}
	add := func(name string) {
		for _, have := range names {
			if have == name {
				return
			}
		}
		if name != "" {
			names = append(names, name)
		}
	}
	add(hostname)
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLinkLocalUnicast() {
			add(p.Addr().Unmap().WithZone("").String())
		}
	}
	for _, name := range more {
		add(name)
	}
	return names
}

// fileError wraps what went wrong with a file in words that name it.
func fileError(what, file string, err error) error {
	return fmt.Errorf("certificate: %s %s: %w", what, file, err)
}
