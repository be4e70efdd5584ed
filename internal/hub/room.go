package hub

import (
	"slices"
	"sync"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
)

// room is a room that somebody has a link with the hub in. Its mutex is a leaf: nothing is called while it is held.
type room struct {
	hub  *Hub
	name string

	mu       sync.Mutex
	sessions map[string]*session
	seats    map[string]*link // the link that carries a seat's media
	speakers []string         // the loudest first
	telling  bool             // a goroutine tells what has changed
}

func newRoom(h *Hub, name string) *room {
	return &room{hub: h, name: name, sessions: map[string]*session{}, seats: map[string]*link{}}
}

// link is one link of a client with the hub.
type link struct {
	session *session
	at      mediaserver.Link

	// Guarded by the room's mutex.
	ended   bool
	tracks  []signal.Track // that it publishes
	wants   []sfu.Want
	shows   uint64   // how often the control channel has said them
	due     bool     // the media plane is to be told
	telling bool     // a goroutine tells it
	mids    []string // of the places that the newest answer has
	places  []sfu.Place
	layers  []layers
	control channel // nil until it is open
	news    news
	told    [][]byte // by others, in order
	waiting int      // bytes of told
	tells   bucket   // what it may tell others

	network network

	feeds map[end]*feed // channels that the client has opened, to send on
	line  line          // what waits for it of others' data

	opening sync.Mutex // held, and before the room's, while a channel to it is being opened, which may be heard of before that is done
}

func newLink(s *session, at mediaserver.Link) *link {
	return &link{session: s, at: at, tells: newBucket(tellRate, tellBytes), feeds: map[end]*feed{}, line: newLine()}
}

// linked returns a link of the media plane, nil when it is not, or not any more, one of ours.
func (h *Hub) linked(at mediaserver.Link) *link {
	r := h.find(at.Room)
	if r == nil {
		return nil
	}
	id, name := owner(at)
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[id]
	if s == nil {
		return nil
	}
	if l := s.links[name]; l != nil && l.at == at {
		return l
	}
	return nil
}

// end takes a link off the books.
func (r *room) end(l *link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.ended {
		return
	}
	r.unplug(l)
	l.ended, l.control, l.told, l.waiting = true, nil, nil, 0
	if _, name := owner(l.at); l.session.links[name] == l {
		delete(l.session.links, name)
	}
	if r.seats[l.at.Seat] == l {
		delete(r.seats, l.at.Seat)
	}
}

// offered is what a link is to show by what an offer says of it, nil for what it shows already; said counts what the control channel
// has said until now. That is newer than any offer, which may have been under way for long: of a later offer only what it says of
// places that it adds counts then.
func (r *room) offered(l *link, show []signal.Want) (wants []sfu.Want, said uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.shows == 0 {
		return wantsOf(show), 0
	}
	wants = slices.Clone(l.wants)
	for _, w := range wantsOf(show) {
		taken := func(other sfu.Want) bool {
			return other.MID == w.MID || other.Seat == w.Seat && other.Source == w.Source
		}
		if !slices.Contains(l.mids, w.MID) && !slices.ContainsFunc(wants, taken) && len(wants) < signal.MaxShow {
			wants = append(wants, w)
		}
	}
	if len(wants) == len(l.wants) {
		return nil, l.shows
	}
	return wants, l.shows
}

// agreed notes an answer, and says what its places show: what is known of them, and else what will be if nothing is in the way. The
// control channel tells it better as soon as it is open. What it has said since the offer was read goes before the offer.
func (r *room) agreed(l *link, tracks []signal.Track, wants []sfu.Want, said uint64, places []mediaserver.Place) []signal.Place {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.tracks, l.mids = tracks, nil
	for _, p := range places {
		l.mids = append(l.mids, p.MID)
	}
	switch {
	case l.shows != said && wants != nil:
		r.showing(l)
	case wants != nil:
		l.wants = wants
	}
	wants = l.wants
	var all []signal.Place
	for _, p := range places {
		for _, known := range l.places {
			if known.MID == p.MID && (known.State == sfu.Shown || known.State == sfu.Silent) {
				all = append(all, signal.Place{Mid: p.MID, Seat: known.Seat, Source: signal.Source(known.Source)})
			}
		}
		for _, w := range wants {
			if len(l.places) == 0 && w.MID == p.MID && !w.Paused && r.publishes(w.Seat, w.Source) {
				all = append(all, signal.Place{Mid: p.MID, Seat: w.Seat, Source: signal.Source(w.Source)})
			}
		}
	}
	return all
}

func (r *room) publishes(seat, source string) bool {
	l := r.seats[seat]
	return l != nil && slices.ContainsFunc(l.tracks, func(t signal.Track) bool { return string(t.Source) == source })
}

// Connected notes which link carries a seat's media: mediaserver.Listener.
func (h *Hub) Connected(at mediaserver.Link) {
	if l := h.linked(at); l != nil {
		r := l.session.room
		r.mu.Lock()
		defer r.mu.Unlock()
		if !l.ended {
			r.seats[at.Seat] = l
			r.wake()
		}
	}
}

// Ended notes that a link has ended by itself, and has the client make a new one: mediaserver.Listener. One that was replaced by the
// client's own next one needs no word.
func (h *Hub) Ended(at mediaserver.Link, err error) {
	l := h.linked(at)
	if l == nil {
		return
	}
	l.session.room.end(l)
	id, name := owner(at)
	if !own(err) {
		h.cfg.Tell(at.Room, id, &signal.CloseLink{Peer: signal.Peer{Link: name}})
	}
	h.ask(peerOf(at.Room, id), false, func(*session) {}) // which forgets the session when that was its last
}
