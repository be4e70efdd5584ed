package e2e

import (
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/trace"
)

// TestListener: nothing that a listener sends is forwarded, from the moment at which they become one until they may speak again.
func TestListener(t *testing.T) {
	h := newHouse(t, nil)
	all := three(t, h)
	ann, bob, cyd := all[0], all[1], all[2]
	ann.send(&signal.SetRole{Seat: bob.seat, Role: signal.RoleListener})
	for _, g := range []*guest{ann, cyd} {
		g.until("Bob's places to be empty", func() bool {
			for _, shown := range g.places {
				if strings.HasPrefix(shown, bob.seat+" ") {
					return false
				}
			}
			return len(g.places) > 0
		})
	}
	ann.note(func() { ann.heard = map[string]int{} })
	bob.mark.Store('b') // what was on its way before says B
	bob.offer()         // whose tracks do not count
	ann.until("Cyd, whom Ann goes on hearing", func() bool { return ann.perceives(cyd, true) })
	ann.look(func() {
		for from, n := range ann.heard {
			if strings.HasSuffix(from, "b") {
				t.Errorf("%d packets of a listener", n)
			}
		}
	})
	bob.mark.Store('B')
	ann.send(&signal.Invite{Seat: bob.seat, On: true})
	bob.until("the invitation", func() bool { return bob.seats[bob.seat].Invited })
	bob.send(&signal.Speak{On: true})
	bob.until("the right to speak", func() bool { return bob.seats[bob.seat].Role == signal.RoleSpeaker })
	bob.offer()
	ann.until("Bob, who speaks again", func() bool { return ann.perceives(bob, true) })
}

// TestTransportsEnd: whoever leaves, is removed, or loses the seat is off the hub, and the others hear each other on.
func TestTransportsEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	all := three(t, h)
	ann, bob, cyd := all[0], all[1], all[2]
	dan := enterAs(t, h, "tea", "Dan")
	dan.dialHub("h1", byUDP(), 3, signal.Want{Seat: ann.seat, Source: signal.SourceCamera})
	dan.until("Ann", func() bool { return dan.perceives(ann, true) })
	closed := func(g *guest) func() bool {
		return func() bool {
			return g.phase == webrtc.PeerConnectionStateClosed || g.phase == webrtc.PeerConnectionStateFailed
		}
	}
	cyd.send(&signal.Leave{})
	cyd.until("the end of the link", closed(cyd))
	ann.send(&signal.Remove{Seat: dan.seat})
	dan.until("the goodbye", func() bool { return dan.bye != nil && dan.bye.Reason == signal.ByeRemoved })
	dan.until("the end of the link", closed(dan))
	bob.perceivesAll([]*guest{ann})
}

// TestOverTLS: somebody whose network lets nothing but TLS out comes by the relay over TLS.
func TestOverTLS(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann := enterAs(t, h, "tea", "Ann")
	overTLS := byRelay("transport=tcp")
	overTLS.dialer = inTLS{}
	bob := enterAs(t, h, "tea", "Bob")
	ann.send(&signal.SetTopology{Policy: signal.PolicyHub})
	ann.until("a switch", func() bool { return ann.course.Next == signal.TopologyHub })
	ann.dialHub("h1", overTLS, 1, signal.Want{Seat: bob.seat, Source: signal.SourceCamera})
	bob.dialHub("h1", byTCP(), 1, signal.Want{Seat: ann.seat, Source: signal.SourceCamera})
	ann.perceivesAll([]*guest{bob})
	bob.perceivesAll([]*guest{ann})
}

// TestSwitches: direct, hub with the third, direct again when the host says so to the two who are left; the record tells of it.
func TestSwitches(t *testing.T) {
	h := newHouse(t, nil)
	all := three(t, h)
	ann, bob, cyd := all[0], all[1], all[2]
	ann.send(&signal.Report{Events: []signal.ReportEvent{{At: 1, Kind: signal.ReportSwitched, MS: 900, Switch: &signal.ReportSwitch{
		From: signal.TopologyDirect, To: signal.TopologyHub, Epoch: 1, GapMS: 300, PlayoutMS: -20,
	}}}})
	ann.send(&signal.SetTopology{Policy: signal.PolicyDirect})
	ann.until("a no, for three are here", func() bool { return len(ann.faults) == 1 && ann.faults[0].Code == signal.CodeOrder })
	cyd.send(&signal.Leave{})
	ann.until("Cyd to be gone", func() bool { return ann.gone[cyd.seat] != "" })
	ann.send(&signal.SetTopology{Policy: signal.PolicyDirect})
	for _, g := range []*guest{ann, bob} {
		g.until("the way back", func() bool { return g.course.Next == signal.TopologyDirect })
		g.perceivesAll([]*guest{map[*guest]*guest{ann: bob, bob: ann}[g]}) // the old path stays open
		g.moved()
	}
	for _, g := range []*guest{ann, bob} {
		g.until("the direct path", func() bool { return g.course.Kind == signal.TopologyDirect && g.course.Next == "" })
		g.send(&signal.CloseLink{Peer: signal.Peer{To: signal.Hub, Link: "h1"}})
		g.until("the end of the link", func() bool { return g.phase == webrtc.PeerConnectionStateClosed })
	}
	h.record(t, ann.call.ID, ann.call.Token, func(r trace.Record) bool {
		seen := map[string]bool{}
		for _, e := range r.Events {
			if e.Switch != nil {
				seen[string(e.Kind)+" "+string(e.Switch.To)+" "+e.Cause] = true
			}
		}
		return seen["switching hub "] && seen["switch-end hub done"] && seen["switched hub "] && seen["switch-end direct done"] &&
			strings.Contains(r.Verdict.Text, "Ann heard nothing for 0.3 s when the call changed its way")
	})
}

// TestHubRestarts: after a restart of the server everybody makes a new link, and the room is on the hub as before.
func TestHubRestarts(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	h, stop := startHouse(t, "127.0.0.1:0", data, nil)
	all := three(t, h)
	stop()
	again, stopAgain := startHouse(t, h.Info().Listen.String(), data, nil)
	t.Cleanup(func() { again.Close(); stopAgain() })
	for _, g := range all {
		seat := g.seat
		g.cut()
		g.reading.Wait()
		g.note(func() { g.session = "" })
		g.connect("tea")
		g.join(signal.MediaState{Microphone: true, Camera: true})
		if g.seat != seat {
			t.Errorf("%s sits on %s, was on %s", g.name, g.seat, seat)
		}
		g.onHub()
	}
	for _, g := range all {
		var show []signal.Want
		for _, other := range all {
			if other != g {
				show = append(show, signal.Want{Seat: other.seat, Source: signal.SourceCamera})
			}
		}
		g.dialHub("h1", byUDP(), 2, show...)
	}
	for _, g := range all {
		g.perceivesAll(all)
	}
}
