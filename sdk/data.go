package parley

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// dataProtocol is the protocol of the channels that carry programs' data.
	dataProtocol = "parley.data.v1"
	// MaxData is the longest message of Data in bytes: what every browser takes in one piece.
	MaxData = 65_536
	// maxWaiting and maxWaitingBytes are what may wait for a connection, or for a program that has not asked for the label
	// yet, a channel.
	maxWaiting      = 256
	maxWaitingBytes = 1 << 20
	// maxUnclaimed is what may wait for labels that the program has not asked for, a person in all.
	maxUnclaimed = 4 << 20
	// maxUnread is how many messages of a label wait for Receive.
	maxUnread = 1024
	// maxLate is what may be on its way before an unreliable message is dropped instead of being late, maxBehind before
	// a reliable one is not taken.
	maxLate   = 64 << 10
	maxBehind = 4 << 20
)

// ErrDataFull says that a message was not taken by all it was for: too much is on its way already, or nobody is
// connected. Of data that may be lost it is lost; of other data, try again later.
var ErrDataFull = errors.New("parley: the data channel takes no more now")

// DataOptions says how messages of a label travel. The zero value is reliable and in order.
type DataOptions struct {
	// Unordered lets a message overtake others.
	Unordered bool
	// MaxRetransmits is how often a lost message is sent again at most. Nil is until it arrives.
	MaxRetransmits *uint16
	// MaxPacketLifeTime is how long a lost message is sent again at most, in whole milliseconds. 0 is without an end. Not
	// together with MaxRetransmits.
	MaxPacketLifeTime time.Duration
}

func (o DataOptions) reliable() bool { return o.MaxRetransmits == nil && o.MaxPacketLifeTime == 0 }

func (o DataOptions) init() (*webrtc.DataChannelInit, error) {
	ordered, protocol := !o.Unordered, dataProtocol
	init := &webrtc.DataChannelInit{Ordered: &ordered, Protocol: &protocol, MaxRetransmits: o.MaxRetransmits}
	if o.MaxPacketLifeTime == 0 {
		return init, nil
	}
	ms := o.MaxPacketLifeTime.Milliseconds()
	if o.MaxRetransmits != nil || ms < 1 || ms > 65_535 {
		return nil, fmt.Errorf("parley: a packet life time of %v: 1 ms to 65 s, and not with MaxRetransmits", o.MaxPacketLifeTime)
	}
	life := uint16(ms) // fits, see above
	init.MaxPacketLifeTime = &life
	return init, nil
}

// DataMessage is what somebody sent.
type DataMessage struct {
	// From is the sender's seat.
	From string
	// Data is the message, Text says whether it is one for people: UTF-8, a string in a browser.
	Data []byte
	Text bool
}

// Data is a label's data with everybody in the room, peer to peer, or through the hub when the room is on it. Each side
// sends on a channel of its own. When the link with somebody is replaced, or the room moves to the hub or back, the
// channel is opened again on the new way; what was on its way is lost then, of reliable data too. Its methods may be called from any goroutine.
type Data struct {
	label   string
	options DataOptions
	init    *webrtc.DataChannelInit
	hub     *dataHub

	mu     sync.Mutex
	fan    bool                // the room is on the hub, which hands on what is for everybody
	stir   func()              // asks the owner for channels that are missing
	lanes  map[string]*outlane // by seat; "" is the one for everybody, by the hub
	unread chan DataMessage
	over   chan struct{}
	once   sync.Once
}

// outlane is our channel to one person, and what waits for it to open.
type outlane struct {
	road    *webrtc.PeerConnection // that the channel is on
	channel *webrtc.DataChannel
	cover   *cover
	waiting []outgoing
	bytes   int
}

type outgoing struct {
	data []byte
	text bool
}

// Data opens a label; the same one again as long as it is open, whatever the options. Labels are 1 to 64 bytes. What
// others sent on it before is kept, 256 messages or 1 MiB from each.
func (r *Room) Data(ctx context.Context, label string, options DataOptions) (*Data, error) {
	init, err := options.init()
	if err != nil {
		return nil, err
	}
	if label == "" || len(label) > 64 {
		return nil, fmt.Errorf("parley: a label of %d bytes: 1 to 64 are allowed", len(label))
	}
	var d *Data
	err = r.do(ctx, func(s *state) error {
		d = s.labels.open(label, options, init, func() { s.post(func(s *state) { s.stir = true }) })
		s.labels.tend(s)
		return nil
	})
	return d, err
}

// Send sends a message to those seats, or to everybody who is connected. It does not wait: ErrDataFull.
func (d *Data) Send(data []byte, to ...string) error { return d.send(outgoing{data: data}, to) }

// SendText is Send for a text; browsers get a string.
func (d *Data) SendText(text string, to ...string) error {
	return d.send(outgoing{data: []byte(text), text: true}, to)
}

func (d *Data) send(m outgoing, to []string) error {
	if len(m.data) > MaxData {
		return fmt.Errorf("parley: a message of %d bytes, at most %d go in one", len(m.data), MaxData)
	}
	select {
	case <-d.over:
		return ErrClosed
	default:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(to) == 0 {
		for seat := range d.lanes {
			if (seat == "") == d.fan {
				to = append(to, seat)
			}
		}
	}
	full := false
	for _, seat := range to {
		l := d.lanes[seat]
		if l == nil && d.fan && seat != "" && len(d.lanes) < maxChannels {
			l = &outlane{}
			d.lanes[seat] = l
			d.stir()
		}
		if l == nil || !l.put(m, d.options.reliable()) {
			full = true
		}
	}
	if full || len(to) == 0 {
		return ErrDataFull
	}
	return nil
}

// put sends a message, keeps it for a channel that is about to open, or reports false.
func (l *outlane) put(m outgoing, reliable bool) bool {
	if l.channel == nil || l.channel.ReadyState() != webrtc.DataChannelStateOpen {
		if !reliable || len(l.waiting) >= maxWaiting || l.bytes+len(m.data) > maxWaitingBytes {
			return false
		}
		m.data = append([]byte(nil), m.data...)
		l.waiting = append(l.waiting, m)
		l.bytes += len(m.data)
		return true
	}
	most := uint64(maxBehind)
	if !reliable {
		most = maxLate
	}
	if l.channel.BufferedAmount() > most {
		return false
	}
	return l.write(m)
}

func (l *outlane) write(m outgoing) bool {
	return l.cover.send(l.channel, m.data, m.text) == nil
}

// Receive waits for the next message. Messages that are not fetched in time (1,024 of them) are dropped, the oldest
// first, when they may be lost; otherwise the sender's channel is closed. At the end it returns ErrClosed.
func (d *Data) Receive(ctx context.Context) (DataMessage, error) {
	select {
	case m := <-d.unread:
		return m, nil
	default:
	}
	select {
	case m := <-d.unread:
		return m, nil
	case <-d.over:
		return DataMessage{}, ErrClosed
	case <-ctx.Done():
		return DataMessage{}, context.Cause(ctx)
	}
}

// Close ends the label for this program.
func (d *Data) Close() {
	d.once.Do(func() {
		close(d.over)
		d.hub.forget(d)
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, l := range d.lanes {
			if l.channel != nil {
				_ = l.channel.Close() // it ends with its link at the latest
			}
		}
		clear(d.lanes)
	})
}

// reach opens channels to those who have none on the way of now. The owner calls it.
func (d *Data) reach(s *state) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for seat := range d.lanes {
		if seat != "" && s.people[seat] == nil {
			delete(d.lanes, seat)
		}
	}
	d.fan = s.onHub()
	others := 0
	for seat, person := range s.people {
		if seat == s.me || person.State == signal.SeatWaiting {
			continue
		}
		others++
		if s.standing(person) == EncryptionStranger { // nothing more is sent to them
			if l := d.lanes[seat]; l != nil && l.channel != nil {
				_ = l.channel.Close() // it ends with its link at the latest
			}
			delete(d.lanes, seat)
			continue
		}
		if road := s.roadTo(seat); road != nil && (!d.fan || d.lanes[seat] != nil) {
			d.lead(seat, road, func() (*webrtc.DataChannel, error) { return s.openChannel(seat, d.label, d.init) })
		}
	}
	if road := s.roadToAll(); road != nil && others > 0 {
		d.lead("", road, func() (*webrtc.DataChannel, error) { return road.CreateDataChannel(d.label, d.init) })
	} else if l := d.lanes[""]; l != nil && (others == 0 || !d.fan) {
		if l.channel != nil {
			_ = l.channel.Close() // it ends with its link at the latest
		}
		delete(d.lanes, "")
	}
}

// lead sees to it that there is a channel to a seat on that road.
func (d *Data) lead(seat string, road *webrtc.PeerConnection, open func() (*webrtc.DataChannel, error)) {
	l := d.lanes[seat]
	if l == nil {
		l = &outlane{}
		d.lanes[seat] = l
	}
	if l.road == road && l.channel.ReadyState() < webrtc.DataChannelStateClosing {
		return
	}
	if l.channel != nil {
		_ = l.channel.Close() // of a link that is not used any more
	}
	channel, err := open()
	if err != nil {
		l.road, l.channel = nil, nil
		return // the link is going down; another one comes
	}
	l.road, l.channel, l.cover = road, channel, d.hub.channels.covers.Load().over(channel, seat, d.fan)
	channel.OnOpen(func() { d.opened(l, channel) })
}

// opened sends what has waited.
func (d *Data) opened(l *outlane, channel *webrtc.DataChannel) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.channel != channel {
		return
	}
	for _, m := range l.waiting {
		l.write(m)
	}
	l.waiting, l.bytes = nil, 0
}
