package whipserver

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
)

// kind is which of the two protocols a session speaks.
type kind string

const (
	whip kind = "whip" // it publishes
	whep kind = "whep" // it plays
)

// direction is what we do in its sections.
func (k kind) direction() sdp.Direction {
	if k == whip {
		return sdp.ReceiveOnly
	}
	return sdp.SendOnly
}

// again is how long after a failed command to the hub it is tried again.
const again = time.Second

// session is an encoder or a player. Its goroutine (run) carries out what follows from what is noted.
type session struct {
	server *Server
	kind   kind
	room   string
	id     string
	from   netip.Prefix
	host   string // the Host header of its first request
	at     mediaserver.Link

	patching sync.Mutex // holds a PATCH apart from the next; guards the two below
	theirs   sdp.ICE
	restarts int

	wake chan struct{} // holds one when there is something to do
	told chan signal.Message

	mu        sync.Mutex
	over      string // why it is; "" while it is not
	connected bool
	stage     stage // of a player

	// Of an encoder.
	tracks  []sfu.Track // what it offers
	seated  bool        // and not in the waiting room
	answer  bool        // the room has answered its join
	silent  map[string]bool
	role    signal.Role
	invited bool

	// Of run alone.
	taken []sfu.Track // what the hub takes of it
	said  signal.MediaState
}

// note changes what is known and has run look.
func (x *session) note(f func()) {
	x.mu.Lock()
	f()
	x.mu.Unlock()
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// finish ends the session soon; the first reason counts.
func (x *session) finish(why string) {
	x.note(func() {
		if x.over == "" {
			x.over = why
		}
	})
}

// sits reports whether an encoder has a seat in the room itself.
func (x *session) sits() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seated
}

// ended reports whether it is over.
func (x *session) ended() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.over != ""
}

// hear takes what the room says.
func (x *session) hear(m signal.Message) {
	x.note(func() {
		switch m := m.(type) {
		case *signal.SeatChange:
			x.hearSeat(m.Seat)
		case *signal.Left:
			x.stage.leave(m.Seat)
			if x.kind == whip && m.Seat == x.at.Seat && x.over == "" {
				x.over = "its seat is gone: " + string(m.Reason)
			}
		case *signal.Muted:
			x.silent[string(m.Source)] = true
		case *signal.Bye:
			if x.over == "" {
				x.over = m.Words
			}
			if x.over == "" {
				x.over = string(m.Reason)
			}
		case *signal.Joined:
			x.seated = true
			x.reply(m)
		case *signal.Waiting, *signal.Error:
			x.reply(m)
		}
	})
}

// reply hands the room's answer to the join to whoever waits for it.
func (x *session) reply(m signal.Message) {
	if !x.answer {
		x.answer = true
		x.told <- m // it has a place for one
	} else if fault, ok := m.(*signal.Error); ok && x.over == "" && !x.seated {
		x.over = fault.Words // it was waiting
	}
}

func (x *session) hearSeat(seat signal.Seat) {
	switch {
	case x.kind == whep:
		x.stage.seat(seat)
	case seat.ID == x.at.Seat:
		x.role, x.invited = seat.Role, seat.Invited
	}
}

// run does what there is to do until the session is over, and clears up after it.
func (x *session) run() {
	defer x.server.remove(x)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-x.wake:
		case <-timer.C:
		case <-x.server.now.Done():
			x.finish("the server is going down")
		}
		x.mu.Lock()
		over := x.over
		x.mu.Unlock()
		if over != "" {
			x.end(over)
			return
		}
		var next time.Time
		if x.kind == whip {
			next = x.publish()
		} else {
			next = x.play()
		}
		if !next.IsZero() {
			timer.Reset(max(0, time.Until(next)))
		}
	}
}

// end takes the session out of the room and of the hub.
func (x *session) end(why string) {
	x.server.cfg.Rooms.Quit(x.room, x.id)
	ctx, cancel := x.server.patient()
	defer cancel()
	_ = x.server.cfg.Media.Leave(ctx, x.at) // it fails when the hub has closed, and all links with it
	x.server.log.Debug("session ended", "protocol", x.kind, "room", x.room, "session", x.id, "reason", why)
}

// patient is for commands that nobody waits for.
func (s *Server) patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.now, patience)
}

// publish has the hub take what may be taken of an encoder, and the room say so.
func (x *session) publish() (next time.Time) {
	x.mu.Lock()
	var tracks []sfu.Track
	if x.seated && x.role != signal.RoleListener {
		for _, t := range x.tracks {
			if !x.silent[t.Source] {
				tracks = append(tracks, t)
			}
		}
	}
	connected, invited := x.connected, x.invited
	x.invited = false
	x.mu.Unlock()
	if invited { // whoever runs it wants it to be seen
		x.server.cfg.Rooms.Say(x.room, x.id, &signal.Speak{On: true})
	}
	if !slices.Equal(tracks, x.taken) {
		ctx, cancel := x.server.patient()
		err := x.server.cfg.Media.Publish(ctx, x.at, tracks)
		cancel()
		if err != nil {
			return time.Now().Add(again)
		}
		x.taken = tracks
	}
	var sends signal.MediaState
	for _, t := range tracks {
		switch {
		case !connected:
		case t.Source == string(signal.SourceMicrophone):
			sends.Microphone = true
		case t.Source == string(signal.SourceCamera):
			sends.Camera = true
		case t.Source == string(signal.SourceScreen):
			sends.Screen = true
		default:
			sends.ScreenAudio = true
		}
	}
	if sends != x.said {
		x.said = sends
		x.server.cfg.Rooms.Say(x.room, x.id, &signal.Media{Media: sends})
	}
	return time.Time{}
}

// play has the hub show a player what its places are to show.
func (x *session) play() (next time.Time) {
	now := time.Now()
	x.mu.Lock()
	wants, changed, next := x.stage.wants(now)
	x.mu.Unlock()
	if !changed {
		return next
	}
	ctx, cancel := x.server.patient()
	defer cancel()
	if err := x.server.cfg.Media.Show(ctx, x.at, wants); err != nil {
		x.mu.Lock()
		x.stage.shown = nil
		x.mu.Unlock()
		return now.Add(again)
	}
	return next
}

// tag is the entity tag of the session's ICE as it is now (RFC 9725 §4.3.1). patching is held.
func (x *session) tag() string { return fmt.Sprintf(`"%.8s-%d"`, x.id, x.restarts) }
