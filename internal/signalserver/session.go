package signalserver

import (
	"errors"
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/signal"
)

// Limits of patience with one session.
const (
	maxUnreadable = 100 // messages in a row that cannot be read at all
	maxGaps       = 3   // sockets lost to skipped numbers
	// lobbyUnacked bounds what waits for the acknowledgement of a session in front of the door, of which anybody may open
	// many: what it is told until it joins is little.
	lobbyUnacked = 256
)

// session is one client's conversation, over as many sockets as it takes. Its shard owns it.
type session struct {
	shard  *shard
	hall   *hall
	id     string
	from   origin
	client signal.Client
	host   bool // knows the host secret
	reborn bool // of before a restart
	relay  bool // may use the relay

	seq    signal.Sequence
	weight int // of what waits in seq, as the shard has counted it
	bucket *bucket
	socket *socket   // nil while away
	since  time.Time // when it lost its socket

	resume rotation
	gaps   uint8
	untold bool // in shard.untold
	asked  int  // offers that wait for the hub
	hub    bool // it has spoken to the hub

	reported   float64 // events, less what time has forgiven
	reportedAt time.Time
	over       bool
	probing    bool // a ping with probeID is on its way
	probeID    uint64
	appointment
}

// tokens lets rooms hand out what auth makes.
type tokens struct{ *auth.Keys }

// SeatToken implements room.Tokens.
func (t tokens) SeatToken(room, seat string, generation uint32) string {
	return t.SeatSeal(auth.Seat{Room: room, Seat: seat, Generation: generation})
}

// message obeys a message of a client.
func (sh *shard) message(s *session, m signal.Message) {
	s.confirm()
	fresh, err := s.seq.Receive(sh.now, m.Head())
	s.weigh()
	switch {
	case errors.Is(err, signal.ErrGap):
		sh.gap(s)
		return
	case err != nil:
		sh.end(s, protocolBye("an acknowledgement of what was never sent"), false)
		return
	case fresh:
		sh.numbered(s, m)
	case !signal.Numbered(m.Head().Type):
		sh.unnumbered(s, m)
	}
	s.acknowledge()
}

// confirm notes that the client, which sends on this socket, has this socket's welcome. The older tokens are copies from
// now on, after a restart too.
func (s *session) confirm() {
	if s.resume.confirm(s.shard.now, s.resume.issued) {
		s.hall.renewed = true
	}
}

func protocolBye(words string) *signal.Bye {
	return &signal.Bye{Reason: signal.ByeProtocol, Words: words, Retry: 5}
}

// gap lets go of a socket on which a message is missing; the client resumes and sends it again.
func (sh *shard) gap(s *session) {
	if s.gaps++; s.gaps > maxGaps {
		sh.end(s, protocolBye("message numbers were skipped again and again"), false)
		return
	}
	k := s.socket
	k.send(&signal.Error{Code: signal.CodeOutOfOrder, Words: "a message number was skipped; resume and send it again"})
	sh.detach(s, false)
	k.finish()
}

func (sh *shard) unnumbered(s *session, m signal.Message) {
	switch m := m.(type) {
	case *signal.Ping:
		s.send(&signal.Pong{ID: m.ID})
	case *signal.Pong:
		if s.probing && m.ID == s.probeID {
			s.probing = false
			s.hall.Answered(sh.now, s.id)
		}
	case *signal.Bye:
		sh.end(s, nil, true)
	}
}

func (sh *shard) numbered(s *session, m signal.Message) {
	switch m := m.(type) {
	case *signal.Join:
		sh.join(s, m)
	case *signal.ICEServersAsk:
		sh.iceServers(s, m)
	case *signal.Chat:
		sh.chat(s, m)
	case *signal.HistoryAsk:
		sh.history(s, m)
	case *signal.Report:
		sh.report(s, m)
	default:
		s.hall.Handle(sh.now, s.id, m)
	}
}

func (sh *shard) join(s *session, m *signal.Join) {
	id, err := auth.NewID(sh.server.rand)
	if err != nil {
		sh.server.log.Error("no randomness", "err", err)
		s.error(m.N, signal.CodeFault, "something went wrong here; try again")
		return
	}
	j := room.Join{Join: m, ID: id}
	if seat, ok := sh.server.keys.SeatOpen(m.Seat); ok && seat.Room == s.hall.name {
		j.Claim = &room.Claim{Seat: seat.Seat, Generation: seat.Generation}
	}
	sh.sit(s.hall, s.from.address, s.id, j)
}

// sit has a session from that address join, which counts for the room if it makes it.
func (sh *shard) sit(h *hall, from netip.Prefix, session string, j room.Join) {
	counted := false
	if !h.Exists() {
		counted = sh.server.limits.rooms.take(from)
		j.Busy = !counted
	}
	h.Join(sh.now, session, j)
	switch {
	case counted && h.Exists():
		h.maker, h.made = from, true
	case counted:
		sh.server.limits.rooms.give(from)
	}
}

func (sh *shard) iceServers(s *session, m *signal.ICEServersAsk) {
	servers := s.iceServers()
	if servers == nil {
		s.error(m.N, signal.CodeForbidden, "you may not use the relay of this room now")
		return
	}
	s.send(&signal.ICEServersAnswer{Re: m.N, ICE: *servers})
}

// iceServers returns what the session may reach, nil when nothing.
func (s *session) iceServers() *signal.ICEServers {
	if !s.relay {
		return nil
	}
	return s.shard.server.ice.Servers(s.id, s.from.host, s.shard.now)
}

// fault answers a message that could not be read. Its number counts all the same.
func (sh *shard) fault(s *session, fault *signal.Error) {
	s.confirm()
	if fault.Re > 0 {
		fresh, err := s.seq.Receive(sh.now, &signal.Header{Type: signal.TypeError, N: fault.Re})
		if err != nil {
			sh.gap(s)
			return
		}
		if !fresh {
			return // sent again, answered before
		}
	} else if s.seq.Unreadable() > maxUnreadable {
		sh.server.log.Info("unreadable messages", "room", s.hall.name, "session", s.id, "last", fault.Words)
		sh.end(s, protocolBye("too many messages that cannot be read"), false)
		return
	}
	s.send(fault)
	s.acknowledge()
}

// send numbers a message and queues it; a session that has not acknowledged for too long ends.
func (s *session) send(m signal.Message) {
	if s.over {
		return
	}
	if _, ok := m.(*signal.Joined); ok {
		s.seq.Limit = signal.MaxUnacked
	}
	b, err := s.seq.Send(m)
	if err != nil {
		if !errors.Is(err, signal.ErrOverflow) {
			panic(err) // a message that is none: our fault
		}
		s.shard.end(s, protocolBye("too many messages wait for your acknowledgement"), false)
		return
	}
	s.weigh()
	if s.socket != nil && !s.socket.push(b) {
		s.shard.detach(s, false)
	}
}

func (s *session) error(re uint64, code signal.Code, words string) {
	s.send(&signal.Error{Re: re, Code: code, Words: words})
}

// acknowledge sends an acknowledgement if one is due, or makes an appointment for it.
func (s *session) acknowledge() {
	if s.over {
		return
	}
	if s.socket != nil && s.seq.AckDue(s.shard.now) {
		s.send(&signal.Ack{})
	}
	s.schedule()
}

// probe asks for a sign of life.
func (s *session) probe() {
	s.probeID++
	s.probing = true
	s.send(&signal.Ping{ID: s.probeID})
}

// schedule makes the next appointment.
func (s *session) schedule() {
	if s.over {
		return
	}
	if s.socket == nil {
		s.shard.agenda.at(s, s.since.Add(s.shard.server.cfg.Grace))
		return
	}
	s.shard.agenda.at(s, s.seq.Deadline())
}

// wake acknowledges what is due, or ends a session that was away for too long.
func (s *session) wake(now time.Time) {
	sh := s.shard
	if s.socket == nil && !now.Before(s.since.Add(sh.server.cfg.Grace)) {
		sh.end(s, nil, false)
		return
	}
	s.acknowledge()
	sh.settle(s.hall)
}

// detach lets go of the session's socket, which the client closed or which was lost; the session can be resumed.
func (sh *shard) detach(s *session, closed bool) {
	if s.socket == nil {
		return
	}
	s.socket.session = nil
	s.socket = nil
	s.since = sh.now
	s.probing = false
	sh.server.log.Debug("session lost its socket", "room", s.hall.name, "session", s.id)
	s.hall.Lost(sh.now, s.id, closed)
	s.schedule()
	sh.agenda.at(s.hall, sh.now) // settle, but not in the middle of another command
}

// end ends the session and tells its room. With leave its seat is given up. bye may be nil.
func (sh *shard) end(s *session, bye *signal.Bye, leave bool) {
	if s.over {
		return
	}
	sh.close(s, bye)
	s.hall.Gone(sh.now, s.id, leave)
	sh.agenda.at(s.hall, sh.now)
}

// close forgets the session, whose room has forgotten it or will at once.
func (sh *shard) close(s *session, bye *signal.Bye) {
	if s.over {
		return
	}
	s.over = true
	s.weigh()
	if k := s.socket; k != nil {
		k.session = nil
		s.socket = nil
		if bye != nil {
			k.bye(bye)
		} else {
			k.finish()
		}
	}
	delete(sh.sessions, s.id)
	if s.hub {
		sh.offHub(s.hall, s.id)
	}
	sh.agenda.forget(s)
	sh.server.alive.set(s.id, false)
	if ended := sh.server.cfg.Ended; ended != nil {
		ended(s.id)
	}
	sh.server.limits.sessions.give(s.from.address)
	if bye == nil {
		bye = &signal.Bye{}
	}
	sh.server.log.Debug("session ended", "room", s.hall.name, "session", s.id, "reason", bye.Reason, "words", bye.Words,
		"unacked", s.seq.Unacked())
}

// visitor introduces the session to its room.
func (s *session) visitor(was string) room.Visitor {
	return room.Visitor{ID: s.id, Host: s.host, Open: s.from.open, Address: s.from.address, Was: was}
}
