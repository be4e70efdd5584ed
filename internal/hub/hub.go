// Package hub is the media plane as clients know it: the peer of signalling called signal.Hub, and the other end of the data channels
// of each person's link with it. It turns offers into answers, tells people on the control channel what their places show, who speaks
// and what is wanted of them, and hands their data on to each other.
//
// # Contract
//
//   - [Hub] is a signalserver.Hub, a mediaserver.Listener and a mediaserver.Data. As the first two it never blocks: what takes time is
//     done by goroutines that exist while there is something to do, one for each session and one for each room.
//   - What is asked for one session is done in order.
//   - What is told is state: when a client does not keep up, it misses steps in between and never the last one.
//   - Everything is bounded: how much a client may say, how much waits for it, and what it may make wait for others.
package hub

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
)

const (
	// answerTime is how long an offer may take; signalling waits a little longer.
	answerTime = 9 * time.Second
	// readers is how many offers are read at once.
	readers = 32
)

// Plane is what is needed of the media plane: *mediaserver.Server.
type Plane interface {
	Offer(ctx context.Context, o mediaserver.Offer) (mediaserver.Answer, error)
	Show(ctx context.Context, at mediaserver.Link, wants []sfu.Want) error
	Listen(ctx context.Context, at mediaserver.Link, listens bool) error
	Leave(ctx context.Context, at mediaserver.Link) error
	People(ctx context.Context, room string) ([]mediaserver.LinkStats, error)
	OpenChannel(at mediaserver.Link, channel dtlsserver.ChannelConfig) (*dtlsserver.Channel, error)
}

// Config is what a Hub is made of.
type Config struct {
	// Candidates says where a client reaches the media port whose WebSocket request had that Host header. It is asked from many
	// goroutines.
	Candidates func(host string) []sdp.Candidate
	// Tell says something to a session through signalling, as signalserver.Server.Tell does.
	Tell func(room, session string, m signal.Relayed) bool
	// Log gets what an administrator should know.
	Log *slog.Logger
}

var (
	_ signalserver.Hub     = (*Hub)(nil)
	_ mediaserver.Listener = (*Hub)(nil)
	_ mediaserver.Data     = (*Hub)(nil)
)

// Hub is the hub of one server. Its methods may be called from any goroutine.
type Hub struct {
	cfg   Config
	plane Plane
	open  func(at mediaserver.Link, channel dtlsserver.ChannelConfig) (end, error)
	base  context.Context
	stop  context.CancelFunc
	gate  chan struct{} // holds one for each offer that is being read
	wait  atomic.Int64  // bytes of programs' data that wait

	relieving atomic.Bool // a goroutine sees to it that less does

	refused, late atomic.Uint64 // offers, and channels that were cut

	mu    sync.Mutex // of rooms; it may be held when a room's mutex is locked
	rooms map[string]*room

	life    sync.Mutex // a leaf
	closed  bool
	running sync.WaitGroup
}

// New returns a hub that waits for Attach.
func New(cfg Config) *Hub {
	h := &Hub{cfg: cfg, gate: make(chan struct{}, readers), rooms: map[string]*room{}}
	h.base, h.stop = context.WithCancel(context.Background())
	return h
}

// Attach gives the hub its media plane. It is to be called once, before anything else.
func (h *Hub) Attach(plane Plane) {
	h.plane = plane
	h.open = func(at mediaserver.Link, channel dtlsserver.ChannelConfig) (end, error) {
		return plane.OpenChannel(at, channel)
	}
	h.run(h.watch)
}

// Stop ends what is under way. It is for after signalling and the media plane have been closed.
func (h *Hub) Stop() {
	h.life.Lock()
	h.closed = true
	h.life.Unlock()
	h.stop()
	h.running.Wait()
}

// run starts a goroutine that Stop waits for; it is false when the hub has closed.
func (h *Hub) run(f func()) bool {
	h.life.Lock()
	defer h.life.Unlock()
	if h.closed {
		return false
	}
	h.running.Go(f)
	return true
}

// Stats counts what is there, and what has happened since the start.
type Stats struct {
	// Refused are offers that were answered with a fault.
	Refused uint64
	// Waiting is how many bytes of programs' data wait for their receivers.
	Waiting int64
	// Cut are channels that were closed because their receiver was too far behind.
	Cut uint64
}

// Stats returns the counters.
func (h *Hub) Stats() Stats {
	return Stats{Refused: h.refused.Load(), Waiting: h.wait.Load(), Cut: h.late.Load()}
}

// Channels are the data channels that both sides of a link know of without being told.
func Channels() []dtlsserver.ChannelConfig {
	return []dtlsserver.ChannelConfig{{Label: controlLabel, ID: controlID}}
}

// find returns a room that somebody is in, nil when nobody is.
func (h *Hub) find(name string) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rooms[name]
}

// Offer asks for an answer: signalserver.Hub.
func (h *Hub) Offer(p signalserver.HubPeer, o *signal.Offer, done func(signalserver.HubAnswer, *signal.Error)) {
	h.ask(p, true, func(s *session) {
		answer, fault := s.offer(p, o)
		if fault != nil {
			h.refused.Add(1)
		}
		done(answer, fault)
	})
}

// Handle takes what else a client says of a link: signalserver.Hub. Candidates are not needed, since checks tell where a client is;
// nor is Renegotiate, since the client offers.
func (h *Hub) Handle(p signalserver.HubPeer, m signal.Relayed) {
	if m, ok := m.(*signal.CloseLink); ok {
		h.ask(p, false, func(s *session) { s.closeLink(m.Link) })
	}
}

// Listen says that a role has changed: signalserver.Hub.
func (h *Hub) Listen(p signalserver.HubPeer) {
	h.ask(p, false, func(s *session) { s.listen(p.Listens) })
}

// Close forgets a session: signalserver.Hub.
func (h *Hub) Close(room, id string) {
	h.ask(peerOf(room, id), false, func(s *session) { s.closeAll() })
}

// ask has f done for a session, after what was asked for it before. One that is not known is made, or left alone.
func (h *Hub) ask(p signalserver.HubPeer, first bool, f func(*session)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[p.Room]
	if r == nil {
		if !first {
			return
		}
		r = newRoom(h, p.Room)
		h.rooms[p.Room] = r
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[p.Session]
	if s == nil {
		if !first {
			return
		}
		s = &session{room: r, id: p.Session, links: map[string]*link{}}
		r.sessions[p.Session] = s
	}
	s.tasks = append(s.tasks, f)
	if !s.working {
		s.working = h.run(s.work)
	}
}

// retire takes a session off the books when it has no links and nothing to do, and its room if it is the last.
func (h *Hub) retire(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(s.tasks) > 0 {
		return false
	}
	s.working = false
	if len(s.links) == 0 {
		delete(r.sessions, s.id)
	}
	if len(r.sessions) == 0 {
		delete(h.rooms, r.name)
	}
	return true
}
