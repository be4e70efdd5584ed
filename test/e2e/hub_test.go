package e2e

import (
	"testing"

	"github.com/parley-rtc/parley/internal/signal"
)

// three are three people in a room on the hub, each of whom sees and hears the others.
func three(t *testing.T, h *house, roads ...road) []*guest {
	t.Helper()
	var all []*guest
	for i, name := range []string{"Ann", "Bob", "Cyd"} {
		g := enterAs(t, h, "tea", name)
		all = append(all, g)
		if i < 2 {
			g.until("the direct path", func() bool { return g.course.Kind == signal.TopologyDirect })
		}
	}
	for i, g := range all {
		g.until("a switch", func() bool { return g.course.Next == signal.TopologyHub })
		r := byUDP()
		if i < len(roads) {
			r = roads[i]
		}
		var show []signal.Want
		for _, other := range all {
			if other != g {
				show = append(show, signal.Want{Seat: other.seat, Source: signal.SourceCamera, Width: 320, Height: 180})
			}
		}
		g.dialHub("h1", r, 2, show...)
	}
	for _, g := range all {
		g.perceivesAll(all)
		g.send(&signal.Moved{Epoch: g.course.Epoch})
	}
	for _, g := range all {
		g.onHub()
	}
	return all
}

func (g *guest) perceivesAll(all []*guest) {
	g.t.Helper()
	for _, other := range all {
		if other != g {
			g.until("sound and pictures of "+other.name, func() bool { return g.perceives(other, true) })
		}
	}
}

// TestThree: a third person makes the room go over to the hub, and everybody sees and hears everybody; then all that is said on the
// control channel.
func TestThree(t *testing.T) {
	h := newHouse(t, nil)
	all := three(t, h)
	ann, bob, cyd := all[0], all[1], all[2]

	ann.tell(object{"type": "ping", "id": 7})
	ann.until("a pong", func() bool { return len(ann.pongs) == 1 && ann.pongs[0] == 7 })
	ann.tell(object{"type": "tell", "to": bob.seat, "message": object{"type": "here"}})
	bob.until("what Ann tells", func() bool { return len(bob.told) == 1 && bob.told[0] == ann.seat+` {"type":"here"}` })

	screens := ann.screens()
	ann.tell(object{"type": "show", "show": []object{{"mid": screens[1], "seat": bob.seat, "source": "camera", "width": 160.5, "height": 90}}})
	ann.until("the place to change hands", func() bool {
		_, first := ann.places[screens[0]]
		return !first && ann.places[screens[1]] == bob.seat+" camera" && ann.heard[screens[1]+"B"] > 5
	})
	bob.tell(object{"type": "show", "show": []object{}})
	cyd.tell(object{"type": "show", "show": []object{}})
	bob.until("nobody to want its picture but Ann", func() bool { return len(bob.layers) == 0 })
	cyd.until("nobody to want its picture", func() bool {
		rids, told := cyd.layers[cyd.sends[1].Mid()]
		return told && len(rids) == 0
	})

	bob.loud.Store(true)
	cyd.until("Bob to speak", func() bool { return len(cyd.speakers) == 1 && cyd.speakers[0] == bob.seat })
	bob.loud.Store(false)
	cyd.until("nobody to speak", func() bool { return len(cyd.speakers) == 0 })
}

// TestRoads: one comes by TCP only, one by the relay over TCP only, and everybody sees and hears everybody.
func TestRoads(t *testing.T) {
	three(t, newHouse(t, nil), byUDP(), byTCP(), byRelay("transport=tcp"))
}
