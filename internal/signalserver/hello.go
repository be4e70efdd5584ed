package signalserver

import (
	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
)

// hello opens a session on a fresh socket, or resumes one.
func (sh *shard) hello(k *socket, h *signal.Hello) {
	if sh.server.draining.Load() {
		k.bye(goodbyeForDrain(k.serial))
		return
	}
	var was string
	if h.Resume != "" {
		token, ok := sh.server.keys.ResumeOpen(h.Resume)
		if ok && token.Room == h.Room {
			if sh.resume(k, h, token) || sh.revive(k, h, token) {
				return
			}
			was = token.Session
		}
	}
	if !sh.server.limits.pace.allow(sh.now, k.from.address) || !sh.server.limits.sessions.take(k.from.address) {
		k.refuse(&signal.Error{Code: signal.CodeBusy, Words: "too many sessions from your address; try again later"})
		return
	}
	sh.open(k, h, was)
}

// refuse answers hello with an error and closes the socket.
func (k *socket) refuse(e *signal.Error) {
	k.send(e)
	k.finish()
}

// open opens a new session.
func (sh *shard) open(k *socket, h *signal.Hello, was string) {
	id, err := auth.NewID(sh.server.rand)
	if err != nil {
		sh.server.log.Error("no randomness", "err", err)
		sh.server.limits.sessions.give(k.from.address)
		k.refuse(&signal.Error{Code: signal.CodeFault, Words: "something went wrong here; try again"})
		return
	}
	s := &session{shard: sh, hall: sh.hall(h.Room), id: id, from: k.from, bucket: k.bucket.Load(), client: h.Client}
	s.seq.Limit = lobbyUnacked
	s.host = h.Host != "" && sh.server.keys.CheckHost(h.Room, h.Host, sh.now)
	state, relay, fault := s.hall.Attach(sh.now, s.visitor(was))
	if fault != nil {
		sh.server.limits.sessions.give(k.from.address)
		k.refuse(fault)
		return
	}
	s.relay = relay
	s.socket, k.session = k, s
	sh.sessions[id] = s
	sh.server.alive.set(id, relay)
	sh.server.log.Debug("session opened", "room", h.Room, "session", id, "client", h.Client.Name, "host", s.host,
		"open", s.from.open, "from", s.from.address)
	w := s.welcome()
	w.Room = &state
	s.send(w)
	if h.Host != "" && !s.host {
		s.send(&signal.Error{
			Code: signal.CodeBadSecret, Field: "host",
			Words: "this host link is not good any more, or belongs to another room; you are here as a guest",
		})
	}
	sh.settle(s.hall)
}

// resume goes on with a session over a new socket. False means that a new one has to be opened.
func (sh *shard) resume(k *socket, h *signal.Hello, token auth.Resume) bool {
	s := sh.sessions[token.Session]
	if s == nil || token.Epoch != sh.server.epoch || s.hall.name != token.Room {
		return false
	}
	switch s.resume.judge(sh.now, token.Generation) {
	case tokenCopied:
		s.hall.Revoke(s.id)
		sh.server.log.Info("resume token used twice; revoked", "room", s.hall.name, "session", s.id)
		return false
	case tokenBad:
		sh.server.log.Debug("resume token superseded", "room", s.hall.name, "session", s.id)
		return false
	}
	pending, err := s.seq.Resume(h.Received)
	if err != nil { // a client that lost its state, such as a copied tab
		sh.server.log.Debug("not resumed", "room", s.hall.name, "session", s.id, "received", h.Received, "err", err)
		return false
	}
	s.weigh()
	if old := s.socket; old != nil { // the client noticed first that it is dead
		old.session = nil
		old.cut()
	}
	s.socket, k.session = k, s
	k.bucket.Store(s.bucket)
	s.resume.confirm(sh.now, token.Generation)
	s.hall.renewed = true
	s.from.host = k.from.host
	s.probing = false
	sh.server.log.Debug("session resumed", "room", s.hall.name, "session", s.id, "again", len(pending))
	w := s.welcome()
	w.Resumed = true
	w.Received = s.seq.Received()
	b, err := s.seq.Send(w)
	if err != nil {
		panic(err) // welcome takes no place in the sequence
	}
	if !k.push(append([][]byte{b}, pending...)...) {
		sh.detach(s, false) // errors from before hello still wait to be read; the client may resume once more
		sh.settle(s.hall)
		return true
	}
	s.hall.Back(sh.now, s.id)
	s.schedule()
	sh.settle(s.hall)
	return true
}

// welcome returns what both kinds of welcome say, with a token of the next generation.
func (s *session) welcome() *signal.Welcome {
	srv := s.shard.server
	return &signal.Welcome{
		Session: s.id,
		Resume: srv.keys.ResumeSeal(auth.Resume{
			Room: s.hall.name, Session: s.id, Epoch: srv.epoch, Made: s.shard.now,
			Generation: s.resume.next(), Seat: s.hall.SeatOf(s.id), Name: s.hall.NameOf(s.id), Role: s.hall.RoleOf(s.id),
		}),
		Window:    int(srv.cfg.Grace.Seconds()),
		Heartbeat: int(srv.cfg.Heartbeat.Milliseconds()),
		Server:    signal.Client{Name: "parley", Version: srv.cfg.Version},
		ICE:       s.iceServers(),
	}
}
