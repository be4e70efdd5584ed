package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// newAPI makes pion with its default codecs and interceptors, over loopback only.
func newAPI() (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	interceptors := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(media, interceptors); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool {
		i, err := net.InterfaceByName(name)
		return err == nil && i.Flags&net.FlagLoopback != 0
	})
	settings.SetIPFilter(func(ip net.IP) bool { return ip.To4() != nil })
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors), webrtc.WithSettingEngine(settings)), nil
}

var (
	vp8  = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
)

// shared is what all clients of a run have in common.
type shared struct {
	api    *webrtc.API
	epoch  epoch
	window atomic.Uint32 // odd while it is measured
}

// person is one client.
type person struct {
	*shared
	pc      *webrtc.PeerConnection
	camera  *camera // nil when it does not send
	video   *webrtc.TrackLocalStaticRTP
	sound   *webrtc.TrackLocalStaticRTP
	began   int64
	first   chan struct{} // closed at the first packet of video
	once    sync.Once
	joined  int64 // how long that took
	keyed   bool  // whether it was of a key frame
	done    chan struct{}
	running sync.WaitGroup

	mu     sync.Mutex
	tracks []*heard
}

// heard is what was received on one track during the window.
type heard struct {
	mu        sync.Mutex
	window    uint32
	received  uint64
	low, high uint32 // sequence numbers
	latency   histogram
}

// newPerson makes a client with places to receive, which publishes as source unless that is 0.
func (s *shared) newPerson(places int, source uint16) (*person, error) {
	p := &person{shared: s, began: s.epoch.now(), first: make(chan struct{}), done: make(chan struct{})}
	var err error
	if p.pc, err = s.api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return nil, err
	}
	p.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.listen(t) })
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		for range places {
			if _, err := p.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
				return nil, errors.Join(err, p.pc.Close())
			}
		}
	}
	if source != 0 {
		if err := p.publish(source); err != nil {
			return nil, errors.Join(err, p.pc.Close())
		}
	}
	return p, nil
}

// publish adds the tracks. They come behind the places.
func (p *person) publish(source uint16) error {
	p.camera = &camera{epoch: p.epoch, source: source}
	var err error
	stream := fmt.Sprint("person-", source)
	if p.video, err = webrtc.NewTrackLocalStaticRTP(vp8, "video", stream); err != nil {
		return err
	}
	if p.sound, err = webrtc.NewTrackLocalStaticRTP(opus, "audio", stream); err != nil {
		return err
	}
	for _, track := range []webrtc.TrackLocal{p.video, p.sound} {
		t, err := p.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		p.running.Go(func() { p.obey(t.Sender()) })
	}
	return nil
}

// obey makes a key frame when one is asked for.
func (p *person) obey(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.camera.wantKey.Store(true)
			}
		}
	}
}

// listen receives one track.
func (p *person) listen(t *webrtc.TrackRemote) {
	h := &heard{}
	p.mu.Lock()
	p.tracks = append(p.tracks, h)
	p.mu.Unlock()
	b := make([]byte, 2000)
	for {
		n, _, err := t.Read(b)
		if err != nil {
			return
		}
		m, ok := readMark(b[:n])
		if !ok {
			continue
		}
		if m.video {
			p.once.Do(func() {
				p.joined, p.keyed = p.epoch.now()-p.began, m.key
				close(p.first)
			})
		}
		if w := p.window.Load(); w&1 == 1 {
			h.note(w, m, p.epoch.now())
		}
	}
}

// note counts a packet of the window.
func (h *heard) note(window uint32, m mark, now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.window != window {
		h.window, h.received, h.low, h.high, h.latency = window, 0, m.sequence, m.sequence, histogram{}
	}
	h.received++
	h.low, h.high = min(h.low, m.sequence), max(h.high, m.sequence)
	h.latency.add(now - m.sent)
}

// offer returns the offer, with all candidates.
func (p *person) offer(ctx context.Context) (string, error) {
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	return p.gathered(ctx, offer)
}

// gathered applies a description of ours and waits for the candidates.
func (p *person) gathered(ctx context.Context, d webrtc.SessionDescription) (string, error) {
	complete := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(d); err != nil {
		return "", err
	}
	select {
	case <-complete:
		return p.pc.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// join enters a room of a server.
func (p *person) join(ctx context.Context, url string) error {
	offer, err := p.offer(ctx)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(offer)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/sdp")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("the server answers %s: %s", response.Status, answer)
	}
	return p.accept(string(answer))
}

// accept applies the answer, and begins to send.
func (p *person) accept(answer string) error {
	connected := make(chan struct{})
	var once sync.Once
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(connected) })
		}
	})
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return err
	}
	if p.camera != nil {
		p.running.Go(func() {
			select {
			case <-connected:
				p.camera.film(p.video, p.sound, p.done)
			case <-p.done:
			}
		})
	}
	return nil
}

// seen waits for the first packet of video.
func (p *person) seen(ctx context.Context) error {
	select {
	case <-p.first:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no video: connection %v, ICE %v", p.pc.ConnectionState(), p.pc.ICEConnectionState())
	}
}

func (p *person) close() {
	close(p.done)
	_ = p.pc.Close()
	p.running.Wait()
}

// tally sums up what was received in a window.
func (p *person) tally(window uint32, r *result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.tracks {
		h.mu.Lock()
		if h.window == window {
			r.received += h.received
			r.expected += uint64(h.high-h.low) + 1
			r.latency.merge(&h.latency)
			r.heard++
		}
		h.mu.Unlock()
	}
}

// patience bounds what should take a moment.
const patience = time.Minute
