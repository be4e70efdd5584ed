package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// maxRead is how many entries, and maxReadBytes how many bytes, one Read returns.
	maxRead      = 1000
	maxReadBytes = 4 << 20
	// placeHeader holds an entry's number in its subject, and how many bytes the subject has had up to it. idHeader holds
	// its identifier; JetStream's own would be one for all subjects.
	placeHeader = "Parley-Place"
	idHeader    = "Parley-Id"
)

var errNoJournal = errors.New("store: no such journal, or a subject that is not NAME.REST of letters, digits, '-' and '_'")

// Append adds an entry at the end of a subject. done gets its number in the subject once the disk has it. One of the
// newest knownIDs identifiers of the subject, after a restart too, is not added again: done gets its number.
func (s *Store) Append(subject, id string, value []byte, done func(seq uint64, err error)) {
	if done == nil {
		done = func(uint64, error) {}
	}
	j, ok := s.journal(subject)
	if !ok || id == "" || strings.ContainsAny(id, "\r\n") || len(value) > maxValue {
		go done(0, errNoJournal)
		return
	}
	t := &task{write: write{stream: journalPrefix + j.Name, subject: subject, id: id, value: value}, done: []func(uint64, error){done}}
	if err := s.queue.add(t); err != nil {
		go done(0, err)
	}
}

// Read returns the newest entries of a subject, at most limit, oldest first; with before > 0 those whose numbers are
// smaller. more says that there are older ones.
func (s *Store) Read(ctx context.Context, subject string, before uint64, limit int) (list []Entry, more bool, err error) {
	j, ok := s.journal(subject)
	if !ok {
		return nil, false, errNoJournal
	}
	list, err = wait(ctx, s, func(ctx context.Context, e *engine) ([]Entry, error) {
		return e.read(ctx, journalPrefix+j.Name, subject, before, min(max(limit, 1), maxRead)+1)
	})
	if len(list) > limit {
		return list[len(list)-limit:], true, err
	}
	return list, false, err
}

// Purge forgets a subject with all its entries. What is appended later is numbered from 1 again. When the disk fails, done
// gets the error, and the subject is forgotten all the same once it works again, unless the process ends before.
func (s *Store) Purge(subject string, done func(error)) {
	j, ok := s.journal(subject)
	if !ok {
		s.refuse(done, errNoJournal)
		return
	}
	s.add(&task{forget: subject, write: write{stream: journalPrefix + j.Name}, call: func(ctx context.Context, e *engine) error {
		return e.purge(ctx, journalPrefix+j.Name, subject, 0)
	}}, done)
}

// Subjects returns the subjects of a journal that have entries, with how many.
func (s *Store) Subjects(ctx context.Context, journal string) (map[string]uint64, error) {
	if _, ok := s.journals[journal]; !ok {
		return nil, errNoJournal
	}
	return wait(ctx, s, func(ctx context.Context, e *engine) (map[string]uint64, error) {
		all := map[string]uint64{}
		for {
			q := server.JSApiStreamInfoRequest{SubjectsFilter: ">"}
			q.Offset = len(all)
			var answer server.JSApiStreamInfoResponse
			if err := e.ask(ctx, server.JSApiStreamInfoT, journalPrefix+journal, q, &answer); err != nil {
				return nil, err
			}
			if answer.StreamInfo == nil || len(answer.State.Subjects) == 0 {
				return all, nil
			}
			for name, n := range answer.State.Subjects {
				all[name] = n
			}
			if len(all) >= answer.Total {
				return all, nil
			}
		}
	})
}

// journal returns the journal that a subject belongs to.
func (s *Store) journal(subject string) (Journal, bool) {
	name, rest, ok := strings.Cut(subject, ".")
	j, known := s.journals[name]
	if !ok || !known || len(subject) > 256 {
		return Journal{}, false
	}
	for part := range strings.SplitSeq(rest, ".") {
		if !token(part) {
			return Journal{}, false
		}
	}
	return j, true
}

// read returns up to limit entries before a number, or the newest. The stream knows no numbers of subjects: the place to
// start is searched by halves.
func (e *engine) read(ctx context.Context, stream, subject string, before uint64, limit int) ([]Entry, error) {
	last, ok, err := e.newest(ctx, stream, subject)
	if err != nil || !ok {
		return nil, err
	}
	newest, _, err := place(last)
	if err != nil {
		return nil, err
	}
	if before == 0 || before > newest {
		before = newest + 1
	}
	from := uint64(1)
	if before > uint64(limit) {
		from = before - uint64(limit)
	}
	start, err := e.seek(ctx, stream, subject, last.seq, func(entry uint64, _ int64) bool { return entry >= from })
	if err != nil {
		return nil, err
	}
	var list []Entry
	size := 0
	err = e.scan(ctx, stream, subject, start, limit, func(m message) bool {
		entry, _, err := place(m)
		if err != nil || entry >= before {
			return err != nil // one that cannot be read is left out
		}
		list = append(list, Entry{Seq: entry, ID: m.header.Get(idHeader), Value: m.value})
		size += len(m.value)
		return true
	})
	for len(list) > 1 && size > maxReadBytes {
		size -= len(list[0].Value)
		list = list[1:]
	}
	return list, err
}

// seek returns the smallest sequence of the stream from which on the subject's messages are good, where good is false
// before some message and true from it on. The message at last is known to be good.
func (e *engine) seek(ctx context.Context, stream, subject string, last uint64, good func(entry uint64, total int64) bool) (uint64, error) {
	low, high := uint64(1), last
	for low < high {
		middle := low + (high-low)/2
		m, ok, err := e.first(ctx, stream, subject, middle)
		if err != nil {
			return 0, err
		}
		if !ok || m.seq > high {
			high = middle
			continue
		}
		entry, total, err := place(m)
		if err != nil {
			return 0, err
		}
		if good(entry, total) {
			high = middle
		} else {
			low = m.seq + 1
		}
	}
	return low, nil
}

// place reads an entry's number and the bytes up to it.
func place(m message) (entry uint64, total int64, err error) {
	if _, err := fmt.Sscanf(m.header.Get(placeHeader), "%d %d", &entry, &total); err != nil {
		return 0, 0, fmt.Errorf("store: entry %d of %s: %w", m.seq, m.subject, err)
	}
	return entry, total, nil
}
