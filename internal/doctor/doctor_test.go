package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// desk is a Caller whose calls come out as the test says.
type desk struct {
	servers  []Server
	knock    error
	failing  map[string]error // by way
	trusted  []*x509.Certificate
	released bool
}

func (d *desk) Trust(c *x509.Certificate) { d.trusted = append(d.trusted, c) }

func (d *desk) Knock(context.Context) ([]Server, func(), string, error) {
	return d.servers, func() { d.released = true }, "", d.knock
}

func (d *desk) Call(_ context.Context, way string) (Talk, error) {
	return Talk{SetUp: 123 * time.Millisecond, RoundTrip: 4 * time.Millisecond}, d.failing[way]
}

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t), pool: x509.NewCertPool()}
	a.cert = parse(t, sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(5, 0, 0),
	}, nil, a.key, a.key))
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, what, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
	t.Helper()
	if parent == nil {
		parent = what
	}
	der, err := x509.CreateCertificate(rand.Reader, what, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func parse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// shown is a certificate for name, good from a to b; a nil authority means that it vouches for itself.
func shown(t *testing.T, by *authority, name string, from, to time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	what := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to,
	}
	if by == nil {
		return tls.Certificate{Certificate: [][]byte{sign(t, what, nil, key, key)}, PrivateKey: key}
	}
	return tls.Certificate{Certificate: [][]byte{sign(t, what, by.cert, key, by.key)}, PrivateKey: key}
}

// examine runs a server with cert, looks at it by name, and returns the findings by check.
func examine(t *testing.T, cert tls.Certificate, c Config, handler http.HandlerFunc) map[string]Finding {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that only look at the certificate
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	// "localhost" is the one name that leads to this machine everywhere.
	c.Base = &url.URL{Scheme: "https", Host: net.JoinHostPort("localhost", u.Port())}
	c.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	if c.Caller == nil {
		c.Caller = &desk{knock: errors.New("closed")}
	}
	l, err := newLook(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []func(context.Context){l.name, l.ports, l.certificate, l.page} {
		check(t.Context())
	}
	out := map[string]Finding{}
	for _, f := range l.findings {
		out[f.Check] = f
	}
	return out
}

func well(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "alive\n") }

func TestCertificates(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	now := time.Now()
	day := 24 * time.Hour
	for name, tt := range map[string]struct {
		cert  tls.Certificate
		state State
		words string
	}{
		"good":             {shown(t, ca, "localhost", now.Add(-day), now.Add(60*day)), OK, "good for localhost"},
		"ends soon":        {shown(t, ca, "localhost", now.Add(-day), now.Add(5*day+time.Hour)), Warning, "ends in 5 days"},
		"ended":            {shown(t, ca, "localhost", now.Add(-9*day), now.Add(-day)), Failed, "ended on"},
		"not yet":          {shown(t, ca, "localhost", now.Add(day), now.Add(9*day)), Failed, "good only from"},
		"another name":     {shown(t, ca, "other.example", now.Add(-day), now.Add(60*day)), Failed, "another name"},
		"unknown":          {shown(t, stranger, "localhost", now.Add(-day), now.Add(60*day)), Failed, "do not trust"},
		"self-signed":      {shown(t, nil, "localhost", now.Add(-day), now.Add(60*day)), Warning, "self-signed"},
		"self, other name": {shown(t, nil, "other.example", now.Add(-day), now.Add(60*day)), Warning, "self-signed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{knock: errors.New("closed")}
			f := examine(t, tt.cert, Config{Roots: ca.pool, Caller: d}, well)["certificate"]
			if f.State != tt.state || !strings.Contains(f.Words, tt.words) || (f.Fix == "") != (tt.state == OK) {
				t.Errorf("%+v", f)
			}
			if (len(d.trusted) == 1) != strings.Contains(tt.words, "self-signed") {
				t.Errorf("trusted %d certificates", len(d.trusted))
			}
		})
	}
}

func TestPageAndClock(t *testing.T) {
	ca := newAuthority(t)
	cert := shown(t, ca, "localhost", time.Now().Add(-time.Hour), time.Now().Add(1000*time.Hour))
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		own     bool
		page    State
		clock   State
		words   string
	}{
		"well":      {well, false, OK, OK, "agrees"},
		"own clock": {well, true, OK, Skipped, "this machine's"},
		"another":   {http.NotFound, false, Failed, "", ""},
		"one page for all": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title>")
		}, false, Failed, "", ""},
		"an hour ahead": {dated(time.Hour), false, OK, Warning, "1h0m"},
		"an hour late":  {dated(-time.Hour), false, OK, Warning, "1h0m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := examine(t, cert, Config{Roots: ca.pool, Own: tt.own}, tt.handler)
			if got["page"].State != tt.page || got["clock"].State != tt.clock || !strings.Contains(got["clock"].Words, tt.words) {
				t.Errorf("%+v %+v", got["page"], got["clock"])
			}
		})
	}
}

// TestPlainAddress: whoever leaves the s out is told so, and not that another program listens there.
func TestPlainAddress(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+r.Host+r.URL.Path, http.StatusPermanentRedirect)
	}))
	defer plain.Close()
	base, err := url.Parse(plain.URL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLook(Config{Base: base, Caller: &desk{}})
	if err != nil {
		t.Fatal(err)
	}
	l.reachable = true
	l.page(t.Context())
	if f := l.findings[0]; f.State != Failed || !strings.HasSuffix(f.Fix, "parley doctor https://"+base.Host) {
		t.Errorf("%+v", f)
	}
}

func dated(off time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		well(w, nil)
	}
}

func TestNothingListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	if err := l.Close(); err != nil { // now nobody is there
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := 0
	findings, err := Examine(ctx, Config{
		Base: &url.URL{Scheme: "https", Host: at}, Caller: &desk{}, Told: func(f Finding) {
			if told++; f.Check == "signalling" { // the next question goes to a UDP port where nobody answers
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || Healthy(findings) || told != len(findings) {
		t.Errorf("%v, told %d of %+v", err, told, findings)
	}
	for _, f := range findings {
		if f.Check == "port" && (f.State != Failed || !strings.Contains(f.Fix, "parley serve")) {
			t.Errorf("%+v", f)
		}
	}
}

func TestNames(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for name, tt := range map[string]struct {
		found []netip.Addr
		err   error
		own   []netip.Addr
		want  State
		words string
	}{
		"leads somewhere": {[]netip.Addr{a, b}, nil, nil, OK, "192.0.2.1, 192.0.2.2"},
		"leads here":      {[]netip.Addr{a}, nil, []netip.Addr{b, a}, OK, "192.0.2.1"},
		"leads elsewhere": {[]netip.Addr{a}, nil, []netip.Addr{b}, Warning, "says it is 192.0.2.2"},
		"unknown":         {nil, &net.DNSError{Err: "no such host"}, nil, Failed, "no such host"},
		"empty":           {nil, nil, nil, Failed, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := newLook(Config{
				Base: &url.URL{Scheme: "https", Host: "meet.example.org"}, Own: tt.own != nil, Addresses: tt.own,
				Lookup: func(context.Context, string) ([]netip.Addr, error) { return tt.found, tt.err },
			})
			if err != nil {
				t.Fatal(err)
			}
			l.name(t.Context())
			if f := l.findings[0]; f.State != tt.want || !strings.Contains(f.Words, tt.words) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestCalls(t *testing.T) {
	d := &desk{
		servers: []Server{{URLs: []string{"turn:example.org:8443?transport=udp"}, Username: "u", Credential: "c"}},
		failing: map[string]error{"tcp": errors.New("no link came about"), "hub": NotOffered("hub.media is off")},
	}
	l := &look{Config: Config{Caller: d, Now: time.Now}, servers: d.servers, port: 8443}
	l.calls(t.Context())
	want := map[string]State{"direct": OK, "turn-udp": OK, "turn-tcp": Failed, "turn-tls": Warning, "hub": Skipped}
	for _, f := range l.findings {
		if f.Check == "hub" && f.Words != "Not tried: hub.media is off." {
			t.Error(f.Words)
		}
		if f.State != want[f.Check] {
			t.Errorf("%+v", f)
		}
		delete(want, f.Check)
	}
	if len(want) > 0 {
		t.Error("not looked at:", want)
	}
	if words := l.findings[0].Words; !strings.Contains(words, "123ms") || !strings.Contains(words, "4.0 ms there and back") {
		t.Error(words)
	}
	d.servers[0].URLs = append(d.servers[0].URLs, "turns:example.org:8443?transport=tcp")
	if !l.offersTLS() {
		t.Error("a turns: address is not seen")
	}
}

func TestSessionEndsAfterTheLook(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(well))
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{servers: []Server{{URLs: []string{"stun:localhost:1"}}}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	findings, err := Examine(ctx, Config{Base: u, Caller: d, Told: func(f Finding) {
		if f.Check == "signalling" {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || !Healthy(findings) {
		t.Errorf("%v %+v", err, findings)
	}
	if !d.released {
		t.Error("the session that gave the credentials is still open")
	}
}
