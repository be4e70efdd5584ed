package portserver

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // of the tests: only a fault makes them wait that long

// house is a whole port with recorders behind it, which panic at what begins with 1, and a real HTTP server on both listeners.
type house struct {
	*Server
	t       *testing.T
	streams chan string // what came as a TURN stream: "tls "|"tcp " and the first bytes
	packets chan packet // datagrams, answered with "pong"
	roots   *x509.CertPool
}

type packet struct {
	src   netip.AddrPort
	local netip.Addr
	data  string
}

func (h *house) ServeStream(c net.Conn, overTLS bool) {
	defer c.Close()
	b := make([]byte, len(stun()))
	if _, err := io.ReadFull(c, b); err != nil {
		return
	}
	if b[0] == 1 {
		panic("stream")
	}
	h.streams <- map[bool]string{true: "tls ", false: "tcp "}[overTLS] + string(b)
	_, _ = c.Write([]byte("turn"))
	_, _ = io.Copy(io.Discard, c)
}

func (h *house) HandlePacket(src netip.AddrPort, local netip.Addr, b []byte) {
	if b[0] == 1 {
		panic("packet")
	}
	h.packets <- packet{src, local, string(b)}
	h.WriteTo([]byte("pong"), src, local)
}

func open(t *testing.T, cfg Config) *house {
	t.Helper()
	h := &house{t: t, streams: make(chan string, 100), packets: make(chan packet, 100)}
	var certificate tls.Certificate
	certificate, h.roots = selfSigned(t)
	cfg.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1", "stun.turn", "acme-tls/1"}}
	cfg.Packets, cfg.Streams = h, h
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	var err error
	h.Server, err = Listen(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.Serve(context.Background()); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	page := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s tls=%v", r.Proto, r.TLS != nil)
	}), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	running.Go(func() { _ = page.Serve(h.HTTP()) })
	running.Go(func() { _ = page.Serve(h.PlainHTTP()) })
	t.Cleanup(func() {
		h.Close()
		page.Close()
		running.Wait()
	})
	return h
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"lab.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func (h *house) dial() net.Conn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func (h *house) dialTLS(protocols ...string) *tls.Conn {
	h.t.Helper()
	c := tls.Client(h.dial(), &tls.Config{RootCAs: h.roots, ServerName: "lab.test", NextProtos: protocols})
	if err := c.Handshake(); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// ended reports whether the other side has closed the connection without a word.
func ended(c net.Conn) error {
	n, err := c.Read(make([]byte, 1))
	if n != 0 || err == nil {
		return fmt.Errorf("%d bytes, %w", n, err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// request sends a request of HTTP/1.1 and returns the body of the answer.
func request(c net.Conn) (string, error) {
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n"); err != nil {
		return "", err
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return string(body), err
}
