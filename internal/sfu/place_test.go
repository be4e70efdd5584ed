package sfu

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// microphones are n people who publish sound: t0 with the SSRC 100, and so on.
func microphones(t *testing.T, r *Room, n int) (all []*Person) {
	t.Helper()
	for i := range n {
		w := newWire(t)
		w.discard = true
		p := r.Enter(epoch, fmt.Sprint("t", i), w)
		p.Agree(epoch, []Section{publishing("0", Audio, uint32(100+i))}, []Track{{"0", "microphone"}})
		all = append(all, p)
	}
	return all
}

// shownTo are the seats on somebody's places, sorted.
func shownTo(p *Person) (seats []string) {
	for _, pl := range p.Stats().Places {
		if pl.Seat != "" {
			seats = append(seats, pl.Seat)
		}
	}
	slices.Sort(seats)
	return seats
}

// The loudest are heard when there are more of them than places, and those who speak are told.
func TestLoudest(t *testing.T) {
	r := NewRoom(epoch, Config{Loudest: 2})
	now := epoch
	talkers := microphones(t, r, 5)
	way := newWire(t)
	bob := r.Enter(now, "bob", way)
	bob.Agree(now, []Section{receiving("5", Audio, 7000), receiving("6", Audio, 7100)}, nil)
	seq := uint16(0)
	speakers := []string{}
	talk := func(d time.Duration, loudness ...uint8) {
		for end := now.Add(d); now.Before(end); {
			seq++
			for i, l := range loudness {
				if l != 255 {
					give(t, talkers[i], now, sound(uint32(100+i), seq, uint32(seq)*960, l))
				}
			}
			pass(r, &now, 20*time.Millisecond)
			r.Events(func(e Event) {
				if s, ok := e.(Speakers); ok {
					speakers = speakers[:0]
					for _, sp := range s.Speakers {
						speakers = append(speakers, sp.Seat)
					}
				}
			})
		}
	}
	for _, step := range []struct {
		name     string
		loudness []uint8
		heard    []string
		speakers []string
	}{
		{"two speak", []uint8{120, 30, 120, 25, 120}, []string{"t1", "t3"}, []string{"t3", "t1"}},
		{"another one joins in, not louder", []uint8{120, 30, 32, 25, 120}, []string{"t1", "t3"}, []string{"t3", "t1"}},
		{"one stops, and sends nothing", []uint8{120, 255, 32, 25, 120}, []string{"t2", "t3"}, []string{"t3", "t2"}},
		{"only one is left", []uint8{120, 120, 120, 120, 20}, nil, []string{"t4"}},
	} {
		talk(4*time.Second, step.loudness...)
		if got := shownTo(bob); step.heard != nil && !slices.Equal(got, step.heard) || len(got) != 2 {
			t.Errorf("%s: heard %v, want %v", step.name, got, step.heard)
		}
		if !slices.Equal(speakers, step.speakers) {
			t.Errorf("%s: speakers %v, want %v", step.name, speakers, step.speakers)
		}
	}
	streams := map[uint32][]uint16{}
	for _, pkt := range way.rtp {
		h, _ := rtp.Parse(pkt)
		seqs := streams[h.SSRC]
		if len(seqs) > 0 && h.Sequence != seqs[len(seqs)-1]+1 {
			t.Fatalf("number %d of %d after %d", h.Sequence, h.SSRC, seqs[len(seqs)-1])
		}
		streams[h.SSRC] = append(seqs, h.Sequence)
	}
	if len(streams) != 2 {
		t.Errorf("%d streams", len(streams))
	}
}

// Who has fewer places than there are people who count as speaking hears the loudest of them: a player has one place.
func TestFewPlaces(t *testing.T) {
	r := NewRoom(epoch, Config{})
	now := epoch
	talkers := microphones(t, r, 3)
	ways := []*wire{newWire(t), newWire(t)}
	one := r.Enter(now, "one", ways[0])
	one.Agree(now, []Section{receiving("5", Audio, 7000)}, nil)
	two := r.Enter(now, "two", ways[1])
	two.Agree(now, []Section{receiving("5", Audio, 7000), receiving("6", Audio, 7100)}, nil)
	seq := uint16(0)
	for _, step := range []struct {
		name     string
		loudness [3]uint8
		one      string
		two      []string
	}{
		{"the last speaks", [3]uint8{120, 120, 20}, "t2", nil},
		{"nobody does", [3]uint8{100, 100, 100}, "t2", nil},
		{"the first speaks", [3]uint8{30, 100, 100}, "t0", []string{"t0", "t2"}},
		{"another one joins in, a little louder", [3]uint8{30, 26, 100}, "t0", []string{"t0", "t1"}},
		{"much louder", [3]uint8{50, 26, 100}, "t1", []string{"t0", "t1"}},
	} {
		for end := now.Add(3 * time.Second); now.Before(end); {
			seq++
			for i, l := range step.loudness {
				give(t, talkers[i], now, sound(uint32(100+i), seq, uint32(seq)*960, l))
			}
			pass(r, &now, 20*time.Millisecond)
		}
		if got := shownTo(one); !slices.Equal(got, []string{step.one}) {
			t.Errorf("%s: one place plays %v, want %v", step.name, got, step.one)
		}
		if got := shownTo(two); step.two != nil && !slices.Equal(got, step.two) {
			t.Errorf("%s: two places play %v, want %v", step.name, got, step.two)
		}
	}
	for _, w := range ways {
		last := map[uint32]uint16{}
		for _, pkt := range w.rtp {
			h, _ := rtp.Parse(pkt)
			if seq, ok := last[h.SSRC]; ok && h.Sequence != seq+1 {
				t.Fatalf("number %d of %d after %d", h.Sequence, h.SSRC, seq)
			}
			last[h.SSRC] = h.Sequence
		}
	}
}

// Publishers are told which encodings somebody wants: more at once, less after a while.
func TestWantedLayers(t *testing.T) {
	r, alice, _, bob, down := duo(t, 10, 11, 12)
	down.discard = true
	now := epoch
	cam := newCamera(10, 11, 12)
	var told [][]string
	run := func(d time.Duration) {
		for end := now.Add(d); now.Before(end); {
			cam.tick(now, func(pkt []byte) { give(t, alice, now, pkt) })
			pass(r, &now, 10*time.Millisecond)
			r.Events(func(e Event) {
				if l, ok := e.(Layers); ok {
					told = append(told, l.RIDs)
				}
			})
		}
	}
	want := func(name string, rids ...string) {
		t.Helper()
		if len(told) == 0 || !slices.Equal(told[len(told)-1], rids) {
			t.Errorf("%s: told %v, want %v last", name, told, rids)
		}
	}
	show := func(width int, paused bool) {
		bob.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera", Width: width, Height: width / 2, Paused: paused}})
	}
	show(200, false)
	run(5 * time.Second)
	want("a small tile", "a")
	show(4000, false)
	run(100 * time.Millisecond)
	want("the stage", "a", "b", "c")
	show(200, true)
	run(time.Second)
	want("not visible, not for long yet", "a", "b", "c")
	run(4 * time.Second)
	want("not visible")
}

// A seat that leaves and comes back is on its places again; so is a source that is published later.
func TestRejoin(t *testing.T) {
	r, alice, _, bob, down := duo(t, 10)
	now := epoch
	cam := vp8{ssrc: 10, packets: 2}
	publish := func(frames int) {
		for i := range frames {
			for _, pkt := range cam.next(i == 0) {
				give(t, alice, now, pkt)
			}
			pass(r, &now, 33*time.Millisecond)
		}
	}
	state := func() (s State) {
		r.Events(func(Event) {})
		return bob.Stats().Places[0].State
	}
	publish(30)
	old := alice
	r.Leave(now, "alice")
	if state() != Empty || len(old.up.sources) != 0 {
		t.Errorf("state %v after leaving", state())
	}
	give(t, old, now, cam.next(false)[0]) // still on its way
	pass(r, &now, time.Second)
	alice = r.Enter(now, "alice", newWire(t))
	alice.Agree(now, []Section{publishing("3", Video, 10)}, []Track{{"3", "camera"}})
	if state() != Shown {
		t.Errorf("state %v after coming back", state())
	}
	cam = vp8{ssrc: 10, seq: 40000, stamp: 5, packets: 2}
	publish(30)
	alice.Agree(now, []Section{publishing("3", Video, 10)}, nil) // unpublished
	if state() != Empty {
		t.Errorf("state %v without the track", state())
	}
	check := newChecker(t)
	for _, pkt := range down.rtp {
		check.take(pkt)
	}
	check.finish(60)
	r.Leave(now, "alice")
	r.Leave(now, "bob")
	if !r.Deadline().IsZero() {
		t.Error("an empty room has a deadline")
	}
}

// A place whose receiver understands none of the codecs says so; one that is paused gets nothing.
func TestPlaceStates(t *testing.T) {
	r, alice, _, bob, down := duo(t, 10)
	now := epoch
	carol := r.Enter(now, "carol", newWire(t))
	section := receiving("5", Video, 7000)
	section.Codecs = section.Codecs[1:]
	alice.Agree(now, []Section{func() Section { s := publishing("0", Video, 10); s.Codecs = s.Codecs[:1]; return s }()}, []Track{{"0", "camera"}})
	carol.Agree(now, []Section{section}, nil)
	carol.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera"}})
	if s := carol.Stats().Places[0].State; s != Unplayable {
		t.Errorf("state %v, want unplayable", s)
	}
	cam := vp8{ssrc: 10}
	step := func(key bool) {
		for _, pkt := range cam.next(key) {
			give(t, alice, now, pkt)
		}
		pass(r, &now, 33*time.Millisecond)
	}
	step(true)
	bob.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera", Paused: true}})
	n := len(down.rtp)
	for range 10 {
		step(false)
	}
	if len(down.rtp) != n || bob.Stats().Places[0].State != Paused {
		t.Errorf("%d packets while paused, state %v", len(down.rtp)-n, bob.Stats().Places[0].State)
	}
	bob.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera"}})
	step(true)
	step(false)
	check := newChecker(t)
	for _, pkt := range down.rtp {
		check.take(pkt)
	}
	check.finish(3)
}

// Many places on a thin downlink: the least for as many as it carries, and a word about the others.
func TestStarved(t *testing.T) {
	r := NewRoom(epoch, Config{})
	now := epoch
	way := newWire(t)
	bob := r.Enter(now, "bob", way)
	var sections []Section
	var wants []Want
	var cams []*camera
	var people []*Person
	for i := range 6 {
		w := newWire(t)
		w.discard = true
		p := r.Enter(now, fmt.Sprint(i), w)
		p.Agree(now, []Section{publishing("0", Video, 10)}, []Track{{"0", "camera"}})
		people, cams = append(people, p), append(cams, newCamera(10))
		mid := fmt.Sprint("v", i)
		sections = append(sections, receiving(mid, Video, uint32(7000+2*i)))
		wants = append(wants, Want{MID: mid, Seat: fmt.Sprint(i), Source: "camera", Width: 100 * (6 - i), Height: 100})
	}
	bob.Agree(now, sections, nil)
	bob.Show(now, wants)
	run := func(d time.Duration) {
		for end := now.Add(d); now.Before(end); {
			for i, p := range people {
				cams[i].tick(now, func(pkt []byte) { give(t, p, now, pkt) })
			}
			pass(r, &now, 10*time.Millisecond)
		}
	}
	count := func() (shown, starved int) {
		for i, pl := range bob.Stats().Places {
			if pl.State == Starved {
				starved++
				if i == 0 {
					t.Error("the largest place is starved")
				}
			} else if pl.State == Shown {
				shown++
			}
		}
		return shown, starved
	}
	run(2 * time.Second)
	bob.HandleRTCP(now, rtp.AppendREMB(nil, 1, 120_000, nil))
	run(3 * time.Second)
	if shown, starved := count(); starved == 0 || shown == 0 {
		t.Errorf("%d shown, %d starved at 120 kbit/s", shown, starved)
	}
	bob.HandleRTCP(now, rtp.AppendREMB(nil, 1, 5_000_000, nil))
	for i := range cams {
		cams[i].keys[0] = true
	}
	run(3 * time.Second)
	if shown, starved := count(); starved != 0 {
		t.Errorf("%d shown, %d starved at 5 Mbit/s: %+v", shown, starved, bob.Stats().Bandwidth)
	}
}

// A place that goes from one publisher to another and back stays one stream, whatever numbers they use; so it does for receivers
// who read dependency descriptors.
func TestSwap(t *testing.T) {
	for _, names := range [][2]string{{"vp8-simulcast", "vp8-simulcast"}, {"vp9-l3t3_key", "vp9-l3t3_key"}, {"av1-l3t3_key", "av1-l1t1"}, {"vp8-bare", "vp8-bare"}} {
		t.Run(names[0]+" "+names[1], func(t *testing.T) {
			r := NewRoom(epoch, Config{Seed: 4})
			r.cfg.Bandwidth.Start = 10_000_000
			now := epoch
			var tapes [2]*tape
			var people [2]*Person
			for i, name := range names {
				tapes[i] = play(t, name)
				people[i] = r.Enter(now, fmt.Sprint(i), newWire(t))
				people[i].Agree(now, []Section{tapes[i].section}, []Track{{"0", "camera"}})
			}
			way := newWire(t)
			bob := r.Enter(now, "bob", way)
			place := receiving("5", Video, 7000)
			place.Extensions[idNumber] = rtp.NoKind
			bob.Agree(now, []Section{place}, nil)
			seen := 0
			for i := range 2 { // each tape begins with its key frames
				bob.Show(now, []Want{{MID: "5", Seat: fmt.Sprint(i), Source: "camera", Width: 960}})
				for _, pkt := range tapes[i].packets {
					give(t, people[i], now, pkt)
					pass(r, &now, 4*time.Millisecond)
				}
				if len(way.rtp) <= seen+20 {
					t.Fatalf("publisher %d: %d packets", i, len(way.rtp)-seen)
				}
				seen = len(way.rtp)
			}
			check := newChecker(t)
			for _, pkt := range way.rtp {
				check.take(pkt)
			}
			check.finish(20)
		})
	}
}

// Encodings whose SSRCs were not told are known by mid and rid, their retransmissions by the repaired rid.
func TestLearntSources(t *testing.T) {
	r := NewRoom(epoch, Config{})
	now := epoch
	alice := r.Enter(now, "alice", newWire(t))
	section := publishing("m", Video, 0, 0)
	section.Encodings = []Encoding{{RID: "lo"}, {RID: "hi"}}
	alice.Agree(now, []Section{section, publishing("x", Video, 0)}, []Track{{"m", "camera"}, {"x", "screen"}})
	send := func(ssrc uint32, pt uint8, seq uint16, mid, rid, repaired string, payload []byte) {
		w := rtp.Begin(nil, rtp.Fields{SSRC: ssrc, Sequence: seq, PayloadType: pt})
		if mid != "" {
			w.Extension(idMID, []byte(mid))
		}
		if rid != "" {
			w.Extension(idRID, []byte(rid))
		}
		if repaired != "" {
			w.Extension(idRepairedRID, []byte(repaired))
		}
		w.Payload(payload)
		give(t, alice, now, w.Bytes())
	}
	media := []byte{0x10, 1, 0, 0}
	for _, step := range []struct {
		name                   string
		ssrc                   uint32
		pt                     uint8
		seq                    uint16
		mid, rid, repaired     string
		payload                []byte
		low, high, screen, bad int // packets of each so far, and unknown ones
	}{
		{"nothing told", 1, 96, 1, "", "", "", media, 0, 0, 0, 1},
		{"another mid", 1, 96, 1, "q", "lo", "", media, 0, 0, 0, 2},
		{"another rid", 1, 96, 1, "m", "q", "", media, 0, 0, 0, 3},
		{"low", 1, 96, 1, "m", "lo", "", media, 1, 0, 0, 3},
		{"low, known", 1, 96, 2, "", "", "", media, 2, 0, 0, 3},
		{"high", 2, 96, 1, "m", "hi", "", media, 2, 1, 0, 3},
		{"low again, repaired", 3, 97, 1, "m", "", "lo", append([]byte{0, 3}, media...), 3, 1, 0, 3},
		{"padding of it", 3, 97, 2, "", "", "", nil, 3, 1, 0, 3},
		{"screen", 4, 96, 9, "x", "", "", media, 3, 1, 1, 3},
		{"another SSRC too soon", 5, 96, 4, "m", "lo", "", media, 3, 1, 1, 4},
	} {
		send(step.ssrc, step.pt, step.seq, step.mid, step.rid, step.repaired, step.payload)
		st := alice.Stats()
		got := [4]int{int(st.Streams[0].Packets), int(st.Streams[1].Packets), int(st.Streams[2].Packets), int(st.Received.Unknown)}
		if want := [4]int{step.low, step.high, step.screen, step.bad}; got != want {
			t.Errorf("%s: %v, want %v", step.name, got, want)
		}
	}
}

// A place that goes and comes back under the same SSRC goes on behind its numbers: the wire of these tests fails when one is
// sealed twice. Places that share an SSRC are not served.
func TestNumbersAreSealedOnce(t *testing.T) {
	r, alice, _, bob, down := duo(t, 10)
	now := epoch
	cam := vp8{ssrc: 10, packets: 3}
	for round := range 50 {
		sections := []Section{receiving("5", Video, 7000), receiving("6", Video, 7000), receiving("7", Video, 7001)}
		if round%2 == 1 {
			sections = nil
		}
		if round%4 == 2 { // another section takes its source over
			sections[0].MID, sections[1].MID = "6", "5"
		}
		if round%8 == 7 {
			bob.Agree(now, []Section{receiving("9", Video, 7000)}, nil)
			bob.Agree(now, []Section{receiving("5", Video, 7000)}, nil)
		}
		bob.Agree(now, sections, nil)
		bob.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera"}, {MID: "6", Seat: "alice", Source: "camera"}})
		for i := range 4 {
			for _, pkt := range cam.next(i == 0) {
				give(t, alice, now, pkt)
			}
			pass(r, &now, 33*time.Millisecond)
			if top := bob.down.places; len(top) > 0 {
				bob.HandleRTCP(now, rtp.AppendNACK(nil, 1, 7000, []uint16{uint16(top[0].numbers.top)}))
			}
		}
		if n := len(bob.Stats().Places); n != len(sections)/3 {
			t.Fatalf("%d places are served", n)
		}
	}
	if len(down.rtp) < 200 {
		t.Errorf("only %d packets", len(down.rtp))
	}
}
