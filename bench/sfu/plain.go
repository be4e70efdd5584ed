package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// plain is the smallest server on pion that does what the bench needs: one local track for each remote one, which pion sends to
// whoever has it. It keeps nothing, waits for no key frame, estimates nothing.
type plain struct {
	api *webrtc.API

	mu    sync.Mutex
	rooms map[string]*plainRoom
}

type plainRoom struct {
	sources []*plainSource
	people  []*plainPerson
}

// plainSource is a published track.
type plainSource struct {
	from  *plainPerson
	track *webrtc.TrackLocalStaticRTP
	ssrc  webrtc.SSRC
}

type plainPerson struct {
	pc     *webrtc.PeerConnection
	places []*plainPlace
}

// plainPlace is a section that sends to a person.
type plainPlace struct {
	kind   webrtc.RTPCodecType
	sender *webrtc.RTPSender
	source *plainSource
}

// servePlain serves until in ends.
func servePlain(in io.Reader, out io.Writer) error {
	api, err := newAPI()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &plain{api: api, rooms: make(map[string]*plainRoom)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{room}/{seat}", s.join)
	mux.HandleFunc("GET /memory", memory)
	server := &http.Server{Handler: mux}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = server.Shutdown(context.Background())
	}()
	fmt.Fprintf(out, "http://%s\n", listener.Addr())
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	s.close()
	return nil
}

// memory answers with the allocations so far.
func memory(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	_ = json.NewEncoder(w).Encode(map[string]uint64{"mallocs": m.Mallocs})
}

// join makes a person of an offer.
func (s *plain) join(w http.ResponseWriter, r *http.Request) {
	offer, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		var answer string
		if answer, err = s.enter(r.PathValue("room"), string(offer)); err == nil {
			w.Header().Set("Content-Type", "application/sdp")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, answer)
			return
		}
	}
	http.Error(w, err.Error(), http.StatusBadRequest)
}

func (s *plain) enter(name, offer string) (string, error) {
	pc, err := s.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	answer, err := s.negotiate(&plainPerson{pc: pc}, name, offer)
	if err != nil {
		_ = pc.Close()
	}
	return answer, err
}

func (s *plain) negotiate(p *plainPerson, name, offer string) (string, error) {
	p.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { s.forward(name, p, t) })
	description := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}
	if err := p.pc.SetRemoteDescription(description); err != nil {
		return "", err
	}
	if err := s.seat(name, p); err != nil {
		return "", err
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	complete := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-complete
	return p.pc.LocalDescription().SDP, nil
}

// seat gives a person a place for each section that only receives, and everything that is there.
func (s *plain) seat(name string, p *plainPerson) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.room(name)
	for _, t := range p.pc.GetTransceivers() {
		if t.Direction() != webrtc.RTPTransceiverDirectionSendonly {
			continue
		}
		place := &plainPlace{kind: t.Kind()}
		if err := place.open(p, room); err != nil {
			return err
		}
		p.places = append(p.places, place)
	}
	room.people = append(room.people, p)
	return nil
}

// open begins a place, with a source if one is left. pion gives a track to the first section of its kind that has none, and the
// places come before what a person sends.
func (place *plainPlace) open(p *plainPerson, room *plainRoom) error {
	var track *webrtc.TrackLocalStaticRTP
	for _, source := range room.sources {
		if source.track.Kind() == place.kind && !p.has(source) {
			place.source, track = source, source.track
			break
		}
	}
	if track == nil { // nothing yet
		codec := vp8
		if place.kind == webrtc.RTPCodecTypeAudio {
			codec = opus
		}
		var err error
		if track, err = webrtc.NewTrackLocalStaticRTP(codec, place.kind.String(), "nobody"); err != nil {
			return err
		}
	}
	var err error
	place.sender, err = p.pc.AddTrack(track)
	if err == nil {
		go place.obey()
	}
	return err
}

func (p *plainPerson) has(source *plainSource) bool {
	if source.from == p {
		return true
	}
	for _, place := range p.places {
		if place.source == source {
			return true
		}
	}
	return false
}

// obey passes requests for key frames on.
func (place *plainPlace) obey() {
	for {
		packets, _, err := place.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, ok := packet.(*rtcp.PictureLossIndication); ok && place.source != nil {
				_ = place.source.from.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(place.source.ssrc)}})
			}
		}
	}
}

// forward publishes a track of a person, and is done when it ends.
func (s *plain) forward(name string, from *plainPerson, t *webrtc.TrackRemote) {
	track, err := webrtc.NewTrackLocalStaticRTP(t.Codec().RTPCodecCapability, t.ID(), t.StreamID())
	if err != nil {
		return
	}
	s.show(name, &plainSource{from, track, t.SSRC()})
	b := make([]byte, 2000)
	var packet rtp.Packet
	for {
		n, _, err := t.Read(b)
		if err != nil || packet.Unmarshal(b[:n]) != nil {
			return
		}
		packet.Extension, packet.Extensions = false, nil
		if err := track.WriteRTP(&packet); err != nil && !strings.Contains(err.Error(), io.ErrClosedPipe.Error()) {
			return
		}
	}
}

// show puts a new source on everybody's next free place.
func (s *plain) show(name string, source *plainSource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.room(name)
	room.sources = append(room.sources, source)
	for _, p := range room.people {
		for _, place := range p.places {
			if place.source == nil && place.kind == source.track.Kind() && p != source.from {
				if place.sender.ReplaceTrack(source.track) == nil {
					place.source = source
				}
				break
			}
		}
	}
}

func (s *plain) room(name string) *plainRoom {
	if s.rooms[name] == nil {
		s.rooms[name] = &plainRoom{}
	}
	return s.rooms[name]
}

func (s *plain) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, room := range s.rooms {
		for _, p := range room.people {
			_ = p.pc.Close()
		}
	}
}
