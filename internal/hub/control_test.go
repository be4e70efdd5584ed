package hub

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
)

// plane is a media plane that notes what is to be shown. Offers take a time.
type plane struct {
	Plane
	takes time.Duration

	mu     sync.Mutex
	shown  string
	shows  int
	places []mediaserver.Place
}

func (p *plane) Show(_ context.Context, _ mediaserver.Link, wants []sfu.Want) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = words(wants)
	p.shows++
	return nil
}

func (p *plane) Offer(_ context.Context, o mediaserver.Offer) (mediaserver.Answer, error) {
	time.Sleep(p.takes)
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Show != nil {
		p.shown = words(o.Show)
	}
	return mediaserver.Answer{Places: p.places}, nil
}

func words(wants []sfu.Want) string {
	var all []string
	for _, w := range wants {
		all = append(all, w.MID+"="+w.Seat)
	}
	return strings.Join(all, " ")
}

func (p *plane) look() (shown string, shows int) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown, p.shows
}

// shows has a client say on the control channel what it wants: pairs of a place and a seat.
func (c *cast) shows(seat string, pairs ...string) {
	var list []string
	for _, pair := range pairs {
		mid, of, _ := strings.Cut(pair, "=")
		list = append(list, fmt.Sprintf(`{"mid":%q,"seat":%q,"source":"camera"}`, mid, of))
	}
	c.heard(c.links[seat], []byte(`{"type":"show","show":[`+strings.Join(list, ",")+`]}`), true)
}

// offers has a client offer with a show, or without for nil.
func (c *cast) offers(t *testing.T, seat string, pairs ...string) {
	var show []signal.Want
	for _, pair := range pairs {
		mid, of, _ := strings.Cut(pair, "=")
		show = append(show, signal.Want{Mid: mid, Seat: of, Source: "camera"})
	}
	s := c.links[seat].session
	_, fault := s.offer(signalserver.HubPeer{Room: "tea", Session: s.id, Seat: seat}, &signal.Offer{Peer: signal.Peer{Link: "h1"}, Show: show})
	if fault != nil {
		t.Error(fault.Words)
	}
}

func newShowing() (*cast, *plane) {
	c, p := newCast("s1"), &plane{takes: time.Second, places: []mediaserver.Place{{MID: "4"}, {MID: "5"}}}
	c.plane = p
	c.cfg.Candidates = func(string) []sdp.Candidate { return nil }
	return c, p
}

// TestShowIsNewerThanAnOffer: what the control channel has said is not undone by an offer that it has overtaken, whenever it came.
func TestShowIsNewerThanAnOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newShowing()
		defer c.Stop()
		want := func(when, shown string) {
			t.Helper()
			if got, _ := p.look(); got != shown {
				t.Errorf("%s: %q is shown, want %q", when, got, shown)
			}
			c.r.mu.Lock()
			defer c.r.mu.Unlock()
			if got := words(c.links["s1"].wants); got != shown {
				t.Errorf("%s: %q is known, want %q", when, got, shown)
			}
		}
		c.offers(t, "s1", "4=a", "5=b")
		want("by the offer alone", "4=a 5=b")
		go c.offers(t, "s1", "4=a", "5=c")
		time.Sleep(time.Second / 2)
		c.shows("s1", "4=d")
		time.Sleep(time.Second)
		want("while an offer is answered", "4=d")
		c.offers(t, "s1", "4=a", "5=b")
		want("before an offer", "4=d")
		go c.offers(t, "s1")
		time.Sleep(time.Second / 2)
		c.shows("s1", "5=e")
		time.Sleep(time.Second)
		want("while an offer without one is answered", "5=e")
		c.offers(t, "s1", "4=a", "5=b", "6=f", "7=e")
		want("of places that are new", "5=e 6=f")
		p.places = append(p.places, mediaserver.Place{MID: "6"})
		c.offers(t, "s1")
		want("of nothing", "5=e 6=f")
		c.shows("s1")
		want("of nothing at all", "")
		c.offers(t, "s1", "6=f")
		want("of what is not wanted any more", "")
	})
}

// TestShowsWithoutEnd: what is to be shown changes so often at most, the first time at once, and the last word is never lost.
func TestShowsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newShowing()
		defer c.Stop()
		c.shows("s1", "4=first")
		if shown, shows := p.look(); shown != "4=first" || shows != 1 {
			t.Errorf("%q is shown", shown)
		}
		for range 1000 {
			c.shows("s1", "4=more")
			time.Sleep(time.Millisecond)
		}
		c.shows("s1", "4=last")
		time.Sleep(showEach)
		if shown, shows := p.look(); shown != "4=last" || shows < 15 || shows > 22 {
			t.Errorf("%q is shown, after %d changes", shown, shows)
		}
	})
}
