package signalserver

import (
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/signal"
)

// Limits of what waits for the hub, or for us from it.
const (
	// hubPatience is how long an offer may wait for its answer.
	hubPatience = 10 * time.Second
	// maxAsked is how many offers of one session may wait.
	maxAsked = 4
	// maxTold is how many messages of the hub may wait for one shard.
	maxTold = 4096
)

// Hub is the media plane, as signalling sees it: the peer called signal.Hub. The loops that own the rooms call it, so
// its methods never block; they are safe for concurrent use. What is said of one session is said in order.
//
// A session is with the hub from its first Offer until Close. The hub speaks of its own accord with Server.Tell.
type Hub interface {
	// Offer asks for an answer: to the first offer of a link, or to a later one of the same. done is called once, at any
	// time, from anywhere, and never blocks; a fault is told to the client with its Code and Words. An answer that takes
	// longer than 10 s comes too late, and the link is closed. A new link replaces the session's older one of the same
	// kind when it is connected.
	Offer(p HubPeer, o *signal.Offer, done func(a HubAnswer, fault *signal.Error))
	// Handle takes a Candidate, EndOfCandidates, Renegotiate or CloseLink.
	Handle(p HubPeer, m signal.Relayed)
	// Listen says that the session's role changed: with p.Listens nothing that it sends is taken any more.
	Listen(p HubPeer)
	// Close says that the session has no place in the room any more. One that is not known is none of its business.
	Close(room, session string)
}

// HubPeer is who speaks to the hub. The server vouches for it.
type HubPeer struct {
	// Room, Session and Seat are where it sits.
	Room, Session, Seat string
	// Host is the Host header of its WebSocket request, for the addresses in the answer.
	Host string
	// Listens is true for listeners: their tracks are not taken.
	Listens bool
}

// HubAnswer is the hub's answer to an offer.
type HubAnswer struct {
	// SDP is the answer, with the hub's candidates in it.
	SDP string
	// Places says what each receive place shows at first.
	Places []signal.Place
}

// toHub hands a message to the hub. An offer is answered later, and an answer that does not come is one too.
func (sh *shard) toHub(s *session, x *room.ToHub) {
	hub := sh.server.cfg.Hub
	p := s.hubPeer(x.Seat, x.Listens)
	o, ok := x.Message.(*signal.Offer)
	if !ok {
		hub.Handle(p, x.Message)
		return
	}
	if s.asked >= maxAsked {
		s.error(o.N, signal.CodeBusy, "too many offers to the hub wait for an answer; wait for one")
		return
	}
	s.asked++
	s.hub = true
	n, link := o.N, o.Link
	waits := true
	var timer *time.Timer
	finish := func(a HubAnswer, fault *signal.Error) {
		if !waits {
			return
		}
		waits = false
		timer.Stop()
		sh.answerFromHub(s, n, link, a, fault)
	}
	timer = time.AfterFunc(hubPatience, func() {
		sh.mail.post(func() {
			if waits {
				hub.Handle(p, &signal.CloseLink{Peer: signal.Peer{To: signal.Hub, Link: link}})
			}
			finish(HubAnswer{}, &signal.Error{Code: signal.CodeBusy, Words: "the hub does not answer now; try again"})
		})
	})
	hub.Offer(p, o, func(a HubAnswer, fault *signal.Error) { sh.mail.post(func() { finish(a, fault) }) })
}

// answerFromHub tells the session what became of its offer, if it still sits where it did.
func (sh *shard) answerFromHub(s *session, n uint64, link string, a HubAnswer, fault *signal.Error) {
	s.asked--
	if s.over || !s.hall.Inside(s.id) {
		return
	}
	if fault != nil {
		s.error(n, fault.Code, fault.Words)
	} else {
		s.send(&signal.Answer{Peer: signal.Peer{From: signal.Hub, Link: link}, SDP: a.SDP, Places: a.Places})
	}
	s.acknowledge()
	sh.settle(s.hall)
}

func (s *session) hubPeer(seat string, listens bool) HubPeer {
	return HubPeer{Room: s.hall.name, Session: s.id, Seat: seat, Host: s.from.host, Listens: listens}
}

// offHub has the hub forget a session.
func (sh *shard) offHub(h *hall, session string) {
	if hub := sh.server.cfg.Hub; hub != nil {
		hub.Close(h.name, session)
	}
}

// roleChanged tells the hub what it may take of a session.
func (sh *shard) roleChanged(x signal.Seat) {
	if s := sh.sessions[x.Session]; s != nil && s.hub {
		sh.server.cfg.Hub.Listen(s.hubPeer(x.ID, x.Role == signal.RoleListener))
	}
}

// Tell has the hub say something to a session in a room: a Candidate, EndOfCandidates, Renegotiate or CloseLink, of
// which Peer.Link has to be set; m belongs to the server from then on. It never blocks and is safe for concurrent use.
// It returns false when too much waits already; a session that is not there any more hears nothing.
func (s *Server) Tell(room, session string, m signal.Relayed) bool {
	peer := m.Route()
	peer.From, peer.To = signal.Hub, ""
	sh := s.shard(room)
	return sh.mail.offer(func() {
		t := sh.sessions[session]
		if t == nil || t.hall.name != room || !t.hall.Inside(session) {
			return
		}
		t.send(m)
		t.acknowledge()
		sh.settle(t.hall)
	})
}

// mail is what others want a shard to do. Putting something in never waits.
type mail struct {
	mu   sync.Mutex
	list []func()
	wake chan struct{} // holds one when there is something
}

// post puts f in. Who posts has to be bounded otherwise.
func (m *mail) post(f func()) { m.put(f, false) }

// offer puts f in if there is space.
func (m *mail) offer(f func()) bool { return m.put(f, true) }

func (m *mail) put(f func(), bounded bool) bool {
	m.mu.Lock()
	full := bounded && len(m.list) >= maxTold
	if !full {
		m.list = append(m.list, f)
	}
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return !full
}

// take takes everything out.
func (m *mail) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.list
	m.list = nil
	return list
}
