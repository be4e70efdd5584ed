package sfu

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/bwe"
	"github.com/parley-rtc/parley/internal/rtp"
)

// path is one direction of a network: packets are lost, doubled and late, and wait behind each other where the rate is bounded.
type path struct {
	rnd           *rand.Rand
	loss, double  float64
	delay, jitter time.Duration
	rate          int // bit/s, 0 for any
	buffer        time.Duration
	free          time.Time
	queue         flights
	lost          int
	crowded       int // of those, sound that found the buffer full
	order         int
}

type flight struct {
	at    time.Time
	order int
	pkt   []byte
}

type flights []flight

func (f flights) Len() int { return len(f) }
func (f flights) Less(i, j int) bool {
	return f[i].at.Before(f[j].at) || f[i].at.Equal(f[j].at) && f[i].order < f[j].order
}
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)   { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	old := *f
	x := old[len(old)-1]
	*f = old[:len(old)-1]
	return x
}

func (p *path) send(now time.Time, pkt []byte) {
	if p.rnd.Float64() < p.loss {
		p.lost++
		return
	}
	at := now
	if p.rate > 0 {
		if p.free.Before(now) {
			p.free = now
		}
		if p.free.Sub(now) > p.buffer {
			p.lost++
			if h, err := rtp.Parse(pkt); err == nil && h.SSRC == soundSSRC {
				p.crowded++
			}
			return
		}
		p.free = p.free.Add(time.Duration(float64(len(pkt)+44) * 8 / float64(p.rate) * 1e9))
		at = p.free
	}
	for copies := 1; copies > 0; copies-- {
		late := time.Duration(0)
		if p.jitter > 0 && p.rnd.IntN(20) == 0 {
			late = time.Duration(p.rnd.Int64N(int64(p.jitter)))
		}
		p.order++
		heap.Push(&p.queue, flight{at.Add(p.delay + late), p.order, append([]byte(nil), pkt...)})
		if copies == 1 && p.rnd.Float64() < p.double {
			copies = 2
			p.double /= 1.0001
		}
	}
}

func (p *path) arrived(now time.Time, f func([]byte)) {
	for len(p.queue) > 0 && !p.queue[0].at.After(now) {
		f(heap.Pop(&p.queue).(flight).pkt)
	}
}

// camera is a publisher: simulcast of VP8, which answers requests for key frames and for packets.
type camera struct {
	layers []*vp8
	sent   map[uint64][]byte
	keys   []bool
	number uint16
	rtx    [4]uint16
	asked  int
	next   time.Time
	speaks time.Time // when the next packet of sound is due; zero for none
	seq    uint16
	again  int // packets of sound that were asked for
}

func newCamera(ssrcs ...uint32) *camera {
	c := &camera{sent: map[uint64][]byte{}, keys: make([]bool, len(ssrcs))}
	for i, ssrc := range ssrcs {
		c.layers = append(c.layers, &vp8{ssrc: ssrc, seq: uint16(ssrc * 999), stamp: ssrc * 77777, number: &c.number, packets: 1 + 2*i, size: 400 + 300*i})
		c.keys[i] = true
	}
	return c
}

func (c *camera) tick(now time.Time, send func([]byte)) {
	if !c.speaks.IsZero() && !now.Before(c.speaks) {
		c.speaks = now.Add(20 * time.Millisecond)
		c.seq++
		w := rtp.Begin(nil, rtp.Fields{SSRC: 30, Sequence: c.seq, Timestamp: uint32(c.seq) * 960, PayloadType: 111})
		w.Uint8(idLevel, 30)
		w.Payload(make([]byte, 80))
		c.sent[30<<16|uint64(c.seq)] = w.Bytes()
		send(w.Bytes())
	}
	if now.Before(c.next) {
		return
	}
	c.next = now.Add(33 * time.Millisecond)
	for i, l := range c.layers {
		for _, pkt := range l.next(c.keys[i]) {
			h, _ := rtp.Parse(pkt)
			c.sent[uint64(h.SSRC)<<16|uint64(h.Sequence)] = pkt
			send(pkt)
		}
		c.keys[i] = false
	}
}

func (c *camera) control(b []byte, send func([]byte)) {
	comp := rtp.Compound{Rest: b}
	for p, ok := comp.Next(); ok; p, ok = comp.Next() {
		if p.Is(rtp.PayloadFeedback, rtp.FormatPLI) {
			for i, l := range c.layers {
				if l.ssrc == p.Media() {
					c.keys[i] = true
					c.asked++
				}
			}
		}
		for i := range p.NACKs() {
			m := p.NACK(i)
			for n, rest, ok := m.First, m.Following, true; ok; n, rest, ok = rtp.Pop(n, rest) {
				if pkt := c.sent[uint64(p.Media())<<16|uint64(n)]; pkt != nil {
					if p.Media() == 30 { // sound has no other format: it is the same packet again
						c.again++
						send(pkt)
						continue
					}
					h, _ := rtp.Parse(pkt)
					at := p.Media() % 4
					c.rtx[at]++
					c.number++
					send(rtp.AppendRTX(nil, rtp.Fields{
						SSRC: p.Media() + 1000, Sequence: c.rtx[at], Timestamp: h.Timestamp, PayloadType: 97, Marker: h.Marker,
					}, &h, pkt, idNumber, c.number))
				}
			}
		}
	}
}

// viewer is a receiver: it asks for what is missing, and reports what came when.
type viewer struct {
	check    *checker
	media    uint32
	arrivals *bwe.Arrivals
	u        rtp.Unwrapper
	have     map[int64]bool
	missing  map[int64]int
	asked    time.Time
	count    uint8
	bytes    int
	longest  time.Duration // without a new frame
	last     time.Time
	keyed    bool
	sounds   int
	ear      ear
}

// ear hears the sound of a viewer, and asks for what is missing of it as libwebrtc does: once two later ones have come, and again.
type ear struct {
	u       rtp.Unwrapper
	missing map[int64]int // how often it was asked for
	fewest  time.Duration // on the way, from any origin
	late    time.Duration // the most that one came later than that one
	asked   time.Time
	mended  int
}

func (e *ear) hear(now time.Time, h *rtp.Header) {
	highest, begun := e.u.Highest()
	n := e.u.Unwrap(h.Sequence)
	if !begun {
		e.missing = map[int64]int{}
	}
	for m := highest + 1; begun && m < n; m++ {
		e.missing[m] = 0
	}
	if _, ok := e.missing[n]; ok {
		delete(e.missing, n)
		e.mended++
	}
	transit := now.Sub(epoch) - time.Duration(h.Timestamp)*time.Second/48000
	if !begun || transit < e.fewest {
		e.fewest = transit
	}
	e.late = max(e.late, transit-e.fewest)
}

// lost is how many packets never came, of those that are known to be missing.
func (e *ear) lost() (n int) {
	highest, _ := e.u.Highest()
	for m := range e.missing {
		if m < highest-1 {
			n++
		}
	}
	return n
}

// lacks is what is to be asked for.
func (e *ear) lacks(now time.Time) (lost []uint16) {
	if now.Sub(e.asked) < 40*time.Millisecond {
		return nil
	}
	highest, _ := e.u.Highest()
	for n := highest - 60; n < highest-1; n++ {
		if tries, ok := e.missing[n]; ok && tries < 20 {
			e.missing[n]++
			lost = append(lost, uint16(n))
		}
	}
	if len(lost) > 0 {
		e.asked = now
	}
	return lost
}

// soundSSRC is the place for sound of everybody in a world.
const soundSSRC = 7100

func newViewer(tb testing.TB, now time.Time, media uint32) *viewer {
	return &viewer{check: newChecker(tb), media: media, arrivals: bwe.NewArrivals(now), have: map[int64]bool{}, missing: map[int64]int{}}
}

func (v *viewer) take(now time.Time, pkt []byte) {
	h, err := rtp.Parse(pkt)
	if err != nil {
		v.check.tb.Fatal(err)
	}
	if n, ok := rtp.ReadUint16(h.Extension(pkt, idNumber)); ok {
		v.arrivals.Add(now, n)
	}
	v.bytes += len(pkt)
	if h.SSRC == soundSSRC {
		v.sounds++
		v.ear.hear(now, &h)
		return
	}
	v.check.take(pkt)
	if d, err := rtp.ReadVP8(h.Payload(pkt)); err == nil && d.Key && h.SSRC == v.media {
		v.keyed = true
	}
	number := h.Sequence
	switch {
	case h.SSRC == v.media:
	case h.Size == h.End:
		return
	default:
		number, _, _ = rtp.SplitRTX(h.Payload(pkt))
	}
	highest, begun := v.u.Highest()
	n := v.u.Unwrap(number)
	if begun {
		for m := highest + 1; m < n; m++ {
			v.missing[m] = 0
		}
	}
	if !begun || n > highest {
		if !v.last.IsZero() {
			v.longest = max(v.longest, now.Sub(v.last))
		}
		v.last = now
	}
	v.have[n] = true
	delete(v.missing, n)
}

// feedback returns what the viewer sends now.
func (v *viewer) feedback(now time.Time) []byte {
	var out []byte
	if v.arrivals.Due(now) {
		var list []rtp.Arrival
		for _, a := range v.arrivals.Report(now, nil) {
			list = append(list, rtp.Arrival{Sequence: a.Number, Received: a.Arrived, At: int64(a.At / rtp.Tick)})
		}
		for len(list) > 0 {
			var n int
			out, n = rtp.AppendTransportCC(out, rtp.TransportCC{Sender: 1, Media: v.media, Count: v.count}, list, 1100)
			if n == 0 {
				break
			}
			v.count++
			list = list[n:]
		}
	}
	if !v.keyed && !v.last.IsZero() && now.Sub(v.asked) > 200*time.Millisecond {
		v.asked = now
		out = rtp.AppendPLI(out, 1, v.media)
	}
	if len(v.missing) > 0 && now.Sub(v.asked) > 40*time.Millisecond {
		v.asked = now
		var lost []uint16
		highest, _ := v.u.Highest()
		for n := highest - 400; n < highest; n++ {
			if tries, ok := v.missing[n]; ok && tries < 20 {
				v.missing[n]++
				lost = append(lost, uint16(n))
			}
		}
		out = rtp.AppendNACK(out, 1, v.media, lost)
	}
	if lost := v.ear.lacks(now); len(lost) > 0 {
		out = rtp.AppendNACK(out, 1, soundSSRC, lost)
	}
	return out
}

// world is a room with one camera and some viewers, with a network around it.
type world struct {
	tb       testing.TB
	room     *Room
	now      time.Time
	camera   *camera
	alice    *Person
	up, back *path
	uplink   *wire
	sides    []*side
}

type side struct {
	person     *Person
	wire       *wire
	down, back *path
	viewer     *viewer
}

func newWorld(tb testing.TB, seed uint64, layers int, viewers int, shape path) *world {
	w := &world{tb: tb, room: NewRoom(epoch, Config{Seed: seed}), now: epoch, uplink: newWire(tb)}
	rnd := rand.New(rand.NewPCG(seed, 7))
	mk := func(s path) *path { s.rnd = rnd; return &s }
	free := shape
	free.rate = 0
	w.up, w.back = mk(free), mk(free)
	ssrcs := []uint32{10, 11, 12}[:layers]
	w.camera = newCamera(ssrcs...)
	w.alice = w.room.Enter(epoch, "alice", w.uplink)
	w.alice.Agree(epoch, []Section{publishing("0", Video, ssrcs...), publishing("1", Audio, 30)}, []Track{{"0", "camera"}, {"1", "sound"}})
	for i := range viewers {
		s := &side{wire: newWire(tb), down: mk(shape), back: mk(free), viewer: newViewer(tb, epoch, 7000)}
		s.person = w.room.Enter(epoch, fmt.Sprint(i), s.wire)
		s.person.Agree(epoch, []Section{receiving("5", Video, 7000), receiving("6", Audio, soundSSRC)}, nil)
		s.person.Show(epoch, []Want{{MID: "5", Seat: "alice", Source: "camera", Width: 1280, Height: 720}})
		w.sides = append(w.sides, s)
	}
	return w
}

func (w *world) run(d time.Duration, publish bool) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(time.Millisecond)
		send := func(pkt []byte) { w.up.send(w.now, pkt) }
		if publish {
			w.camera.tick(w.now, send)
		}
		w.back.arrived(w.now, func(b []byte) { w.camera.control(b, send) })
		w.up.arrived(w.now, func(pkt []byte) {
			h, err := rtp.ParseHeader(pkt)
			if err != nil {
				w.tb.Fatal(err)
			}
			w.alice.HandleRTP(w.now, pkt, &h)
		})
		for _, s := range w.sides {
			s.back.arrived(w.now, func(b []byte) { s.person.HandleRTCP(w.now, b) })
		}
		w.room.Tick(w.now)
		for _, b := range w.uplink.rtcp {
			w.back.send(w.now, b)
		}
		w.uplink.clear()
		for _, s := range w.sides {
			for _, pkt := range s.wire.rtp {
				s.down.send(w.now, pkt)
			}
			s.wire.clear()
			s.down.arrived(w.now, func(pkt []byte) { s.viewer.take(w.now, pkt) })
			if b := s.viewer.feedback(w.now); len(b) > 0 {
				s.back.send(w.now, b)
			}
		}
	}
}
