package sfu

import "github.com/parley-rtc/parley/internal/rtp"

const (
	// mostMissing is how many packets of a stream are waited for; more missing at once is a case for a key frame.
	mostMissing = 64
	// patience is how long a missing packet is asked for, tries how often.
	patience = second
	tries    = 8
	// reordering is how long a packet may be late before it is asked for.
	reordering = 5 * milli
)

// repairs is what is missing of a stream.
type repairs struct {
	missing [mostMissing]missing
	waiting int
	rtt     int64 // from the first request to the repair, smoothed; 0 when unknown
	asked   uint64
	mended  uint64
}

type missing struct {
	seq, since, asked int64
	tries             int
}

func (r *repairs) clear() { r.waiting = 0 }

// missed notes the numbers between the newest so far and n.
func (r *repairs) missed(t int64, s *stream, n int64) {
	gap := int(n - s.newest - 1)
	if gap <= 0 || n == s.count.first {
		return
	}
	if r.waiting+gap > mostMissing {
		r.waiting = 0
		s.ask(t, false)
		return
	}
	for seq := s.newest + 1; seq < n; seq++ {
		r.missing[r.waiting] = missing{seq: seq, since: t}
		r.waiting++
	}
	s.source.person.room.wake(t + reordering)
}

// came takes a late packet off the list.
func (r *repairs) came(t, n int64) {
	for i := range r.missing[:r.waiting] {
		m := &r.missing[i]
		if m.seq != n {
			continue
		}
		if m.tries == 1 {
			r.mended++
			if d := t - m.asked; r.rtt == 0 {
				r.rtt = d
			} else {
				r.rtt += (d - r.rtt) / 4
			}
		}
		r.remove(i)
		return
	}
}

func (r *repairs) remove(i int) {
	copy(r.missing[i:], r.missing[i+1:r.waiting])
	r.waiting--
}

// forget gives up what is before a key frame.
func (r *repairs) forget(n int64) {
	kept := 0
	for _, m := range r.missing[:r.waiting] {
		if m.seq > n-32 { // the tail of the frame before may still be wanted
			r.missing[kept] = m
			kept++
		}
	}
	r.waiting = kept
}

// due appends to lost what is to be asked for now, as far as its capacity goes.
func (r *repairs) due(t int64, s *stream, lost []uint16) []uint16 {
	again := max(r.rtt*3/2, 25*milli)
	if r.rtt == 0 {
		again = 100 * milli
	}
	for i := 0; i < r.waiting; {
		m := &r.missing[i]
		switch {
		case t-m.since > patience || m.tries >= tries:
			r.remove(i)
			continue
		case len(lost) == cap(lost):
			return lost
		case m.tries == 0 && t-m.since >= reordering, m.tries > 0 && t-m.asked >= again:
			m.asked = t
			m.tries++
			r.asked++
			lost = append(lost, uint16(m.seq))
		}
		if next := m.since + reordering; m.tries == 0 {
			s.source.person.room.wake(next)
		}
		i++
	}
	return lost
}

const (
	// unanswered is how long a request for a key frame counts as being answered.
	unanswered = 500 * milli
	// between is the least time between two requests because of what receivers lost.
	between = 300 * milli
)

// ask asks for a key frame. One request serves everybody as long as it may still be answered; a newcomer waits for nothing else.
func (s *stream) ask(t int64, newcomer bool) {
	if !s.mayAsk(t, newcomer) {
		return
	}
	s.key.asked, s.key.wants = t, true
	s.source.person.room.wake(t)
}

func (s *stream) mayAsk(t int64, newcomer bool) bool {
	switch {
	case s.source.kind != Video:
		return false
	case s.key.asked != 0 && t-s.key.asked < unanswered:
		return false
	}
	return newcomer || s.key.sent == 0 || t-s.key.sent >= between
}

const (
	// mostCredit is how many key frames of a source a person may cost everybody in a row, and repay after how long it is one more.
	mostCredit = 5
	repay      = second
)

// credit is how many key frames of a source a person may still cost. It belongs to both, so that neither another place nor the same
// one again has more of it.
type credit struct {
	left int
	at   int64
}

func (c *credit) take(t int64) bool {
	if n := (t - c.at) / repay; n > 0 {
		c.left = int(min(int64(c.left)+n, mostCredit))
		c.at += n * repay
	}
	if c.left == 0 {
		return false
	}
	c.left--
	return true
}

// creditOf returns what a person has with the source.
func (src *source) creditOf(p *Person, t int64) *credit {
	c := src.credits[p]
	if c == nil {
		c = &credit{left: mostCredit, at: t}
		src.credits[p] = c
	}
	return c
}

// plead is ask for what a receiver says: that something was lost, or that they want to see it again. Whoever says so more often than
// they have credit waits for the next of it; what has not been answered yet is asked for again without any.
func (pl *place) plead(t int64, s *stream, newcomer bool) {
	if !pl.follows(s) || !s.mayAsk(t, newcomer) {
		return
	}
	if s.key.asked == 0 && !pl.credit.take(t) {
		if pl.owed == 0 {
			pl.owed = t
		}
		return
	}
	pl.owed = 0
	s.ask(t, newcomer)
}

// request appends the request that is to leave.
func (s *stream) request(t int64, dst []byte) []byte {
	s.key.wants, s.key.sent = false, t
	if s.source.fir {
		s.key.fir++
		return rtp.AppendFIR(dst, feedbackSSRC, rtp.IntraRequest{SSRC: s.ssrc, Number: s.key.fir})
	}
	return rtp.AppendPLI(dst, feedbackSSRC, s.ssrc)
}

// feedbackSSRC is the source of our feedback, as in libwebrtc.
const feedbackSSRC = 1
