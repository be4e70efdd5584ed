package sfu

import (
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

const (
	second = int64(time.Second)
	milli  = int64(time.Millisecond)

	videoSlots, audioSlots = 512, 64
	videoBytes, audioBytes = 64 << 10, 16 << 10
	// mostBytes is how many bytes of a stream are kept at most.
	mostBytes = 1 << 20
	// jump is how far a number may be from the newest; beyond, the stream has begun anew, if the next packet agrees (RFC 3550 A.1).
	jump = 1000
	// maxTargets is for how many choices of layers the bitrate is measured.
	maxTargets = 16
)

// stream is one SSRC of a source: one encoding.
type stream struct {
	source  *source
	index   int // in the source, the smallest first
	rid     string
	ssrc    uint32
	repair  uint32
	ring    ring
	newest  int64 // the highest number; its lower 16 bits are those in the packet
	begun   bool
	strange int32 // the number after a packet from elsewhere, -1 for none
	bound   int64 // since when the SSRC is this one
	anew    bool  // the next packet begins a new count
	format  uint8 // the payload type of the newest packet

	key    keyFrame
	layers layers
	repairs
	count  counts
	report senderReport
}

// keyFrame is the last key frame and what is known of the next.
type keyFrame struct {
	seq   int64
	at    int64
	have  bool
	asked int64 // when one was last asked for; 0 when that was answered
	sent  int64 // when a request last left
	wants bool  // a request is to leave
	fir   uint8
}

// layers is what is known of a stream's layers.
type layers struct {
	dependency    *rtp.Dependency
	about         rtp.Descriptor
	aboutSeq      int64 // which packet it is of
	structure     *rtp.Structure
	active        uint32
	targets       uint8
	width, height int
	spatial       uint8 // the highest so far
	temporal      uint8
	bytes         [maxTargets]uint32
	rates         [maxTargets]int // bit/s
	since, heard  int64
	measured      bool
}

// counts is what a stream's receiver reports tell (RFC 3550 A.3, A.8), and what statistics do.
type counts struct {
	packets, octets, duplicates, broken, repaired uint64
	first, skipped                                int64
	expectedBefore, receivedBefore                int64
	transit                                       int64
	jitter                                        int64 // 16 times
}

// senderReport is the publisher's last one.
type senderReport struct {
	ntp   uint64
	stamp uint32
	at    int64
	have  bool
}

func newStream(src *source, index int, e Encoding) *stream {
	s := &stream{source: src, index: index, rid: e.RID, ssrc: e.SSRC, repair: e.RTX, strange: -1}
	slots, bytes := audioSlots, audioBytes
	if src.kind == Video {
		slots, bytes = videoSlots, videoBytes
	}
	s.ring = newRing(slots, bytes)
	return s
}

// locate counts a sequence number on past its 16 bits; false for one that is not to be taken.
func (s *stream) locate(number uint16) (int64, bool) {
	if !s.begun {
		s.begun = true
		s.newest = int64(number) + 1<<16
		s.count.first = s.newest
		return s.newest, true
	}
	if s.anew {
		s.anew = false
		return s.restart(number), true
	}
	step := int64(int16(number - uint16(s.newest)))
	if step <= jump && step >= -jump {
		s.strange = -1
		n := s.newest + step
		if step <= -int64(len(s.ring.slots)) {
			return 0, false
		}
		if k := &s.ring.slots[n&int64(len(s.ring.slots)-1)]; k.seq == n {
			s.count.duplicates++
			return 0, false
		}
		return n, true
	}
	if s.strange != int32(number) {
		s.strange = int32(number + 1)
		return 0, false
	}
	s.strange = -1
	return s.restart(number), true
}

// restart begins a new count far ahead of the old one, so that nobody takes the one for a continuation of the other.
func (s *stream) restart(number uint16) int64 {
	n := (s.newest>>16+2)<<16 | int64(number)
	s.count.skipped += n - s.newest - 1
	s.newest = n - 1
	s.key = keyFrame{sent: s.key.sent, fir: s.key.fir}
	s.repairs.clear()
	s.report.have = false
	s.layers.dependency = nil
	s.layers.structure = nil
	return n
}

// receive stores a packet; nil when it is not to be forwarded: too late, twice, or not to be read.
func (s *stream) receive(t int64, pkt []byte, h *rtp.Header, values *rtp.Values, c *Codec) *slot {
	n, ok := s.locate(h.Sequence)
	if !ok {
		return nil
	}
	k := s.ring.put(n, pkt[:h.End])
	k.at, k.header, k.values, k.codec = t, *h, *values, c.Codec
	if err := s.read(k, pkt); err != nil {
		s.count.broken++
		k.marks = empty // its number passes as one without content
	}
	s.note(t, k, c)
	if n > s.newest {
		s.repairs.missed(t, s, n)
		s.newest = n
	} else {
		s.repairs.came(t, n)
	}
	if n == s.newest {
		s.format = h.PayloadType
	}
	if k.is(begins) && (!s.key.have || n > s.key.seq) {
		s.key.seq, s.key.at, s.key.have = n, t, true
		s.key.asked, s.key.wants = 0, false
		s.repairs.forget(n)
	}
	return k
}

// note counts a packet for the reports and measures rates.
func (s *stream) note(t int64, k *slot, c *Codec) {
	s.count.packets++
	size := uint32(k.size) - uint32(k.header.Size)
	s.count.octets += uint64(size)
	s.layers.heard, s.source.heard = t, t
	clock := int64(max(c.Clock, 1))
	transit := t/1000*clock/1_000_000 - int64(k.header.Timestamp)
	if s.count.packets > 1 && k.seq > s.newest {
		d := int64(int32(transit - s.count.transit))
		s.count.jitter += max(d, -d) - (s.count.jitter+8)>>4
	}
	s.count.transit = transit
	if s.source.kind != Video {
		return
	}
	weight := uint32(k.size) + 40
	l := &s.layers
	if k.is(described) {
		for i := range min(int(l.structure.Targets), maxTargets) {
			if k.indications.Of(i) != rtp.NotPresent {
				l.bytes[i] += weight
			}
		}
		return
	}
	l.spatial, l.temporal = max(l.spatial, min(k.spatial, 3)), max(l.temporal, min(k.temporal, 3))
	for spatial := k.spatial; spatial <= 3; spatial++ {
		for temporal := k.temporal; temporal <= 3; temporal++ {
			l.bytes[spatial<<2|temporal] += weight
		}
	}
}

// measure turns what was counted into rates, and gives the ring room for a second of it.
func (s *stream) measure(t int64) {
	l := &s.layers
	if !s.begun {
		return
	}
	if l.since == 0 {
		l.since = t
	}
	passed := t - l.since
	if passed < second/2 && (l.measured || passed < 200*milli) {
		return
	}
	most := 0
	for i := range l.bytes {
		rate := int(int64(l.bytes[i]) * 8 * 1000 / (passed / milli))
		if !l.measured {
			l.rates[i] = rate
		} else {
			l.rates[i] += (rate - l.rates[i]) * 3 / 10
		}
		most = max(most, l.rates[i])
		l.bytes[i] = 0
	}
	l.since, l.measured = t, true
	if need := most / 8 * 5 / 4; need > len(s.ring.data) && len(s.ring.data) < mostBytes {
		bytes := len(s.ring.data)
		for bytes < need && bytes < mostBytes {
			bytes *= 2
		}
		s.ring.resize(s.newest, bytes)
	}
}

// alive reports whether the stream is being sent: an encoder stops one of several encodings when it lacks time or bandwidth, and
// goes on with the others.
func (s *stream) alive(t int64) bool {
	if !s.begun || len(s.source.streams) == 1 {
		return s.begun
	}
	return t-s.layers.heard < 2*second && s.source.heard-s.layers.heard < second/2
}

// reportBlock is what a receiver report says of the stream; it begins a new interval.
func (s *stream) reportBlock(t int64) rtp.Report {
	expected := s.newest - s.count.first + 1 - s.count.skipped
	received := int64(s.count.packets - s.count.repaired)
	lost := expected - received
	since, got := expected-s.count.expectedBefore, received-s.count.receivedBefore
	s.count.expectedBefore, s.count.receivedBefore = expected, received
	r := rtp.Report{
		SSRC: s.ssrc, Highest: uint32(s.newest), Jitter: uint32(s.count.jitter >> 4),
		Lost: int32(min(max(lost, -1<<23), 1<<23-1)),
	}
	if since > 0 && since > got {
		r.FractionLost = uint8(min((since-got)*256/since, 255))
	}
	if s.report.have {
		r.LastSR = rtp.MiddleNTP(s.report.ntp)
		r.Delay = uint32((t - s.report.at) * 65536 / second)
	}
	return r
}
