package parley

import (
	"slices"
	"strings"
	"sync"

	"github.com/pion/webrtc/v4"
)

// dataHub knows the open labels and the channels that others opened. It is safe for concurrent use.
type dataHub struct {
	channels *channels
	mu       sync.Mutex
	labels   map[string]*Data
	inflows  []*inflow
	seats    map[string]string // by session, and by seatPrefix with the seat
}

// inflow is a channel that somebody sends on. Until the program has asked for its label, and it is known who sits at the
// other end, what comes is kept.
type inflow struct {
	peer     string
	channel  *webrtc.DataChannel
	reliable bool
	to       *Data
	waiting  []DataMessage
	bytes    int
}

func newDataHub(c *channels) *dataHub {
	h := &dataHub{labels: make(map[string]*Data), seats: make(map[string]string), channels: c}
	c.accept(dataProtocol, h.arrived)
	return h
}

func (h *dataHub) open(label string, options DataOptions, init *webrtc.DataChannelInit, stir func()) *Data {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.labels[label]
	if d == nil {
		d = &Data{
			label: label, options: options, init: init, hub: h, stir: stir, lanes: make(map[string]*outlane),
			unread: make(chan DataMessage, maxUnread), over: make(chan struct{}),
		}
		h.labels[label] = d
	}
	return d
}

func (h *dataHub) forget(d *Data) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.labels[d.label] == d {
		delete(h.labels, d.label)
	}
	for _, i := range h.inflows {
		if i.to == d {
			_ = i.channel.Close() // nobody reads it any more
		}
	}
}

// tend follows the links and the people: the owner calls it whenever one of them changed.
func (h *dataHub) tend(s *state) {
	h.mu.Lock()
	clear(h.seats)
	for _, seat := range s.people {
		if s.standing(seat) == EncryptionStranger {
			continue // what they send is nobody's
		}
		if seat.Session != "" {
			h.seats[seat.Session] = seat.ID
		}
		h.seats[seatPrefix+seat.ID] = seat.ID // as the hub names it
	}
	for _, i := range h.inflows {
		h.claim(i)
	}
	labels := make([]*Data, 0, len(h.labels))
	for _, d := range h.labels {
		labels = append(labels, d)
	}
	h.mu.Unlock()
	for _, d := range labels {
		d.reach(s)
	}
}

// close ends every label.
func (h *dataHub) close() {
	h.mu.Lock()
	labels := make([]*Data, 0, len(h.labels))
	for _, d := range h.labels {
		labels = append(labels, d)
	}
	h.mu.Unlock()
	for _, d := range labels {
		d.Close()
	}
}

// arrived takes a channel that somebody opened.
func (h *dataHub) arrived(peer string, channel *webrtc.DataChannel) (closed func()) {
	i := &inflow{
		peer: peer, channel: channel, reliable: channel.MaxRetransmits() == nil && channel.MaxPacketLifeTime() == nil,
	}
	seat, hub := strings.CutPrefix(peer, seatPrefix)
	cover := h.channels.covers.Load().over(channel, seat, hub)
	h.mu.Lock()
	h.inflows = append(h.inflows, i)
	h.claim(i)
	h.mu.Unlock()
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		if m, ok := cover.open(m); ok {
			h.take(i, DataMessage{Data: m.Data, Text: m.IsString})
		}
	})
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.inflows = slices.DeleteFunc(h.inflows, func(x *inflow) bool { return x == i })
	}
}

// claim hands what waited to its label, once there is one and the sender is known.
func (h *dataHub) claim(i *inflow) {
	d := h.labels[i.channel.Label()]
	if i.to != nil || d == nil || h.seats[i.peer] == "" {
		return
	}
	i.to = d
	for _, m := range i.waiting {
		h.deliver(i, m)
	}
	i.waiting, i.bytes = nil, 0
}

func (h *dataHub) take(i *inflow, m DataMessage) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i.to != nil {
		h.deliver(i, m)
		return
	}
	if h.unclaimed(i.peer)+len(m.Data) > maxUnclaimed {
		_ = i.channel.Close() // it is closing then
		i.waiting, i.bytes = nil, 0
		return
	}
	for len(i.waiting) > 0 && (len(i.waiting) >= maxWaiting || i.bytes+len(m.Data) > maxWaitingBytes) {
		if i.reliable { // nothing may be lost, so it ends here
			_ = i.channel.Close() // it is closing then
			return
		}
		i.bytes -= len(i.waiting[0].Data)
		i.waiting = i.waiting[1:]
	}
	i.waiting = append(i.waiting, m)
	i.bytes += len(m.Data)
}

// unclaimed is how many bytes of a session wait for labels.
func (h *dataHub) unclaimed(peer string) (bytes int) {
	for _, i := range h.inflows {
		if i.peer == peer {
			bytes += i.bytes
		}
	}
	return bytes
}

// deliver hands a message to who reads the label.
func (h *dataHub) deliver(i *inflow, m DataMessage) {
	if m.From = h.seats[i.peer]; m.From == "" {
		return // somebody who is gone
	}
	for {
		select {
		case i.to.unread <- m:
			return
		default:
		}
		if i.reliable {
			_ = i.channel.Close() // its reader is too slow, and nothing may be lost
			return
		}
		select {
		case <-i.to.unread:
		default:
		}
	}
}
