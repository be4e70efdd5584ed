package e2e

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"

	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

// sized is one size of a picture: frames of VP8 as far as anybody but a decoder looks at them, which say of themselves which
// size they are of, and which of it.
type sized struct {
	rid           string
	width, height uint16
	bytes         int
	count, since  uint32 // frames so far, and since the last key frame
	refresh       bool
	keys          atomic.Int64
}

// Codec implements parley.Media.
func (m *sized) Codec() string { return "video/VP8" }

// Next implements parley.Media.
func (m *sized) Next() ([]byte, time.Duration, error) {
	frame := []byte{0x11, 0, 0}
	if m.count == 0 || m.refresh {
		frame = []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a}
		frame = binary.LittleEndian.AppendUint16(frame, m.width)
		frame = binary.LittleEndian.AppendUint16(frame, m.height)
		m.since, m.refresh = 0, false
		m.keys.Add(1)
	}
	frame = append(frame, m.rid[0])
	frame = binary.BigEndian.AppendUint32(frame, m.count)
	frame = binary.BigEndian.AppendUint32(frame, m.since)
	m.count++
	m.since++
	return append(frame, make([]byte, m.bytes)...), time.Second / 30, nil
}

// Refresh implements parley.Media.
func (m *sized) Refresh() { m.refresh = true }

// Close implements parley.Media.
func (m *sized) Close() error { return nil }

// sizes are three of a picture.
func sizes() (list []parley.Layer) {
	for _, m := range []*sized{
		{rid: "l", width: 320, height: 180, bytes: 60},
		{rid: "m", width: 640, height: 360, bytes: 120},
		{rid: "h", width: 1280, height: 720, bytes: 240}, // 60 kbit/s: what is wanted decides, not what the machine carries
	} {
		list = append(list, parley.Layer{RID: m.rid, Media: m})
	}
	return list
}

// eye looks at a track of sized pictures.
type eye struct {
	mu    sync.Mutex
	rid   string
	count uint32
	keen  bool     // faults count; not while the room moves, when one way may fall silent and the other go on anywhere
	seen  []string // the sizes, each time it was another one
	fault error
}

// look reads until the track or ctx ends. From one size to another it may go at a key frame only, and of one size nothing may
// be missing. What was lost on the way is repeated, and may come late or twice.
func (x *eye) look(ctx context.Context, track *parley.Track) {
	var last uint16                      // the newest packet
	missing := make(map[uint16]struct{}) // packets before it, since the last key frame
	for {
		p, err := track.ReadRTP(ctx)
		if err != nil {
			return
		}
		var part codecs.VP8Packet
		if _, err := part.Unmarshal(p.Payload); err != nil || len(part.Payload) == 0 {
			continue // padding
		}
		b, key := part.Payload[3:], part.Payload[0]&1 == 0
		if key {
			b = part.Payload[10:]
		}
		x.mu.Lock()
		begun, step := x.rid != "", int16(p.SequenceNumber-last)
		switch {
		case !begun && !key: // what was before it is not all there
		case begun && step <= 0:
			delete(missing, p.SequenceNumber)
		default:
			for n := last + 1; begun && n != p.SequenceNumber; n++ {
				missing[n] = struct{}{}
			}
			if key {
				clear(missing)
			}
			last = p.SequenceNumber
			x.take(string(b[:1]), key, binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint32(b[5:]), len(missing) > 0)
		}
		x.mu.Unlock()
	}
}

// take takes a frame that is newer than those before; holes says that some of them may come yet. The lock is held.
func (x *eye) take(rid string, key bool, count, since uint32, holes bool) {
	switch {
	case !x.keen:
	case key != (since == 0):
		x.fault = errors.Join(x.fault, fmt.Errorf("frame %d of %s is no frame", count, rid))
	case key || holes:
	case rid != x.rid:
		x.fault = errors.Join(x.fault, fmt.Errorf("%s follows on %s with frame %d after its key frame", rid, x.rid, since))
	case count != x.count+1:
		x.fault = errors.Join(x.fault, fmt.Errorf("frame %d of %s, %d after its key frame, follows on %d", count, rid, since, x.count))
	}
	if rid != x.rid {
		x.seen = append(x.seen, rid)
	}
	x.rid, x.count = rid, count
}

// counts says whether faults count from now on.
func (x *eye) counts(yes bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.keen = yes
}

// sees waits until a size is seen.
func (x *eye) sees(p *peer, rid string) {
	p.t.Helper()
	watch(p.t, p.Room, func(parley.Stats) string {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.rid == rid {
			return ""
		}
		return fmt.Sprintf("size %q is seen, want %q; so far %q", x.rid, rid, x.seen)
	})
}

// speaks joins with a tone, and with these sizes of a picture if there are any.
func speaks(t *testing.T, link, name string, layers ...parley.Layer) *peer {
	t.Helper()
	room, err := parley.Dial(wait(t), link, options(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(room.Close)
	if err := room.Publish(wait(t), parley.Microphone, media.Tone()); err != nil {
		t.Fatal(err)
	}
	if len(layers) > 0 {
		if err := room.PublishLayers(wait(t), parley.Camera, layers...); err != nil {
			t.Fatal(err)
		}
	}
	return (&peer{Room: room, t: t, events: room.Events()}).enter()
}

// watches begins to look at somebody's camera.
func (p *peer) watches(name string) *eye {
	p.t.Helper()
	track := until(p, func(e parley.TrackAdded) bool { return e.Track.Source == parley.Camera && e.Track.Name() == name }).Track
	x := &eye{}
	go x.look(p.t.Context(), track)
	return x
}

// needs waits until exactly these sizes are wanted.
func (p *peer) needs(rids ...string) {
	p.t.Helper()
	until(p, func(e parley.LayersWanted) bool { return e.Source == parley.Camera && slices.Equal(e.RIDs, rids) })
}

// shows asks for somebody's camera in a size.
func (p *peer) shows(name string, width, height int) {
	p.t.Helper()
	if err := p.Show(wait(p.t), parley.Want{Seat: p.people()[name], Source: parley.Camera, Width: width, Height: height}); err != nil {
		p.t.Fatal(err)
	}
}

// widthOf looks for a camera of somebody's that is so wide.
func widthOf(name string, want int) func(parley.Stats) string {
	return func(stats parley.Stats) string {
		for _, l := range stats.Links {
			if l.Person.Name == name && l.Received[parley.Camera].Width == want {
				return ""
			}
		}
		return fmt.Sprintf("no picture of %s that is %d wide: %+v", name, want, stats)
	}
}

// TestSizesOfAPicture: a program sends three sizes of its picture, and two others get the ones they want, each other ones when
// they want others. Between two only the largest is sent, and the program hears which sizes anybody gets.
func TestSizesOfAPicture(t *testing.T) {
	for _, how := range []string{"in the clear", "encrypted"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			link := h.link("tea")
			if how == "encrypted" {
				link += "#key=" + parley.MakeKey()
			}
			ann, bob := speaks(t, link, "Ann", sizes()...), speaks(t, link, "Bob")
			left := bob.watches("Ann")
			left.sees(bob, "h")
			ann.needs("h")
			cyd := speaks(t, link, "Cyd")
			right := cyd.watches("Ann")
			for _, p := range []*peer{ann, bob, cyd} {
				p.on(parley.TopologyHub)
			}
			bob.shows("Ann", 1280, 720)
			cyd.shows("Ann", 160, 90)
			left.sees(bob, "h")
			right.sees(cyd, "l")
			left.counts(true)
			right.counts(true)
			bob.shows("Ann", 640, 360)
			left.sees(bob, "m")
			ann.needs("l", "m")
			cyd.shows("Ann", 1280, 720)
			right.sees(cyd, "h")
			bob.shows("Ann", 160, 90)
			left.sees(bob, "l")
			left.counts(false)
			right.counts(false)
			if err := cyd.Leave(wait(t)); err != nil {
				t.Fatal(err)
			}
			for _, p := range []*peer{ann, bob} {
				p.on(parley.TopologyDirect)
			}
			left.sees(bob, "h")
			ann.needs("h")
			for who, x := range map[string]*eye{"Bob": left, "Cyd": right} {
				x.mu.Lock()
				t.Logf("%s saw %q", who, x.seen)
				if x.fault != nil {
					t.Errorf("%s: %v", who, x.fault)
				}
				x.mu.Unlock()
			}
		})
	}
}

// TestSizesPublishedLater: the room is on the hub already when a picture comes in several sizes, and then in one again.
func TestSizesPublishedLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann, bob, cyd := join(t, h.link("tea"), "Ann"), speaks(t, h.link("tea"), "Bob"), speaks(t, h.link("tea"), "Cyd")
	for _, p := range []*peer{ann, bob, cyd} {
		p.on(parley.TopologyHub)
		p.hearsAll(2, false, byHub)
	}
	cyd.shows("Ann", 160, 90)
	if err := ann.PublishLayers(wait(t), parley.Camera, sizes()...); err != nil {
		t.Fatal(err)
	}
	ann.needs("l", "m", "h") // on the new link, of which the hub has said nothing yet
	watch(t, bob.Room, widthOf("Ann", 1280))
	watch(t, cyd.Room, widthOf("Ann", 320))
	if err := ann.Publish(wait(t), parley.Camera, media.Pattern()); err != nil {
		t.Fatal(err)
	}
	watch(t, bob.Room, widthOf("Ann", 320)) // there is only one size of the pattern
	ann.on(parley.TopologyHub)
	ann.hearsAll(2, false, byHub)
}

// TestSizesPublishedAtOnce: a picture in several sizes is published while the link with the hub is still being made, which was
// begun for one size.
func TestSizesPublishedAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	bob, cyd := speaks(t, h.link("tea"), "Bob"), speaks(t, h.link("tea"), "Cyd")
	dee := speaks(t, h.link("tea"), "Dee")
	for _, p := range []*peer{bob, cyd, dee} {
		p.on(parley.TopologyHub)
	}
	ann := speaks(t, h.link("tea"), "Ann")
	if err := ann.PublishLayers(wait(t), parley.Camera, sizes()...); err != nil {
		t.Fatal(err)
	}
	until(cyd, func(e parley.Arrived) bool { return e.Person.Name == "Ann" })
	cyd.shows("Ann", 160, 90)
	watch(t, bob.Room, widthOf("Ann", 1280))
	watch(t, cyd.Room, widthOf("Ann", 320))
}

// TestSizesThatCannotBe are refused before anything is sent.
func TestSizesThatCannotBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withoutHub)
	ann := join(t, h.link("tea"), "Ann")
	good := sizes()
	for name, list := range map[string][]parley.Layer{
		"one":            good[:1],
		"five":           slices.Concat(good, good),
		"twice the same": {good[0], good[0]},
		"no name":        {{Media: good[0].Media}, good[1]},
		"an odd name":    {{RID: "l m", Media: good[0].Media}, good[1]},
		"sound":          {{RID: "l", Media: media.Tone()}, good[1]},
	} {
		if err := ann.PublishLayers(wait(t), parley.Camera, list...); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := ann.PublishLayers(wait(t), parley.Microphone, good...); err == nil {
		t.Error("several sizes of a microphone")
	}
}
