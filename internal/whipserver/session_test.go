package whipserver

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
)

func names(tracks []sfu.Track) string {
	var list []string
	for _, t := range tracks {
		list = append(list, t.MID+t.Source)
	}
	return strings.Join(list, " ")
}

// TestEncoder: the life of an encoder, from the waiting room on.
func TestEncoder(t *testing.T) {
	pub := publisher(t)
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		h.waits = true
		if w := h.do(http.MethodPost, "/whip/tea?source=screen", typeSDP, pub); w.Code != 201 {
			t.Fatal(w.Code, w.Body)
		}
		at := h.offer.Link
		if len(h.tracks) != 0 || at != (mediaserver.Link{Room: "tea", Seat: "seat", Link: h.visitor.ID}) {
			t.Errorf("in the waiting room: %v, %v", h.tracks, at)
		}
		if h.Connected(mediaserver.Link{Room: "tea", Seat: "seat", Link: "other"}) || !h.Connected(at) {
			t.Error("whose link is it?")
		}
		for _, tt := range []struct {
			name   string
			told   []signal.Message
			log    string
			tracks string
		}{
			{"waiting, and connected", nil, "", ""},
			{"let in", []signal.Message{&signal.Joined{Seat: "seat"}}, "media sa", "0screen-audio 1screen"},
			{"others change", []signal.Message{&signal.SeatChange{Seat: signal.Seat{ID: "s2", Role: signal.RoleListener}}, &signal.Left{Seat: "s2"}}, "", "0screen-audio 1screen"},
			{"silenced", []signal.Message{&signal.Muted{Source: signal.SourceScreenAudio}}, "media s", "1screen"},
			{"made a listener", []signal.Message{&signal.SeatChange{Seat: signal.Seat{ID: "seat", Role: signal.RoleListener}}}, "media ", ""},
			{"invited", []signal.Message{&signal.SeatChange{Seat: signal.Seat{ID: "seat", Role: signal.RoleListener, Invited: true}}}, "speak", ""},
			{"a speaker again", []signal.Message{&signal.SeatChange{Seat: signal.Seat{ID: "seat", Role: signal.RoleSpeaker}}}, "media s", "1screen"},
			{"removed", []signal.Message{&signal.Left{Seat: "seat", Reason: signal.LeftRemoved}, &signal.Bye{Reason: signal.ByeRemoved}}, "quit, leave", "1screen"},
		} {
			for _, m := range tt.told {
				h.tell(m)
			}
			if log := h.settled(); log != tt.log || names(h.tracks) != tt.tracks {
				t.Errorf("%s: %q, %q", tt.name, log, names(h.tracks))
			}
		}
		if h.Ended(at, errors.New("late")) || h.Stats().Encoders != 0 {
			t.Error("it is still there")
		}
	})
}

// TestEnds: a session ends with its transport, with the room, with the answer that never comes, and when it is not let in.
func TestEnds(t *testing.T) {
	pub, view := publisher(t), viewer(t)
	for name, end := range map[string]func(h *house){
		"transport":         func(h *house) { h.Ended(h.offer.Link, errors.New("no path")) },
		"room":              func(h *house) { h.tell(&signal.Bye{Words: "everybody has left"}) },
		"room without word": func(h *house) { h.tell(&signal.Bye{Reason: signal.ByeFault}) },
		"server":            func(h *house) { h.Close() },
	} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t)
			if w := h.do(http.MethodPost, "/whep/tea", typeSDP, view); w.Code != 201 {
				t.Fatal(w.Code)
			}
			end(h)
			if log := h.settled(); log != "quit, leave" || h.Stats().Players != 0 || len(h.players) != 0 {
				t.Errorf("%s: %q %+v", name, log, h.Stats())
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		h.waits = true
		h.do(http.MethodPost, "/whip/tea", typeSDP, pub)
		h.tell(&signal.Error{Code: signal.CodeNoRoom, Words: "everybody has left the room"})
		if log := h.settled(); log != "quit, leave" {
			t.Errorf("not let in: %q", log)
		}
	})
}

func shown(wants []sfu.Want) string {
	var list []string
	for _, w := range wants {
		list = append(list, w.MID+":"+w.Seat+"."+w.Source)
	}
	return strings.Join(list, " ")
}

// TestStage: who is shown on which place, step by step.
func TestStage(t *testing.T) {
	const camera, screen, all = 1, 2, 3
	seat := func(id string, order uint64, media int) func(*stage) {
		return func(s *stage) {
			s.seat(signal.Seat{ID: id, Order: order, Media: signal.MediaState{Camera: media&camera != 0, Screen: media&screen != 0, Microphone: true}})
		}
	}
	speaks := func(ids ...string) func(*stage) {
		return func(s *stage) {
			var list []sfu.Speaker
			for _, id := range ids {
				list = append(list, sfu.Speaker{Seat: id})
			}
			s.speak(list)
		}
	}
	leaves := func(id string) func(*stage) { return func(s *stage) { s.leave(id) } }
	type step struct {
		after time.Duration
		do    func(*stage)
		want  string
	}
	for _, tt := range []struct {
		name  string
		stage stage
		steps []step
	}{
		{"one place", stage{pictures: []string{"v"}, sounds: []string{"a"}}, []step{
			{0, seat("ann", 1, 0), ""},
			{0, seat("bob", 2, camera), "v:bob.camera"},
			{0, seat("ann", 1, camera), "v:ann.camera"},
			{0, speaks("bob"), "v:bob.camera"},
			{time.Second, speaks("ann"), "v:bob.camera"},      // a cough
			{time.Second, speaks("ann"), "v:ann.camera"},      // it has had the floor for long enough
			{time.Hour, speaks("bob", "ann"), "v:ann.camera"}, // who has the floor keeps it while speaking
			{0, speaks(), "v:ann.camera"},                     // and afterwards
			{0, seat("cyd", 3, all), "v:cyd.screen"},          // a screen comes first
			{0, speaks("bob"), "v:cyd.screen"},                // whoever speaks
			{0, seat("dan", 4, screen), "v:dan.screen"},       // the newest of two
			{0, leaves("dan"), "v:cyd.screen"},
			{0, seat("cyd", 3, camera), "v:bob.camera"},  // bob has got the floor meanwhile
			{0, speaks("nobody", "eve"), "v:bob.camera"}, // who is not there, or not seen
			{0, leaves("bob"), "v:ann.camera"},           // the one who spoke before
			{0, leaves("ann"), "v:cyd.camera"},
			{0, leaves("cyd"), ""},
		}},
		{"three places", stage{pictures: []string{"x", "y", "z"}}, []step{
			{0, seat("ann", 1, all), "x:ann.screen y:ann.camera"},
			{0, seat("bob", 2, camera), "x:ann.screen y:ann.camera z:bob.camera"},
			{0, seat("cyd", 3, camera), "x:ann.screen y:ann.camera z:bob.camera"},
			{0, speaks("cyd"), "x:ann.screen y:ann.camera z:cyd.camera"}, // the others stay where they are
			{0, seat("ann", 1, camera), "x:bob.camera y:ann.camera z:cyd.camera"},
			{0, leaves("ann"), "x:bob.camera z:cyd.camera"},
		}},
		{"one seat", stage{only: "bob", pictures: []string{"x", "y"}, sounds: []string{"a", "b", "c"}}, []step{
			{0, seat("ann", 1, all), "a:bob.microphone b:bob.screen-audio c:bob."},
			{0, seat("bob", 2, all), "x:bob.screen y:bob.camera a:bob.microphone b:bob.screen-audio c:bob."},
			{0, speaks("ann"), "x:bob.screen y:bob.camera a:bob.microphone b:bob.screen-audio c:bob."},
			{0, func(s *stage) { s.seat(signal.Seat{ID: "bob", Media: signal.MediaState{ScreenAudio: true}}) }, "a:bob.screen-audio b:bob.microphone c:bob."},
		}},
	} {
		now := time.Unix(1e9, 0)
		for i, st := range tt.steps {
			now = now.Add(st.after)
			st.do(&tt.stage)
			before := shown(tt.stage.shown)
			wants, changed, _ := tt.stage.wants(now)
			if shown(wants) != st.want || changed != (before != st.want) {
				t.Errorf("%s, step %d: %q, want %q; changed %v", tt.name, i+1, shown(wants), st.want, changed)
			}
		}
	}
}

// TestPlayer: what a room says becomes what the hub is asked for, also when the time for it comes by itself.
func TestPlayer(t *testing.T) {
	view := viewer(t)
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		on := signal.MediaState{Camera: true}
		h.seats = []signal.Seat{{ID: "ann", Order: 1, Media: on}}
		d := strings.Split(view, "m=audio")
		one := d[0] + "m=audio" + d[1] // one section of each kind
		if w := h.do(http.MethodPost, "/whep/tea", typeSDP, one); w.Code != 201 || shown(h.wants) != "1:ann.camera" {
			t.Fatal(w.Code, w.Body, h.wants)
		}
		check := func(what, want string) {
			t.Helper()
			h.settled()
			h.note(func() {
				if shown(h.wants) != want {
					t.Errorf("%s: %q", what, shown(h.wants))
				}
			})
		}
		speak := func(seat string) { h.Told("tea", sfu.Speakers{Speakers: []sfu.Speaker{{Seat: seat}}}) }
		h.tell(&signal.SeatChange{Seat: signal.Seat{ID: "bob", Order: 2, Media: on}})
		check("somebody else", "1:ann.camera")
		speak("bob")
		check("he speaks", "1:bob.camera")
		h.Told("milk", sfu.Speakers{Speakers: []sfu.Speaker{{Seat: "ann"}}})
		h.Told("tea", sfu.PlacesChanged{})
		speak("ann")
		check("she interrupts", "1:bob.camera")
		time.Sleep(holdTime)
		check("and goes on", "1:ann.camera")
		h.tell(&signal.Left{Seat: "ann"})
		check("she leaves", "1:bob.camera")
	})
}

// TestOffers: every offer of a real encoder or player is taken.
func TestOffers(t *testing.T) {
	for _, name := range []string{"ffmpeg-whip", "chromium-plain", "chromium-simulcast", "firefox-plain", "firefox-simulcast"} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t)
			sections := strings.SplitAfter(sample(t, name), "\r\nm=")
			two := strings.TrimSuffix(strings.Join(sections[:3], ""), "m=") // of what a page sends; it may have places too
			if w := h.do(http.MethodPost, "/whip/tea", typeSDP, two); w.Code != 201 {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			} else if want := []string{"microphone", "camera"}; len(h.tracks) != 2 || !slices.Contains(want, h.tracks[0].Source) || !slices.Contains(want, h.tracks[1].Source) {
				t.Errorf("%s: %v", name, h.tracks)
			}
		})
	}
	for _, name := range []string{"chromium-receive", "firefox-receive"} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t)
			if w := h.do(http.MethodPost, "/whep/tea", typeSDP, sample(t, name)); w.Code != 201 {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		})
	}
}
