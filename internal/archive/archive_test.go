package archive

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/trace"
)

var (
	quiet = slog.New(slog.DiscardHandler)
	keys  = auth.NewKeys(bytes.Repeat([]byte{7}, auth.MasterSize))
)

// open opens an archive that is closed with the test's bubble.
func open(t *testing.T, cfg Config, shelf Shelf) *Archive {
	t.Helper()
	a := Open(t.Context(), cfg, keys, shelf, quiet)
	t.Cleanup(a.Close)
	return a
}

// call tells of one call of Ann's and Ben's.
func call(a *Archive, room string, end bool) (id string) {
	now := time.Now()
	a.Begin(room, now)
	id, _ = a.Ref(room, "ann")
	a.Join(room, now, trace.Person{Seat: "ann", Name: "Ann", Address: "203.0.113.7"})
	a.Join(room, now.Add(time.Second), trace.Person{Seat: "ben", Name: "Ben"})
	a.Report(room, now.Add(2*time.Second), "ann", []signal.ReportEvent{{
		At: now.UnixMilli(), Kind: signal.ReportPathChanged, Seat: "ben", Path: &signal.ReportPath{Kind: signal.PathDirect},
	}})
	a.Away(room, now.Add(3*time.Second), "ben")
	a.Back(room, now.Add(4*time.Second), "ben")
	if end {
		a.Leave(room, now.Add(5*time.Second), "ben", signal.LeftLeft)
		a.Leave(room, now.Add(5*time.Second), "ann", signal.LeftLeft)
		a.End(room, now.Add(5*time.Second))
	}
	return id
}

func get(t *testing.T, a *Archive, id string) (trace.Record, bool) {
	t.Helper()
	r, ok, err := a.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r, ok
}

func TestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newBoard()
		a := open(t, Config{}, shelf)
		id := call(a, "tea", false)
		if r, ok := get(t, a, id); !ok || r.Ended != 0 || len(r.People) != 2 || r.People[0].Address != "203.0.113.0/24" {
			t.Errorf("while it goes on: %v %+v", ok, r)
		}
		if _, ok := get(t, a, "another"); ok {
			t.Error("a call that never was has a record")
		}
		a.End("tea", time.Now().Add(5*time.Second))
		r, ok := get(t, a, id)
		if !ok || r.Ended == 0 || r.Verdict.Text != "Ann and Ben were connected directly. There was no interruption." {
			t.Errorf("after the end: %v %+v", ok, r)
		}
		if id, token := a.Ref("tea", "ann"); id != "" || token != "" {
			t.Error("a room that is gone has a record")
		}
		a.Close()
		again := open(t, Config{}, shelf)
		if back, ok := get(t, again, id); !ok || back.Verdict.Text != r.Verdict.Text || len(back.Events) != len(r.Events) {
			t.Errorf("after a restart: %v %+v", ok, back)
		}
	})
}

func TestRevive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newBoard()
		a := open(t, Config{}, shelf)
		began := time.Now()
		id := call(a, "tea", false)
		synctest.Wait() // all of it is on the shelf
		crashed := newBoard()
		crashed.values = map[string]map[string][]byte{Calls: {}, Events: {}}
		for _, bucket := range []string{Calls, Events} {
			values, _, err := shelf.List(t.Context(), bucket)
			if err != nil {
				t.Fatal(err)
			}
			crashed.values[bucket] = values
		}
		b := open(t, Config{}, crashed)
		b.Revive("tea", began, time.Now().Add(time.Minute), []trace.Person{{Seat: "ann"}, {Seat: "ben"}})
		if again, _ := b.Ref("tea", "ann"); again != id {
			t.Errorf("the call is another one now: %s, was %s", again, id)
		}
		b.Back("tea", time.Now().Add(61*time.Second), "ann")
		r, ok := get(t, b, id)
		if !ok || len(r.Restarts) != 1 || len(r.People) != 2 || r.People[0].Name != "Ann" {
			t.Errorf("%v %+v", ok, r)
		}
	})
}

// TestOrphan: a call that a crash cut off, and that nobody went on with, is over when the grace time is.
func TestOrphan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newBoard()
		a := open(t, Config{}, shelf)
		id := call(a, "tea", false)
		a.Close()
		b := open(t, Config{Grace: 10 * time.Minute}, shelf)
		if r, ok := get(t, b, id); !ok || r.Ended != 0 {
			t.Errorf("too soon: %v %+v", ok, r)
		}
		time.Sleep(13 * time.Minute)
		if r, ok := get(t, b, id); !ok || r.Ended == 0 || time.UnixMilli(r.Ended).After(time.Now().Add(-10*time.Minute)) {
			t.Errorf("%v %+v", ok, r)
		}
	})
}

func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newBoard()
		a := open(t, Config{Keep: time.Hour, Most: 5}, shelf)
		var ids []string
		for i := range 8 {
			ids = append(ids, call(a, "room"+strconv.Itoa(i), true))
			time.Sleep(time.Second)
		}
		live := call(a, "live", false)
		time.Sleep(2 * sweepEvery)
		list, more, err := a.List(t.Context(), "", 3)
		if err != nil || !more || len(list) != 3 || list[0].ID != live || list[1].ID != ids[7] || list[1].Text == "" {
			t.Errorf("%+v %v %v", list, more, err)
		}
		if list, more, err = a.List(t.Context(), list[2].Place(), 10); err != nil || more || len(list) != 3 || list[2].ID != ids[3] {
			t.Errorf("the next page: %+v %v %v", list, more, err)
		}
		first, _, err := a.List(t.Context(), "", 2)
		if err != nil || len(first) != 2 {
			t.Fatal(first, err)
		}
		lost := first[1]
		if err := a.ask(t.Context(), func(s *state) { s.drop(lost.ID) }); err != nil {
			t.Fatal(err)
		}
		if list, more, err = a.List(t.Context(), lost.Place(), 10); err != nil || more || len(list) != 4 || list[0].ID != ids[6] {
			t.Errorf("after one that was dropped meanwhile: %+v %v %v", list, more, err)
		}
		for _, odd := range []string{"x", "1", ".", "x.y", lost.ID} {
			if list, more, err = a.List(t.Context(), odd, 10); err != nil || more || len(list) != 0 {
				t.Errorf("after %q: %+v %v %v", odd, list, more, err)
			}
		}
		time.Sleep(2 * time.Hour)
		if list, _, err = a.List(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].ID != live {
			t.Errorf("after their time: %+v %v", list, err)
		}
		values, _, err := shelf.List(t.Context(), Events)
		if err != nil || len(values) != 2 {
			t.Errorf("%d parts are left, of one call with two people: %v", len(values), err)
		}
	})
}

// deaf is a shelf that cannot be read.
type deaf struct{ *board }

var errDeaf = errors.New("deaf")

func (d deaf) Get(context.Context, string, string) ([]byte, bool, error) { return nil, false, errDeaf }

func (d deaf) List(context.Context, string) (map[string][]byte, []string, error) {
	return nil, nil, errDeaf
}

func TestShelfFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, Config{}, deaf{newBoard()})
		id := call(a, "tea", false)
		if r, ok := get(t, a, id); !ok || len(r.People) != 2 {
			t.Errorf("a call that goes on needs no shelf: %v %+v", ok, r)
		}
		a.End("tea", time.Now())
		time.Sleep(20 * time.Minute)
		if _, _, err := a.Get(t.Context(), id); !errors.Is(err, errDeaf) {
			t.Errorf("got %v", err)
		}
	})
}

// dim is a shelf that cannot be read at first.
type dim struct {
	*board
	dark atomic.Bool
}

func (d *dim) Get(ctx context.Context, bucket, key string) ([]byte, bool, error) {
	if d.dark.Load() {
		return nil, false, errDeaf
	}
	return d.board.Get(ctx, bucket, key)
}

// TestReviveUnreadable: what was recorded before a restart is not lost because it could not be read for a while.
func TestReviveUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		shelf := &dim{board: newBoard()}
		a := Open(t.Context(), Config{}, keys, shelf, quiet)
		id := call(a, "tea", false)
		call(a, "cake", false)
		a.Close()
		shelf.dark.Store(true)
		b := open(t, Config{}, shelf)
		people := []trace.Person{{Seat: "ann"}, {Seat: "ben"}}
		b.Revive("tea", began, time.Now(), people)
		b.Revive("cake", began, time.Now(), people)
		b.Away("tea", time.Now(), "ben")
		b.End("cake", time.Now())
		time.Sleep(2 * sweepEvery)
		shelf.dark.Store(false)
		time.Sleep(2 * sweepEvery)
		b.Back("tea", time.Now(), "ben")
		r, ok := get(t, b, id)
		if !ok || len(r.Restarts) != 1 || len(r.People) != 2 || r.People[0].Name != "Ann" || r.Ended != 0 {
			t.Errorf("%v %+v", ok, r)
		}
		time.Sleep(DefaultGrace + 2*sweepEvery)
		ended := 0
		list, _, err := b.List(t.Context(), "", 10)
		for _, c := range list {
			if c.Ended != 0 {
				ended++
			}
		}
		if err != nil || len(list) != 2 || ended != 1 {
			t.Errorf("%v: %d of %d calls have ended, want 1 of 2", err, ended, len(list))
		}
	})
}

// TestFlood: who tells too much loses some of it, waits for nobody, and the archive goes on.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, Config{}, nil)
		hold := make(chan struct{})
		a.tell(true, func(*state) { <-hold })
		for range 2 * ahead {
			a.Report("tea", time.Now(), "ann", nil)
		}
		id := call(a, "tea", false) // what the server saw has places left
		if a.dropped.Load() == 0 {
			t.Error("nothing was dropped, so the queue has no bound")
		}
		close(hold)
		if r, ok := get(t, a, id); !ok || len(r.People) != 2 {
			t.Errorf("%v %+v", ok, r)
		}
	})
}

// TestRelay: what the relay did before somebody sat down waits for the seat, and what it tells late is still taken.
func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, Config{}, newBoard())
		now := time.Now()
		tell := func(session string, kind signal.ReportKind, r trace.Relay) { a.Relay(session, time.Now(), kind, r, "") }
		tell("s1", trace.RelayAllocated, trace.Relay{Transport: signal.TransportTLS, Port: 7})
		time.Sleep(time.Second)
		id := call(a, "tea", false)
		a.Seated("tea", "s1", "ann")
		tell("s1", trace.RelayPermitted, trace.Relay{Transport: signal.TransportTLS, Port: 7})
		for range 100 { // the same refusal again and again is one
			tell("s1", trace.RelayRefused, trace.Relay{Transport: signal.TransportTLS, Code: 486})
		}
		tell("stranger", trace.RelayEnded, trace.Relay{})
		a.Leave("tea", time.Now(), "ann", signal.LeftLeft)
		a.Leave("tea", time.Now(), "ben", signal.LeftLeft)
		a.End("tea", time.Now())
		before, _ := get(t, a, id)
		a.Gone("s1")
		time.Sleep(time.Second)
		tell("s1", trace.RelayEnded, trace.Relay{Transport: signal.TransportTLS, Port: 7, Up: 10, Down: 20})
		r, ok := get(t, a, id)
		var kinds []signal.ReportKind
		for _, e := range r.Events {
			if e.Relay != nil {
				if e.Who != "ann" || !e.Server || e.Relay.Transport != signal.TransportTLS {
					t.Errorf("%+v", e)
				}
				kinds = append(kinds, e.Kind)
			}
		}
		want := []signal.ReportKind{trace.RelayAllocated, trace.RelayPermitted, trace.RelayRefused, trace.RelayEnded}
		if !ok || !slices.Equal(kinds, want) {
			t.Errorf("%v %v", ok, kinds)
		}
		if last := r.Events[len(r.Events)-1]; r.Ended != before.Ended || r.Began != now.Add(time.Second).UnixMilli() || last.At > r.Ended {
			t.Errorf("the call is another one: %+v", last)
		}
		time.Sleep(3 * time.Minute)
		tell("s1", trace.RelayEnded, trace.Relay{})
		if later, _ := get(t, a, id); len(later.Events) != len(r.Events) {
			t.Error("a session that is long over is remembered")
		}
	})
}

// TestRefusedAfterTheEnd: clients whose sessions are over ask the relay on with old credentials. Nobody tells the end of
// those sessions again, and they take no place from others for ever.
func TestRefusedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, Config{}, newBoard())
		count := func() (n int) {
			if err := a.ask(t.Context(), func(s *state) { n = len(s.holders) }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for i := range 100 {
			session := strconv.Itoa(i)
			a.Gone(session)
			a.Relay(session, time.Now(), trace.RelayRefused, trace.Relay{Transport: signal.TransportUDP, Code: 401}, "expired")
		}
		a.Relay("early", time.Now(), trace.RelayAllocated, trace.Relay{Transport: signal.TransportUDP, Port: 7}, "")
		time.Sleep(earlyTime - sweepEvery)
		if n := count(); n != 101 {
			t.Fatalf("%d sessions are kept in mind", n)
		}
		a.Relay("early", time.Now(), trace.RelayPermitted, trace.Relay{Transport: signal.TransportUDP, Port: 7}, "")
		time.Sleep(earlyTime - sweepEvery)
		if n := count(); n != 1 {
			t.Errorf("%d sessions are kept in mind, of which one goes on", n)
		}
	})
}

// gated is a shelf that answers nobody before it is opened.
type gated struct {
	Shelf
	gate chan struct{}
}

func (g gated) Get(ctx context.Context, bucket, key string) ([]byte, bool, error) {
	select {
	case <-g.gate:
		return g.Shelf.Get(ctx, bucket, key)
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

// TestManyRevive: after a restart all calls come back at once, while the disk takes its time. Each of them goes on.
func TestManyRevive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = ahead + 500
		shelf, began := newBoard(), time.Now()
		a := open(t, Config{Most: 2 * calls}, shelf)
		name := func(i int) string { return "r" + strconv.Itoa(i) }
		for i := range calls {
			a.Begin(name(i), began)
			a.Join(name(i), began, trace.Person{Seat: "ann", Name: "Ann"})
			if i%1000 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		slow := gated{shelf, make(chan struct{})}
		b := open(t, Config{Most: 2 * calls}, slow)
		for i := range calls {
			b.Revive(name(i), began, began.Add(time.Minute), []trace.Person{{Seat: "ann", Name: "Ann"}})
		}
		b.Back(name(7), began.Add(2*time.Minute), "ann")
		close(slow.gate)
		synctest.Wait()
		for i := range calls {
			id, _ := b.Ref(name(i), "ann")
			r, ok := get(t, b, id)
			back := slices.ContainsFunc(r.Events, func(e trace.Entry) bool { return e.Kind == trace.Back })
			if !ok || len(r.Restarts) != 1 || r.Ended != 0 || back != (i == 7) {
				t.Fatalf("call %d: %v %+v", i, ok, r)
			}
		}
	})
}
