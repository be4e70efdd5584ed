// Package mediaserver is the hub: it owns the transports of everybody who is connected to it and the rooms in which their media
// are forwarded, and drives both on the loops of portserver.
//
// # Loops
//
// A room is pinned to a loop when its first person comes, the one with the fewest transports, and so are the transports of all
// its people. Nobody but that loop touches them: the room, its people's transports, the tables of paths and fragments need no
// lock. Others give commands ([Server.Offer], [Server.Show], [Server.Leave]), which the loop carries out between packets.
//
// The kernel gives a client's packets to whatever loop it likes. The first character of each of our username fragments is the
// number of the loop that owns the transport, so any loop knows whose a check is without asking anybody. It passes the check on,
// and is told by the owner, once the check has proved itself, that what comes from that path belongs there.
//
// # Contract
//
//   - An RTP packet costs no allocation, lock, log line or channel, from the socket's batch to the queue of the way out.
//   - Of a check, a record or a packet that does not authenticate nothing is learnt: it is passed on at most.
//   - What is not ours stays untaken: STUN of TURN clients on the same path goes on to the relay.
//   - [Listener] is called by loops and must not block.
package mediaserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
)

const (
	// MaxTransports is how many transports there may be at once unless the configuration says otherwise.
	MaxTransports = 10_000
	// maxLinks is how many transports a seat may have at once: the one that carries its media, and the one that is to replace it.
	maxLinks = 2
)

var (
	// ErrFull says that the server has as many transports as it may have: the client may try again later.
	ErrFull = errors.New("mediaserver: the server is full, try again later")
	// ErrClosed says that the server is closing.
	ErrClosed = errors.New("mediaserver: the server is closing")
	// ErrUnknown says that there is no such seat or link in the room, or not any more: the caller makes a new link.
	ErrUnknown = errors.New("mediaserver: there is no such link")
	// ErrReplaced says that a newer link of the seat carries its media now.
	ErrReplaced = errors.New("mediaserver: a newer link of the seat carries its media")
	// ErrSurplus says that the seat has made more links than it may have at once; the oldest of them ends.
	ErrSurplus = errors.New("mediaserver: the seat has too many links, its oldest one ended")
	// ErrFault says that handling what a link sent made us panic.
	ErrFault = errors.New("mediaserver: a fault of ours ended the link")
	// ErrPeer says that an offer on a link comes from another peer than before: it needs a link of its own.
	ErrPeer = errors.New("mediaserver: the offer is of another peer than the link's, make a new link")
)

// Port is what is needed of portserver.
type Port interface {
	// Loops returns how many loops there are.
	Loops() int
	// Post has a loop carry out a command, soon; false means that too many wait, or that the port has closed.
	Post(loop int, command func(now time.Time, out *portserver.Outbox)) bool
	// Steer asks that a sender's packets come to a loop, Unsteer that they need not any more. They are hints.
	Steer(src netip.AddrPort, loop int)
	Unsteer(src netip.AddrPort, loop int)
}

// Listener is told what happens in rooms, by the loop that owns each: it must not block, and may call nothing of this package
// that waits for a loop.
type Listener interface {
	// Told is given what the forwarder of a room has to say.
	Told(room string, e sfu.Event)
	// Connected says that media flow on a link.
	Connected(at Link)
	// Ended says that a link has ended without Leave; err says why: io.EOF that the peer said goodbye, ErrReplaced, ErrSurplus, or a
	// fault.
	Ended(at Link, err error)
}

// Data takes the data channels. Each client's are told by a goroutine of their own, never by a loop; while a call does not return, that
// client is held back.
type Data interface {
	// Opened says that a channel is open, whoever opened it. Message, Low and Closed of it come later.
	Opened(at Link, ch *dtlsserver.Channel)
	// Message is given a message, valid during the call.
	Message(at Link, ch *dtlsserver.Channel, message []byte, text bool)
	// Low says that there is room again for what is to be sent.
	Low(at Link, ch *dtlsserver.Channel)
	// Closed says that a channel has closed.
	Closed(at Link, ch *dtlsserver.Channel)
}

// Link names a transport: a seat has one, and for the time of its replacement two.
type Link struct{ Room, Seat, Link string }

// Config is what a Server is made of.
type Config struct {
	// Candidates says where clients reach the port, the preferred first, unless an offer does. It is asked from many goroutines.
	Candidates func() []sdp.Candidate
	// Channels are data channels that both sides know of without being told.
	Channels []dtlsserver.ChannelConfig
	// Listener may be nil.
	Listener Listener
	// Data takes the data channels; without it messages are dropped.
	Data Data
	// Relay sends to a relayed address of ours; without it there are no such paths. b is valid during the call.
	Relay func(relay netip.AddrPort, b []byte)
	// Forwarder bounds every room; its Seed is replaced by a random one.
	Forwarder sfu.Config
	// DTLS is for the handshakes.
	DTLS dtlsserver.Config
	// Fault is told of a panic while what a link sent was handled, and may be nil. It must not block.
	Fault func(at Link, cause any, stack []byte)
	// MaxTransports bounds the transports of all rooms; 0 for the constant of that name.
	MaxTransports int
}

// Server is the hub. Its methods may be called by many goroutines, HandleBatch and its like by the loops only.
type Server struct {
	cfg   Config
	dtls  *dtlsserver.Server
	port  Port
	loops []*loop
	done  chan struct{} // closed when nothing waits for the loops any more

	vias    atomic.Uint64 // the number of the latest connection
	streams atomic.Int64  // how many there are
	faults  atomic.Uint64 // panics that ended a client
	relays  relayed

	mu     sync.Mutex
	rooms  map[string]*room
	count  int   // of transports
	spread []int // of them by loop
	made   uint64
	closed bool
}

// New returns a server that waits for Attach.
func New(cfg Config) (*Server, error) {
	if cfg.Candidates == nil {
		return nil, errors.New("mediaserver: nothing says where clients reach us: our fault")
	}
	cfg.MaxTransports = cmp.Or(max(cfg.MaxTransports, 0), MaxTransports)
	dtls, err := dtlsserver.New(cfg.DTLS)
	if err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, dtls: dtls, done: make(chan struct{}), rooms: map[string]*room{}, relays: relayed{loops: map[netip.AddrPort]*loop{}}}, nil
}

// Attach gives the server the loops that it runs on. It is to be called once, before the port is served.
func (s *Server) Attach(port Port) {
	s.port = port
	s.spread = make([]int, port.Loops())
	for i := range port.Loops() {
		s.loops = append(s.loops, newLoop(s, i))
	}
}

// Close says goodbye on every transport and ends the handshakes. The port has to be served until it returns, which is after two
// seconds at most; afterwards nothing is sent any more.
func (s *Server) Close() {
	s.mu.Lock()
	again, nobody := s.closed, s.count == 0
	s.closed = true
	s.mu.Unlock()
	switch {
	case again:
		return
	case nobody:
		close(s.done)
		s.dtls.Close()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, l := range s.loops {
		_ = s.do(ctx, l, func(now time.Time) { l.closeAll(now) })
	}
	late := time.AfterFunc(time.Second, func() { close(s.done) })
	s.dtls.Close() // the goodbyes are posted
	for _, l := range s.loops {
		_ = s.do(ctx, l, func(time.Time) {}) // and sent
	}
	if late.Stop() {
		close(s.done)
	}
}

// do has a loop carry out f, and waits for it. After an error f may still be carried out, unless it asks ctx itself.
func (s *Server) do(ctx context.Context, l *loop, f func(now time.Time)) error {
	carried := make(chan struct{})
	if err := s.post(ctx, l, func(now time.Time) {
		defer close(carried)
		f(now)
	}); err != nil {
		return err
	}
	select {
	case <-carried:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("mediaserver: the loop is busy: %w", context.Cause(ctx))
	case <-s.done:
		return ErrClosed
	}
}

// post has a loop carry out f, and waits for room in its queue.
func (s *Server) post(ctx context.Context, l *loop, f func(now time.Time)) error {
	pause := time.Millisecond
	for !s.tryPost(l, f) {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("mediaserver: the loop is busy: %w", context.Cause(ctx))
		case <-s.done:
			timer.Stop()
			return ErrClosed
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
	return nil
}

// tryPost is false when the loop has too many commands already.
func (s *Server) tryPost(l *loop, f func(now time.Time)) bool {
	return s.port.Post(l.id, func(now time.Time, out *portserver.Outbox) {
		l.out = out
		l.overdue(now)
		f(now)
		l.settle(now)
	})
}

// Stats counts what is there, and the handshakes.
type Stats struct {
	Rooms, Transports int
	// Spread is how many transports each loop has.
	Spread []int
	// Faults are links that ended by a panic of ours.
	Faults uint64
	DTLS   dtlsserver.Stats
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Rooms: len(s.rooms), Transports: s.count, Spread: append([]int(nil), s.spread...), Faults: s.faults.Load(), DTLS: s.dtls.Stats()}
}
