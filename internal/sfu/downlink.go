package sfu

import (
	"time"

	"github.com/parley-rtc/parley/internal/bwe"
	"github.com/parley-rtc/parley/internal/rtp"
)

const (
	// queued is how many packets may wait for their turn to one person.
	queued = 256
	// overhead is what IPv4, UDP and the tag of SRTP add to a packet.
	overhead = 20 + 8 + 16
	// tag is the room that is left behind a packet for SRTP.
	tag = 16
)

// downlink is the way to one person: everything that leaves is numbered, estimated and paced here.
type downlink struct {
	ids       rtp.IDs
	places    []*place
	short     bool // there are fewer places for sound than sources that are chosen
	reduced   bool
	number    uint16
	estimator *bwe.Estimator
	pacer     *bwe.Pacer[waiting]
	repeats   int64 // bytes that may still be repeated
	repeatsAt int64
	copies    copies
	plan      plan
	stats     Sent
	scratch   [256]byte
	probing   *place
	spent     map[uint32]int64 // the numbers that places which are gone have used, by SSRC
}

// waiting is a packet in the pacer: what a place sent, or is to repeat, under a number.
type waiting struct {
	place *place
	out   int64
	again bool
}

// Sent counts what went to a person.
type Sent struct {
	Packets, Octets uint64
	// Repeated are retransmissions, Padding what filled probes and holes, Dropped what found no room in the queue or no way out.
	Repeated, Padding, Dropped uint64
	// Refused are requests for repetition that were not answered: too soon, too much, or too late.
	Refused uint64
}

func (d *downlink) begin(now time.Time, r *Room) {
	d.estimator = bwe.New(now, r.cfg.Bandwidth)
	d.number = uint16(r.random())
}

// agreed takes the ids of extensions. A dependency descriptor with its structure needs headers of the two-byte form.
func (d *downlink) agreed(sections []Section) {
	d.ids = rtp.IDs{}
	mixed := true
	d.reduced = len(sections) > 0
	for i := range sections {
		mixed = mixed && sections[i].Mixed
		d.reduced = d.reduced && sections[i].ReducedSize
		for id, kind := range sections[i].Extensions {
			if kind != rtp.NoKind && id != 0 {
				d.ids[kind] = uint8(id)
			}
		}
	}
	if !mixed {
		d.ids[rtp.DependencyDescriptor] = 0
	}
	if d.pacer == nil && len(sections) > 0 {
		d.pacer = bwe.NewPacer[waiting](time.Time{}, queued)
	}
}

// leave sends a packet of a place, at once or when it is its turn. Sound does not wait.
func (p *Person) leave(t int64, pl *place, s *stream, k *slot, out int64, e entry) {
	d := &p.down
	now := p.room.now
	if s.source.kind == Audio {
		if n := p.write(pl, s, k, out, e, false); n > 0 {
			d.pacer.Passed(now, n)
		}
		return
	}
	if d.pacer.Len() == 0 && d.pacer.Ready(now) {
		if n := p.write(pl, s, k, out, e, false); n > 0 {
			d.pacer.Passed(now, n)
		}
		return
	}
	if !d.pacer.Push(bwe.Video, waiting{place: pl, out: out}, int(k.size)+overhead) {
		d.stats.Dropped++
		return
	}
	p.wakePacer(t)
}

func (p *Person) wakePacer(t int64) {
	if at, ok := p.down.pacer.Next(p.room.now); ok {
		p.room.wake(t + int64(at.Sub(p.room.now)))
	}
}

// pump sends what waits and may leave, and fills a probe with repetitions or padding.
func (p *Person) pump(t int64) {
	d := &p.down
	if d.pacer == nil {
		return
	}
	now := p.room.now
	for {
		w, ok := d.pacer.Pop(now)
		if !ok {
			break
		}
		p.sendWaiting(w.Item)
	}
	for i := 0; d.pacer.Probing() > 0 && d.pacer.Len() == 0 && d.pacer.Ready(now) && i < 64; i++ {
		n := p.pad(t)
		if n == 0 {
			break
		}
		d.pacer.Passed(now, n)
	}
	if d.pacer.Len() > 0 || d.pacer.Probing() > 0 && d.probing != nil {
		p.wakePacer(t)
	}
}

func (p *Person) sendWaiting(w waiting) {
	n := &w.place.numbers
	s, k := w.place.recall(w.out)
	if k == nil || w.place.person != p {
		p.down.stats.Dropped++
		return
	}
	h := &n.history[w.out&int64(len(n.history)-1)]
	h.at = uint16(p.room.t / milli)
	e := *h
	if e.era != n.era && (w.again || n.smaller(e.era)) && p.down.tight() {
		p.down.stats.Dropped++
		return
	}
	p.write(w.place, s, k, w.out, e, w.again)
}

// tight says that there is a queue: then nothing is sent that a later key frame has made superfluous.
func (d *downlink) tight() bool {
	return d.pacer.Delay() > 50*time.Millisecond || d.estimator.Stats().Draining
}

// recall finds the packet that left under a number; nil when it is forgotten.
func (pl *place) recall(out int64) (*stream, *slot) {
	n := &pl.numbers
	if n.history == nil || out > n.top || out <= n.top-int64(len(n.history)) {
		return nil, nil
	}
	e := n.history[out&int64(len(n.history)-1)]
	if e.era == noEra {
		return nil, nil
	}
	s := n.eras[e.era].stream
	return s, s.ring.near(s.newest, e.in)
}

// write puts a packet for the place into the next buffer and sends it: the publisher's payload behind a header of our own. It
// returns its size on the wire, 0 when it could not leave.
func (p *Person) write(pl *place, s *stream, k *slot, out int64, e entry, again bool) int {
	d := &p.down
	buf := p.way.Next()
	pkt := s.ring.bytes(k)
	n := &pl.numbers
	ids := &d.ids
	f := rtp.Fields{
		Timestamp: k.header.Timestamp + n.eras[e.era].stamp, SSRC: pl.section.SSRC, Sequence: uint16(out),
		PayloadType: pl.formats[k.header.PayloadType], Marker: e.picture&markerBit != 0,
	}
	full := out
	if again {
		full = pl.tally.repairSeq
		f.SSRC, f.Sequence, f.PayloadType = pl.section.RTX, uint16(full), pl.repairs[k.header.PayloadType]
	}
	payload := pl.payload(k, pkt)
	descriptor := k.values.Of(pkt, rtp.DependencyDescriptor)
	if f.PayloadType == 0 || payload == nil || len(payload)+len(descriptor)+len(pl.section.MID)+72+tag > len(buf) {
		d.stats.Dropped++
		return 0
	}
	w := rtp.Begin(buf[:0], f)
	p.stamp(&w)
	if !pl.tally.heard {
		w.Extension(ids[rtp.MID], append(d.scratch[:0], pl.section.MID...))
	}
	d.extend(&w, pl, s, k, pkt, e.era)
	if again {
		w.Original(uint16(out))
	}
	header := w.HeaderSize()
	w.Payload(payload)
	packet := w.Bytes()
	if k.pictureBits != 0 {
		renumber(packet[len(packet)-len(payload):], k, e)
	}
	if !p.send(pl, header, len(packet), full, kindOf(s, again)) {
		return 0
	}
	if again {
		pl.tally.repairSeq++
		pl.tally.repeated++
		d.stats.Repeated++
	} else {
		pl.shown = k.header.PayloadType
		pl.tally.packets++
		pl.tally.octets += uint64(len(payload))
	}
	return len(packet) + overhead
}

// payload is what the place gets of the packet's payload; nil when that cannot be told.
func (pl *place) payload(k *slot, pkt []byte) []byte {
	whole := k.header.Payload(pkt)
	if pl.strip == 0 || pl.strip != k.header.PayloadType {
		return whole
	}
	block, err := rtp.REDPrimary(whole)
	if err != nil {
		return nil
	}
	return block.Data
}

// extend adds what the publisher's extensions say.
func (d *downlink) extend(w *rtp.Writer, pl *place, s *stream, k *slot, pkt []byte, at uint8) {
	ids := &d.ids
	if s.source.kind == Audio {
		w.Copy(rtp.AudioLevel, ids, &k.values, pkt)
	} else {
		w.Copy(rtp.VideoOrientation, ids, &k.values, pkt)
		w.Copy(rtp.PlayoutDelay, ids, &k.values, pkt)
		if k.is(described) && ids[rtp.DependencyDescriptor] != 0 { // one that we cannot read, nobody can
			value := k.values.Of(pkt, rtp.DependencyDescriptor)
			w.Extension(ids[rtp.DependencyDescriptor], d.describe(pl, s, k, value, at))
		}
	}
	w.Copy(rtp.AbsCaptureTime, ids, &k.values, pkt)
}

func kindOf(s *stream, again bool) bwe.Kind {
	switch {
	case again:
		return bwe.Retransmission
	case s.source.kind == Audio:
		return bwe.Audio
	}
	return bwe.Video
}

// stamp adds what tells when a packet left: its transport-wide number, or else the time.
func (p *Person) stamp(w *rtp.Writer) {
	ids := &p.down.ids
	if ids[rtp.TransportNumber] != 0 {
		w.Uint16(ids[rtp.TransportNumber], p.down.number)
	} else {
		w.Uint24(ids[rtp.AbsSendTime], rtp.SendTime(p.room.t))
	}
}

// roc is the rollover counter of a number (RFC 3711 §3.3.1): numbers begin in the second round.
func roc(full int64) uint32 { return uint32(full>>16) - 1 }

// send hands the packet in the buffer to the way out, and notes that it left.
func (p *Person) send(pl *place, header, n int, full int64, kind bwe.Kind) bool {
	d := &p.down
	left := false
	if pl.copies != nil {
		left = p.sendKept(pl, header, n, full)
	} else {
		left = p.way.SendRTP(header, n, roc(full))
	}
	if !left {
		d.stats.Dropped++
		return false
	}
	d.stats.Packets++
	d.stats.Octets += uint64(n)
	if d.ids[rtp.TransportNumber] != 0 {
		d.estimator.Sent(p.room.now, d.number, n+overhead, kind)
		d.number++
	}
	if pl.section.Kind == Video {
		d.probing = pl
	}
	d.plan.sent += int64(n + overhead)
	return true
}

// describe is the dependency descriptor for the place: its frames go on where those before ended, and with a structure it is told
// which decode targets there will be.
func (d *downlink) describe(pl *place, s *stream, k *slot, value []byte, at uint8) []byte {
	e := &pl.numbers.eras[at]
	l := &s.layers
	var b []byte
	if k.is(attached) && l.aboutSeq == k.seq && e.mask&l.about.Active != l.about.Active && len(value) < 128 {
		b = rtp.AppendDescriptor(d.scratch[:0], value, &l.about, e.mask&l.about.Active)
	} else {
		b = append(d.scratch[:0], value...)
	}
	number := k.number + e.frame
	b[1], b[2] = byte(number>>8), byte(number)
	return b
}

// renumber gives the copy of a payload that b is the picture id and TL0 of the place.
func renumber(b []byte, k *slot, e entry) {
	picture := (k.picture + e.picture) &^ markerBit
	if k.codec == rtp.VP9 {
		d := rtp.VP9Descriptor{PictureBits: k.pictureBits, HasLayers: k.hasTL0}
		d.Renumber(b, picture, k.tl0+e.tl0)
		return
	}
	d := rtp.VP8Descriptor{PictureBits: k.pictureBits, HasTL0: k.hasTL0}
	d.Renumber(b, picture, k.tl0+e.tl0)
}
