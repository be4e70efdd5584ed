package parley

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// meter counts what arrives of one RTP stream (RFC 3550 §6.4.1, A.1, A.3, A.8). It is sans-IO: time is an argument.
type meter struct {
	clock   float64 // Hz
	video   bool
	levelID uint8 // of the level extension, 0 without
	total   Received
	started bool
	ssrc    uint32
	first   uint32 // extended sequence number of the first packet
	highest uint32 // and of the highest
	count   uint64 // packets of this SSRC
	before  int64  // lost on earlier SSRCs
	transit float64
	jitter  float64 // timestamp units
	last    uint32  // timestamp of the last frame that was counted
	frame   bool    // last is valid
}

// packet counts one packet that arrived at now.
func (m *meter) packet(now time.Time, p *rtp.Packet) {
	m.total.Packets++
	m.total.Bytes += uint64(len(p.Payload))
	m.sequence(p)
	m.arrival(now, p)
	if m.levelID != 0 {
		if x := p.GetExtension(m.levelID); len(x) > 0 {
			m.total.Level = -float64(x[0] & 0x7f)
			m.total.Leveled = true
		}
	}
	if m.video {
		m.picture(p)
		return
	}
	if len(p.Payload) > 0 {
		m.total.Frames++
	}
}

// sequence keeps the extended highest number, and what is missing below it.
func (m *meter) sequence(p *rtp.Packet) {
	n := uint32(p.SequenceNumber)
	if !m.started || p.SSRC != m.ssrc {
		m.before = m.total.Lost
		m.started, m.ssrc, m.count = true, p.SSRC, 0
		m.first, m.highest = n+1<<16, n+1<<16 // room below for packets that were overtaken
		m.transit, m.frame = 0, false
	}
	step := int16(p.SequenceNumber - uint16(m.highest)) // the wrap is meant
	at := m.highest + uint32(int32(step))               // so it is here
	if step > 0 {
		m.highest = at
	}
	m.first = min(m.first, at)
	m.count++
	m.total.Lost = m.before + int64(m.highest-m.first) + 1 - int64(m.count)
}

// arrival is the jitter of RFC 3550 §A.8.
func (m *meter) arrival(now time.Time, p *rtp.Packet) {
	ticks := float64(now.UnixNano()%(1<<40)) / 1e9 * m.clock
	transit := ticks - float64(p.Timestamp)
	if m.transit != 0 {
		d := transit - m.transit
		if d < 0 {
			d = -d
		}
		if d < m.clock { // a second off is a wrap or a new beginning, not jitter
			m.jitter += (d - m.jitter) / 16
		}
	}
	m.transit = transit
	m.total.Jitter = time.Duration(m.jitter / m.clock * float64(time.Second))
}

// picture counts VP8 frames by their last packet (RFC 7741 §4.1) and reads the size from key frames (RFC 6386 §9.1).
func (m *meter) picture(p *rtp.Packet) {
	var part codecs.VP8Packet
	if _, err := part.Unmarshal(p.Payload); err != nil || len(part.Payload) == 0 {
		return
	}
	if b := part.Payload; part.S == 1 && part.PID == 0 && b[0]&1 == 0 && len(b) >= 10 {
		m.total.KeyFrames++
		m.total.Width = int(binary.LittleEndian.Uint16(b[6:]) & 0x3fff)
		m.total.Height = int(binary.LittleEndian.Uint16(b[8:]) & 0x3fff)
	}
	if p.Marker && (!m.frame || p.Timestamp != m.last) {
		m.frame, m.last = true, p.Timestamp
		m.total.Frames++
	}
}
