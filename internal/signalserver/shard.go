package signalserver

import (
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/signal"
)

// commandKind tells commands apart.
type commandKind uint8

const (
	cmdMessage commandKind = iota // a message that could be read; hello too
	cmdFault                      // one that could not: message is the *signal.Error to answer with
	cmdFlood                      // the socket sends too much
	cmdLost                       // the socket is gone
	cmdDrain                      // say goodbye to everybody
	cmdCall                       // something that was waited for has come
)

// command is what a reader asks of its session's owner.
type command struct {
	kind    commandKind
	socket  *socket
	message signal.Message
	closed  bool   // by the client, with cmdLost
	call    func() // with cmdCall
}

// commandsAhead is how many commands may wait for a shard; after that, readers wait.
const commandsAhead = 256

// keptRooms is how many ended rooms' policies one shard keeps in memory.
const keptRooms = 10_000

// shard owns a part of the rooms and their sessions. Everything below mail belongs to its loop.
type shard struct {
	server *Server
	cmds   chan command
	mail   mail

	halls    map[string]*hall
	sessions map[string]*session
	guests   map[string]*guest
	agenda   agenda
	backlog  int        // bytes that wait for the sessions
	hopeless int        // relieve need not look again before there are more
	reads    int        // of histories, on their way
	untold   []*session // who joined and has to be told what was said, while too many histories are read
	number   uint64     // of the message that is being obeyed
	kept     []*hall    // ended rooms with a policy, the oldest first; may hold some that live again
	now      time.Time
}

func newShard(s *Server) *shard {
	return &shard{server: s, cmds: make(chan command, commandsAhead), mail: mail{wake: make(chan struct{}, 1)}, halls: map[string]*hall{}, sessions: map[string]*session{}, guests: map[string]*guest{}}
}

// do hands a command to the loop. It waits while the loop is busy and gives up when the server has stopped.
func (sh *shard) do(c command) {
	select {
	case sh.cmds <- c:
	case <-sh.server.stop:
	}
}

// loop obeys commands and keeps appointments until the server stops.
func (sh *shard) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		if next := sh.agenda.next(); !next.IsZero() {
			wait = max(0, time.Until(next))
		}
		timer.Reset(wait)
		select {
		case c := <-sh.cmds:
			sh.now = time.Now()
			sh.guardCommand(c)
		case <-sh.mail.wake:
			sh.now = time.Now()
			for _, f := range sh.mail.take() {
				sh.guard(f, nil, nil)
			}
		case <-timer.C:
		case <-sh.server.stop:
			return
		}
		sh.now = time.Now()
		for w := sh.agenda.due(sh.now); w != nil; w = sh.agenda.due(sh.now) {
			sh.guardWake(w)
		}
		sh.guard(sh.relieve, nil, nil)
	}
}

// guard runs f. When f panics, it runs rescue, which has to leave the shard whole; and when that panics too, collapse,
// which needs nothing of the room.
func (sh *shard) guard(f, rescue, collapse func()) {
	defer func() {
		if p := recover(); p != nil {
			sh.server.log.Error("a command failed; what it was for ends", "panic", p, "stack", string(debug.Stack()))
			if collapse != nil {
				sh.guard(rescue, collapse, nil)
			}
		}
	}()
	f()
}

func goodbyeForFault() *signal.Bye {
	return &signal.Bye{Reason: signal.ByeFault, Words: "something went wrong here; try again", Retry: 1}
}

// guardCommand obeys c; a panic ends the session that it came from.
func (sh *shard) guardCommand(c command) {
	if c.kind == cmdCall {
		sh.guard(c.call, nil, nil)
		return
	}
	sh.guard(func() { sh.obey(c) }, func() {
		if s := c.socket.session; s != nil {
			sh.end(s, goodbyeForFault(), false)
			sh.settle(s.hall)
		} else {
			c.socket.bye(goodbyeForFault())
		}
	}, func() {
		if s := c.socket.session; s != nil {
			sh.collapse(s.hall)
		}
	})
}

// guardWake keeps an appointment; a panic ends the session or the room that had it.
func (sh *shard) guardWake(w wakeful) {
	sh.guard(func() { w.wake(sh.now) }, func() {
		switch w := w.(type) {
		case *session:
			sh.end(w, goodbyeForFault(), false)
			sh.settle(w.hall)
		case *hall:
			sh.collapse(w)
		}
	}, func() {
		if s, ok := w.(*session); ok {
			sh.collapse(s.hall)
		}
	})
}

// collapse ends a room whose state cannot be trusted any more, with all its sessions.
func (sh *shard) collapse(h *hall) {
	for _, s := range sh.sessions {
		if s.hall == h {
			sh.close(s, goodbyeForFault())
		}
	}
	for _, g := range sh.guests {
		if g.hall == h {
			sh.dismiss(g, goodbyeForFault())
		}
	}
	if h.made {
		sh.server.limits.rooms.give(h.maker)
		h.made = false
	}
	sh.forget(h)
}

func (sh *shard) obey(c command) {
	switch c.kind {
	case cmdDrain:
		sh.drain()
		return
	case cmdLost:
		if s := c.socket.session; s != nil {
			sh.detach(s, c.closed)
		}
		return
	case cmdFlood:
		if s := c.socket.session; s != nil {
			sh.server.log.Info("flood", "room", s.hall.name, "session", s.id, "from", s.from.address)
			sh.end(s, goodbyeForFlood(), false)
		} else {
			c.socket.bye(goodbyeForFlood())
		}
		return
	}
	s := c.socket.session
	h, hello := c.message.(*signal.Hello)
	switch {
	case s == nil && hello:
		sh.hello(c.socket, h)
	case s == nil: // after goodbye
	case c.kind == cmdFault:
		sh.fault(s, c.message.(*signal.Error))
	case hello:
		s.error(0, signal.CodeOrder, "this socket has said hello already")
	default:
		sh.message(s, c.message)
	}
	if s != nil {
		sh.settle(s.hall)
	}
}

func goodbyeForFlood() *signal.Bye {
	return &signal.Bye{Reason: signal.ByeFlood, Words: "this client sent too many messages", Retry: 10}
}

// drain says goodbye to every session. Nothing is resumed after it: the process ends.
func (sh *shard) drain() {
	for _, s := range sh.sessions {
		if s.socket != nil {
			s.socket.bye(goodbyeForDrain(s.socket.serial))
			s.socket.session = nil
			s.socket = nil
		}
		sh.server.alive.set(s.id, false)
	}
	for _, g := range sh.guests {
		sh.dismiss(g, goodbyeForDrain(0))
	}
	clear(sh.sessions)
	clear(sh.halls)
	sh.agenda, sh.backlog = nil, 0
}

// hall is a room with its place in the shard.
type hall struct {
	*room.Room
	shard *shard
	name  string
	maker netip.Prefix // who counts for having made the room
	made  bool         // the room exists and counts
	keep  bool         // in shard.kept

	stored    uint64            // the hash of what the keeper has; 0 is nothing
	past      pastState         // what the keeper knows of it from before a restart
	known     map[string]uint32 // from before a restart: the generations of its sessions' tokens
	renewed   bool              // a token of its sessions is a newer one
	said      bool              // the keeper has messages of it
	chronicle *chronicle        // its messages on their way to the keeper; nil without any
	appointment
}

// appointment is a slot that a type embeds.
type appointment struct{ s slot }

func (a *appointment) slot() *slot { return &a.s }

// hall returns the room with that name, which may not exist yet as a room.
func (sh *shard) hall(name string) *hall {
	h := sh.halls[name]
	if h == nil {
		h = &hall{shard: sh, name: name}
		h.Room = room.New(sh.server.roomConfig(name), tokens{sh.server.keys})
		sh.halls[name] = h
	}
	return h
}

// wake does what is due in the room.
func (h *hall) wake(now time.Time) {
	h.HandleTimeout(now)
	h.retry(now)
	h.shard.settle(h)
}

// settle carries out what a room wants done, and looks at what became of the room. Every change of a room ends here.
func (sh *shard) settle(h *hall) {
	for {
		sh.happened(h)
		effects := h.Effects()
		if len(effects) == 0 {
			break
		}
		for _, e := range effects {
			sh.carryOut(h, e)
		}
	}
	h.persist()
	if h.made && !h.Exists() {
		sh.server.limits.rooms.give(h.maker)
		h.made = false
	}
	forget, until := h.Forget(sh.now)
	switch {
	case forget:
		sh.forget(h)
		return
	case !until.IsZero():
		sh.keepPolicy(h)
		sh.agenda.at(h, until)
	}
	sh.agenda.at(h, h.Deadline())
}

func (sh *shard) carryOut(h *hall, e room.Effect) {
	s := sh.sessions[e.Session]
	switch {
	case s == nil:
		if g := sh.guests[e.Session]; g != nil {
			sh.oblige(g, e)
		}
	case e.End != nil:
		sh.close(s, e.End)
	case e.Probe:
		s.probe()
	case e.Relay != nil:
		sh.server.alive.set(s.id, *e.Relay)
		s.relay = *e.Relay
	case e.Hub != nil:
		sh.toHub(s, e.Hub)
	default:
		joined, ok := e.Message.(*signal.Joined)
		if ok {
			sh.server.refer(h, joined)
		}
		s.send(e.Message)
		if ok {
			sh.tellHistory(s)
		}
	}
}

func (sh *shard) forget(h *hall) {
	h.expunge()
	sh.agenda.forget(h)
	if sh.halls[h.name] == h {
		delete(sh.halls, h.name)
	}
}

// keepPolicy bounds how many ended rooms are remembered.
func (sh *shard) keepPolicy(h *hall) {
	if h.keep {
		return
	}
	h.keep = true
	sh.kept = append(sh.kept, h)
	for len(sh.kept) > keptRooms {
		oldest := sh.kept[0]
		sh.kept = sh.kept[1:]
		oldest.keep = false
		if _, until := oldest.Forget(sh.now); !until.IsZero() {
			sh.forget(oldest)
		}
	}
}
