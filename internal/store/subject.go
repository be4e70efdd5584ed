package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
)

const (
	// knownIDs is how many of a subject's newest identifiers are known: appending one of them again is no new entry.
	knownIDs = 256
	// maxSubjects is how many subjects' ends are kept in memory; the others are read again when they are needed.
	maxSubjects = 1024
)

// subject is the end of a journal's subject as the writer knows it.
type subject struct {
	entry uint64   // the newest number that was given
	total int64    // bytes of all entries so far, also of those that are gone
	floor int64    // at most what total was before the oldest entry that is there
	ids   []string // the newest ones, oldest first
	seqs  []uint64 // their numbers
	used  uint64   // by the writer's clock
	long  bool     // it may be too long
}

// add notes an entry.
func (x *subject) add(id string, entry uint64, total int64) {
	x.entry, x.total = entry, total
	x.ids, x.seqs = append(x.ids, id), append(x.seqs, entry)
	if n := len(x.ids) - knownIDs; n > 0 {
		x.ids, x.seqs = slices.Delete(x.ids, 0, n), slices.Delete(x.seqs, 0, n)
	}
}

// begin sends a write on its way.
func (w *writer) begin(ctx context.Context, e *engine, t *task) error {
	if t.id == "" {
		w.store.keeper.forget(t.subject)
		return w.publish(e, t, t.header(), 0)
	}
	x := w.subjects[t.subject]
	if x == nil {
		w.settle() // reading would take the acknowledgements for old ones
		if e = w.store.keeper.engine; e == nil {
			return ErrDown
		}
		var err error
		if x, err = e.end(ctx, t.stream, t.subject); err != nil {
			return err
		}
		w.remember(t.subject, x)
	}
	w.clock++
	x.used = w.clock
	if i := slices.Index(x.ids, t.id); i >= 0 {
		seq := x.seqs[i]
		w.settle() // it may be on its way itself
		if w.store.keeper.engine == nil {
			return ErrDown
		}
		t.finish(seq, nil)
		return nil
	}
	x.add(t.id, x.entry+1, x.total+int64(len(t.value)))
	name, _, _ := strings.Cut(t.subject, ".")
	if most := w.store.journals[name].Bytes; most > 0 && x.total-x.floor > most+most/10 {
		if !x.long {
			w.long = append(w.long, t.subject)
		}
		x.long = true
	}
	return w.publish(e, t, nats.Header{placeHeader: {fmt.Sprintf("%d %d", x.entry, x.total)}, idHeader: {t.id}}, x.entry)
}

// publish sends a task's message.
func (w *writer) publish(e *engine, t *task, header nats.Header, entry uint64) error {
	address := e.question()
	err := e.conn.PublishMsg(&nats.Msg{Subject: t.subject, Reply: address, Header: header, Data: t.value})
	if err == nil {
		w.sent = append(w.sent, sent{task: t, address: address, entry: entry})
	}
	return err
}

// remember keeps a subject's end in mind, and forgets the one that was not used for longest.
func (w *writer) remember(name string, x *subject) {
	if len(w.subjects) >= maxSubjects {
		oldest := ""
		for n, y := range w.subjects {
			if oldest == "" || y.used < w.subjects[oldest].used {
				oldest = n
			}
		}
		delete(w.subjects, oldest)
	}
	w.subjects[name] = x
}

// end reads the end of a subject.
func (e *engine) end(ctx context.Context, stream, name string) (*subject, error) {
	x := &subject{}
	last, ok, err := e.newest(ctx, stream, name)
	if err != nil || !ok {
		return x, err
	}
	oldest, ok, err := e.first(ctx, stream, name, 0)
	if err != nil || !ok {
		return x, err
	}
	_, total, err := place(oldest)
	if err != nil {
		return nil, err
	}
	x.floor = total - int64(len(oldest.value))
	newest, _, err := place(last)
	if err != nil {
		return nil, err
	}
	from := newest - min(newest, knownIDs)
	start, err := e.seek(ctx, stream, name, last.seq, func(entry uint64, _ int64) bool { return entry > from })
	if err != nil {
		return nil, err
	}
	err = e.scan(ctx, stream, name, start, knownIDs, func(m message) bool {
		if entry, total, err := place(m); err == nil {
			x.add(m.header.Get(idHeader), entry, total)
		}
		return true
	})
	return x, err
}

// trim shortens the subjects that have become too long.
func (w *writer) trim(ctx context.Context) {
	list := w.long
	w.long = nil
	for _, name := range list {
		x, e := w.subjects[name], w.store.keeper.engine
		if x == nil || e == nil {
			continue
		}
		x.long = false
		journal, _, _ := strings.Cut(name, ".")
		if err := e.shorten(ctx, journalPrefix+journal, name, x, w.store.journals[journal].Bytes); err != nil {
			w.broken(err)
			return
		}
	}
}

// shorten takes out the oldest entries of a subject until the rest has at most so many bytes.
func (e *engine) shorten(ctx context.Context, stream, name string, x *subject, bytes int64) error {
	last, ok, err := e.newest(ctx, stream, name)
	if err != nil || !ok {
		return err
	}
	low := x.total - bytes // what total was before the oldest entry that may stay, at least
	start, err := e.seek(ctx, stream, name, last.seq, func(_ uint64, total int64) bool { return total > low })
	if err != nil {
		return err
	}
	if m, ok, err := e.first(ctx, stream, name, start); err != nil || !ok {
		return err
	} else if _, total, err := place(m); err == nil && total-int64(len(m.value)) < low {
		start = m.seq + 1 // it began before
	}
	if err := e.purge(ctx, stream, name, start); err != nil {
		return err
	}
	x.floor = low
	return nil
}
