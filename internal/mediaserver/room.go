package mediaserver

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/sfu"
)

// room is a room that somebody is in, or is about to be.
type room struct {
	name string
	loop *loop

	links map[Link]*client // guarded by the server's mutex

	// The loop's. forward is nil until media flow, seats are those whose media do.
	forward *sfu.Room
	seats   map[string]*client
	timer   timer
	touched bool
	tell    func(sfu.Event)
}

// reserve returns the client of a link, or makes one that is to become it, whose negotiation the caller has then begun. surplus is
// a link of the seat that has to go for it.
func (s *Server) reserve(at Link) (c, surplus *client, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, false, ErrClosed
	}
	r := s.rooms[at.Room]
	if r != nil {
		if c = r.links[at]; c != nil {
			return c, nil, false, nil
		}
	}
	if s.count >= s.cfg.MaxTransports {
		return nil, nil, false, ErrFull
	}
	if r == nil {
		r = &room{name: at.Room, loop: s.loops[s.idlest()], links: map[Link]*client{}, seats: map[string]*client{}}
		s.rooms[at.Room] = r
	}
	same := 1
	for _, other := range r.links {
		if other.at.Seat == at.Seat {
			same++
			if surplus == nil || other.number < surplus.number {
				surplus = other
			}
		}
	}
	if same <= maxLinks {
		surplus = nil
	}
	s.made++
	c = &client{at: at, server: s, loop: r.loop, room: r, number: s.made}
	c.negotiating.Lock() // before anybody else can find it
	r.links[at] = c
	s.count++
	s.spread[r.loop.id]++
	return c, surplus, true, nil
}

// idlest is the loop with the fewest transports.
func (s *Server) idlest() int {
	best := 0
	for i, n := range s.spread {
		if n < s.spread[best] {
			best = i
		}
	}
	return best
}

// forget takes a client off the books, and reports whether its room has ended with it.
func (s *Server) forget(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := c.room
	if r.links[c.at] != c {
		return len(r.links) == 0
	}
	delete(r.links, c.at)
	s.count--
	s.spread[r.loop.id]--
	if len(r.links) > 0 {
		return false
	}
	if s.rooms[r.name] == r {
		delete(s.rooms, r.name)
	}
	return true
}

// linksOf returns the clients of a seat, or, with a link, that one.
func (s *Server) linksOf(at Link) []*client {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[at.Room]
	if r == nil {
		return nil
	}
	var all []*client
	for _, c := range r.links {
		if c.at.Seat == at.Seat && (at.Link == "" || at.Link == c.at.Link) {
			all = append(all, c)
		}
	}
	return all
}

// Show says what the video places of a link are to show from now on; those that are not named show nothing. wants is kept.
func (s *Server) Show(ctx context.Context, at Link, wants []sfu.Want) error {
	c := s.linked(at)
	if c == nil {
		return ErrUnknown
	}
	return s.do(ctx, c.loop, func(now time.Time) {
		c.wants = wants
		if c.person != nil {
			c.person.Show(now, wants)
			c.loop.touch(c.room)
		}
	})
}

// Listen says that nothing that a link publishes is taken from now on, or that it is again.
func (s *Server) Listen(ctx context.Context, at Link, listens bool) error {
	c := s.linked(at)
	if c == nil {
		return ErrUnknown
	}
	return s.do(ctx, c.loop, func(now time.Time) {
		c.listens = listens
		if c.person != nil {
			c.agree(now)
			c.loop.touch(c.room)
		}
	})
}

// linked returns the client of a link, nil when there is none.
func (s *Server) linked(at Link) *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[at.Room]; r != nil {
		return r.links[at]
	}
	return nil
}

// Leave ends a link, or with an empty one all links of the seat. That there is none is no error.
func (s *Server) Leave(ctx context.Context, at Link) error {
	for _, c := range s.linksOf(at) {
		if err := s.do(ctx, c.loop, func(now time.Time) { c.loop.drop(now, c) }); err != nil {
			return err
		}
	}
	return nil
}

// LinkStats is about a link.
type LinkStats struct {
	Link
	Ready  bool
	Person sfu.PersonStats
}

// LinkStats returns the statistics of a link.
func (s *Server) LinkStats(ctx context.Context, at Link) (stats LinkStats, err error) {
	c := s.linked(at)
	if c == nil {
		return stats, ErrUnknown
	}
	err = s.do(ctx, c.loop, func(time.Time) {
		stats.Link = c.at
		if c.person != nil {
			stats.Ready, stats.Person = c.transport.Ready(), c.person.Stats()
		}
	})
	return stats, err
}

// People returns the statistics of the links in a room that carry somebody's media, in no order.
func (s *Server) People(ctx context.Context, name string) (all []LinkStats, err error) {
	s.mu.Lock()
	r := s.rooms[name]
	s.mu.Unlock()
	if r == nil {
		return nil, nil
	}
	err = s.do(ctx, r.loop, func(time.Time) {
		for _, c := range r.seats {
			all = append(all, LinkStats{c.at, c.transport.Ready(), c.person.Stats()})
		}
	})
	if err != nil {
		return nil, err // all may still be written to
	}
	return all, nil
}

// forwarder is the configuration of a new room.
func (s *Server) forwarder() sfu.Config {
	cfg := s.cfg.Forwarder
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // it never fails
	cfg.Seed = binary.LittleEndian.Uint64(seed[:])
	return cfg
}

// told passes on what a room has to say.
func (s *Server) told(r *room, e sfu.Event) {
	if s.cfg.Listener != nil {
		s.cfg.Listener.Told(r.name, e)
	}
}

// OpenChannel opens a data channel to a client; Data.Opened says so again when it is. The errors are ErrUnknown and those of
// dtlsserver.Association.Open.
func (s *Server) OpenChannel(at Link, channel dtlsserver.ChannelConfig) (*dtlsserver.Channel, error) {
	c := s.linked(at)
	if c == nil {
		return nil, ErrUnknown
	}
	c.negotiating.Lock()
	association := c.association
	c.negotiating.Unlock()
	if association == nil {
		return nil, ErrUnknown
	}
	return association.Open(channel)
}

// Links returns the links of a room, connected or not, in no order.
func (s *Server) Links(name string) []Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[name]
	if r == nil {
		return nil
	}
	all := make([]Link, 0, len(r.links))
	for at := range r.links {
		all = append(all, at)
	}
	return all
}
