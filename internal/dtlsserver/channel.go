package dtlsserver

import (
	"errors"
	"io"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/dtls/v3"
	"github.com/pion/sctp"
)

// Reliability is what a channel promises about its messages (RFC 8831 §6.1).
type Reliability struct {
	// Unordered messages may overtake each other.
	Unordered bool
	// Lossy messages are given up: after so many Retransmits or, when it is not 0, after Lifetime, in whole ms.
	Lossy       bool
	Retransmits uint16
	Lifetime    time.Duration
}

// ChannelConfig is what a channel is made of.
type ChannelConfig struct {
	Label, Protocol string
	Reliability     Reliability
	// ID is the number of the stream, for channels that both sides know of without being told.
	ID uint16
}

// Channel is a data channel. Its methods may be called from any goroutine and never block.
type Channel struct {
	ChannelConfig
	// Local says that we opened it.
	Local       bool
	association *Association
	data        *datachannel.DataChannel
	stream      *sctp.Stream // guarded by the association's mutex until the channel is open
	counted     *int         // how many there are of its kind, with it; nil of what is negotiated, and after the end
}

// shared is the connection as SCTP sees it: what SCTP closes is only its own part, so that media go on without data.
type shared struct{ *dtls.Conn }

// Close ends SCTP's reading.
func (s shared) Close() error { return s.SetReadDeadline(time.Unix(1, 0)) }

// SetWriteDeadline is for SCTP's last words, and must not outlast them.
func (s shared) SetWriteDeadline(time.Time) error { return nil }

// carry brings up SCTP and serves channels until it ends.
func (a *Association) carry(conn *dtls.Conn) {
	longest := uint64(MaxMessage)
	if a.params.MaxMessage != 0 {
		longest = min(longest, a.params.MaxMessage)
	}
	association, err := sctp.ClientContext(a.ctx,
		sctp.WithNetConn(shared{conn}),
		sctp.WithLoggerFactory(a.server.logs),
		sctp.WithMaxReceiveBufferSize(received),
		sctp.WithMaxMessageSize(uint32(longest)),
		// DTLS has checked it already (RFC 9653 §7).
		sctp.WithEnableZeroChecksum(true),
		// Of messages that take turns (RFC 8260) a few large ones would fill what may wait to be read, and none of them would ever be
		// whole.
		sctp.WithEnableInterleaving(false),
	)
	if err != nil {
		return
	}
	a.mu.Lock()
	a.sctp = association
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.sctp = nil
		a.mu.Unlock()
		_ = association.Close()
	}()
	for _, c := range a.params.Negotiated {
		if stream, err := association.OpenStream(c.ID, sctp.PayloadTypeWebRTCBinary); err == nil {
			a.take(stream)
		}
	}
	for {
		stream, err := association.AcceptStream()
		if err != nil {
			return
		}
		if !a.take(stream) {
			association.Abort("too many channels")
			return
		}
	}
}

// take begins to serve a stream. It counts from now on, so that streams which never say what they are count too. One beyond what a
// peer may have open is reset, and the others go on; it is false when a peer goes on and on.
func (a *Association) take(stream *sctp.Stream) bool {
	c := &Channel{association: a, stream: stream}
	c.ID = stream.StreamIdentifier()
	a.mu.Lock()
	defer a.mu.Unlock()
	// One of Negotiated, whose first message was here before we opened it, or one that we are opening. Another stream of the same
	// number is a new channel, however long the end of the old one takes its reader.
	if old := a.channels[c.ID]; old != nil && (old.stream == nil || old.stream == stream) {
		return true
	}
	switch {
	case a.negotiated(c.ID) != nil && a.channels[c.ID] == nil:
	case a.theirs < MaxChannels:
		c.counted = &a.theirs
	case a.surplus < maxSurplus:
		a.surplus++
		return a.server.run(func() { a.refuse(stream) })
	default:
		return false
	}
	a.keep(c)
	return a.server.run(func() { a.serve(c) })
}

// keep puts a channel on the books, with the mutex held.
func (a *Association) keep(c *Channel) {
	a.channels[c.ID] = c
	if c.counted != nil {
		*c.counted++
	}
}

// refuse resets a stream and reads on until the peer has reset it too: what is not read takes away from the window that all share.
func (a *Association) refuse(stream *sctp.Stream) {
	_ = stream.Close()
	buffer := make([]byte, 1<<10)
	for {
		_, _, err := stream.ReadSCTP(buffer)
		if errors.Is(err, io.ErrShortBuffer) && len(buffer) < MaxMessage {
			buffer = make([]byte, 4*len(buffer))
		} else if err != nil {
			break
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.surplus--
}

// Open opens a channel to the peer; Owner.Opened says so again when it is. The errors are ErrNoData, ErrChannels and pion's.
func (a *Association) Open(c ChannelConfig) (*Channel, error) {
	a.mu.Lock()
	association := a.sctp
	switch {
	case association == nil:
		a.mu.Unlock()
		return nil, ErrNoData
	case a.ours >= MaxOpened:
		a.mu.Unlock()
		return nil, ErrChannels
	}
	for a.channels[a.nextID] != nil || a.negotiated(a.nextID) != nil {
		a.nextID = (a.nextID + 2) % streams
	}
	c.ID = a.nextID
	a.nextID = (a.nextID + 2) % streams // the longest unused: nothing of what was on it is on its way any more
	ch := &Channel{ChannelConfig: c, Local: true, association: a, counted: &a.ours}
	a.keep(ch)
	a.mu.Unlock()

	kind, parameter := c.Reliability.wire()
	stream, err := association.OpenStream(c.ID, sctp.PayloadTypeWebRTCBinary)
	if err == nil {
		a.mu.Lock()
		ch.stream = stream
		a.mu.Unlock()
		ch.data, err = datachannel.Client(stream, &datachannel.Config{
			ChannelType: kind, ReliabilityParameter: parameter, Label: c.Label, Protocol: c.Protocol, LoggerFactory: a.server.logs,
		})
	}
	if err != nil {
		a.forget(ch)
		return nil, err
	}
	// What is not reliable begins with the peer's acknowledgement (RFC 8832 §6): nothing overtakes the opening, and it is not lost.
	a.server.run(func() { a.read(ch) })
	return ch, nil
}

// negotiated is the configuration of a channel that needs no opening; nil when the stream is not one.
func (a *Association) negotiated(id uint16) *ChannelConfig {
	for i := range a.params.Negotiated {
		if a.params.Negotiated[i].ID == id {
			return &a.params.Negotiated[i]
		}
	}
	return nil
}

// serve finds out what kind of channel it is, and reads it until it closes.
func (a *Association) serve(c *Channel) {
	stream := c.stream
	stream.SetDefaultPayloadType(sctp.PayloadTypeWebRTCBinary)
	if agreed := a.negotiated(c.ID); agreed != nil {
		c.ChannelConfig = *agreed
		c.data, _ = datachannel.Client(stream, &datachannel.Config{Negotiated: true, LoggerFactory: a.server.logs})
		agreed.Reliability.apply(stream)
	}
	if c.data == nil {
		data, err := datachannel.Server(stream, &datachannel.Config{LoggerFactory: a.server.logs})
		if err != nil {
			_ = stream.Close()
			a.forget(c)
			return
		}
		c.data, c.Label, c.Protocol = data, data.Label, data.Protocol
		c.Reliability = reliability(data.ChannelType, data.ReliabilityParameter)
	}
	a.read(c)
}

// read tells the owner of the channel and its messages until it closes.
func (a *Association) read(c *Channel) {
	owner := a.params.Owner
	c.data.SetBufferedAmountLowThreshold(MaxBuffered / 4)
	c.data.OnBufferedAmountLow(func() { owner.Low(c) })
	owner.Opened(c)
	const small = 1 << 10
	buffer := make([]byte, small)
	for {
		n, text, err := c.data.ReadDataChannel(buffer)
		if errors.Is(err, io.ErrShortBuffer) && len(buffer) < MaxMessage {
			buffer = make([]byte, 4*len(buffer)) // the message stays where it is until it fits
			continue
		}
		if err != nil {
			break
		}
		owner.Message(c, buffer[:n], text)
		if len(buffer) > 16*small && n < small {
			buffer = make([]byte, small) // most channels are idle, and most messages short
		}
	}
	_ = c.data.Close()
	a.forget(c)
	owner.Closed(c)
}

func (a *Association) forget(c *Channel) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.channels[c.ID] == c {
		delete(a.channels, c.ID)
	}
	if c.counted != nil {
		*c.counted--
		c.counted = nil
	}
}

// Send queues a message. The errors are ErrFull, ErrLong, ErrNoData, and pion's when the channel has closed.
func (c *Channel) Send(data []byte, text bool) error {
	c.association.mu.Lock()
	association := c.association.sctp
	c.association.mu.Unlock()
	switch {
	case association == nil:
		return ErrNoData
	case len(data) > int(association.MaxMessageSize()):
		return ErrLong
	case association.BufferedAmount()+len(data) > c.most():
		return ErrFull
	}
	_, err := c.data.WriteDataChannel(data, text)
	return err
}

// most is how much may wait to be sent when something is queued on the channel: control finds room when data does not.
func (c *Channel) most() int {
	if c.association.negotiated(c.ID) != nil {
		return MaxBuffered + MaxReserved
	}
	return MaxBuffered
}

// Buffered is how much of the channel waits to be sent or to be acknowledged, in bytes.
func (c *Channel) Buffered() uint64 { return c.data.BufferedAmount() }

// Pending is how much waits so on all channels of the peer.
func (c *Channel) Pending() int {
	c.association.mu.Lock()
	association := c.association.sctp
	c.association.mu.Unlock()
	if association == nil {
		return 0
	}
	return association.BufferedAmount()
}

// Close closes the channel once all has been sent; Owner.Closed follows when the peer has closed it too.
func (c *Channel) Close() error { return c.stream.Close() }

// wire is the reliability as RFC 8832 §5.1 writes it.
func (r Reliability) wire() (datachannel.ChannelType, uint32) {
	kind, parameter := datachannel.ChannelTypeReliable, uint32(0)
	switch {
	case r.Lossy && r.Lifetime > 0:
		kind, parameter = datachannel.ChannelTypePartialReliableTimed, uint32(min(r.Lifetime.Milliseconds(), 1<<32-1))
	case r.Lossy:
		kind, parameter = datachannel.ChannelTypePartialReliableRexmit, uint32(r.Retransmits)
	}
	if r.Unordered {
		kind |= datachannel.ChannelTypeReliableUnordered
	}
	return kind, parameter
}

// reliability reads what wire writes.
func reliability(kind datachannel.ChannelType, parameter uint32) Reliability {
	r := Reliability{Unordered: kind&datachannel.ChannelTypeReliableUnordered != 0}
	switch kind &^ datachannel.ChannelTypeReliableUnordered {
	case datachannel.ChannelTypePartialReliableTimed:
		r.Lossy, r.Lifetime = true, time.Duration(parameter)*time.Millisecond
	case datachannel.ChannelTypePartialReliableRexmit:
		r.Lossy, r.Retransmits = true, uint16(min(parameter, 1<<16-1))
	}
	return r
}

func (r Reliability) apply(stream *sctp.Stream) {
	kind := sctp.ReliabilityTypeReliable
	_, parameter := r.wire()
	switch {
	case r.Lossy && r.Lifetime > 0:
		kind = sctp.ReliabilityTypeTimed
	case r.Lossy:
		kind = sctp.ReliabilityTypeRexmit
	}
	stream.SetReliabilityParams(r.Unordered, kind, parameter)
}
