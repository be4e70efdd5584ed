package mediaserver

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestTimers: whatever is set, moved and unset, timers come out in their order, each once, transports first.
func TestTimers(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 2))
	var h timers
	all := make([]timer, 200)
	for i := range all {
		if i%2 == 0 {
			all[i].client = &client{}
		} else {
			all[i].room = &room{}
		}
	}
	for range 20_000 {
		at := start.Add(time.Duration(random.IntN(100)) * time.Second)
		if random.IntN(4) == 0 {
			at = time.Time{}
		}
		h.set(&all[random.IntN(len(all))], at)
	}
	set := 0
	first := time.Time{}
	for i := range all {
		if at := all[i].at; !at.IsZero() {
			set++
			if first.IsZero() || at.Before(first) {
				first = at
			}
		}
	}
	if !h.next().Equal(first) || h.due(first.Add(-1)) != nil {
		t.Errorf("next is %v, want %v", h.next(), first)
	}
	type out struct {
		at   time.Time
		room bool
	}
	var got []out
	for {
		n := len(h)
		if n == 0 {
			break
		}
		last := h.next()
		d := h.due(last)
		got = append(got, out{last, d.client == nil})
		if len(h) != n-1 || d.place != 0 || !d.at.IsZero() {
			t.Fatalf("taken out: %+v, %d left of %d", d, len(h), n)
		}
	}
	sorted := slices.IsSortedFunc(got, func(a, b out) int {
		switch c := a.at.Compare(b.at); {
		case c != 0 || a.room == b.room:
			return c
		case b.room:
			return -1
		}
		return 1
	})
	if len(got) != set || !sorted {
		t.Errorf("%d of %d came, sorted: %v", len(got), set, sorted)
	}
	if !h.next().IsZero() || h.due(start) != nil {
		t.Error("something is left")
	}
}
