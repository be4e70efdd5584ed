package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// remembered is how long a memory is kept, as the receiver keeps what arrived.
const remembered = 7 * 24 * time.Hour

// memory is what the next process that does the same needs to go on where this one stopped: the id of the transfer, by
// which the receiver knows it and which nobody else can guess, and the seat in the room, with its key if it is encrypted.
// It is a file in the user's folder for state; where there is none, the next process begins anew.
type memory struct {
	path string
	kept struct {
		ID   string `json:"id,omitempty"`
		Seat string `json:"seat,omitempty"`
		Key  string `json:"key,omitempty"` // of the room, if send encrypted it
	}
}

// newMemory finds what an earlier process left that did the same in the same room.
func newMemory(w *World, verb, guest string, files ...string) *memory {
	m := &memory{}
	dir, ok := w.env("XDG_STATE_HOME")
	if !ok || !filepath.IsAbs(dir) {
		home, ok := w.env("HOME")
		if !ok || home == "" {
			return m
		}
		dir = filepath.Join(home, ".local", "state")
	}
	dir = filepath.Join(dir, "parley", "files")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m
	}
	h := sha256.New()
	h.Write([]byte(verb + "\x00" + guest))
	for _, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return m
		}
		h.Write([]byte("\x00" + abs))
	}
	m.path = filepath.Join(dir, hex.EncodeToString(h.Sum(nil)[:16]))
	tidy(dir, time.Now())
	if b, err := os.ReadFile(m.path); err == nil {
		_ = json.Unmarshal(b, &m.kept) // what cannot be read is replaced
	}
	return m
}

// tidy forgets what is too old.
func tidy(dir string, now time.Time) {
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

// id returns the id of the transfer, making one the first time.
func (m *memory) id() string {
	if m.kept.ID == "" {
		m.kept.ID = parley.NewTransferID()
		m.save()
	}
	return m.kept.ID
}

// sits remembers the seat.
func (m *memory) sits(ctx context.Context, room *parley.Room) {
	if token, err := room.Seat(ctx); err == nil && token != m.kept.Seat {
		m.kept.Seat = token
		m.save()
	}
}

// delivered lets the next send be a new transfer.
func (m *memory) delivered() {
	m.kept.ID = ""
	m.save()
}

// left forgets the seat, which was given up, and the whole file when nothing is left to go on with.
func (m *memory) left() {
	m.kept.Seat = ""
	m.save()
}

func (m *memory) save() {
	if m.path == "" {
		return
	}
	if m.kept.ID == "" && m.kept.Seat == "" {
		_ = os.Remove(m.path) // it may be gone already
		return
	}
	if b, err := json.Marshal(m.kept); err == nil {
		_ = os.WriteFile(m.path, b, 0o600) // without it, the next process begins anew
	}
}
