package sfu

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// A publisher's clock becomes ours whatever it says and however it runs: with an offset, across a wrap, with a bad quartz, by ways that
// hold reports up, and when it is set.
func TestClock(t *testing.T) {
	const year = 365 * 24 * time.Hour
	ms := time.Millisecond
	for _, tt := range []struct {
		name   string
		offset time.Duration                           // of their clock
		skew   float64                                 // how much faster it runs
		way    func(i int, r *rand.Rand) time.Duration // how long a report takes
		set    time.Duration                           // by how much the clock is set in the middle
		within time.Duration                           // of the quickest way, at the end
	}{
		{"as ours", 0, 0, func(int, *rand.Rand) time.Duration { return 20 * ms }, 0, ms},
		{"since 1970", -53 * year, 0, func(int, *rand.Rand) time.Duration { return 20 * ms }, 0, ms},
		{"ahead", 20 * year, 0, func(int, *rand.Rand) time.Duration { return 20 * ms }, 0, ms},
		{"about to wrap", 12*year + 200*24*time.Hour, 0, func(int, *rand.Rand) time.Duration { return 20 * ms }, 0, ms},
		{"fast", 0, 100e-6, func(int, *rand.Rand) time.Duration { return 20 * ms }, 0, 3 * ms},
		{"slow", 0, -100e-6, func(int, *rand.Rand) time.Duration { return 20 * ms }, 0, 3 * ms},
		{"held up at first", time.Hour, 0, func(i int, _ *rand.Rand) time.Duration {
			if i < 3 {
				return 120 * ms
			}
			return 20 * ms
		}, 0, ms},
		{"held up by chance", time.Hour, 0, func(_ int, r *rand.Rand) time.Duration { return 20*ms + time.Duration(r.Int64N(int64(80*ms))) }, 0, 20 * ms},
		{"set forward", 0, 0, func(int, *rand.Rand) time.Duration { return 20 * ms }, time.Hour, ms},
		{"set back", 0, 0, func(int, *rand.Rand) time.Duration { return 20 * ms }, -time.Hour, ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c clock
			rnd := rand.New(rand.NewPCG(1, 2))
			sets := 0
			const reports = 300 // one a second
			var last uint64
			for i := range reports {
				sent := time.Duration(i) * time.Second
				theirs := sent + tt.offset + time.Duration(tt.skew*float64(sent))
				if i > reports/2 {
					theirs += tt.set
				}
				came := sent + tt.way(i, rnd)
				ntp := rtp.NTP(epoch.UnixNano()) + ntpOf(int64(theirs))
				before := c.offset
				if !c.read(int64(came)+second, rtp.NTP(epoch.Add(came).UnixNano()), ntp) {
					sets++
				} else if moved := nanosOf(c.offset - before); i > 0 && (moved > int64(2*ms) || moved < -int64(2*ms)) {
					t.Fatalf("report %d moved the offset by %v", i, time.Duration(moved))
				}
				last = ntp + c.offset
			}
			off := time.Duration(nanosOf(last - rtp.NTP(epoch.Add((reports-1)*time.Second).UnixNano())))
			if want := 20 * ms; off < want-tt.within || off > want+tt.within {
				t.Errorf("a moment of theirs is %v after ours", off)
			}
			if want := map[bool]int{true: 1}[tt.set != 0]; sets != want {
				t.Errorf("it was set %d times", sets)
			}
		})
	}
}

// talker is somebody with a microphone and a camera, and a clock of their own.
type talker struct {
	person *Person
	offset time.Duration // of their clock
	skew   float64       // how much faster it runs, and with it sound and pictures
	ssrcs  [2]uint32
	bases  [2]uint32 // timestamps at the beginning
	way    time.Duration
	seqs   [2]uint16
	key    bool
}

var rates = [2]uint32{48000, 90000}

// clocks returns what their clock says when ours says now, and how long it has run.
func (k *talker) clocks(now time.Time) (ntp uint64, ran time.Duration) {
	ran = now.Sub(epoch) + time.Duration(k.skew*float64(now.Sub(epoch)))
	return rtp.NTP(epoch.UnixNano()) + ntpOf(int64(k.offset)) + ntpOf(int64(ran)), ran
}

// stamp is the timestamp of what is captured now.
func (k *talker) stamp(i int, now time.Time) uint32 {
	_, ran := k.clocks(now)
	return k.bases[i] + ticks(ntpOf(int64(ran)), rates[i])
}

// send sends what was captured a way ago, and report says so of a stream.
func (k *talker) send(tb testing.TB, now time.Time, i int) {
	captured := now.Add(-k.way)
	w := rtp.Begin(nil, rtp.Fields{SSRC: k.ssrcs[i], Sequence: k.seqs[i], Timestamp: k.stamp(i, captured), PayloadType: []uint8{111, 96}[i], Marker: i == 1})
	k.seqs[i]++
	if i == 0 {
		w.Uint8(idLevel, 30)
		w.Payload(make([]byte, 80))
	} else {
		first := byte(1)
		if k.key {
			first, k.key = 0, false
		}
		w.Payload([]byte{0x10, first, 0, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0})
	}
	give(tb, k.person, now, w.Bytes())
}

func (k *talker) report(now time.Time, i int) {
	sent := now.Add(-k.way)
	ntp, _ := k.clocks(sent)
	k.person.HandleRTCP(now, rtp.AppendSR(nil, k.ssrcs[i], rtp.SenderInfo{NTP: ntp, Timestamp: k.stamp(i, sent)}, nil))
}

// Whoever is on a pair of places, and whatever their clock says: by our reports the sound and the picture of one moment are of one
// moment by our clock.
func TestSoundAndPictureOfOneMoment(t *testing.T) {
	const year = 365 * 24 * time.Hour
	r := NewRoom(epoch, Config{Seed: 1})
	now := epoch
	people := []*talker{
		{offset: -53 * year, ssrcs: [2]uint32{10, 11}, bases: [2]uint32{1<<32 - 100_000, 1<<32 - 500_000}, way: 20 * time.Millisecond, key: true},
		{offset: 3 * time.Second, skew: 100e-6, ssrcs: [2]uint32{20, 21}, bases: [2]uint32{5, 1 << 31}, way: 90 * time.Millisecond, key: true},
	}
	for i, k := range people {
		seat := string(rune('a' + i))
		w := newWire(t)
		w.discard = true
		k.person = r.Enter(now, seat, w)
		k.person.Agree(now, []Section{publishing("0", Audio, k.ssrcs[0]), publishing("1", Video, k.ssrcs[1])}, []Track{{"0", "microphone"}, {"1", "camera"}})
		if i == 0 { // before its first packet
			k.report(now, 0)
			k.report(now, 1)
		}
	}
	down := newWire(t)
	bob := r.Enter(now, "bob", down)
	bob.Agree(now, []Section{receiving("s", Audio, 7000), receiving("p", Video, 7100)}, nil)
	for _, step := range []struct {
		name  string
		who   int
		lasts time.Duration
	}{
		{"the first", 0, 8 * time.Second}, // over the wraps of both
		{"the other, with another clock", 1, 12 * time.Second},
		{"the first again", 0, 3 * time.Second},
	} {
		k, seat := people[step.who], string(rune('a'+step.who))
		k.key = true
		bob.Show(now, []Want{
			{MID: "s", Seat: seat, Source: "microphone"}, {MID: "p", Seat: seat, Source: "camera", Width: 640, Height: 480},
		})
		down.clear()
		reported := map[uint32]rtp.SenderInfo{}
		began, checked := now, 0
		for tick := 0; now.Sub(began) < step.lasts; tick++ {
			for _, k := range people {
				k.send(t, now, 0)
				if tick%2 == 0 {
					k.send(t, now, 1)
				}
				if tick%50 == 17 {
					k.report(now, 0)
				}
				if tick%50 == 41 {
					k.report(now, 1)
				}
			}
			for _, pkt := range down.controls(rtp.SenderReport, 0) {
				ssrc, _ := pkt.Sender()
				reported[ssrc], _ = pkt.SenderInfo()
			}
			var moments []uint64 // by our clock, of what was captured last
			for i, ssrc := range []uint32{7000, 7100} {
				for _, pkt := range down.rtp {
					h, _ := rtp.Parse(pkt)
					if info, ok := reported[ssrc]; ok && h.SSRC == ssrc && tick%2 == 0 {
						off := int64(int32(h.Timestamp - info.Timestamp))
						moments = append(moments, info.NTP+ntpOf(off*second/int64(rates[i])))
					}
				}
			}
			down.clear()
			if len(moments) == 2 {
				checked++
				apart := time.Duration(nanosOf(moments[0] - moments[1]))
				if apart > 2*time.Millisecond || apart < -2*time.Millisecond {
					t.Fatalf("%s, after %v: sound is %v after the picture of its moment", step.name, now.Sub(began), apart)
				}
				// The way of the report is in it, and nobody knows how long that is.
				if off := time.Duration(nanosOf(moments[0] - r.ntp(r.t))); off > 3*time.Millisecond || off < -3*time.Millisecond {
					t.Fatalf("%s, after %v: what comes now was captured %v later by our reports", step.name, now.Sub(began), off)
				}
			}
			pass(r, &now, 20*time.Millisecond)
		}
		if most := int(step.lasts / (40 * time.Millisecond)); checked < most*3/4 {
			t.Errorf("%s: only %d of %d pairs could be held against each other", step.name, checked, most)
		}
	}
}

// Who has no clock says so by a moment of 0, which is none: what comes of them is not reported on.
func TestReportWithoutAClock(t *testing.T) {
	r, alice, _, _, down := hearing(t, receiving("5", Audio, 7000))
	now := epoch
	for seq := range uint16(200) {
		give(t, alice, now, sound(10, seq, uint32(seq)*960, 20))
		if seq%25 == 3 {
			alice.HandleRTCP(now, rtp.AppendSR(nil, 10, rtp.SenderInfo{Timestamp: uint32(seq) * 960}, nil))
		}
		pass(r, &now, 20*time.Millisecond)
	}
	if n := len(down.controls(rtp.SenderReport, 0)); n != 0 {
		t.Errorf("%d reports", n)
	}
	alice.HandleRTCP(now, rtp.AppendSR(nil, 10, rtp.SenderInfo{NTP: rtp.NTP(now.UnixNano()), Timestamp: 200 * 960}, nil))
	pass(r, &now, 2*time.Second)
	if n := len(down.controls(rtp.SenderReport, 0)); n == 0 {
		t.Error("no report although they have a clock now")
	}
}
