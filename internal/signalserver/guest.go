package signalserver

import (
	"context"
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/signal"
)

// guest is a session without a socket: of somebody who came by another door, which speaks for it in this protocol's
// messages. It is never away: when its door loses it, it is over. Its shard owns it.
type guest struct {
	hall   *hall
	id     string
	from   netip.Prefix
	client signal.Client
	tell   func(signal.Message)
}

// Enter lets an encoder in, which v describes, and has it join, for the seat that is returned. What the room has to say to it comes through tell, in order:
// Joined, Waiting or Error first, and a Bye as the last thing ever, unless Quit comes first. tell is called by the loop that
// owns the room: it must not block, and the messages are the receiver's own. After a fault, or when ctx has ended, nothing is
// told any more once Quit has been called, which is for the caller to do.
func (s *Server) Enter(ctx context.Context, name string, v room.Visitor, client signal.Client, j *signal.Join, tell func(signal.Message)) (seat string, fault *signal.Error) {
	seat, err := auth.NewID(s.rand)
	if err != nil {
		s.log.Error("no randomness", "err", err)
		return "", fault500()
	}
	return seat, s.receive(ctx, name, func(sh *shard, h *hall) *signal.Error {
		if fault := sh.count(v.Address); fault != nil {
			return fault
		}
		_, relay, fault := h.Attach(sh.now, v)
		if fault != nil {
			sh.server.limits.sessions.give(v.Address)
			return fault
		}
		sh.guests[v.ID] = &guest{hall: h, id: v.ID, from: v.Address, client: client, tell: tell}
		sh.server.alive.set(v.ID, relay)
		sh.sit(h, v.Address, v.ID, room.Join{Join: j, ID: seat})
		return nil
	})
}

// Watch lets a player in, and says who sits in the room. What changes comes through tell as SeatChange and Left, and a Bye as the
// last thing; see Enter.
func (s *Server) Watch(ctx context.Context, name string, v room.Visitor, tell func(signal.Message)) (seats []signal.Seat, fault *signal.Error) {
	fault = s.receive(ctx, name, func(sh *shard, h *hall) (fault *signal.Error) {
		if fault := sh.count(v.Address); fault != nil {
			return fault
		}
		if seats, fault = h.Watch(sh.now, v); fault != nil {
			sh.server.limits.sessions.give(v.Address)
			return fault
		}
		sh.guests[v.ID] = &guest{hall: h, id: v.ID, from: v.Address, tell: tell}
		sh.server.alive.set(v.ID, true)
		return nil
	})
	return seats, fault
}

func fault500() *signal.Error {
	return &signal.Error{Code: signal.CodeFault, Words: "something went wrong here; try again"}
}

// receive has the owner of a room carry out f.
func (s *Server) receive(ctx context.Context, name string, f func(*shard, *hall) *signal.Error) *signal.Error {
	if s.draining.Load() {
		return &signal.Error{Code: signal.CodeBusy, Words: "the server is going down; try again in a few seconds"}
	}
	sh := s.shard(name)
	done := make(chan *signal.Error, 1)
	sh.mail.post(func() {
		fault := fault500()
		defer func() { done <- fault }()
		if ctx.Err() != nil || s.draining.Load() {
			return
		}
		h := sh.hall(name)
		fault = f(sh, h)
		sh.settle(h)
	})
	select {
	case fault := <-done:
		return fault
	case <-ctx.Done():
	case <-s.stop:
	}
	return &signal.Error{Code: signal.CodeBusy, Words: "the server is busy; try again"}
}

// count takes a place of an address.
func (sh *shard) count(from netip.Prefix) *signal.Error {
	if !sh.server.limits.pace.allow(sh.now, from) || !sh.server.limits.sessions.take(from) {
		return &signal.Error{Code: signal.CodeBusy, Words: "too many sessions from your address; try again later"}
	}
	return nil
}

// Say has a guest say something, as a client would: Media, Speak. It never blocks.
func (s *Server) Say(name, session string, m signal.Message) {
	s.visit(name, session, func(sh *shard, g *guest) { g.hall.Handle(sh.now, g.id, m) })
}

// Quit ends a guest, whose seat is given up. It never blocks; one that is not there is none of its business.
func (s *Server) Quit(name, session string) {
	s.visit(name, session, func(sh *shard, g *guest) {
		sh.dismiss(g, nil)
		g.hall.Gone(sh.now, g.id, true)
	})
}

func (s *Server) visit(name, session string, f func(*shard, *guest)) {
	sh := s.shard(name)
	sh.mail.post(func() {
		if g := sh.guests[session]; g != nil && g.hall.name == name {
			f(sh, g)
			sh.settle(g.hall)
		}
	})
}

// ICEServers returns how a guest reaches STUN and TURN, nil when it may not. host is the Host header of its request.
func (s *Server) ICEServers(session, host string) *signal.ICEServers {
	if !s.alive.has(session) {
		return nil
	}
	return s.ice.Servers(session, host, time.Now())
}

// dismiss forgets a guest, whose room has forgotten it or will at once.
func (sh *shard) dismiss(g *guest, bye *signal.Bye) {
	delete(sh.guests, g.id)
	sh.server.alive.set(g.id, false)
	sh.server.limits.sessions.give(g.from)
	if ended := sh.server.cfg.Ended; ended != nil {
		ended(g.id)
	}
	if bye != nil {
		g.tell(bye)
	}
}

// oblige carries out what a room wants done for a guest.
func (sh *shard) oblige(g *guest, e room.Effect) {
	switch {
	case e.End != nil:
		sh.dismiss(g, e.End)
	case e.Relay != nil:
		sh.server.alive.set(g.id, *e.Relay)
	case e.Message != nil:
		g.tell(e.Message)
	}
}
