package e2e

import (
	"strconv"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

// three are three people in a room on the hub, each of whom sees and hears the others.
func three(t *testing.T, h *house, roads ...road) []*guest {
	t.Helper()
	var all []*guest
	for i, name := range []string{"Ann", "Bob", "Cyd"} {
		g := enterAs(t, h, "tea", name)
		all = append(all, g)
		r := byUDP()
		if i < len(roads) {
			r = roads[i]
		}
		g.dialHub("h1", r, 2) // the first two before they need it, as a client does that wants to know whether it can
	}
	for _, g := range all {
		g.until("a switch", func() bool { return g.course.Next == signal.TopologyHub })
		g.moved()
	}
	for _, g := range all {
		g.onHub()
		var show []object
		for _, other := range all {
			if other != g {
				show = append(show, object{"mid": g.screens()[len(show)], "seat": other.seat, "source": "camera", "width": 320, "height": 180})
			}
		}
		g.tell(object{"type": "show", "show": show})
	}
	for _, g := range all {
		g.perceivesAll(all)
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
	t.Parallel()
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

// TestData: what a program sends comes to everybody with the sender's ordering and reliability, or to the one whom it names, who
// answers on the same channel. What the sender closes is closed.
func TestData(t *testing.T) {
	h := newHouse(t, nil)
	all := three(t, h)
	ann, bob, cyd := all[0], all[1], all[2]

	chat := ann.opens("chat", "parley.data.v1", nil)
	for i := range 300 {
		if err := chat.SendText(strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	from := ";from=" + ann.seat + " "
	for _, g := range []*guest{bob, cyd} {
		g.until("300 messages", func() bool { return len(g.data) == 300 })
		g.look(func() {
			for i, got := range g.data {
				if want := "chat parley.data.v1" + from + strconv.Itoa(i); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
		})
	}

	unordered, never := false, uint16(0)
	pointer := ann.opens("pointer", "parley.data.v1", &webrtc.DataChannelInit{Ordered: &unordered, MaxRetransmits: &never})
	if err := pointer.SendText("here"); err != nil {
		t.Fatal(err)
	}
	bob.until("the pointer", func() bool {
		ch := bob.channels["pointer parley.data.v1"+from[:len(from)-1]]
		return ch != nil && !ch.Ordered() && ch.MaxRetransmits() != nil && *ch.MaxRetransmits() == 0
	})

	file := ann.opens("file1", "parley.file.v1;to="+cyd.seat, nil)
	answers := make(chan string, 1)
	file.OnMessage(func(m webrtc.DataChannelMessage) { answers <- string(m.Data) })
	name := "file1 parley.file.v1" + from[:len(from)-1]
	var back *webrtc.DataChannel
	cyd.until("the file's channel", func() bool { back = cyd.channels[name]; return back != nil })
	if err := back.SendText("go on"); err != nil {
		t.Fatal(err)
	}
	if got := <-answers; got != "go on" {
		t.Errorf("%q", got)
	}
	if err := chat.Close(); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*guest{bob, cyd} {
		g.until("the chat to close", func() bool { return g.channels["chat parley.data.v1"+from[:len(from)-1]] == nil })
	}
	bob.until("no file for Bob", func() bool { return bob.channels[name] == nil })

	ended := make(chan struct{})
	file.OnClose(func() { close(ended) })
	cyd.send(&signal.Leave{})
	<-ended
	refused := ann.opens("file2", "parley.file.v1;to="+cyd.seat, nil)
	refused.OnClose(func() { ann.note(func() { ann.data = append(ann.data, "closed") }) })
	ann.until("the channel to nobody to close", func() bool { return len(ann.data) == 1 || refused.ReadyState() == webrtc.DataChannelStateClosed })
}
