// Package acme runs a real certificate authority (Pebble) for tests: an ACME directory, a DNS that says 127.0.0.1 for
// every name, and a stand-in for port 443 of the Internet.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Authority is a running certificate authority.
type Authority struct {
	// Directory is the address of the ACME directory.
	Directory string
	// RootsFile is a PEM file with what the directory's own certificate is checked by.
	RootsFile string
	// Issued checks certificates that the authority issues.
	Issued *x509.CertPool

	// Stop ends the directory before the test does: the authority is gone.
	Stop func()

	target chan string
}

// New starts an authority that ends with the test. It validates TLS-ALPN-01 through connections to port 443 of the name,
// which wait until [Authority.Serve] says where they end.
func New(t testing.TB) *Authority {
	t.Helper()
	// Pebble sleeps at random before it validates and refuses good nonces at random, unless told not to.
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	a := &Authority{target: make(chan string, 1), Issued: x509.NewCertPool()}
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	validator := va.New(quiet, closedPort(t), a.port443(t), true, nameServer(t), store)
	front := wfe.New(quiet, store, validator, authority, []string{"pebble.example"}, true, false, 1, 1)
	s := httptest.NewUnstartedServer(front.Handler())
	s.Config.ErrorLog = quiet
	s.StartTLS()
	a.Stop = s.Close
	t.Cleanup(s.Close)
	a.Directory = s.URL + wfe.DirectoryPath
	a.RootsFile = filepath.Join(t.TempDir(), "acme-roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(a.RootsFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	root := authority.GetRootCert(0)
	if root == nil || !a.Issued.AppendCertsFromPEM(root.PEM()) {
		t.Fatal("acme: the authority has no root certificate")
	}
	return a
}

// Serve says where connections to port 443 end: the address of the server under test.
func (a *Authority) Serve(addr string) { a.target <- addr }

// port443 accepts connections and carries them to the target.
func (a *Authority) port443(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); close(done) })
	go func() {
		target := ""
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if target == "" {
				select {
				case target = <-a.target:
				case <-done:
					c.Close()
					return
				}
			}
			go carry(c, target)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func carry(c net.Conn, target string) {
	defer c.Close()
	s, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer s.Close()
	go func() {
		defer c.Close()
		_, _ = io.Copy(c, s)
	}()
	_, _ = io.Copy(s, c)
}

// closedPort is a port on which nobody listens: HTTP-01 must not be what makes the test pass.
func closedPort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// nameServer says 127.0.0.1 for every name, over TCP, which is what Pebble asks by.
func nameServer(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	s := &dns.Server{Listener: l, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(answer)}
	go func() { _ = s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.Shutdown() })
	return l.Addr().String()
}

func answer(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	if len(q.Question) == 1 && q.Question[0].Qtype == dns.TypeA {
		head := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}
		m.Answer = []dns.RR{&dns.A{Hdr: head, A: net.IPv4(127, 0, 0, 1)}}
	}
	_ = w.WriteMsg(m) // a client that is gone asks again
}

// Client is an HTTP client that trusts only what the authority issued and reaches every name at addr.
func (a *Authority) Client(t testing.TB, addr string) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: a.Issued},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
