package store

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"
)

// How a store that fails is opened again.
const (
	retryFirst = time.Second
	retryMost  = 30 * time.Second
	// sayEvery is how often the log is told that the disk cannot be used.
	sayEvery = time.Minute
	// maxFailed is how many values of buckets wait for a disk that cannot be used, for the next try.
	maxFailed = 16_384
	// maxFailedBytes is how many bytes they have together.
	maxFailedBytes = 64 << 20
)

// keeper holds the engine, and opens another one after a failure. The store's goroutine owns it.
type keeper struct {
	open   func(context.Context) (*engine, error)
	log    *slog.Logger
	engine *engine // nil while down
	retry  time.Time
	wait   time.Duration
	said   time.Time
	failed map[string]write  // newest values that could not be put
	size   int               // of failed, in bytes
	purges map[string]string // streams of the subjects that could not be forgotten, by subject
}

// keep keeps a value that could not be put for later, or drops it when too much is kept: what is kept already was first.
func (k *keeper) keep(w write) {
	old, ok := k.failed[w.subject]
	size := k.size - len(old.value) + len(w.value)
	switch {
	case !ok && len(k.failed) >= maxFailed, size > maxFailedBytes && len(w.value) > len(old.value):
		if ok { // an old value must not come back in place of a newer one
			k.forget(w.subject)
		}
		return
	case k.failed == nil:
		k.failed = map[string]write{}
	}
	k.failed[w.subject] = w
	k.size = size
}

// forget forgets a value that was kept.
func (k *keeper) forget(subject string) {
	k.size -= len(k.failed[subject].value)
	delete(k.failed, subject)
}

// ready returns the engine, nil while the disk cannot be used. The keeper opens it again when that is due.
func (k *keeper) ready(ctx context.Context) *engine {
	if k.engine != nil || time.Now().Before(k.retry) {
		return k.engine
	}
	e, err := k.open(ctx)
	if err != nil {
		k.fail(err)
		return nil
	}
	k.engine, k.wait = e, 0
	k.log.Info("the store works again")
	return e
}

// fail gives the engine up after an error.
func (k *keeper) fail(err error) {
	if k.engine != nil {
		k.engine.close()
		k.engine = nil
	}
	k.wait = min(max(2*k.wait, retryFirst), retryMost)
	k.retry = time.Now().Add(k.wait/2 + rand.N(k.wait/2))
	if time.Since(k.said) >= sayEvery {
		k.said = time.Now()
		k.log.Error("nothing can be saved now: calls go on, but chat history, call records and seats do not survive a restart; look at the space on the disk", "error", err)
	}
}

// run is the store's goroutine.
func (s *Store) run() {
	defer close(s.ended)
	defer s.lock.Close()
	w := writer{store: s, subjects: map[string]*subject{}}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for open := true; open; {
		wait := time.Hour
		if s.keeper.engine == nil && len(s.keeper.failed)+len(s.keeper.purges) > 0 {
			wait = time.Until(s.keeper.retry)
		}
		timer.Reset(max(wait, 0))
		select {
		case <-s.queue.wake:
		case <-timer.C:
			if e := s.keeper.ready(context.Background()); e == nil {
				continue
			}
		}
		var tasks []*task
		tasks, open = s.queue.take()
		w.obey(append(w.again(), tasks...))
	}
	if s.keeper.engine != nil {
		s.keeper.engine.close()
	}
}

// writer obeys tasks.
type writer struct {
	store    *Store
	subjects map[string]*subject // of journals, those used lately
	clock    uint64
	sent     []sent
	long     []string // subjects that may be too long
}

// sent is a write on its way to the disk.
type sent struct {
	task    *task
	address string // of its acknowledgement
	entry   uint64 // its number in its subject
}

// again returns tasks for the values that failed, once the disk can be used.
func (w *writer) again() (tasks []*task) {
	k := &w.store.keeper
	if k.engine == nil {
		return nil
	}
	for _, failed := range k.failed {
		tasks = append(tasks, &task{write: failed})
	}
	k.failed, k.size = nil, 0
	return tasks
}

// obey does tasks in order. Writes between two calls go to the disk without waiting for each other.
func (w *writer) obey(tasks []*task) {
	ctx := context.Background()
	w.purge(ctx) // also when there is nothing else to do
	for _, t := range tasks {
		w.store.keeper.ready(ctx)
		w.purge(ctx)
		e := w.store.keeper.engine
		switch {
		case e == nil:
			w.fail(t, ErrDown)
		case t.call != nil:
			w.settle()
			w.call(ctx, t)
		default:
			if err := w.begin(ctx, e, t); err != nil {
				w.broken(err)
				w.fail(t, err)
			}
			if len(w.sent) >= atOnce {
				w.settle() // what failed before may be much more, and acknowledgements have to be read
			}
		}
	}
	w.settle()
	w.trim(ctx)
}

// purge forgets what could not be forgotten before: what somebody wanted gone must not come back. It goes before whatever
// is written to the subject later.
func (w *writer) purge(ctx context.Context) {
	k := &w.store.keeper
	for subject, stream := range k.purges {
		if k.engine == nil {
			return
		}
		delete(w.subjects, subject)
		if err := k.engine.purge(ctx, stream, subject, 0); err != nil {
			w.broken(err)
			return
		}
		delete(k.purges, subject)
	}
}

// call obeys a task that has the engine for itself; settle may have cost us the engine.
func (w *writer) call(ctx context.Context, t *task) {
	defer func() {
		if p := recover(); p != nil {
			w.store.log.Error("a command to the store failed", "panic", p, "stack", string(debug.Stack()))
			t.finish(0, ErrDown)
		}
	}()
	e := w.store.keeper.engine
	if e == nil {
		w.fail(t, ErrDown)
		return
	}
	err := t.call(ctx, e)
	delete(w.subjects, t.forget)
	if err != nil {
		w.broken(err)
		w.fail(t, err)
		return
	}
	t.finish(0, nil)
}

// taken returns what is on its way, in order, and forgets it. Acknowledgements of one subject may tell that an older value
// failed after the newer one was stored, or failed itself.
func (w *writer) taken() []sent {
	list := w.sent
	w.sent = nil
	newer := make(map[string]bool, len(list))
	for _, x := range slices.Backward(list) {
		x.task.outdated = newer[x.task.subject]
		newer[x.task.subject] = true
	}
	return list
}

// settle waits for the acknowledgements of what is on its way.
func (w *writer) settle() {
	if len(w.sent) == 0 {
		return
	}
	e, list := w.store.keeper.engine, w.taken()
	waiting := make(map[string]sent, len(list))
	for _, x := range list {
		waiting[x.address] = x
	}
	deadline := time.Now().Add(ioTimeout)
	var broken error
	for len(waiting) > 0 {
		m, err := e.reply(deadline, func(a string) bool { return waiting[a].task != nil })
		if err != nil {
			broken = err
			break
		}
		x := waiting[m.Subject]
		delete(waiting, m.Subject)
		if err := published(m); err != nil {
			broken = err
			w.fail(x.task, err)
			continue
		}
		x.task.finish(x.entry, nil)
	}
	for _, x := range list {
		if waiting[x.address].task != nil {
			w.fail(x.task, broken)
		}
	}
	if broken != nil {
		w.broken(broken)
	}
}

// fail tells that a task failed. A value of a bucket is kept for later.
func (w *writer) fail(t *task, err error) {
	k := &w.store.keeper
	switch {
	case t.forget != "" && len(k.purges) < maxFailed:
		if k.purges == nil {
			k.purges = map[string]string{}
		}
		k.purges[t.forget] = t.stream
	case t.call == nil && t.id == "" && !t.outdated:
		k.keep(t.write)
	}
	t.finish(0, err)
}

// broken gives the engine up, with what is known from it.
func (w *writer) broken(err error) {
	for _, x := range w.taken() {
		w.fail(x.task, err)
	}
	clear(w.subjects)
	w.store.keeper.fail(err)
}
