package parley

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// soundPlaces is how many people are heard at once: the hub sends no more.
	soundPlaces = 8
	// placeStep is by how many the places for pictures grow.
	placeStep = 4
	// maxPictures is how many pictures may be shown at once.
	maxPictures = 48
)

// trunk is one link with the hub. We always offer, the hub answers. Own sections come first, one for each source, then
// the places, on which the hub shows what we want. The room's owner owns it.
type trunk struct {
	id       string
	probe    bool // it carries nothing: only whether it connects is of interest
	how      transports
	pc       *webrtc.PeerConnection
	control  *webrtc.DataChannel
	pulse    *pulse
	outlets  map[Source][]*outlet // one for each size of a picture, the smallest first
	senders  map[Source]*webrtc.RTPTransceiver
	declared map[Source]bool     // sources that the hub knows to come
	needed   map[Source][]string // sizes of our pictures that somebody shows; of others all are sent
	places   []*place
	offer    uint64    // number of our newest offer
	offered  time.Time // when it was made
	asked    bool      // its answer is missing
	more     bool      // another offer is due then
	renew    bool      // with new ICE credentials
	moves    int       // how often our addresses had changed at the offer
	base     string    // the address of ours that it used last
	said     string    // the newest wants that were told
	began    time.Time
	stopped  time.Time // when nothing came any more
	reached  bool      // ICE connected once
	up       bool
	ever     bool
	gone     bool
	path     Path
	gate     *gate
}

// newTrunk makes the peer connection of a link with the hub and offers it; nil when that fails.
func (s *state) newTrunk(how transports, probe bool) *trunk {
	t, err := s.openTrunk(how, probe)
	if err != nil {
		s.trouble(fmt.Errorf("parley: no link with the hub: %w", err))
		return nil
	}
	s.offerTrunk(t, false)
	if t.gone {
		return nil
	}
	return t
}

func (s *state) openTrunk(how transports, probe bool) (*trunk, error) {
	pc, err := s.kit.connection(s.kit.hub, s.session.ice, how)
	if err != nil {
		return nil, err
	}
	t := &trunk{
		id: rand.Text(), probe: probe, how: how, pc: pc, pulse: newPulse(s.now, unansweredByHub), began: s.now, path: Path{Kind: PathConnecting},
		outlets: make(map[Source][]*outlet), senders: make(map[Source]*webrtc.RTPTransceiver),
		declared: make(map[Source]bool), needed: make(map[Source][]string),
	}
	if err := t.furnish(s); err != nil {
		s.shutTrunk(t, false)
		return nil, err
	}
	s.listenTrunk(t)
	return t, nil
}

// furnish makes the control channel, our own sections and the places.
func (t *trunk) furnish(s *state) (err error) {
	id, yes := uint16(0), true
	t.control, err = t.pc.CreateDataChannel("parley", &webrtc.DataChannelInit{ID: &id, Negotiated: &yes, Ordered: &yes})
	if err != nil || t.probe {
		return err
	}
	for _, source := range Sources() {
		if err := t.carry(s, source); err != nil {
			return err
		}
	}
	for range soundPlaces {
		if err := t.addPlace(false); err != nil {
			return err
		}
	}
	return t.grow(len(s.wantsNow()))
}

// carry adds the section for source, in as many sizes as it is published.
func (t *trunk) carry(s *state, source Source) error {
	var x *webrtc.RTPTransceiver
	list := s.shows[source].shapes(func() string { return x.Mid() })
	for i, out := range list {
		out.vault = s.mediaVault()
		if i > 0 {
			if err := x.Sender().AddEncoding(out); err != nil {
				return err
			}
			continue
		}
		var err error
		x, err = t.pc.AddTransceiverFromTrack(out, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
	}
	t.outlets[source], t.senders[source] = list, x
	for _, out := range list {
		s.shows[source].add(out)
		s.running.Go(func() { out.listen(x.Sender(), t.pulse) })
	}
	return nil
}

func (t *trunk) addPlace(video bool) error {
	kind := webrtc.RTPCodecTypeAudio
	if video {
		kind = webrtc.RTPCodecTypeVideo
	}
	x, err := t.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err == nil {
		t.places = append(t.places, &place{section: x, video: video, ready: t.offer == 0})
	}
	return err
}

// grow makes places for as many pictures, in steps: each costs a new offer. They never become fewer.
func (t *trunk) grow(pictures int) error {
	have := len(t.places) - soundPlaces
	for want := (min(pictures, maxPictures) + placeStep - 1) / placeStep * placeStep; have < want; have++ {
		if err := t.addPlace(true); err != nil {
			return err
		}
		t.more = true
	}
	return nil
}

// listenTrunk turns the callbacks of the transport into messages to the owner.
func (s *state) listenTrunk(t *trunk) {
	on := func(f func(*state)) {
		s.post(func(s *state) {
			if !t.gone {
				f(s)
			}
		})
	}
	t.pc.OnConnectionStateChange(func(c webrtc.PeerConnectionState) { on(func(s *state) { s.trunkState(t, c) }) })
	t.pc.OnICEConnectionStateChange(func(c webrtc.ICEConnectionState) {
		if c == webrtc.ICEConnectionStateConnected {
			on(func(s *state) {
				if !t.reached {
					t.reached = true
					s.reportTrunk(t, signal.ReportEvent{Kind: signal.ReportICEConnected, MS: s.now.Sub(t.began).Milliseconds()})
				}
			})
		}
	})
	t.gate = s.data.gate(signal.Hub, s.work.Done(), func(bool) { on(func(s *state) { s.replaceTrunk(transports{}, "many data channels") }) })
	t.gate.trust(true) // of the hub nothing is expected: what comes is sealed itself
	t.pc.OnDataChannel(t.gate.enter)
	t.pc.OnTrack(func(r *webrtc.TrackRemote, x *webrtc.RTPReceiver) { on(func(s *state) { s.placed(t, r, x) }) })
	t.control.OnOpen(func() { on(func(s *state) { s.furnishHub() }) })
	t.control.OnMessage(func(m webrtc.DataChannelMessage) {
		t.pulse.hear()
		s.hubHears(t, m)
	})
}

// offerTrunk offers, or does so as soon as the answer to the last offer is there.
func (s *state) offerTrunk(t *trunk, renew bool) {
	t.renew = t.renew || renew
	if t.asked {
		t.more = true
		return
	}
	offer, err := t.pc.CreateOffer(&webrtc.OfferOptions{
		ICERestart: t.renew, OfferAnswerOptions: webrtc.OfferAnswerOptions{ICETricklingSupported: true},
	})
	if err == nil {
		err = t.pc.SetLocalDescription(offer)
	}
	if err != nil {
		s.failTrunk(t, fmt.Errorf("offer: %w", err))
		return
	}
	t.more, t.renew = false, false
	m := &signal.Offer{Peer: signal.Peer{To: signal.Hub, Link: t.id}, SDP: offer.SDP}
	if !t.probe {
		m.Tracks = s.publishes(t)
	}
	if !t.probe && t.offer == 0 { // later offers leave it to the control channel, which may be faster or slower than they
		if m.Show = s.assignPlaces(t); len(m.Show) > 0 {
			t.said = wantsText(m.Show)
		}
	}
	if s.send(m) == nil {
		t.offer, t.offered, t.asked, t.moves = m.N, s.now, true, s.moves
	}
}

// publishes says what our sections carry, as far as anything does. A source that was published once stays.
func (s *state) publishes(t *trunk) (list []signal.Track) {
	if s.listens() {
		return nil
	}
	for _, source := range Sources() {
		if s.shows[source].media != nil {
			t.declared[source] = true
		}
		if t.declared[source] {
			list = append(list, signal.Track{Mid: t.senders[source].Mid(), Source: source})
		}
	}
	return list
}

// redeclare offers anew when a source is sent of which the hub knows nothing yet, or in other sizes than it knows.
func (s *state) redeclare() {
	if s.listens() {
		return
	}
	s.refit()
	for _, t := range []*trunk{s.hub.main, s.hub.next} {
		for _, source := range Sources() {
			if t != nil && s.shows[source].media != nil && !t.declared[source] {
				s.offerTrunk(t, false)
				break
			}
		}
	}
}

// trunkOf finds the link with the hub that a message is about.
func (s *state) trunkOf(link string) *trunk {
	for _, t := range []*trunk{s.hub.main, s.hub.next, s.reach.trunk} {
		if t != nil && t.id == link {
			return t
		}
	}
	return nil
}

// hubRelayed handles what the hub says through the server, of the messages about links; false for everything else.
func (s *state) hubRelayed(m signal.Message) bool {
	about, ok := m.(signal.Relayed)
	if !ok || about.Route().From != signal.Hub {
		return false
	}
	t := s.trunkOf(about.Route().Link)
	if t == nil {
		return true
	}
	switch m := m.(type) {
	case *signal.Answer:
		s.hubAnswered(t, m)
	case *signal.Candidate:
		c := m.Candidate
		if t.pc.RemoteDescription() != nil { // it comes before its answer from nobody who follows the manual
			_ = t.pc.AddICECandidate(webrtc.ICECandidateInit{ // one way less; the others may do
				Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
			})
		}
	case *signal.Renegotiate:
		s.offerTrunk(t, m.Restart)
	case *signal.CloseLink:
		s.failTrunk(t, errHubClosed)
	}
	return true
}

func (s *state) hubAnswered(t *trunk, m *signal.Answer) {
	if !t.asked || t.pc.SignalingState() != webrtc.SignalingStateHaveLocalOffer {
		return // an answer to an offer that was given up
	}
	t.asked = false
	if err := t.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: m.SDP}); err != nil {
		s.failTrunk(t, fmt.Errorf("its answer: %w", err))
		return
	}
	for _, p := range t.places {
		p.ready = p.ready || p.section.Mid() != ""
	}
	if !t.ever { // what comes later on the control channel is newer
		t.shows(m.Places)
		s.settlePlaces(t)
	}
	switch {
	case t.moves != s.moves && !t.up:
		s.offerTrunk(t, true) // what we gathered for it is of no use any more
	case t.more:
		s.offerTrunk(t, false)
	}
	s.furnishHub()
}

// trunkState follows the transport.
func (s *state) trunkState(t *trunk, c webrtc.PeerConnectionState) {
	switch c {
	case webrtc.PeerConnectionStateConnected:
		if !t.ever {
			s.reportTrunk(t, signal.ReportEvent{Kind: signal.ReportDTLSConnected, MS: s.now.Sub(t.began).Milliseconds()})
		}
		t.pulse.restart(s.now)
		s.trunkFlows(t)
	case webrtc.PeerConnectionStateDisconnected, webrtc.PeerConnectionStateFailed:
		switch {
		case t.up:
			s.trunkStalled(t)
		case t == s.hub.next && c == webrtc.PeerConnectionStateFailed: // one that stands alone is mended
			s.failTrunk(t, errors.New("it does not connect"))
		}
	}
}

// shutTrunk closes one link with the hub.
func (s *state) shutTrunk(t *trunk, tell bool) {
	if t == nil || t.gone {
		return
	}
	t.gone, t.up = true, false
	if t.gate != nil {
		t.gate.shut()
	}
	if tell {
		_ = s.send(&signal.CloseLink{Peer: signal.Peer{To: signal.Hub, Link: t.id}}) // an overflow has ended the room
	}
	for source, list := range t.outlets {
		for _, out := range list {
			s.shows[source].remove(out)
			out.open(false)
			s.hub.past[source] = s.hub.past[source].plus(out.stats())
		}
	}
	for _, p := range t.places {
		p.assign(nil, "")
	}
	for _, at := range []**trunk{&s.hub.main, &s.hub.next, &s.reach.trunk} {
		if *at == t {
			*at = nil
		}
	}
	s.stir = true
	log := s.options.Log.With("room", s.address.room, "link", t.id)
	s.running.Go(func() { closeTransport(t.pc, true, log) })
}

// reportTrunk takes down what happens on a link with the hub.
func (s *state) reportTrunk(t *trunk, e signal.ReportEvent) {
	if !t.probe {
		e.Link = t.id
		s.report(nil, e)
	}
}
