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
	shows   uint64 // how often the control channel has said them
	due     bool   // the media plane is to be told
	telling bool   // a goroutine tells it
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

// wanted is what a link is to show.
func (r *room) wanted(l *link) []sfu.Want {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.wants
}

// agreed notes an answer, and says what its places show: what is known of them, and else what will be if nothing is in the way. The
// control channel tells it better as soon as it is open.
func (r *room) agreed(l *link, tracks []signal.Track, wants []sfu.Want, places []mediaserver.Place) []signal.Place {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.tracks, l.wants = tracks, wants
	var all []signal.Place
	for _, p := range places {
		for _, known := range l.places {
			if known.MID == p.MID && known.State == sfu.Shown {
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
