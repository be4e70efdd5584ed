package mediaserver

import (
	"context"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
)

// Restart begins ICE anew on a link whose peer tells its new credentials without an offer (RFC 9725 §4.3.2). Media go on by the
// old path until the new one is there. Credentials that are the current ones change nothing, and our current ones are returned.
// The errors are ErrUnknown, ErrClosed, what is wrong with theirs, and that of ctx; after any of them the link goes on as it was.
func (s *Server) Restart(ctx context.Context, at Link, theirs ice.Credentials) (sdp.ICE, error) {
	c := s.linked(at)
	if c == nil {
		return sdp.ICE{}, ErrUnknown
	}
	c.negotiating.Lock()
	defer c.negotiating.Unlock()
	n := c.negotiation
	if n.session == 0 {
		return sdp.ICE{}, ErrUnknown // its first offer has failed
	}
	restart, err := n.meet(&sdp.Description{ICE: sdp.ICE{Ufrag: theirs.Ufrag, Password: theirs.Password}, Fingerprints: n.fingerprints}, c.loop.id)
	if err == nil && restart {
		var refused error
		err = s.do(ctx, c.loop, func(now time.Time) {
			if refused = ctx.Err(); refused == nil {
				refused = c.restart(now, &n)
			}
		})
		if err == nil {
			err = refused
		}
	}
	if err != nil {
		return sdp.ICE{}, err
	}
	c.negotiation = n
	return sdp.ICE{Ufrag: n.ours.Ufrag, Password: n.ours.Password}, nil
}

// restart has the transport take new credentials.
func (c *client) restart(now time.Time, n *negotiation) error {
	if c.gone {
		return ErrUnknown
	}
	if err := c.transport.Restart(now, n.ours, n.theirs); err != nil {
		return err
	}
	c.loop.rename(c)
	c.loop.schedule(&c.timer, c.transport.Deadline())
	return nil
}

// Publish says under which names the sections of a link publish from now on, as Offer.Tracks does. What is not named is not taken.
func (s *Server) Publish(ctx context.Context, at Link, tracks []sfu.Track) error {
	c := s.linked(at)
	if c == nil {
		return ErrUnknown
	}
	tracks = slices.Clone(tracks)
	return s.do(ctx, c.loop, func(now time.Time) {
		c.agreed.tracks = tracks
		if c.person != nil {
			c.agree(now)
			c.loop.touch(c.room)
		}
	})
}
