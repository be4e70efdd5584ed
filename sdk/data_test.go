package parley

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/netsim"
)

// next fetches a message within a minute of virtual time.
func next(t *testing.T, d *Data) DataMessage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m, err := d.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDataBetweenPrograms(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		game, err := a.Data(t.Context(), "game", DataOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for game.Send([]byte{1, 2, 3}) != nil { // nobody is connected yet
			pass(10 * time.Millisecond)
		}
		if err := game.SendText("hello"); err != nil {
			t.Fatal(err)
		}
		pass(time.Second) // virtual: it arrives before Bob asks for it
		other, err := b.Data(t.Context(), "game", DataOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if m := next(t, other); !bytes.Equal(m.Data, []byte{1, 2, 3}) || m.Text || m.From != "seat-session-1" {
			t.Errorf("%+v", m)
		}
		if m := next(t, other); string(m.Data) != "hello" || !m.Text {
			t.Errorf("%+v", m)
		}
		if again, err := b.Data(t.Context(), "game", DataOptions{Unordered: true}); err != nil || again != other {
			t.Errorf("another Data of an open label: %v", err)
		}
		if err := other.Send([]byte("back"), "seat-session-1"); err != nil {
			t.Error(err)
		}
		if m := next(t, game); string(m.Data) != "back" || m.From != "seat-session-2" {
			t.Errorf("%+v", m)
		}
		if err := other.Send([]byte("?"), "nobody"); !errors.Is(err, ErrDataFull) {
			t.Errorf("to nobody: %v", err)
		}
		if err := other.Send(make([]byte, MaxData+1)); err == nil {
			t.Error("too long a message was taken")
		}
		if _, err := b.Data(t.Context(), "x", DataOptions{MaxPacketLifeTime: time.Hour}); err == nil {
			t.Error("a packet that lives for an hour")
		}
		a.Close()
		if _, err := game.Receive(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("of a room that is closed: %v", err)
		}
		if err := game.Send([]byte("?")); !errors.Is(err, ErrClosed) {
			t.Errorf("to a room that is closed: %v", err)
		}
	})
}

// TestUnreadDataIsBounded has one side flood the other, who does not read.
func TestUnreadDataIsBounded(t *testing.T) {
	for _, asked := range []bool{true, false} {
		atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
			a, b := d.dial("Ann", ka), d.dial("Bob", kb)
			if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
				t.Fatal(err)
			}
			none := uint16(0)
			loose := DataOptions{Unordered: true, MaxRetransmits: &none}
			from, err := a.Data(t.Context(), "flood", loose)
			if err != nil {
				t.Fatal(err)
			}
			var to *Data
			if asked {
				if to, err = b.Data(t.Context(), "flood", loose); err != nil {
					t.Fatal(err)
				}
			}
			for i := 0; i < 3*maxUnread; {
				if from.Send(fmt.Appendf(nil, "%d", i)) == nil {
					i++
				}
				pass(time.Millisecond)
			}
			pass(time.Second)
			if to == nil {
				if to, err = b.Data(t.Context(), "flood", loose); err != nil {
					t.Fatal(err)
				}
			}
			want := maxUnread
			if !asked {
				want = maxWaiting
			}
			if n := len(to.unread); n != want {
				t.Errorf("%d messages wait, want the newest %d", n, want)
			}
		})
	}
}

// TestDataSurvivesTheLink sends numbers through a change of the network, which takes another link.
func TestDataSurvivesTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.meet(Options{})
		var ends [2]*Data
		for i, p := range w.people {
			var err error
			if ends[i], err = p.room.Data(t.Context(), "numbers", DataOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		pass(5 * time.Second)
		say := func(text string) {
			t.Helper()
			for try := 0; ends[0].SendText(text) != nil; try++ {
				if try > 1000 {
					t.Fatalf("%q is not taken", text)
				}
				pass(20 * time.Millisecond)
			}
		}
		say("before")
		if m := next(t, ends[1]); string(m.Data) != "before" {
			t.Errorf("%+v", m)
		}
		w.net.Change(func(*netsim.Network) { w.people[0].uplinks[0].NoUDP = true })
		pass(time.Second) // the spare link has taken over by then
		w.flowing(10 * time.Second)
		pass(300 * time.Millisecond)
		say("after")
		for {
			if m := next(t, ends[1]); string(m.Data) == "after" {
				break
			}
		}
	})
}
