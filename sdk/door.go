package parley

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// handle obeys one message, once.
func (s *state) handle(m signal.Message) {
	switch m := m.(type) {
	case *signal.Ping:
		s.transmit(&signal.Pong{ID: m.ID})
	case *signal.Pong:
		s.ponged(m)
	case *signal.Ack: // its header was all
	case *signal.Bye:
		s.goodbye(m)
	case *signal.Error:
		s.refused(m)
	case *signal.Waiting:
		s.token = m.Token
		s.emit(Waiting{Words: m.Words})
	case *signal.Joined:
		s.joined(m)
	case *signal.Room:
		s.roomChanged(m.Room)
	case *signal.SeatChange:
		s.seatChanged(m.Seat)
	case *signal.Left:
		s.left(m)
	case *signal.Gone:
		s.drop(m.Session, false)
	case *signal.Chat:
		s.chatted(m)
	case *signal.ChatSaved:
		s.emit(Saved{From: m.From, ID: m.ID, Seq: m.Seq})
	case *signal.HistoryAnswer:
		s.recalled(m)
	case *signal.Muted:
		s.turn(m.Source, false)
		s.declared = s.on // the server has changed it for everybody
		s.emit(Muted{Source: m.Source, By: m.By})
	case *signal.Keys:
		s.boxCame(m.From, m.Box)
	case *signal.Reaction:
		s.emit(Reaction{From: m.From, Kind: m.Kind})
	case *signal.ICEServersAnswer:
		s.session.ice = &m.ICE
		s.refreshed()
	default:
		s.relayed(m)
	}
}

// entrance begins anew in front of the door: in a new session nothing of the old one holds, not even the links, since
// the others address the session. The media of a lost session is cut by the others as well.
func (s *state) entrance(room *signal.RoomState) {
	s.options.Log.Info("a new session begins", "room", s.address.room, "session", s.session.id)
	s.unlink()
	for _, q := range s.asked {
		q.settle(errors.New("parley: the session was lost; it is not known whether this was done"))
	}
	clear(s.asked)
	s.forgetRecalls()
	clear(s.people)
	clear(s.missing)
	s.me = ""
	if room != nil {
		s.room = *room
		s.seats(room.Seats)
	}
	s.encrypted()
	s.emit(Changed{Info: s.info()})
	if s.wanted {
		s.knock()
		return
	}
	s.warm()
}

// seats replaces everybody, but for those who may only be slower than we to come back after a restart of the server.
func (s *state) seats(list []signal.Seat) {
	maps.DeleteFunc(s.people, func(id string, _ *signal.Seat) bool { return s.missing[id].IsZero() })
	for _, seat := range list {
		delete(s.missing, seat.ID)
		s.people[seat.ID] = &seat
	}
}

// join begins to take a seat.
func (s *state) join() (*request, error) {
	if s.me != "" {
		return nil, errors.New("parley: already in the room")
	}
	if s.joining != nil {
		return s.joining, nil
	}
	if err := s.unfit(true); err != nil {
		return nil, err
	}
	s.joining, s.wanted = newRequest(), true
	s.knock()
	return s.joining, nil
}

// knock sends join.
func (s *state) knock() {
	m := &signal.Join{Name: s.options.Name, Media: s.on, Seat: s.token, Listen: s.options.Listen, Note: s.options.Note}
	if s.options.Listen {
		m.Media = MediaState{}
	}
	if s.secrecy != nil && (s.begins == nil || !s.room.Exists || s.room.Encrypted) { // a room that is yet to be encrypted is asked first
		m.Identity = s.secrecy.self.Identity
	}
	if s.send(m) == nil {
		s.knocked = m.N
	}
}

// joined takes the seat: links that were warmed before carry media from now on, the missing ones are made.
func (s *state) joined(m *signal.Joined) {
	again := s.me == m.Seat // after a restart of the server
	s.me, s.token = m.Seat, m.Token
	s.replaceRoom(m.Room)
	s.encrypted()
	// Somebody else may have made it in the same moment, with another key.
	if err := s.unfit(len(m.Room.Seats) > 1); err != nil { // or nobody here encrypts, or so the server says
		_ = s.send(&signal.Leave{}) // an overflow has ended the room
		if s.joining == nil {       // nobody asked: it was the way back after a lost session
			s.end(Ended{Err: err})
		}
		s.outside(err)
		return
	}
	if s.secrecy != nil {
		s.secrecy.made = false
	}
	s.seats(m.Room.Seats)
	me := s.people[s.me]
	if me == nil {
		s.cut(fmt.Errorf("parley: the server seated us at %q, where nobody is", m.Seat))
		return
	}
	if !again {
		s.emit(Seated{Me: s.person(me), Record: recordOf(m.Call)})
	}
	s.reports.seated = s.now
	s.session.pinged = time.Time{} // a ping tells that we ping more often from now on
	s.session.answered = s.now     // in front of the door that was seldom
	if m := s.move; m != nil {     // a server that was restarted has heard nothing, and its hub begins anew
		m.said, m.began, m.look = false, s.now, s.now
	}
	s.reach.told = false
	s.seekHub(probeAfter)
	s.arrange(true)
	s.listening()
	s.declared = me.Media
	s.declare()
	s.sayAgain()
	s.tell()
	if s.joining != nil {
		s.joining.settle(nil)
		s.joining = nil
	}
}

// leave gives the seat, or the wish for one, up.
func (s *state) leave() error {
	if s.me == "" && !s.wanted {
		return errNotSeated
	}
	s.tell()
	err := s.send(&signal.Leave{})
	s.outside(errors.New("parley: left the room"))
	return err
}

// outside forgets the inside of the room.
func (s *state) outside(why error) {
	if s.begins != nil && s.begins.n == 0 { // we do not make the room that was to be encrypted
		s.notEncrypted(errNeverEncrypted)
	}
	s.me, s.token, s.wanted, s.unsaid = "", "", false, nil
	s.unlink()
	s.reports, s.watch = reports{}, watch{}
	clear(s.people)
	clear(s.missing)
	if s.joining != nil {
		s.joining.settle(why)
		s.joining = nil
	}
}

// refused handles the server's no.
func (s *state) refused(m *signal.Error) {
	if s.hubRefused(m) {
		return
	}
	err := &Refused{Code: m.Code, Field: m.Field, Words: m.Words}
	if b := s.begins; b != nil && m.Re != 0 && m.Re == b.n {
		s.notEncrypted(err)
		return
	}
	q, l := s.asked[m.Re], s.linkOffered(m.Re)
	switch {
	case s.recalls[m.Re] != nil:
		s.recalls[m.Re].settle(err)
		delete(s.recalls, m.Re)
	case q != nil:
		delete(s.asked, m.Re)
		q.settle(err)
	case m.Re != 0 && m.Re == s.knocked:
		s.wanted = false
		if s.joining == nil && m.Code == signal.CodeNoHub { // we sat there, and the room could not move to the hub with us
			s.trouble(err)
			return
		}
		if s.joining == nil { // nobody asked: it was the way back after a lost session
			s.end(Ended{Err: err})
			return
		}
		s.joining.settle(err)
		s.joining = nil
	case l != nil:
		s.options.Log.Info("an offer was refused", "room", s.address.room, "err", err)
		s.closed(l)
	case m.Code == signal.CodeNoPeer:
		// The other session went while we talked to it; left, gone or seat say so too.
		s.options.Log.Debug("a peer is gone", "room", s.address.room, "err", err)
	default:
		s.trouble(err)
	}
}

// linkOffered returns the link whose newest offer was message n.
func (s *state) linkOffered(n uint64) *link {
	for _, main := range s.links {
		for _, l := range main.each() {
			if n != 0 && l.offer == n {
				return l
			}
		}
	}
	return nil
}

// request sends m; q is settled when the server has handled it.
func (s *state) request(m signal.Message, q *request) error {
	if s.me == "" {
		return errNotSeated
	}
	if err := s.send(m); err != nil {
		return err
	}
	s.asked[m.Head().N] = q
	return nil
}

// acknowledged settles the requests that the server has handled without an error.
func (s *state) acknowledged() {
	waits := s.session.sent - uint64(s.session.sequence.Unacked()) + 1
	for n, q := range s.asked {
		if n < waits {
			delete(s.asked, n)
			q.settle(nil)
		}
	}
}

func (s *state) roomChanged(room signal.RoomState) {
	early := s.room.Early
	s.replaceRoom(room)
	s.encrypted()
	s.emit(Changed{Info: s.info()})
	if s.me == "" && !early && room.Early {
		s.warm()
	}
	if s.me == "" && early && !room.Early { // locked, or full: the right to wait on the line is gone
		for peer := range s.links {
			s.drop(peer, true)
		}
	}
	s.arrange(false)
}

// seatChanged notes one seat and what follows for the link with whoever sits there.
func (s *state) seatChanged(seat signal.Seat) {
	old := s.people[seat.ID]
	s.people[seat.ID], s.stir = &seat, true
	delete(s.missing, seat.ID)
	p := s.person(&seat)
	switch {
	case old == nil && !p.Me:
		s.emit(Arrived{Person: p})
	case old == nil || s.person(old) != p:
		s.emit(Updated{Person: p})
	}
	if p.Me {
		s.listening()
		s.redeclare() // as a speaker, we may send
		return
	}
	defer s.furnishHub()
	if old != nil && old.Session != seat.Session {
		s.drop(old.Session, false)
	}
	if seat.State == signal.SeatWaiting {
		return
	}
	if l := s.links[seat.Session]; l != nil {
		s.admit(l)
		if old != nil && old.State == signal.SeatAway && seat.State == signal.SeatPresent {
			s.revive(l) // they are back; so the network between us may be
		}
	} else if s.me == "" {
		s.warm()
	}
	s.lookHub()
}

// listening turns everything off when we are a listener.
func (s *state) listening() {
	if !s.listens() {
		return
	}
	for _, source := range Sources() {
		s.turn(source, false)
	}
	s.declared = s.on // the server knows
}

func (s *state) left(m *signal.Left) {
	seat := s.people[m.Seat]
	if seat == nil {
		return
	}
	delete(s.people, m.Seat)
	s.stir = true
	delete(s.missing, m.Seat)
	s.drop(seat.Session, false)
	delete(s.hub.told, m.Seat)
	delete(s.hub.quality, m.Seat)
	s.furnishHub()
	s.emit(Departed{Person: s.person(seat), Reason: string(m.Reason)})
	if m.Seat == s.me {
		s.outside(fmt.Errorf("parley: the seat is gone: %s", m.Reason))
	}
}

// warm makes links with the people inside before we join, where the room allows it. No media flows on them yet.
func (s *state) warm() {
	if s.me != "" || !s.room.Early || s.wanted || s.onHub() {
		return
	}
	for _, p := range s.list() {
		seat := s.people[p.ID]
		if seat.State == signal.SeatPresent && seat.Session != "" && s.links[seat.Session] == nil {
			s.make(seat.Session)
		}
	}
}
