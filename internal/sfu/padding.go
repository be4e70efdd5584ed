package sfu

import (
	"github.com/parley-rtc/parley/internal/bwe"
	"github.com/parley-rtc/parley/internal/rtp"
)

// paddingSize is the padding in a packet that only fills a probe.
const paddingSize = 224

// fill uses up a number that was kept free for a packet that nobody needs.
func (p *Person) fill(pl *place, in uint8, stamp uint32, out int64) {
	n := &pl.numbers
	if n.history != nil {
		h := &n.history[out&int64(len(n.history)-1)]
		if h.era != noEra || h.filled() {
			return
		}
		h.at, h.in = padded, uint16(p.room.t/milli)
	}
	pt := pl.formats[in&127]
	if pt == 0 {
		return
	}
	w := rtp.Begin(p.way.Next()[:0], rtp.Fields{Timestamp: stamp, SSRC: pl.section.SSRC, Sequence: uint16(out), PayloadType: pt})
	p.stamp(&w)
	header := w.HeaderSize()
	w.Pad(1)
	if p.send(pl, header, len(w.Bytes()), out, bwe.Padding) {
		p.down.stats.Padding++
	}
}

// padded stands in an entry without an era whose number was used for padding; then in is when it was last sent, in ms.
const padded = 1<<16 - 1

func (e entry) filled() bool { return e.era == noEra && e.at == padded }

// pad sends something that fills a probe: the last packet of a place again, or padding. It returns the size, 0 when there is no
// stream to send it on.
func (p *Person) pad(t int64) int {
	pl := p.down.probing
	if pl == nil || pl.section.RTX == 0 || pl.stream == nil {
		return 0
	}
	n := &pl.numbers
	if s, k := pl.recall(n.top); k != nil && k.size > 400 && !k.is(empty) {
		if e := &n.history[n.top&int64(len(n.history)-1)]; p.down.mayRepeat(t, int64(k.size), soundsShare) {
			e.at = uint16(t / milli)
			return p.write(pl, s, k, n.top, *e, true)
		}
	}
	last := n.history[n.top&int64(len(n.history)-1)]
	if last.era == noEra || n.eras[last.era].stream == nil {
		return 0
	}
	pt := pl.repairType()
	if pt == 0 {
		return 0
	}
	full := pl.tally.repairSeq
	w := rtp.Begin(p.way.Next()[:0], rtp.Fields{Timestamp: n.stamp, SSRC: pl.section.RTX, Sequence: uint16(full), PayloadType: pt})
	p.stamp(&w)
	if !pl.tally.heard {
		w.Extension(p.down.ids[rtp.MID], append(p.down.scratch[:0], pl.section.MID...))
	}
	header := w.HeaderSize()
	w.Pad(paddingSize)
	size := len(w.Bytes())
	if !p.send(pl, header, size, full, bwe.Padding) {
		return 0
	}
	pl.tally.repairSeq++
	p.down.stats.Padding++
	return size + overhead
}

// repairType is the payload type of retransmissions of what the place showed last, 0 for none.
func (pl *place) repairType() uint8 { return pl.repairs[pl.shown&127] }
