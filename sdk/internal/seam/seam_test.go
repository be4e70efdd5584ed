package seam

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// step is one packet on its way: which frame, by which way, and when it arrives.
type step struct {
	at    time.Duration
	way   int
	frame int
}

// begin is when the tests begin.
var begin = time.Unix(1_700_000_000, 0)

const lasts = 20 * time.Millisecond

// captured is when a frame was captured, by the sender's clock.
func captured(frame int) uint64 { return 7<<32 + uint64(frame)<<32/50 }

// play lets packets arrive in the order of their times, with what is due in between, and returns what left.
func play(t testing.TB, s *Seam[int], steps []step) (left []Packet[int]) {
	t.Helper()
	slices.SortStableFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	for _, x := range steps {
		for d := s.Deadline(); !d.IsZero() && !d.After(begin.Add(x.at)); d = s.Deadline() {
			left = append(left, s.Flush(d)...)
			if !s.Deadline().IsZero() && !s.Deadline().After(d) {
				t.Fatal("a deadline stays")
			}
		}
		p := Packet[int]{Feed: x.way, Way: x.way, Captured: captured(x.frame), Value: x.frame}
		// Each way has numbers of its own; both wrap.
		p.Sequence, p.Timestamp = uint16(x.frame+65_500), uint32(x.frame*960)
		if x.way == Hub {
			p.Sequence, p.Timestamp = uint16(x.frame+20_000), uint32(x.frame*960)+4_294_967_000
		}
		left = append(left, s.Take(begin.Add(x.at), p)...)
	}
	return left
}

// whole checks that the frames from first to last left, each once, in order, under numbers that go on.
func whole(t *testing.T, left []Packet[int], first, last int) {
	t.Helper()
	if len(left) != last-first+1 {
		t.Errorf("%d frames left, want %d", len(left), last-first+1)
	}
	for i, p := range left {
		if p.Value != first+i {
			t.Fatalf("frame %d left where %d is due", p.Value, first+i)
		}
		if i > 0 && (p.Sequence != left[i-1].Sequence+1 || p.Timestamp != left[i-1].Timestamp+960) {
			t.Fatalf("frame %d: number %d after %d, timestamp %d after %d", p.Value, p.Sequence, left[i-1].Sequence, p.Timestamp, left[i-1].Timestamp)
		}
	}
}

// span is frames that come by a way, each late by as much.
func span(way, first, last int, late time.Duration, lost ...int) (list []step) {
	for i := first; i <= last; i++ {
		if !slices.Contains(lost, i) {
			list = append(list, step{time.Duration(i)*lasts + late, way, i})
		}
	}
	return list
}

func TestTwoWaysAreOneStream(t *testing.T) {
	ms := time.Millisecond
	for name, steps := range map[string][]step{
		"one way":                     span(Direct, 0, 50, 5*ms),
		"the new way is slower":       append(span(Direct, 0, 50, 5*ms), span(Hub, 20, 80, 60*ms)...),
		"the new way is faster":       append(span(Direct, 0, 50, 90*ms), span(Hub, 20, 80, 5*ms)...),
		"and back":                    slices.Concat(span(Direct, 0, 40, 5*ms), span(Hub, 20, 80, 30*ms), span(Direct, 60, 120, 5*ms)),
		"loss on the old way":         append(span(Direct, 0, 50, 5*ms, 21, 30, 31, 50), span(Hub, 20, 80, 40*ms)...),
		"loss on the new way":         append(span(Direct, 0, 50, 40*ms), span(Hub, 20, 80, 5*ms, 20, 22, 40, 41, 42)...),
		"loss on both in turn":        append(span(Direct, 0, 50, 5*ms, 25, 27, 29), span(Hub, 20, 80, 15*ms, 26, 28, 30)...),
		"aborted":                     append(span(Direct, 0, 90, 5*ms), span(Hub, 20, 40, 5*ms)...),
		"the new way begins too soon": append(span(Direct, 0, 50, 100*ms, 30), span(Hub, 29, 80, 2*ms)...),
	} {
		t.Run(name, func(t *testing.T) {
			s := New[int](48000, false)
			s.Listen()
			left := play(t, s, slices.Clone(steps))
			last := 0
			for _, x := range steps {
				last = max(last, x.frame)
			}
			whole(t, left, 0, last)
			if s.Gap().Lost != 0 {
				t.Errorf("%d frames count as lost", s.Gap().Lost)
			}
		})
	}
}

func TestAFrameThatNobodyBringsIsAHole(t *testing.T) {
	s := New[int](48000, false)
	left := play(t, s, append(span(Direct, 0, 50, 5*time.Millisecond, 30), span(Hub, 20, 80, 25*time.Millisecond, 30)...))
	if len(left) != 80 || s.Gap().Lost != 1 {
		t.Errorf("%d frames left, %d count as lost", len(left), s.Gap().Lost)
	}
	for i := 1; i < len(left); i++ {
		if by := left[i].Value - left[i-1].Value; int(left[i].Sequence-left[i-1].Sequence) != by || int(left[i].Timestamp-left[i-1].Timestamp) != by*960 {
			t.Errorf("after frame %d comes %d, numbers %d and %d", left[i-1].Value, left[i].Value, left[i-1].Sequence, left[i].Sequence)
		}
	}
}

// TestAPauseOfTheSenderIsNoLoss: the sender stood still at the moment of a switch, so nothing was captured in that time. The
// new way begins with the frame after it and cannot know; the old one can, and is asked though it said nothing either.
func TestAPauseOfTheSenderIsNoLoss(t *testing.T) {
	s := New[int](48000, false)
	frames := []int{0, 1, 2, 3, 4, 5, 25, 26, 27, 28, 29}
	var left []Packet[int]
	take := func(way, i int, late time.Duration) {
		p := Packet[int]{Feed: way, Way: way, Captured: captured(frames[i]), Value: frames[i], Sequence: uint16(i), Timestamp: uint32(frames[i] * 960)}
		left = append(left, s.Take(begin.Add(time.Duration(frames[i])*lasts+late), p)...)
	}
	for i := range frames {
		if frames[i] >= 25 {
			take(Hub, i, 5*time.Millisecond)
		}
		take(Direct, i, 15*time.Millisecond)
	}
	if len(left) != len(frames) || s.Gap().Lost != 0 {
		t.Fatalf("%d frames left of %d, %d count as lost", len(left), len(frames), s.Gap().Lost)
	}
	for i, p := range left {
		if p.Value != frames[i] || p.Sequence != left[0].Sequence+uint16(i) {
			t.Errorf("number %d is frame %d, want %d as number %d", p.Sequence, p.Value, frames[i], left[0].Sequence+uint16(i))
		}
	}
}

// TestAMachineThatStoodStill: what arrived meanwhile is read late, all of one way before the other, after a timer that is
// late, too. Nothing of that is a loss.
func TestAMachineThatStoodStill(t *testing.T) {
	s := New[int](48000, false)
	left := play(t, s, append(span(Direct, 0, 10, 5*time.Millisecond), span(Hub, 14, 14, -80*time.Millisecond)...))
	awake := begin.Add(1500 * time.Millisecond)
	if d := s.Deadline(); d.IsZero() || awake.Before(d.Add(lasts)) {
		t.Fatalf("the frame that waits is due %v after the beginning", d.Sub(begin))
	}
	left = append(left, s.Flush(awake)...)
	for i, x := range append(span(Hub, 15, 34, 0), span(Direct, 11, 34, 0)...) {
		x.at = awake.Sub(begin) + time.Duration(i)*time.Millisecond/10
		left = append(left, play(t, s, []step{x})...)
	}
	whole(t, left, 0, 34)
	if s.Gap().Lost != 0 {
		t.Errorf("%d count as lost", s.Gap().Lost)
	}
}

// TestNothingWaitsForLong: one way is far behind the other, which loses a frame now and then.
func TestNothingWaitsForLong(t *testing.T) {
	s := New[int](48000, false)
	steps := append(span(Direct, 0, 150, 0, 20, 45, 70, 95), span(Hub, 0, 90, 1200*time.Millisecond)...)
	slices.SortStableFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	came := make(map[int]time.Duration)
	for _, x := range steps {
		if _, known := came[x.frame]; !known {
			came[x.frame] = x.at
		}
		for _, p := range play(t, s, []step{x}) {
			if waited := x.at - came[p.Value]; waited > longest+again+lasts {
				t.Errorf("frame %d waited %v", p.Value, waited)
			}
			delete(came, p.Value)
		}
	}
}

// TestABurstPushesOutTheOldest: more comes at once than may wait. What leaves is in order, each frame once.
func TestABurstPushesOutTheOldest(t *testing.T) {
	s := New[int](48000, false)
	left := play(t, s, append(span(Direct, 0, 10, 0), span(Hub, 0, 10, 0)...))
	now := 300 * time.Millisecond
	for _, x := range append(span(Direct, 14, 100, 0), span(Hub, 40, 110, 0)...) {
		x.at = now
		left = append(left, play(t, s, []step{x})...)
	}
	for i := 1; i < len(left); i++ {
		if left[i].Value <= left[i-1].Value || int16(left[i].Sequence-left[i-1].Sequence) <= 0 {
			t.Fatalf("frame %d as number %d after frame %d as number %d", left[i].Value, left[i].Sequence, left[i-1].Value, left[i-1].Sequence)
		}
	}
	if len(s.held) > maxHeld || len(left) < 50 {
		t.Errorf("%d wait, %d left", len(s.held), len(left))
	}
}

func TestThePauseIsMeasured(t *testing.T) {
	s := New[int](48000, false)
	play(t, s, append(span(Direct, 0, 50, 5*time.Millisecond), span(Hub, 45, 90, 75*time.Millisecond)...))
	if g := s.Gap(); g.Pause != 70*time.Millisecond || g.Lost != 0 {
		t.Errorf("%+v; the new way is 70 ms slower", g)
	}
	s.Listen()
	if g := s.Gap(); g.Pause != 0 {
		t.Errorf("%+v", g)
	}
}

// TestManySwitches: nothing is lost, doubled or out of order over many switches with jitter and loss on one way at a time.
func TestManySwitches(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		var steps []step
		frame := 0
		before := 1 // which way loses some of the frames that both bring: 0 the old one, 1 the new one
		for way := range 20 {
			n := 40 + r.IntN(60)
			delay := time.Duration(r.IntN(60)) * time.Millisecond
			after := r.IntN(2)
			for i := range n + 30 { // 30 frames by both
				fades := way > 0 && before == 1 && i > 2 && i < 28 || way < 19 && after == 0 && i > n+2 && i < n+28
				if fades && r.IntN(8) == 0 {
					continue // the other way brings it
				}
				jitter := time.Duration(r.IntN(15)) * time.Millisecond
				steps = append(steps, step{time.Duration(frame+i)*lasts + delay + jitter, way % 2, frame + i})
			}
			frame, before = frame+n, after
		}
		s := New[int](48000, false)
		left := play(t, s, steps)
		left = append(left, s.Flush(begin.Add(time.Hour))...)
		for i, p := range left {
			if p.Value != i {
				t.Fatalf("seed %d: frame %d left where %d is due", seed, p.Value, i)
			}
		}
	}
}

func TestPicturesChangeOverWithAKeyFrame(t *testing.T) {
	s := New[int](90000, true)
	take := func(ms, feed, way int, sequence uint16, key bool) int {
		return len(s.Take(begin.Add(time.Duration(ms)*time.Millisecond), Packet[int]{Feed: feed, Way: way, Sequence: sequence, Timestamp: uint32(ms * 90), Key: key}))
	}
	for i := range 10 {
		take(i*33, 1, Direct, uint16(i), i == 0)
	}
	if take(330, 2, Hub, 700, false) != 0 {
		t.Error("the new way is followed before its key frame")
	}
	if take(340, 1, Direct, 10, false) != 1 {
		t.Error("the old way is not followed any more")
	}
	if take(363, 2, Hub, 701, true) != 1 || take(370, 1, Direct, 11, false) != 0 || take(396, 2, Hub, 702, false) != 1 {
		t.Error("the new way is not followed from its key frame on")
	}
	if take(400, 1, Direct, 12, true) != 0 {
		t.Error("the old way is followed again")
	}
	for i := range 30 { // the hub is silent: the switch was called off
		take(430+33*i, 1, Direct, uint16(13+i), false)
	}
	if take(1500, 1, Direct, 50, false) != 1 {
		t.Error("the old way is not followed again after the new one ended")
	}
	s.Prefer(Hub)
	if take(1533, 2, Hub, 800, false) != 1 {
		t.Error("the way that is wanted is not followed")
	}
}

func TestSoundThatDoesNotTellItsCaptureFollowsOneWay(t *testing.T) {
	s := New[int](48000, false)
	n := 0
	for i := range 100 {
		now := begin.Add(time.Duration(i) * lasts)
		if i < 60 {
			n += len(s.Take(now, Packet[int]{Feed: 1, Way: Direct, Sequence: uint16(i), Timestamp: uint32(i * 960)}))
		}
		if i >= 30 {
			n += len(s.Take(now.Add(time.Millisecond), Packet[int]{Feed: 2, Way: Hub, Sequence: uint16(i + 9000), Timestamp: uint32(i*960 + 77)}))
		}
		if i == 50 {
			s.Prefer(Hub)
		}
	}
	if n < 99 || n > 101 {
		t.Errorf("%d of 100 packets left", n)
	}
}

func TestAnotherStreamOfTheSameWayGoesOn(t *testing.T) {
	s := New[int](48000, false)
	var left []Packet[int]
	for i := range 60 {
		p := Packet[int]{Feed: 1, Captured: captured(i), Sequence: uint16(i), Timestamp: uint32(i * 960), Value: i}
		if i >= 30 {
			p.Feed, p.Sequence, p.Timestamp = 2, uint16(i+3000), uint32(i*960+5555)
		}
		if i == 31 {
			s.End(begin.Add(time.Duration(i)*lasts), 1)
		}
		left = append(left, s.Take(begin.Add(time.Duration(i)*lasts), p)...)
	}
	whole(t, left, 0, 59)
}

func FuzzSeam(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 128, 200, 255, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New[int](48000, len(b)%2 == 1)
		now := begin
		n, left := 0, 0
		for ; len(b) >= 6; b = b[6:] {
			now = now.Add(time.Duration(b[0]) * time.Millisecond)
			p := Packet[int]{Feed: int(b[1] % 4), Way: int(b[1] >> 7), Sequence: uint16(b[2])<<8 | uint16(b[3]), Key: b[1]&32 != 0}
			if b[1]&64 == 0 {
				p.Captured = uint64(b[4])<<27 + uint64(b[5])<<40
			}
			n++
			left += len(s.Take(now, p)) + len(s.Flush(now))
			if b[0] == 255 {
				left += len(s.End(now, p.Feed))
			}
			if len(s.held) > maxHeld || len(s.feeds) > 4 {
				t.Fatal("more is kept than may be")
			}
		}
		left += len(s.Flush(now.Add(time.Hour)))
		if left > n {
			t.Fatalf("%d packets left, %d came", left, n)
		}
	})
}

func BenchmarkTake(b *testing.B) {
	s := New[int](48000, false)
	for i := range b.N {
		s.Take(begin.Add(time.Duration(i)*lasts), Packet[int]{Captured: captured(i), Sequence: uint16(i), Timestamp: uint32(i * 960)})
	}
}
