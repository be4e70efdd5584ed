package signalserver

import (
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/signal"
)

// tokenLife is how old a resume token may be by which a room is made again that nobody remembers. A room that ended
// is remembered as ended for as long.
const tokenLife = 24 * time.Hour

// revive goes on with a session of before a restart, under its old identifier. Its numbering begins anew. False means
// that a new session has to be opened.
func (sh *shard) revive(k *socket, h *signal.Hello, token auth.Resume) bool {
	if token.Epoch == sh.server.epoch {
		return false
	}
	if s := sh.sessions[token.Session]; s != nil {
		return s.reborn && s.hall.name == token.Room && sh.reviveAgain(k, s, token)
	}
	to := sh.hall(token.Room)
	if token.Generation < to.known[token.Session] {
		sh.server.log.Info("an old resume token was used after the restart; refused", "room", to.name, "session", token.Session)
		return false
	}
	defer func() { sh.settle(to) }() // a room that nobody got into is forgotten
	if !sh.server.limits.sessions.take(k.from.address) {
		k.refuse(&signal.Error{Code: signal.CodeBusy, Words: "too many sessions from your address; try again later"})
		return true
	}
	s := &session{
		shard: sh, hall: to, id: token.Session, from: k.from, bucket: k.bucket.Load(), client: h.Client, reborn: true,
		resume: rotation{issued: token.Generation, known: token.Generation, since: sh.now},
	}
	s.seq.Limit = lobbyUnacked
	s.host = h.Host != "" && sh.server.keys.CheckHost(h.Room, h.Host, sh.now)
	state, relay, fault := to.Return(sh.now, s.visitor(token.Session), room.Return{
		Seat: token.Seat, Name: token.Name, Role: token.Role, Rebuild: sh.mayRebuild(to, token),
	})
	if fault != nil {
		sh.server.limits.sessions.give(k.from.address)
		k.refuse(fault)
		return true
	}
	s.relay = relay
	if to.SeatOf(s.id) != "" {
		s.seq.Limit = signal.MaxUnacked
	}
	if to.Exists() && !to.made {
		to.maker, to.made = s.from.address, true
		sh.server.limits.rooms.force(to.maker)
	}
	sh.sessions[s.id] = s
	sh.server.alive.set(s.id, relay)
	sh.welcomeBack(k, s, state, nil)
	return true
}

// mayRebuild decides whether what the token says may take the place of a memory that was lost: not where the room is
// remembered, or remembered to have ended, and only as long as a session could be resumed.
func (sh *shard) mayRebuild(h *hall, token auth.Resume) bool {
	_, ended := sh.server.ended[h.name]
	return h.past == pastLost && !ended && sh.now.Sub(sh.server.started) < sh.server.cfg.Grace && sh.now.Sub(token.Made) < tokenLife
}

// reviveAgain says welcome once more to a client that has not answered the first time. Whether it has read that welcome
// is not known: this may as well be an older hello that was overtaken. So the numbering goes on, and what was said since
// the first welcome is said again.
func (sh *shard) reviveAgain(k *socket, s *session, token auth.Resume) bool {
	if s.resume.judge(sh.now, token.Generation) != tokenGood {
		return false
	}
	pending, err := s.seq.Resume(0)
	if err != nil {
		return false
	}
	if old := s.socket; old != nil {
		old.session = nil
		old.cut()
		s.socket = nil
	}
	k.bucket.Store(s.bucket)
	s.from.host = k.from.host
	s.probing = false
	s.hall.Back(sh.now, s.id)
	sh.welcomeBack(k, s, s.hall.State(s.id), pending)
	return true
}

// welcomeBack answers hello with the state of the room, and sends what is pending again.
func (sh *shard) welcomeBack(k *socket, s *session, state signal.RoomState, pending [][]byte) {
	s.socket, k.session = k, s
	sh.server.log.Debug("session goes on after the restart", "room", s.hall.name, "session", s.id, "seat", s.hall.SeatOf(s.id))
	w := s.welcome()
	w.Reset, w.Room = true, &state
	b, err := s.seq.Send(w)
	if err != nil {
		panic(err) // welcome takes no place in the sequence
	}
	k.push(append([][]byte{b}, pending...)...)
	s.schedule()
	sh.settle(s.hall)
}
