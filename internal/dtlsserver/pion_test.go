package dtlsserver_test

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/srtp"
	"github.com/parley-rtc/parley/test/hub"
	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const patience = 20 * time.Second

// caller is a client of pion's, with sound, a picture and a data channel.
type caller struct {
	t     testing.TB
	hub   *hub.Hub
	pc    *webrtc.PeerConnection
	there *hub.Client // its transport at the hub
	sound *webrtc.TrackLocalStaticRTP
	image *webrtc.TrackLocalStaticRTP
	back  map[webrtc.RTPCodecType]*atomic.Int64 // packets that came back, whole
	wrong atomic.Int64
	// mangle changes an offer on its way.
	mangle func(string) string
}

func newHub(t testing.TB, c dtlsserver.Config) *hub.Hub {
	t.Helper()
	h, err := hub.New(c, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func newCaller(t testing.TB, h *hub.Hub, media bool, profiles ...dtls.SRTPProtectionProfile) *caller {
	t.Helper()
	c := &caller{t: t, hub: h, mangle: func(s string) string { return s }, back: map[webrtc.RTPCodecType]*atomic.Int64{
		webrtc.RTPCodecTypeAudio: {}, webrtc.RTPCodecTypeVideo: {},
	}}
	settings := webrtc.SettingEngine{}
	settings.SetSRTPProtectionProfiles(profiles...) // none: pion's own choice
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	engine := &webrtc.MediaEngine{}
	must(t, engine.RegisterDefaultCodecs())
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	var err error
	c.pc, err = api.NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	t.Cleanup(func() { _ = c.pc.Close() })
	if !media {
		return c
	}
	c.sound, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "sound", "caller")
	must(t, err)
	c.image, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "image", "caller")
	must(t, err)
	for _, track := range []webrtc.TrackLocal{c.sound, c.image} {
		_, err = c.pc.AddTrack(track)
		must(t, err)
	}
	c.pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if len(p.Payload) != 1000 || p.Payload[10] != byte(track.Kind()) {
				c.wrong.Add(1)
			}
			c.back[track.Kind()].Add(1)
		}
	})
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// offer makes an offer and takes the hub's answer.
func (c *caller) offer(restart bool) {
	c.t.Helper()
	offer, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	must(c.t, err)
	must(c.t, c.pc.SetLocalDescription(offer))
	answer, there, err := c.hub.Offer(c.mangle(offer.SDP), c.there)
	must(c.t, err)
	c.there = there
	must(c.t, c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
}

// until waits for a condition, or fails with what it was for.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain for ", what)
		}
	}
}

func (c *caller) ready() (ok bool) {
	c.hub.Do(func() { ok = c.there.Transport.Ready() })
	return ok
}

// talk sends packets until n of each kind have come back.
func (c *caller) talk(n int64) {
	c.t.Helper()
	defer func() {
		if c.t.Failed() {
			c.t.Logf("%s", c.hub.Report(c.there))
		}
	}()
	goal := map[webrtc.RTPCodecType]int64{}
	for k, count := range c.back {
		goal[k] = count.Load() + n
	}
	payload := make([]byte, 1000)
	payload[0] = 0x10 // a VP8 descriptor
	number := uint16(time.Now().UnixMilli())
	until(c.t, "media to come back", func() bool {
		number++
		for k, track := range map[webrtc.RTPCodecType]*webrtc.TrackLocalStaticRTP{webrtc.RTPCodecTypeAudio: c.sound, webrtc.RTPCodecTypeVideo: c.image} {
			payload[10] = byte(k)
			must(c.t, track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: number, Timestamp: uint32(number) * 960}, Payload: payload}))
		}
		return c.back[webrtc.RTPCodecTypeAudio].Load() >= goal[webrtc.RTPCodecTypeAudio] &&
			c.back[webrtc.RTPCodecTypeVideo].Load() >= goal[webrtc.RTPCodecTypeVideo]
	})
	if c.wrong.Load() != 0 {
		c.t.Error(c.wrong.Load(), "packets came back changed")
	}
}

// A client of pion's over real UDP: media both ways, data channels of each reliability, an ICE restart in the middle, a goodbye;
// in both DTLS roles.
func TestPion(t *testing.T) {
	for role, setup := range map[string]string{"we are the DTLS client": "passive", "we are the DTLS server": "active"} {
		t.Run(role, func(t *testing.T) {
			h := newHub(t, dtlsserver.Config{})
			c := newCaller(t, h, true)
			c.mangle = func(s string) string { return strings.ReplaceAll(s, "a=setup:actpass", "a=setup:"+setup) }
			echoes := map[string]chan webrtc.DataChannelMessage{}
			channels := map[string]*webrtc.DataChannel{}
			yes, no, zero, life, id := true, false, uint16(0), uint16(500), uint16(1000)
			for label, init := range map[string]*webrtc.DataChannelInit{
				"reliable":  nil,
				"unordered": {Ordered: &no},
				"once":      {Ordered: &no, MaxRetransmits: &zero},
				"late":      {Ordered: &yes, MaxPacketLifeTime: &life},
				"agreed":    {Negotiated: &yes, ID: &id},
			} {
				dc, err := c.pc.CreateDataChannel(label, init)
				must(t, err)
				echo := make(chan webrtc.DataChannelMessage, 64)
				dc.OnMessage(func(m webrtc.DataChannelMessage) { echo <- m })
				echoes[label], channels[label] = echo, dc
			}
			c.offer(false)
			until(t, "the transport to be ready", c.ready)
			c.talk(50)
			for label, dc := range channels {
				until(t, label+" to open", func() bool { return dc.ReadyState() == webrtc.DataChannelStateOpen })
				for _, size := range []int{1, 0, 1200, 60_000} {
					message := bytes.Repeat([]byte{byte(size)}, size)
					must(t, dc.Send(message))
					if m := receive(t, echoes[label]); m.IsString || !bytes.Equal(m.Data, message) {
						t.Errorf("%s: sent %d bytes, got %d", label, size, len(m.Data))
					}
				}
				must(t, dc.SendText("häh?"))
				if m := receive(t, echoes[label]); !m.IsString || string(m.Data) != "häh?" {
					t.Errorf("%s: %+v", label, m)
				}
			}
			c.offer(true)
			c.talk(50)
			until(t, "the old credentials to retire", func() (ok bool) {
				h.Do(func() { ok = len(c.there.Transport.Ufrags()) == 1 })
				return ok
			})
			c.talk(20)
			t.Logf("%s", h.Report(c.there))
			h.Do(func() {
				all := strings.Join(c.there.Labels, "\n")
				for _, want := range []string{
					"reliable/ {Unordered:false Lossy:false Retransmits:0 Lifetime:0s}", "unordered/ {Unordered:true Lossy:false Retransmits:0 Lifetime:0s}",
					"once/ {Unordered:true Lossy:true Retransmits:0 Lifetime:0s}", "late/ {Unordered:false Lossy:true Retransmits:0 Lifetime:500ms}", "agreed/ ",
				} {
					if !strings.Contains(all, want) {
						t.Errorf("no channel %q among\n%s", want, all)
					}
				}
				if p := c.there.Keys.Profile.String(); !strings.Contains(p, "GCM") {
					t.Error(p)
				}
			})
			// Not pc.Close: that lets SCTP's reader close DTLS too, and whoever is second there takes the socket
			// away under the first one's alert.
			must(t, c.pc.SCTP().Transport().Stop())
			until(t, "the goodbye", func() (ok bool) {
				h.Do(func() { ok = c.there.Why != "" })
				return ok
			})
			if c.there.Why != io.EOF.Error() {
				t.Error(c.there.Why)
			}
		})
	}
}

// Peers without AES-GCM are served too.
func TestWithoutGCM(t *testing.T) {
	for _, setup := range []string{"passive", "active"} {
		h := newHub(t, dtlsserver.Config{})
		c := newCaller(t, h, true, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
		c.mangle = func(s string) string { return strings.ReplaceAll(s, "a=setup:actpass", "a=setup:"+setup) }
		c.offer(false)
		until(t, "the transport to be ready", c.ready)
		c.talk(20)
		h.Do(func() {
			if p := c.there.Keys.Profile; p != srtp.AES128CMHMACSHA180 {
				t.Error(p)
			}
		})
	}
}

// A peer with no profile of ours gets no keys, and is told nothing but that the handshake failed.
func TestNoProfile(t *testing.T) {
	h := newHub(t, dtlsserver.Config{})
	c := newCaller(t, h, true, dtls.SRTP_AES128_CM_HMAC_SHA1_32)
	c.offer(false)
	until(t, "the refusal", func() (ok bool) {
		h.Do(func() { ok = c.there.Why != "" })
		return ok
	})
	h.Do(func() {
		if c.there.Keys.Profile != 0 || !strings.Contains(c.there.Why, "handshake failed") {
			t.Error(c.there.Why)
		}
	})
}

func receive(t testing.TB, from <-chan webrtc.DataChannelMessage) webrtc.DataChannelMessage {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case m := <-from:
		return m
	case <-timer.C:
		t.Fatal("waited in vain for a message")
		panic("")
	}
}

// A certificate that signalling did not name is refused, in both roles, and no key is taken from it.
func TestWrongFingerprint(t *testing.T) {
	for _, setup := range []string{"passive", "active"} {
		h := newHub(t, dtlsserver.Config{})
		c := newCaller(t, h, true)
		c.mangle = func(s string) string {
			i := strings.Index(s, "a=fingerprint:sha-256 ") + len("a=fingerprint:sha-256 ")
			old := s[i : i+95]
			return strings.ReplaceAll(strings.ReplaceAll(s, "a=setup:actpass", "a=setup:"+setup), old, strings.Repeat("00:", 31)+"00")
		}
		c.offer(false)
		until(t, "the refusal", func() (ok bool) {
			h.Do(func() { ok = c.there.Why == dtlsserver.ErrFingerprint.Error() })
			return ok
		})
		h.Do(func() {
			if c.there.Keys.Profile != 0 || fmt.Sprint(c.there.Transport.Failure()) != "the handshake failed" {
				t.Error(c.there.Keys, c.there.Transport.Failure())
			}
		})
		if s := h.Server.Stats(); s.Opened != 0 || s.Failed != 1 || s.HalfOpen != 0 {
			t.Errorf("%+v", s)
		}
	}
}
