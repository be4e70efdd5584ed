package sfu

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// Sound that can be meant as sound passes, all of it; what is called so and is more goes to nobody, whatever else a person sends,
// and nobody else's sound suffers.
func TestSoundPoliced(t *testing.T) {
	const most = 510_000 / 8
	for _, tt := range []struct {
		name    string
		sources int
		every   time.Duration // a packet of each source
		size    int           // of the payload
		legal   bool
	}{
		{"the best Opus, 20 ms", 2, 20 * time.Millisecond, most / 50, true},
		{"the best Opus, 10 ms, sent twice", 2, 10 * time.Millisecond, 2*most/100 + 5, true},
		{"5 ms, by a fast clock", 1, 4999 * time.Microsecond, most / 200, true},
		{"a flood", 1, 500 * time.Microsecond, 1000, false},
		{"a flood of small packets", 1, 250 * time.Microsecond, 20, false},
		{"a flood from ten sources", 10, 2500 * time.Microsecond, 1000, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRoom(epoch, Config{Seed: 1})
			alice, carol := r.Enter(epoch, "alice", newWire(t)), r.Enter(epoch, "carol", newWire(t))
			down := newWire(t)
			down.discard = true
			bob := r.Enter(epoch, "bob", down)
			var sections, places []Section
			var tracks []Track
			for i := range tt.sources {
				mid := string(rune('a' + i))
				sections = append(sections, publishing(mid, Audio, uint32(10+i)))
				tracks = append(tracks, Track{mid, "microphone" + mid})
			}
			for i := range tt.sources + 1 {
				places = append(places, receiving(string(rune('A'+i)), Audio, uint32(7000+i)))
			}
			alice.Agree(epoch, sections, tracks)
			carol.Agree(epoch, []Section{publishing("0", Audio, 99)}, []Track{{"0", "microphone"}})
			bob.Agree(epoch, places, nil)
			const lasts = 10 * time.Second
			sent, seq, others := 0, uint16(0), uint16(0)
			for at := time.Duration(0); at < lasts; at += tt.every {
				for i := range tt.sources {
					w := rtp.Begin(nil, rtp.Fields{SSRC: uint32(10 + i), Sequence: seq, Timestamp: uint32(seq) * 240, PayloadType: 111})
					w.Uint8(idLevel, 5)
					w.Payload(make([]byte, tt.size))
					give(t, alice, epoch.Add(at), w.Bytes())
					sent++
				}
				seq++
				for ; at >= time.Duration(others)*20*time.Millisecond; others++ {
					give(t, carol, epoch.Add(at), sound(99, others, uint32(others)*960, 40))
				}
			}
			st := bob.Stats()
			packets, rate := int(st.Sent.Packets)-int(others), int(st.Sent.Octets)*8/int(lasts/time.Second)
			if n := carol.Stats().Received; n.Policed != 0 {
				t.Errorf("%d of carol's packets were policed", n.Policed)
			}
			if policed := int(alice.Stats().Received.Policed); tt.legal && (policed != 0 || packets != sent) {
				t.Errorf("%d of %d packets arrived, %d were policed", packets, sent, policed)
			}
			sources := min(tt.sources, mostSounds)
			if seconds := int(lasts/time.Second) + 1; !tt.legal && (packets > seconds*sources*soundPackets || rate > sources*soundBytes*8*12/10) {
				t.Errorf("%d packets in %v, %d bit/s", packets, lasts, rate)
			}
			t.Logf("%d packets of %d, %d kbit/s", packets, sent, rate/1000)
		})
	}
}

// However many places want a source, one shows it: the first, and the next one when that wants it no more.
func TestOnePlaceForASource(t *testing.T) {
	for _, kind := range []Kind{Audio, Video} {
		r := NewRoom(epoch, Config{Seed: 1})
		now := epoch
		down := newWire(t)
		alice, bob := r.Enter(now, "alice", newWire(t)), r.Enter(now, "bob", down)
		alice.Agree(now, []Section{publishing("0", kind, 10)}, []Track{{"0", "source"}})
		cam, seq := vp8{ssrc: 10}, uint16(0)
		sent := func() (packets [64]uint64) {
			before := bob.Stats().Places
			for range 50 {
				pkt := sound(10, seq, uint32(seq)*960, 20)
				if kind == Video {
					pkt = cam.next(seq%10 == 0)[0]
				}
				seq++
				give(t, alice, now, pkt)
				pass(r, &now, 20*time.Millisecond)
			}
			for i, pl := range bob.Stats().Places {
				packets[i] = pl.Packets - before[i].Packets
			}
			return packets
		}
		var places []Section
		var wants []Want
		for i := range 64 {
			places = append(places, receiving(string(rune('A'+i)), kind, uint32(7000+2*i)))
			wants = append(wants, Want{MID: places[i].MID, Seat: "alice", Source: "source"})
		}
		bob.Agree(now, places, nil)
		if got := sent(); kind == Audio && got != [64]uint64{0: 50} {
			t.Errorf("as the room fills them: %v", got)
		}
		bob.Show(now, wants[7:])
		if got := sent(); got != [64]uint64{7: 50} {
			t.Errorf("all but the first seven: %v", got)
		}
		bob.Show(now, wants)
		if got := sent(); got[0] < 40 || got[1] != 0 || got[7] != 0 {
			t.Errorf("all: %v", got)
		}
	}
}
