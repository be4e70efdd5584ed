// Package store keeps on the disk what must survive a restart: the newest value of named things in buckets, and
// journals, which only grow at their end. It is an embedded NATS server with JetStream that listens nowhere, with every
// write on the disk before it is acknowledged (ADR 0009); NATS types appear nowhere else.
//
// **Put, Append, Delete and Purge never wait.** They queue, and call done from the store's goroutine once the disk has
// acknowledged or failed; done must not block and may be nil. What is queued is bounded: beyond, done gets ErrBusy. Get,
// List, Read and Subjects wait for what was queued before them.
//
// Whoever uses a store gets on without it: while the disk fails, everything fails soon, the log says so once a minute,
// and the store is opened anew until it works again.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// Errors that callers tell apart.
var (
	// ErrBusy says that too much waits for the disk.
	ErrBusy = errors.New("store: too much waits for the disk")
	// ErrClosed says that the store was closed before.
	ErrClosed = errors.New("store: closed")
	// ErrDown says that the disk does not take anything just now; see the log.
	ErrDown = errors.New("store: the disk cannot be used now")
)

// DefaultMaxBytes bounds what one stream of the store takes on the disk.
const DefaultMaxBytes = 1 << 30

// Config is what a Store is made with.
type Config struct {
	// Dir is the store's own directory; it is made with mode 0700. Only one Store may have it open.
	Dir string
	// Log gets what goes wrong, and with level debug what the embedded server says.
	Log *slog.Logger
	// Buckets and Journals are those that exist; others are refused.
	Buckets  []Bucket
	Journals []Journal
	// MaxBytes bounds the buckets together and each journal on the disk; the oldest goes first. 0 means DefaultMaxBytes.
	MaxBytes int64
}

// Bucket describes a set of keys, each with its newest value.
type Bucket struct {
	// Name is made of letters, digits, '-' and '_'.
	Name string
	// Keep is how long a value stays after it was put; 0 is for ever.
	Keep time.Duration
}

// Journal describes a set of subjects, each of which is a list that grows at its end. Subjects start with the journal's
// name and a dot.
type Journal struct {
	// Name is made of letters, digits, '-' and '_'.
	Name string
	// Keep is how long an entry stays; 0 is for ever.
	Keep time.Duration
	// Entries and Bytes bound each subject; the oldest entries go first. 0 is no bound of their own. Bytes is kept to
	// about a tenth.
	Entries int
	Bytes   int64
}

// Entry is one entry of a journal.
type Entry struct {
	// Seq is its number within its subject, from 1 and growing; the numbers of entries that failed are missing.
	Seq uint64
	// ID is what it was appended with.
	ID string
	// Value is what was appended.
	Value []byte
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	cfg      Config
	log      *slog.Logger
	lock     *os.File
	buckets  map[string]Bucket
	journals map[string]Journal
	queue    queue
	keeper   keeper
	ended    chan struct{}
}

// Open opens the store in cfg.Dir, and makes it at first. What was acknowledged before, also before a crash, is there.
// Close it.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, DefaultMaxBytes)
	s := &Store{cfg: cfg, log: cfg.Log, buckets: map[string]Bucket{}, journals: map[string]Journal{}, ended: make(chan struct{})}
	for _, b := range cfg.Buckets {
		s.buckets[b.Name] = b
	}
	for _, j := range cfg.Journals {
		s.journals[j.Name] = j
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: make the directory: %w", err)
	}
	if err := os.Chmod(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: close the directory to others: %w", err)
	}
	var err error
	if s.lock, err = lockFile(ctx, filepath.Join(cfg.Dir, "lock")); err != nil {
		return nil, err
	}
	s.keeper.open = func(ctx context.Context) (*engine, error) { return openEngine(ctx, s.cfg) }
	s.keeper.log = cfg.Log
	if s.keeper.engine, err = s.keeper.open(ctx); err != nil {
		s.lock.Close()
		return nil, fmt.Errorf("%w; should this stay so while the disk is well, move %s away: the store then starts empty", err, cfg.Dir)
	}
	s.queue.init()
	go s.run()
	return s, nil
}

// Close writes what is queued, as long as the disk takes it within a few seconds, and closes the store. Everything after
// it fails with ErrClosed.
func (s *Store) Close() {
	s.queue.close()
	<-s.ended
}
