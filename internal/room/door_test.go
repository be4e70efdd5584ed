package room

import (
	"net/netip"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestWhy: whoever may not come in is told why, as the join would be.
func TestWhy(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := New(Config{Name: "r", Seats: 1, Saves: true}, fakeTokens{})
	see := func(id string, change func(*Visitor)) signal.RoomState {
		v := Visitor{ID: id, Address: netip.MustParsePrefix("192.0.2.1/32")}
		if change != nil {
			change(&v)
		}
		state, _, fault := r.Attach(now, v)
		if fault != nil {
			t.Fatal(fault.Words)
		}
		return state
	}
	want := func(s signal.RoomState, may signal.May, why signal.Code, history signal.History) {
		t.Helper()
		if s.May != may || s.Why != why || s.History != history {
			t.Errorf("may %q, why %q, history %q; want %q, %q, %q", s.May, s.Why, s.History, may, why, history)
		}
	}
	want(see("guest", nil), signal.MayNot, signal.CodeNoRoom, "")
	want(see("ann", func(v *Visitor) { v.Host = true }), signal.MayCreate, "", "")
	r.Join(now, "ann", Join{Join: &signal.Join{Name: "Ann"}, ID: "Ann1"})
	want(see("bob", nil), signal.MayNot, signal.CodeFull, signal.HistorySession)
	r.Handle(now, "ann", &signal.Lock{On: true})
	want(see("cyd", nil), signal.MayNot, signal.CodeLocked, signal.HistorySession)
	r.Handle(now, "ann", &signal.Lock{})
	r.Handle(now, "ann", &signal.KeepHistory{Policy: signal.HistoryNone})
	r.Lost(now, "ann", true)
	r.Join(now, "bob", Join{Join: &signal.Join{Name: "Bob"}, ID: "Bob2"})
	r.Join(now, "ann", Join{Join: &signal.Join{Name: "Ann"}, ID: "Ann3"})
	want(see("dan", nil), signal.MayNot, signal.CodeFull, "")
	r.removed = append(r.removed, Removal{Session: "bob", Until: now.Add(time.Hour)})
	want(see("eve", func(v *Visitor) { v.Was = "bob" }), signal.MayNot, signal.CodeRemoved, "")
}
