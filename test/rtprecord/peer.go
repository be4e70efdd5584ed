package main

import (
	"strconv"
	"strings"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// peer answers Chromium.
type peer struct {
	*webrtc.PeerConnection
	tape *tape
	back *webrtc.TrackLocalStaticRTP
	mu   sync.Mutex
	seen []webrtc.SSRC
}

var extensions = []string{
	"urn:ietf:params:rtp-hdrext:ssrc-audio-level",
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
	"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
	"urn:ietf:params:rtp-hdrext:sdes:mid",
	"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
	"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
	"urn:ietf:params:rtp-hdrext:toffset",
	"urn:3gpp:video-orientation",
	"http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
	"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
	"http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
}

func newPeer(s scene, tape *tape) (*peer, error) {
	var media webrtc.MediaEngine
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	red := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111"},
		PayloadType:        63,
	}
	if err := media.RegisterCodec(red, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	for _, uri := range extensions {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if err := media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	// The recorder first: it stands nearest to the wire.
	var registry interceptor.Registry
	registry.Add(microphone{tape})
	if err := webrtc.RegisterDefaultInterceptors(&media, &registry); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(&media, &registry); err != nil {
		return nil, err
	}
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(&media), webrtc.WithInterceptorRegistry(&registry), webrtc.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	p := &peer{PeerConnection: pc, tape: tape}
	pc.OnTrack(p.play)
	if s.echo {
		p.back, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: s.Codec}, "back", "back")
		if err == nil {
			var sender *webrtc.RTPSender
			if sender, err = pc.AddTrack(p.back); err == nil {
				go drain(sender.ReadRTCP)
			}
		}
	}
	return p, err
}

// play reads a track, so that the interceptors see it, and sends the first one back, but for one packet in 20.
func (p *peer) play(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	if track.RID() == "" {
		go drain(receiver.ReadRTCP)
	} else {
		go drain(func() ([]rtcp.Packet, interceptor.Attributes, error) { return receiver.ReadSimulcastRTCP(track.RID()) })
	}
	p.mu.Lock()
	p.seen = append(p.seen, track.SSRC())
	first := len(p.seen) == 1 && p.back != nil
	p.mu.Unlock()
	for n := 0; ; n++ {
		pkt, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if first && n%20 != 10 {
			pkt.Extension, pkt.Extensions = false, nil
			_ = p.back.WriteRTP(pkt)
		}
	}
}

// drain reads reports, so that the interceptors see them, until there are no more.
func drain(read func() ([]rtcp.Packet, interceptor.Attributes, error)) {
	for {
		if _, _, err := read(); err != nil {
			return
		}
	}
}

func (p *peer) askForKeyFrames() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ssrc := range p.seen {
		_ = p.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}})
	}
}

// answer answers the offer when all candidates are there, and notes what the offer means by its numbers.
func (p *peer) answer(offer string) (string, error) {
	p.tape.head.Extensions, p.tape.head.Codecs = map[int]string{}, map[int]string{}
	for line := range strings.Lines(offer) {
		fields := strings.Fields(strings.TrimSpace(line))
		if len(fields) < 2 {
			continue
		}
		if text, ok := strings.CutPrefix(fields[0], "a=extmap:"); ok {
			text, _, _ = strings.Cut(text, "/")
			if id, err := strconv.Atoi(text); err == nil {
				p.tape.head.Extensions[id] = fields[1]
			}
		}
		if text, ok := strings.CutPrefix(fields[0], "a=rtpmap:"); ok {
			if id, err := strconv.Atoi(text); err == nil {
				p.tape.head.Codecs[id] = fields[1]
			}
		}
	}
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := p.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(p.PeerConnection)
	if err := p.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-gathered
	return p.LocalDescription().SDP, nil
}

// microphone is an interceptor that puts on tape what comes.
type microphone struct{ tape *tape }

func (m microphone) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &ear{tape: m.tape}, nil
}

type ear struct {
	interceptor.NoOp
	tape *tape
}

func (e *ear) BindRemoteStream(_ *interceptor.StreamInfo, reader interceptor.RTPReader) interceptor.RTPReader {
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, attributes, err := reader.Read(b, a)
		if err == nil {
			e.tape.rtp(b[:n])
		}
		return n, attributes, err
	})
}

func (e *ear) BindRTCPReader(reader interceptor.RTCPReader) interceptor.RTCPReader {
	return interceptor.RTCPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, attributes, err := reader.Read(b, a)
		if err == nil {
			e.tape.rtcp(b[:n])
		}
		return n, attributes, err
	})
}
