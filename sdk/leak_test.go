package parley

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestNothingRunsAfterClose counts goroutines. What a transport waits for on its way down gets its virtual time; what
// then blocks for ever fails every test in virtual time by itself.
func TestNothingRunsAfterClose(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		before, _ := bubbled()
		for range 3 {
			a, b := d.dial("Ann", ka), d.dial("Bob", kb)
			publishBoth(t, a)
			publishBoth(t, b)
			if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
				t.Fatal(err)
			}
			from, err := a.Data(t.Context(), "words", DataOptions{})
			if err != nil {
				t.Fatal(err)
			}
			to, err := b.Data(t.Context(), "words", DataOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for from.SendText("hello") != nil {
				pass(10 * time.Millisecond)
			}
			next(t, to)
			hears(t, a)
			inside(t, a, func(s *state) bool { // in the middle of a restart of ICE, too
				for _, l := range s.links {
					s.stalled(l)
				}
				return true
			})
			a.Close()
			b.Close()
			if err := from.SendText("to nobody"); !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
			pass(15 * time.Second)
		}
		after, stacks := bubbled()
		for n := 0; n < 100 && after > before; n++ {
			pass(time.Second)
			after, stacks = bubbled()
		}
		if after > before {
			t.Errorf("%d goroutines before, %d after\n%s", before, after, stacks)
		}
	})
}

// bubbled counts the goroutines of the bubble: what ends outside of it at this very moment is no leak.
func bubbled() (n int, stacks string) {
	all := make([]byte, 1<<20)
	stacks = string(all[:runtime.Stack(all, true)])
	return strings.Count(stacks, "synctest bubble "), stacks
}
