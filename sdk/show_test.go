package parley

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/parley-rtc/parley/sdk/media"
)

// wire takes what an outlet writes, with the time.
type wire struct {
	mu      sync.Mutex
	packets []rtp.Packet
	at      []time.Time
}

func (w *wire) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packets = append(w.packets, rtp.Packet{Header: h.Clone(), Payload: payload})
	w.at = append(w.at, time.Now())
	return len(payload), nil
}

func (w *wire) Write([]byte) (int, error) { return 0, errors.New("not used") }

func (w *wire) take() ([]rtp.Packet, []time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.packets, w.at
}

// shown returns a show of source with one outlet on a wire.
func shown(source Source) (*show, *outlet, *wire) {
	w, show := &wire{}, newShow(source)
	out := newOutlet(source, show)
	out.stream = w
	show.add(out)
	out.open(true)
	return show, out, w
}

func TestShowPaces(t *testing.T) {
	for _, source := range []Source{Microphone, Camera} {
		synctest.Test(t, func(t *testing.T) {
			show, _, w := shown(source)
			clip, each, clock := media.Tone(), 20*time.Millisecond, uint64(48000)
			if source == Camera {
				clip, each, clock = media.Pattern(), time.Second/15, 90000
			}
			show.on.Store(true)
			var running sync.WaitGroup
			began := time.Now()
			show.start(&running, clip, func(err error) { t.Error("ended", err) })
			pass(9 * time.Second) // virtual; twice over the seam of either loop
			show.stop()
			running.Wait()
			packets, at := w.take()
			frames := 0
			for i, p := range packets {
				if i > 0 && p.SequenceNumber != packets[i-1].SequenceNumber+1 {
					t.Fatalf("%s: sequence number %d after %d", source, p.SequenceNumber, packets[i-1].SequenceNumber)
				}
				if source == Camera && !p.Marker {
					continue
				}
				want := began.Add(time.Duration(frames) * each)
				if d := at[i].Sub(want); d.Abs() > time.Millisecond {
					t.Fatalf("%s: frame %d was sent %v off", source, frames, d)
				}
				ticks := uint64(p.Timestamp - packets[0].Timestamp)
				if want := uint64(frames) * uint64(each) * clock / uint64(time.Second); ticks+2 < want || ticks > want+2 {
					t.Fatalf("%s: frame %d has timestamp %d, want %d", source, frames, ticks, want)
				}
				frames++
			}
			if want := int(9 * time.Second / each); frames < want || frames > want+1 {
				t.Errorf("%s: %d frames in 9 s, want %d", source, frames, want)
			}
		})
	}
}

// isKey reports whether the packet begins a VP8 key frame, with the picture id of our payloader before it.
func isKey(p rtp.Packet) bool {
	return p.Payload[0]&0x10 != 0 && p.Payload[3]&1 == 0 || p.Payload[0]&0x10 != 0 && p.Payload[2]&0x80 != 0 && p.Payload[4]&1 == 0
}

func TestShowRefreshesAtOnceWhenSomebodyBeginsToWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		show, _, w := shown(Camera)
		var running sync.WaitGroup
		show.start(&running, media.Pattern(), func(err error) { t.Error("ended", err) })
		pass(510 * time.Millisecond)
		if packets, _ := w.take(); len(packets) != 0 {
			t.Fatalf("%d packets while it is off", len(packets))
		}
		now := time.Now()
		show.turn(true)
		synctest.Wait()
		packets, at := w.take()
		if len(packets) == 0 || !at[0].Equal(now) || !isKey(packets[0]) {
			t.Fatalf("turning on sent %d packets, want a key frame at once", len(packets))
		}
		for range 10 { // a receiver that asks for more than it may have
			show.refresh(false)
			pass(50 * time.Millisecond)
		}
		keys := 0
		packets, _ = w.take()
		for i, p := range packets {
			if isKey(p) {
				keys++
			}
			if i > 0 && int32(p.Timestamp-packets[i-1].Timestamp) < 0 {
				t.Fatalf("packet %d goes back in time", i)
			}
		}
		if keys < 2 || keys > 3 {
			t.Errorf("%d key frames in 500 ms of asking, want one at first and one each 300 ms", keys)
		}
		show.stop()
		running.Wait()
	})
}

func TestShowMarksTheBeginningOfTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		show, out, w := shown(Microphone)
		var running sync.WaitGroup
		show.on.Store(true)
		show.start(&running, media.Tone(), func(err error) { t.Error("ended", err) })
		pass(100 * time.Millisecond)
		out.open(false)
		pass(1 * time.Second)
		out.open(true)
		pass(100 * time.Millisecond)
		show.stop()
		running.Wait()
		packets, at := w.take()
		marks := 0
		for i, p := range packets {
			if p.Marker {
				marks++
			}
			if i > 0 {
				passed := at[i].Sub(at[0]).Seconds() * 48000
				if ticks := float64(p.Timestamp - packets[0].Timestamp); ticks < passed-100 || ticks > passed+100 {
					t.Errorf("packet %d: timestamp %v after %v ticks of real time", i, ticks, passed)
				}
			}
		}
		if marks != 2 {
			t.Errorf("%d markers, want one for each beginning", marks)
		}
	})
}

// spell is a Media of a few frames.
type spell struct {
	frames int
	err    error
	closed bool
}

func (s *spell) Codec() string { return "audio/OPUS" }
func (s *spell) Refresh()      {}
func (s *spell) Close() error  { s.closed = true; return nil }
func (s *spell) Next() ([]byte, time.Duration, error) {
	if s.frames--; s.frames < 0 {
		return nil, 0, s.err
	}
	return []byte{0xf8, 0xff, 0xfe}, 20 * time.Millisecond, nil
}

// bomb is a Media that panics.
type bomb struct{ spell }

func (b *bomb) Next() ([]byte, time.Duration, error) { panic("boom") }

func TestMediaThatPanicsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		show, _, _ := shown(Microphone)
		m := &bomb{}
		var running sync.WaitGroup
		got := make(chan error, 1)
		show.start(&running, m, func(err error) { got <- err })
		running.Wait()
		if err := <-got; err == nil || !strings.Contains(err.Error(), "boom") || !m.closed {
			t.Errorf("ended with %v, closed %v", err, m.closed)
		}
	})
}

func TestShowEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct{ err, want error }{{io.EOF, nil}, {broken, broken}} {
		synctest.Test(t, func(t *testing.T) {
			show, _, _ := shown(Microphone)
			m := &spell{frames: 3, err: tt.err}
			if err := show.fits(m); err != nil {
				t.Fatal(err)
			}
			if err := newShow(Camera).fits(m); err == nil {
				t.Error("a camera takes Opus")
			}
			var running sync.WaitGroup
			got := make(chan error, 1)
			show.start(&running, m, func(err error) { got <- err })
			running.Wait()
			if err := <-got; !errors.Is(err, tt.want) || !m.closed {
				t.Errorf("ended with %v, closed %v", err, m.closed)
			}
		})
	}
}
