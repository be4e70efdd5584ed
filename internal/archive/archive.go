// Package archive keeps the records of calls: it is told what happens in rooms, has package trace make a call of it, and
// puts every change on the shelf, so that a record survives the process that began it.
//
// One goroutine owns the calls. **Methods that tell something never wait**: they queue, and when the queue is full, which
// is said in the log, something is missing from a record. A record is worth less than the call that it is of.
package archive

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/trace"
)

// Buckets of the shelf: what is said of each call, and the events.
const (
	Calls  = "calls"
	Events = "events"
)

// Defaults of Config.
const (
	DefaultKeep  = 30 * 24 * time.Hour
	DefaultMost  = 2_000
	DefaultBytes = 256 << 20
	DefaultGrace = 10 * time.Minute
)

const (
	// ahead is how many commands may wait; reports leave a quarter of the places to what the server itself saw.
	ahead = 4096
	// sweepEvery is how often it is looked for what has to go.
	sweepEvery = time.Minute
	// closeAtOnce is how many calls that nobody ended are ended at once.
	closeAtOnce = 32
	// restoreTime bounds how long the shelf may take for one answer.
	restoreTime = 10 * time.Second
)

// Shelf keeps values through a restart; *store.Store is one. Put and Delete must not wait.
type Shelf interface {
	Put(bucket, key string, value []byte, done func(error))
	Get(ctx context.Context, bucket, key string) (value []byte, ok bool, err error)
	List(ctx context.Context, bucket string) (values map[string][]byte, deleted []string, err error)
	Delete(bucket, key string, done func(error))
}

// Config is what an Archive is made with; zero values mean the defaults.
type Config struct {
	// Keep is how long the record of an ended call stays.
	Keep time.Duration
	// Most is how many records are kept, and Bytes about how much of them; the oldest go first.
	Most  int
	Bytes int
	// Policy says how much of people's addresses is kept.
	Policy trace.Policy
	// Grace is how long after a start a call of before may go on: one that has not by then is over.
	Grace time.Duration
}

// Archive keeps the records. Make one with Open; end it with Close. Its methods are safe for concurrent use.
type Archive struct {
	cfg   Config
	keys  *auth.Keys
	shelf Shelf
	log   *slog.Logger

	cmds    chan func(*state)
	wake    chan struct{} // has one value when there is something in late
	stop    chan struct{}
	once    sync.Once
	loop    sync.WaitGroup
	dropped atomic.Int64

	mu  sync.Mutex
	ids map[string]string // of the calls that go on, by room; a leaf, for Ref
	// late are calls of before a restart, by room, that the loop has not taken up again: they come all at once, and more
	// than the queue holds.
	late map[string]revival
}

// Open starts an archive on a shelf; without one (nil), records last as long as the process. What is there already is
// read now; a shelf that cannot be read is said in the log, and tried again.
func Open(ctx context.Context, cfg Config, keys *auth.Keys, shelf Shelf, log *slog.Logger) *Archive {
	cfg.Keep = cmp.Or(cfg.Keep, DefaultKeep)
	cfg.Most = cmp.Or(cfg.Most, DefaultMost)
	cfg.Bytes = cmp.Or(cfg.Bytes, DefaultBytes)
	cfg.Grace = cmp.Or(cfg.Grace, DefaultGrace)
	cfg.Policy = cmp.Or(cfg.Policy, trace.KeepPrefix)
	if shelf == nil {
		shelf = newBoard()
	}
	a := &Archive{
		cfg: cfg, keys: keys, shelf: shelf, log: log, ids: map[string]string{}, late: map[string]revival{},
		cmds: make(chan func(*state), ahead), wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	s := newState(a)
	s.load(ctx)
	a.loop.Go(s.run)
	return a
}

// Close ends it when what is queued has been put on the shelf.
func (a *Archive) Close() {
	a.once.Do(func() { close(a.stop) })
	a.loop.Wait()
}

// tell queues a command and never waits. What is not of the server's own seeing leaves some places free.
func (a *Archive) tell(own bool, f func(*state)) {
	if !own && len(a.cmds) > ahead*3/4 {
		a.dropped.Add(1)
		return
	}
	select {
	case a.cmds <- f:
	default:
		a.dropped.Add(1)
	}
}

// ask queues a command and waits until it was obeyed.
func (a *Archive) ask(ctx context.Context, f func(*state)) error {
	done := make(chan struct{})
	select {
	case a.cmds <- func(s *state) { f(s); close(done) }:
	case <-a.stop:
		return context.Canceled
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-done:
		return nil
	case <-a.stop:
		return context.Canceled
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Begin says that a room began to exist: a new call.
func (a *Archive) Begin(room string, began time.Time) {
	id := a.enter(room, began)
	a.tell(true, func(s *state) { s.begin(room, id, began) })
}

// Revive says that a room that began before a restart goes on; people are those who had seats.
func (a *Archive) Revive(room string, began, at time.Time, people []trace.Person) {
	id := a.enter(room, began)
	a.mu.Lock()
	a.late[room] = revival{id: id, began: began, at: at, people: people}
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// revival is what Revive was told.
type revival struct {
	id        string
	began, at time.Time
	people    []trace.Person
}

func (a *Archive) enter(room string, began time.Time) string {
	id := a.keys.CallID(room, began)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[room] = id
	return id
}

// End says that nobody has a seat in the room any more.
func (a *Archive) End(room string, at time.Time) {
	a.mu.Lock()
	delete(a.ids, room)
	a.mu.Unlock()
	a.tell(true, func(s *state) { s.end(room, at) })
}

// Join says that somebody took a seat.
func (a *Archive) Join(room string, at time.Time, p trace.Person) {
	a.tell(true, func(s *state) { s.change(room, func(c *trace.Call) { c.Join(at, p) }) })
}

// Away says that a seat's client lost its connection.
func (a *Archive) Away(room string, at time.Time, seat string) {
	a.tell(true, func(s *state) { s.change(room, func(c *trace.Call) { c.Away(at, seat) }) })
}

// Back says that it is there again.
func (a *Archive) Back(room string, at time.Time, seat string) {
	a.tell(true, func(s *state) { s.change(room, func(c *trace.Call) { c.Back(at, seat) }) })
}

// Leave says that a seat is gone.
func (a *Archive) Leave(room string, at time.Time, seat string, why signal.LeftReason) {
	a.tell(true, func(s *state) { s.change(room, func(c *trace.Call) { c.Leave(at, seat, why) }) })
}

// Topology says that a switch of topology began or ended.
func (a *Archive) Topology(room string, at time.Time, t signal.Topology, missing string) {
	a.tell(true, func(s *state) { s.change(room, func(c *trace.Call) { c.Topology(at, t, missing) }) })
}

// Report takes what the client on a seat says that it saw.
func (a *Archive) Report(room string, at time.Time, seat string, events []signal.ReportEvent) {
	a.tell(false, func(s *state) { s.change(room, func(c *trace.Call) { c.Report(at, seat, events) }) })
}

// Seated says which session sits on a seat now: what the relay did and does for it belongs to that seat.
func (a *Archive) Seated(room, session, seat string) {
	a.tell(true, func(s *state) { s.seated(room, session, seat) })
}

// Gone says that a session is over.
func (a *Archive) Gone(session string) { a.tell(true, func(s *state) { s.gone(session) }) }

// Relay says what the relay did for a session, which may sit down later, or sat before. cause says why it refused.
func (a *Archive) Relay(session string, at time.Time, kind signal.ReportKind, relay trace.Relay, cause string) {
	a.tell(false, func(s *state) { s.relay(session, relayed{at: at, kind: kind, relay: relay, cause: cause}) })
}

// Ref returns the identifier of the room's call and the token by which a seat reads its record; both empty when the room
// does not exist.
func (a *Archive) Ref(room, seat string) (id, token string) {
	a.mu.Lock()
	id = a.ids[room]
	a.mu.Unlock()
	if id == "" {
		return "", ""
	}
	return id, a.keys.CallSeal(auth.Call{ID: id, Seat: seat})
}

// Get returns the record of a call, and false when there is none, or none any more.
func (a *Archive) Get(ctx context.Context, id string) (r trace.Record, ok bool, err error) {
	err = a.ask(ctx, func(s *state) {
		if c := s.calls[id]; c != nil {
			r, ok = c.Record(time.Now()), true
		}
	})
	if ok || err != nil {
		return r, ok, err
	}
	c, err := a.restore(ctx, id)
	if c == nil || err != nil {
		return trace.Record{}, false, err
	}
	return c.Record(time.Now()), true, nil
}

// restore reads a call from the shelf; nil when there is none.
func (a *Archive) restore(ctx context.Context, id string) (*trace.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, restoreTime)
	defer cancel()
	head, ok, err := a.shelf.Get(ctx, Calls, id)
	if !ok || err != nil {
		return nil, err
	}
	var failed error
	c, err := trace.Restore(head, a.cfg.Policy, func(key string) []byte {
		value, _, err := a.shelf.Get(ctx, Events, key)
		failed = cmp.Or(failed, err)
		return value
	})
	if err := cmp.Or(err, failed); err != nil {
		return nil, err
	}
	return c, nil
}

// List returns up to limit calls, the newest first, that come after the one whose trace.Summary.Place is before (empty:
// from the newest one on), and whether there are more.
func (a *Archive) List(ctx context.Context, before string, limit int) (list []trace.Summary, more bool, err error) {
	err = a.ask(ctx, func(s *state) { list, more = s.list(before, limit) })
	return list, more, err
}
