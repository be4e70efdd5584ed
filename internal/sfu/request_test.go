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
