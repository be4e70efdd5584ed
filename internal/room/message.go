package room

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// keptChats is how many of its own chat messages a seat remembers, so that one that is sent again is not doubled.
const keptChats = 32

// Handle obeys a message of the session; joins go to Join.
func (r *Room) Handle(now time.Time, id string, m signal.Message) {
	s := r.find(id)
	if s == nil {
		return
	}
	r.presume(now)
	switch m := m.(type) {
	case *signal.Leave:
		r.leave(now, s, m.N)
	case *signal.Media:
		r.media(s, m)
	case *signal.Chat:
		r.chat(now, s, m)
	case *signal.Moved:
		r.move(now, s, m)
	case *signal.HubReach:
		r.hubReach(now, s, m)
	case *signal.Keys:
		r.keys(s, m)
	case *signal.Hand, *signal.Reaction, *signal.Speak:
		r.conference(now, s, m)
	case *signal.Lock, *signal.WaitingRoom, *signal.KeepHistory, *signal.Admit, *signal.Mute, *signal.Remove,
		*signal.Encrypt, *signal.SetTopology, *signal.MuteAll, *signal.SetRole, *signal.Invite:
		r.command(now, s, m)
	case signal.Relayed:
		r.relay(s, m)
	default:
		r.refuse(s, m.Head().N, signal.CodeOrder, "this message is not possible now")
	}
	r.settle(now)
}

func (r *Room) media(s *session, m *signal.Media) {
	if s.seat == nil {
		r.refuse(s, m.N, signal.CodeOrder, "join first")
		return
	}
	if s.seat.Role == signal.RoleListener && m.Media != (signal.MediaState{}) {
		r.refuse(s, m.N, signal.CodeForbidden, "you listen here; raise your hand, and a host may invite you to speak")
		return
	}
	if s.seat.Media != m.Media {
		s.seat.Media = m.Media
		r.announce(s.seat, s)
	}
}

// chat passes a message on to everybody inside, its sender included.
func (r *Room) chat(now time.Time, s *session, m *signal.Chat) {
	if !s.inside() {
		r.refuse(s, m.N, signal.CodeOrder, "join first, then you can write to the others")
		return
	}
	x := s.seat
	for _, old := range x.chats {
		if old.ID == m.ID {
			r.send(s, copyChat(old)) // sent again after a new session: the others have it
			return
		}
	}
	c := &signal.Chat{ID: m.ID, Text: m.Text, From: x.ID, Name: x.Name, At: now.UnixMilli(), Unsaved: r.keeps()}
	x.remember(c)
	if c.Unsaved {
		r.events = append(r.events, Event{Kind: EventSaid, Seat: x.Seat, Chat: copyChat(c)})
	}
	for _, t := range r.sessions {
		if t.inside() {
			r.send(t, copyChat(c))
		}
	}
}

func copyChat(c *signal.Chat) *signal.Chat {
	d := *c
	return &d
}

// relay passes a message on to the session it names, if s may reach that one.
func (r *Room) relay(s *session, m signal.Relayed) {
	if m.Route().To == signal.Hub {
		r.toHub(s, m)
		return
	}
	to := r.find(m.Route().To)
	_, offer := m.(*signal.Offer)
	early := false
	switch {
	case to == nil || to == s || to.Door != "":
		to = nil
	case s.inside() && to.inside():
	case s.inside() && to.early[s.ID]: // answers somebody in the lobby
	case to.inside() && s.early[to.ID]:
		early = true
	case to.inside() && offer && r.mayEarly(s):
		r.openEarly(s, to)
		early = true
	case to.inside() && offer && s.seat == nil && r.exists && r.may(s) == signal.MayJoin && !r.locked && !r.waiting:
		r.refuse(s, m.Head().N, signal.CodeBusy, "others are at the door too; offer again after you joined")
		return
	default:
		to = nil
	}
	if to == nil {
		r.refuse(s, m.Head().N, signal.CodeNoPeer, "there is no such session here, or none that you may reach now")
		return
	}
	if _, ok := m.(*signal.CloseLink); ok && early {
		delete(s.early, to.ID)
		r.changed = true
	}
	fwd := forward(m, s.ID, early)
	if s.seat != nil && s.seat.Role == signal.RoleListener {
		dropTracks(fwd)
	}
	r.send(to, fwd)
}

// forward returns the receiver's copy of m.
func forward(m signal.Relayed, from string, early bool) signal.Message {
	peer := signal.Peer{From: from, Link: m.Route().Link}
	switch m := m.(type) {
	case *signal.Offer:
		return &signal.Offer{Peer: peer, SDP: m.SDP, Tracks: m.Tracks, Kind: m.Kind, Early: early}
	case *signal.Answer:
		return &signal.Answer{Peer: peer, SDP: m.SDP, Tracks: m.Tracks}
	case *signal.Candidate:
		return &signal.Candidate{Peer: peer, Candidate: m.Candidate}
	case *signal.EndOfCandidates:
		return &signal.EndOfCandidates{Peer: peer, UsernameFragment: m.UsernameFragment}
	case *signal.Renegotiate:
		return &signal.Renegotiate{Peer: peer, Restart: m.Restart, Elsewhere: m.Elsewhere}
	case *signal.CloseLink:
		return &signal.CloseLink{Peer: peer}
	}
	panic("room: a relayed message of a type that is not relayed")
}

// dropTracks says that nothing of what a listener sends is anything.
func dropTracks(m signal.Message) {
	switch m := m.(type) {
	case *signal.Offer:
		m.Tracks = nil
	case *signal.Answer:
		m.Tracks = nil
	}
}

// openEarly notes a link between a lobby session and somebody inside.
func (r *Room) openEarly(s, to *session) {
	if len(s.early) == 0 {
		r.makeWay(s)
		s.early = map[string]bool{}
	}
	s.early[to.ID] = true
	r.changed = true
}

// dropEarly ends the early links of a lobby session.
func (r *Room) dropEarly(s *session) {
	for _, t := range r.sessions {
		if s.early[t.ID] && t.inside() {
			r.send(t, &signal.Gone{Session: s.ID})
		}
	}
	s.early = nil
}

// forgetLinks forgets the early links that others have with a session that is not inside any more.
func (r *Room) forgetLinks(id string) {
	for _, t := range r.sessions {
		delete(t.early, id)
	}
}
