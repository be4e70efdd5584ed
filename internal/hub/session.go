package hub

import (
	"context"
	"errors"
	"strings"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
)

// session is a client that has spoken to the hub. Its tasks are carried out one after the other by a goroutine that exists while
// there are any.
type session struct {
	room *room
	id   string

	// Guarded by the room's mutex.
	tasks   []func(*session)
	working bool
	links   map[string]*link // by the name that the client gave
	feeds   allowance        // for channels to everybody
	pipes   allowance        // for channels to one
}

// work carries tasks out until there are none.
func (s *session) work() {
	for {
		s.room.mu.Lock()
		tasks := s.tasks
		s.tasks = nil
		s.room.mu.Unlock()
		for _, f := range tasks {
			f(s)
		}
		if s.room.hub.retire(s) {
			return
		}
	}
}

// place is the name of a session's link in the media plane, where links are told apart by their seat. A seat may go over to another
// session, which knows nothing of the names that the first one gave.
func (s *session) place(seat, name string) mediaserver.Link {
	return mediaserver.Link{Room: s.room.name, Seat: seat, Link: s.id + " " + name}
}

// owner is what place made a link's name of.
func owner(at mediaserver.Link) (session, name string) {
	session, name, _ = strings.Cut(at.Link, " ")
	return session, name
}

// offer answers an offer.
func (s *session) offer(p signalserver.HubPeer, o *signal.Offer) (signalserver.HubAnswer, *signal.Error) {
	h := s.room.hub
	if o.Kind != "" {
		return signalserver.HubAnswer{}, &signal.Error{Code: signal.CodeMalformed, Field: "kind", Words: "kind is for links between two; the hub has one link for everything"}
	}
	ctx, cancel := context.WithTimeout(h.base, answerTime)
	defer cancel()
	select {
	case h.gate <- struct{}{}:
		defer func() { <-h.gate }()
	case <-ctx.Done():
		return signalserver.HubAnswer{}, faultOf(ctx.Err())
	}
	l, fresh := s.begin(p.Seat, o.Link)
	wants, said := s.room.offered(l, o.Show)
	if o.Show == nil && !fresh {
		wants = nil // to negotiate says nothing about what is to be seen
	}
	answer, err := h.plane.Offer(ctx, mediaserver.Offer{
		Link: l.at, SDP: o.SDP, Tracks: tracksOf(o.Tracks), Show: wants, Candidates: h.cfg.Candidates(p.Host),
	})
	if err != nil {
		if fresh || errors.Is(err, mediaserver.ErrUnknown) {
			s.room.end(l)
		}
		return signalserver.HubAnswer{}, faultOf(err)
	}
	return signalserver.HubAnswer{SDP: answer.SDP, Places: s.room.agreed(l, o.Tracks, wants, said, answer.Places)}, nil
}

// begin returns the link of a name, or a new one.
func (s *session) begin(seat, name string) (l *link, fresh bool) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	at := s.place(seat, name)
	if l = s.links[name]; l != nil && l.at == at {
		return l, false
	}
	l = newLink(s, at)
	s.links[name] = l
	return l, true
}

// closeLink ends a link that the client has closed, or given up.
func (s *session) closeLink(name string) {
	s.room.mu.Lock()
	l := s.links[name]
	s.room.mu.Unlock()
	if l != nil {
		s.leave(l)
	}
}

// closeAll ends all links of a client that has no place in the room any more.
func (s *session) closeAll() {
	s.room.mu.Lock()
	all := make([]*link, 0, len(s.links))
	for _, l := range s.links {
		all = append(all, l)
	}
	s.room.mu.Unlock()
	for _, l := range all {
		s.leave(l)
	}
}

func (s *session) leave(l *link) {
	s.room.end(l)
	if err := s.room.hub.plane.Leave(s.room.hub.base, l.at); err != nil && !errors.Is(err, mediaserver.ErrClosed) && s.room.hub.base.Err() == nil {
		s.room.hub.cfg.Log.Error("a link with the hub does not end", "room", s.room.name, "error", err)
	}
}

// listen says whether anything is taken of what the client sends.
func (s *session) listen(listens bool) {
	s.room.mu.Lock()
	all := make([]*link, 0, len(s.links))
	for _, l := range s.links {
		all = append(all, l)
	}
	s.room.mu.Unlock()
	for _, l := range all {
		// Without an answer of the loop there is none to anything else of this link either.
		_ = s.room.hub.plane.Listen(s.room.hub.base, l.at, listens)
	}
}

// faultOf says in the protocol's words why an offer has failed.
func faultOf(err error) *signal.Error {
	var bad *sdp.Fault
	switch {
	case errors.As(err, &bad):
		return &signal.Error{Code: signal.CodeMalformed, Field: "sdp", Words: "sdp is not an offer that the hub understands: " + bad.Error()}
	case errors.Is(err, mediaserver.ErrFull):
		return &signal.Error{Code: signal.CodeBusy, Words: "this server carries the media of as many people as it may; try again later"}
	case errors.Is(err, mediaserver.ErrClosed), errors.Is(err, context.Canceled):
		return &signal.Error{Code: signal.CodeBusy, Words: "this server is going down; come back when it is up again"}
	case errors.Is(err, mediaserver.ErrPeer):
		return &signal.Error{Code: signal.CodeOrder, Field: "link", Words: "link belongs to another connection; give a new connection a link of its own"}
	case errors.Is(err, mediaserver.ErrUnknown):
		return &signal.Error{Code: signal.CodeNoPeer, Field: "link", Words: "link has ended; make a new one"}
	case errors.Is(err, context.DeadlineExceeded):
		return &signal.Error{Code: signal.CodeBusy, Words: "the hub has too much to do now; try again"}
	}
	return &signal.Error{Code: signal.CodeFault, Words: "the hub failed, which is this server's fault; try again"}
}

func tracksOf(tracks []signal.Track) []sfu.Track {
	all := make([]sfu.Track, len(tracks))
	for i, t := range tracks {
		all[i] = sfu.Track{MID: t.Mid, Source: string(t.Source)}
	}
	return all
}

func wantsOf(show []signal.Want) []sfu.Want {
	all := make([]sfu.Want, len(show))
	for i, w := range show {
		all[i] = sfu.Want{MID: w.Mid, Seat: w.Seat, Source: string(w.Source), Width: int(w.Width), Height: int(w.Height), Paused: w.Paused}
	}
	return all
}
