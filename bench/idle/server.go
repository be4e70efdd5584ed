package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
)

// report is what a server's process uses.
type report struct {
	Resident        int64 // bytes, after a collection that gave memory back
	ResidentBefore  int64 // bytes, before it
	Heap, Stack     int64 // bytes in use
	Goroutines      int
	CPUNanoseconds  int64 // user and system, since the start
	LookNanoseconds int64 // of them, what this report cost
	AtNanoseconds   int64 // when CPUNanoseconds was read
}

// noRelay is a server without STUN and TURN that still answers like one.
type noRelay struct{ keys *auth.Keys }

// Servers implements signalserver.ICE.
func (n noRelay) Servers(session, host string, now time.Time) *signal.ICEServers {
	username, password, expires := n.keys.RelayIssue(now, session)
	return &signal.ICEServers{Expires: expires.UnixMilli(), Servers: []signal.ICEServer{
		{URLs: []string{"turn:" + host}, Username: username, Credential: password},
	}}
}

// runServer serves on a free port, prints its address, and answers each line of in with a report until in ends.
func runServer(overTLS bool, in io.Reader, out io.Writer) error {
	if _, err := raiseFiles(); err != nil {
		return err
	}
	master := make([]byte, auth.MasterSize)
	if _, err := rand.Read(master); err != nil {
		return err
	}
	keys := auth.NewKeys(master)
	cfg := signalserver.Config{SessionsPerAddress: 1 << 20, RoomsPerAddress: 1 << 20}
	s, err := signalserver.New(cfg, keys, noRelay{keys}, slog.New(slog.DiscardHandler), rand.Reader)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	if overTLS {
		certificate, err := selfSigned()
		if err != nil {
			return err
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}})
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", s.Handler())
	h := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.Serve(l) }() // until Close
	for lines := bufio.NewScanner(in); lines.Scan(); {
		r, err := look()
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(r); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Drain(ctx)
	return h.Close()
}

// look reads what this process uses.
func look() (r report, err error) {
	if r.ResidentBefore, err = resident(); err != nil {
		return r, err
	}
	before, err := processor()
	if err != nil {
		return r, err
	}
	debug.FreeOSMemory()
	debug.FreeOSMemory() // what finalizers have freed
	after, err := processor()
	if err != nil {
		return r, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.Heap, r.Stack, r.Goroutines = int64(m.HeapInuse), int64(m.StackInuse), runtime.NumGoroutine()
	r.CPUNanoseconds, r.LookNanoseconds, r.AtNanoseconds = after, after-before, time.Now().UnixNano()
	r.Resident, err = resident()
	return r, err
}

// processor returns the user and system time of this process in nanoseconds.
func processor() (int64, error) {
	var use syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return use.Utime.Nano() + use.Stime.Nano(), err
}

// resident returns the resident set size in bytes (proc(5), VmRSS).
func resident() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("no VmRSS in /proc/self/status")
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	return kib << 10, err
}

// selfSigned makes a certificate that nobody has to trust.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
