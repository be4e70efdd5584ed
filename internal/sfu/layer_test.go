package sfu

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// Layers of one stream (here those of a real encoder, whose upper spatial layers do not need the lower ones between key frames):
// who wants a larger picture gets it with a key frame, which is asked for; who wants less gets less.
func TestSpatialLayers(t *testing.T) {
	for _, name := range []string{"vp9-l3t3_key", "av1-l3t3_key"} {
		tape := play(t, name)
		r := NewRoom(epoch, Config{})
		r.cfg.Bandwidth.Start = 10_000_000
		now := epoch
		up, down := newWire(t), newWire(t)
		alice, bob := r.Enter(now, "alice", up), r.Enter(now, "bob", down)
		alice.Agree(now, []Section{tape.section}, []Track{{"0", "camera"}})
		place := receiving("5", Video, 7000)
		place.Extensions[idNumber] = rtp.NoKind
		bob.Agree(now, []Section{place}, nil)
		want := func(spatial, temporal uint8) {
			pl := bob.down.places[0]
			bob.down.plan.at = r.t + 100*second
			pl.choose(r.t, rung{stream: pl.source.streams[0], spatial: spatial, temporal: temporal})
		}
		bob.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera"}})
		want(0, 0)
		layers := map[[2]uint8]int{}
		counted := 0
		marked, pictures := 0, map[uint32]bool{}
		count := func() {
			var dependency rtp.Dependency
			for i, pkt := range down.rtp {
				h, _ := rtp.Parse(pkt)
				var d rtp.Descriptor
				value := h.Extension(pkt, idDescriptor)
				if h.SSRC != 7000 || value == nil {
					continue
				}
				if err := dependency.Read(value, &d); err != nil {
					t.Fatal(err)
				}
				if i >= counted {
					layers[[2]uint8{d.Spatial, d.Temporal}]++
					pictures[h.Timestamp] = true
					if h.Marker {
						marked++
					}
				}
			}
			counted = len(down.rtp)
		}
		send := func(pkts [][]byte) {
			for _, pkt := range pkts {
				give(t, alice, now, pkt)
				pass(r, &now, 6*time.Millisecond)
			}
		}
		half := len(tape.packets) / 3
		send(tape.packets[:half])
		count()
		for l := range layers {
			if l != [2]uint8{} {
				t.Errorf("%s: layers %v, want only the lowest", name, layers)
				break
			}
		}
		if d := len(pictures) - marked; d < 0 || d > 1 {
			t.Errorf("%s: %d pictures, %d ends are marked", name, len(pictures), marked)
		}
		clear(layers)
		up.clear()
		want(2, 2)
		send(tape.packets[half:])
		asked := len(up.controls(rtp.PayloadFeedback, rtp.FormatPLI))
		count()
		if layers[[2]uint8{2, 0}] == 0 && asked == 0 {
			t.Errorf("%s: neither the largest picture nor a request for it: %v", name, layers)
		}
		check := newChecker(t)
		for _, pkt := range down.rtp {
			check.take(pkt)
		}
		check.finish(10)
		t.Logf("%s: then %v, %d key frames asked for", name, layers, asked)
	}
}
