package parley

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/keyring"
	"github.com/parley-rtc/parley/sdk/internal/seam"
	"github.com/parley-rtc/parley/sdk/internal/sframe"
)

var frameKey = bytes.Repeat([]byte{7}, sframe.KeySize)

// vaults are one that seals and one that has its key, as ann's.
func vaults(t testing.TB) (sends, gets *vault) {
	never := make(chan struct{})
	sends, gets = newVault(mediaPatience, never), newVault(mediaPatience, never)
	if err := errors.Join(sends.use(17, frameKey), gets.add(time.Now(), "ann", 17, frameKey)); err != nil {
		t.Fatal(err)
	}
	return sends, gets
}

// picture is a frame of VP8 as far as anybody but a decoder looks at it.
func picture(size int, key bool) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7)
	}
	if b[0] &^= 1; !key {
		b[0] |= 1
	}
	return b
}

// packets are those of a sealed picture.
func packets(t testing.TB, v *vault, frame []byte, first uint16, stamp uint32) (list []*rtp.Packet) {
	sealed, ok := v.seal(nil, sframe.Video, frame)
	if !ok {
		t.Fatal("not sealed")
	}
	parts := (&codecs.VP8Payloader{EnablePictureID: true}).Payload(payloadSize, sealed)
	for i, part := range parts {
		list = append(list, &rtp.Packet{
			Header:  rtp.Header{SequenceNumber: first + uint16(i), Timestamp: stamp, Marker: i == len(parts)-1},
			Payload: part,
		})
	}
	return list
}

// TestPicturesGoOnInTheirPackets: whatever order they come in, a picture is opened and stands in its own packets again,
// under their numbers, and none of them is empty.
func TestPicturesGoOnInTheirPackets(t *testing.T) {
	sends, gets := vaults(t)
	x := &strainer{vault: gets, owner: "ann", section: gets.section(), video: true}
	random := rand.New(rand.NewPCG(1, 2))
	var sequence uint16 = 65_000
	for n, size := range []int{10, 11, 1100, payloadSize - 40, payloadSize - 34, payloadSize - 20, payloadSize, 2*payloadSize - 30, 30_000} {
		frame := picture(size, n%2 == 0)
		list := packets(t, sends, frame, sequence, uint32(n)*3000)
		first := sequence
		sequence += uint16(len(list))
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		var ready []*rtp.Packet
		for i, p := range list {
			var whose string
			if ready, whose = x.take(p); i < len(list)-1 && ready != nil || i == len(list)-1 && whose != "ann" {
				t.Fatalf("%d bytes: %d packets of %q after %d of %d", size, len(ready), whose, i+1, len(list))
			}
		}
		var got []byte
		for i, p := range ready {
			var part codecs.VP8Packet
			if _, err := part.Unmarshal(p.Payload); err != nil || len(part.Payload) == 0 || p.SequenceNumber != first+uint16(i) {
				t.Errorf("%d bytes: packet %d: %v, number %d", size, i, err, p.SequenceNumber)
			}
			got = append(got, part.Payload...)
		}
		if len(ready) != len(list) || !bytes.Equal(got, frame) {
			t.Errorf("%d bytes become %d in %d packets of %d", size, len(got), len(ready), len(list))
		}
	}
}

func TestWhatIsNotTheirsStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sends, gets := vaults(t)
		strange := newVault(mediaPatience, nil)
		if err := strange.use(18, frameKey); err != nil {
			t.Fatal(err)
		}
		take := func(x *strainer, list []*rtp.Packet) (n int) {
			for _, p := range list {
				ready, _ := x.take(p)
				n += len(ready)
			}
			return n
		}
		ann := &strainer{vault: gets, owner: "ann", section: gets.section(), video: true}
		lost := packets(t, sends, picture(5000, true), 100, 1)
		forged := packets(t, sends, picture(5000, true), 200, 2)
		forged[1].Payload[500] ^= 1
		clear := &rtp.Packet{Header: rtp.Header{SequenceNumber: 300, Timestamp: 3, Marker: true}, Payload: append([]byte{0x10}, picture(900, true)...)}
		for name, list := range map[string][]*rtp.Packet{
			"padding before anything": {{}},
			"one is lost":             lost[1:],
			"forged":                  forged,
			"in the clear":            {clear},
			"a stranger's":            packets(t, strange, picture(5000, true), 400, 4),
		} {
			if n := take(ann, list); n != 0 {
				t.Errorf("%s: %d packets go on", name, n)
			}
		}
		good := packets(t, sends, picture(5000, true), 500, 5)
		if n := take(ann, good); n != len(good) {
			t.Errorf("%d of %d packets go on", n, len(good))
		}
		if n := take(ann, []*rtp.Packet{{Header: rtp.Header{SequenceNumber: 600}}}); n != 1 {
			t.Error("padding does not go on")
		}
	})
}

// TestFramesWaitForTheirKey for 200 ms, once for each key.
func TestFramesWaitForTheirKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sends, _ := vaults(t)
		seal := func() []byte {
			b, ok := sends.seal(nil, sframe.Audio, []byte("sound"))
			if !ok {
				t.Fatal("not sealed")
			}
			return b
		}
		gets := newVault(mediaPatience, nil)
		opens := func(after time.Duration, want error) {
			t.Helper()
			began := time.Now()
			got, _, err := gets.open("ann", sframe.Audio, 1, seal())
			if took := time.Since(began); took != after || !errors.Is(err, want) || err == nil && string(got) != "sound" {
				t.Errorf("after %v: %q, %v; want %v and %v", took, got, err, after, want)
			}
		}
		time.AfterFunc(150*time.Millisecond, func() { _ = gets.add(time.Now(), "ann", 17, frameKey) })
		opens(150*time.Millisecond, nil)
		opens(0, nil)
		gets.forget("ann")
		opens(mediaPatience, sframe.ErrNoKey)
		opens(0, sframe.ErrNoKey) // nobody waits for it twice
		_ = gets.add(time.Now(), "ann", 17, frameKey)
		opens(0, nil)
	})
}

// TestNobodyWaitsForLong: who sends what nobody has a key for holds up what comes behind it once in a while, and not each time.
func TestNobodyWaitsForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, gets := vaults(t)
		section, frame := gets.section(), make([]byte, 64)
		open := func(kid uint64) time.Duration {
			sends := newVault(mediaPatience, nil)
			if err := sends.use(kid, frameKey); err != nil {
				t.Fatal(err)
			}
			sealed, _ := sends.seal(nil, sframe.Audio, frame)
			began := time.Now()
			if _, _, err := gets.open("ann", sframe.Audio, section, sealed); !errors.Is(err, sframe.ErrNoKey) {
				t.Errorf("key %d: %v", kid, err)
			}
			return time.Since(began)
		}
		var waited time.Duration
		for kid := range uint64(40) { // each of them another one that never comes
			waited += open(100 + kid)
		}
		if waited != mediaPatience {
			t.Errorf("40 strange frames hold the section up for %v", waited)
		}
		if err := gets.add(time.Now(), "ann", 18, frameKey); err != nil {
			t.Fatal(err)
		}
		if waited := open(99); waited != mediaPatience {
			t.Errorf("after a key of theirs: %v", waited)
		}
		time.Sleep(hopeless * mediaPatience * 2) // virtual
		if waited := open(98); waited != mediaPatience {
			t.Errorf("after a while: %v", waited)
		}
	})
}

// TestAStrangersPlaceWaitsForNothing: what they send has no key that could come, and who is shown next is not held up by it.
func TestAStrangersPlaceWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sends, gets := vaults(t)
		strange := newVault(mediaPatience, nil)
		if err := strange.use(99, frameKey); err != nil {
			t.Fatal(err)
		}
		p := &place{}
		x := &strainer{vault: gets, owner: sframe.Anybody, section: gets.section(), strange: &p.strange}
		take := func(v *vault) (n int) {
			sealed, ok := v.seal(nil, sframe.Audio, []byte("sound"))
			if !ok {
				t.Fatal("not sealed")
			}
			ready, _ := x.take(&rtp.Packet{Payload: sealed})
			return len(ready)
		}
		p.strange.Store(true)
		began := time.Now()
		for range 100 {
			if n := take(strange); n != 0 {
				t.Errorf("%d packets of a stranger go on", n)
			}
			time.Sleep(hopeless * mediaPatience) // virtual
			began = began.Add(hopeless * mediaPatience)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("a stranger's sound holds the place up for %v", waited)
		}
		if n := take(sends); n != 1 { // the hub has not said yet who it is now
			t.Errorf("%d packets of who is shown next go on", n)
		}
		p.strange.Store(false)
		began = time.Now()
		if take(strange); time.Since(began) != mediaPatience {
			t.Errorf("who may be known yet is waited for for %v", time.Since(began))
		}
	})
}

// TestAPlaceKnowsThatItShowsAStranger, as soon as that is known.
func TestAPlaceKnowsThatItShowsAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ka, kb, ke := d.kit(1), d.kit(2), d.kit(3)
		d.start()
		var rooms []*Room
		for i, key := range []string{teaKey, teaKey, "AAAAAAAAAAAAAAAAAAAAAA"} {
			d.key = key
			rooms = append(rooms, d.dial([]string{"Ann", "Bob", "Eve"}[i], []*kit{ka, kb, ke}[i]))
		}
		ann, places := rooms[0], []*place{{}, {}, {}}
		for i, seat := range []string{"seat-session-2", "seat-session-3"} {
			places[i].shows = &signal.Place{Seat: seat, Source: Microphone}
		}
		if err := ann.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		inside(t, ann, func(s *state) any {
			s.hub.next = &trunk{places: places, gone: true} // nobody tends it
			return nil
		})
		for _, r := range rooms[1:] {
			if err := r.Join(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		pass(5 * time.Second)
		for i, want := range []bool{false, true, false} {
			if places[i].strange.Load() != want {
				t.Errorf("place %d shows a stranger: %v, want %v", i, !want, want)
			}
		}
		inside(t, ann, func(s *state) any {
			s.hub.next = nil
			return nil
		})
	})
}

// TestPlaceBelievesHubAndKey: what comes on a place goes to who the hub says only when it is sealed with their key.
func TestPlaceBelievesHubAndKey(t *testing.T) {
	now := time.Now()
	track := func() *Track {
		return &Track{
			Source: Microphone, packets: make(chan *rtp.Packet, ring), over: make(chan struct{}), meter: meter{clock: 48000},
			seam: seam.New[arrival](48000, false),
		}
	}
	p, from, ann, bob := &place{}, &feed{way: seam.Hub}, track(), track()
	p.from = from
	var sequence uint16
	come := func(whose string) {
		sequence++
		p.take(now, &rtp.Packet{Header: rtp.Header{SequenceNumber: sequence, Timestamp: uint32(sequence) * 960}}, from, whose)
	}
	p.assign(ann, "ann")
	come("ann")
	come("bob") // the hub has yet to say so, or lies
	p.assign(bob, "bob")
	come("ann") // late, or a lie
	come("bob")
	if a, b := len(ann.packets), len(bob.packets); a != 1 || b != 2 {
		t.Errorf("%d packets go to ann and %d to bob, want 1 and 2", a, b)
	}
}

// TestCoverFitsItsChannel: a message is for one label, one protocol and one reader, or all.
func TestCoverFitsItsChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sends, gets := vaults(t)
		ours := newCovers(gets)
		ours.know(&keyring.Member{Seat: "s2"}, []keyring.Member{{Seat: "s1", Session: "ann"}})
		theirs := func(label, protocol, to string) []byte {
			x := &cover{label: label, protocol: protocol}
			context := x.context(to)
			message := append([]byte{sealedText, 0, byte(len(context))}, context...)
			b, ok := sends.seal(nil, sframe.Data, append(message, "hello"...))
			if !ok {
				t.Fatal("not sealed")
			}
			return b
		}
		reader := &cover{covers: ours, label: "game", protocol: dataProtocol, seat: "s1"}
		for _, tt := range []struct {
			name string
			x    *cover
			b    []byte
			want bool
		}{
			{"for us", reader, theirs("game", dataProtocol, "s2"), true},
			{"for everybody", reader, theirs("game", dataProtocol, ""), true},
			{"for somebody else", reader, theirs("game", dataProtocol, "s3"), false},
			{"of another label", reader, theirs("chess", dataProtocol, ""), false},
			{"of another protocol", reader, theirs("game", "parley.files.v1", ""), false},
			{"of nobody", &cover{covers: ours, label: "game", protocol: dataProtocol, seat: "s9"}, theirs("game", dataProtocol, ""), false},
			{"in the clear", reader, []byte("hello, this is long enough to be sealed"), false},
		} {
			m, ok := tt.x.open(webrtc.DataChannelMessage{Data: tt.b})
			if ok != tt.want || ok && (string(m.Data) != "hello" || !m.IsString) {
				t.Errorf("%s: %v, %q", tt.name, ok, m.Data)
			}
		}
		late := &cover{covers: ours, label: "game", protocol: dataProtocol, seat: "s4"}
		time.AfterFunc(50*time.Millisecond, func() {
			ours.know(&keyring.Member{Seat: "s2"}, []keyring.Member{{Seat: "s4", Session: "ann"}})
		})
		if _, ok := late.open(webrtc.DataChannelMessage{Data: theirs("game", dataProtocol, "")}); !ok {
			t.Error("what comes before it is known who sits there is lost")
		}
	})
}

func FuzzStrainer(f *testing.F) {
	f.Add([]byte{0x10, 0, 0, 0}, true)
	f.Add([]byte{0x90, 0x80, 1, 1, 2, 3}, false)
	f.Fuzz(func(t *testing.T, b []byte, marker bool) {
		_, gets := vaults(t)
		gets.patience = 0
		for _, video := range []bool{true, false} {
			x := &strainer{vault: gets, owner: sframe.Anybody, section: 1, video: video}
			p := &rtp.Packet{Header: rtp.Header{Marker: marker}, Payload: bytes.Clone(b)}
			if ready, _ := x.take(p); ready != nil {
				t.Errorf("%x is opened", b)
			}
		}
	})
}

// BenchmarkOutgoing is what a picture of 5 kB costs to be sealed, BenchmarkIncoming to be sealed, put together and opened.
// Both reuse their memory.
func BenchmarkOutgoing(b *testing.B) {
	sends, _ := vaults(b)
	frame := picture(5000, false)
	var sealed []byte
	b.ReportAllocs()
	for b.Loop() {
		sealed, _ = sends.seal(sealed[:0], sframe.Video, frame)
	}
}

func BenchmarkIncoming(b *testing.B) {
	sends, gets := vaults(b)
	x := &strainer{vault: gets, owner: "ann", section: gets.section(), video: true}
	frame, list := picture(5000, false), make([]rtp.Packet, 5)
	var sealed []byte
	opened := 0
	b.ReportAllocs()
	for b.Loop() {
		sealed, _ = sends.seal(sealed[:0], sframe.Video, frame)
		rest, descriptor := sealed, byte(0x10)
		for i := range list {
			p, n := &list[i], min(len(rest), payloadSize-1)
			p.Payload = append(append(p.Payload[:0], descriptor), rest[:n]...)
			rest, descriptor = rest[n:], 0
			p.Timestamp, p.Marker = p.Timestamp+3000, len(rest) == 0
			p.SequenceNumber = uint16(int(p.Timestamp/3000)*len(list) + i) // the wrap is meant
			ready, _ := x.take(p)
			opened += len(ready)
		}
	}
	if opened == 0 {
		b.Error("nothing is opened")
	}
}
