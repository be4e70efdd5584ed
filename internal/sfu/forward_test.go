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

// Reports go both ways: about what came, and by our clock about what is sent.
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
	if after := nanosOf(info.NTP - rtp.NTP(epoch.UnixNano())); after < 10*33*milli || after > 2*second || info.Packets == 0 {
		t.Errorf("sender report %+v, %v after the beginning", info, time.Duration(after))
	}
}

// Redundant sound goes as it is to who takes it, and without the redundancy to who does not.
func TestRedundantSound(t *testing.T) {
	for _, takes := range []bool{true, false} {
		tape := play(t, "opus-red")
		r := NewRoom(epoch, Config{})
		now := epoch
		alice := r.Enter(now, "alice", newWire(t))
		alice.Agree(now, []Section{tape.section}, []Track{{"0", "microphone"}})
		w := newWire(t)
		bob := r.Enter(now, "bob", w)
		place := receiving("5", Audio, 7000)
		if takes {
			place.Codecs = append(place.Codecs, Codec{Format: "red", Codec: rtp.RED, PayloadType: 63, Clock: 48000})
		}
		bob.Agree(now, []Section{place}, nil)
		for _, pkt := range tape.packets {
			give(t, alice, now, pkt)
			pass(r, &now, 10*time.Millisecond)
		}
		if len(w.rtp) < 100 {
			t.Fatalf("%d packets", len(w.rtp))
		}
		types, holes := map[uint8]int{}, 0
		last := uint16(0)
		for i, pkt := range w.rtp {
			h, _ := rtp.Parse(pkt)
			types[h.PayloadType]++
			if i > 0 && h.Sequence != last+1 {
				if holes++; h.Sequence != last+2 { // single packets are missing in the recording too
					t.Fatalf("takes %v: number %d after %d", takes, h.Sequence, last)
				}
			}
			last = h.Sequence
			if h.Extension(pkt, idLevel) == nil {
				t.Fatal("no level")
			}
		}
		if missing := missingOf(tape.packets); holes > missing {
			t.Errorf("%d holes, %d in the recording", holes, missing)
		}
		if (types[63] > 200) != takes || (types[111] > 200) == takes {
			t.Errorf("takes redundancy %v: payload types %v", takes, types)
		}
	}
}

// missingOf counts the holes in a recording.
func missingOf(packets [][]byte) int {
	var u rtp.Unwrapper
	least, most := int64(1)<<62, int64(0)
	for _, pkt := range packets {
		h, _ := rtp.ParseHeader(pkt)
		n := u.Unwrap(h.Sequence)
		least, most = min(least, n), max(most, n)
	}
	return int(most-least) + 1 - len(packets)
}

// At a switch timestamps go on: by the publisher's reports where there are, else by the clock.
func TestSwitchTimestamps(t *testing.T) {
	for _, reported := range []bool{true, false} {
		r, alice, _, bob, down := duo(t, 10, 11)
		now := epoch
		place := receiving("5", Video, 7000)
		place.Extensions[idNumber] = rtp.NoKind
		bob.Agree(now, []Section{place}, nil)
		cams := []*vp8{{ssrc: 10, stamp: 1_000_000, flat: true}, {ssrc: 11, stamp: 4_294_960_000, seq: 99, flat: true}}
		frame := func(key bool) {
			for _, c := range cams {
				for _, pkt := range c.next(key) {
					give(t, alice, now, pkt)
				}
			}
			pass(r, &now, time.Second/30)
		}
		to := func(index int) {
			pl := bob.down.places[0]
			bob.down.plan.at = r.t + 100*second
			pl.choose(r.t, pl.source.streams[index].rung(0, highest, 0))
		}
		frame(true)
		if reported {
			for _, c := range cams {
				alice.HandleRTCP(now, rtp.AppendSR(nil, c.ssrc, rtp.SenderInfo{NTP: 77 << 32, Timestamp: c.stamp}, nil))
			}
		}
		for i := range 40 {
			if i%10 == 5 {
				to(i / 10 % 2)
			}
			frame(i%10 == 6)
		}
		last, switches, frames := rtp.Header{}, 0, 0
		for _, pkt := range down.rtp {
			h, _ := rtp.Parse(pkt)
			if h.SSRC != 7000 {
				continue
			}
			step := h.Timestamp - last.Timestamp
			good := step >= 2500 && step <= 3500 || step == 90 // by our clock; the second is the same moment in the other encoding
			if reported {
				good = step == 1 || step == 3000 || step == 2999
			}
			if frames++; frames > 1 && !good {
				t.Errorf("reported %v: frame %d: step of %d", reported, frames, step)
			}
			last = h
		}
		for _, e := range bob.down.places[0].numbers.eras {
			if e.stream != nil {
				switches++
			}
		}
		if switches < 3 || frames < 35 {
			t.Errorf("%d eras, %d frames", switches, frames)
		}
	}
}
