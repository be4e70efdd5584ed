package sfu

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// A key frame is asked for once, however many wait for it; nothing is forwarded before it.
func TestKeyFrameGate(t *testing.T) {
	r, alice, up, bob, down := duo(t, 10)
	now := epoch
	cam := vp8{ssrc: 10, seq: 65530, packets: 3}
	for i := range 3 {
		for _, pkt := range cam.next(false) {
			give(t, alice, now, pkt)
		}
		pass(r, &now, 33*time.Millisecond)
		if len(down.rtp) != 0 {
			t.Fatalf("frame %d was forwarded before a key frame", i)
		}
	}
	if n := len(up.controls(rtp.PayloadFeedback, rtp.FormatPLI)); n != 1 {
		t.Fatalf("%d requests for a key frame, want 1", n)
	}
	for i := range 60 {
		for _, pkt := range cam.next(i == 0) {
			give(t, alice, now, pkt)
		}
		pass(r, &now, 33*time.Millisecond)
	}
	if want := 180; len(down.rtp) != want {
		t.Fatalf("%d packets forwarded, want %d; %+v", len(down.rtp), want, bob.Stats())
	}
	check := newChecker(t)
	for _, pkt := range down.rtp {
		check.take(pkt)
	}
	check.finish(60)
	if n := len(up.controls(rtp.PayloadFeedback, rtp.FormatPLI)); n != 1 {
		t.Errorf("%d requests for a key frame, want 1", n)
	}
}

// Who comes later gets the last key frame again while it is young, without a request; later, one request.
func TestNewcomer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		frames int
		asks   int
	}{{"young", 10, 0}, {"old", 100, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			r, alice, up, _, _ := duo(t, 10)
			now := epoch
			cam := vp8{ssrc: 10, packets: 2}
			for i := range tt.frames {
				for _, pkt := range cam.next(i == 0) {
					give(t, alice, now, pkt)
				}
				pass(r, &now, 33*time.Millisecond)
			}
			up.clear()
			w := newWire(t)
			carol := r.Enter(now, "carol", w)
			carol.Agree(now, []Section{receiving("9", Video, 8000)}, nil)
			carol.Show(now, []Want{{MID: "9", Seat: "alice", Source: "camera"}})
			pass(r, &now, 300*time.Millisecond)
			if n := len(up.controls(rtp.PayloadFeedback, rtp.FormatPLI)); n != tt.asks {
				t.Errorf("%d requests, want %d", n, tt.asks)
			}
			if got := len(w.rtp) > 0; got != (tt.asks == 0) {
				t.Errorf("%d packets at once", len(w.rtp))
			}
			for i := range 5 {
				for _, pkt := range cam.next(i == 0 && tt.asks > 0) {
					give(t, alice, now, pkt)
				}
				pass(r, &now, 33*time.Millisecond)
			}
			check := newChecker(t)
			for _, pkt := range w.rtp {
				check.take(pkt)
			}
			check.finish(5)
		})
	}
}

// Reports go both ways: about what came, and with the publisher's clock about what is sent.
func TestReports(t *testing.T) {
	r, alice, up, _, down := duo(t, 10)
	now := epoch
	cam := vp8{ssrc: 10, flat: true}
	for i := range 100 {
		for _, pkt := range cam.next(i == 0) {
			if i%10 != 5 {
				give(t, alice, now, pkt)
			}
		}
		if i == 10 {
			alice.HandleRTCP(now, rtp.AppendSR(nil, 10, rtp.SenderInfo{NTP: 5 << 32, Timestamp: cam.stamp}, nil))
		}
		pass(r, &now, 33*time.Millisecond)
	}
	reports := up.controls(rtp.ReceiverReport, 0)
	var last rtp.Report
	for i := range reports {
		if reports[i].Reports() > 0 {
			last = reports[i].Report(0)
		}
	}
	if last.SSRC != 10 || last.Lost < 8 || last.LastSR != 5<<16 || last.FractionLost == 0 {
		t.Errorf("report %+v", last)
	}
	sent := down.controls(rtp.SenderReport, 0)
	if len(sent) < 2 {
		t.Fatalf("%d sender reports", len(sent))
	}
	info, _ := sent[0].SenderInfo()
	if seconds := info.NTP >> 32; seconds < 5 || seconds > 7 || info.Packets == 0 {
		t.Errorf("sender report %+v", info)
	}
}
