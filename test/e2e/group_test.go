package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/config"
	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

func byHub(p parley.Path) bool { return p.Kind == parley.PathHub }

// on waits until the room's media have come to a way, and nothing is moved.
func (p *peer) on(kind parley.TopologyKind) parley.Topology {
	p.t.Helper()
	for {
		now, err := p.Topology(wait(p.t))
		if err != nil {
			p.t.Fatal(err)
		}
		if now.Kind == kind && now.Next == "" {
			return now
		}
		until[parley.TopologyChanged](p, nil)
	}
}

// hearsAll waits until the tone of everybody else, and their pattern if it is wanted, arrive by a path that fits.
func (p *peer) hearsAll(others int, pictures bool, fits func(parley.Path) bool) {
	p.t.Helper()
	watch(p.t, p.Room, func(stats parley.Stats) string {
		good := 0
		for _, l := range stats.Links {
			if toned(l, pictures) && fits(l.Path) {
				good++
			}
		}
		if good == others {
			return ""
		}
		return fmt.Sprintf("%d of %d are heard and seen: %+v", good, others, stats)
	})
}

// TestThirdMovesTheRoomToTheHub: a third person joins, the room moves to the hub and everybody hears and sees everybody;
// two remain, and it moves back. The tracks are the same ones all the time.
func TestThirdMovesTheRoomToTheHub(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	bob.hears(direct)
	track := ann.track(parley.Camera)
	began := time.Now()
	cyd := join(t, h.link("tea"), "Cyd")
	for _, p := range []*peer{ann, bob, cyd} {
		p.on(parley.TopologyHub)
	}
	t.Logf("from joining to the hub: %v", time.Since(began).Round(time.Millisecond))
	for _, p := range []*peer{ann, bob, cyd} {
		p.hearsAll(2, true, byHub)
	}
	for _, p := range []*peer{ann, bob} {
		if e := until[parley.Switched](p, nil); !e.Done || e.Lost != 0 {
			t.Errorf("%+v", e)
		} else {
			t.Logf("%+v", e)
		}
	}
	if err := cyd.Leave(wait(t)); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*peer{ann, bob} {
		p.on(parley.TopologyDirect)
		p.hears(direct)
		if e := until[parley.Switched](p, nil); !e.Done || e.Lost != 0 {
			t.Errorf("%+v", e)
		} else {
			t.Logf("%+v", e)
		}
	}
	if _, err := track.ReadRTP(wait(t)); err != nil {
		t.Errorf("the track from before the switches: %v", err)
	}
}

// listener reads a track and holds what it gets against what may come: each 20 ms frame once, in order.
type listener struct {
	frames, holes, again, back int
	pause                      time.Duration // the longest between two frames
	at                         time.Time
	last                       uint16
	stamp                      uint32
}

// read takes frames until the track or ctx ends.
func (l *listener) read(ctx context.Context, track *parley.Track) error {
	for {
		switch err := l.take(ctx, track); {
		case errors.Is(err, io.EOF), ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
	}
}

// take takes one frame.
func (l *listener) take(ctx context.Context, track *parley.Track) error {
	p, err := track.ReadRTP(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	if l.frames > 0 {
		switch step := int16(p.SequenceNumber - l.last); {
		case step == 0:
			l.again++
		case step < 0:
			l.back++
		case step > 1:
			l.holes += int(step - 1)
		case p.Timestamp-l.stamp < 959 || p.Timestamp-l.stamp > 1<<30: // more is a sender who was late
			return fmt.Errorf("frame %d: its timestamp is %d after the one before, want 960", l.frames, int32(p.Timestamp-l.stamp))
		}
		l.pause = max(l.pause, now.Sub(l.at))
	}
	l.frames, l.last, l.stamp, l.at = l.frames+1, p.SequenceNumber, p.Timestamp, now
	return nil
}

// switches is how many switches TestNoFrameIsLostInSwitches makes; PARLEY_SWITCHES sets it for longer runs.
func switches(t *testing.T) int {
	n := 6
	if text := os.Getenv("PARLEY_SWITCHES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestNoFrameIsLostInSwitches moves a call of two to the hub and back again and again: to whom it is sent, every frame of
// sound comes once and in order.
func TestNoFrameIsLostInSwitches(t *testing.T) {
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob") // Ann made the room: the host
	ann.hears(direct)
	bob.hears(direct)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var listening sync.WaitGroup
	ears := [2]listener{}
	for i, p := range []*peer{ann, bob} {
		track := p.track(parley.Microphone)
		listening.Go(func() {
			if err := ears[i].read(ctx, track); err != nil {
				t.Error(err)
			}
		})
	}
	n := switches(t)
	var worst, longest time.Duration
	for i := range n {
		policy, kind := parley.PolicyHub, parley.TopologyHub
		if i%2 == 1 {
			policy, kind = parley.PolicyDirect, parley.TopologyDirect
		}
		if err := ann.SetTopology(wait(t), policy); err != nil {
			t.Fatal(err)
		}
		for _, p := range []*peer{ann, bob} {
			p.on(kind)
			e := until[parley.Switched](p, nil)
			if !e.Done || e.Lost != 0 || e.Kind != kind {
				t.Errorf("switch %d: %+v", i, e)
			}
			worst, longest = max(worst, e.Gap), max(longest, e.Took)
		}
	}
	stop()
	listening.Wait()
	t.Logf("%d switches, the longest pause beyond a frame %v, the longest switch %v", n, worst.Round(time.Millisecond), longest.Round(time.Millisecond))
	for i, l := range ears {
		t.Logf("%d frames, %d holes, %d twice, %d out of order, the longest wait for one %v", l.frames, l.holes, l.again, l.back, l.pause.Round(time.Millisecond))
		if l.frames < 50 || l.holes+l.again+l.back > 0 {
			t.Errorf("listener %d: %+v", i, l)
		}
	}
}

// TestRoomThatBeginsOnTheHub is one of the policy hub, with a host who mutes, hands, reactions and roles.
func TestRoomThatBeginsOnTheHub(t *testing.T) {
	h := newHouse(t, func(c *config.Config) { c.Rooms.Topology = "hub" })
	ann := join(t, h.link("tea"), "Ann")
	o := options("Bob")
	o.Listen = true
	bob := dial(t, h.link("tea"), o).enter()
	ann.on(parley.TopologyHub)
	bob.hearsAll(1, true, byHub)
	id := ann.people()["Bob"]
	if err := bob.Hand(wait(t), true); err != nil {
		t.Fatal(err)
	}
	until(ann, func(e parley.Updated) bool { return e.Person.ID == id && e.Person.Hand != 0 })
	if err := ann.Invite(wait(t), id, true); err != nil {
		t.Fatal(err)
	}
	until(bob, func(e parley.Updated) bool { return e.Person.Me && e.Person.Invited })
	if err := bob.Speak(wait(t), true); err != nil {
		t.Fatal(err)
	}
	until(bob, func(e parley.Updated) bool { return e.Person.Me && e.Person.Role == "speaker" })
	if err := bob.Media(wait(t), parley.MediaState{Microphone: true, Camera: true}); err != nil {
		t.Fatal(err)
	}
	ann.hearsAll(1, true, byHub)
	if err := bob.React(wait(t), parley.ReactionApplause); err != nil {
		t.Fatal(err)
	}
	if e := until[parley.Reaction](ann, nil); e.From != id || e.Kind != parley.ReactionApplause {
		t.Errorf("%+v", e)
	}
	if err := ann.MuteAll(wait(t), parley.Microphone); err != nil {
		t.Fatal(err)
	}
	until[parley.Muted](bob, nil)
	refused(t, bob.Role(wait(t), id, "host"), parley.CodeForbidden)
	if err := ann.Role(wait(t), id, "host"); err != nil {
		t.Fatal(err)
	}
	until(bob, func(e parley.Updated) bool { return e.Person.Me && e.Person.Role == "host" })
}

// TestShowBesideAnOffer: what is wanted in the moment in which something else is negotiated comes.
func TestShowBesideAnOffer(t *testing.T) {
	h := newHouse(t, func(c *config.Config) { c.Rooms.Topology = "hub" })
	ann := join(t, h.link("tea"), "Ann")
	join(t, h.link("tea"), "Bob")
	ann.on(parley.TopologyHub)
	track := ann.track(parley.Camera)
	join(t, h.link("tea"), "Cyd")
	ann.hearsAll(2, true, byHub)
	people := ann.people()
	silent := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := track.ReadRTP(ctx)
		return err != nil
	}
	if err := ann.Show(wait(t)); err != nil {
		t.Fatal(err)
	}
	for !silent() && t.Context().Err() == nil {
	}
	if err := errors.Join(
		ann.Show(wait(t), parley.Want{Seat: people["Cyd"], Source: parley.Camera}),
		ann.Show(wait(t), parley.Want{Seat: people["Bob"], Source: parley.Camera}), // which is told a little later
		ann.Publish(wait(t), parley.Screen, media.Pattern()),                       // for which Ann offers
	); err != nil {
		t.Fatal(err)
	}
	if _, err := track.ReadRTP(wait(t)); err != nil {
		t.Error(err)
	}
}

// crowd joins bots to a room: the first speakers of them send sound and pictures, everybody hears, nobody shows pictures
// but the first.
func crowd(t *testing.T, link string, speakers, listeners int) []*parley.Room {
	t.Helper()
	var all []*parley.Room
	for i := range speakers + listeners {
		o := parley.Options{Name: fmt.Sprintf("Bot %d", i+1), Interfaces: loopback, Single: true, Listen: i >= speakers}
		room, err := parley.Dial(wait(t), link, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(room.Close)
		go func() {
			for range room.Events() { // nobody asks
			}
		}()
		if i < speakers {
			err = errors.Join(room.Publish(wait(t), parley.Microphone, media.Tone()), room.Publish(wait(t), parley.Camera, media.Pattern()))
		}
		if i > 0 {
			err = errors.Join(err, room.Show(wait(t)))
		}
		if err = errors.Join(err, room.Join(wait(t))); err != nil {
			t.Fatal(err)
		}
		all = append(all, room)
	}
	return all
}

// TestCrowd is a room of more people than there are places for sound.
func TestCrowd(t *testing.T) {
	h := newHouse(t, nil)
	n := 5
	if text := os.Getenv("PARLEY_CROWD"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	all := crowd(t, h.link("tea"), 3, n-3)
	for i, room := range all {
		others := 3
		if i < 3 {
			others = 2
		}
		watch(t, room, func(stats parley.Stats) string {
			heard, seen := 0, 0
			for _, l := range stats.Links {
				if byHub(l.Path) && l.Received[parley.Microphone].Packets > 0 {
					heard++
				}
				if l.Received[parley.Camera].KeyFrames > 0 {
					seen++
				}
			}
			if heard == others && (i > 0 || seen == others) {
				return ""
			}
			return fmt.Sprintf("bot %d hears %d of %d and sees %d", i+1, heard, others, seen)
		})
	}
}
