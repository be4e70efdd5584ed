package mediaserver

import (
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/peer"
	"github.com/parley-rtc/parley/internal/portserver"
)

// maxPaths is how many paths of a transport are in the tables before those are looked for that have died.
const maxPaths = 2 * ice.MaxPaths

// known is set in the tag of a passed check when the loop that passes it knows already that its path is the other's. The rest of a
// tag is the number of the passing loop, plus 1.
const known = 1 << 32

// loop is one loop's part of the hub. All of it belongs to the loop.
type loop struct {
	server *Server
	id     int
	out    *portserver.Outbox // of the call that is under way

	paths   map[ice.Path]route
	byUfrag map[string]*client
	clients map[*client]struct{}
	timers  timers
	touched []*room // that had packets in this call
	streams map[uint64]*stream
}

// route says whose the packets of a path are: a transport here, or another loop.
type route struct {
	client *client
	loop   int
}

func newLoop(s *Server, id int) *loop {
	return &loop{server: s, id: id, paths: map[ice.Path]route{}, byUfrag: map[string]*client{}, clients: map[*client]struct{}{}, streams: map[uint64]*stream{}}
}

// Next and Send are the transports' way out: peer.Out.
func (l *loop) Next() []byte { return l.out.Next() }

// Send queues a datagram.
func (l *loop) Send(n int, path ice.Path) {
	if path.Via == 0 {
		l.out.Send(n, path.Peer, path.Local)
	} else if path.Via == relayVia {
		if relay := l.server.cfg.Relay; relay != nil {
			relay(path.Peer, l.out.Next()[:n])
		}
	} else if st := l.streams[path.Via]; st != nil {
		st.put(l.out.Next()[:n])
	}
}

// HandleBatch takes what belongs to the hub: portserver.Batches.
func (s *Server) HandleBatch(n int, now time.Time, batch []portserver.Packet, out *portserver.Outbox) {
	l := s.loops[n]
	l.out = out
	l.overdue(now)
	for i := range batch {
		switch p := &batch[i]; p.Kind {
		case portserver.RTP, portserver.DTLS:
			l.media(now, p)
		case portserver.STUN:
			l.check(now, p)
		}
	}
	l.settle(now)
}

// HandleTimeout does what is due: portserver.Batches.
func (s *Server) HandleTimeout(n int, now time.Time, out *portserver.Outbox) {
	l := s.loops[n]
	l.out = out
	l.overdue(now)
	l.settle(now)
}

// Deadline says when something is due: portserver.Batches.
func (s *Server) Deadline(n int) time.Time { return s.loops[n].timers.next() }

// media gives a packet to its path's transport, or loop. Those of other paths are nobody's.
func (l *loop) media(now time.Time, p *portserver.Packet) {
	path := ice.Path{Peer: p.Src, Local: p.Local}
	r, ok := l.paths[path]
	if !ok {
		return
	}
	if r.client != nil {
		p.Take()
		l.handle(now, r.client, path, p.Data)
		return
	}
	if p.Tag == 0 { // never twice
		l.out.Pass(r.loop, p, uint64(l.id+1))
	}
}

// handle gives a packet to its transport. Whoever sends one that makes us panic loses the link, and nobody else does.
func (l *loop) handle(now time.Time, c *client, path ice.Path, packet []byte) {
	defer l.save(now, c)
	l.follow(now, c, c.transport.HandlePacket(now, path, packet))
}

// save is to be deferred: it ends a client while whose packet or deadline was handled we panicked.
func (l *loop) save(now time.Time, c *client) {
	cause := recover()
	if cause == nil {
		return
	}
	l.server.faults.Add(1)
	if fault := l.server.cfg.Fault; fault != nil {
		fault(c.at, cause, debug.Stack())
	}
	c.why = ErrFault
	l.drop(now, c)
	l.ended(c)
}

// check gives a check of ICE to the transport whose fragment it names. Other STUN is TURN's.
func (l *loop) check(now time.Time, p *portserver.Packet) {
	m, err := ice.Parse(p.Data)
	if err != nil || !m.Check() {
		return
	}
	ufrag := m.Ufrag()
	path := ice.Path{Peer: p.Src, Local: p.Local}
	c := l.byUfrag[string(ufrag)]
	if c == nil {
		if owner := ownerOf(ufrag); p.Tag == 0 && owner != l.id && owner < len(l.server.loops) {
			tag := uint64(l.id + 1)
			if r, ok := l.paths[path]; ok && r.client == nil && r.loop == owner {
				tag |= known
			}
			l.out.Pass(owner, p, tag)
		}
		return
	}
	p.Take()
	defer l.save(now, c)
	e := c.transport.HandleCheck(now, path, &m)
	if e.Has(peer.Found) || l.missing(now, c, path) {
		l.learn(now, c, path)
	}
	if p.Tag != 0 && l.paths[path].client == c {
		l.tell(c, path, p.Tag)
	}
	l.follow(now, c, e)
	l.schedule(&c.timer, c.transport.Deadline())
}

// alphabet are the characters of a fragment (RFC 8839 §5.4); there are at most as many loops.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// ownerOf returns the loop whose fragment it is, if it is one of ours.
func ownerOf(ufrag []byte) int {
	if len(ufrag) == 0 {
		return 0
	}
	if i := strings.IndexByte(alphabet, ufrag[0]); i >= 0 {
		return i
	}
	return len(alphabet)
}

// learn notes that packets from a path are a transport's.
func (l *loop) learn(now time.Time, c *client, path ice.Path) {
	l.paths[path] = route{client: c}
	if _, ok := c.paths[path]; !ok && len(c.paths) >= maxPaths {
		for p, from := range c.paths {
			if !c.transport.Valid(now, p) {
				l.unlearn(c, p, from)
			}
		}
	}
	if _, ok := c.paths[path]; !ok {
		c.paths[path] = 0
	}
	if path.Via == relayVia {
		l.server.relays.set(path.Peer, l)
	}
}

// missing reports whether a transport's path is valid and yet not in the tables: somebody else had it too, and has taken it along.
func (l *loop) missing(now time.Time, c *client, path ice.Path) bool {
	_, ok := l.paths[path]
	if path.Via == relayVia {
		ok = ok && l.server.relays.get(path.Peer) == l
	}
	return !ok && c.transport.Valid(now, path)
}

// tell tells the loop that a path's packets come to, by the tag of its check, where they belong, and asks the port to bring them
// here if they carry media. Should the command be lost, the next check of the path comes without the mark that it is known; should
// the port not have followed, with it.
func (l *loop) tell(c *client, path ice.Path, tag uint64) {
	if tag&known == 0 {
		to := int(tag) - 1
		from := l.server.loops[to]
		if !l.server.port.Post(to, func(time.Time, *portserver.Outbox) { from.paths[path] = route{loop: l.id} }) {
			return // nobody is to be steered away from a loop that does not know them
		}
		c.paths[path] = to + 1
	}
	if at, ok := c.transport.Path(); ok && at == path { // the one that media come by
		l.server.port.Steer(path.Peer, l.id)
	}
}

// unlearn takes a path out of the tables, here and in the loop that was told (plus 1; 0 is none).
func (l *loop) unlearn(c *client, path ice.Path, told int) {
	delete(c.paths, path)
	if l.paths[path].client == c {
		delete(l.paths, path)
		if path.Via == relayVia {
			l.server.relays.drop(path.Peer, l)
		}
	}
	if path.Via == 0 && !c.comesFrom(path.Peer) {
		l.server.port.Unsteer(path.Peer, l.id)
	}
	if told == 0 {
		return
	}
	from := l.server.loops[told-1]
	// Should this command be lost, the packets of a dead path go on being passed, to be dropped here.
	l.server.port.Post(from.id, func(time.Time, *portserver.Outbox) {
		if r := from.paths[path]; r.client == nil && r.loop == l.id {
			delete(from.paths, path)
		}
	})
}

// comesFrom reports whether a client has a path from an address.
func (c *client) comesFrom(peer netip.AddrPort) bool {
	for path := range c.paths {
		if path.Peer == peer {
			return true
		}
	}
	return false
}

// rename brings the table of fragments up to date.
func (l *loop) rename(c *client) {
	for _, name := range c.names {
		delete(l.byUfrag, name)
	}
	c.names = append(c.names[:0], c.transport.Ufrags()...)
	for _, name := range c.names {
		l.byUfrag[name] = c
	}
}

// follow does what a transport's event asks for.
func (l *loop) follow(now time.Time, c *client, e peer.Event) {
	if e == 0 {
		return
	}
	if e.Has(peer.Retired) {
		l.rename(c)
	}
	if e.Has(peer.Ready) {
		l.admit(now, c)
	}
	if e.Has(peer.Failed) {
		l.drop(now, c)
		l.ended(c)
	}
}

// overdue does what is due: transports first, so that nothing goes to a path whose peer has fallen silent.
func (l *loop) overdue(now time.Time) {
	for range l.timers { // once each, even if one stays due
		t := l.timers.due(now)
		if t == nil {
			return
		}
		if c := t.client; c != nil {
			l.expire(now, c)
			if _, alive := l.clients[c]; alive {
				l.schedule(&c.timer, c.transport.Deadline())
			}
			continue
		}
		l.touch(t.room)
	}
}

func (l *loop) expire(now time.Time, c *client) {
	defer l.save(now, c)
	l.follow(now, c, c.transport.HandleTimeout(now))
}

// touch has settle look after a room.
func (l *loop) touch(r *room) {
	if !r.touched {
		r.touched = true
		l.touched = append(l.touched, r)
	}
}

// settle ends a call: rooms that had packets, or were due, do what is to be done, and say what has happened.
func (l *loop) settle(now time.Time) {
	for n := len(l.touched); n > 0; n = len(l.touched) {
		r := l.touched[n-1]
		l.touched[n-1], l.touched = nil, l.touched[:n-1]
		r.touched = false
		r.forward.Tick(now)
		r.forward.Events(r.tell)
		l.schedule(&r.timer, r.forward.Deadline())
	}
}

// schedule sets when something is due; the zero time is never.
func (l *loop) schedule(t *timer, at time.Time) {
	if !at.Equal(t.at) {
		l.timers.set(t, at)
	}
}
