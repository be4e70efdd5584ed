package parley

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

// drawn is media of pictures that begin with a key frame, and are none while it rests.
type drawn struct {
	mark  byte
	mu    sync.Mutex
	rests bool
	key   bool
}

func (m *drawn) Codec() string { return "video/VP8" }

func (m *drawn) Next() ([]byte, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const each = 100 * time.Millisecond
	if m.rests {
		return nil, each, nil
	}
	frame := []byte{1, 0, 0, m.mark}
	if m.key {
		frame[0], m.key = 0, false
	}
	return frame, each, nil
}

func (m *drawn) Refresh() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.key = true
}

func (m *drawn) Close() error { return nil }

// marks are the sizes of the frames that left by a wire, each with whether it is a key frame.
func (w *wire) marks() (marks []byte, keys []bool) {
	list, _ := w.take()
	for _, p := range list {
		n := len(p.Payload)
		marks, keys = append(marks, p.Payload[n-1]), append(keys, p.Payload[n-4] == 0)
	}
	return marks, keys
}

// TestEachSizeLeavesByItsOutlet: where there is an outlet for each size, each gets its own; where there is one for all, it gets
// the largest. Each begins with a key frame, and nothing is sent of one that rests.
func TestEachSizeLeavesByItsOutlet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		show := newShow(Camera)
		small, large := &drawn{mark: 1}, &drawn{mark: 2}
		var running sync.WaitGroup
		show.startLayers(&running, []Layer{{"l", small}, {"h", large}}, func(err error) { t.Error("ended", err) })
		show.on.Store(true)
		list := append(show.shapes(func() string { return "1" }), newOutlet(Camera, show))
		wires := make([]*wire, len(list))
		for i, out := range list {
			wires[i] = &wire{}
			out.stream = wires[i]
			show.add(out)
		}
		if !show.fitsSection(list[:2]) || show.fitsSection(list[2:]) || list[0].RID() != "l" || list[1].RID() != "h" || list[2].RID() != "" {
			t.Fatal("a section for two sizes is not made of them")
		}
		if got := show.wanted(); got != nil {
			t.Errorf("%q are wanted of nobody", got)
		}
		pass(550 * time.Millisecond)
		list[0].open(true)
		list[2].open(true)
		if got := show.wanted(); !slices.Equal(got, []string{"l", "h"}) {
			t.Errorf("%q are wanted", got)
		}
		pass(500 * time.Millisecond) // in the middle of a picture nobody begins
		for i, w := range wires {
			if marks, _ := w.marks(); len(marks) != 0 {
				t.Errorf("outlet %d begins in the middle: %v", i, marks)
			}
		}
		show.ask(list[0], true)
		show.ask(list[2], true)
		pass(950 * time.Millisecond)
		for i, want := range []byte{1, 0, 2} {
			marks, keys := wires[i].marks()
			if want == 0 {
				if len(marks) != 0 {
					t.Errorf("a closed outlet sends %v", marks)
				}
				continue
			}
			if len(marks) < 9 || !keys[0] || slices.Contains(marks, 3-want) {
				t.Errorf("outlet %d sends %v, of which key frames are %v", i, marks, keys)
			}
		}
		small.mu.Lock()
		small.rests = true
		small.mu.Unlock()
		before, _ := wires[0].marks()
		pass(time.Second)
		if after, _ := wires[0].marks(); len(after) != len(before) {
			t.Errorf("%d frames are sent of a size that rests", len(after)-len(before))
		}
		show.stop()
		running.Wait()
	})
}

// TestOneSizeOnASectionOfSeveral leaves by the largest, until there is a section for it.
func TestOneSizeOnASectionOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		show, w := newShow(Screen), &wire{}
		var running sync.WaitGroup
		ended := func(err error) { t.Error("ended", err) }
		show.startLayers(&running, []Layer{{"l", &drawn{mark: 1}}, {"h", &drawn{mark: 2}}}, ended)
		list := show.shapes(func() string { return "1" })
		for _, out := range list {
			out.stream = w
			show.add(out)
			out.open(true)
		}
		show.stop()
		show.start(&running, &drawn{mark: 7}, ended)
		show.on.Store(true)
		pass(950 * time.Millisecond)
		if marks, _ := w.marks(); len(marks) < 9 || marks[0] != 7 || show.fitsSection(list) {
			t.Errorf("%v is sent", marks)
		}
		show.stop()
		running.Wait()
	})
}

// twoSizes are two of a picture.
func twoSizes() []Layer { return []Layer{{"l", &drawn{mark: 1}}, {"h", &drawn{mark: 2}}} }

// onHubOf makes a room's media take a hub, from which nothing comes.
func onHubOf(t *testing.T, r *Room) {
	t.Helper()
	inside(t, r, func(s *state) any {
		s.room.Topology = &signal.Topology{Kind: signal.TopologyHub}
		s.keepHub()
		return nil
	})
}

// TestSizesPublishedBeforeTheHubIsReached: the link that was begun for one size is up first. The one for all of them takes over
// all the same, also when the first was there, stalled, and came back.
func TestSizesPublishedBeforeTheHubIsReached(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, _ *kit) {
		ann := d.dial("Ann", ka)
		if err := ann.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		onHubOf(t, ann)
		if err := ann.PublishLayers(t.Context(), Camera, twoSizes()...); err != nil {
			t.Fatal(err)
		}
		inside(t, ann, func(s *state) any {
			h := &s.hub
			for range 2 {
				old, next := h.main, h.next
				s.trunkFlows(old)
				if h.main != old || h.next != next || next == nil || next.gone || !s.fits(next) {
					t.Error("the link for two sizes was given up")
				}
				s.trunkStalled(old)
			}
			next := h.next
			s.trunkFlows(next)
			if h.main != next || h.next != nil || !s.fits(next) {
				t.Error("the link for two sizes did not take over")
			}
			return nil
		})
	})
}

// TestALinkForOtherSizesThatDoesNotConnect is closed, and tried again and again, ever more rarely, but for as long as it is wanted.
func TestALinkForOtherSizesThatDoesNotConnect(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, _ *kit) {
		ann := d.dial("Ann", ka)
		if err := ann.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		onHubOf(t, ann)
		inside(t, ann, func(s *state) any {
			s.hub.main.up = true // nothing is heard by it, so it does not stall either
			return nil
		})
		if err := ann.PublishLayers(t.Context(), Camera, twoSizes()...); err != nil {
			t.Fatal(err)
		}
		next := func(s *state) *trunk { return s.hub.next }
		for i := range 8 {
			failed := inside(t, ann, next)
			if failed == nil || failed.gone {
				t.Fatalf("there is no link for two sizes after %d failures", i)
			}
			inside(t, ann, func(s *state) any {
				s.trunkState(failed, webrtc.PeerConnectionStateFailed)
				s.redeclare() // which does not hurry it
				return nil
			})
			pause := min(lastHubRetry, hubRetry<<i)
			pass(pause - 2*shortest)
			if inside(t, ann, next) != nil {
				t.Errorf("another link sooner than %v after failure %d", pause, i+1)
			}
			pass(4 * shortest)
			if state := failed.pc.ConnectionState(); state != webrtc.PeerConnectionStateClosed {
				t.Errorf("what failed is %v", state)
			}
		}
		inside(t, ann, func(s *state) any {
			s.trunkFlows(s.hub.next)
			if s.hub.refits != 0 || !s.hub.refit.IsZero() {
				t.Error("the pauses go on where they ended")
			}
			return nil
		})
	})
}

// TestSizesPublishedAnew: of each publication is told which of its sizes anybody gets, also when that is as it was.
func TestSizesPublishedAnew(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, _ *kit) {
		ann := d.dial("Ann", ka)
		for range 2 {
			if err := ann.PublishLayers(t.Context(), Camera, twoSizes()...); err != nil {
				t.Fatal(err)
			}
			if e := until(t, ann, always[LayersWanted]); e.Source != Camera || len(e.RIDs) != 0 {
				t.Errorf("with nobody there: %+v", e)
			}
		}
	})
}
