package parley

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

// attack lets Bob do something to Ann, who is in a call with Cid as well, and checks that Ann and Cid go on. Bob's
// channels have no readers, so that he can open as many as he likes.
func attack(t *testing.T, f func(t *testing.T, ann, bob *Room, to *link)) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ka, kb, kc := d.kit(1), d.kit(2), d.kit(3)
		kb.tune = func(se *webrtc.SettingEngine) { se.DetachDataChannels() }
		d.start()
		ann, bob, cid := d.dial("Ann", ka), d.dial("Bob", kb), d.dial("Cid", kc)
		publishBoth(t, ann)
		publishBoth(t, cid)
		if err := errors.Join(ann.Join(t.Context()), bob.Join(t.Context()), cid.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		hears(t, cid)
		pass(3 * time.Second)
		to := inside(t, bob, func(s *state) *link { return s.links["session-1"] })
		if to == nil || !to.up {
			t.Fatal("Bob has no link with Ann")
		}
		f(t, ann, bob, to)
		got := func() uint64 {
			var n uint64
			stats, err := cid.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range stats.Links {
				n += l.Received[Microphone].Packets
			}
			return n
		}
		before := got()
		pass(time.Second)
		if n := got() - before; n < 45 {
			t.Errorf("Cid got %d packets of Ann's sound in a second, want 50", n)
		}
		if _, err := cid.Chat(t.Context(), "still here"); err != nil {
			t.Error(err)
		}
		for e := range ann.Events() {
			if chat, ok := e.(Chat); ok && chat.Text == "still here" {
				break
			}
		}
	})
}

// heap is what is in use, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestFloodOfChannels(t *testing.T) {
	for _, protocol := range []string{"nobody.knows.v1", dataProtocol} {
		t.Run(protocol, func(t *testing.T) {
			attack(t, func(t *testing.T, ann, _ *Room, to *link) {
				before := heap()
				opened := 0
				for ; opened < 65_000; opened++ {
					_, err := to.pc.CreateDataChannel(strings.Repeat("x", 60), &webrtc.DataChannelInit{Protocol: &protocol})
					if err != nil {
						break
					}
					if opened%50 == 0 {
						pass(time.Millisecond)
					}
				}
				pass(20 * time.Second)
				left := inside(t, ann, func(s *state) int { return len(s.links) })
				grown := int64(heap()-before) >> 20
				t.Logf("%d channels opened, %d MiB more in use, %d links left", opened, grown, left)
				if left != 1 {
					t.Errorf("Ann has %d links, want the one with Cid", left)
				}
				if grown > 96 {
					t.Errorf("%d MiB more in use", grown)
				}
			})
		})
	}
}

func TestEndlessMessagesForNobody(t *testing.T) {
	attack(t, func(t *testing.T, ann, _ *Room, to *link) {
		protocol, message := dataProtocol, make([]byte, MaxData)
		var list []*webrtc.DataChannel
		for i := range maxChannels {
			c, err := to.pc.CreateDataChannel(fmt.Sprint(i), &webrtc.DataChannelInit{Protocol: &protocol})
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, c)
		}
		pass(time.Second)
		for range 40 {
			for _, c := range list {
				if raw, err := c.Detach(); err == nil && c.BufferedAmount() < 1<<20 {
					_, _ = raw.Write(message) // to channels that Ann closes as well
				}
			}
			pass(100 * time.Millisecond)
		}
		if n := inside(t, ann, func(s *state) int {
			s.labels.mu.Lock()
			defer s.labels.mu.Unlock()
			return s.labels.unclaimed("session-2")
		}); n > maxUnclaimed {
			t.Errorf("%d bytes wait for labels", n)
		}
	})
}

func TestFloodOfBeatsAndControl(t *testing.T) {
	attack(t, func(t *testing.T, ann, _ *Room, to *link) {
		control, err := to.control.Detach()
		if err != nil {
			t.Fatal(err)
		}
		beat, err := to.beat.Detach()
		if err != nil {
			t.Fatal(err)
		}
		junk := []string{
			"", "null", "{", `{"type":7}`, `{"type":"quality"}`, `{"type":"quality","level":7,"reason":"none"}`,
			`{"type":"quality","level":"bad","reason":3}`, `{"type":"nonsense","level":2}`, `[[[[]]]]`,
			strings.Repeat("[", 12<<10), `{"type":"quality","level":0,"reason":"` + strings.Repeat("x", 12<<10) + `"}`,
			`{"type":"quality","level":0,"reason":"loss","paused":true}`, `{"type":"quality","level":2,"reason":"none"}`,
		}
		ping := newPulse(time.Now(), unansweredMore).ping(time.Now())
		for i := range 4000 {
			_, err1 := control.WriteDataChannel([]byte(junk[i%len(junk)]), true)
			_, err2 := beat.Write(ping)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if i%20 == 0 {
				pass(20 * time.Millisecond)
			}
		}
		if _, err := control.WriteDataChannel(make([]byte, 128<<10), false); err != nil {
			t.Error(err)
		}
		pass(time.Second)
		waits := inside(t, ann, func(s *state) uint64 {
			for _, l := range s.links {
				if holder := s.holder(l.peer); holder != nil && holder.Name == "Bob" {
					return l.beat.BufferedAmount()
				}
			}
			return 0
		})
		if waits > 2*maxBeats {
			t.Errorf("%d bytes of beats wait", waits)
		}
	})
}

func TestFloodOfOffers(t *testing.T) {
	attack(t, func(t *testing.T, ann, bob *Room, _ *link) {
		before := heap()
		for i := range 60 {
			err := inside(t, bob, func(s *state) error {
				return s.send(&signal.Offer{
					Peer: signal.Peer{To: "session-1", Link: fmt.Sprint(i)},
					SDP:  "v=0\r\n" + "s=" + strings.Repeat("x", 800_000) + "\r\n" + fmt.Sprint(i) + "\r\n",
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			pass(madeIn / (maxMade - 1)) // no faster than is heard
		}
		pass(20 * time.Second)
		grown := int64(heap()-before) >> 20
		t.Logf("%d MiB more in use", grown)
		if grown > 24 {
			t.Errorf("%d MiB more in use", grown)
		}
	})
}

// TestFaultEndsOneRoom lets the owner of a room panic.
func TestFaultEndsOneRoom(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err := a.do(t.Context(), func(*state) error { panic("boom") }); !errors.Is(err, ErrClosed) {
			t.Errorf("what panicked returned %v", err)
		}
		if end := until(t, a, always[Ended]); end.Err == nil || !strings.Contains(end.Err.Error(), "boom") {
			t.Errorf("ended with %v", end.Err)
		}
		if _, err := b.Chat(t.Context(), "still here"); err != nil {
			t.Error(err)
		}
		until(t, b, func(e Chat) bool { return e.Mine })
	})
}

// TestChatIsHeardOnce says again what a server forgot when it was killed.
func TestChatIsHeardOnce(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, _ *kit) {
		a := d.dial("Ann", ka)
		if err := a.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := inside(t, a, func(s *state) int {
			for i := range 2 * maxSaid {
				for range 2 {
					s.chatted(&signal.Chat{ID: fmt.Sprint(i), From: "x", Text: "once"})
				}
			}
			s.chatted(&signal.Chat{ID: "0", From: "y", Text: "last"})
			return len(s.said)
		})
		if n != maxSaid {
			t.Errorf("%d messages are remembered, want %d", n, maxSaid)
		}
		once := 0
		until(t, a, func(e Chat) bool {
			once++
			return e.Text == "last"
		})
		if once != 2*maxSaid+1 {
			t.Errorf("%d messages were heard, want %d", once, 2*maxSaid+1)
		}
	})
}

func TestLinksThatOthersMakeAreCounted(t *testing.T) {
	s := &state{made: make(map[string]made), now: time.Unix(0, 0)}
	taken := func(n int) (taken int) {
		for range n {
			if !s.tooMany("bob") {
				taken++
			}
		}
		return taken
	}
	if n := taken(100); n != maxMade {
		t.Errorf("%d links of a hundred, want %d", n, maxMade)
	}
	if s.tooMany("cid") {
		t.Error("one peer's links count for another")
	}
	s.now = s.now.Add(madeIn)
	if n := taken(100); n != maxMade || len(s.made) != 1 {
		t.Errorf("%d links later, want %d; %d peers are remembered", n, maxMade, len(s.made))
	}
}

// TestOffersWithoutEnd is somebody who offers files and withdraws the offer, again and again.
func TestOffersWithoutEnd(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		var busy atomic.Int32
		for range maxOffers + 10 {
			over := make(chan struct{})
			c := rawChannel(t, a, seat, NewTransferID(), func(c *webrtc.DataChannel) {
				_ = c.SendText(`{"type":"offer","name":"x","count":1,"total":5,"files":[{"path":"a","size":5}]}`)
				_ = c.SendText(`{"type":"cancel","reason":"cancelled"}`)
				close(over)
			}, func(text string) {
				if strings.Contains(text, `"busy"`) {
					busy.Add(1)
				}
			})
			<-over
			pass(50 * time.Millisecond)
			_ = c.Close()
		}
		if n := busy.Load(); n != 10 {
			t.Errorf("%d of %d offers were too many", n, maxOffers+10)
		}
		for range maxOffers {
			until(t, b, always[FilesOffered])
		}
		pass(offersIn)
		give(t, a, b, seat, t.TempDir())
	})
}
