package parley

import (
	"crypto/rand"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/pace"
)

const (
	// bulkIdle is how long a link for bulk that nobody uses is kept.
	bulkIdle = 30 * time.Second
	// bulkFrom is the least round trip with which a link for bulk is worth while. On nearer paths the transport's own
	// congestion control is as good, and does not take a busy computer for a queue.
	bulkFrom = 5 * time.Millisecond
	// bulkAnswer is how long a link for bulk may take to come up. After one that did not, the next to the same session is
	// made after bulkRetry, which doubles each time, up to lastBulkRetry: it may be a client that knows none.
	bulkAnswer    = 15 * time.Second
	bulkRetry     = 30 * time.Second
	lastBulkRetry = 30 * time.Minute
	// maxBulks bounds the links for bulk that others made with us.
	maxBulks = 8
)

// bulk is a link that carries files between two programs, beside the main one: its transport's window is so large that
// the sender's own (package pace) decides what is on the way, which would be unfair to whatever else uses a link. Who
// wants to send makes it; each direction has its own. It is never repaired: when it fails, transfers go on over the main
// link and get a new one. The room's owner owns it.
type bulk struct {
	id      string
	peer    string // session
	mine    bool
	pc      *webrtc.PeerConnection
	pending []signal.ICECandidate
	up      bool
	told    []func() // who waits for it
	users   int      // transfers on it
	gate    *gate
	trusted bool // both sides see the same ends; always, where nothing is encrypted
}

// carrier makes the peer connection of a link for bulk.
func (k *kit) carrier(ice *signal.ICEServers) (*webrtc.PeerConnection, error) {
	se := k.settings(transports{})
	se.SetSCTPMinCwnd(pace.Max + 1<<20)
	se.SetSCTPMaxReceiveBufferSize(pace.Max + 1<<20)
	api := webrtc.NewAPI(webrtc.WithInterceptorRegistry(&interceptor.Registry{}), webrtc.WithSettingEngine(se))
	return api.NewPeerConnection(k.configuration(ice, transports{}))
}

// wantBulk makes a link for bulk with whoever sits on seat, and calls ready when it is up. It is false when there will be
// none.
func (s *state) wantBulk(seat string, ready func()) bool {
	person, main := s.people[seat], s.linkTo(seat)
	if person == nil || main == nil || s.options.Single {
		return false
	}
	if p := main.pulse; p.answered.Load() != 0 && time.Duration(p.trip.Load()) < bulkFrom {
		return false
	}
	for _, b := range s.files.bulks {
		if b.peer == person.Session && b.mine {
			b.told = append(b.told, ready)
			s.bulkReady(b)
			return true
		}
	}
	if s.now.Before(s.files.refusals[person.Session].at) {
		return false
	}
	b, err := s.newBulk(person.Session, rand.Text(), true)
	if err == nil {
		time.AfterFunc(bulkAnswer, func() {
			s.post(func(s *state) {
				if !b.up {
					s.dropBulk(b, true)
				}
			})
		})
		b.told = append(b.told, ready)
		err = s.offerBulk(b)
	}
	if err != nil {
		s.options.Log.Info("no link for files", "room", s.address.room, "err", err)
		s.dropBulk(b, true)
	}
	return err == nil
}

// bulkTo returns the link for bulk that is up with a session, nil when there is none.
func (s *state) bulkTo(peer string) *bulk {
	for _, b := range s.files.bulks {
		if b.peer == peer && b.mine && b.up && b.trusted {
			return b
		}
	}
	return nil
}

// useBulk counts the transfers on a link for bulk that we made. One that stays idle is closed.
func (s *state) useBulk(b *bulk, n int) {
	if b.users += n; b.users > 0 {
		return
	}
	time.AfterFunc(bulkIdle, func() {
		s.post(func(s *state) {
			if b.users == 0 {
				s.dropBulk(b, true)
			}
		})
	})
}

func (s *state) newBulk(peer, id string, mine bool) (*bulk, error) {
	pc, err := s.kit.carrier(s.session.ice)
	if err != nil {
		return nil, err
	}
	b := &bulk{id: id, peer: peer, mine: mine, pc: pc}
	s.files.bulks[id] = b
	on := func(f func(*state)) {
		s.post(func(s *state) {
			if s.files.bulks[id] == b {
				f(s)
			}
		})
	}
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		on(func(s *state) {
			if c == nil {
				_ = s.send(&signal.EndOfCandidates{Peer: b.address()}) // an overflow has ended the room
				return
			}
			j := c.ToJSON()
			_ = s.send(&signal.Candidate{Peer: b.address(), Candidate: signal.ICECandidate{
				Candidate: j.Candidate, SDPMid: j.SDPMid, SDPMLineIndex: j.SDPMLineIndex, UsernameFragment: j.UsernameFragment,
			}})
		})
	})
	pc.OnConnectionStateChange(func(c webrtc.PeerConnectionState) { on(func(s *state) { s.bulkState(b, c) }) })
	b.gate = s.data.gate(peer, s.work.Done(), func(bool) { on(func(s *state) { s.dropBulk(b, true) }) })
	b.trusted = s.secrecy == nil
	b.gate.trust(b.trusted)
	pc.OnDataChannel(b.gate.enter)
	return b, nil
}

func (b *bulk) address() signal.Peer { return signal.Peer{To: b.peer, Link: b.id} }

func (s *state) offerBulk(b *bulk) error {
	// Channels that nobody uses make the transport for channels part of the offer. They have the numbers of those that a
	// page has on every transport: it would hear nothing of another channel with one of these.
	yes := true
	for _, id := range []uint16{0, 1} {
		if _, err := b.pc.CreateDataChannel("parley", &webrtc.DataChannelInit{ID: &id, Negotiated: &yes}); err != nil {
			return err
		}
	}
	offer, err := b.pc.CreateOffer(&webrtc.OfferOptions{OfferAnswerOptions: webrtc.OfferAnswerOptions{ICETricklingSupported: true}})
	if err != nil {
		return err
	}
	if err := b.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	return s.send(&signal.Offer{Peer: b.address(), SDP: offer.SDP, Kind: signal.LinkBulk})
}

// bulkRelayed handles what is about links for bulk, of the messages that others send through the server; false for
// everything else.
func (s *state) bulkRelayed(m signal.Message) bool {
	if offer, ok := m.(*signal.Offer); ok {
		if offer.Kind == signal.LinkBulk {
			s.bulkOffered(offer)
		}
		return offer.Kind == signal.LinkBulk
	}
	about, ok := m.(signal.Relayed)
	if !ok {
		return false
	}
	b := s.files.bulks[about.Route().Link]
	if b == nil || b.peer != about.Route().From {
		return false
	}
	var err error
	switch m := m.(type) {
	case *signal.Answer:
		err = b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: m.SDP})
		b.catchUp()
		s.described(b.peer, b.id, b.pc)
	case *signal.Candidate:
		b.candidate(m.Candidate)
	case *signal.CloseLink:
		s.dropBulk(b, false)
	}
	if err != nil {
		s.options.Log.Info("no link for files", "room", s.address.room, "err", err)
		s.dropBulk(b, true)
	}
	return true
}

// bulkOffered answers a link for bulk that somebody wants to send on.
func (s *state) bulkOffered(m *signal.Offer) {
	if s.linkOf(m.Peer) != nil {
		return // what is known of a link must not become what is said of another
	}
	theirs := 0
	for _, b := range s.files.bulks {
		if !b.mine && b.peer == m.From {
			s.dropBulk(b, false) // a new one means that the old one is dead to them
		} else if !b.mine {
			theirs++
		}
	}
	if s.holder(m.From) == nil || s.me == "" || theirs >= maxBulks || s.files.bulks[m.Link] != nil {
		_ = s.send(&signal.CloseLink{Peer: signal.Peer{To: m.From, Link: m.Link}}) // an overflow has ended the room
		return
	}
	b, err := s.newBulk(m.From, m.Link, false)
	if err == nil {
		err = s.answerBulk(b, m.SDP)
	}
	if err != nil {
		s.options.Log.Info("a link for files was not taken", "room", s.address.room, "err", err)
		s.dropBulk(b, true)
	}
}

func (s *state) answerBulk(b *bulk, sdp string) error {
	if err := b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return err
	}
	answer, err := b.pc.CreateAnswer(&webrtc.AnswerOptions{OfferAnswerOptions: webrtc.OfferAnswerOptions{ICETricklingSupported: true}})
	if err != nil {
		return err
	}
	if err := b.pc.SetLocalDescription(answer); err != nil {
		return err
	}
	b.catchUp()
	s.described(b.peer, b.id, b.pc)
	return s.send(&signal.Answer{Peer: b.address(), SDP: answer.SDP})
}

func (b *bulk) candidate(c signal.ICECandidate) {
	if b.pc.RemoteDescription() == nil {
		if len(b.pending) < maxPending {
			b.pending = append(b.pending, c)
		}
		return
	}
	_ = b.pc.AddICECandidate(webrtc.ICECandidateInit{ // one way less; the others may do
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
	})
}

func (b *bulk) catchUp() {
	list := b.pending
	b.pending = nil
	for _, c := range list {
		b.candidate(c)
	}
}

// bulkState follows the transport.
func (s *state) bulkState(b *bulk, c webrtc.PeerConnectionState) {
	switch c {
	case webrtc.PeerConnectionStateConnected:
		b.up = true
		delete(s.files.refusals, b.peer)
		s.retrust()
		s.bulkReady(b)
	case webrtc.PeerConnectionStateDisconnected, webrtc.PeerConnectionStateFailed:
		s.dropBulk(b, true)
	}
}

// bulkReady tells who waits for a link for bulk that it carries now.
func (s *state) bulkReady(b *bulk) {
	if !b.up || !b.trusted {
		return
	}
	told := b.told
	b.told = nil
	for _, ready := range told {
		ready()
	}
}

// dropBulk closes a link for bulk; b may be nil.
func (s *state) dropBulk(b *bulk, tell bool) {
	if b == nil || s.files.bulks[b.id] != b {
		return
	}
	delete(s.files.bulks, b.id)
	s.untrust(b.peer, b.id, b.gate)
	if b.mine && !b.up && s.holder(b.peer) != nil {
		r := s.files.refusals[b.peer]
		r.at = s.now.Add(min(lastBulkRetry, bulkRetry<<min(r.count, 10)))
		r.count++
		s.files.refusals[b.peer] = r
	}
	if tell {
		_ = s.send(&signal.CloseLink{Peer: b.address()}) // an overflow has ended the room
	}
	log := s.options.Log.With("room", s.address.room, "link", b.id)
	s.running.Go(func() { closeTransport(b.pc, b.mine, log) })
}

// dropBulks closes those with one session; with everybody for "".
func (s *state) dropBulks(peer string) {
	for _, b := range s.files.bulks {
		if peer == "" || b.peer == peer {
			s.dropBulk(b, false)
		}
	}
}
