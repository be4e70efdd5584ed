package sfu

import (
	"time"

	"github.com/parley-rtc/parley/internal/bwe"
	"github.com/parley-rtc/parley/internal/rtp"
)

// Person is somebody in a room: what they publish, and their places.
type Person struct {
	room *Room
	seat string
	way  Way
	up   uplink
	down downlink
	gone bool
	news news
}

// uplink is what a person publishes.
type uplink struct {
	table    rtp.Table
	sources  []*source
	bindings []binding
	last     int // which binding was found last
	arrivals *bwe.Arrivals
	feedback uint8 // counts our feedback
	police   police
	sound    police // of all sound
	control  police // of feedback
	clock    clock
	stats    Received
	reported int64
}

// police is what a publisher may still send.
type police struct {
	at             int64
	bytes, packets int64
}

// burst is for how long a publisher may have saved up.
const burst = second / 2

// controlPackets and controlBytes are what a person may send of feedback in a second: ten times what browsers do.
const controlPackets, controlBytes = 500, 250_000

// soundPackets and soundBytes are what a source of sound may send in a second, and a person mostSounds times that. Sound is loud by
// its own word, goes to everybody, and is neither paced nor counted against a downlink, so what may be sent of it follows from what
// sound can need. Opus makes 510 kbit/s at most (RFC 7587 §3.1.1), redundancy sends everything twice, and headers and extensions add
// 40 bytes: 1,052 kbit/s in packets of 10 ms, the shortest that browsers make. Packets of 5 ms are 200 a second, and some more by a
// fast clock. A person has two kinds of sound: a microphone, and a screen's.
const soundPackets, soundBytes, mostSounds = 250, 150_000, 2

// allows takes a packet of n bytes off what may be sent, of bytes and packets a second.
func (l *police) allows(t int64, n int, bytes, packets int64) bool {
	passed := min(t-l.at, burst)
	// Shares below a byte or a packet are carried over by not moving the time on.
	if gain := passed * packets / second; gain > 0 {
		l.packets = min(l.packets+gain, packets*burst/second)
		l.bytes = min(l.bytes+passed*bytes/second, bytes*burst/second)
		l.at = t
	}
	if l.packets < 1 || l.bytes < int64(n) {
		return false
	}
	l.packets--
	l.bytes -= int64(n)
	return true
}

// HandleRTP takes a packet of the person, decrypted. It is read, and changed, only during the call.
func (p *Person) HandleRTP(now time.Time, pkt []byte, h *rtp.Header) {
	if p.gone {
		return
	}
	r := p.room
	t := r.pass(now)
	r.wake(max(t, r.ticked+busy)) // it may have been idle
	u := &p.up
	u.stats.Packets++
	u.stats.Octets += uint64(len(pkt))
	if h.Padded && int(h.End) == len(pkt) {
		whole, err := rtp.Parse(pkt)
		if err != nil {
			u.stats.Broken++
			return
		}
		h = &whole
	}
	var values rtp.Values
	values.Locate(h, pkt, &u.table)
	if number, ok := rtp.ReadUint16(values.Of(pkt, rtp.TransportNumber)); ok {
		if u.arrivals == nil {
			u.arrivals = bwe.NewArrivals(now)
		}
		u.arrivals.Add(now, number)
	}
	if !u.police.allows(t, len(pkt), int64(r.cfg.PublisherBitrate/8), int64(r.cfg.PublisherPackets)) {
		u.stats.Policed++
		return
	}
	if h.End > maxPacket {
		u.stats.Broken++
		return
	}
	s, repair := u.find(t, pkt, h, &values)
	if s == nil {
		u.stats.Unknown++
		return
	}
	if repair {
		p.handleRepair(t, s, pkt, h, &values)
		return
	}
	at := s.source.types[h.PayloadType]
	if at == 0 {
		u.stats.Unknown++
		return
	}
	p.forward(t, s, pkt, h, &values, &s.source.codecs[at-1])
}

// handleRepair takes a retransmission (RFC 4588): the packet without the two bytes in front of its payload.
func (p *Person) handleRepair(t int64, s *stream, pkt []byte, h *rtp.Header, values *rtp.Values) {
	at := s.source.repairs[h.PayloadType]
	original, rest, ok := rtp.SplitRTX(h.Payload(pkt))
	if at == 0 || !ok || len(rest) == 0 {
		return // padding, to see whether more passes
	}
	if !s.begun || s.anew {
		return
	}
	c := &s.source.codecs[at-1]
	whole := *h
	copy(pkt[2:2+h.Size], pkt[:h.Size])
	whole.Sequence, whole.SSRC, whole.PayloadType = original, s.ssrc, c.PayloadType
	whole.End -= 2
	before := s.count.packets
	if step := int16(original - uint16(s.newest)); step > jump || step < -jump {
		return
	}
	p.forward(t, s, pkt[2:], &whole, values, c)
	s.count.repaired += s.count.packets - before
}

// allowsSound takes a packet of n bytes off what a source of sound, and its person, may still send.
func (u *uplink) allowsSound(t int64, src *source, n int) bool {
	return src.police.allows(t, n, soundBytes, soundPackets) && u.sound.allows(t, n, mostSounds*soundBytes, mostSounds*soundPackets)
}

// forward stores a packet and hands it to everybody who gets it.
func (p *Person) forward(t int64, s *stream, pkt []byte, h *rtp.Header, values *rtp.Values, c *Codec) {
	src := s.source
	if src.kind == Audio && !p.up.allowsSound(t, src, len(pkt)) {
		p.up.stats.Policed++
		return
	}
	k := s.receive(t, pkt, h, values, c)
	if k == nil {
		return
	}
	if src.kind == Audio {
		src.hear(t, k, pkt)
	}
	for _, pl := range src.subs {
		pl.take(t, s, k)
	}
}

// Received counts what came from a person.
type Received struct {
	Packets, Octets uint64
	// Broken could not be read, Unknown belonged to nothing that was agreed on, Policed was more than a person may send, of media or
	// of feedback.
	Broken, Unknown, Policed uint64
}
