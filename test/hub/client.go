package hub

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/peer"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sdp"
)

// Client is one transport and what it has been told. Its exported fields belong to the loop: read them in Hub.Do.
type Client struct {
	Transport   *peer.Transport
	Association *dtlsserver.Association
	Keys        dtlsserver.Keys
	// Began is when the offer came, Found when the first path was valid, Ready when there were keys.
	Began, Found, Ready time.Time
	// Labels are those of the channels that were opened, Why how the association has ended.
	Labels []string
	Why    string
	// Layers are the packets that came, by layer name, when the client sends simulcast; nothing is given back then.
	Layers map[string]int
	rid    uint8 // the id of the extension that names layers

	hub         *Hub
	credentials ice.Credentials
	theirs      string
	version     uint64
	role        sdp.Setup
	known       []string
	streams     []stream
	low         chan struct{}
}

// stream is a place: what comes by one payload type of one kind goes back under an SSRC of ours.
type stream struct {
	mid     string
	kind    sdp.Kind
	ours    uint32
	theirs  uint32 // as last seen
	codecs  []uint8
	numbers rtp.Unwrapper
}

// again is for an offer of a client that is known: new credentials restart ICE.
func (c *Client) again(d *sdp.Description) error {
	if d.ICE.Ufrag == c.theirs {
		return nil
	}
	var err error
	if c.credentials, err = ice.NewCredentials(rand.Reader); err != nil {
		return err
	}
	c.theirs = d.ICE.Ufrag
	if err = c.Transport.Restart(time.Now(), c.credentials, ice.Credentials{Ufrag: d.ICE.Ufrag, Password: d.ICE.Password}); err != nil {
		return err
	}
	c.names()
	return nil
}

// names brings the loop's table of fragments up to date.
func (c *Client) names() {
	for _, name := range c.known {
		delete(c.hub.byUfrag, name)
	}
	c.known = slices.Clone(c.Transport.Ufrags())
	for _, name := range c.known {
		c.hub.byUfrag[name] = c
	}
}

func (c *Client) answer(d *sdp.Description) (string, error) {
	able := sdp.Everything()
	// Nobody here makes feedback, so nothing that waits for it is agreed on.
	able.Extensions[rtp.TransportNumber] = false
	c.version++
	before := c.streams
	c.streams = nil
	a := sdp.Answer{
		Session: 1, Version: c.version, ICE: sdp.ICE{Ufrag: c.credentials.Ufrag, Password: c.credentials.Password},
		Fingerprint: c.hub.Server.Fingerprint(), Setup: c.role,
		Candidates: []sdp.Candidate{{Address: c.hub.Address()}},
	}
	for i := range d.Sections {
		s := d.Sections[i].Agree(&able, sdp.SendReceive)
		if len(s.Layers) > 0 {
			c.rid = s.Extensions[rtp.RID]
			if c.Layers == nil {
				c.Layers = map[string]int{}
			}
		}
		if !s.Rejected && s.Kind != sdp.Application && s.Direction.Sends() {
			ours := uint32(1000 + i)
			s.Stream, s.Track = "hub", "back"+s.MID
			s.Sources = []sdp.Source{{SSRC: ours, CNAME: "hub", Stream: s.Stream, Track: s.Track}}
			st := stream{mid: s.MID, kind: s.Kind, ours: ours}
			if k := slices.IndexFunc(before, func(b stream) bool { return b.mid == s.MID }); k >= 0 {
				st.numbers = before[k].numbers // they are never used twice
			}
			for j := range s.Codecs {
				s.Codecs[j].RTX, s.Codecs[j].Feedback = 0, s.Codecs[j].Feedback&^(sdp.NACK|sdp.TransportCC)
				st.codecs = append(st.codecs, s.Codecs[j].PT)
			}
			c.streams = append(c.streams, st)
		}
		a.Sections = append(a.Sections, s)
	}
	return d.Answer(&a)
}

// follow does what a transport's event asks of its owner.
func (c *Client) follow(e peer.Event) {
	if e.Has(peer.Found) && c.Found.IsZero() {
		c.Found = time.Now()
	}
	if e.Has(peer.Ready) && c.Ready.IsZero() {
		c.Ready = time.Now()
	}
	if e.Has(peer.Retired) {
		c.names()
	}
	if e.Has(peer.Failed) {
		for _, name := range c.known {
			delete(c.hub.byUfrag, name)
		}
		delete(c.hub.clients, c)
		for path, other := range c.hub.byPath {
			if other == c {
				delete(c.hub.byPath, path)
			}
		}
	}
}

// HandleRTP gives a packet back: peer.Sink.
func (c *Client) HandleRTP(_ time.Time, pkt []byte, h *rtp.Header) {
	if c.Layers != nil {
		// A layer is named until its sender knows by a receiver report that the name is known; nobody reports here.
		if rid := h.Extension(pkt, c.rid); c.rid != 0 && rid != nil {
			c.Layers[string(rid)]++
		}
		return
	}
	for i := range c.streams {
		s := &c.streams[i]
		if !slices.Contains(s.codecs, h.PayloadType) {
			continue
		}
		s.theirs = h.SSRC
		number := s.numbers.Unwrap(h.Sequence)
		if number < 0 {
			return // from before the first that came
		}
		w := rtp.Begin(c.Transport.Next()[:0], rtp.Fields{
			Timestamp: h.Timestamp, SSRC: s.ours, Sequence: h.Sequence, PayloadType: h.PayloadType, Marker: h.Marker,
		})
		w.Payload(h.Payload(pkt))
		size := w.HeaderSize()
		c.Transport.SendRTP(size, len(w.Bytes()), uint32(number>>16))
		return
	}
}

// HandleRTCP passes on what asks for a key frame: peer.Sink.
func (c *Client) HandleRTCP(_ time.Time, compound []byte) {
	walk := rtp.Compound{Rest: compound}
	for p, ok := walk.Next(); ok; p, ok = walk.Next() {
		if !p.Is(rtp.PayloadFeedback, rtp.FormatPLI) {
			continue
		}
		for i := range c.streams {
			if s := &c.streams[i]; s.ours == p.Media() && s.theirs != 0 {
				c.Transport.SendRTCP(len(rtp.AppendPLI(rtp.AppendRR(c.Transport.Next()[:0], s.ours, nil), s.ours, s.theirs)))
			}
		}
	}
}

// SendDTLS and the rest are dtlsserver.Owner.
func (c *Client) SendDTLS(datagram []byte) { c.hub.post(func() { c.Transport.SendDTLS(datagram) }) }

// SetKeys passes the keys on.
func (c *Client) SetKeys(k dtlsserver.Keys) {
	c.hub.post(func() {
		c.Keys = k
		e, err := c.Transport.SetKeys(k.Profile, k.LocalKey, k.LocalSalt, k.RemoteKey, k.RemoteSalt)
		if err != nil {
			panic(err)
		}
		c.follow(e)
	})
}

// Ended closes the transport.
func (c *Client) Ended(err error) {
	c.hub.post(func() {
		c.Why = fmt.Sprint(err)
		c.follow(c.Transport.Fail())
	})
}

// Opened takes note.
func (c *Client) Opened(ch *dtlsserver.Channel) {
	c.hub.post(func() {
		c.Labels = append(c.Labels, fmt.Sprintf("%s/%s %+v", ch.Label, ch.Protocol, ch.Reliability))
	})
}

// Message is given back on the channel that it came on.
func (c *Client) Message(ch *dtlsserver.Channel, data []byte, text bool) {
	for errors.Is(ch.Send(data, text), dtlsserver.ErrFull) {
		select { // while we wait, the peer is held back
		case <-c.low:
		case <-c.hub.done:
			return
		}
	}
}

// Low lets Message go on.
func (c *Client) Low(*dtlsserver.Channel) {
	select {
	case c.low <- struct{}{}:
	default:
	}
}

// Closed is of no use here.
func (c *Client) Closed(*dtlsserver.Channel) {}
