package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The life of a self-signed certificate. Browsers refuse what lives longer than 398 days; it is made anew a month
// before its end, and then people have to make their exceptions anew too, so not more often than needed.
const (
	selfSignedLife  = 397 * 24 * time.Hour
	selfSignedRenew = 30 * 24 * time.Hour
)

// selfSigned keeps a self-signed certificate in one PEM file with its key.
type selfSigned struct {
	path  string
	names []string
	now   func() time.Time
	log   *slog.Logger

	mu   sync.Mutex
	cert *tls.Certificate
}

func openSelfSigned(path string, more []string, now func() time.Time, log *slog.Logger) (*selfSigned, error) {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = ""
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("certificate: list interfaces: %w", err)
	}
	s := &selfSigned{path: path, names: hostNames(hostname, addrs, more), now: now, log: log}
	pair, err := readPair(path, path)
	switch {
	case err == nil:
		s.cert = pair
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w; remove it to have a new one made", err)
	}
	if _, err := s.get(); err != nil {
		return nil, err
	}
	return s, nil
}

// get returns the certificate, a new one when the old one nears its end. Names that came up since it was made do not
// make it new: the people's exceptions would be lost for a warning that they have accepted anyway.
func (s *selfSigned) get() (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.cert != nil && now.Before(s.cert.Leaf.NotAfter.Add(-selfSignedRenew)) && now.After(s.cert.Leaf.NotBefore) {
		return s.cert, nil
	}
	cert, text, err := makeSelfSigned(s.names, now)
	if err != nil {
		return nil, err
	}
	if err := writeFile(s.path, text); err != nil {
		if s.cert == nil {
			return nil, err
		}
		s.log.Warn("certificate: cannot keep the new self-signed certificate", "error", err)
	}
	s.cert = cert
	return cert, nil
}

// makeSelfSigned makes an ECDSA P-256 certificate for names and returns it, and it with its key in PEM.
func makeSelfSigned(names []string, now time.Time) (*tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate: make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, fmt.Errorf("certificate: make a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Parley, self-signed"},
		NotBefore:    now.Add(-24 * time.Hour), // clocks of clients differ
		NotAfter:     now.Add(selfSignedLife - 24*time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if a, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, a.AsSlice())
		} else if isDNSName(name) {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate: sign: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate: write the key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	cert, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate: read back: %w", err)
	}
	return &cert, text, nil
}

// isDNSName keeps host names that no certificate can hold out of it.
func isDNSName(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}

// writeFile replaces path with a file of mode 0600, whole or not at all.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return fileError("write", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fileError("write", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fileError("write", path, err)
	}
	return nil
}

// selfIssued reports whether a certificate is signed by its own key.
func selfIssued(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}
