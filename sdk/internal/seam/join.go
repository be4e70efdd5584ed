package seam

import (
	"math"
	"slices"
	"time"
)

const (
	// lapse is the silence after which a capture before the last one is a new beginning of the sender's clock.
	lapse = time.Second
	// second is one in the units of a capture.
	second = 1 << 32
)

// later is by how much a capture is after another; negative for before.
func later(a, b uint64) int64 { return int64(a - b) } // the wrap is meant: 136 years

// find returns the frame that was captured then.
func (s *Seam[V]) find(captured uint64) (known, bool) {
	for i := 1; i <= min(s.count, memory); i++ {
		if k := s.recent[(s.count-i)%memory]; k.captured == captured {
			return k, true
		}
	}
	return known{}, false
}

// join takes a packet whose capture is told.
func (s *Seam[V]) join(now time.Time, f *feed, number int64, p Packet[V]) {
	w := waiting[V]{Packet: p, came: now, number: number}
	if f.begun && f.highest == number-1 {
		w.before, w.sure = f.captured, true
	}
	k, again := s.find(p.Captured)
	alone := !s.both()
	switch {
	case !s.begun:
		s.emit(now, f, w)
	case again:
		f.mapped, f.shift, f.stamps = true, k.sequence-number, k.stamp-p.Timestamp
	case later(p.Captured, s.captured) < 0 && now.Sub(s.at) < lapse:
		s.late(f, w)
	case alone || w.sure && later(w.before, s.captured) <= 0:
		if alone { // nobody brings what is missing before it, but this way may what is missing after it
			for len(s.held) > 0 && later(s.held[0].Captured, p.Captured) < 0 {
				s.pop(now)
			}
		}
		switch {
		case later(p.Captured, s.captured) > 0:
			s.emit(now, f, w)
		case now.Sub(s.at) >= lapse: // their clock has begun anew: what waits is of the old one
			s.release(now, true)
			s.emit(now, f, w)
		}
	default:
		s.wait(now, w)
	}
	s.release(now, false)
}

// wait keeps a frame back, in order.
func (s *Seam[V]) wait(now time.Time, w waiting[V]) {
	at, found := slices.BinarySearchFunc(s.held, w, func(a, b waiting[V]) int {
		switch d := later(a.Captured, b.Captured); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	switch {
	case !found:
		s.held = slices.Insert(s.held, at, w)
		if s.until.IsZero() {
			s.until = now.Add(hold)
		}
	case w.sure && !s.held[at].sure: // the same frame, and what is before it is known
		w.came = s.held[at].came
		s.held[at] = w
	}
	for len(s.held) > maxHeld {
		s.pop(now)
	}
}

// release lets go what nothing is missing before, or, with force, everything.
func (s *Seam[V]) release(now time.Time, force bool) {
	for len(s.held) > 0 {
		w := s.held[0]
		if !force && later(w.Captured, s.captured) > 0 && !(w.sure && later(w.before, s.captured) <= 0) {
			return
		}
		s.pop(now)
	}
	s.until = time.Time{}
}

// pop lets go the first of what waits, unless it came meanwhile.
func (s *Seam[V]) pop(now time.Time) {
	w := s.held[0]
	s.held = slices.Delete(s.held, 0, 1)
	s.until, s.excused = now.Add(hold), false
	if later(w.Captured, s.captured) <= 0 {
		return
	}
	f := s.feeds[w.Feed]
	if f == nil { // it has ended
		f = &feed{}
	}
	s.emit(now, f, w)
}

// late passes a frame on that is older than what left, if its number was kept free.
func (s *Seam[V]) late(f *feed, w waiting[V]) {
	number := w.number + f.shift
	if !f.mapped || number <= s.sequence-memory/2 || number >= s.sequence {
		return
	}
	for _, k := range s.recent[:min(s.count, memory)] {
		if k.sequence == number {
			return
		}
	}
	s.gap.Lost = max(0, s.gap.Lost-1)
	s.leave(w.Packet, number, w.Timestamp+f.stamps)
}

// emit gives a frame its numbers: it is the newest.
func (s *Seam[V]) emit(now time.Time, f *feed, w waiting[V]) {
	number, stamp := w.number, w.Timestamp
	if s.begun {
		passed := later(w.Captured, s.captured)
		if passed <= 0 { // their clock has begun anew
			passed = int64(now.Sub(s.at).Seconds() * second)
		}
		due := s.stamp + uint32(int64(math.Round(float64(passed)*float64(s.clock)/second))) // the wrap is meant
		number, stamp = number+f.shift, stamp+f.stamps
		if off := int32(stamp - due); !f.mapped || number <= s.sequence || off > int32(s.clock/50) || off < -int32(s.clock/50) {
			number, stamp = s.sequence+s.steps(f, w, passed), due
		}
	}
	f.mapped, f.shift, f.stamps = true, number-w.number, stamp-w.Timestamp
	s.note(now, number, stamp)
	s.captured = w.Captured
	s.leave(w.Packet, number, stamp)
}

// steps is how many frames a frame is after the last one that left, as far as that can be known.
func (s *Seam[V]) steps(f *feed, w waiting[V], passed int64) int64 {
	if k, known := s.find(w.before); w.sure && known {
		return max(1, k.sequence+1-s.sequence)
	}
	if s.frame <= 0 || passed > second/2 { // a pause, not a loss
		return 1
	}
	return max(1, (passed+s.frame/2)/s.frame)
}

// note remembers the newest packet that left, and measures how it came.
func (s *Seam[V]) note(now time.Time, number int64, stamp uint32) {
	if s.begun && number > s.sequence {
		steps := number - s.sequence
		due := time.Duration(int32(stamp-s.stamp)) * time.Second / time.Duration(s.clock) / time.Duration(steps)
		if steps < memory {
			s.gap.Lost += int(steps - 1)
		}
		if !s.video {
			s.gap.Pause = max(s.gap.Pause, now.Sub(s.at)-max(due, 0))
		}
	}
	s.begun, s.sequence, s.stamp, s.at = true, number, stamp, now
}

// leave hands a packet out.
func (s *Seam[V]) leave(p Packet[V], number int64, stamp uint32) {
	if !s.video && p.Captured != 0 {
		if s.count > 0 {
			before := s.recent[(s.count-1)%memory]
			if d := later(p.Captured, before.captured); d > 0 && before.sequence == number-1 && d < second/8 {
				s.frame = d
			}
		}
		s.recent[s.count%memory] = known{p.Captured, number, stamp}
		s.count++
	}
	s.last = p.Feed
	p.Sequence, p.Timestamp = uint16(number), stamp
	s.out = append(s.out, p)
}

// follow takes a packet of which it is not known whether it came by the other way already.
func (s *Seam[V]) follow(now time.Time, f *feed, number int64, p Packet[V]) {
	if !s.begun {
		s.way = f.way
	}
	if f.way != s.way {
		idle, newer := s.idle(now, f)
		patience := quiet
		if s.video {
			patience = still
		}
		if s.wanted != f.way && !(s.video && p.Key && newer) && idle <= patience {
			return
		}
		s.way = f.way
	}
	if s.wanted == f.way {
		s.wanted = -1
	}
	if s.begun && (!f.mapped || p.Feed != s.last) { // another stream goes on where the one before was
		if !f.mapped {
			f.stamps = s.stamp + max(1, uint32(now.Sub(s.at).Nanoseconds()*int64(s.clock)/int64(time.Second))) - p.Timestamp
		}
		f.shift = s.sequence + 1 - number
	}
	f.mapped = true
	to, stamp := number+f.shift, p.Timestamp+f.stamps
	if !s.begun || to > s.sequence {
		s.note(now, to, stamp)
	}
	s.leave(p, to, stamp)
}

// idle is for how long nothing came by the way that is followed, and whether f began after it.
func (s *Seam[V]) idle(now time.Time, f *feed) (idle time.Duration, newer bool) {
	idle, newer = 24*time.Hour, true
	for _, other := range s.feeds {
		if other.way == s.way {
			idle = min(idle, now.Sub(other.heard))
			newer = newer && other.since.Before(f.since)
		}
	}
	return idle, newer
}
