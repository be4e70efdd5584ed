package parley

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/seam"
	"github.com/parley-rtc/parley/sdk/internal/sframe"
)

const (
	// maxEarly is how many packets of a place are kept until the hub has said whose they are, earlyFor for how long.
	maxEarly = 64
	earlyFor = 500 * time.Millisecond
	// showEach is the shortest pause between two words to the hub about what is shown.
	showEach = 100 * time.Millisecond
)

// Want is a picture that the program shows, or records.
type Want struct {
	// Seat and Source name it.
	Seat   string
	Source Source
	// Width and Height are the size at which it is shown, in pixels: no more than that is sent. 0 is the full size.
	Width, Height int
}

// Show says which pictures are wanted from now on; what others send beside them does not come. At most 48. As long as it
// was never called, all pictures come, of 16 people at most. Sound comes always. In a direct call it changes nothing
// but what is waited for when the room moves to the hub.
func (r *Room) Show(ctx context.Context, wants ...Want) error {
	if len(wants) > maxPictures {
		return fmt.Errorf("parley: %d pictures are wanted, at most %d can be", len(wants), maxPictures)
	}
	for _, w := range wants {
		if w.Source != Camera && w.Source != Screen || w.Seat == "" {
			return fmt.Errorf("parley: a picture of %q by %q: want a seat, and %s or %s", w.Source, w.Seat, Camera, Screen)
		}
	}
	wants = slices.Clone(wants)
	return r.do(ctx, func(s *state) error {
		s.hub.wants, s.hub.chosen = wants, true
		s.furnishHub()
		return nil
	})
}

// place is one section on which the hub shows something.
type place struct {
	section *webrtc.RTPTransceiver
	video   bool
	ready   bool          // it may be asked for; the owner's, as what follows
	want    *Want         // what we want it to show
	shows   *signal.Place // what it shows, as the hub says
	strange atomic.Bool   // that is somebody of whom nothing can be opened

	mu    sync.Mutex
	to    *Track // nil while it is not known
	whose string // the session whose frames those have to be, in an encrypted room
	from  *feed
	told  bool // the owner knows that to has begun
	early []early
}

// early is a packet that came before the word whose it is.
type early struct {
	packet *rtp.Packet
	at     time.Time
	whose  string // whose key opened it
}

// placed begins to read what comes on a place.
func (s *state) placed(t *trunk, remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	for _, p := range t.places {
		if p.section.Receiver() == receiver {
			from := s.feed(seam.Hub, t.pc, remote, receiver, t.pulse)
			p.mu.Lock()
			p.from = from
			p.mu.Unlock()
			strain := s.strains(sframe.Anybody, remote.Kind())
			if strain != nil {
				strain.strange = &p.strange
			}
			s.running.Go(func() { p.read(s, from, strain) })
			s.running.Go(func() { drain(receiver, t.pulse) })
			return
		}
	}
}

// read reads a place until its end. It runs beside the owner.
func (p *place) read(s *state, from *feed, strain *strainer) {
	defer p.assign(nil, "")
	defer strain.end()
	for {
		packet, _, err := from.remote.ReadRTP()
		if err != nil {
			return
		}
		from.pulse.hear()
		if strain == nil {
			p.show(s, packet, from, "")
			continue
		}
		ready, whose := strain.take(packet)
		for _, packet := range ready {
			p.show(s, packet, from, whose)
		}
	}
}

// show takes a packet, and tells the owner of a track that begins with it.
func (p *place) show(s *state, packet *rtp.Packet, from *feed, whose string) {
	if t := p.take(time.Now(), packet, from, whose); t != nil {
		s.post(func(s *state) { s.introduce(t) })
	}
}

// take hands a packet to the track that is shown, or keeps it until that is known. It returns a track that begins.
func (p *place) take(now time.Time, packet *rtp.Packet, from *feed, whose string) (begins *Track) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.to == nil || whose != p.whose { // in an encrypted room, the hub says it and the key
		if len(p.early) >= maxEarly {
			p.early = slices.Delete(p.early, 0, 1)
		}
		p.early = append(p.early, early{packet, now, whose})
		return nil
	}
	if !p.told {
		p.told, begins = true, p.to
	}
	p.to.take(now, packet, from)
	return begins
}

// assign says whose packets come from now on, nil for nobody's. Those that came just before the word get their owner; of
// pictures from a key frame on, since what came before it was another's. The hub says of sound only afterwards that a
// place has changed hands, so of two who follow each other on one place some packets may go to the wrong one.
func (p *place) assign(to *Track, whose string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.to == to && p.whose == whose {
		return
	}
	if p.to != nil && p.from != nil {
		p.to.leaves(p.from)
	}
	p.to, p.whose, p.told = to, whose, false
	if to == nil {
		return
	}
	now, begun := time.Now(), !p.video
	for _, e := range p.early {
		if e.whose != whose {
			continue
		}
		begun = begun || beginsKey(e.packet.Payload)
		if begun && now.Sub(e.at) < earlyFor {
			to.take(e.at, e.packet, p.from)
		}
	}
	p.early = nil
}

// shows notes what the hub says that the places show: all of it.
func (t *trunk) shows(list []signal.Place) {
	for _, p := range t.places {
		p.shows = nil
		for _, x := range list {
			if x.Mid == p.section.Mid() && x.Mid != "" && x.Seat != "" {
				p.shows = &x
			}
		}
	}
}

// settlePlaces leads what comes on each place to its track.
func (s *state) settlePlaces(t *trunk) {
	for _, p := range t.places {
		var to *Track
		whose, strange := "", false
		if x := p.shows; x != nil && s.shows[x.Source] != nil && (kindOf(x.Source) == webrtc.RTPCodecTypeVideo) == p.video &&
			(!p.video || p.want != nil && p.want.Seat == x.Seat && p.want.Source == x.Source) {
			if seat := s.people[x.Seat]; seat != nil && seat.Session != "" && x.Seat != s.me {
				to = s.track(seat.Session, x.Source, s.kit.codec(x.Source))
				if s.secrecy != nil {
					whose, strange = seat.Session, s.standing(seat) == EncryptionStranger
				}
			}
		}
		p.strange.Store(strange)
		p.assign(to, whose)
	}
}

// introduce tells of a track of which something came by the hub.
func (s *state) introduce(t *Track) {
	t.begun = true
	if t.known {
		return
	}
	for session, all := range s.tracks {
		seat := s.holder(session)
		if all[t.Source] != t || seat == nil {
			continue
		}
		if since := s.reports.seated; !since.IsZero() {
			s.report(nil, signal.ReportEvent{
				Kind: signal.ReportFirstPacket, Seat: seat.ID, Source: t.Source, MS: s.now.Sub(since).Milliseconds(),
			})
		}
		s.announceTrack(t, seat)
	}
}

// wantsNow is what we show: what the program chose, or everything, of the screens first.
func (s *state) wantsNow() (list []Want) {
	on := func(seat, source string) bool {
		person := s.people[seat]
		return person != nil && seat != s.me && person.State != signal.SeatWaiting && *flag(&person.Media, Source(source))
	}
	if s.hub.chosen {
		for _, w := range s.hub.wants {
			if on(w.Seat, string(w.Source)) {
				list = append(list, w)
			}
		}
		return list
	}
	for _, source := range []Source{Screen, Camera} {
		for _, p := range s.list() {
			if on(p.ID, string(source)) && len(list) < defaultPictures {
				list = append(list, Want{Seat: p.ID, Source: source})
			}
		}
	}
	return list
}

// defaultPictures is how many pictures come to a program that did not say which it wants.
const defaultPictures = 16

// assignPlaces gives each picture that is wanted a place, the same one as before if it has one, and says so in the hub's
// words. Pictures for which there is no place yet are left out, and so are places of a later offer until its answer is
// there: what came on one before would be read as a stranger's, and be lost.
func (s *state) assignPlaces(t *trunk) (list []signal.Want) {
	rest := s.wantsNow()
	for _, p := range t.places {
		if p.want == nil {
			continue
		}
		at := slices.IndexFunc(rest, func(w Want) bool { return w.Seat == p.want.Seat && w.Source == p.want.Source })
		if at < 0 {
			p.want = nil
			continue
		}
		p.want = &rest[at]
		w := rest[at]
		p.want = &w
		rest = slices.Delete(rest, at, at+1)
	}
	for _, p := range t.places {
		if p.video && p.ready && p.want == nil && len(rest) > 0 {
			w := rest[0]
			p.want, rest = &w, rest[1:]
		}
		if w := p.want; w != nil && p.section.Mid() != "" {
			list = append(list, signal.Want{
				Mid: p.section.Mid(), Seat: w.Seat, Source: w.Source, Width: pixels(w.Width), Height: pixels(w.Height),
			})
		}
	}
	return list
}

// pixels fits a size into the protocol's bounds.
func pixels(n int) uint16 { return uint16(max(0, min(n, 16384))) }

// wantsText tells two lists of wants apart.
func wantsText(list []signal.Want) string {
	b, _ := json.Marshal(list) // plain fields
	return string(b)
}
