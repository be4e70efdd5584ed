package sfu

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// The ids that everybody in the tests agrees on.
const (
	idMID = iota + 1
	idRID
	idRepairedRID
	idNumber
	idLevel
	idDescriptor
)

var epoch = time.Unix(1_700_000_000, 0)

func extensions() rtp.Table {
	return rtp.Table{
		idMID: rtp.MID, idRID: rtp.RID, idRepairedRID: rtp.RepairedRID, idNumber: rtp.TransportNumber,
		idLevel: rtp.AudioLevel, idDescriptor: rtp.DependencyDescriptor,
	}
}

func codecs(kind Kind) []Codec {
	if kind == Audio {
		return []Codec{{Format: "opus", Codec: rtp.Opus, PayloadType: 111, Clock: 48000, NACK: true}}
	}
	return []Codec{
		{Format: "vp8", Codec: rtp.VP8, PayloadType: 96, RTX: 97, Clock: 90000, NACK: true, PLI: true},
		{Format: "vp9", Codec: rtp.VP9, PayloadType: 98, RTX: 99, Clock: 90000, NACK: true, PLI: true},
		{Format: "av1", Codec: rtp.AV1, PayloadType: 45, RTX: 46, Clock: 90000, NACK: true, PLI: true},
		{Format: "h264", Codec: rtp.H264, PayloadType: 102, RTX: 103, Clock: 90000, NACK: true, PLI: true},
	}
}

// publishing is a section on which somebody sends; ssrcs are those of its encodings, the retransmissions' are 1000 higher.
func publishing(mid string, kind Kind, ssrcs ...uint32) Section {
	s := Section{MID: mid, Kind: kind, Publishes: true, Codecs: codecs(kind), Extensions: extensions(), Mixed: true, ReducedSize: true}
	for i, ssrc := range ssrcs {
		e := Encoding{SSRC: ssrc, RTX: ssrc + 1000}
		if len(ssrcs) > 1 {
			e.RID = string(rune('a' + i))
		}
		s.Encodings = append(s.Encodings, e)
	}
	return s
}

// receiving is a place.
func receiving(mid string, kind Kind, ssrc uint32) Section {
	s := Section{
		MID: mid, Kind: kind, Receives: true, Codecs: codecs(kind), Extensions: extensions(), Mixed: true, ReducedSize: true, SSRC: ssrc,
	}
	if kind == Video {
		s.RTX = ssrc + 1
	}
	return s
}

// wire is a Way that keeps what is sent, and insists on what a Way has to be able to rely on.
type wire struct {
	tb      testing.TB
	buf     [1500]byte
	rtp     [][]byte
	rtcp    [][]byte
	sealed  map[uint64]bool
	left    [][]byte // what was sealed of sound, all of it
	discard bool
	sent    int
	again   int // of these, what left before
}

func newWire(tb testing.TB) *wire {
	return &wire{tb: tb, sealed: map[uint64]bool{}}
}

func (w *wire) Next() []byte { return w.buf[:] }

func (w *wire) SendRTP(headerLen, n int, roc uint32) bool {
	w.sent++
	if w.discard {
		return true
	}
	pkt := append([]byte(nil), w.buf[:n]...)
	h, err := rtp.Parse(pkt)
	if err != nil || int(h.Size) != headerLen {
		w.tb.Fatalf("sent %x: %v, header of %d, said %d", pkt, err, h.Size, headerLen)
	}
	// SRTP: a number is sealed once for each source.
	index := uint64(h.SSRC)<<48 ^ (uint64(roc)<<16 | uint64(h.Sequence))
	if w.sealed[index] {
		w.tb.Fatalf("number %d of round %d of %d is sent twice", h.Sequence, roc, h.SSRC)
	}
	w.sealed[index] = true
	w.rtp = append(w.rtp, pkt)
	return true
}

// KeepRTP puts a tag behind the packet, which stands for all that sealing does.
func (w *wire) KeepRTP(kept []byte, headerLen, n int, roc uint32) []byte {
	if !w.SendRTP(headerLen, n, roc) {
		return kept
	}
	if !w.discard {
		w.left = append(w.left, bytes.Clone(w.buf[:n]))
	}
	return append(append(kept, w.buf[:n]...), wireTag...)
}

const wireTag = "sixteen byte tag" // as long as that of AES-GCM

// Resend wants what it has seen before, byte for byte.
func (w *wire) Resend(datagram []byte) bool {
	w.sent++
	if w.discard {
		return true
	}
	pkt, whole := bytes.CutSuffix(datagram, []byte(wireTag))
	if !whole || !slices.ContainsFunc(w.left, func(b []byte) bool { return bytes.Equal(b, pkt) }) {
		w.tb.Fatalf("%x is sent again, and never was", datagram)
	}
	w.again++
	w.rtp = append(w.rtp, bytes.Clone(pkt))
	return true
}

func (w *wire) SendRTCP(n int) bool {
	if w.discard {
		return true
	}
	b := append([]byte(nil), w.buf[:n]...)
	c := rtp.Compound{Rest: b}
	count := 0
	for _, ok := c.Next(); ok; _, ok = c.Next() {
		count++
	}
	if c.Err != nil || count == 0 {
		w.tb.Fatalf("sent compound %x: %v", b, c.Err)
	}
	w.rtcp = append(w.rtcp, b)
	return true
}

// controls returns what was sent of a kind since the last call of clear.
func (w *wire) controls(t rtp.Type, format uint8) []rtp.Control {
	var found []rtp.Control
	for _, b := range w.rtcp {
		c := rtp.Compound{Rest: b}
		for p, ok := c.Next(); ok; p, ok = c.Next() {
			if p.Type == t && (format == 0 || p.Count == format) {
				found = append(found, p)
			}
		}
	}
	return found
}

func (w *wire) clear() { w.rtp, w.rtcp = nil, nil }

// vp8 makes the packets of a camera: VP8 with picture ids and three temporal layers (0 2 1 2).
type vp8 struct {
	ssrc    uint32
	seq     uint16
	stamp   uint32
	picture uint16
	tl0     uint8
	number  *uint16
	frame   int
	packets int // of each frame
	size    int
	flat    bool // no layers
}

// next returns the packets of the next frame.
func (v *vp8) next(key bool) [][]byte {
	tid, sync := uint8(0), false
	if !v.flat && !key {
		tid = [4]uint8{0, 2, 1, 2}[v.frame%4]
		sync = v.frame%4 == 1 || v.frame%4 == 2
	}
	if key {
		v.frame = 0
	}
	v.frame++
	v.stamp += 3000
	v.picture = (v.picture + 1) & 0x7FFF
	if tid == 0 {
		v.tl0++
	}
	var pkts [][]byte
	for i := range max(v.packets, 1) {
		d := rtp.VP8Descriptor{
			PartitionStart: i == 0, PictureBits: 15, PictureID: v.picture, HasTL0: true, TL0: v.tl0, HasTID: true, TID: tid, Sync: sync,
			NonReference: tid == 2,
		}
		payload := d.Append(nil)
		first := byte(1)
		if key {
			first = 0
		}
		payload = append(payload, first, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01)
		for len(payload) < max(v.size, 20) {
			payload = append(payload, byte(len(payload)))
		}
		pkts = append(pkts, v.packet(payload, i == max(v.packets, 1)-1))
	}
	return pkts
}

func (v *vp8) packet(payload []byte, marker bool) []byte {
	w := rtp.Begin(nil, rtp.Fields{SSRC: v.ssrc, Sequence: v.seq, Timestamp: v.stamp, PayloadType: 96, Marker: marker})
	v.seq++
	if v.number != nil {
		w.Uint16(idNumber, *v.number)
		*v.number++
	}
	w.Payload(payload)
	return w.Bytes()
}

// sound returns a packet of sound.
func sound(ssrc uint32, seq uint16, stamp uint32, level uint8) []byte {
	w := rtp.Begin(nil, rtp.Fields{SSRC: ssrc, Sequence: seq, Timestamp: stamp, PayloadType: 111})
	w.Uint8(idLevel, level)
	w.Payload(make([]byte, 80))
	return w.Bytes()
}

// give hands a packet to the person as the transport does.
func give(tb testing.TB, p *Person, now time.Time, pkt []byte) {
	tb.Helper()
	own := append([]byte(nil), pkt...)
	h, err := rtp.ParseHeader(own)
	if err != nil {
		tb.Fatal(err)
	}
	p.HandleRTP(now, own, &h)
	p.room.Tick(now)
}

// pass lets time go on in steps of a millisecond.
func pass(r *Room, now *time.Time, d time.Duration) {
	for end := now.Add(d); now.Before(end); {
		*now = now.Add(time.Millisecond)
		r.Tick(*now)
	}
}

// duo is a room with a camera and somebody who watches it.
func duo(tb testing.TB, ssrcs ...uint32) (*Room, *Person, *wire, *Person, *wire) {
	r := NewRoom(epoch, Config{Seed: 1})
	up, down := newWire(tb), newWire(tb)
	alice, bob := r.Enter(epoch, "alice", up), r.Enter(epoch, "bob", down)
	alice.Agree(epoch, []Section{publishing("0", Video, ssrcs...)}, []Track{{"0", "camera"}})
	bob.Agree(epoch, []Section{receiving("5", Video, 7000)}, nil)
	bob.Show(epoch, []Want{{MID: "5", Seat: "alice", Source: "camera", Width: 640, Height: 360}})
	return r, alice, up, bob, down
}
