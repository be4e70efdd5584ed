package e2e

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

// line is a guest's link with the hub.
type line struct {
	pc      *webrtc.PeerConnection
	link    string
	control *webrtc.DataChannel
	picture *webrtc.TrackLocalStaticRTP
	sound   *webrtc.TrackLocalStaticRTP
	levelID atomic.Uint32
	sends   []*webrtc.RTPTransceiver
	loud    atomic.Bool
	mark    atomic.Int32 // what packets say at their end: whose they are
	keys    atomic.Int32 // requests for key frames that came
	done    chan struct{}
	busy    sync.WaitGroup

	// Guarded by the guest's mutex.
	open     bool
	phase    webrtc.PeerConnectionState
	places   map[string]string // what each place shows, by mid
	held     map[string]string // why it shows nothing
	speakers []string
	layers   map[string][]string
	told     []string
	pongs    []float64
	heard    map[string]int // packets that came, by mid and by whom they say they are
	data     []string
	channels map[string]*webrtc.DataChannel
}

func (m *line) String() string {
	if m == nil {
		return "no link"
	}
	return fmt.Sprintf("link %s %v, places %v %v, heard %v, speakers %v, data %v", m.link, m.phase, m.places, m.held, m.heard, m.speakers, m.data)
}

func newAPI(g *guest, r road) *webrtc.API {
	engine, registry, settings := &webrtc.MediaEngine{}, &interceptor.Registry{}, webrtc.SettingEngine{}
	if err := errors.Join(engine.RegisterDefaultCodecs(), webrtc.RegisterDefaultInterceptors(engine, registry),
		engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: audioLevel}, webrtc.RTPCodecTypeAudio)); err != nil {
		g.t.Fatal(err)
	}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	settings.SetNetworkTypes(r.networks)
	settings.SetRelayAcceptanceMinWait(0)
	if r.dialer != nil {
		settings.SetICEProxyDialer(r.dialer)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
}

// dialHub makes a link with the hub, with places for pictures and as many for sound, and sends sound and pictures on it.
func (g *guest) dialHub(link string, r road, places int, show ...signal.Want) {
	g.t.Helper()
	g.hangUp()
	m := &line{
		link: link, done: make(chan struct{}), places: map[string]string{}, held: map[string]string{}, layers: map[string][]string{},
		heard: map[string]int{}, channels: map[string]*webrtc.DataChannel{},
	}
	var config webrtc.Configuration
	if r.relay != nil {
		config = webrtc.Configuration{ICEServers: r.relay(g.ice), ICETransportPolicy: webrtc.ICETransportPolicyRelay}
	}
	var err error
	if m.pc, err = newAPI(g, r).NewPeerConnection(config); err != nil {
		g.t.Fatal(err)
	}
	g.note(func() { g.line = m })
	m.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { g.note(func() { m.phase = s }) })
	m.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) { g.listen(m, track, receiver) })
	m.pc.OnDataChannel(func(ch *webrtc.DataChannel) { g.receive(m, ch) })
	zero, yes := uint16(0), true
	if m.control, err = m.pc.CreateDataChannel("parley", &webrtc.DataChannelInit{ID: &zero, Negotiated: &yes}); err != nil {
		g.t.Fatal(err)
	}
	m.control.OnOpen(func() { g.note(func() { m.open = true }) })
	m.control.OnMessage(func(msg webrtc.DataChannelMessage) { g.note(func() { m.hear(msg) }) })
	g.publish(m)
	for range places {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if _, err := m.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
				g.t.Fatal(err)
			}
		}
	}
	g.offer(show...)
	g.until("a connection", func() bool { return m.phase == webrtc.PeerConnectionStateConnected && m.open })
	m.mark.Store(int32(g.name[0]))
	m.busy.Go(m.film)
}

func (g *guest) publish(m *line) {
	var err error
	m.sound, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "sound", g.name)
	if err != nil {
		g.t.Fatal(err)
	}
	m.picture, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "picture", g.name)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, track := range []webrtc.TrackLocal{m.sound, m.picture} {
		tr, err := m.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			g.t.Fatal(err)
		}
		m.sends = append(m.sends, tr)
		m.busy.Go(func() {
			for {
				packets, _, err := tr.Sender().ReadRTCP()
				if err != nil {
					return
				}
				for _, p := range packets {
					if _, ok := p.(*rtcp.PictureLossIndication); ok {
						m.keys.Add(1)
					}
				}
			}
		})
	}
}

// offer negotiates. What is to be seen is given in the order of the places for pictures.
func (g *guest) offer(show ...signal.Want) {
	g.t.Helper()
	m := g.line
	d, err := m.pc.CreateOffer(nil)
	gathered := webrtc.GatheringCompletePromise(m.pc)
	if err == nil {
		err = m.pc.SetLocalDescription(d)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	<-gathered
	g.mu.Lock()
	delete(g.answers, m.link)
	faults := len(g.faults)
	g.mu.Unlock()
	o := &signal.Offer{Peer: signal.Peer{To: signal.Hub, Link: m.link}, SDP: m.pc.LocalDescription().SDP}
	o.Tracks = []signal.Track{{Mid: m.sends[0].Mid(), Source: signal.SourceMicrophone}, {Mid: m.sends[1].Mid(), Source: signal.SourceCamera}}
	for i, mid := range m.screens() {
		if i < len(show) {
			show[i].Mid = mid
			o.Show = append(o.Show, show[i])
		}
	}
	g.send(o)
	g.until("an answer", func() bool { return g.answers[m.link] != nil || len(g.faults) > faults })
	var answer *signal.Answer
	g.look(func() { answer = g.answers[m.link] })
	if answer == nil {
		g.t.Fatalf("%s is refused: %v", g.name, words(g.faults))
	}
	if err := m.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP}); err != nil {
		g.t.Fatalf("%v\n%s", err, answer.SDP)
	}
	for _, e := range m.sends[0].Sender().GetParameters().HeaderExtensions {
		if e.URI == audioLevel {
			m.levelID.Store(uint32(e.ID))
		}
	}
}

// screens are the places for pictures.
func (m *line) screens() (mids []string) {
	for _, tr := range m.pc.GetTransceivers() {
		if tr.Kind() == webrtc.RTPCodecTypeVideo && tr.Direction() == webrtc.RTPTransceiverDirectionRecvonly {
			mids = append(mids, tr.Mid())
		}
	}
	return mids
}

func (g *guest) hangUp() {
	g.mu.Lock()
	m := g.line
	g.mu.Unlock()
	if m == nil {
		return
	}
	select {
	case <-m.done:
		return
	default:
	}
	close(m.done)
	_ = m.pc.Close()
	m.busy.Wait()
}

// film sends 30 frames of 2 packets and 50 packets of sound a second, each of which says whose it is.
func (m *line) film() {
	frames, sounds := time.NewTicker(time.Second/30), time.NewTicker(20*time.Millisecond)
	defer frames.Stop()
	defer sounds.Stop()
	var number, sound uint16
	var served int32 = -1
	for frame := uint32(0); ; {
		select {
		case <-m.done:
			return
		case <-sounds.C:
			who := byte(m.mark.Load())
			sound++
			p := &rtp.Packet{Payload: []byte{0xf8, who, who}, Header: rtp.Header{Version: 2, SequenceNumber: sound, Timestamp: uint32(sound) * 960}}
			level := byte(100) // -dBov: next to nothing
			if m.loud.Load() {
				level = 20
			}
			if id := m.levelID.Load(); id != 0 {
				_ = p.SetExtension(uint8(id), []byte{level})
			}
			_ = m.sound.WriteRTP(p)
		case <-frames.C:
			who, asked := byte(m.mark.Load()), m.keys.Load()
			key := asked != served
			served = asked
			for i := range 2 {
				number++
				_ = m.picture.WriteRTP(&rtp.Packet{Payload: frameOf(who, frame, i == 0, key), Header: rtp.Header{
					Version: 2, SequenceNumber: number, Timestamp: frame * 3000, Marker: i == 1,
				}})
			}
			frame++
		}
	}
}

// frameOf is a packet that looks like VP8 as far as a forwarder looks (RFC 7741 §4.2), and says at its end whose it is.
func frameOf(who byte, frame uint32, first, key bool) []byte {
	b := make([]byte, 700)
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
	b[len(b)-1] = who
	return b
}

// listen counts what comes on a place, by whom it says it is.
func (g *guest) listen(m *line, track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	mid := ""
	for _, tr := range m.pc.GetTransceivers() {
		if tr.Receiver() == receiver {
			mid = tr.Mid()
		}
	}
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if n := len(p.Payload); n > 2 {
			g.note(func() { m.heard[mid+string(p.Payload[n-1])]++ })
		}
	}
}

// hear notes what the hub says.
func (m *line) hear(msg webrtc.DataChannelMessage) {
	var o struct {
		Type, From string
		Places     []struct{ Mid, Seat, Source, Paused string }
		Speakers   []string
		Layers     []struct {
			Mid  string
			RIDs []string
		}
		Message json.RawMessage
		ID      float64
	}
	if json.Unmarshal(msg.Data, &o) != nil {
		return
	}
	switch o.Type {
	case "places":
		m.places, m.held = map[string]string{}, map[string]string{}
		for _, p := range o.Places {
			m.places[p.Mid] = p.Seat + " " + p.Source
			if p.Paused != "" {
				m.held[p.Mid] = p.Paused
			}
		}
	case "speakers":
		m.speakers = o.Speakers
	case "layers":
		m.layers = map[string][]string{}
		for _, l := range o.Layers {
			m.layers[l.Mid] = l.RIDs
		}
	case "told":
		m.told = append(m.told, o.From+" "+string(o.Message))
	case "pong":
		m.pongs = append(m.pongs, o.ID)
	}
}

// receive takes a channel that the hub has opened.
func (g *guest) receive(m *line, ch *webrtc.DataChannel) {
	name := ch.Label() + " " + ch.Protocol()
	ch.OnOpen(func() { g.note(func() { m.channels[name] = ch }) }) // before that nothing can be sent on it
	ch.OnMessage(func(msg webrtc.DataChannelMessage) {
		g.note(func() { m.data = append(m.data, name+" "+string(msg.Data)) })
	})
	ch.OnClose(func() { g.note(func() { delete(m.channels, name) }) })
}

// perceives reports whether sound and pictures of somebody come on the places that the hub says are theirs.
func (g *guest) perceives(who *guest, picture bool) bool {
	sound, seen := false, false
	for mid, shown := range g.places {
		if g.heard[mid+who.name[:1]] < 5 {
			continue
		}
		sound = sound || shown == who.seat+" microphone"
		seen = seen || shown == who.seat+" camera"
	}
	return sound && (seen || !picture)
}

// opens opens a channel to the hub, and waits until it is open.
func (g *guest) opens(label, protocol string, init *webrtc.DataChannelInit) *webrtc.DataChannel {
	g.t.Helper()
	if init == nil {
		init = &webrtc.DataChannelInit{}
	}
	init.Protocol = &protocol
	ch, err := g.pc.CreateDataChannel(label, init)
	if err != nil {
		g.t.Fatal(err)
	}
	open := false
	ch.OnOpen(func() { g.note(func() { open = true }) })
	g.until("the channel "+label, func() bool { return open })
	return ch
}
