package server

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/archive"
	"github.com/parley-rtc/parley/internal/signalserver"
	"github.com/parley-rtc/parley/internal/store"
)

// Places in the store.
const (
	storeDir    = "store" // in the data directory
	roomsBucket = "rooms"
	chatJournal = "chat"
)

// longestCall is how long a call may last for its record to be whole.
const longestCall = 31 * 24 * time.Hour

// readTimeout bounds what people wait for the store, which says at once when it is down: only a slow disk takes long.
// startTimeout bounds the start: without what it reads then, everybody loses their seat.
const (
	readTimeout  = 20 * time.Second
	startTimeout = time.Minute
)

// openStore opens what survives a restart. Without it everything works but memory, so that is no reason not to start.
func (s *Server) openStore(ctx context.Context) {
	h := s.cfg.History
	opened, err := store.Open(ctx, store.Config{
		Dir: filepath.Join(s.cfg.Data, storeDir), Log: s.log,
		Buckets: []store.Bucket{
			{Name: roomsBucket},
			// The archive drops what is too old itself; a call that goes on for long must not lose its beginning before.
			{Name: archive.Calls, Keep: s.cfg.Calls.Keep + longestCall},
			{Name: archive.Events, Keep: s.cfg.Calls.Keep + longestCall},
		},
		Journals: []store.Journal{{Name: chatJournal, Entries: h.Messages, Bytes: int64(h.Size) << 20}},
	})
	if err != nil {
		s.log.Error("nothing is saved: calls work, but chat history, call records and seats do not survive a restart", "error", err)
		return
	}
	s.store = opened
}

// keeper returns what rooms are kept by; nil without a store.
func (s *Server) keeper() signalserver.Keeper {
	if s.store == nil {
		return nil
	}
	return roomKeeper{s.store}
}

// roomKeeper keeps rooms in the store.
type roomKeeper struct{ store *store.Store }

func (k roomKeeper) Rooms() (records map[string][]byte, deleted []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return k.store.List(ctx, roomsBucket)
}

func (k roomKeeper) Histories() ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	subjects, err := k.store.Subjects(ctx, chatJournal)
	var names []string
	for s := range subjects {
		names = append(names, strings.TrimPrefix(s, chatSubject("")))
	}
	return names, err
}

func (k roomKeeper) PutRoom(room string, record []byte) { k.store.Put(roomsBucket, room, record, nil) }

func (k roomKeeper) DeleteRoom(room string) { k.store.Delete(roomsBucket, room, nil) }

func (k roomKeeper) Append(room, id string, message []byte, done func(seq uint64, err error)) {
	k.store.Append(chatSubject(room), id, message, done)
}

func (k roomKeeper) Read(room string, before uint64, limit int, done func([]signalserver.Said, bool, error)) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		entries, more, err := k.store.Read(ctx, chatSubject(room), before, limit)
		list := make([]signalserver.Said, len(entries))
		for i, e := range entries {
			list[i] = signalserver.Said{Seq: e.Seq, Message: e.Value}
		}
		done(list, more, err)
	}()
}

func (k roomKeeper) Purge(room string) { k.store.Purge(chatSubject(room), nil) }

func chatSubject(room string) string { return chatJournal + "." + room }
