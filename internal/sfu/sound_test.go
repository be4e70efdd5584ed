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
