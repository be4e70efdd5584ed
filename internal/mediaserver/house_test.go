package mediaserver

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/turn"
	"github.com/parley-rtc/parley/internal/turnserver"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	pionrtp "github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// patience bounds what should take a moment.
const patience = 20 * time.Second

// house is a hub on real sockets, and what it told.
type house struct {
	*Server
	port *portserver.Server

	mu     sync.Mutex
	ended  map[Link]error
	up     map[Link]bool
	told   []sfu.Event
	change chan struct{}      // closed at the next event
	way    webrtc.NetworkType // of the clients that come from now on
	only   *webrtc.ICEServer  // a relay that they have to take
	turn   *turnserver.Server
	relay  chan []byte // what the hub did not take
}

func open(t testing.TB, loops int) *house {
	t.Helper()
	h := &house{ended: map[Link]error{}, up: map[Link]bool{}, change: make(chan struct{}), relay: make(chan []byte, 16), way: webrtc.NetworkTypeUDP4}
	var err error
	h.Server, err = New(Config{Listener: h, Fault: func(at Link, cause any, stack []byte) { t.Errorf("%v: %v\n%s", at, cause, stack) }, Relay: func(a netip.AddrPort, b []byte) { h.turn.HandleHub(a, b) }, Candidates: func() []sdp.Candidate {
		return []sdp.Candidate{{Address: h.port.Addr()}, {Address: h.port.Addr(), TCP: true}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if h.port, err = portserver.Listen(portserver.Config{Address: "127.0.0.1:0", Batches: h.Server, Packets: h, Streams: later{h}, Peers: h.Server, Loops: loops}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	h.Attach(h.port)
	cfg := turnserver.Config{Hub: h.Server, Engine: turn.Config{Relay4: h.port.Addr().Addr()}}
	if h.turn, err = turnserver.New(cfg, grants{}, h.port.WriteTo, slog.New(slog.DiscardHandler), rand.Reader); err != nil {
		t.Fatal(err)
	}
	h.turn.SetPort(h.port.Addr().Port())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.port.Serve(context.Background()); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		h.Close()
		if st := h.port.Stats(); st.Panics != 0 {
			t.Errorf("%d panics", st.Panics)
		}
		h.port.Close()
		h.turn.Close()
		running.Wait()
	})
	return h
}

// HandlePacket gets what is not the hub's: portserver.Packets.
func (h *house) HandlePacket(src netip.AddrPort, local netip.Addr, b []byte) {
	defer h.turn.HandlePacket(src, local, b)
	select {
	case h.relay <- append([]byte(nil), b...):
	default:
	}
}

func (h *house) note(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	close(h.change)
	h.change = make(chan struct{})
}

func (h *house) Told(_ string, e sfu.Event)    { h.note(func() { h.told = append(h.told, e) }) }
func (h *house) Connected(at Link)             { h.note(func() { h.up[at] = true }) }
func (h *house) Ended(at Link, err error)      { h.note(func() { h.ended[at] = err }) }
func (h *house) endedWith(at Link) (err error) { h.mu.Lock(); defer h.mu.Unlock(); return h.ended[at] }

// until waits for something that events bring about.
func (h *house) until(t testing.TB, what string, done func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		h.mu.Lock()
		ok, change := done(), h.change
		h.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-change:
		case <-timeout:
			t.Fatalf("%s: never", what)
		}
	}
}

// later is the relay, which is made after the port.
type later struct{ h *house }

func (l later) ServeStream(c net.Conn, overTLS bool) { l.h.turn.ServeStream(c, overTLS) }

// grants gives everybody the relay.
type grants struct{}

func (grants) Grant(now time.Time, username string) (turn.Grant, bool) {
	return turn.Grant{Password: "pw", Session: username, Expires: now.Add(time.Hour)}, true
}
func (grants) Alive(string) bool { return true }

// roads is how clients come from now on.
func (h *house) roads() webrtc.Configuration {
	if h.only == nil {
		return webrtc.Configuration{}
	}
	return webrtc.Configuration{ICEServers: []webrtc.ICEServer{*h.only}, ICETransportPolicy: webrtc.ICETransportPolicyRelay}
}

// guest is a pion client.
type guest struct {
	t     testing.TB
	h     *house
	at    Link
	pc    *webrtc.PeerConnection
	video *webrtc.TrackLocalStaticRTP
	sound *webrtc.TrackLocalStaticRTP
	keys  atomic.Int32 // requests for key frames that came
	heard chan heard
	done  chan struct{}
	busy  sync.WaitGroup
	once  sync.Once
}

// heard is a track that began.
type heard struct {
	kind  webrtc.RTPCodecType
	key   bool // its first packet begins a key frame
	track *webrtc.TrackRemote
}

func newAPI(t testing.TB, way webrtc.NetworkType) *webrtc.API {
	t.Helper()
	media, registry, settings := &webrtc.MediaEngine{}, &interceptor.Registry{}, webrtc.SettingEngine{}
	if err := errors.Join(media.RegisterDefaultCodecs(), webrtc.RegisterDefaultInterceptors(media, registry)); err != nil {
		t.Fatal(err)
	}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	settings.SetNetworkTypes([]webrtc.NetworkType{way})
	settings.SetRelayAcceptanceMinWait(0)
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
}

// come makes a client with places for pictures and sound, which publishes if it is to.
func (h *house) come(t testing.TB, at Link, places int, publishes bool) *guest {
	t.Helper()
	g := &guest{t: t, h: h, at: at, heard: make(chan heard, 16), done: make(chan struct{})}
	var err error
	if g.pc, err = newAPI(t, h.way).NewPeerConnection(h.roads()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.leave)
	g.pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { g.listen(track) })
	g.places(places)
	if publishes {
		g.publish()
	}
	return g
}

func (g *guest) places(n int) {
	for range n {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
			if _, err := g.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
				g.t.Fatal(err)
			}
		}
	}
}

func (g *guest) publish() {
	var err error
	g.video, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "video", g.at.Seat)
	if err != nil {
		g.t.Fatal(err)
	}
	g.sound, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "sound", g.at.Seat)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, track := range []webrtc.TrackLocal{g.video, g.sound} {
		tr, err := g.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			g.t.Fatal(err)
		}
		g.busy.Go(func() {
			for {
				packets, _, err := tr.Sender().ReadRTCP()
				if err != nil {
					return
				}
				for _, p := range packets {
					if _, ok := p.(*rtcp.PictureLossIndication); ok {
						g.keys.Add(1)
					}
				}
			}
		})
	}
}

// film sends 30 frames of 3 packets and 50 of sound a second, a key frame when one is asked for.
func (g *guest) film() {
	frames, sounds := time.NewTicker(time.Second/30), time.NewTicker(20*time.Millisecond)
	defer frames.Stop()
	defer sounds.Stop()
	var number, sound uint16
	var served int32 = -1
	for frame := uint32(0); ; {
		select {
		case <-g.done:
			return
		case <-sounds.C:
			sound++
			_ = g.sound.WriteRTP(&pionrtp.Packet{Payload: make([]byte, 80), Header: pionrtp.Header{Version: 2, SequenceNumber: sound, Timestamp: uint32(sound) * 960}})
		case <-frames.C:
			asked := g.keys.Load()
			key := asked != served
			served = asked
			for i := range 3 {
				number++
				_ = g.video.WriteRTP(&pionrtp.Packet{Payload: picture(frame, i == 0, key), Header: pionrtp.Header{
					Version: 2, SequenceNumber: number, Timestamp: frame * 3000, Marker: i == 2,
				}})
			}
			frame++
		}
	}
}

// picture is a packet that looks like VP8 as far as a forwarder looks (RFC 7741 §4.2).
func picture(frame uint32, first, key bool) []byte {
	b := make([]byte, 1000)
	b[0], b[1] = 0x80, 0x80
	binary.BigEndian.PutUint16(b[2:], 0x8000|uint16(frame&0x7fff))
	if first {
		b[0] |= 0x10
		b[4] = 0x11
		if key {
			b[4] = 0x10
			copy(b[7:], []byte{0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01})
		}
	}
	return b
}

func (g *guest) listen(track *webrtc.TrackRemote) {
	b := make([]byte, 2000)
	for first := true; ; first = false {
		n, _, err := track.Read(b)
		if err != nil {
			return
		}
		var p pionrtp.Packet
		if !first || p.Unmarshal(b[:n]) != nil {
			continue
		}
		key := len(p.Payload) > 5 && p.Payload[0]&0x10 != 0 && p.Payload[4]&1 == 0
		g.heard <- heard{track.Kind(), key, track}
	}
}

// offer negotiates; show is what the places for video show, in their order.
func (g *guest) offer(restart bool, show ...sfu.Want) Answer {
	g.t.Helper()
	d, err := g.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err == nil {
		err = g.pc.SetLocalDescription(d)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	o := Offer{Link: g.at, SDP: g.pc.LocalDescription().SDP}
	for _, tr := range g.pc.GetTransceivers() {
		switch {
		case tr.Direction() == webrtc.RTPTransceiverDirectionSendonly && tr.Kind() == webrtc.RTPCodecTypeVideo:
			o.Tracks = append(o.Tracks, sfu.Track{MID: tr.Mid(), Source: "camera"})
		case tr.Direction() == webrtc.RTPTransceiverDirectionSendonly:
			o.Tracks = append(o.Tracks, sfu.Track{MID: tr.Mid(), Source: "microphone"})
		case tr.Kind() == webrtc.RTPCodecTypeVideo && len(show) > len(o.Show):
			want := show[len(o.Show)]
			want.MID = tr.Mid()
			o.Show = append(o.Show, want)
		}
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	answer, err := g.h.Offer(ctx, o)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP}); err != nil {
		g.t.Fatalf("%v\n%s", err, answer.SDP)
	}
	if g.video != nil {
		g.once.Do(func() {
			g.h.until(g.t, "connected", func() bool { return g.h.up[g.at] })
			g.busy.Go(g.film)
		})
	}
	return answer
}

// hears waits until tracks of pictures and of sound have begun; those of pictures with a key frame.
func (g *guest) hears(pictures, sounds int) {
	g.t.Helper()
	timeout := time.After(patience)
	for pictures+sounds > 0 {
		select {
		case h := <-g.heard:
			if h.kind == webrtc.RTPCodecTypeVideo {
				pictures--
				if !h.key {
					g.t.Errorf("%v: the first packet is of no key frame", g.at)
				}
			} else {
				sounds--
			}
		case <-timeout:
			g.t.Fatalf("%v: still to come: %d pictures, %d sounds; %v", g.at, pictures, sounds, g.pc.ConnectionState())
		}
	}
}

func (g *guest) leave() {
	select {
	case <-g.done:
	default:
		close(g.done)
		_ = g.pc.Close()
		g.busy.Wait()
	}
}
