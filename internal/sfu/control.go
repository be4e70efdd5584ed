package sfu

import (
	"time"

	"github.com/parley-rtc/parley/internal/bwe"
	"github.com/parley-rtc/parley/internal/rtp"
)

// HandleRTCP takes a compound packet of the person, decrypted. What cannot be read ends it; what came before counts.
func (p *Person) HandleRTCP(now time.Time, compound []byte) {
	if p.gone {
		return
	}
	t := p.room.pass(now)
	if !p.up.control.allows(t, len(compound), controlBytes, controlPackets) {
		p.up.stats.Policed++
		return
	}
	c := rtp.Compound{Rest: compound}
	for pkt, ok := c.Next(); ok; pkt, ok = c.Next() {
		switch {
		case pkt.Type == rtp.SenderReport:
			p.handleSenderReport(t, &pkt)
			p.handleReports(t, &pkt)
		case pkt.Type == rtp.ReceiverReport:
			p.handleReports(t, &pkt)
		case pkt.Is(rtp.TransportFeedback, rtp.FormatTransportCC):
			p.handleTransport(&pkt)
		case pkt.Is(rtp.TransportFeedback, rtp.FormatNACK):
			p.handleNACK(t, &pkt)
		case pkt.Is(rtp.PayloadFeedback, rtp.FormatPLI):
			p.handleLoss(t, pkt.Media())
		case pkt.Is(rtp.PayloadFeedback, rtp.FormatFIR):
			for i := range min(pkt.FIRs(), 16) {
				p.handleLoss(t, pkt.FIR(i).SSRC)
			}
		case pkt.Is(rtp.PayloadFeedback, rtp.FormatREMB):
			if rate, ok := pkt.REMB(); ok {
				p.down.estimator.REMB(now, rate)
			}
		}
	}
	if c.Err != nil {
		p.up.stats.Broken++
	}
}

func (p *Person) handleSenderReport(t int64, pkt *rtp.Control) {
	info, ok := pkt.SenderInfo()
	ssrc, _ := pkt.Sender()
	if !ok || info.NTP == 0 { // who has no clock says so with 0 (RFC 3550 §6.4.1)
		return
	}
	for i := range p.up.bindings {
		if b := &p.up.bindings[i]; b.ssrc == ssrc && !b.repair {
			if !p.up.clock.read(t, p.room.ntp(t), info.NTP) {
				for j := range p.up.bindings {
					p.up.bindings[j].stream.report.have = false
				}
			}
			b.stream.report = senderReport{ntp: info.NTP, stamp: info.Timestamp, at: t, have: true}
			return
		}
	}
}

// place finds the place that sends as this SSRC.
func (d *downlink) place(ssrc uint32) *place {
	for _, pl := range d.places {
		if pl.section.SSRC == ssrc {
			return pl
		}
	}
	return nil
}

func (p *Person) handleReports(t int64, pkt *rtp.Control) {
	worst, rtt := -1.0, int64(0)
	for i := range pkt.Reports() {
		r := pkt.Report(i)
		pl := p.down.place(r.SSRC)
		if pl == nil {
			continue
		}
		pl.tally.heard = true
		pl.tally.lost, pl.tally.jitter = r.FractionLost, int64(r.Jitter)
		worst = max(worst, float64(r.FractionLost)/256)
		for _, sent := range pl.tally.reported {
			if sent.at != 0 && sent.middle == r.LastSR {
				rtt = max(t-sent.at-int64(r.Delay)*second/65536, milli)
			}
		}
	}
	if worst >= 0 {
		p.down.estimator.ReceiverReport(p.room.now, worst, time.Duration(rtt))
	}
}

// handleTransport passes transport-wide feedback on to the estimator.
func (p *Person) handleTransport(pkt *rtp.Control) {
	r := p.room
	_, arrivals, err := pkt.ReadTransportCC(r.scratch[:0])
	if err != nil {
		p.up.stats.Broken++
		return
	}
	told := r.told[:0]
	for i := range arrivals {
		a := &arrivals[i]
		at := time.Duration(a.At) * rtp.Tick % bwe.Wrap
		if at < 0 {
			at += bwe.Wrap
		}
		told = append(told, bwe.Arrival{Number: a.Sequence, Arrived: a.Received, At: at})
	}
	d := &p.down
	d.estimator.Feedback(r.now, told)
	if d.pacer != nil { // each frame that still left would cost sound
		d.pacer.Hold(r.now, d.estimator.Choked(r.now))
	}
}

// handleLoss takes a receiver's request for a key frame. One that can only have been sent before the last key frame reached them
// is answered already.
func (p *Person) handleLoss(t int64, ssrc uint32) {
	pl := p.down.place(ssrc)
	if pl == nil || pl.source == nil {
		return
	}
	s := pl.stream
	if s == nil {
		s = pl.next
	}
	if s == nil {
		return
	}
	rtt := int64(p.down.estimator.Stats().RTT)
	if s == pl.stream && s.key.have && t-s.key.at < max(rtt, 20*milli) {
		return
	}
	pl.plead(t, s, false)
}

// handleNACK repeats what a receiver misses: each packet at most once a round trip, and no more bytes than the downlink allows.
func (p *Person) handleNACK(t int64, pkt *rtp.Control) {
	pl := p.down.place(pkt.Media())
	if pl == nil {
		return
	}
	if pl.copies == nil && (pl.section.RTX == 0 || pl.numbers.history == nil || pl.stream == nil) {
		p.down.stats.Refused++
		return
	}
	wait := p.roundTrip(pl)
	for i := range pkt.NACKs() {
		m := pkt.NACK(i)
		for number, rest, ok := m.First, m.Following, true; ok; number, rest, ok = rtp.Pop(number, rest) {
			again := false
			if pl.copies != nil {
				again = p.resound(t, pl, number, wait)
			} else {
				again = p.repeat(t, pl, number, wait)
			}
			if !again {
				p.down.stats.Refused++
			}
		}
	}
	p.pump(t)
}

// repeat repeats a packet, unless it left less than wait, in ms, ago: it may still be on its way, or the request from before it.
func (p *Person) repeat(t int64, pl *place, number, wait uint16) bool {
	n := &pl.numbers
	out := n.top + int64(int16(number-uint16(n.top)))
	_, k := pl.recall(out)
	if k == nil {
		return p.refill(t, pl, out, wait)
	}
	e := &n.history[out&int64(len(n.history)-1)]
	if uint16(t/milli)-e.at < wait {
		return false
	}
	size := int64(k.size) + overhead
	if e.era != n.era && (p.down.tight() || n.smaller(e.era)) || !p.down.mayRepeat(t, size, soundsShare) {
		return false
	}
	e.at = uint16(t / milli)
	return p.down.pacer.Push(bwe.Retransmission, waiting{place: pl, out: out, again: true}, int(size))
}

// roundTrip is how long what the place repeats now may be on its way, in ms, its time in the pacer included.
func (p *Person) roundTrip(pl *place) uint16 {
	d := &p.down
	wait := max(d.estimator.Stats().RTT, 20*time.Millisecond)
	if next, ok := d.pacer.Next(p.room.now); ok && pl.copies == nil {
		wait += next.Sub(p.room.now) + d.pacer.Delay()
	}
	return uint16(min(wait, time.Second) / time.Millisecond)
}

// smaller reports whether the place has stepped down since an era: then the key frame that came with it is worth more than what
// was lost before.
func (n *numbers) smaller(then uint8) bool {
	was, now := n.eras[then].stream, n.eras[n.era].stream
	return was.source == now.source && was.index > now.index
}

// refill repeats a number that padding has used up.
func (p *Person) refill(t int64, pl *place, out int64, wait uint16) bool {
	n := &pl.numbers
	if out > n.top || out <= n.top-int64(len(n.history)) {
		return false
	}
	e := &n.history[out&int64(len(n.history)-1)]
	if !e.filled() || uint16(t/milli)-e.in < wait {
		return false
	}
	pt := pl.repairType()
	if pt == 0 || !p.down.mayRepeat(t, paddingSize, soundsShare) {
		return false
	}
	e.in = uint16(t / milli)
	full := pl.tally.repairSeq
	w := rtp.Begin(p.way.Next()[:0], rtp.Fields{Timestamp: n.stamp, SSRC: pl.section.RTX, Sequence: uint16(full), PayloadType: pt})
	p.stamp(&w)
	header := w.HeaderSize()
	w.Original(uint16(out))
	if p.send(pl, header, len(w.Bytes()), full, bwe.Retransmission) {
		pl.tally.repairSeq++
		p.down.stats.Repeated++
	}
	return true
}

// mostRepeated and leastRepeated bound how many bytes may be repeated at once after a pause: what half a second carries.
const mostRepeated, leastRepeated = 64 << 10, 8 << 10

// mayRepeat takes n bytes off what may be repeated, half of what the downlink carries, unless less than spare would be left.
func (d *downlink) mayRepeat(t, n, spare int64) bool {
	passed := min(t-d.repeatsAt, second)
	if passed >= milli {
		half := int64(d.estimator.Target() / 16) // bytes in half a second
		d.repeats = min(d.repeats+passed/1000*half/1_000_000, max(min(half, mostRepeated), leastRepeated))
		d.repeatsAt = t
	}
	if d.repeats < n+spare {
		return false
	}
	d.repeats -= n
	return true
}
