package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

// encoderOf waits for the seat of an encoder that is heard of as sending, and returns it.
func encoderOf(g *guest) (seat signal.Seat) {
	g.t.Helper()
	g.until("an encoder that sends", func() bool {
		for _, x := range g.seats {
			if x.Door == signal.DoorWHIP && x.Media.Camera && x.Media.Microphone {
				seat = x
				return true
			}
		}
		return false
	})
	return seat
}

// TestWHIP: an encoder comes to somebody who is alone, who sees its seat, goes over to the hub for it and gets its media; a player
// sees whoever speaks on its one place and hears them, another one the encoder only; restarts of ICE hurt neither; the host
// silences the encoder, and it is gone with its session.
func TestWHIP(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann := enterAs(t, h, "tea", "Ann")
	cam := outside(t, h, "Encoder", byUDP(), 0)
	if status, why := cam.begin("/whip/tea"); status != http.StatusCreated {
		t.Fatal(status, why)
	}
	if !strings.HasPrefix(cam.url, h.url+"/whip/tea/s/") || cam.tag == "" || len(cam.links) < 2 || !strings.Contains(cam.links[1], `rel="ice-server"; username=`) {
		t.Errorf("Location %q, ETag %q, Link %q", cam.url, cam.tag, cam.links)
	}
	ann.until("a switch", func() bool { return ann.course.Next == signal.TopologyHub })
	ann.dialHub("h1", byUDP(), 1)
	ann.moved()
	ann.onHub()
	seat := encoderOf(ann)
	if seat.Name != "Encoder" || seat.Role != signal.RoleSpeaker || seat.Session != "" || seat.Hub != signal.ReachYes {
		t.Errorf("%+v", seat)
	}
	screen := ann.screens()[0]
	ann.tell(object{"type": "show", "show": []object{{"mid": screen, "seat": seat.ID, "source": "camera", "width": 320, "height": 180}}})
	ann.until("sound and pictures of the encoder", func() bool { return ann.heard[screen+"E"] > 5 && ann.places[screen] == seat.ID+" camera" })

	watching(t, h, ann, cam, seat.ID)

	ann.send(&signal.Mute{Seat: seat.ID, Source: signal.SourceCamera})
	ann.until("the encoder's pictures to be off", func() bool { return !ann.seats[seat.ID].Media.Camera && ann.places[screen] == "" })
	if answer, text := cam.ask(http.MethodDelete, cam.url, "", ""); answer.StatusCode != http.StatusOK {
		t.Error(answer.Status, text)
	}
	ann.until("the encoder to leave", func() bool { return ann.gone[seat.ID] == signal.LeftLeft })
	cam.until("the end", func() bool {
		return cam.line.phase == webrtc.PeerConnectionStateClosed || cam.line.phase == webrtc.PeerConnectionStateDisconnected || cam.line.phase == webrtc.PeerConnectionStateFailed
	})
	if answer, _ := cam.ask(http.MethodDelete, cam.url, "", ""); answer.StatusCode != http.StatusNotFound {
		t.Error("a session that is gone:", answer.Status)
	}
}

// watching is about players.
func watching(t *testing.T, h *house, ann *guest, cam *outsider, seat string) {
	t.Helper()
	all := outside(t, h, "Player", byUDP(), 1).must("/whep/tea")
	one := outside(t, h, "Qlayer", byTCP(), 1).must("/whep/tea?seat=" + seat)
	sounds, pictures := all.mids()
	ann.loud.Store(true)
	all.more(pictures[0], 'A')
	one.more(pictures[0], 'E')
	one.more(sounds[0], 'E')
	ann.loud.Store(false)
	cam.loud.Store(true)
	all.more(pictures[0], 'E')
	all.more(sounds[0], 'E')

	answer, text := all.ask(http.MethodPatch, all.url, "application/trickle-ice-sdpfrag", all.fragment(), "If-Match", all.tag)
	if answer.StatusCode != http.StatusNoContent {
		t.Error("trickled candidates:", answer.Status, text)
	}
	before := all.tag
	all.restart()
	if answer, _ := all.ask(http.MethodPatch, all.url, "application/trickle-ice-sdpfrag", all.fragment(), "If-Match", before); answer.StatusCode != http.StatusPreconditionFailed {
		t.Error("an ETag of before the restart:", answer.Status)
	}
	cam.restart()
	all.until("a connection", func() bool { return all.line.phase == webrtc.PeerConnectionStateConnected })
	all.more(pictures[0], 'E')
	one.look(func() {
		if n := one.heard[pictures[0]+"A"] + one.heard[sounds[0]+"A"]; n > 0 {
			t.Errorf("%d packets of somebody else than whom it watches", n)
		}
	})
	for _, o := range []*outsider{all, one} {
		if answer, text := o.ask(http.MethodDelete, o.url, "", ""); answer.StatusCode != http.StatusOK {
			t.Error(answer.Status, text)
		}
	}
}
