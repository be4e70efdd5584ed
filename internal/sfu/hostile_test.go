package sfu

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// A publisher who sends whatever it likes hurts only what it publishes itself.
func TestHostilePublisher(t *testing.T) {
	quiet, still := 0, time.Duration(0) // as it is when nobody is hostile: the first row
	for _, tt := range []struct {
		name string
		send func(w *world, mallory *Person, rnd *rand.Rand)
	}{
		{"nothing", func(*world, *Person, *rand.Rand) {}},
		{"fifty times the bitrate", func(w *world, m *Person, rnd *rand.Rand) {
			for range 20 { // 1 per ms is 9 Mbit/s: 20 are 180
				give(w.tb, m, w.now, randomRTP(rnd, 20, 96, 1100))
			}
		}},
		{"wrong sources", func(w *world, m *Person, rnd *rand.Rand) {
			for range 4 {
				give(w.tb, m, w.now, randomRTP(rnd, rnd.Uint32(), uint8(rnd.IntN(128)), 100))
			}
		}},
		{"many SSRCs with its mid", func(w *world, m *Person, rnd *rand.Rand) {
			b := rtp.Begin(nil, rtp.Fields{SSRC: rnd.Uint32(), PayloadType: 96, Sequence: uint16(rnd.Uint32())})
			b.Extension(idMID, []byte("0"))
			b.Payload([]byte{0x10, 0, 0, 0})
			give(w.tb, m, w.now, b.Bytes())
		}},
		{"broken descriptors", func(w *world, m *Person, rnd *rand.Rand) {
			for _, pt := range []uint8{96, 97, 98, 45, 102} {
				pkt := randomRTP(rnd, 20, pt, rnd.IntN(40))
				for i := 12; i < len(pkt); i++ {
					pkt[i] = byte(rnd.Uint32())
				}
				b := rtp.Begin(nil, rtp.Fields{SSRC: 20, PayloadType: pt, Sequence: uint16(rnd.Uint32())})
				b.Extension(idDescriptor, pkt[12:])
				b.Payload(pkt[12:])
				give(w.tb, m, w.now, b.Bytes())
			}
		}},
		{"random feedback", func(w *world, m *Person, rnd *rand.Rand) {
			b := rtp.AppendRR(nil, 1, []rtp.Report{{SSRC: 7777, FractionLost: 255}})
			b = rtp.AppendPLI(b, 1, 10)
			b = rtp.AppendFIR(b, 1, rtp.IntraRequest{SSRC: 7000})
			b = rtp.AppendREMB(b, 1, 1000, []uint32{7000})
			b = rtp.AppendGoodbye(b, 10, 7000)
			at := rnd.IntN(len(b))
			b[at] ^= byte(rnd.Uint32())
			m.HandleRTCP(w.now, b)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 5, 1, 2, path{delay: 10 * time.Millisecond})
			way := newWire(t)
			way.discard = true
			m := w.room.Enter(epoch, "mallory", way)
			m.Agree(epoch, []Section{publishing("0", Video, 20), receiving("9", Video, 7777)}, []Track{{"0", "camera"}})
			victim := w.room.Enter(epoch, "victim", way)
			victim.Agree(epoch, []Section{receiving("5", Video, 8000)}, nil)
			victim.Show(epoch, []Want{{MID: "5", Seat: "mallory", Source: "camera"}})
			rnd := rand.New(rand.NewPCG(1, 2))
			for range 3000 {
				w.run(time.Millisecond, true)
				tt.send(w, m, rnd)
			}
			w.run(500*time.Millisecond, false)
			for _, s := range w.sides {
				whole := s.viewer.check.finish(80)
				if tt.name == "nothing" {
					quiet, still = whole, s.viewer.longest
				}
				if s.viewer.longest > still+5*time.Millisecond || whole < quiet {
					t.Errorf("somebody else's picture stood for %v, %d frames; otherwise %v, %d", s.viewer.longest, whole, still, quiet)
				}
			}
			if n := len(m.up.bindings); n > 2 {
				t.Errorf("%d SSRCs are remembered", n)
			}
			t.Logf("%+v; forwarded %d", m.up.stats, way.sent)
			// What it publishes itself goes on with the first packets that make sense.
			cam := vp8{ssrc: 20, seq: 7, stamp: 1}
			before := way.sent
			for i := range 90 {
				for _, pkt := range cam.next(i == 0 || i == 60) {
					give(t, m, w.now, pkt)
				}
				w.run(33*time.Millisecond, false)
			}
			if way.sent-before < 30 {
				t.Errorf("the track never came back: %d packets, %+v", way.sent-before, m.up.stats)
			}
		})
	}
}

func randomRTP(rnd *rand.Rand, ssrc uint32, pt uint8, size int) []byte {
	w := rtp.Begin(nil, rtp.Fields{SSRC: ssrc, PayloadType: pt, Sequence: uint16(rnd.Uint32()), Timestamp: rnd.Uint32()})
	w.Payload(make([]byte, size))
	return w.Bytes()
}

// Huge NACK lists draw little: each packet once a round trip, and bytes only as far as the downlink carries.
func TestHugeNACKs(t *testing.T) {
	r, alice, up, bob, down := duo(t, 10)
	now := epoch
	cam := vp8{ssrc: 10, packets: 5, size: 1000}
	down.discard = true
	asked, before := 0, 0
	for i := range 300 {
		for _, pkt := range cam.next(i == 0) {
			give(t, alice, now, pkt)
		}
		if i == 30 {
			before = int(bob.down.stats.Octets)
		}
		for range 5 {
			if i > 30 {
				var lost []uint16
				top := uint16(bob.down.places[0].numbers.top)
				for n := top - 500; n != top; n++ {
					lost = append(lost, n)
				}
				b := rtp.AppendNACK(nil, 1, 7000, lost)
				asked += len(b)
				bob.HandleRTCP(now, b)
			}
		}
		pass(r, &now, 33*time.Millisecond)
	}
	st := bob.Stats()
	drawn := int(st.Sent.Octets) - before
	t.Logf("%d bytes of requests drew %d bytes, %d repeated, %d refused", asked, drawn, st.Sent.Repeated, st.Sent.Refused)
	if st.Sent.Repeated == 0 || drawn > 4_000_000 {
		t.Errorf("%d bytes drawn, %d repeated", drawn, st.Sent.Repeated)
	}
	if n := len(up.controls(rtp.TransportFeedback, rtp.FormatNACK)); n != 0 {
		t.Errorf("the publisher was asked %d times", n)
	}
}

// TestNACKsOnceARoundTrip: a number is repeated at most once in the least round trip that there is, also one that padding has used.
func TestNACKsOnceARoundTrip(t *testing.T) {
	r, alice, _, bob, down := duo(t, 10)
	now := epoch
	cam := vp8{ssrc: 10, packets: 3, size: 300}
	for i := range 20 {
		for _, pkt := range cam.next(i == 0) {
			give(t, alice, now, pkt)
		}
		pass(r, &now, 33*time.Millisecond)
	}
	cam.seq++ // is late, and then nobody wants it
	late := rtp.Begin(nil, rtp.Fields{SSRC: 10, Sequence: cam.seq - 1, Timestamp: cam.stamp, PayloadType: 96})
	late.Pad(20)
	for _, pkt := range cam.next(false) {
		give(t, alice, now, pkt)
	}
	give(t, alice, now, late.Bytes())
	pass(r, &now, 100*time.Millisecond)
	down.clear()
	var lost []uint16
	top := uint16(bob.down.places[0].numbers.top)
	for n := top - 40; n != top; n++ { // the last one also fills probes
		lost = append(lost, n, n)
	}
	filled, times := 0, map[uint16]time.Time{}
	for range 300 {
		bob.HandleRTCP(now, rtp.AppendNACK(rtp.AppendNACK(nil, 1, 7000, lost), 1, 7000, lost))
		pass(r, &now, time.Millisecond)
		for _, pkt := range down.rtp {
			h, err := rtp.Parse(pkt)
			if err != nil {
				t.Fatal(err)
			}
			number, rest, ok := rtp.SplitRTX(h.Payload(pkt))
			if h.SSRC == 7000 || !ok {
				continue
			}
			if len(rest) == 0 {
				filled++
			}
			if before, again := times[number]; again && now.Sub(before) < 20*time.Millisecond {
				t.Fatalf("%d again after %v", number, now.Sub(before))
			}
			times[number] = now
		}
		down.clear()
	}
	if len(times) < 20 || filled == 0 {
		t.Errorf("%d numbers were repeated, %d times one of padding", len(times), filled)
	}
	t.Logf("%d numbers, %d times one of padding; %+v", len(times), filled, bob.down.stats)
}

// TestMuchFeedback: of a flood of feedback, some hundreds a second are read.
func TestMuchFeedback(t *testing.T) {
	r, _, _, bob, _ := duo(t, 10)
	now := epoch
	for range 2000 {
		for range 20 {
			bob.HandleRTCP(now, rtp.AppendPLI(nil, 1, 7000))
		}
		pass(r, &now, time.Millisecond)
	}
	if n := 40_000 - bob.Stats().Received.Policed; n < 2*controlPackets || n > 3*controlPackets {
		t.Errorf("%d were read in two seconds", n)
	}
}

// Requests for key frames, however many, reach the publisher as few.
func TestManyKeyFrameRequests(t *testing.T) {
	r, alice, up, bob, _ := duo(t, 10)
	now := epoch
	cam := vp8{ssrc: 10}
	for i := range 1000 {
		if i%33 == 0 {
			for _, pkt := range cam.next(i == 0) {
				give(t, alice, now, pkt)
			}
		}
		b := rtp.AppendPLI(nil, 1, 7000)
		bob.HandleRTCP(now, rtp.AppendFIR(b, 1, rtp.IntraRequest{SSRC: 7000, Number: uint8(i)}))
		pass(r, &now, time.Millisecond)
	}
	if n := len(up.controls(rtp.PayloadFeedback, rtp.FormatPLI)); n < 1 || n > 4 {
		t.Errorf("%d requests in a second", n)
	}
}

// fuzzed interprets bytes as what two people send, and as time.
func FuzzRoom(f *testing.F) {
	cam := vp8{ssrc: 10}
	f.Add(append([]byte{0, 30}, cam.next(true)[0]...))
	f.Add(append([]byte{2, 30}, rtp.AppendPLI(nil, 1, 7000)...))
	for _, name := range []string{"av1-l3t3_key", "vp9-l3t3_key"} {
		data := []byte{}
		for _, pkt := range play(f, name).packets[:6] {
			h, _ := rtp.Parse(pkt)
			w := rtp.Begin(nil, rtp.Fields{SSRC: 10, Sequence: h.Sequence, Timestamp: h.Timestamp, PayloadType: h.PayloadType, Marker: h.Marker})
			w.Extension(idDescriptor, h.Extension(pkt, 14))
			w.Payload(h.Payload(pkt)[:min(20, int(h.End-h.Size))])
			data = append(append(data, 0, byte(len(w.Bytes()))), w.Bytes()...)
		}
		f.Add(data)
	}
	f.Add([]byte{1, 20, 0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 10, 0x10, 0, 0, 0, 3, 200})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewRoom(epoch, Config{Seed: 9})
		up, down := newWire(t), newWire(t)
		alice, bob := r.Enter(epoch, "alice", up), r.Enter(epoch, "bob", down)
		now := epoch
		alice.Agree(now, []Section{publishing("0", Video, 10, 11), publishing("1", Audio, 12)}, []Track{{"0", "camera"}, {"1", "sound"}})
		bob.Agree(now, []Section{receiving("5", Video, 7000), receiving("6", Audio, 7100)}, nil)
		bob.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera"}})
		for len(data) > 2 {
			kind, n := data[0]%4, int(data[1])
			data = data[2:]
			n = min(n, len(data))
			pkt := append([]byte(nil), data[:n]...)
			data = data[n:]
			switch kind {
			case 0, 1:
				if h, err := rtp.ParseHeader(pkt); err == nil {
					alice.HandleRTP(now, pkt, &h)
				}
			case 2:
				bob.HandleRTCP(now, pkt)
				alice.HandleRTCP(now, pkt)
			}
			now = now.Add(time.Duration(n) * time.Millisecond)
			r.Tick(now)
		}
		r.Events(func(Event) {})
		bob.Stats()
		r.Leave(now, "alice")
		r.Tick(now.Add(time.Second))
	})
}
