package main

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// What a publisher sends: 30 frames of 5 or 6 packets of 1100 bytes a second, 170 packets and 1.5 Mbit/s, each frame in one go;
// and 50 packets of sound.
const (
	frameRate    = 30
	packetsASec  = 170
	videoPayload = 1100
	soundPayload = 90
	soundEvery   = 20 * time.Millisecond
)

// epoch is what times in packets count from. All clients are in this process, so its clock is everybody's.
type epoch time.Time

func (e epoch) now() int64 { return int64(time.Since(time.Time(e))) }

// mark is the end of every payload: what was sent, and when.
type mark struct {
	source   uint16 // the publisher
	video    bool
	key      bool // of a key frame
	sequence uint32
	sent     int64
}

const (
	markLen   = 20
	markMagic = 0x5ec0de5f
)

// put writes the mark over the end of a payload.
func (m mark) put(payload []byte) {
	b := payload[len(payload)-markLen:]
	binary.BigEndian.PutUint32(b, markMagic)
	binary.BigEndian.PutUint16(b[4:], m.source)
	b[6], b[7] = 0, 0
	if m.video {
		b[6] = 1
	}
	if m.key {
		b[7] = 1
	}
	binary.BigEndian.PutUint32(b[8:], m.sequence)
	binary.BigEndian.PutUint64(b[12:], uint64(m.sent))
}

// readMark reads the mark at the end of an RTP packet; false means that there is none, as in a probe of padding.
func readMark(packet []byte) (m mark, ok bool) {
	n := len(packet)
	if n < 12 {
		return m, false
	}
	if packet[0]&0x20 != 0 { // padding (RFC 3550 §5.1)
		n -= int(packet[n-1])
	}
	if n < 12+markLen {
		return m, false
	}
	b := packet[n-markLen : n]
	if binary.BigEndian.Uint32(b) != markMagic {
		return m, false
	}
	return mark{
		source: binary.BigEndian.Uint16(b[4:]), video: b[6] == 1, key: b[7] == 1,
		sequence: binary.BigEndian.Uint32(b[8:]), sent: int64(binary.BigEndian.Uint64(b[12:])),
	}, true
}

// camera makes the packets of one publisher. They look like VP8 as far as a forwarder looks (RFC 7741 §4.2, RFC 6386 §9.1).
type camera struct {
	epoch    epoch
	source   uint16
	frames   uint32
	sequence uint32 // of video and sound, for marks
	sound    uint32
	wantKey  atomic.Bool
	payload  [videoPayload]byte
}

// packetsOf returns of how many packets a frame is: 170 a second.
func packetsOf(frame uint32) int {
	return int((frame+1)*packetsASec/frameRate - frame*packetsASec/frameRate)
}

// frame writes the next frame.
func (c *camera) frame(write func(*rtp.Packet) error) error {
	key := c.frames == 0 || c.wantKey.Swap(false)
	n := packetsOf(c.frames % frameRate)
	for i := range n {
		c.describe(i == 0, key)
		c.sequence++
		mark{c.source, true, key, c.sequence, c.epoch.now()}.put(c.payload[:])
		p := rtp.Packet{Payload: c.payload[:], Header: rtp.Header{
			Version: 2, Marker: i == n-1, SequenceNumber: uint16(c.sequence), Timestamp: c.frames * (90000 / frameRate),
		}}
		if err := write(&p); err != nil {
			return err
		}
	}
	c.frames++
	return nil
}

// describe writes the payload descriptor, and the beginning of a frame behind it.
func (c *camera) describe(first, key bool) {
	b := c.payload[:]
	clear(b[:14])
	b[0], b[1] = 0x80, 0x80 // extended, with a picture id
	binary.BigEndian.PutUint16(b[2:], 0x8000|uint16(c.frames&0x7fff))
	if !first {
		return
	}
	b[0] |= 0x10
	b[4] = 0x11 // shown, and not a key frame
	if key {
		b[4] = 0x10
		copy(b[7:], []byte{0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}) // 640×360
	}
}

// say writes the next packet of sound.
func (c *camera) say(write func(*rtp.Packet) error) error {
	var payload [soundPayload]byte
	payload[0] = 0x78 // 20 ms, CELT (RFC 6716 §3.1)
	c.sound++
	mark{c.source, false, false, c.sound, c.epoch.now()}.put(payload[:])
	return write(&rtp.Packet{Payload: payload[:], Header: rtp.Header{
		Version: 2, SequenceNumber: uint16(c.sound), Timestamp: c.sound * 960,
	}})
}

// film sends on both tracks until done.
func (c *camera) film(video, sound *webrtc.TrackLocalStaticRTP, done <-chan struct{}) {
	frames, sounds := time.NewTicker(time.Second/frameRate), time.NewTicker(soundEvery)
	defer frames.Stop()
	defer sounds.Stop()
	for {
		var err error
		select {
		case <-frames.C:
			err = c.frame(video.WriteRTP)
		case <-sounds.C:
			err = c.say(sound.WriteRTP)
		case <-done:
			return
		}
		if err != nil {
			return
		}
	}
}

// histogram counts durations in steps of a 32nd of an octave.
type histogram [64 * steps]uint32

const (
	steps    = 1 << stepBits
	stepBits = 5
)

func (h *histogram) add(d int64) {
	if d < 1 {
		d = 1
	}
	octave := bits.Len64(uint64(d)) - 1
	step := uint64(d) << (63 - octave) << 1 >> (64 - stepBits)
	h[octave*steps+int(step)]++
}

func (h *histogram) merge(other *histogram) {
	for i, n := range other {
		h[i] += n
	}
}

// quantile returns the duration below which a part of all is, to the step.
func (h *histogram) quantile(q float64) time.Duration {
	var all, seen float64
	for _, n := range h {
		all += float64(n)
	}
	for i, n := range h {
		if seen += float64(n); n > 0 && seen >= q*all {
			low := uint64(1) << (i / steps)
			return time.Duration(low + low*uint64(i%steps*2+1)/(2*steps))
		}
	}
	return 0
}
