package sfu

import (
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

const (
	// interval is between two reports about a stream.
	interval = second
	// mostControl is how long a compound packet may get.
	mostControl = 1200
)

// compound is an RTCP datagram that is being written.
type compound struct {
	person *Person
	buf    []byte
}

// begin takes a buffer; with an empty report in front unless reduced sizes were agreed on (RFC 5506).
func (c *compound) begin() {
	c.buf = c.person.way.Next()[:0]
	if !c.person.down.reduced {
		c.buf = rtp.AppendRR(c.buf, feedbackSSRC, nil)
	}
}

// room makes room for n more bytes.
func (c *compound) room(n int) {
	if c.buf != nil && len(c.buf)+n > mostControl {
		c.send()
	}
	if c.buf == nil {
		c.begin()
	}
}

// send sends what was written, if anything was begun.
func (c *compound) send() {
	if c.buf != nil {
		c.person.way.SendRTCP(len(c.buf))
		c.buf = nil
	}
}

// ask sends what cannot wait: NACKs, and requests for key frames.
func (p *Person) ask(t int64) {
	c := compound{person: p}
	for _, src := range p.up.sources {
		for _, s := range src.streams {
			if s.key.asked != 0 && !s.key.wants && t-s.key.asked >= unanswered && src.awaits(s) {
				s.ask(t, true)
			}
			if s.key.wants && s.ssrc != 0 && s.begun {
				c.room(24)
				c.buf = s.request(t, c.buf)
			}
			if s.repairs.waiting == 0 {
				continue
			}
			if lost := s.repairs.due(t, s, p.room.lost[:0]); len(lost) > 0 && src.repairable(s) {
				c.room(12 + 4*len(lost))
				c.buf = rtp.AppendNACK(c.buf, feedbackSSRC, s.ssrc, lost)
			}
		}
	}
	c.send()
}

// awaits reports whether somebody waits for a key frame of the stream.
func (src *source) awaits(s *stream) bool {
	for _, pl := range src.subs {
		if pl.next == s {
			return true
		}
	}
	return false
}

// repairable reports whether the publisher answers NACKs on the stream.
func (src *source) repairable(s *stream) bool {
	for _, c := range src.codecs {
		if c.NACK && s.ssrc != 0 {
			return true
		}
	}
	return false
}

// feedback sends the transport-wide feedback that is due.
func (p *Person) feedback(now time.Time) {
	u := &p.up
	if u.arrivals == nil || !u.arrivals.Due(now) || len(u.bindings) == 0 {
		return
	}
	news := u.arrivals.Report(now, p.room.told[:0])
	list := p.room.scratch[:0]
	for _, a := range news {
		list = append(list, rtp.Arrival{Sequence: a.Number, Received: a.Arrived, At: int64(a.At / rtp.Tick)})
	}
	for len(list) > 0 {
		c := compound{person: p}
		c.begin()
		head := rtp.TransportCC{Sender: feedbackSSRC, Media: u.bindings[0].ssrc, Count: u.feedback}
		var n int
		c.buf, n = rtp.AppendTransportCC(c.buf, head, list, mostControl-len(c.buf))
		if n == 0 {
			return
		}
		u.feedback++
		c.send()
		list = list[n:]
	}
}

// reports sends sender reports for the places and receiver reports about what the person publishes.
func (p *Person) reports(t int64) {
	if t-p.up.reported >= interval {
		p.up.reported = t
		p.reportStreams(t)
	}
	c := compound{}
	for _, pl := range p.down.places {
		if pl.stream == nil || !pl.stream.report.have || t < pl.tally.nextReport {
			continue
		}
		pl.tally.nextReport = t + interval - 128*milli + int64(p.room.random()&0xFF)*milli
		if c.person == nil {
			c = compound{person: p, buf: p.way.Next()[:0]}
		}
		if len(c.buf)+80 > mostControl {
			p.way.SendRTCP(len(c.buf))
			c.buf = p.way.Next()[:0]
		}
		c.buf = pl.appendReport(c.buf, t)
	}
	if len(c.buf) > 0 {
		p.way.SendRTCP(len(c.buf))
	}
}

func (p *Person) reportStreams(t int64) {
	var blocks [31]rtp.Report
	n := 0
	for _, src := range p.up.sources {
		for _, s := range src.streams {
			if s.begun && s.ssrc != 0 && n < len(blocks) {
				blocks[n] = s.reportBlock(t)
				n++
			}
		}
	}
	if n == 0 {
		return
	}
	b := rtp.AppendRR(p.way.Next()[:0], feedbackSSRC, blocks[:n])
	b = rtp.AppendCNAME(b, feedbackSSRC, cname)
	p.way.SendRTCP(len(b))
}

// cname is the name of all that we send on one connection: all reports on it are on our clock, so sound and pictures can be played in
// step.
const cname = "parley"

// appendReport appends the place's sender report: now, by our clock, and what is the timestamp of that in the place.
func (pl *place) appendReport(dst []byte, t int64) []byte {
	s := pl.stream
	ntp := pl.person.room.ntp(t)
	since := ntp - s.source.person.up.clock.offset - s.report.ntp
	stamp := s.report.stamp + ticks(since, s.source.clock()) + pl.numbers.eras[pl.numbers.era].stamp
	pl.tally.reported[1] = pl.tally.reported[0]
	pl.tally.reported[0] = sentReport{rtp.MiddleNTP(ntp), t}
	dst = rtp.AppendSR(dst, pl.section.SSRC, rtp.SenderInfo{
		NTP: ntp, Timestamp: stamp, Packets: uint32(pl.tally.packets), Octets: uint32(pl.tally.octets),
	}, nil)
	return rtp.AppendCNAME(dst, pl.section.SSRC, cname)
}

// ticks is a span of NTP time, of either sign, in units of a clock of hz, modulo 2^32.
func ticks(span uint64, hz uint32) uint32 {
	return uint32(span>>32)*hz + uint32(span&(1<<32-1)*uint64(hz)>>32)
}
