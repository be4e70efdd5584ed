package whipserver

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/signal"
)

// encoder is the name of an encoder whose token gives it none.
const encoder = "Encoder"

// maxAgent is how much of a User-Agent the call record keeps, in bytes.
const maxAgent = 60

// post makes a session.
func (s *Server) post(w http.ResponseWriter, r *http.Request, k kind, name string, from *visitor) *problem {
	if s.cfg.Media == nil {
		return refuse(http.StatusNotImplemented, "no-hub", "this server forwards no media (hub.media is off in its configuration)")
	}
	if p := s.allowed(r, k, name, from); p != nil {
		return p
	}
	text, p := s.read(w, r, from)
	if p != nil {
		return p
	}
	x, answer, p := s.work(r, k, name, from, text)
	if p != nil {
		return p
	}
	x.created(w, r, answer)
	return nil
}

func busy() *problem {
	return refuse(http.StatusServiceUnavailable, "busy", "the server is busy; try again in a moment").after(2)
}

// read reads the offer, for as long as its client takes.
func (s *Server) read(w http.ResponseWriter, r *http.Request, from *visitor) (string, *problem) {
	if !s.limit.expect(from.address) {
		return "", busy()
	}
	defer s.limit.arrived(from.address)
	return body(w, r, typeSDP, maxOffer)
}

// work makes a session of an offer that is there. Nothing in it waits for the client.
func (s *Server) work(r *http.Request, k kind, name string, from *visitor, text string) (*session, string, *problem) {
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	default:
		return nil, "", busy()
	}
	d, err := sdp.ParseOffer(text)
	if err != nil {
		return nil, "", mediaFault(err)
	}
	if p := k.check(d); p != nil {
		return nil, "", p
	}
	screen := false
	switch r.URL.Query().Get("source") {
	case "screen":
		screen = true
	case "", "camera":
	default:
		return nil, "", refuse(http.StatusBadRequest, "malformed", "source is camera or screen")
	}
	x, p := s.open(k, name, r.Host, from)
	if p != nil {
		return nil, "", p
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	answer, p := x.begin(ctx, r, from, d, text, screen)
	go x.run() // after a failure it clears up
	if p != nil {
		x.finish(p.Detail)
		return nil, "", p
	}
	return x, answer, nil
}

// open makes a session that can be found. Whoever calls it has to have it run.
func (s *Server) open(k kind, name, host string, from *visitor) (*session, *problem) {
	id, err := auth.NewID(s.cfg.Rand)
	if err != nil {
		s.log.Error("no randomness", "err", err)
		return nil, refuse(http.StatusInternalServerError, "fault", "something went wrong here; try again")
	}
	if !s.limit.take(from.address) {
		return nil, refuse(http.StatusTooManyRequests, "busy", "too many sessions from your address; end one of them").after(60)
	}
	x := &session{
		server: s, kind: k, room: name, id: id, from: from.address, host: host,
		wake: make(chan struct{}, 1), told: make(chan signal.Message, 1), silent: map[string]bool{},
	}
	if !s.add(x) {
		s.limit.give(from.address)
		return nil, refuse(http.StatusServiceUnavailable, "busy", "the server is going down; try again in a few seconds").after(5)
	}
	return x, nil
}

// begin takes the session into the room and into the hub. After a problem it is to be ended.
func (x *session) begin(ctx context.Context, r *http.Request, from *visitor, d *sdp.Description, text string, screen bool) (string, *problem) {
	x.theirs = d.ICE
	o := mediaserver.Offer{SDP: text, Only: x.kind.direction(), Candidates: x.server.cfg.Candidates(x.host)}
	v := room.Visitor{ID: x.id, Open: from.open, Pass: from.pass, Address: from.address}
	var p *problem
	if x.kind == whip {
		v.Door = signal.DoorWHIP
		p = x.sit(ctx, r, v, from, d, screen)
		if x.sits() {
			o.Tracks, x.taken = x.tracks, x.tracks
		}
	} else {
		o.Stream = "parley" // players know one stream
		p = x.watch(ctx, r, v, from, d)
		o.Show = x.stage.shown
	}
	if p != nil {
		return "", p
	}
	o.Link = x.at
	answer, err := x.server.cfg.Media.Offer(ctx, o)
	if err != nil {
		return "", mediaFault(err)
	}
	return answer.SDP, nil
}

// sit has an encoder take a seat, or wait for one.
func (x *session) sit(ctx context.Context, r *http.Request, v room.Visitor, from *visitor, d *sdp.Description, screen bool) *problem {
	x.tracks = tracks(d, screen)
	name := from.name
	if name == "" {
		name = encoder
	}
	client := signal.Client{Name: string(whip), Version: agent(r)}
	seat, fault := x.server.cfg.Rooms.Enter(ctx, x.room, v, client, &signal.Join{Name: name, Note: "publishes with " + client.Version}, x.hear)
	if fault != nil {
		return refusal(x.kind, fault, from.token)
	}
	x.link(seat)
	select {
	case m := <-x.told:
		if fault, ok := m.(*signal.Error); ok {
			return refusal(x.kind, fault, from.token)
		}
		return nil
	case <-ctx.Done():
		return refuse(http.StatusServiceUnavailable, "busy", "the server is busy; try again").after(2)
	}
}

// link names the session's link in the hub.
func (x *session) link(seat string) {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = mediaserver.Link{Room: x.room, Seat: seat, Link: x.id}
}

// watch lets a player in. In the hub it is somebody of its own, whom nobody in the room knows by that name.
func (x *session) watch(ctx context.Context, r *http.Request, v room.Visitor, from *visitor, d *sdp.Description) *problem {
	only := r.URL.Query().Get("seat")
	x.link("player-" + x.id)
	x.mu.Lock()
	x.stage.only = only
	x.stage.pictures, x.stage.sounds = places(d)
	x.mu.Unlock()
	seats, fault := x.server.cfg.Rooms.Watch(ctx, x.room, v, x.hear)
	if fault != nil {
		return refusal(x.kind, fault, from.token)
	}
	there := only == ""
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, seat := range seats {
		if _, later := x.stage.people[seat.ID]; !later {
			x.stage.seat(seat)
		}
		there = there || seat.ID == only
	}
	if !there {
		return refuse(http.StatusNotFound, "no-peer", "nobody in this room has that seat; leave seat out for everybody")
	}
	_, _, _ = x.stage.wants(x.stage.since)
	return nil
}

// created answers with the session.
func (x *session) created(w http.ResponseWriter, r *http.Request, answer string) {
	h := w.Header()
	h.Set("Content-Type", typeSDP)
	h.Set("Location", base(r)+"/"+string(x.kind)+"/"+x.room+"/s/"+x.id)
	x.patching.Lock()
	h.Set("ETag", x.tag())
	x.patching.Unlock()
	h.Set("Accept-Patch", typeFragment)
	if list := x.server.cfg.Rooms.ICEServers(x.id, x.host); list != nil {
		for _, server := range list.Servers {
			for _, u := range server.URLs {
				if !useless(u) {
					h.Add("Link", iceLink(u, server))
				}
			}
		}
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

// useless reports whether a server does not lead to the hub. The relay is at the hub's own address and port, so by UDP it leads
// nowhere else; and Chromium takes whatever comes from the address of a relay that it uses by UDP for the relay's, so that the hub
// would not be heard by UDP.
func useless(u string) bool {
	return strings.HasPrefix(u, "turn:") && !strings.Contains(u, "transport=tcp")
}

// iceLink is a STUN or TURN server as a Link header (RFC 9725 §4.6).
func iceLink(u string, server signal.ICEServer) string {
	link := "<" + u + `>; rel="ice-server"`
	if server.Username != "" {
		quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
		link += `; username="` + quote.Replace(server.Username) + `"; credential="` + quote.Replace(server.Credential) + `"; credential-type="password"`
	}
	return link
}

// agent is what a client calls itself.
func agent(r *http.Request) string {
	text := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, r.UserAgent())
	if text == "" {
		return "an unknown program"
	}
	return text[:min(len(text), maxAgent)]
}
