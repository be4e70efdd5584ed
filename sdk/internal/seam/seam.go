// Package seam joins the ways on which one track arrives into one stream: while a call moves between the direct path and
// the hub, every frame comes twice, by transports that number it differently. To who reads the joined stream it came
// once, in order, under numbers that go on.
//
// What makes two packets one frame is when it was captured (the header extension abs-capture-time), on the sender's
// clock, which the sender writes into every packet of sound, the same on every link. Where that is told, the join is
// exact: a frame that one way lost is taken from the other, and what came early waits a moment for what is still
// missing. Where it is not told (pictures, senders that do not tell), one way is followed at a time; pictures change
// over with a key frame.
//
// It is sans-IO: time is an argument. A Seam has one owner.
package seam

import "time"

const (
	// hold is how long a frame waits for one before it that the other way may bring yet, and longest how long it does where
	// that way is behind and goes on: there it is still to come. again is when that is looked at again.
	hold, longest = 250 * time.Millisecond, 800 * time.Millisecond
	again         = 40 * time.Millisecond
	// alive is how long after its last packet a way still counts as one that may bring something, and calm how much of a
	// time in which neither brought anything counts for that: then it was the sender who paused, or all of us.
	alive = 300 * time.Millisecond
	calm  = 100 * time.Millisecond
	// lateness is how late a timer may come before it proves nothing: what has arrived was not read either.
	lateness = 20 * time.Millisecond
	// quiet and still are how long the way that is followed may say nothing before the other one is, of sound and of
	// pictures.
	quiet = 60 * time.Millisecond
	still = 500 * time.Millisecond
	// memory is how many frames are remembered, to know them when they come again: more than two seconds of sound.
	memory = 128
	// maxHeld bounds what waits: a little more than longest.
	maxHeld = 56
)

// The ways.
const (
	Direct = 0
	Hub    = 1
)

// Packet is one RTP packet of a track, as it arrives, or with the numbers of the joined stream.
type Packet[V any] struct {
	// Feed names the RTP stream it came in, Way the way of that.
	Feed, Way int
	// Sequence and Timestamp are those of its header.
	Sequence  uint16
	Timestamp uint32
	// Captured is when its frame was captured, in 2⁻³² s on the sender's clock; 0 when that is not told.
	Captured uint64
	// Key says that it begins a picture that can be decoded by itself.
	Key bool
	// Value is whatever belongs to it.
	Value V
}

// Gap is what a time of joining looked like to who listened.
type Gap struct {
	// Pause is by how much two frames of sound came further apart than they are to be played, at most.
	Pause time.Duration
	// Lost is how many frames never came.
	Lost int
}

// Seam joins one track. The zero value is not valid; see New.
type Seam[V any] struct {
	clock uint64 // Hz
	video bool
	feeds map[int]*feed

	begun    bool
	sequence int64  // the highest that left
	stamp    uint32 // its timestamp
	captured uint64 // when it was captured
	at       time.Time
	way      int // that is followed, where capture is not told
	wanted   int // to follow from its next packet on; -1 for none
	last     int // feed that the newest packet came from

	heard time.Time     // when the newest packet came
	lived time.Duration // for how long something came

	recent  [memory]known
	count   int
	held    []waiting[V]
	until   time.Time
	excused bool // the timer was late, once, for the first that waits
	gap     Gap
	frame   int64 // how long a frame lasts, in the units of a capture; 0 while unknown
	out     []Packet[V]
}

// feed is one RTP stream.
type feed struct {
	way      int
	begun    bool
	highest  int64 // extended sequence number
	captured uint64
	mapped   bool
	shift    int64  // from its numbers to ours
	stamps   uint32 // from its timestamps to ours
	plain    bool   // a packet came that does not tell when it was captured
	since    time.Time
	heard    time.Time
	lived    time.Duration // Seam.lived, then
}

// known is a frame that left.
type known struct {
	captured uint64
	sequence int64
	stamp    uint32
}

// waiting is a frame that came too early.
type waiting[V any] struct {
	Packet[V]
	came   time.Time
	number int64 // on its feed
	before uint64
	sure   bool // before is when the frame before it was captured
}

// New makes one for RTP timestamps of clock Hz.
func New[V any](clock uint32, video bool) *Seam[V] {
	return &Seam[V]{clock: uint64(clock), video: video, feeds: make(map[int]*feed), wanted: -1}
}

// Take takes a packet and returns those that leave now. They are valid until the next call.
func (s *Seam[V]) Take(now time.Time, p Packet[V]) []Packet[V] {
	s.out = s.out[:0]
	if now.Before(s.heard) { // whoever brings it has waited for the other one's turn to end
		now = s.heard
	}
	f := s.feeds[p.Feed]
	if f == nil {
		f = &feed{way: p.Way & 1, since: now}
		s.feeds[p.Feed] = f
	}
	if now.Sub(f.heard) > alive {
		f.since = now
	}
	s.lived += min(now.Sub(s.heard), calm)
	s.heard = now
	f.heard, f.lived = now, s.lived
	f.plain = f.plain || p.Captured == 0
	number := f.extend(p.Sequence)
	if f.plain || s.video {
		s.follow(now, f, number, p)
	} else {
		s.join(now, f, number, p)
	}
	f.note(number, p.Captured)
	return s.out
}

// Deadline is when Flush has something to do; zero for never.
func (s *Seam[V]) Deadline() time.Time { return s.until }

// Flush lets go what has waited long enough.
func (s *Seam[V]) Flush(now time.Time) []Packet[V] {
	s.out = s.out[:0]
	switch late := now.Sub(s.until); {
	case s.until.IsZero() || late < 0:
	case late > lateness && !s.excused:
		s.until, s.excused = now.Add(min(late, hold)), true
	case now.Sub(s.held[0].came) < longest && s.behind(s.held[0]):
		s.until = now.Add(again)
	default:
		s.release(now, true)
	}
	return s.out
}

// behind reports whether another way that goes on has not come as far as a frame.
func (s *Seam[V]) behind(w waiting[V]) bool {
	for _, f := range s.feeds {
		if f.way != w.Way&1 && s.lived-f.lived < alive && later(w.Captured, f.captured) > 0 {
			return true
		}
	}
	return false
}

// Whole reports whether nothing waits for a frame before it.
func (s *Seam[V]) Whole() bool { return len(s.held) == 0 }

// End forgets a feed, and returns what waited for it.
func (s *Seam[V]) End(now time.Time, name int) []Packet[V] {
	s.out = s.out[:0]
	delete(s.feeds, name)
	if !s.both() {
		s.release(now, true)
	}
	return s.out
}

// Prefer follows a way from its next packet on, where the frames cannot be told apart: the other one ends.
func (s *Seam[V]) Prefer(way int) { s.wanted = way }

// Listen begins to measure anew.
func (s *Seam[V]) Listen() { s.gap = Gap{} }

// Gap is what was measured since Listen.
func (s *Seam[V]) Gap() Gap { return s.gap }

// extend finds a packet's place among those of its feed.
func (f *feed) extend(sequence uint16) int64 {
	if !f.begun {
		return int64(sequence) + 1<<16
	}
	return f.highest + int64(int16(sequence-uint16(f.highest))) // the wrap is meant
}

func (f *feed) note(number int64, captured uint64) {
	if !f.begun || number > f.highest {
		f.begun, f.highest, f.captured = true, number, captured
	}
}

// both reports whether both ways may bring something.
func (s *Seam[V]) both() bool {
	var live [2]bool
	for _, f := range s.feeds {
		live[f.way&1] = live[f.way&1] || s.lived-f.lived < alive
	}
	return live[Direct] && live[Hub]
}
