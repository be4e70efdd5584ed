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

// hearing is a room with somebody who speaks and somebody who hears them on the place 7000.
func hearing(tb testing.TB, place Section) (r *Room, alice, bob *Person, up, down *wire) {
	r = NewRoom(epoch, Config{Seed: 1})
	up, down = newWire(tb), newWire(tb)
	alice, bob = r.Enter(epoch, "alice", up), r.Enter(epoch, "bob", down)
	alice.Agree(epoch, []Section{publishing("0", Audio, 10)}, []Track{{"0", "microphone"}})
	bob.Agree(epoch, []Section{place}, nil)
	return r, alice, bob, up, down
}

// A packet of sound that a receiver misses leaves once more as it was, at most once a round trip, if that was agreed on. The way out
// of these tests fails when it is not the same to the byte.
func TestSoundRepeated(t *testing.T) {
	r, alice, bob, _, down := hearing(t, receiving("5", Audio, 7000))
	now, seq := epoch, uint16(0)
	talk := func(packets int) {
		for range packets {
			seq++
			give(t, alice, now, sound(10, seq, uint32(seq)*960, 20))
			pass(r, &now, 20*time.Millisecond)
		}
	}
	newest := func() uint16 { return uint16(bob.down.places[0].numbers.top) }
	ask := func(numbers ...uint16) { bob.HandleRTCP(now, rtp.AppendNACK(nil, 1, 7000, numbers)) }
	for _, step := range []struct {
		name string
		do   func()
		want int // how many leave again
	}{
		{"what has just left", func() { give(t, alice, now, sound(10, seq+1, uint32(seq+1)*960, 20)); seq++; ask(newest()) }, 0},
		{"once its round trip has passed", func() { pass(r, &now, 20*time.Millisecond); ask(newest()) }, 1},
		{"again at once, and twice in one list", func() { ask(newest(), newest()) }, 0},
		{"again after a round trip", func() { pass(r, &now, 20*time.Millisecond); ask(newest()) }, 1},
		{"what has not left yet", func() { ask(newest() + 1) }, 0},
		{"some", func() { talk(70); ask(newest()-1, newest()-9, newest()-30) }, 3},
		{"what is forgotten", func() { ask(newest()-64, newest()-65) }, 0},
		{"after the publisher has gone", func() {
			alice.Agree(now, nil, nil)
			ask(newest() - 2)
		}, 1},
		{"of the publisher before, and of the one that came", func() {
			alice.Agree(now, []Section{publishing("9", Audio, 77)}, []Track{{"9", "microphone"}})
			for i := range 5 {
				give(t, alice, now, sound(77, uint16(500+i), uint32(i)*960, 20))
				pass(r, &now, 20*time.Millisecond)
			}
			ask(newest()-3, newest()-6)
		}, 2},
		{"after it was agreed on anew", func() {
			bob.Agree(now, []Section{receiving("5", Audio, 7000)}, nil)
			ask(newest() - 1)
		}, 1},
		{"when it is not agreed on any more", func() {
			place := receiving("5", Audio, 7000)
			place.Codecs[0].NACK = false
			bob.Agree(now, []Section{place}, nil)
			ask(newest() - 2)
		}, 0},
	} {
		if step.name == "what has just left" {
			talk(40)
		}
		before := down.again
		step.do()
		if got := down.again - before; got != step.want {
			t.Errorf("%s: %d packets left again, want %d", step.name, got, step.want)
		}
	}
	if st := bob.Stats().Sent; st.Repeated != uint64(down.again) || st.Refused == 0 {
		t.Errorf("%d left again: %+v", down.again, st)
	}
}

// Several voices share what is kept, which goes around many times: what is asked for is what leaves, of that voice.
func TestTheVeryPacketIsRepeated(t *testing.T) {
	r := NewRoom(epoch, Config{Seed: 1})
	now := epoch
	const voices = 3
	talkers := microphones(t, r, voices)
	down := newWire(t)
	bob := r.Enter(now, "bob", down)
	var places []Section
	for i := range voices {
		places = append(places, receiving(string(rune('A'+i)), Audio, uint32(7000+i)))
	}
	bob.Agree(now, places, nil)
	bytes, asked := 0, 0
	for seq := range uint16(600) {
		for i, p := range talkers {
			pkt := sound(uint32(100+i), seq, uint32(seq)*960, 20)
			bytes += len(pkt)
			give(t, p, now, pkt)
		}
		pass(r, &now, 20*time.Millisecond)
		if seq < 30 {
			continue
		}
		for i := range bob.down.places {
			ssrc, number := uint32(7000+i), uint16(bob.down.places[i].numbers.top)-uint16(seq%20+1)
			before := down.again
			bob.HandleRTCP(now, rtp.AppendNACK(nil, 1, ssrc, []uint16{number}))
			if down.again == before {
				continue // within a round trip of the time before
			}
			asked++
			if h, err := rtp.Parse(down.rtp[len(down.rtp)-1]); err != nil || h.SSRC != ssrc || h.Sequence != number {
				t.Fatalf("asked for %d of %d, got %d of %d (%v)", number, ssrc, h.Sequence, h.SSRC, err)
			}
		}
		down.clear()
	}
	if asked < 600 || bytes < 8*copiesBytes {
		t.Errorf("only %d were repeated while %d bytes went through: this shows little", asked, bytes)
	}
}

// Whoever agrees on retransmissions of sound in a format of their own gets them so.
func TestSoundRetransmitted(t *testing.T) {
	place := receiving("5", Audio, 7000)
	place.RTX, place.Codecs[0].RTX = 7001, 112
	r, alice, bob, _, down := hearing(t, place)
	now := epoch
	for seq := range uint16(20) {
		give(t, alice, now, sound(10, seq, uint32(seq)*960, 20))
		pass(r, &now, 20*time.Millisecond)
	}
	bob.HandleRTCP(now, rtp.AppendNACK(nil, 1, 7000, []uint16{uint16(bob.down.places[0].numbers.top) - 3}))
	pass(r, &now, 20*time.Millisecond)
	h, err := rtp.Parse(down.rtp[len(down.rtp)-1])
	if err != nil || h.SSRC != 7001 || h.PayloadType != 112 || down.again != 0 {
		t.Errorf("%+v, %v; %d packets left again", h, err, down.again)
	}
}

// Huge NACK lists for sound draw little: each packet once a round trip, and bytes only as far as the downlink carries. They leave
// room for the sound that others miss.
func TestHugeNACKsForSound(t *testing.T) {
	r := NewRoom(epoch, Config{Seed: 1})
	now := epoch
	const voices = 5
	talkers := microphones(t, r, voices)
	way := newWire(t)
	way.discard = true
	mallory := r.Enter(now, "mallory", way)
	var places []Section
	for i := range voices {
		places = append(places, receiving(string(rune('A'+i)), Audio, uint32(7000+i)))
	}
	mallory.Agree(now, places, nil)
	const lasts = 10 * time.Second
	drawn, asked := 0, 0
	for seq := range uint16(lasts / (20 * time.Millisecond)) {
		for i, p := range talkers {
			give(t, p, now, sound(uint32(100+i), seq, uint32(seq)*960, 20))
		}
		before := int(mallory.Stats().Sent.Octets)
		for range 4 {
			for i, pl := range mallory.down.places {
				var lost []uint16
				for n := range uint16(64) {
					lost = append(lost, uint16(pl.numbers.top)-n)
				}
				b := rtp.AppendNACK(nil, 1, uint32(7000+i), lost)
				asked += len(b)
				mallory.HandleRTCP(now, b)
			}
			pass(r, &now, 5*time.Millisecond)
		}
		drawn += int(mallory.Stats().Sent.Octets) - before
	}
	st := mallory.Stats()
	t.Logf("%d bytes of requests drew %d bytes, %d repeated, %d refused, the target is %d", asked, drawn, st.Sent.Repeated, st.Sent.Refused, st.Bandwidth.Target)
	if most := st.Bandwidth.Target/16*int(lasts/time.Second) + mostRepeated; st.Sent.Repeated == 0 || drawn > most {
		t.Errorf("%d bytes drawn, %d repeated; the most is %d", drawn, st.Sent.Repeated, most)
	}
}

// A list of numbers of sound, and what it draws, allocate nothing.
func TestNoAllocationsForSound(t *testing.T) {
	r, alice, bob, up, down := hearing(t, receiving("5", Audio, 7000))
	up.discard, down.discard = true, true
	now, seq := epoch, uint16(0)
	pkt := sound(10, 0, 0, 20)
	feedback := make([]byte, 0, 100)
	step := func() {
		seq++
		now = now.Add(20 * time.Millisecond)
		pkt[2], pkt[3] = byte(seq>>8), byte(seq)
		h, _ := rtp.ParseHeader(pkt)
		alice.HandleRTP(now, pkt, &h)
		top := uint16(bob.down.places[0].numbers.top)
		feedback = rtp.AppendNACK(feedback[:0], 1, 7000, []uint16{top - 9, top - 4, top - 2})
		bob.HandleRTCP(now, feedback)
		r.Tick(now)
	}
	for range 200 {
		step()
	}
	before := bob.Stats().Sent.Repeated
	if n := testing.AllocsPerRun(500, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := bob.Stats().Sent.Repeated - before; n < 300 {
		t.Errorf("only %d packets left again", n)
	}
}
