package parley

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// maxChannels is how many data channels one session may have open towards us.
	maxChannels = 64
	// maxRefused is how many refused ones of a transport may be open still, and maxArrived how many may arrive on it in
	// all. What is below us keeps 64 KiB for each until the other side agrees to its end, and a little for ever.
	maxRefused = 64
	maxArrived = 4096
	// awayAfter is how long a channel that the other side has opened may take to come in.
	awayAfter = 10 * time.Second
)

// taker takes a data channel that the session peer opened. It runs in a goroutine of the transport, before the first
// message, and must set the channel's callbacks before it returns, all but OnClose; it may not wait. What it returns is
// called when the channel is closed.
type taker func(peer string, channel *webrtc.DataChannel) (closed func())

// channels are the data channels with the others, past the few that every link has. Safe for concurrent use: transports
// ask it in goroutines of their own.
type channels struct {
	mu     sync.Mutex
	takers map[string]taker
	open   map[string]int         // by session: how many they opened
	covers atomic.Pointer[covers] // seals what goes through the hub; nil in a room that is not encrypted
}

func newChannels() *channels {
	return &channels{takers: make(map[string]taker), open: make(map[string]int)}
}

// accept takes the channels of protocol that others open from now on; one taker a protocol, nil takes none.
func (c *channels) accept(protocol string, take taker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takers[protocol] = take
}

// gate is where the channels of one transport come in. Who opens more than any program would is not served any more.
type gate struct {
	channels *channels
	peer     string
	over     <-chan struct{}
	crowded  func(flood bool)
	arrived  atomic.Int64 // all of them
	refused  atomic.Int32
	ended    chan struct{} // closed when the link is over
	ends     sync.Once
	mu       sync.Mutex
	trusted  bool
	open     chan struct{} // closed while the link is trusted
}

// trust lets channels in, or not: in an encrypted room only while the link is trusted, in others always.
func (g *gate) trust(yes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if yes == g.trusted {
		return
	}
	g.trusted = yes
	if yes {
		close(g.open)
	} else {
		g.open = make(chan struct{})
	}
}

// shut is the end of the link.
func (g *gate) shut() { g.ends.Do(func() { close(g.ended) }) }

// pass waits until the link is trusted, which the other side may know before we do. It is false at the end.
func (g *gate) pass() bool {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
		return true
	case <-g.ended:
	case <-g.over:
	}
	return false
}

// gate makes the gate of a transport with peer. crowded is called once when as many channels came as may on one transport:
// it is to be replaced, or, when that was a flood, to be closed. over is the end of the room.
func (c *channels) gate(peer string, over <-chan struct{}, crowded func(flood bool)) *gate {
	return &gate{
		channels: c, peer: peer, over: over, crowded: crowded, open: make(chan struct{}), ended: make(chan struct{}),
	}
}

// enter hands a channel to its taker. Who has too many of them, or of a kind that nobody takes, gets it closed. The
// transport calls it for one channel after the other: a flood waits here for the end of the transport.
func (g *gate) enter(channel *webrtc.DataChannel) {
	if !g.pass() {
		return
	}
	if g.arrived.Add(1) > maxArrived || g.refused.Load() >= maxRefused {
		if g.crowded != nil {
			g.crowded(g.refused.Load() >= maxRefused)
			g.crowded = nil
		}
		select {
		case <-time.After(closePatience):
		case <-g.over:
		}
		return
	}
	if g.channels.arrived(g.peer, channel) {
		return
	}
	g.refused.Add(1)
	channel.OnClose(func() { g.refused.Add(-1) })
	channel.OnOpen(func() { _ = channel.Close() }) // the other side's mistake; it sees the channel end
}

// arrived hands a channel that peer opened to its taker, or reports false.
func (c *channels) arrived(peer string, channel *webrtc.DataChannel) bool {
	protocol, from := sender(channel.Protocol())
	if (from != "") != (peer == signal.Hub) {
		return false // the hub says who sends, and nobody else does
	}
	if from != "" {
		peer = from
	}
	c.mu.Lock()
	take := c.takers[protocol]
	if take == nil || c.open[peer] >= maxChannels {
		c.mu.Unlock()
		return false
	}
	c.open[peer]++
	c.mu.Unlock()
	closed := take(peer, channel)
	channel.OnClose(func() {
		c.closed(peer)
		closed()
	})
	return true
}

// sender splits the protocol of a channel that comes from the hub into the sender's own and who that is; the second is
// empty for channels that do not.
func sender(protocol string) (own, from string) {
	if own, seat, ok := strings.Cut(protocol, ";from="); ok && seat != "" {
		return own, seatPrefix + seat
	}
	return protocol, ""
}

// seatPrefix stands before a seat where otherwise a session is named: what comes by the hub names its sender by the seat.
const seatPrefix = "@"

// sits returns the seat of whoever a channel came from: the session of a link, or what the hub names.
func (s *state) sits(peer string) *signal.Seat {
	if id, ok := strings.CutPrefix(peer, seatPrefix); ok {
		if seat := s.people[id]; seat != nil && seat.State != signal.SeatWaiting {
			return seat
		}
		return nil
	}
	return s.holder(peer)
}

func (c *channels) closed(peer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[peer]--; c.open[peer] <= 0 {
		delete(c.open, peer)
	}
}

// errFlood says why a link was closed.
var errFlood = errors.New("the other side opens more data channels than any program would; its link is closed")

// errCrowded says why a link was closed that did nothing wrong.
var errCrowded = errors.New("it has carried as many data channels as one link may; another one is made")

// errDeaf says why a link was closed on which nobody did anything wrong either.
var errDeaf = errors.New("data channels that the other side has opened do not come in; another one is made")

// openChannel opens a data channel with whoever sits on seat, on the link that is up or by the hub. init.Protocol says
// whose it is.
func (s *state) openChannel(seat, label string, init *webrtc.DataChannelInit) (*webrtc.DataChannel, error) {
	pc := s.roadTo(seat)
	if pc == nil {
		return nil, fmt.Errorf("parley: no connection with %s now", seat)
	}
	if s.onHub() {
		to := *init
		protocol := *init.Protocol + ";to=" + seat
		to.Protocol, init = &protocol, &to
	}
	channel, err := pc.CreateDataChannel(label, init)
	if err == nil {
		s.claim(pc)
	}
	return channel, err
}

// claim counts a channel that was opened on road; await tells the other side.
func (s *state) claim(road *webrtc.PeerConnection) {
	for _, main := range s.links {
		for _, l := range main.each() {
			if l.pc == road {
				l.opened++
			}
		}
	}
}

// await tells the other side how many channels we opened on a link, and replaces the link when some of theirs do not come
// in. What they wrote on a channel in the moment in which we closed it looks like another channel to the transport below,
// which takes no more of them until it has heard what that one is: never.
func (s *state) await(l *link) {
	if l.opened != l.counted && l.say(fmt.Sprintf(`{"type":"channels","opened":%d}`, l.opened)) {
		l.counted = l.opened
	}
	switch {
	case l.gone:
	case l.claimed.Load() <= l.gate.arrived.Load():
		l.missed = time.Time{}
	case l.missed.IsZero():
		l.missed = s.now
	case l.up && s.now.Sub(l.missed) >= awayAfter:
		l.missed = time.Time{}
		s.renew(l, "data channels do not come in", errDeaf)
	}
}

// roadTo returns what data for whoever sits on seat leaves by now, nil when there is no way.
func (s *state) roadTo(seat string) *webrtc.PeerConnection {
	if !s.onHub() {
		if l := s.linkTo(seat); l != nil {
			return l.pc
		}
		return nil
	}
	if person := s.people[seat]; person == nil || person.State == signal.SeatWaiting || !s.readsHere(seat) {
		return nil
	}
	return s.roadToAll()
}

// roadToAll returns the link with the hub if it is up and the room is on it, otherwise nil.
func (s *state) roadToAll() *webrtc.PeerConnection {
	if t := s.hub.main; s.me != "" && s.onHub() && t != nil && t.up {
		return t.pc
	}
	return nil
}

// linkTo returns the link with whoever sits on seat if it is up and may carry something, otherwise nil.
func (s *state) linkTo(seat string) *link {
	person := s.people[seat]
	if person == nil {
		return nil
	}
	main := s.links[person.Session]
	if s.onHub() || main == nil || !main.bond.open || main.bond.active == nil || !main.bond.active.up || !main.bond.active.trusted.Load() {
		return nil
	}
	return main.bond.active
}
