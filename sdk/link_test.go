package parley

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/media"
)

// atDesk runs f in virtual time with a desk and two clients' kits.
func atDesk(t *testing.T, f func(t *testing.T, d *desk, a, b *kit)) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		a, b := d.kit(1), d.kit(2)
		d.start()
		f(t, d, a, b)
	})
}

func publishBoth(t *testing.T, r *Room) {
	t.Helper()
	if err := errors.Join(r.Publish(t.Context(), Microphone, media.Tone()), r.Publish(t.Context(), Camera, media.Pattern())); err != nil {
		t.Fatal(err)
	}
}

// hears waits until r gets both the tone and the pattern from the other side.
func hears(t *testing.T, r *Room) {
	t.Helper()
	for range 600 {
		stats, err := r.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range stats.Links {
			sound, picture := l.Received[Microphone], l.Received[Camera]
			if sound.Tone && picture.KeyFrames > 0 && picture.Width == 320 && picture.Height == 180 && l.Path.Kind == PathDirect {
				return
			}
		}
		pass(100 * time.Millisecond) // virtual
	}
	stats, err := r.Stats(t.Context())
	t.Fatalf("nothing to hear and see within a minute: %+v, %v", stats, err)
}

func TestTwoHearAndSeeEachOther(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		publishBoth(t, a)
		publishBoth(t, b)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		hears(t, a)
		hears(t, b)
		if d.offers != 1 {
			t.Errorf("%d offers for one link", d.offers)
		}
		if got := inside(t, a, func(s *state) webrtc.SCTPTransportState {
			return s.links["session-2"].pc.SCTP().State()
		}); got != webrtc.SCTPTransportStateConnected {
			t.Errorf("the data channel's transport is %v", got)
		}
		track := until(t, a, func(e TrackAdded) bool { return e.Track.Source == Camera }).Track
		if track.Name() != "Bob" || track.Codec != "video/VP8" {
			t.Errorf("the track is %s's %s", track.Name(), track.Codec)
		}
		if _, err := track.ReadRTP(t.Context()); err != nil {
			t.Error(err)
		}
		b.Close()
		until(t, a, always[Departed])
		for range ring + 1 {
			if _, err := track.ReadRTP(t.Context()); errors.Is(err, io.EOF) {
				a.Close()
				return
			} else if err != nil {
				t.Fatal(err)
			}
		}
		t.Error("the track did not end with its person")
	})
}

func TestEarlyLinkCarriesNoMediaBeforeJoin(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		d.early = true
		a := d.dial("Ann", ka)
		publishBoth(t, a)
		if err := a.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		b := d.dial("Bob", kb)
		publishBoth(t, b)
		connected := func(s *state) bool {
			for _, l := range s.links {
				return l.up
			}
			return false
		}
		for !inside(t, a, connected) || !inside(t, b, connected) {
			pass(10 * time.Millisecond) // virtual
		}
		pass(2 * time.Second) // virtual: long enough for media, if there were any
		for _, r := range []*Room{a, b} {
			sent := inside(t, r, func(s *state) (n uint64) {
				for _, l := range s.links {
					for _, out := range l.outlets {
						n += out.stats().Packets
					}
				}
				return n
			})
			if sent != 0 {
				t.Errorf("%d packets of media before join", sent)
			}
		}
		began := time.Now()
		if err := b.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, b, func(e TrackAdded) bool { return e.Track.Source == Camera })
		if took := time.Since(began); took > roundTrip {
			t.Errorf("the first picture took %v after join, want at most a round trip (%v)", took, roundTrip)
		}
		hears(t, a)
		hears(t, b)
		if d.offers != 1 {
			t.Errorf("%d offers for one link", d.offers)
		}
		a.Close()
		b.Close()
	})
}

func TestLostNetworkIsMended(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		publishBoth(t, a)
		publishBoth(t, b)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		hears(t, a)
		hears(t, b)
		d.block(true)
		until(t, a, func(e PathChanged) bool { return e.Path.Kind == PathLost })
		until(t, b, func(e PathChanged) bool { return e.Path.Kind == PathLost })
		pass(40 * time.Second) // virtual: past the failure of ICE as well
		d.block(false)
		until(t, a, func(e PathChanged) bool { return e.Path.Kind == PathDirect })
		until(t, b, func(e PathChanged) bool { return e.Path.Kind == PathDirect })
		hears(t, a)
		hears(t, b)
		a.Close()
		b.Close()
	})
}

func TestRestartOnRequestKeepsTheLink(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb) // Bob is later: he makes the link
		publishBoth(t, a)
		publishBoth(t, b)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		hears(t, a)
		id := func(s *state) string {
			for _, l := range s.links {
				return l.id
			}
			return ""
		}
		before := inside(t, a, id)
		pass(holdOff)                      // virtual: a request right after an offer is not obeyed
		inside(t, a, func(s *state) bool { // Ann did not make it: she asks
			for _, l := range s.links {
				s.mend(l)
			}
			return true
		})
		pass(3 * time.Second) // virtual
		hears(t, a)
		hears(t, b)
		if after := inside(t, a, id); after != before || d.offers != 2 {
			t.Errorf("link %s became %s with %d offers; want the same link and a second offer", before, after, d.offers)
		}
		a.Close()
		b.Close()
	})
}

func TestCollisionYields(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		publishBoth(t, a)
		publishBoth(t, b)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		hears(t, a)
		offer := func(s *state) bool {
			for _, l := range s.links {
				s.propose(l, false)
			}
			return true
		}
		inside(t, b, offer) // polite
		inside(t, a, offer) // as a browser may, in spite of the rule for us
		pass(3 * time.Second)
		hears(t, a)
		hears(t, b)
		a.Close()
		b.Close()
	})
}

func TestNonsenseFromAPeerFailsThatLinkAlone(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		for _, sdp := range []string{"", "v=0", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"} {
			if err := inside(t, b, func(s *state) error {
				return s.send(&signal.Offer{
					Peer: signal.Peer{To: "session-1", Link: "bad"}, SDP: sdp + "\r\n", Tracks: []signal.Track{{Mid: "0", Source: Camera}},
				})
			}); err != nil {
				t.Fatal(err)
			}
			until(t, a, always[Trouble])
		}
		if _, err := a.Chat(t.Context(), "still here"); err != nil {
			t.Error(err)
		}
		until(t, b, func(e Chat) bool { return e.Text == "still here" && !e.Mine })
		if n := inside(t, a, func(s *state) int { return len(s.links) }); n != 0 {
			t.Errorf("%d links are left", n)
		}
		a.Close()
		b.Close()
	})
}

func TestMediaStates(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b := d.dial("Ann", ka), d.dial("Bob", kb)
		if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		publishBoth(t, b)
		until(t, a, func(e Updated) bool { return e.Person.Media == MediaState{Microphone: true, Camera: true} })
		if err := b.Media(t.Context(), MediaState{Microphone: true, Screen: true}); err != nil {
			t.Fatal(err)
		}
		until(t, a, func(e Updated) bool { return e.Person.Media == MediaState{Microphone: true} })
		sent := func() uint64 {
			stats, err := b.Stats(t.Context())
			if err != nil || len(stats.Links) != 1 {
				t.Fatalf("%+v, %v", stats, err)
			}
			return stats.Links[0].Sent[Camera].Packets
		}
		before := sent()
		pass(time.Second) // virtual
		if after := sent(); after != before {
			t.Errorf("%d packets of a camera that is off", after-before)
		}
		people, err := b.People(t.Context())
		if err != nil || len(people) != 2 || !people[1].Me {
			t.Fatalf("%+v, %v", people, err)
		}
		if err := a.Mute(t.Context(), people[1].ID, Microphone); err != nil {
			t.Fatal(err)
		}
		if e := until(t, b, always[Muted]); e.Source != Microphone || e.By != people[0].ID {
			t.Errorf("%+v", e)
		}
		var refused *Refused
		if err := a.Lock(t.Context(), true); !errors.As(err, &refused) || refused.Code != CodeForbidden {
			t.Errorf("lock: %v", err)
		}
		if err := b.Unpublish(t.Context(), Screen); err == nil {
			t.Error("unpublished what was not published")
		}
		if err := b.Publish(t.Context(), Microphone, media.Pattern()); err == nil {
			t.Error("a microphone shows pictures")
		}
		a.Close()
		b.Close()
	})
}

func TestJoinRefused(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, _ *kit) {
		d.refuse = true
		a := d.dial("Ann", ka)
		var refused *Refused
		if err := a.Join(t.Context()); !errors.As(err, &refused) || refused.Code != CodeFull {
			t.Errorf("join: %v", err)
		}
		if _, err := a.Chat(t.Context(), "hello"); !errors.Is(err, errNotSeated) {
			t.Errorf("chat in front of the door: %v", err)
		}
		a.Close()
		if err := a.Join(context.Background()); !errors.Is(err, ErrClosed) {
			t.Errorf("join of a closed room: %v", err)
		}
		a.Close()
	})
}

func TestPathWords(t *testing.T) {
	for _, tt := range []struct {
		path Path
		want string
	}{
		{Path{Kind: PathDirect}, "direct"},
		{Path{Kind: PathRelayed, Server: "call.example.org", Protocol: "tls"}, "relayed by call.example.org over TLS"},
		{Path{Kind: PathRelayed, Server: "192.0.2.1"}, "relayed by 192.0.2.1"},
		{Path{Kind: PathLost}, "lost"},
	} {
		if got := tt.path.String(); got != tt.want {
			t.Errorf("%+v says %q, want %q", tt.path, got, tt.want)
		}
	}
}

func TestRelayProtocolIsKnownByItsPreference(t *testing.T) {
	for _, way := range []string{"udp", "tcp", "tls", "dtls"} {
		c, err := ice.NewCandidateRelay(&ice.CandidateRelayConfig{
			Network: "udp", Address: "192.0.2.7", Port: 4000, Component: 1, RelayProtocol: way, RelAddr: "10.0.0.1", RelPort: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := relayProtocol(&webrtc.ICECandidate{Priority: c.Priority()}); got != way {
			t.Errorf("%q is taken for %q", way, got)
		}
	}
}

func TestServersThatTheOptionsAllow(t *testing.T) {
	ice := &signal.ICEServers{Servers: []signal.ICEServer{
		{URLs: []string{"stun:call.example.org:443"}},
		{URLs: []string{
			"turn:call.example.org:443?transport=udp", "turn:call.example.org:443?transport=tcp",
			"turns:call.example.org:443?transport=tcp", "turn:192.0.2.1:443?transport=tcp", "quic:new",
		}, Username: "u", Credential: "c"},
	}}
	for _, tt := range []struct {
		over string
		want []string
	}{
		{"", []string{"stun:call.example.org:443", "turn:call.example.org:443?transport=udp", "turns:call.example.org:443?transport=tcp", "turn:192.0.2.1:443?transport=tcp"}},
		{"udp", []string{"stun:call.example.org:443", "turn:call.example.org:443?transport=udp"}},
		{"tcp", []string{"stun:call.example.org:443", "turn:call.example.org:443?transport=tcp", "turn:192.0.2.1:443?transport=tcp"}},
		{"tls", []string{"stun:call.example.org:443", "turns:call.example.org:443?transport=tcp"}},
	} {
		k, err := newKit(address{}, Options{RelayOver: tt.over}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, server := range k.servers(ice, nil) {
			got = append(got, server.URLs...)
		}
		if len(got) != len(tt.want) {
			t.Fatalf("over %q: %v, want %v", tt.over, got, tt.want)
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("over %q: %v, want %v", tt.over, got, tt.want)
			}
		}
	}
	var _ webrtc.TrackLocal = (*outlet)(nil)
}
