package parley

import (
	"fmt"
	"sync"

	"github.com/pion/webrtc/v4"
)

// maxChannels is how many data channels one session may have open towards us.
const maxChannels = 64

// taker takes a data channel that the session peer opened. It runs in a goroutine of the transport, before the first
// message, and must set the channel's callbacks before it returns, all but OnClose; it may not wait. What it returns is
// called when the channel is closed.
type taker func(peer string, channel *webrtc.DataChannel) (closed func())

// channels are the data channels with the others, past the few that every link has. Safe for concurrent use: transports
// ask it in goroutines of their own.
type channels struct {
	mu     sync.Mutex
	takers map[string]taker
	open   map[string]int // by session: how many they opened
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

// arrived hands a channel that peer opened to its taker. Who has too many of them, or of a kind that nobody takes, gets
// it closed.
func (c *channels) arrived(peer string, channel *webrtc.DataChannel) {
	c.mu.Lock()
	take := c.takers[channel.Protocol()]
	if take == nil || c.open[peer] >= maxChannels {
		c.mu.Unlock()
		channel.OnOpen(func() { _ = channel.Close() }) // the other side's mistake; it sees the channel end
		return
	}
	c.open[peer]++
	c.mu.Unlock()
	closed := take(peer, channel)
	channel.OnClose(func() {
		c.closed(peer)
		closed()
	})
}

func (c *channels) closed(peer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[peer]--; c.open[peer] <= 0 {
		delete(c.open, peer)
	}
}

// openChannel opens a data channel with whoever sits on seat, on the link that is up. init.Protocol says whose it is.
func (s *state) openChannel(seat, label string, init *webrtc.DataChannelInit) (*webrtc.DataChannel, error) {
	l := s.linkTo(seat)
	if l == nil {
		return nil, fmt.Errorf("parley: no connection with %s now", seat)
	}
	return l.pc.CreateDataChannel(label, init)
}

// linkTo returns the link with whoever sits on seat if it is up and may carry something, otherwise nil.
func (s *state) linkTo(seat string) *link {
	person := s.people[seat]
	if person == nil {
		return nil
	}
	main := s.links[person.Session]
	if main == nil || !main.bond.open || main.bond.active == nil || !main.bond.active.up {
		return nil
	}
	return main.bond.active
}
