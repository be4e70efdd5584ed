package sfu

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// requests counts the key frames that are asked for while the camera sends for d. It sends one a round trip after each request.
func requests(t *testing.T, r *Room, alice *Person, up *wire, now *time.Time, d time.Duration, cam *vp8, each func(frame int)) int {
	t.Helper()
	asked, key := 0, true
	up.clear()
	for i := range int(d / (33 * time.Millisecond)) {
		if each != nil {
			each(i)
		}
		for _, pkt := range cam.next(key) {
			give(t, alice, *now, pkt)
		}
		pass(r, now, 33*time.Millisecond)
		n := len(up.controls(rtp.PayloadFeedback, rtp.FormatPLI))
		asked, key = asked+n, n > 0
		up.clear()
	}
	return asked
}

// Who does not understand what is sent costs the others no key frames, whether that was agreed on or only is so now; and gets one
// as soon as it helps.
func TestUnplayableAsksForNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		agreed int // of the publisher's codecs; VP8 is what is sent first
		then   int // requests when VP9 is sent
	}{{"nothing in common", 1, 0}, {"another codec is sent", 2, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			r, alice, up, _, _ := duo(t, 10)
			now := epoch
			camera := publishing("0", Video, 10)
			camera.Codecs = camera.Codecs[:tt.agreed]
			alice.Agree(now, []Section{camera}, []Track{{"0", "camera"}})
			cam := vp8{ssrc: 10}
			requests(t, r, alice, up, &now, time.Second, &cam, nil)
			down := newWire(t)
			carol := r.Enter(now, "carol", down)
			place := receiving("5", Video, 7000)
			place.Codecs = place.Codecs[1:] // all but VP8
			carol.Agree(now, []Section{place}, nil)
			carol.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera"}})
			if n := requests(t, r, alice, up, &now, 5*time.Second, &cam, func(int) {
				carol.HandleRTCP(now, rtp.AppendPLI(nil, 1, 7000))
			}); n != 0 || len(down.rtp) != 0 {
				t.Errorf("%d requests, %d packets", n, len(down.rtp))
			}
			asked := 0
			for range 30 { // a frame between two key frames, as when the key frame was lost
				w := rtp.Begin(nil, rtp.Fields{SSRC: 10, Sequence: cam.seq, Timestamp: cam.stamp, PayloadType: 98, Marker: true})
				cam.seq, cam.stamp = cam.seq+1, cam.stamp+3000
				w.Payload([]byte{0x4c, 1, 2, 3})
				give(t, alice, now, w.Bytes())
				pass(r, &now, 10*time.Millisecond)
				asked += len(up.controls(rtp.PayloadFeedback, rtp.FormatPLI))
				up.clear()
			}
			if asked != tt.then {
				t.Errorf("%d requests when that changes, want %d", asked, tt.then)
			}
		})
	}
}

// Whoever asks for key frames again and again, in whatever way, gets one a second in the long run, a single loss is made good all
// the same, and others who come wait for nothing.
func TestKeyFramesRunOut(t *testing.T) {
	want := []Want{{MID: "5", Seat: "alice", Source: "camera", Width: 640, Height: 360}}
	paused := []Want{{MID: "5", Seat: "alice", Source: "camera", Paused: true}}
	again := func(bob *Person, now *time.Time, i int, between []Want) {
		if i%4 == 0 {
			bob.Show(*now, between)
			bob.Show(*now, want)
		}
	}
	for _, tt := range []struct {
		name string
		each func(bob *Person, now *time.Time, i int)
	}{
		{"says that it lost something", func(bob *Person, now *time.Time, _ int) {
			bob.HandleRTCP(*now, rtp.AppendPLI(nil, 1, 7000))
		}},
		{"shows and hides it", func(bob *Person, now *time.Time, i int) { again(bob, now, i, nil) }},
		{"pauses and goes on", func(bob *Person, now *time.Time, i int) { again(bob, now, i, paused) }},
		{"goes from place to place", func(bob *Person, now *time.Time, i int) {
			if i%4 == 0 {
				place := receiving(string(rune('A'+i/4)), Video, uint32(8000+i*2))
				bob.Agree(*now, []Section{place}, nil)
				bob.Show(*now, []Want{{MID: place.MID, Seat: "alice", Source: "camera"}})
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, alice, up, bob, down := duo(t, 10)
			now := epoch
			cam := vp8{ssrc: 10, packets: 6, size: 100}
			n := requests(t, r, alice, up, &now, 20*time.Second, &cam, func(i int) { tt.each(bob, &now, i) })
			if n < 15 || n > 20+mostCredit+1 {
				t.Errorf("%d requests in 20 s", n)
			}
			t.Logf("%d requests in 20 s", n)
			down.clear()
			n = requests(t, r, alice, up, &now, 1500*time.Millisecond, &cam, func(i int) {
				if i == 10 {
					*bob.down.places[0].credit = credit{at: r.t} // it has just run out
					bob.HandleRTCP(now, rtp.AppendPLI(nil, 1, bob.down.places[0].section.SSRC))
				}
			})
			if n == 0 || len(down.rtp) == 0 {
				t.Errorf("a loss that is said once: %d requests, %d packets", n, len(down.rtp))
			}
			n = requests(t, r, alice, up, &now, 3100*time.Millisecond, &cam, func(i int) {
				if i == 90 { // the last key frame is old
					carol := r.Enter(now, "carol", newWire(t))
					carol.Agree(now, []Section{receiving("5", Video, 9000)}, nil)
					carol.Show(now, want)
				}
			})
			if n != 1 {
				t.Errorf("%d requests for somebody who comes", n)
			}
		})
	}
}

// Whoever watches is told when nothing comes of what they want, and that it is back; not of what nobody asked for before.
func TestSilentSource(t *testing.T) {
	now := epoch
	r, alice, _, bob, _ := duo(t, 1000)
	cam := &vp8{ssrc: 1000, size: 500}
	state := Empty
	run := func(d time.Duration, on bool) State {
		for end := now.Add(d); now.Before(end); pass(r, &now, 33*time.Millisecond) {
			if on {
				for _, pkt := range cam.next(cam.frame == 0) {
					give(t, alice, now, pkt)
				}
			}
			r.Events(func(e Event) {
				if p, ok := e.(PlacesChanged); ok && p.Seat == "bob" {
					state = p.Places[0].State
				}
			})
		}
		return state
	}
	show := func(paused bool) {
		bob.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera", Width: 640, Height: 360, Paused: paused}})
	}
	for _, step := range []struct {
		name  string
		do    func()
		lasts time.Duration
		on    bool
		want  State
	}{
		{"it comes", nil, 2 * time.Second, true, Shown},
		{"it stops", nil, 4 * time.Second, false, Shown},
		{"for long", nil, 2 * time.Second, false, Silent},
		{"it comes again", nil, time.Second, true, Shown},
		{"nobody wants it, as they know themselves", func() { show(true) }, 20 * time.Second, false, Shown},
		{"it is wanted again", func() { show(false) }, 4 * time.Second, false, Shown},
		{"and does not come", nil, 2 * time.Second, false, Silent},
	} {
		if step.do != nil {
			step.do()
		}
		if got := run(step.lasts, step.on); got != step.want {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}
