package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// remembered is how long the id of a transfer is kept, as the receiver keeps what arrived.
const remembered = 7 * 24 * time.Hour

// memory keeps the id of a transfer for the next process that sends the same files by the same link: the receiver knows
// it by that id, which nobody else can guess. Where it cannot be kept, a send that was stopped begins anew.
type memory struct {
	path  string
	known string
}

func newMemory(w *World, link string, files []string) *memory {
	dir, ok := w.env("XDG_STATE_HOME")
	if !ok || !filepath.IsAbs(dir) {
		home, ok := w.env("HOME")
		if !ok || home == "" {
			return &memory{}
		}
		dir = filepath.Join(home, ".local", "state")
	}
	dir = filepath.Join(dir, "parley", "sent")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &memory{}
	}
	h := sha256.New()
	h.Write([]byte(link))
	for _, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return &memory{}
		}
		h.Write([]byte("\x00" + abs))
	}
	m := &memory{path: filepath.Join(dir, hex.EncodeToString(h.Sum(nil)[:16]))}
	m.tidy(dir, time.Now())
	return m
}

// tidy forgets what is too old.
func (m *memory) tidy(dir string, now time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > remembered {
			_ = os.Remove(filepath.Join(dir, e.Name())) // it may be gone already
		}
	}
}

// id returns the id, making one the first time.
func (m *memory) id() string {
	if m.known != "" {
		return m.known
	}
	if b, err := os.ReadFile(m.path); err == nil && m.path != "" {
		if m.known = strings.TrimSpace(string(b)); m.known != "" {
			return m.known
		}
	}
	m.known = parley.NewTransferID()
	if m.path != "" {
		_ = os.WriteFile(m.path, []byte(m.known+"\n"), 0o600) // without it, the next process begins anew
	}
	return m.known
}

// forget lets the next send be a new transfer.
func (m *memory) forget() {
	if m.path != "" {
		_ = os.Remove(m.path) // it may be gone already
	}
	m.known = ""
}
