package server

import (
	"crypto/rand"
	"net/http"

	"github.com/parley-rtc/parley/internal/httpserver"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/whipserver"
)

// whipConfig connects the doors of encoders and players with the rooms and the media plane.
func (s *Server) whipConfig(at addresses) whipserver.Config {
	c := whipserver.Config{
		Rooms: s.signals, Keys: s.keys, Domain: s.cfg.Domain != "", Origins: s.cfg.Origins, PerAddress: s.cfg.WHIP.PerAddress, Rand: rand.Reader,
		Hidden: func(r *http.Request) bool { return httpserver.Forwarded(r.Context()) },
		Candidates: func(host string) []sdp.Candidate {
			w := s.where()
			return w.candidates(at.list, host)
		},
	}
	if s.media != nil { // a nil pointer in an interface is not nil
		c.Media = s.media
	}
	return c
}

// listeners hands what the media plane says to whom a link belongs, and what it says of a room to both.
type listeners struct{ s *Server }

// Told hands on what happens in a room: mediaserver.Listener.
func (l listeners) Told(room string, e sfu.Event) {
	l.s.hub.Told(room, e)
	l.s.whip.Told(room, e)
}

// Connected hands on that media flow: mediaserver.Listener.
func (l listeners) Connected(at mediaserver.Link) {
	if !l.s.whip.Connected(at) {
		l.s.hub.Connected(at)
	}
}

// Ended hands on that a link has ended: mediaserver.Listener.
func (l listeners) Ended(at mediaserver.Link, err error) {
	if !l.s.whip.Ended(at, err) {
		l.s.hub.Ended(at, err)
	}
}
