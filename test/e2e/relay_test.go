package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/config"
	parley "github.com/parley-rtc/parley/sdk"
)

// domain is a name that only these tests can look up.
const domain = "call.parley.test"

func lookup(_ context.Context, host string) ([]net.IP, error) {
	if host != domain {
		return nil, &net.DNSError{Err: "not for a test", Name: host, IsNotFound: true}
	}
	return []net.IP{net.IPv4(127, 0, 0, 1)}, nil
}

// authority makes a certificate for domain and the roots that trust it.
func authority(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	now := time.Now()
	issue := func(template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if by == nil {
			parent, by = template, own
		}
		template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &own.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c, own
	}
	ca, by := issue(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	leaf, own := issue(&x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{domain}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, by)
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(ca)
	return cert, key, roots
}

// named is a house with a trusted certificate, and how to reach a room of it as a host and as a guest.
func named(t *testing.T) (host, guest string, roots *x509.CertPool) {
	t.Helper()
	cert, key, roots := authority(t)
	h := newHouse(t, func(c *config.Config) {
		c.Cert, c.Key = cert, key
		c.PublicAddress.Addrs = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	})
	links := h.Info().Links
	_, secret, _ := strings.Cut(links.Host, "#")
	_, port, err := net.SplitHostPort(h.Info().Listen.String())
	if err != nil {
		t.Fatal(err)
	}
	guest = "https://" + net.JoinHostPort(domain, port) + "/r/" + h.Info().Room
	return guest + "#" + secret, guest, roots
}

func TestRelayedWhereNothingElseIsAllowed(t *testing.T) {
	t.Parallel()
	host, guest, roots := named(t)
	for _, ways := range [][2]string{{"udp", "udp"}, {"tcp", "tcp"}, {"tls", "tls"}, {"udp", "tls"}, {"", ""}} {
		t.Run(strings.Join(ways[:], " to "), func(t *testing.T) {
			with := func(name, over string) parley.Options {
				o := options(name)
				o.Relay, o.RelayOver, o.Roots, o.Lookup = true, over, roots, lookup
				return o
			}
			ann := dial(t, host, with("Ann", ways[0])).enter()
			began := time.Now()
			bob := dial(t, guest, with("Bob", ways[1])).enter()
			bob.track(parley.Camera)
			t.Logf("from dialing to the first picture: %v", time.Since(began).Round(time.Millisecond/10))
			for p, over := range map[*peer]string{ann: ways[0], bob: ways[1]} {
				l := p.hears(func(path parley.Path) bool { return path.Kind == parley.PathRelayed })
				if over != "" && l.Path.Protocol != over || l.Path.Server != domain {
					t.Errorf("%s: %v (%+v), want over %q by %s", l.Person.Name, l.Path, l.Path, over, domain)
				}
			}
			ann.Close()
			bob.Close()
		})
	}
}

func TestRelayedOnOneSide(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	o := options("Ann")
	o.Relay = true
	ann := dial(t, h.link("tea"), o).enter()
	bob := join(t, h.link("tea"), "Bob")
	for _, p := range []*peer{ann, bob} {
		l := p.hears(func(path parley.Path) bool { return path.Kind == parley.PathRelayed })
		t.Log(l.Person.Name, l.Path)
	}
}

func TestCertificateMustBeTrusted(t *testing.T) {
	host, _, _ := named(t)
	o := options("Ann")
	o.Lookup = lookup
	_, err := parley.Dial(wait(t), host, o)
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("an unknown authority: %v", err)
	}
	o.Insecure = true
	room, err := parley.Dial(wait(t), host, o)
	if err != nil {
		t.Fatal(err)
	}
	room.Close()
}
