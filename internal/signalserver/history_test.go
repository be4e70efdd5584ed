package signalserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

const diskTime = 10 * time.Millisecond

// texts lists a history as "seq:text".
func texts(list []signal.Kept) string {
	var out []string
	for _, k := range list {
		out = append(out, fmt.Sprintf("%d:%s", k.Seq, k.Text))
	}
	return strings.Join(out, " ")
}

// says sends a chat message and waits until it is safe.
func (c *client) says(id, text string) uint64 {
	c.t.Helper()
	c.send(&signal.Chat{ID: id, Text: text})
	for {
		if s := skipTo[*signal.ChatSaved](c); s.ID == id {
			return s.Seq
		}
	}
}

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t, Config{Keeper: newMemory(diskTime)})
		a := h.enter(t, "blue")
		if j := a.join("Ann"); j.Room.History != signal.HistorySession {
			t.Errorf("%+v", j.Room)
		}
		a.refused(&signal.Chat{ID: " ", Text: "x"}, signal.CodeMalformed)
		start := time.Now()
		a.send(&signal.Chat{ID: "1", Text: "one"})
		if c := next[*signal.Chat](a); !c.Unsaved || c.Seq != 0 || time.Since(start) != 0 {
			t.Errorf("%+v after %v", c, time.Since(start))
		}
		if s := next[*signal.ChatSaved](a); s.ID != "1" || s.Seq != 1 || s.From == "" || time.Since(start) != diskTime {
			t.Errorf("%+v after %v", s, time.Since(start))
		}
		for i := 2; i <= 150; i++ {
			a.says(fmt.Sprint(i), fmt.Sprint("text ", i))
			time.Sleep(10 * time.Millisecond)
		}
		b := h.enter(t, "blue")
		b.refused(&signal.HistoryAsk{}, signal.CodeOrder)
		b.join("Bob")
		past := next[*signal.HistoryAnswer](b)
		if len(past.Messages) != signal.MaxHistory || past.Re != 0 || !past.More || past.Messages[99].Seq != 150 || past.Messages[0].Seq != 51 {
			t.Errorf("%d messages, %v", len(past.Messages), past.More)
		}
		n := b.send(&signal.HistoryAsk{Before: 51, Limit: 3})
		if m := next[*signal.HistoryAnswer](b); m.Re != n || texts(m.Messages) != "48:text 48 49:text 49 50:text 50" || !m.More {
			t.Errorf("%+v", m)
		}
		b.send(&signal.HistoryAsk{Before: 3})
		if m := next[*signal.HistoryAnswer](b); texts(m.Messages) != "1:one 2:text 2" || m.More {
			t.Errorf("%+v", m)
		}
		a.send(&signal.Chat{ID: "150", Text: "text 150"})
		if c := skipTo[*signal.Chat](a); c.Unsaved || c.Seq != 150 {
			t.Errorf("said again: %+v", c)
		}
	})
}

// TestHistoryPolicies: who may say what is kept, and what becomes of it.
func TestHistoryPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(diskTime)
		h := inMemory(t, Config{Keeper: m})
		a, b := pair(t, h)
		b.refused(&signal.KeepHistory{Policy: signal.HistoryForever}, signal.CodeForbidden)
		a.says("1", "one")
		skipTo[*signal.ChatSaved](b)
		a.send(&signal.KeepHistory{Policy: signal.HistoryNone})
		if r := next[*signal.Room](b); r.Room.History != "" {
			t.Errorf("%+v", r.Room)
		}
		a.send(&signal.Chat{ID: "2", Text: "between us"})
		if c := next[*signal.Chat](b); c.Unsaved {
			t.Errorf("%+v", c)
		}
		a.send(&signal.KeepHistory{Policy: signal.HistoryForever})
		if r := next[*signal.Room](b); r.Room.History != signal.HistoryForever {
			t.Errorf("%+v", r.Room)
		}
		if seq := a.says("3", "for later"); seq == 0 {
			t.Error("not kept")
		}
		a.send(&signal.Bye{})
		b.send(&signal.Bye{})
		time.Sleep(24 * time.Hour)

		h = h.restart(t)
		c := h.enter(t, "blue")
		if j := c.join("Cyd"); j.Room.History != signal.HistoryForever || j.Room.Role != signal.RoleHost {
			t.Errorf("%+v", j.Room)
		}
		if past := next[*signal.HistoryAnswer](c); texts(past.Messages) != "2:for later" && texts(past.Messages) != "1:for later" {
			t.Errorf("%s", texts(past.Messages))
		}
		c.send(&signal.KeepHistory{Policy: signal.HistorySession})
		next[*signal.Room](c)
		c.send(&signal.Bye{})
		time.Sleep(time.Minute)
		if names, _ := m.Histories(); len(names) > 0 {
			t.Errorf("still kept: %v", names)
		}
		if records, _, _ := m.Rooms(); len(records) > 0 {
			t.Errorf("still known: %v", records)
		}
		d := h.enter(t, "blue")
		d.join("Dan")
		d.send(&signal.HistoryAsk{})
		if past := next[*signal.HistoryAnswer](d); len(past.Messages) > 0 {
			t.Errorf("%+v", past)
		}
	})
}

// TestHistoryLost: what is left of a session's history by a crash in the wrong moment is swept away.
func TestHistoryLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(diskTime)
		h := inMemory(t, Config{Keeper: m})
		a := h.enter(t, "blue")
		a.join("Ann")
		a.says("1", "secret")
		a.send(&signal.Bye{})
		a.ended()
		synctest.Wait()
		h = h.restart(t) // before the disk heard of the purge, and of the room's end
		time.Sleep(DefaultGrace + time.Minute)
		synctest.Wait()
		if names, _ := m.Histories(); len(names) > 0 {
			t.Errorf("still kept: %v", names)
		}
		h.crash()
	})
}

// TestDiskFails: a disk that takes nothing harms nobody, is told, and what was said meanwhile is kept when it works again.
func TestDiskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(diskTime)
		h := inMemory(t, Config{Keeper: m})
		a, b := pair(t, h)
		time.Sleep(time.Second)
		m.fail(true)
		for i := range 20 {
			a.send(&signal.Chat{ID: fmt.Sprint(i), Text: fmt.Sprint(i)})
			if c := next[*signal.Chat](b); !c.Unsaved {
				t.Errorf("%+v", c)
			}
			skipTo[*signal.Chat](a)
			time.Sleep(time.Second)
		}
		if a.seq.Unacked() > 2 {
			t.Errorf("%d messages wait for the disk", a.seq.Unacked())
		}
		b.ping() // a client that says nothing for a minute is gone
		m.fail(false)
		b.wait = 2 * retrySaveMax
		saved := map[string]uint64{} // what is saved at the same moment is told in any order
		for range 20 {
			s := next[*signal.ChatSaved](b)
			saved[s.ID] = s.Seq
		}
		for i := range 20 {
			if seq := saved[fmt.Sprint(i)]; seq != uint64(i+1) {
				t.Errorf("%d is at %d", i, seq)
			}
		}
	})
}

// TestAcknowledgedIsSafe: a chat message is acknowledged when it is safe, not before; others are not delayed by more.
func TestAcknowledgedIsSafe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(5 * time.Second) // a very slow disk
		h := inMemory(t, Config{Keeper: m})
		a := h.enter(t, "blue")
		a.join("Ann")
		a.send(&signal.Chat{ID: "1", Text: "one"})
		next[*signal.Chat](a)
		a.send(&signal.Media{})
		time.Sleep(4 * time.Second)
		a.ping()
		if n := a.seq.Unacked(); n != 2 {
			t.Errorf("%d messages are not acknowledged", n)
		}
		next[*signal.ChatSaved](a)
		if n := a.seq.Unacked(); n != 0 {
			t.Errorf("%d messages are not acknowledged", n)
		}
		a.send(&signal.Chat{ID: "2", Text: "two"})
		next[*signal.Chat](a)
		h = h.restart(t)
		b := a.comeBack(h)
		b.join("Ann")
		if past := next[*signal.HistoryAnswer](b); texts(past.Messages) != "1:one" {
			t.Errorf("%s", texts(past.Messages))
		}
		b.send(&signal.Chat{ID: "1", Text: "one"})
		b.send(&signal.Chat{ID: "2", Text: "two"})
		if c := next[*signal.Chat](b); c.ID != "1" || c.Seq != 1 || c.Unsaved {
			t.Errorf("%+v", c)
		}
		if c := next[*signal.Chat](b); c.ID != "2" || !c.Unsaved {
			t.Errorf("%+v", c)
		}
		next[*signal.ChatSaved](b)
	})
}

// TestNothingKept: without a keeper nothing is kept, and that is said.
func TestNothingKept(t *testing.T) {
	h := onLoopback(t, Config{})
	a, _ := pair(t, h)
	a.refused(&signal.KeepHistory{Policy: signal.HistoryForever}, signal.CodeBusy)
	a.send(&signal.Chat{ID: "1", Text: "x"})
	if c := next[*signal.Chat](a); c.Unsaved || c.Seq != 0 {
		t.Errorf("%+v", c)
	}
	n := a.send(&signal.HistoryAsk{})
	if m := next[*signal.HistoryAnswer](a); m.Re != n || len(m.Messages) > 0 {
		t.Errorf("%+v", m)
	}
}

// TestLull: a client that says how often it pings is missed after four pings.
func TestLull(t *testing.T) {
	for _, tt := range []struct {
		every int
		want  time.Duration
	}{{0, time.Minute}, {250, minLull}, {1000, 4 * time.Second}, {20_000, 80 * time.Second}, {600_000, 80 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			h := inMemory(t, Config{})
			a, b := pair(t, h)
			b.send(&signal.Ping{ID: 1, Every: 250})
			b.send(&signal.Ping{ID: 2, Every: tt.every})
			skipTo[*signal.Pong](b)
			next[*signal.Pong](b)
			a.wait = time.Hour
			start := time.Now()
			go keepAlive(t, a)
			s := skipTo[*signal.SeatChange](a)
			if s.Seat.State != signal.SeatAway || time.Since(start) != tt.want {
				t.Errorf("every %d ms: %s after %v", tt.every, s.Seat.State, time.Since(start))
			}
			b.resume()
			if s := skipTo[*signal.SeatChange](a); s.Seat.State != signal.SeatPresent {
				t.Errorf("%+v", s)
			}
		})
	}
}

// witness notes what an observer hears.
type witness struct{ lines []string }

func (w *witness) note(format string, v ...any) { w.lines = append(w.lines, fmt.Sprintf(format, v...)) }

func (w *witness) RoomBegan(r string, _ time.Time) { w.note("%s began", r) }
func (w *witness) RoomRevived(r string, began, at time.Time, people []Person) {
	w.note("%s revived after %v with %d", r, at.Sub(began), len(people))
}
func (w *witness) RoomEnded(r string, _ time.Time) { w.note("%s ended", r) }
func (w *witness) SeatJoined(r string, _ time.Time, p Person) {
	w.note("%s joined by %s %s", p.Name, p.Client.Name, p.Address)
}
func (w *witness) SeatHeld(string, string, string)    {}
func (w *witness) SeatAway(string, time.Time, string) { w.note("away") }
func (w *witness) SeatBack(string, time.Time, string) { w.note("back") }
func (w *witness) SeatLeft(_ string, _ time.Time, _ string, why signal.LeftReason) {
	w.note("left: %s", why)
}

func (w *witness) Report(_ string, _ time.Time, _ string, events []signal.ReportEvent) {
	w.note("report of %d", len(events))
}
func (w *witness) Topology(string, time.Time, signal.Topology, string) {}
func (w *witness) Call(string, string) (string, string)                { return "call", "secret" }

func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		h := inMemory(t, Config{Keeper: newMemory(diskTime), Observer: w, Shards: 1})
		a := h.enter(t, "blue")
		report := &signal.Report{Events: []signal.ReportEvent{{At: 1, Kind: signal.ReportNote}}}
		a.send(report)
		if j := a.join("Ann"); j.Call == nil || j.Call.ID != "call" || j.Call.Token != "secret" {
			t.Errorf("%+v", j.Call)
		}
		b := h.enter(t, "blue")
		b.join("Bob")
		b.send(report)
		b.close()
		skipTo[*signal.SeatChange](a)
		skipTo[*signal.SeatChange](a)
		b = b.resume()
		skipTo[*signal.SeatChange](a)
		time.Sleep(time.Second)
		h = h.restart(t)
		a = a.comeBack(h)
		b = b.comeBack(h)
		b.send(&signal.Bye{})
		skipTo[*signal.Left](a)
		a.send(&signal.Bye{})
		a.ended()
		synctest.Wait()
		want := []string{
			"blue began", "Ann joined by test 127.0.0.1/32", "Bob joined by test 127.0.0.1/32", "report of 1", "away", "back",
			"blue revived after 1s with 2", "back", "back", "left: left", "left: left", "blue ended",
		}
		if !slices.Equal(w.lines, want) {
			t.Errorf("heard\n%s\nwant\n%s", strings.Join(w.lines, "\n"), strings.Join(want, "\n"))
		}
	})
}
