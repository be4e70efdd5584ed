package mediaserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/peer"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
)

// Offer is what a client sends to begin a link, or to change one.
type Offer struct {
	Link
	// SDP is the description; it needs no candidates.
	SDP string
	// Tracks names what is published, by section. A section without a name publishes nothing.
	Tracks []sfu.Track
	// Show is what the places for video show, as Show has it; nil leaves what was said.
	Show []sfu.Want
	// Only is what we do at most in its sections, SendOnly or ReceiveOnly; there are no data channels then. Zero is everything.
	Only sdp.Direction
	// Stream names the one stream (msid) that all places belong to, for players that know no more than one. Without it each place
	// is its own.
	Stream string
	// Candidates are where this client reaches the port, the preferred first; without them, Config.Candidates says it.
	Candidates []sdp.Candidate
}

// Answer is what the client gets for it.
type Answer struct {
	SDP string
	// Places are the sections on which it receives, in the order of the offer.
	Places []Place
}

// Place is a section on which a client receives.
type Place struct {
	MID  string
	Kind sfu.Kind
}

// negotiation is what has to stay from one offer of a link to the next.
type negotiation struct {
	session, version uint64
	role             sdp.Setup
	fingerprints     []sdp.Fingerprint
	ours, theirs     ice.Credentials
	data             bool // channels were agreed on at first; they cannot begin later
	sources          map[string]own
}

// own are our SSRCs in a section.
type own struct {
	kind      sdp.Kind
	ssrc, rtx uint32
}

// Offer answers an offer. A link that is not known begins; its media flow once the client has connected, and what the seat had
// before goes on until then. The errors are a *sdp.Fault, ErrPeer, ErrFull, ErrClosed and that of ctx; after any of them a link that
// was there goes on as it was.
func (s *Server) Offer(ctx context.Context, o Offer) (Answer, error) {
	d, err := sdp.ParseOffer(o.SDP)
	if err != nil {
		return Answer{}, err
	}
	if o.Seat == "" || o.Link.Link == "" {
		return Answer{}, errors.New("mediaserver: a link has no name: our fault")
	}
	c, surplus, fresh, err := s.reserve(o.Link)
	if err != nil {
		return Answer{}, err
	}
	if surplus != nil {
		s.evict(ctx, surplus)
	}
	if !fresh {
		c.negotiating.Lock()
	}
	defer c.negotiating.Unlock()
	if !fresh && c.negotiation.session == 0 {
		return Answer{}, ErrUnknown // its first offer has failed
	}
	n := c.negotiation
	n.sources = map[string]own{}
	for mid, source := range c.negotiation.sources {
		n.sources[mid] = source
	}
	answer, a, restart, err := s.negotiate(&n, d, &o, c.loop.id)
	if err == nil {
		if fresh {
			err = s.begin(ctx, c, &n, d, a, o.Show)
		} else {
			err = s.change(ctx, c, &n, a, o.Show, restart)
		}
	}
	if err != nil {
		if fresh {
			s.forget(c)
		}
		return Answer{}, err
	}
	c.negotiation = n
	return answer, nil
}

// evict ends a link of a seat that has too many, and says so: nobody has asked for it.
func (s *Server) evict(ctx context.Context, c *client) {
	_ = s.do(ctx, c.loop, func(now time.Time) { // a loop that has no time carries out no offer either
		if c.gone {
			return
		}
		c.why = ErrSurplus
		c.loop.drop(now, c)
		c.loop.ended(c)
	})
}

// begin makes the transport of a new link.
func (s *Server) begin(ctx context.Context, c *client, n *negotiation, d *sdp.Description, a agreement, wants []sfu.Want) error {
	client := n.role == sdp.Active
	longest := uint64(0)
	for i := range d.Sections {
		if d.Sections[i].Kind == sdp.Application {
			longest = d.Sections[i].MaxMessageSize
		}
	}
	c.association = s.dtls.Open(dtlsserver.Params{Client: client, Fingerprints: d.Fingerprints, Data: n.data, MaxMessage: longest, Negotiated: s.cfg.Channels, Owner: c})
	var refused error
	err := s.do(ctx, c.loop, func(now time.Time) {
		if refused = ctx.Err(); refused != nil {
			return
		}
		if c.gone {
			refused = ErrUnknown // Leave was faster
			return
		}
		if c.loop.byUfrag[n.ours.Ufrag] != nil {
			refused = errors.New("mediaserver: a name came up twice, try again")
			return
		}
		var t *peer.Transport
		t, refused = peer.New(now, peer.Config{Local: n.ours, Remote: n.theirs, Client: client, Out: c.loop, Handshake: c.association, Sink: c})
		if refused == nil {
			c.loop.enter(c, t, a, wants)
		}
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		c.association.Close()
	}
	return err
}

// change carries a later offer out.
func (s *Server) change(ctx context.Context, c *client, n *negotiation, a agreement, wants []sfu.Want, restart bool) error {
	var refused error
	err := s.do(ctx, c.loop, func(now time.Time) {
		if refused = ctx.Err(); refused != nil {
			return
		}
		if c.gone {
			refused = ErrUnknown
			return
		}
		if restart {
			if refused = c.restart(now, n); refused != nil {
				return
			}
		}
		c.agreed = a
		if wants != nil {
			c.wants = wants
		}
		if c.person != nil {
			c.agree(now)
			c.person.Show(now, c.wants)
			c.loop.touch(c.room)
		}
	})
	if err == nil {
		err = refused
	}
	return err
}

// negotiate agrees on every section of an offer and writes the answer.
func (s *Server) negotiate(n *negotiation, d *sdp.Description, o *Offer, loop int) (answer Answer, a agreement, restart bool, err error) {
	first := n.session == 0
	if restart, err = n.meet(d, loop); err != nil {
		return
	}
	able := abilities(d)
	ours := sdp.SendReceive
	if o.Only != 0 {
		ours = o.Only
	}
	if !first && !n.data || o.Only != 0 {
		able.MaxMessageSize = 0
	}
	n.version++
	candidates := o.Candidates
	if len(candidates) == 0 {
		candidates = s.cfg.Candidates()
	}
	out := sdp.Answer{
		Session: n.session, Version: n.version, ICE: sdp.ICE{Ufrag: n.ours.Ufrag, Password: n.ours.Password},
		Fingerprint: s.dtls.Fingerprint(), Setup: n.role, Candidates: candidates,
	}
	for i := range d.Sections {
		offered := &d.Sections[i]
		section := offered.Agree(&able, ours)
		switch {
		case section.Rejected:
		case section.Kind == sdp.Application:
			n.data = n.data || first
		default:
			if section.Direction.Sends() {
				n.declare(&section, d, o.Stream)
				answer.Places = append(answer.Places, Place{section.MID, kindOf(section.Kind)})
			}
			a.sections = append(a.sections, translate(offered, &section, d.Mixed))
		}
		out.Sections = append(out.Sections, section)
	}
	a.tracks = slices.Clone(o.Tracks)
	answer.SDP, err = d.Answer(&out)
	return
}

// meet holds an offer against those before it: who it is from, and whether ICE begins anew.
func (n *negotiation) meet(d *sdp.Description, loop int) (restart bool, err error) {
	theirs := ice.Credentials{Ufrag: d.ICE.Ufrag, Password: d.ICE.Password}
	if n.session != 0 {
		same := func(a, b sdp.Fingerprint) bool { return a.Algorithm == b.Algorithm && slices.Equal(a.Sum, b.Sum) }
		if !slices.EqualFunc(n.fingerprints, d.Fingerprints, same) {
			return false, ErrPeer
		}
		if theirs.Ufrag == n.theirs.Ufrag && theirs.Password == n.theirs.Password {
			return false, nil
		}
		restart = true
	} else {
		n.session = uint64(random32())<<16 | 1
		n.fingerprints = d.Fingerprints
		// As DTLS server we choose how media are protected (ADR 0022).
		n.role = d.Setup.Answer(sdp.Passive)
	}
	n.theirs = theirs
	if n.ours, err = ice.NewCredentials(rand.Reader); err != nil {
		return false, err
	}
	n.ours.Ufrag = alphabet[loop:loop+1] + n.ours.Ufrag[1:]
	return restart, nil
}

// declare gives a section that we send on its sources: the same as before, if it is the same. stream is Offer.Stream.
func (n *negotiation) declare(section *sdp.Section, d *sdp.Description, stream string) {
	source, ok := n.sources[section.MID]
	if !ok || source.kind != section.Kind {
		source = own{kind: section.Kind, ssrc: n.unused(d), rtx: n.unused(d)}
		n.sources[section.MID] = source
	}
	rtx := source.rtx
	if !slices.ContainsFunc(section.Codecs, func(c sdp.Codec) bool { return c.RTX != 0 }) {
		rtx = 0
	}
	// One stream for each place: what is behind it changes, so nothing is to be played in step with another place for good.
	section.Track = "place-" + section.MID
	section.Stream = cmp.Or(stream, section.Track)
	section.Sources = []sdp.Source{{SSRC: source.ssrc, RTX: rtx, CNAME: cname, Stream: section.Stream, Track: section.Track}}
}

// cname is what the forwarder calls itself in its reports.
const cname = "parley"

// unused is an SSRC that neither side uses.
func (n *negotiation) unused(d *sdp.Description) uint32 {
	for {
		ssrc := random32()
		taken := ssrc == 0
		for _, o := range n.sources {
			taken = taken || o.ssrc == ssrc || o.rtx == ssrc
		}
		for i := range d.Sections {
			for _, o := range d.Sections[i].Sources {
				taken = taken || o.SSRC == ssrc || o.RTX == ssrc
			}
		}
		if !taken {
			return ssrc
		}
	}
}

func random32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return binary.BigEndian.Uint32(b[:])
}
