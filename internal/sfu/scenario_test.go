package sfu

import (
	"fmt"
	"testing"
	"time"
)

// Over paths that lose, double and reorder packets both ways, everybody ends up with every frame of one stream that can be decoded.
func TestLossyPaths(t *testing.T) {
	for seed := range uint64(8) {
		for _, tt := range []struct {
			name   string
			layers int
			shape  path
		}{
			{"clean", 3, path{delay: 20 * time.Millisecond}},
			{"reorder and double", 3, path{delay: 20 * time.Millisecond, jitter: 30 * time.Millisecond, double: 0.02}},
			{"2% lost", 1, path{delay: 10 * time.Millisecond, loss: 0.02}},
			{"5% lost, reordered", 3, path{delay: 15 * time.Millisecond, loss: 0.05, jitter: 20 * time.Millisecond, double: 0.01}},
		} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, seed), func(t *testing.T) {
				w := newWorld(t, seed, tt.layers, 2, tt.shape)
				w.run(8*time.Second, true)
				w.run(1500*time.Millisecond, false)
				for _, s := range w.sides {
					s.viewer.check.late = tt.shape.loss > 0
					s.viewer.check.finish(120)
				}
				st := w.sides[0].person.Stats()
				t.Logf("%d key frames asked for; %+v; %+v; %+v", w.camera.asked, st.Sent, st.Bandwidth, st.Places)
			})
		}
	}
}

// A downlink that falls from 4 Mbit/s to 400 kbit/s and returns gets a smaller picture, then the large one again, and never none.
func TestFallingDownlink(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed, 3, 1, path{
				delay: 20 * time.Millisecond, jitter: 10 * time.Millisecond, loss: 0.003, rate: 4_000_000, buffer: 300 * time.Millisecond,
			})
			s := w.sides[0]
			rid := func() string { return s.person.Stats().Places[0].RID }
			w.run(6*time.Second, true)
			if rid() != "c" {
				t.Fatalf("encoding %q at 4 Mbit/s: %+v", rid(), s.person.Stats())
			}
			s.viewer.longest, s.viewer.sounds = 0, 0
			w.camera.speaks = w.now
			s.down.rate = 400_000
			w.run(10*time.Second, true)
			if rid() == "c" {
				t.Fatalf("encoding %q at 400 kbit/s: %+v", rid(), s.person.Stats())
			}
			frozen := s.viewer.longest
			s.down.rate = 4_000_000
			back := time.Duration(0)
			for back < 15*time.Second && rid() != "c" {
				w.run(50*time.Millisecond, true)
				back += 50 * time.Millisecond
			}
			w.run(2*time.Second, true)
			w.run(500*time.Millisecond, false)
			said, ear := int(w.camera.seq), &s.viewer.ear
			t.Logf("longest without a packet %v, back after %v, %d lost, %d of %d packets of sound, %d found the buffer full; %d never came, %d came again, %v late at most",
				frozen, back, s.down.lost, s.viewer.sounds, said, s.down.crowded, ear.lost(), ear.mended, ear.late)
			if ear.lost() > 0 || ear.mended == 0 {
				t.Errorf("%d of %d packets of sound, %d never came", s.viewer.sounds, said, ear.lost())
			}
			if s.viewer.sounds < said*95/100 {
				t.Errorf("only %d of %d packets of sound", s.viewer.sounds, said)
			}
			if s.down.crowded > 4 { // before the fall could be seen
				t.Errorf("%d packets of sound found the buffer full", s.down.crowded)
			}
			if frozen > 500*time.Millisecond || back > 5*time.Second {
				t.Errorf("frozen for %v, back after %v: %+v", frozen, back, s.person.Stats())
			}
			s.viewer.check.lossy = true
			s.viewer.check.finish(300)
		})
	}
}

// Sound that is lost, on the way to the hub and from there, comes after all.
func TestLossySound(t *testing.T) {
	for seed := range uint64(8) {
		for _, loss := range []float64{0.05, 0.15} {
			t.Run(fmt.Sprintf("%v/%d", loss, seed), func(t *testing.T) {
				w := newWorld(t, seed, 1, 2, path{delay: 20 * time.Millisecond, jitter: 10 * time.Millisecond, loss: loss})
				w.camera.speaks = w.now
				w.run(20*time.Second, true)
				w.run(time.Second, false)
				for _, s := range w.sides {
					ear := &s.viewer.ear
					t.Logf("%d of %d packets came, %d of them again, %v late at most; %d never", s.viewer.sounds, w.camera.seq, ear.mended, ear.late, ear.lost())
					if ear.lost() > 0 || ear.mended == 0 {
						t.Errorf("%d packets never came, %d came again", ear.lost(), ear.mended)
					}
				}
				if st := w.alice.Stats().Streams[1]; st.Mended == 0 || w.camera.again == 0 {
					t.Errorf("the publisher was asked %d times, %d came", w.camera.again, st.Mended)
				}
			})
		}
	}
}

// A publisher who begins anew, with other numbers and timestamps or with another SSRC, goes on for everybody as the same stream.
func TestRestart(t *testing.T) {
	for _, ssrc := range []uint32{10, 99} {
		t.Run(fmt.Sprint(ssrc), func(t *testing.T) {
			w := newWorld(t, 3, 1, 2, path{delay: 10 * time.Millisecond})
			w.run(2*time.Second, true)
			l := w.camera.layers[0]
			l.seq += 20000
			l.stamp -= 1_000_000
			l.picture, l.tl0, l.frame = 5, 200, 0
			w.camera.keys[0] = true
			if ssrc != 10 {
				l.ssrc = ssrc
				w.alice.Agree(w.now, []Section{publishing("0", Video, ssrc)}, []Track{{"0", "camera"}})
			}
			w.run(2*time.Second, true)
			for _, s := range w.sides {
				s.viewer.check.finish(100)
			}
		})
	}
}
