package archive

import (
	"cmp"
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/trace"
)

// state is what the loop owns.
type state struct {
	*Archive
	calls   map[string]*trace.Call // those that go on, by id
	rooms   map[string]string      // their ids, by room
	index   map[string]trace.Summary
	touched map[string]bool    // calls with changes to put on the shelf
	holders map[string]*holder // by session
	unread  map[string]revival // calls of before a restart that could not be read, by room
	loaded  bool
	opened  time.Time
	said    time.Time // when the shelf's last fault was logged
}

func newState(a *Archive) *state {
	return &state{
		Archive: a, calls: map[string]*trace.Call{}, rooms: map[string]string{}, index: map[string]trace.Summary{},
		touched: map[string]bool{}, holders: map[string]*holder{}, unread: map[string]revival{}, opened: time.Now(),
	}
}

// run obeys until the archive is closed, and then what is queued.
func (s *state) run() {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		if len(s.cmds) == 0 && s.reviveOne() {
			continue // whoever speaks first is taken up first, see change
		}
		select {
		case f := <-s.cmds:
			s.obey(f)
			if len(s.cmds) > 0 && len(s.touched) < 64 {
				continue // what follows may change the same parts
			}
		case <-s.wake:
		case <-sweep.C:
			s.obey((*state).sweep)
		case <-s.stop:
			for len(s.cmds) > 0 {
				s.obey(<-s.cmds)
			}
			for s.reviveOne() {
			}
			s.put()
			return
		}
		s.put()
	}
}

// obey runs a command; a panic costs the one call that it was for.
func (s *state) obey(f func(*state)) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a call record is spoilt by a fault of ours", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f(s)
}

// load reads the index.
func (s *state) load(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, restoreTime)
	defer cancel()
	heads, _, err := s.shelf.List(ctx, Calls)
	if err != nil {
		s.fault(err)
		return
	}
	s.loaded = true
	for id, head := range heads {
		summary, err := trace.Summarize(head)
		if err != nil || summary.ID != id {
			s.log.Warn("a call record is damaged and left out", "id", id, "err", err)
			continue
		}
		if _, newer := s.index[id]; !newer {
			s.index[id] = summary
		}
	}
}

// put puts what changed on the shelf.
func (s *state) put() {
	for id := range s.touched {
		c := s.calls[id]
		for _, p := range c.Changes() {
			bucket := Events
			if p.Head {
				bucket = Calls
			}
			if len(p.Value) == 0 {
				s.shelf.Delete(bucket, p.Key, nil)
			} else {
				s.shelf.Put(bucket, p.Key, p.Value, nil) // the shelf itself says when it cannot write
			}
		}
		s.index[id] = c.Summary()
		if c.Ended() {
			delete(s.calls, id)
		}
	}
	clear(s.touched)
}

func (s *state) fault(err error) {
	if now := time.Now(); now.Sub(s.said) >= time.Minute {
		s.said = now
		s.log.Warn("call records cannot be read", "err", err)
	}
}

func (s *state) begin(room, id string, began time.Time) {
	s.calls[id] = trace.New(id, room, began, s.cfg.Policy)
	s.rooms[room] = id
	s.touched[id] = true
}

// revive goes on with a call of before a restart, or, when the shelf has nothing of it, with what is known of it. When the
// shelf cannot be read it reports false: a new record would be written over the one that is there.
func (s *state) revive(room string, r revival) bool {
	c := s.calls[r.id]
	if c == nil {
		var err error
		if c, err = s.restore(context.Background(), r.id); err != nil {
			s.fault(err)
			return false
		}
	}
	if c == nil {
		c = trace.New(r.id, room, r.began, s.cfg.Policy)
	}
	s.calls[r.id] = c
	s.rooms[room] = r.id
	s.touched[r.id] = true
	c.Restart(r.at, r.people)
	return true
}

// reviveOne takes a call of before a restart up again, and reports whether there was one.
func (s *state) reviveOne() bool {
	s.mu.Lock()
	room, some := "", false
	for room = range s.late {
		some = true
		break
	}
	s.mu.Unlock()
	if some {
		s.obey(func(s *state) { s.catchUp(room) })
		s.put()
	}
	return some
}

// catchUp takes the room's call up again if that has still to be done.
func (s *state) catchUp(room string) {
	s.mu.Lock()
	r, ok := s.late[room]
	delete(s.late, room)
	s.mu.Unlock()
	if ok && !s.revive(room, r) {
		s.unread[room] = r
	}
}

// readAgain takes up the calls that could not be read before. What happened in them meanwhile is not in their records.
func (s *state) readAgain() {
	for room, r := range s.unread {
		if s.rooms[room] != "" || s.revive(room, r) {
			delete(s.unread, room)
		}
	}
}

// change changes the call that goes on in room; one whose beginning was missed stays unknown.
func (s *state) change(room string, f func(*trace.Call)) {
	s.catchUp(room)
	id := s.rooms[room]
	c := s.calls[id]
	if c == nil {
		return
	}
	s.touched[id] = true
	f(c)
}

func (s *state) end(room string, at time.Time) {
	s.change(room, func(c *trace.Call) { c.End(at) })
	delete(s.unread, room) // close ends it
	delete(s.rooms, room)
}

// list is List.
func (s *state) list(before string, limit int) (list []trace.Summary, more bool) {
	s.put() // the index follows
	all := make([]trace.Summary, 0, len(s.index))
	for _, c := range s.index {
		all = append(all, c)
	}
	slices.SortFunc(all, newestFirst)
	if before != "" {
		at, ok := trace.At(before)
		if !ok {
			return nil, false
		}
		from, found := slices.BinarySearchFunc(all, at, newestFirst)
		if found {
			from++
		}
		all = all[from:] // the one before may have been dropped since
	}
	if len(all) > limit {
		return all[:limit], true
	}
	return all, false
}

func newestFirst(a, b trace.Summary) int {
	return cmp.Or(cmp.Compare(b.Began, a.Began), cmp.Compare(a.ID, b.ID))
}

// sweep ends what nobody ended, and drops what is too old or too much.
func (s *state) sweep() {
	now := time.Now()
	if n := s.dropped.Swap(0); n > 0 {
		s.log.Warn("too much happens for the call records; something is missing from them", "events", n)
	}
	if !s.loaded {
		s.load(context.Background())
	}
	s.readAgain()
	s.forgetHolders(now)
	if now.Sub(s.opened) > s.cfg.Grace+sweepEvery {
		s.close()
	}
	all, _ := s.list("", len(s.index))
	count, size := 0, 0
	for _, c := range all {
		if s.calls[c.ID] != nil {
			continue // it goes on, and is bounded by itself
		}
		count++
		size += c.Size
		if count > s.cfg.Most || size > s.cfg.Bytes || now.Sub(time.UnixMilli(max(c.Began, c.Ended))) > s.cfg.Keep {
			s.drop(c.ID)
		}
	}
}

// close ends the calls of before a restart that did not go on, some at a time.
func (s *state) close() {
	for id, summary := range s.index {
		if len(s.touched) >= closeAtOnce {
			break
		}
		if summary.Ended != 0 || s.calls[id] != nil {
			continue
		}
		c, err := s.restore(context.Background(), id)
		if err != nil {
			s.fault(err)
			return // the shelf; another time
		}
		if c == nil {
			delete(s.index, id)
			continue
		}
		c.End(c.LastHeard())
		s.calls[id] = c
		s.touched[id] = true
	}
	s.put()
}

// drop forgets a call: its events first, so that what is left can be dropped another time.
func (s *state) drop(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), restoreTime)
	defer cancel()
	head, ok, err := s.shelf.Get(ctx, Calls, id)
	if err != nil {
		s.fault(err)
		return
	}
	if ok {
		keys, err := trace.Keys(head)
		if err != nil {
			s.log.Log(ctx, slog.LevelWarn, "a call record is damaged and dropped", "id", id, "err", err)
		}
		for _, key := range keys {
			s.shelf.Delete(Events, key, nil)
		}
		s.shelf.Delete(Calls, id, nil)
	}
	delete(s.index, id)
}
