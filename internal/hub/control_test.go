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

func newShowing() (*cast, *plane) {
	c, p := newCast("s1"), &plane{takes: time.Second, places: []mediaserver.Place{{MID: "4"}, {MID: "5"}}}
	c.plane = p
	c.cfg.Candidates = func(string) []sdp.Candidate { return nil }
	return c, p
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
