package signalserver

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestStorm: everybody comes back at once after a restart, and everybody has their seat and is told what was said.
func TestStorm(t *testing.T) {
	const rooms = 120
	m := newMemory(time.Millisecond)
	h := inMemory(t, Config{Keeper: m, RoomsPerAddress: rooms, SessionsPerAddress: 4 * rooms})
	type person struct {
		*client
		seat *signal.Joined
		room string
	}
	people := make([]person, 2*rooms)
	for i := range people {
		p := &people[i]
		p.room = fmt.Sprint("room", i/2)
		p.client = h.enter(t, p.room)
		p.seat = p.join(fmt.Sprint("P", i))
		if i%2 == 1 {
			p.send(&signal.Chat{ID: "1", Text: "hello"})
			skipTo[*signal.ChatSaved](p.client)
		}
	}
	h = h.restart(t)
	began := time.Now()
	var back sync.WaitGroup
	for i := range people {
		back.Go(func() {
			p := &people[i]
			c := h.client(t).connect().hello(signal.Hello{Room: p.room, Resume: p.welcome.Resume})
			if !c.welcome.Reset || c.welcome.Session != p.welcome.Session {
				t.Errorf("%d: not taken back", i)
				return
			}
			c.send(&signal.Join{Name: fmt.Sprint("P", i), Seat: p.seat.Token})
			if j := skipTo[*signal.Joined](c); j.Seat != p.seat.Seat {
				t.Errorf("%d: another seat", i)
			}
			if m := skipTo[*signal.HistoryAnswer](c); len(m.Messages) != 1 {
				t.Errorf("%d: is told %+v", i, m)
			}
		})
	}
	back.Wait()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	t.Logf("%d sessions on their seats, with what was said, after %v; %d goroutines, %d MiB", len(people),
		time.Since(began).Round(time.Millisecond), runtime.NumGoroutine(), stats.HeapAlloc>>20)
}
