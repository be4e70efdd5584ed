// Package signalserver speaks parley.v1 over WebSockets: it owns the sockets, the sessions and the clock around the
// rules of package room.
//
// Who runs what: each socket has one goroutine that reads (run), and one that writes while there is something to write.
// Sessions and rooms live on a few shards, each with one goroutine that owns them; readers send it commands, and it
// never waits for a socket. A panic while a command is obeyed ends that session and nothing else.
package signalserver

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/signal"
)

// Defaults of Config.
const (
	DefaultGrace              = 10 * time.Minute
	DefaultHeartbeat          = 20 * time.Second
	DefaultSeats              = room.DefaultSeats
	DefaultRoomsPerAddress    = 32
	DefaultSessionsPerAddress = 1000
)

// Config is what a Server is made with; zero values mean the defaults.
type Config struct {
	// Version is the program's version, for welcome.
	Version string
	// Domain is true when a public name is configured: open mode is then off.
	Domain bool
	// Origins are further origins, such as "https://example.com", whose pages may connect.
	Origins []string
	// Hidden reports whether the peer forwards the request for somebody without being trusted to say for whom; open
	// mode is then off. By default any header that proxies set counts. RemoteAddr, Host and URL.Scheme of a request
	// have been put right for trusted proxies before it comes here.
	Hidden func(*http.Request) bool
	// Seats is how many people fit into a room, listeners counted; two at most without a Hub.
	Seats int
	// Players is how many may watch a room without a seat; room.DefaultPlayers by default.
	Players int
	// Hub carries the media of rooms of three and more; nil is none.
	Hub Hub
	// Topology is the policy of rooms whose hosts said nothing about it; empty is signal.PolicyAuto.
	Topology signal.TopologyPolicy
	// Grace is how long a session without a socket can be resumed, and a seat is kept.
	Grace time.Duration
	// Heartbeat is how often idle clients should ping; a socket that is silent for three times as long is let go.
	Heartbeat time.Duration
	// RoomsPerAddress is how many existing rooms one address (IPv6: one /64) may have made.
	RoomsPerAddress int
	// SessionsPerAddress is how many sessions one address (IPv6: one /64) may have, and how many new ones it may open in a
	// minute; twice as many at first.
	SessionsPerAddress int
	// Backlog is how many bytes may wait for all clients together to acknowledge them.
	Backlog int
	// Ended is told the id of every session that is over. It must not block; nil is nobody.
	Ended func(session string)
	// Keeper keeps rooms over restarts, and what is said in them; nil is nobody. History is the policy of rooms whose
	// hosts said nothing about it; empty is signal.HistorySession.
	Keeper  Keeper
	History signal.History
	// Observer is told what happens in rooms; nil is nobody.
	Observer Observer
	// Shards is how many goroutines own the sessions; as many as processors by default.
	Shards int
}

// ICE says how a session reaches STUN and TURN. It must be safe for concurrent use and quick.
type ICE interface {
	// Servers returns the servers with fresh credentials for session; nil when there are none. host is the Host header
	// of the WebSocket request.
	Servers(session, host string, now time.Time) *signal.ICEServers
}

// Server is the signalling server. Make one with New, mount Handler, end it with Drain.
type Server struct {
	cfg  Config
	keys *auth.Keys
	ice  ICE
	log  *slog.Logger
	rand io.Reader

	epoch    uint64 // tells this start's resume tokens from older ones
	started  time.Time
	ended    map[string]struct{} // rooms that ended before the start, and not long before; not changed
	hashSeed maphash.Seed
	shards   []*shard
	alive    register
	limits   limits
	sockets  sockets
	draining atomic.Bool
	stopOnce sync.Once
	stop     chan struct{} // closed when the shards have to end
	loops    sync.WaitGroup
}

// New starts a server; it has no socket of its own. random must be safe for concurrent use, such as crypto/rand.Reader;
// New fails only when it does.
func New(cfg Config, keys *auth.Keys, ice ICE, log *slog.Logger, random io.Reader) (*Server, error) {
	cfg.Seats = cmp.Or(cfg.Seats, DefaultSeats)
	cfg.Grace = cmp.Or(cfg.Grace, DefaultGrace)
	cfg.Heartbeat = cmp.Or(cfg.Heartbeat, DefaultHeartbeat)
	cfg.RoomsPerAddress = cmp.Or(cfg.RoomsPerAddress, DefaultRoomsPerAddress)
	cfg.SessionsPerAddress = cmp.Or(cfg.SessionsPerAddress, DefaultSessionsPerAddress)
	cfg.Shards = cmp.Or(cfg.Shards, runtime.GOMAXPROCS(0))
	cfg.Backlog = cmp.Or(cfg.Backlog, max(DefaultBacklog, cfg.Shards*leastShare))
	if cfg.Hidden == nil {
		cfg.Hidden = forwarded
	}
	var epoch [8]byte
	if _, err := io.ReadFull(random, epoch[:]); err != nil {
		return nil, fmt.Errorf("signalserver: %w", err)
	}
	s := &Server{
		cfg: cfg, keys: keys, ice: ice, log: log, rand: random, epoch: binary.BigEndian.Uint64(epoch[:]),
		started: time.Now(), hashSeed: maphash.MakeSeed(), stop: make(chan struct{}),
	}
	s.limits.sessions.limit = cfg.SessionsPerAddress
	s.limits.rooms.limit = cfg.RoomsPerAddress
	s.limits.conns.limit = cfg.SessionsPerAddress + spareSockets
	s.limits.large = make(chan struct{}, largeAtOnce)
	s.limits.pace = newPace(cfg.SessionsPerAddress)
	for range cfg.Shards {
		s.shards = append(s.shards, newShard(s))
	}
	s.load()
	for _, sh := range s.shards {
		s.loops.Go(sh.loop)
	}
	return s, nil
}

// Handler returns what to mount at /ws.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.accept) }

// Alive reports whether the session exists and may use the relay: TURN asks before it keeps an allocation. It is safe
// for concurrent use.
func (s *Server) Alive(session string) bool { return s.alive.has(session) }

// shard returns the owner of a room's sessions.
func (s *Server) shard(room string) *shard {
	return s.shards[maphash.String(s.hashSeed, room)%uint64(len(s.shards))]
}

// Drain refuses new sockets, says goodbye to every session, and closes all sockets; those that have not taken their
// goodbye when ctx ends are cut. When it returns, nothing of the server runs any more.
func (s *Server) Drain(ctx context.Context) {
	s.draining.Store(true)
	for _, sh := range s.shards {
		sh.do(command{kind: cmdDrain})
	}
	for _, k := range s.sockets.all() {
		k.bye(goodbyeForDrain(k.serial)) // those without a session
	}
	gone := s.sockets.gone()
	select {
	case <-gone:
	case <-ctx.Done():
		for _, k := range s.sockets.all() {
			k.cut()
		}
		<-gone
	}
	s.stopOnce.Do(func() { close(s.stop) })
	s.loops.Wait()
}

// goodbyeForDrain spreads the clients' return over ten seconds, so that a restarted server is not met by all at once.
func goodbyeForDrain(serial uint64) *signal.Bye {
	return &signal.Bye{Reason: signal.ByeDraining, Words: "the server restarts; the call itself goes on", Retry: 1 + int(serial%10)}
}

// register is a set of session identifiers.
type register struct {
	mu  sync.RWMutex
	ids map[string]struct{}
}

func (r *register) has(id string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.ids[id]
	return ok
}

func (r *register) set(id string, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !on {
		delete(r.ids, id)
		return
	}
	if r.ids == nil {
		r.ids = map[string]struct{}{}
	}
	r.ids[id] = struct{}{}
}
