package mediaserver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/peer"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sfu"
)

// client is one transport with what it stands for: a link of a seat in a room.
type client struct {
	at     Link
	server *Server
	loop   *loop
	room   *room
	number uint64 // the later was made later

	// negotiation is of whoever answers an offer.
	negotiating sync.Mutex
	negotiation negotiation

	association *dtlsserver.Association // set before the transport begins

	// The loop's. person is nil until media flow.
	transport *peer.Transport
	person    *sfu.Person
	agreed    agreement
	wants     []sfu.Want
	listens   bool // nothing that it publishes is taken
	names     []string
	paths     map[ice.Path]int // the loop that was told, plus 1, or 0
	timer     timer
	why       error // of the association
	gone      bool
}

// agreement is what the forwarder has to know of a negotiation.
type agreement struct {
	sections []sfu.Section
	tracks   []sfu.Track
}

// HandleRTP takes a packet of the client's: peer.Sink.
func (c *client) HandleRTP(now time.Time, pkt []byte, h *rtp.Header) {
	if c.person != nil {
		c.person.HandleRTP(now, pkt, h)
		c.loop.touch(c.room)
	}
}

// HandleRTCP takes a compound packet of the client's: peer.Sink.
func (c *client) HandleRTCP(now time.Time, compound []byte) {
	if c.person != nil {
		c.person.HandleRTCP(now, compound)
		c.loop.touch(c.room)
	}
}

// SendDTLS passes a datagram of the handshake to the loop: dtlsserver.Owner. When the loop has too much to do it is dropped, as by
// a network.
func (c *client) SendDTLS(datagram []byte) {
	c.server.tryPost(c.loop, func(time.Time) { c.transport.SendDTLS(datagram) })
}

// SetKeys passes the keys to the loop: dtlsserver.Owner.
func (c *client) SetKeys(k dtlsserver.Keys) {
	_ = c.server.post(context.Background(), c.loop, func(now time.Time) {
		e, err := c.transport.SetKeys(k.Profile, k.LocalKey, k.LocalSalt, k.RemoteKey, k.RemoteSalt)
		if err != nil {
			c.why = err
			e = c.transport.Fail()
		}
		c.loop.obey(now, c, e)
	})
}

// Ended passes on that the association has ended: dtlsserver.Owner. Without it there is no transport.
func (c *client) Ended(err error) {
	_ = c.server.post(context.Background(), c.loop, func(now time.Time) {
		c.why = err
		c.loop.obey(now, c, c.transport.Fail())
	})
}

// Opened, Message, Low and Closed are of data channels: dtlsserver.Owner.
func (c *client) Opened(ch *dtlsserver.Channel) {
	if data := c.server.cfg.Data; data != nil {
		data.Opened(c.at, ch)
	}
}

// Message passes a message on.
func (c *client) Message(ch *dtlsserver.Channel, message []byte, text bool) {
	if data := c.server.cfg.Data; data != nil {
		data.Message(c.at, ch, message, text)
	}
}

// Low passes on that there is room.
func (c *client) Low(ch *dtlsserver.Channel) {
	if data := c.server.cfg.Data; data != nil {
		data.Low(c.at, ch)
	}
}

// Closed passes on that a channel has closed.
func (c *client) Closed(ch *dtlsserver.Channel) {
	if data := c.server.cfg.Data; data != nil {
		data.Closed(c.at, ch)
	}
}

// obey is follow for what comes from elsewhere than the socket.
func (l *loop) obey(now time.Time, c *client, e peer.Event) {
	l.follow(now, c, e)
	if !c.gone {
		l.schedule(&c.timer, c.transport.Deadline())
	}
}

// enter takes a new client in, whose first check may come from now on.
func (l *loop) enter(c *client, t *peer.Transport, a agreement, wants []sfu.Want) {
	c.transport, c.agreed, c.wants = t, a, wants
	c.paths = map[ice.Path]int{}
	c.timer.client = c
	l.clients[c] = struct{}{}
	l.rename(c)
	l.schedule(&c.timer, t.Deadline())
}

// admit gives a client the seat, now that media flow. Until then the seat's link before it carries on; now it ends.
func (l *loop) admit(now time.Time, c *client) {
	if c.person != nil {
		return // a path has come back
	}
	r := c.room
	if r.forward == nil {
		r.forward = sfu.NewRoom(now, l.server.forwarder())
		r.timer.room = r
		r.tell = func(e sfu.Event) { l.server.told(r, e) }
	}
	if before := r.seats[c.at.Seat]; before != nil {
		if before.number > c.number {
			before, c = c, before
		}
		before.why = ErrReplaced
		l.drop(now, before)
		l.ended(before)
		if c.person != nil {
			return // c was overtaken
		}
	}
	r.seats[c.at.Seat] = c
	c.person = r.forward.Enter(now, c.at.Seat, c.transport)
	c.agree(now)
	c.person.Show(now, c.wants)
	l.touch(r)
	if listener := l.server.cfg.Listener; listener != nil {
		listener.Connected(c.at)
	}
}

// agree gives the forwarder what was negotiated.
func (c *client) agree(now time.Time) {
	tracks := c.agreed.tracks
	if c.listens {
		tracks = nil
	}
	c.person.Agree(now, c.agreed.sections, tracks)
}

// drop takes a client out of everything and closes its transport. The goodbye comes as a command, which keeps the client until it
// is sent.
func (l *loop) drop(now time.Time, c *client) {
	if c.gone {
		return
	}
	c.gone = true
	if c.transport == nil {
		return // its offer is being answered, and will not be
	}
	for path, told := range c.paths {
		l.unlearn(c, path, told)
	}
	for _, name := range c.names {
		delete(l.byUfrag, name)
	}
	delete(l.clients, c)
	l.schedule(&c.timer, time.Time{})
	if r := c.room; c.person != nil {
		delete(r.seats, c.at.Seat)
		r.forward.Leave(now, c.at.Seat)
		l.touch(r)
	}
	c.person = nil
	c.transport.Close()
	if l.server.forget(c) {
		l.schedule(&c.room.timer, time.Time{})
	}
}

// ended tells that a client has ended by itself.
func (l *loop) ended(c *client) {
	if l.server.cfg.Listener == nil {
		return
	}
	err := c.why
	if err == nil {
		err = errors.New("mediaserver: " + c.transport.Failure().String())
	}
	l.server.cfg.Listener.Ended(c.at, err)
}

// closeAll says goodbye to everybody.
func (l *loop) closeAll(now time.Time) {
	for c := range l.clients {
		l.drop(now, c)
	}
}
