package sfu

import "github.com/parley-rtc/parley/internal/rtp"

const (
	// placeEntries is how many packets back a place can repeat, eras how many switches back.
	placeEntries = 512
	mostEras     = 16
	noEra        = 255
	// widest is how many numbers in a row are kept free for packets that are missing; beyond, the place begins anew.
	widest = 100
	// youngPackets and young bound the replay of a key frame to somebody who has seen nothing yet, fresh to somebody who has.
	youngPackets = 60
	young        = 1500 * milli
	fresh        = 120 * milli
)

// place is one section on which a person receives. Whatever it shows, what leaves is one stream: its numbers have holes only
// where packets are missing, its timestamps go forward, and after a switch it goes on with a key frame.
type place struct {
	person  *Person
	section *Section
	want    Want
	source  *source
	stream  *stream // which is being forwarded; nil while none is
	next    *stream // which is to be, from its next key frame on
	since   int64   // since when next is waited for
	credit  *credit // with the source
	owed    int64   // since when a key frame is due for which there was no credit; 0 when none is
	formats [128]uint8
	repairs [128]uint8
	shown   uint8 // the publisher's payload type of the last packet
	able    bool  // the receiver understands any format of the source
	strip   uint8 // that of redundant sound, which the receiver gets without the redundancy; 0 for none

	pick    pick
	numbers numbers
	copies  []kept // of sound that is repeated as it left; nil when it is not
	tally   tally
	rung    rung // what was chosen last
	starved bool
}

// pick is which layers are forwarded.
type pick struct {
	spatial, temporal uint8 // what is wanted
	changed           int64 // when it last was
	upped, downed     int64
	frames            [4]uint64 // which of the last 256 frames were forwarded, by number
	frame             uint16
	picture           uint16 // that was dropped last
	hasPicture        bool
}

// tally is what was sent.
type tally struct {
	packets, octets    uint64
	repeated           uint64
	repairSeq          int64
	reported           [2]sentReport
	heard              bool // a report spoke of it: the receiver knows which section it is
	lost               uint8
	nextReport, jitter int64
}

// sentReport is when we sent a report, so that its echo tells the round trip.
type sentReport struct {
	middle uint32
	at     int64
}

func newPlace(p *Person, section *Section) *place {
	pl := &place{person: p, section: section}
	pl.numbers.top = int64(p.room.random()&0x7FFF) | 1<<16
	pl.tally.repairSeq = int64(p.room.random()&0x7FFF) | 1<<16
	return pl
}

// show attaches the place to a source, nil for none.
func (pl *place) show(t int64, src *source) {
	if pl.source == src {
		return
	}
	if pl.source != nil {
		pl.source.drop(pl)
	}
	pl.source, pl.stream, pl.next, pl.rung, pl.starved = src, nil, nil, rung{}, false
	pl.person.room.changed(pl.person)
	pl.pick = pick{}
	if src == nil {
		return
	}
	if pl.numbers.history == nil && (src.kind == Video || pl.section.RTX != 0) {
		n := placeEntries
		if src.kind == Audio {
			n = audioSlots
		}
		pl.numbers.history = make([]entry, n)
		for i := range pl.numbers.history {
			pl.numbers.history[i].era = noEra
		}
	}
	pl.keepCopies()
	pl.credit, pl.owed = src.creditOf(pl.person, t), 0
	pl.matchFormats()
	src.subs = append(src.subs, pl)
	if src.kind == Video {
		pl.person.allocate(t)
		src.person.room.dirty = true
	}
}

// matchFormats finds the receiver's payload types for the publisher's.
func (pl *place) matchFormats() {
	pl.formats, pl.repairs, pl.strip = [128]uint8{}, [128]uint8{}, 0
	for _, in := range pl.source.codecs {
		for _, out := range pl.section.Codecs {
			if in.Format == out.Format {
				pl.formats[in.PayloadType&127], pl.repairs[in.PayloadType&127] = out.PayloadType, out.RTX
				break
			}
		}
		if in.Codec == rtp.RED && pl.formats[in.PayloadType&127] == 0 {
			pl.stripRED(in)
		}
	}
	pl.able = pl.formats != [128]uint8{}
}

// stripRED finds the payload type of the sound in redundant packets (RFC 2198), for a receiver who does not take those.
func (pl *place) stripRED(in Codec) {
	for _, out := range pl.section.Codecs {
		if out.Codec == rtp.Opus && out.Clock == in.Clock {
			pl.formats[in.PayloadType&127], pl.strip = out.PayloadType, in.PayloadType&127
			return
		}
	}
}

// follows reports whether the receiver understands what the stream is being sent in: else no key frame of it helps.
func (pl *place) follows(s *stream) bool { return !s.begun || pl.formats[s.format] != 0 }

// take considers a packet that has just come.
func (pl *place) take(t int64, s *stream, k *slot) {
	switch {
	case pl.stream == s:
		pl.pass(t, s, k, true)
	case pl.stream != nil && pl.numbers.before.stream == s && k.seq <= pl.numbers.before.last:
		pl.passLate(t, s, k, &pl.numbers.before)
	case pl.next == s:
		pl.enter(t, s) // forwards everything up to k
	case pl.stream == nil && pl.next == nil && !pl.want.Paused && !pl.starved && pl.able:
		pl.next, pl.since = s, t // the first that comes
		pl.pick.spatial, pl.pick.temporal = highest, highest
		if !pl.enter(t, s) {
			pl.plead(t, s, true)
		}
	}
}

// ask asks for a key frame that the place needs, whoever saw to that.
func (pl *place) ask(t int64, s *stream, newcomer bool) {
	if pl.follows(s) {
		s.ask(t, newcomer)
	}
}

// enter begins with the stream that is waited for, if its last key frame is young enough; then everything from that on is
// forwarded. It returns false when another key frame is needed.
func (pl *place) enter(t int64, s *stream) bool {
	if s.source.kind == Audio {
		if k := s.ring.get(s.newest); k != nil {
			pl.begin(t, s, k)
			pl.pass(t, s, k, true)
			return true
		}
		return false
	}
	if !s.key.have || s.newest-s.key.seq > youngPackets {
		return false
	}
	switch age := t - s.key.at; {
	case !pl.numbers.begun && age > young, pl.numbers.begun && s.key.at < pl.since && age > fresh:
		return false
	}
	k := s.ring.get(s.key.seq)
	if k == nil || pl.formats[k.header.PayloadType] == 0 {
		return false
	}
	pl.begin(t, s, k)
	for seq := s.key.seq; seq <= s.newest; seq++ {
		if k := s.ring.get(seq); k != nil {
			pl.pass(t, s, k, seq == s.newest)
		}
	}
	return true
}

// begin starts an era: the numbers of the stream go on where those of the place are.
func (pl *place) begin(t int64, s *stream, k *slot) {
	n := &pl.numbers
	pl.stream, pl.next, pl.owed = s, nil, 0
	pl.tally.nextReport = 0 // the one before does not hold any more
	// Numbers that are kept free stay so.
	if n.begun {
		n.raise(n.last - n.by.offset)
	}
	n.before = n.mapping
	n.mapping = mapping{stream: s, era: (n.era + 1) % mostEras, last: k.seq - 1, from: k.seq, now: aim{target: -1}}
	for i := range n.history { // what an older era of this index sent cannot be repeated any more
		if n.history[i].era == n.era {
			n.history[i] = entry{era: noEra}
		}
	}
	e := &n.eras[n.era]
	e.stamp = pl.stampFor(t, s, k) - k.header.Timestamp
	e.frame = n.frame + 1 - k.number
	e.stream, e.mask = s, ^uint32(0)
	n.by = shift{from: k.seq, offset: k.seq - (n.top + 1)}
	if n.begun {
		n.by.picture = n.topPic + 1 - k.picture
		n.by.tl0 = n.topTL0 + 1 - k.tl0
	} else {
		e.stamp, e.frame = 0, 0
	}
	if k.pictureBits == 0 {
		n.by.picture, n.by.tl0 = 0, 0
	}
	n.by.picture &^= markerBit
	n.shifts[0], n.shifted = n.by, 1
	n.begun = true
	n.stamp, n.at = k.header.Timestamp+e.stamp, k.at
	ids := &pl.person.down.ids
	pl.pick.frames = [4]uint64{}
	pl.pick.frame = k.number
	pl.pick.hasPicture = false
	n.layers = k.is(described) && ids[rtp.DependencyDescriptor] != 0 || k.codec == rtp.VP9 || k.pictureBits != 0
	if pl.rung.stream == s {
		pl.pick.spatial, pl.pick.temporal = pl.rung.spatial, pl.rung.temporal
	}
	n.now.spatial, n.now.temporal = pl.pick.spatial, pl.pick.temporal
	n.then = n.now
}

// stampFor is the timestamp with which a stream goes on: by the publisher's clock where both streams were reported, else by ours.
func (pl *place) stampFor(t int64, s *stream, k *slot) uint32 {
	n := &pl.numbers
	if !n.begun {
		return k.header.Timestamp
	}
	clock := int64(s.source.clock())
	elapsed := min(max(t-n.at, 0), 3600*second)
	ours := n.stamp + uint32(max(elapsed/1000*clock/1_000_000, clock/1000))
	old := n.eras[(n.era+mostEras-1)%mostEras]
	if old.stream == nil || old.stream.source != s.source || !s.report.have || !old.stream.report.have {
		return ours
	}
	between := int64(s.report.ntp-old.stream.report.ntp) >> 16 // in 1/65536 s
	aligned := old.stream.report.stamp + uint32(between*clock>>16) + (k.header.Timestamp - s.report.stamp) + old.stamp
	switch d := int64(int32(aligned - n.stamp)); {
	case d > 0 && d < elapsed/1000*clock/1_000_000+clock:
		return aligned
	case d <= 0 && d > -clock: // of the same moment, or nearly: the next frames will be right
		return n.stamp + 1
	}
	return ours
}

// pass forwards a packet of the current stream, or leaves it out without a trace. live says that it has just come.
func (pl *place) pass(t int64, s *stream, k *slot, live bool) {
	n := &pl.numbers
	if k.seq <= n.last {
		pl.passLate(t, s, k, &n.mapping)
		return
	}
	if k.seq-n.last > widest {
		pl.lose(t)
		return
	}
	n.last = k.seq
	if !pl.keeps(t, s, k, live) {
		n.skip(k.seq)
		return
	}
	out := k.seq - n.by.offset
	n.raise(out)
	e := entry{in: uint16(k.seq), picture: n.by.picture, tl0: n.by.tl0, era: n.era}
	if n.marks(s, k) {
		e.picture |= markerBit
	}
	e.at = uint16(t / milli)
	stamp := k.header.Timestamp + n.eras[n.era].stamp
	if int32(stamp-n.stamp) > 0 || !rtp.BeforeTime(stamp, n.stamp) {
		n.stamp, n.at = stamp, k.at
	}
	if k.pictureBits != 0 {
		n.topPic, n.topTL0 = (k.picture+n.by.picture)&^markerBit, k.tl0+n.by.tl0
	}
	if k.is(described) {
		if f := k.number + n.eras[n.era].frame; !rtp.Before(f, n.frame) {
			n.frame = f
		}
	}
	if n.history != nil {
		n.history[out&int64(len(n.history)-1)] = e
	}
	pl.person.leave(t, pl, s, k, out, e)
}

// passLate forwards a packet for which a number was kept free. If it is not wanted, padding takes its number.
func (pl *place) passLate(t int64, s *stream, k *slot, m *mapping) {
	n := &pl.numbers
	at := -1
	for i := m.shifted - 1; i >= max(m.shifted-len(m.shifts), 0); i-- {
		if m.shifts[i%len(m.shifts)].from <= k.seq {
			at = i % len(m.shifts)
			break
		}
	}
	if at < 0 {
		return
	}
	by := m.shifts[at]
	out := k.seq - by.offset
	if out <= n.top-audioSlots*4 {
		return
	}
	n.raise(out)
	e := entry{in: uint16(k.seq), at: uint16(t / milli), picture: by.picture, tl0: by.tl0, era: m.era}
	if k.is(empty) || pl.formats[k.header.PayloadType] == 0 || s.source.kind == Video && !m.covers(k) {
		pl.person.fill(pl, k.header.PayloadType, k.header.Timestamp+n.eras[m.era].stamp, out)
		return
	}
	if m.marks(s, k) {
		e.picture |= markerBit
	}
	if n.history != nil {
		h := &n.history[out&int64(len(n.history)-1)]
		if h.era != noEra {
			return
		}
		*h = e
	}
	pl.person.leave(t, pl, s, k, out, e)
}

// lose gives up the current stream until a key frame comes.
func (pl *place) lose(t int64) {
	s := pl.stream
	if pl.next == nil {
		pl.next = s
	}
	pl.stream, pl.since = nil, t
	if pl.next != nil {
		pl.ask(t, pl.next, false)
	}
}
