package server

import (
	"context"
	"path/filepath"
	"time"

	"github.com/parley-rtc/parley/internal/archive"
	"github.com/parley-rtc/parley/internal/store"
)

// storeDir is the store's folder in the data directory.
const storeDir = "store"

// openStore opens what survives a restart. Without it everything works but memory, so it is no reason not to start.
func (s *Server) openStore(ctx context.Context) {
	var err error
	s.store, err = store.Open(ctx, store.Config{
		Dir: filepath.Join(s.cfg.Data, storeDir), Log: s.log,
		Buckets: []store.Bucket{
			{Name: "rooms", Keep: 31 * 24 * time.Hour},
			// The archive drops what is too old itself; a call that goes on for long must not lose its beginning before.
			{Name: archive.Calls, Keep: s.cfg.Calls.Keep + 31*24*time.Hour}, {Name: archive.Events, Keep: s.cfg.Calls.Keep + 31*24*time.Hour},
		},
		Journals: []store.Journal{{Name: "chat", Entries: 10000, Bytes: 16 << 20}},
	})
	if err != nil {
		s.store = nil
		s.log.Error("nothing is saved: calls work, but chat history, call records and seats do not survive a restart", "error", err)
	}
}
