// Package whipserver lets encoders and players in that know HTTP and WebRTC and nothing of us: WHIP (RFC 9725) at /whip/{room},
// WHEP (draft-ietf-wish-whep-03) at /whep/{room}. Both are an offer and its answer, and a session URL to change ICE and to end it.
//
//   - An encoder takes a seat in the room; what it sends is the seat's. It waits in a waiting room as people do: it connects at once,
//     and nothing is taken from it until a host lets it in.
//   - A player takes none. It gets what the room publishes on as many sections as it offers; what they show changes without
//     negotiation.
//
// A session ends with its transport, with its seat, or by DELETE. Whoever knows its URL may change it: the identifier is as
// unguessable as a token.
//
// # Contract
//
//   - [Server.Connected], [Server.Ended] and [Server.Told] are called by the loops of the hub, and what rooms tell comes from their
//     loops: none of these blocks, or calls the hub or the rooms. Each session has a goroutine that does.
//   - All that others can make grow is bounded: bodies, sessions and requests by address, what is known of a room.
package whipserver

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
)

// Limits.
const (
	// DefaultPerAddress is how many sessions one address (IPv6: one /64) may have, and how many it may open in a minute.
	DefaultPerAddress = 100
	// maxOffer and maxPatch are the longest bodies, in bytes.
	maxOffer = 256 << 10
	maxPatch = 16 << 10
	// maxAtOnce is how many offers are worked on at once; others are to come again. A client that is slow holds none of these places.
	maxAtOnce = 64
	// maxBodies is how many offers may be on their way here at once, and maxBodiesEach how many of them from one address: what
	// waits for the rest of them is memory.
	maxBodies, maxBodiesEach = 512, 16
	// patience is how long the room and the hub may take over a request.
	patience = 8 * time.Second
)

// Rooms is what is asked of the rooms; signalserver has it.
type Rooms interface {
	Enter(ctx context.Context, room string, v room.Visitor, client signal.Client, j *signal.Join, tell func(signal.Message)) (seat string, fault *signal.Error)
	Watch(ctx context.Context, room string, v room.Visitor, tell func(signal.Message)) (seats []signal.Seat, fault *signal.Error)
	Say(room, session string, m signal.Message)
	Quit(room, session string)
	ICEServers(session, host string) *signal.ICEServers
}

// Media is what is asked of the hub; mediaserver has it.
type Media interface {
	Offer(ctx context.Context, o mediaserver.Offer) (mediaserver.Answer, error)
	Restart(ctx context.Context, at mediaserver.Link, theirs ice.Credentials) (sdp.ICE, error)
	Publish(ctx context.Context, at mediaserver.Link, tracks []sfu.Track) error
	Show(ctx context.Context, at mediaserver.Link, wants []sfu.Want) error
	Leave(ctx context.Context, at mediaserver.Link) error
}

// Config is what a Server is made of.
type Config struct {
	Rooms Rooms
	// Media is nil where no media are forwarded: every request is told so.
	Media Media
	// Candidates says where a client reaches the hub that came by a Host header, the preferred first.
	Candidates func(host string) []sdp.Candidate
	// Keys check tokens.
	Keys *auth.Keys
	// Domain, Origins and Hidden are as in signalserver.Config.
	Domain  bool
	Origins []string
	Hidden  func(*http.Request) bool
	// PerAddress replaces DefaultPerAddress when it is not 0.
	PerAddress int
	// Rand makes identifiers; it must be safe for concurrent use.
	Rand io.Reader
}

// Server serves both protocols. Make one with New, mount it at /whip/ and /whep/, and let it hear of its links.
type Server struct {
	cfg   Config
	log   *slog.Logger
	limit *limit
	busy  chan struct{} // a place for each offer that is being worked on

	now      context.Context // ends with Close
	stop     context.CancelFunc
	running  sync.WaitGroup // of sessions
	mu       sync.Mutex     // taken before a session's, where both are
	closed   bool
	sessions map[string]*session
	players  map[string]map[*session]struct{} // by room
}

// New returns a server.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	if cfg.Rooms == nil || cfg.Candidates == nil || cfg.Keys == nil || cfg.Rand == nil || cfg.Hidden == nil {
		return nil, errors.New("whipserver: something is missing in the configuration: our fault")
	}
	s := &Server{
		cfg: cfg, log: log, limit: newLimit(cmp.Or(cfg.PerAddress, DefaultPerAddress)), busy: make(chan struct{}, maxAtOnce),
		sessions: map[string]*session{}, players: map[string]map[*session]struct{}{},
	}
	s.now, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Close refuses new sessions, ends those that there are, and waits for them.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	all := make([]*session, 0, len(s.sessions))
	for _, x := range s.sessions {
		all = append(all, x)
	}
	s.mu.Unlock()
	for _, x := range all {
		x.finish("the server is going down")
	}
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Second): // the hub or the rooms do not answer any more
		s.stop()
		<-done
	}
	s.stop()
}

// add lets a session be found, and counts it. It is false when the server is closing.
func (s *Server) add(x *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.sessions[x.id] = x
	s.running.Add(1)
	if x.kind == whep {
		if s.players[x.room] == nil {
			s.players[x.room] = map[*session]struct{}{}
		}
		s.players[x.room][x] = struct{}{}
	}
	return true
}

// remove is the end of add.
func (s *Server) remove(x *session) {
	s.mu.Lock()
	delete(s.sessions, x.id)
	if all := s.players[x.room]; all != nil {
		if delete(all, x); len(all) == 0 {
			delete(s.players, x.room)
		}
	}
	s.mu.Unlock()
	s.limit.give(x.from)
	s.running.Done()
}

// find returns a session by its URL, nil when there is none.
func (s *Server) find(k kind, room, id string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.sessions[id]; x != nil && x.kind == k && x.room == room && !x.ended() {
		return x
	}
	return nil
}

// linked returns the session of a link, nil when it is not ours.
func (s *Server) linked(at mediaserver.Link) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.sessions[at.Link]; x != nil && x.at == at {
		return x
	}
	return nil
}

// Connected takes what mediaserver.Listener says; false when the link is not ours.
func (s *Server) Connected(at mediaserver.Link) bool {
	x := s.linked(at)
	if x != nil {
		x.note(func() { x.connected = true })
	}
	return x != nil
}

// Ended takes what mediaserver.Listener says; false when the link is not ours.
func (s *Server) Ended(at mediaserver.Link, err error) bool {
	x := s.linked(at)
	if x != nil {
		x.finish("its transport has ended: " + err.Error())
	}
	return x != nil
}

// Told takes what mediaserver.Listener says of a room.
func (s *Server) Told(room string, e sfu.Event) {
	speakers, ok := e.(sfu.Speakers)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.players[room] {
		x.note(func() { x.stage.speak(speakers.Speakers) })
	}
}

// Stats counts the sessions.
type Stats struct{ Encoders, Players int }

// Stats returns how many there are.
func (s *Server) Stats() (n Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if x.kind == whip {
			n.Encoders++
		} else {
			n.Players++
		}
	}
	return n
}
