package parley

import (
	"errors"
	"fmt"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// missingFor is how long the links with people are kept who are not there after a restart of the server: they may only
// be slower to come back.
const missingFor = 30 * time.Second

// greet handles what comes on a socket before its welcome.
func (s *state) greet(b []byte) {
	m, fault := signal.Decode(b, signal.FromServer)
	if fault != nil {
		s.forsake(fmt.Errorf("parley: the server sent what cannot be read: %s", fault.Words))
		return
	}
	switch m := m.(type) {
	case *signal.Welcome:
		s.welcome(m)
	case *signal.Error:
		if s.session.id != "" && (m.Code == signal.CodeBusy || m.Code == signal.CodeFault) {
			s.forsake(&Refused{Code: m.Code, Words: m.Words}) // later, on another socket
			return
		}
		s.end(Ended{Err: &Refused{Code: m.Code, Field: m.Field, Words: m.Words}})
	case *signal.Bye:
		s.goodbye(m)
	default:
		s.forsake(fmt.Errorf("parley: the server began with %q instead of welcome", m.Head().Type))
	}
}

// goodbye ends the room, unless the server only restarts: then the call goes on, and the session with it when the next
// server knows its token.
func (s *state) goodbye(m *signal.Bye) {
	n := &s.session
	if m.Reason == signal.ByeDraining && m.Retry > 0 && s.wanted && n.id != "" {
		s.cut(errors.New("parley: the server restarts"))
		s.forsake(errors.New("parley: the server restarts"))
		n.retry = s.now.Add(time.Duration(m.Retry) * time.Second)
		return
	}
	words := m.Words
	if words == "" {
		words = string(m.Reason)
	}
	s.end(Ended{
		Err: fmt.Errorf("parley: the server ended the session: %s", words), Reason: m.Reason,
		Retry: time.Duration(m.Retry) * time.Second,
	})
}

// welcome begins a session, or goes on with it on a new socket.
func (s *state) welcome(w *signal.Welcome) {
	n := &s.session
	if w.Window < 0 || w.Heartbeat <= 0 || w.Session == "" || w.Reset && w.Session != n.id {
		s.forsake(errors.New("parley: the server's welcome makes no sense"))
		return
	}
	if n.sock != nil {
		s.discard(n.sock)
	}
	n.sock, n.trial, n.doubt, n.wary = n.trial, nil, false, false
	n.sequence.Hold(s.now, 0)
	n.warned = time.Time{} // it was no false alarm
	s.withdraw()
	missed := !n.lost.IsZero()
	if missed {
		s.note(nil, signal.ReportSignallingBack, s.now.Sub(n.lost))
	}
	n.lost, n.failures, n.pinged = time.Time{}, 0, time.Time{} // a ping tells our pace at once
	n.heard, n.answered = s.now, s.now
	n.resume, n.window = w.Resume, time.Duration(w.Window)*time.Second
	n.heartbeat = time.Duration(w.Heartbeat) * time.Millisecond
	if w.ICE != nil {
		n.ice = w.ICE
	}
	switch {
	case w.Resumed:
		s.resumed(w, missed)
	case w.Reset:
		s.reset(w, missed)
	default:
		for _, m := range s.backlog() {
			if said, ok := m.(*signal.Chat); ok { // everything else was for the old session
				s.unsaid = append(s.unsaid, said)
			}
		}
		if missed || n.id == "" {
			s.emit(Online{Up: true})
		}
		n.id, n.sent, n.sequence = w.Session, 0, signal.Sequence{}
		if s.begins != nil {
			s.begins.n = 0 // a number of the old session
		}
		s.transmit(&signal.Ack{})
		s.entrance(w.Room)
		s.opened.settle(nil)
	}
}

// resumed goes on where the last socket ended; nobody has missed one that was replaced on the quiet.
func (s *state) resumed(w *signal.Welcome, missed bool) {
	n := &s.session
	again, err := n.sequence.Resume(w.Received)
	if err != nil {
		n.resume = "" // the two ends do not fit together: a new session
		s.cut(fmt.Errorf("parley: %w", err))
		return
	}
	if missed {
		s.emit(Online{Up: true})
	}
	s.transmit(&signal.Ack{}) // tells the server that the new token arrived, and what did
	for _, b := range again {
		s.write(b)
	}
	s.acknowledged()
	s.reconnected()
	s.hubRevived()
}

// reset goes on under the same id with a server that lost its memory: seats are taken again, links stay, and what was
// not acknowledged is said again under new numbers.
func (s *state) reset(w *signal.Welcome, missed bool) {
	n := &s.session
	backlog := s.backlog()
	n.sequence, n.sent = signal.Sequence{}, 0
	if missed {
		s.emit(Online{Up: true})
	}
	s.transmit(&signal.Ack{})
	if w.Room != nil {
		s.replaceRoom(*w.Room)
		s.merge(w.Room.Seats)
		s.emit(Changed{Info: s.info()})
	}
	if s.wanted {
		s.knock()
	}
	s.forgetRecalls()
	asked, asksAgain := s.asked, false
	s.asked = make(map[uint64]*request)
	for _, old := range backlog {
		number := old.Head().N
		offered := s.linkOffered(number)
		old.Head().N, old.Head().Ack = 0, 0
		if s.send(old) != nil {
			return // an overflow has ended the room
		}
		if b := s.begins; b != nil && b.n == number {
			b.n, asksAgain = n.sent, true
		}
		if q := asked[number]; q != nil {
			delete(asked, number)
			s.asked[n.sent] = q
		}
		if offered != nil {
			offered.offer = n.sent
		}
	}
	s.forgetRecalls()
	for _, q := range asked {
		q.settle(nil) // the old server had acknowledged it
	}
	s.reconnected()
	s.hubRenewed()
	if b := s.begins; b != nil && !asksAgain {
		b.n = 0 // the old server acknowledged it, and may have kept nothing of it
		if w.Room != nil {
			s.encrypted()
		}
	}
}

// backlog is what the server has not acknowledged and what is worth saying to its successor.
func (s *state) backlog() (list []signal.Message) {
	unacked := s.session.sequence.Unacked()
	again, err := s.session.sequence.Resume(s.session.sent - uint64(unacked))
	if err != nil {
		return nil
	}
	for _, b := range again {
		m, fault := signal.Decode(b, signal.FromClient)
		if fault != nil {
			continue // our own words
		}
		switch m.(type) {
		case *signal.Join, *signal.ICEServersAsk, *signal.HistoryAsk: // said anew, or answered by welcome
		default:
			list = append(list, m)
		}
	}
	return list
}

// merge takes a snapshot of the people after a restart of the server, and keeps those who are missing for a while.
func (s *state) merge(list []signal.Seat) {
	old := s.people
	s.people = make(map[string]*signal.Seat, len(list))
	s.seats(list)
	for id, seat := range old {
		if s.people[id] != nil {
			continue
		}
		s.people[id] = seat
		if id != s.me && s.missing[id].IsZero() {
			s.missing[id] = s.now.Add(missingFor)
		}
	}
}
