// Package hub is for tests: the smallest loop that drives real transports (internal/peer with internal/dtlsserver) over one UDP
// socket. It gives each client its own media and messages back.
package hub

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/peer"
	"github.com/parley-rtc/parley/internal/sdp"
)

// Hub is the loop, its socket and its clients.
type Hub struct {
	Server *dtlsserver.Server
	// Role is the DTLS role that we take when we may choose; to be set before the first offer.
	Role     sdp.Setup
	conn     *net.UDPConn
	commands chan func()
	packets  chan packet
	done     chan struct{}
	ended    sync.WaitGroup
	// Of the loop.
	byUfrag map[string]*Client
	byPath  map[ice.Path]*Client
	clients map[*Client]bool
	buffer  [peer.Room]byte
}

type packet struct {
	path ice.Path
	data []byte
}

// New starts a loop on a port of the address.
func New(c dtlsserver.Config, address netip.Addr) (*Hub, error) {
	server, err := dtlsserver.New(c)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		return nil, err
	}
	h := &Hub{
		Server: server, Role: sdp.Passive, conn: conn, commands: make(chan func(), 4096), packets: make(chan packet, 4096), done: make(chan struct{}),
		byUfrag: map[string]*Client{}, byPath: map[ice.Path]*Client{}, clients: map[*Client]bool{},
	}
	h.ended.Go(h.read)
	h.ended.Go(h.loop)
	return h, nil
}

// Address is where it listens.
func (h *Hub) Address() netip.AddrPort { return h.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Close ends everything.
func (h *Hub) Close() {
	h.Do(func() {
		for c := range h.clients {
			c.Transport.Close()
		}
	})
	h.Server.Close()
	h.Do(func() {}) // the goodbyes
	close(h.done)
	_ = h.conn.Close()
	h.ended.Wait()
}

// Do runs f in the loop and waits for it.
func (h *Hub) Do(f func()) {
	done := make(chan struct{})
	h.post(func() { f(); close(done) })
	select {
	case <-done:
	case <-h.done:
	}
}

func (h *Hub) post(f func()) {
	select {
	case h.commands <- f:
	case <-h.done:
	}
}

func (h *Hub) read() {
	for {
		b := make([]byte, 2048)
		n, from, err := h.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			select {
			case h.packets <- packet{ice.Path{Peer: netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}, b[:n]}:
			default: // as a full socket does
			}
		}
	}
}

func (h *Hub) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := time.Now().Add(time.Hour)
		for c := range h.clients {
			if d := c.Transport.Deadline(); !d.IsZero() && d.Before(next) {
				next = d
			}
		}
		timer.Reset(time.Until(next))
		select {
		case f := <-h.commands:
			f()
		case p := <-h.packets:
			h.handle(time.Now(), p)
		case now := <-timer.C:
			for c := range h.clients {
				c.follow(c.Transport.HandleTimeout(now))
			}
		case <-h.done:
			return
		}
	}
}

func (h *Hub) handle(now time.Time, p packet) {
	if c := h.byPath[p.path]; c != nil {
		if m, err := ice.Parse(p.data); err != nil || !m.Check() {
			c.follow(c.Transport.HandlePacket(now, p.path, p.data))
			return
		}
	}
	ufrag, ok := ice.Ufrag(p.data)
	if !ok {
		return
	}
	c := h.byUfrag[string(ufrag)]
	if c == nil {
		return
	}
	e := c.Transport.HandlePacket(now, p.path, p.data)
	if e.Has(peer.Found) {
		h.byPath[p.path] = c
	}
	c.follow(e)
}

// Next and Send are peer.Out.
func (h *Hub) Next() []byte { return h.buffer[:] }

// Send sends at once.
func (h *Hub) Send(n int, path ice.Path) { _, _ = h.conn.WriteToUDPAddrPort(h.buffer[:n], path.Peer) }

// Offer answers an offer with a client of its own, or with the one that has made offers before.
func (h *Hub) Offer(offer string, c *Client) (answer string, _ *Client, err error) {
	d, err := sdp.ParseOffer(offer)
	if err != nil {
		return "", nil, err
	}
	h.Do(func() {
		if c == nil {
			c, err = h.enter(d)
		} else {
			err = c.again(d)
		}
		if err == nil {
			answer, err = c.answer(d)
		}
	})
	return answer, c, err
}

func (h *Hub) enter(d *sdp.Description) (*Client, error) {
	c := &Client{hub: h, theirs: d.ICE.Ufrag, Began: time.Now(), low: make(chan struct{}, 1)}
	var err error
	if c.credentials, err = ice.NewCredentials(rand.Reader); err != nil {
		return nil, err
	}
	c.role = d.Setup.Answer(h.Role)
	client := c.role == sdp.Active
	data := false
	longest := uint64(0)
	for i := range d.Sections {
		if s := &d.Sections[i]; s.Kind == sdp.Application && !s.Rejected {
			data, longest = true, s.MaxMessageSize
		}
	}
	c.Association = h.Server.Open(dtlsserver.Params{
		Client: client, Fingerprints: d.Fingerprints, Data: data, MaxMessage: longest, Owner: c,
		Negotiated: []dtlsserver.ChannelConfig{{Label: "agreed", ID: 1000}},
	})
	c.Transport, err = peer.New(time.Now(), peer.Config{
		Local: c.credentials, Remote: ice.Credentials{Ufrag: d.ICE.Ufrag, Password: d.ICE.Password}, Client: client, Out: h, Handshake: c.Association, Sink: c,
	})
	if err != nil {
		return nil, err
	}
	h.clients[c] = true
	c.names()
	return c, nil
}

// Report is what a test wants to know of a client, as JSON.
func (h *Hub) Report(c *Client) []byte {
	var b []byte
	h.Do(func() {
		b, _ = json.Marshal(map[string]any{
			"ready": c.Transport.Ready(), "failure": c.Transport.Failure().String(), "profile": c.Keys.Profile.String(),
			"handshakeMillis": c.Ready.Sub(c.Found).Milliseconds(), "stats": c.Transport.Stats(), "channels": c.Labels, "ended": c.Why, "layers": c.Layers,
		})
	})
	return b
}
