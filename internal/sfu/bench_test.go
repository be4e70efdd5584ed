package sfu

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// The cost of a forwarded packet with a Way that does nothing: with transport-wide numbers it includes what the estimator makes of
// them and of the feedback about them.
func BenchmarkForward(b *testing.B) {
	for _, tt := range []struct {
		name      string
		receivers int
		kind      Kind
		numbered  bool
	}{
		{"video to 40", 40, Video, false},
		{"video to 40 with feedback", 40, Video, true},
		{"video to 7", 7, Video, false},
		{"sound to 40", 40, Audio, false},
	} {
		b.Run(tt.name, func(b *testing.B) { benchmark(b, tt.receivers, tt.kind, tt.numbered) })
	}
}

func benchmark(b *testing.B, receivers int, kind Kind, numbered bool) {
	r := NewRoom(epoch, Config{PublisherBitrate: 1 << 32, PublisherPackets: 1 << 20})
	r.cfg.Bandwidth.Start, r.cfg.Bandwidth.Ceiling = 1<<30, 1<<30
	alice := r.Enter(epoch, "alice", &wire{discard: true})
	alice.Agree(epoch, []Section{publishing("0", kind, 10)}, []Track{{"0", "it"}})
	var ways []*wire
	var persons []*Person
	for i := range receivers {
		w := &wire{discard: true}
		p := r.Enter(epoch, fmt.Sprint(i), w)
		section := receiving("5", kind, 7000)
		if !numbered {
			section.Extensions[idNumber] = rtp.NoKind
		}
		p.Agree(epoch, []Section{section}, nil)
		p.Show(epoch, []Want{{MID: "5", Seat: "alice", Source: "it"}})
		ways, persons = append(ways, w), append(persons, p)
	}
	cam := vp8{ssrc: 10, size: 1100}
	pkts := [2][]byte{cam.next(true)[0], cam.next(false)[0]}
	if kind == Audio {
		pkts = [2][]byte{sound(10, 1, 1, 20), sound(10, 1, 1, 20)}
	}
	var feedback []byte
	arrivals := make([]rtp.Arrival, 20)
	now, seq := epoch, uint16(0)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		pkt := pkts[min(i, 1)]
		seq++
		now = now.Add(5 * time.Millisecond)
		binary.BigEndian.PutUint16(pkt[2:], seq)
		binary.BigEndian.PutUint32(pkt[4:], uint32(seq)*3000)
		h, _ := rtp.ParseHeader(pkt)
		alice.HandleRTP(now, pkt, &h)
		r.Tick(now)
		if numbered && i%len(arrivals) == 0 && i > 0 {
			for _, p := range persons {
				for j := range arrivals {
					at := (now.Sub(epoch) - time.Duration(len(arrivals)-j)*5*time.Millisecond).Nanoseconds() / rtp.Tick
					arrivals[j] = rtp.Arrival{Sequence: p.down.number - uint16(len(arrivals)-j), Received: true, At: at}
				}
				feedback, _ = rtp.AppendTransportCC(feedback[:0], rtp.TransportCC{}, arrivals, 1200)
				p.HandleRTCP(now, feedback)
			}
		}
	}
	sent := 0
	for _, w := range ways {
		sent += w.sent
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(sent, 1)), "ns/forwarded")
	b.ReportMetric(float64(sent)/float64(b.N), "forwarded/op")
}

// What a person takes, without their connection: B/op is the memory of one.
func BenchmarkPerson(b *testing.B) {
	cam := newCamera(10, 11, 12)
	for _, tt := range []struct {
		name      string
		places    int
		publishes bool
	}{{"receives one", 1, false}, {"receives nine", 9, false}, {"publishes three encodings and sound", 0, true}} {
		b.Run(tt.name, func(b *testing.B) {
			r := NewRoom(epoch, Config{})
			alice := r.Enter(epoch, "alice", &wire{discard: true})
			alice.Agree(epoch, []Section{publishing("0", Video, 10)}, []Track{{"0", "camera"}})
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				p := r.Enter(epoch, "bob", &wire{discard: true})
				var sections []Section
				var wants []Want
				for n := range tt.places {
					mid := fmt.Sprint(n)
					sections = append(sections, receiving(mid, Video, uint32(7000+2*n)))
					wants = append(wants, Want{MID: mid, Seat: "alice", Source: "camera"})
				}
				var tracks []Track
				if tt.publishes {
					sections = append(sections, publishing("a", Video, 10, 11, 12), publishing("b", Audio, 13))
					tracks = []Track{{"a", "camera"}, {"b", "microphone"}}
				}
				p.Agree(epoch, sections, tracks)
				p.Show(epoch, wants)
				if tt.publishes {
					cam.next = time.Time{}
					cam.tick(epoch, func(pkt []byte) {
						h, _ := rtp.ParseHeader(pkt)
						p.HandleRTP(epoch, pkt, &h)
					})
				}
			}
		})
	}
}

// Nothing is allocated for a packet, nor for feedback.
func TestNoAllocations(t *testing.T) {
	r, alice, up, bob, down := duo(t, 10)
	up.discard, down.discard = true, true
	now := epoch
	place := receiving("5", Video, 7000)
	place.Extensions[idNumber] = rtp.NoKind // nobody here answers with feedback about numbers
	bob.Agree(now, []Section{place}, nil)
	cam := vp8{ssrc: 10, size: 300, flat: true}
	give(t, alice, now, cam.next(true)[0])
	pkt := cam.next(false)[0]
	feedback := rtp.AppendNACK(nil, 1, 7000, []uint16{1, 2, 3})
	feedback = rtp.AppendPLI(feedback, 1, 7000)
	feedback = rtp.AppendRR(feedback, 1, []rtp.Report{{SSRC: 7000}})
	step := func() {
		cam.seq++
		now = now.Add(5 * time.Millisecond)
		pkt[2], pkt[3] = byte(cam.seq>>8), byte(cam.seq)
		h, _ := rtp.ParseHeader(pkt)
		alice.HandleRTP(now, pkt, &h)
		bob.HandleRTCP(now, feedback)
		r.Tick(now)
	}
	for range 1000 { // until the rings are as large as the rate wants them
		step()
	}
	before := down.sent
	if n := testing.AllocsPerRun(2000, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if down.sent-before < 1000 {
		t.Errorf("only %d packets were forwarded", down.sent-before)
	}
}
