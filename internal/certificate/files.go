package certificate

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// reloadEvery bounds how often the files are looked at. They are looked at during handshakes only, so an idle server
// does nothing.
const reloadEvery = time.Second

// files serves one's own certificate and follows its files.
type files struct {
	certPath, keyPath string
	now               func() time.Time
	log               *slog.Logger

	mu      sync.Mutex
	cert    *tls.Certificate
	seen    [2]stamp // of the files that cert was read from, or that could not be read last
	checked time.Time
}

// stamp tells one state of a file from another.
type stamp struct {
	size    int64
	changed time.Time
}

func openFiles(cert, key string, now func() time.Time, log *slog.Logger) (*files, error) {
	f := &files{certPath: cert, keyPath: key, now: now, log: log, checked: now()}
	f.seen = f.stamps()
	var err error
	if f.cert, err = readPair(cert, key); err != nil {
		return nil, err
	}
	return f, nil
}

// get returns the certificate as the files have it now. Between the replacing of one file and the other they do not
// fit each other: the old pair is served until they do.
func (f *files) get() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Sub(f.checked) < reloadEvery {
		return f.cert
	}
	f.checked = now
	stamps := f.stamps()
	if stamps == f.seen {
		return f.cert
	}
	f.seen = stamps
	cert, err := readPair(f.certPath, f.keyPath)
	if err != nil {
		f.log.Warn("the certificate changed and cannot be read; the old one is served on", "error", err)
		return f.cert
	}
	f.log.Info("the certificate changed", "names", cert.Leaf.DNSNames, "until", cert.Leaf.NotAfter)
	f.cert = cert
	return cert
}

func (f *files) stamps() (out [2]stamp) {
	for i, path := range []string{f.certPath, f.keyPath} {
		if info, err := os.Stat(path); err == nil {
			out[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return out
}

// readPair reads a certificate and its key; an error says which file is at fault.
func readPair(certPath, keyPath string) (*tls.Certificate, error) {
	cert, err := os.ReadFile(certPath)
	if err != nil {
		return nil, fileError("read", certPath, pathless(err))
	}
	key, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, fileError("read", keyPath, pathless(err))
	}
	chain, err := parseChain(cert)
	if err != nil {
		return nil, fileError("read", certPath, err)
	}
	if err := parseKey(key); err != nil {
		return nil, fileError("read", keyPath, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("certificate: the key in %s is not the key of the certificate in %s (%s): %w",
			keyPath, certPath, chain[0].Subject.CommonName, err)
	}
	pair.Leaf = chain[0]
	return &pair, nil
}
