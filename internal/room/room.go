// Package room holds the rules of a room: who may enter, who sits where, who hears of whom, and what a host may do.
//
// A Room is sans-IO: commands go in as method calls with the time, effects come out of Effects. **Exactly one goroutine
// owns a Room, and drains Effects after every command.** Identifiers come from the caller; tokens come through Tokens.
//
// A session is one connected client. It begins in the lobby, in front of the door, and takes a seat by joining. A seat
// outlives its session for the grace time, so that a reload or a lost network costs nobody their place.
package room

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Defaults of Config.
const (
	DefaultSeats    = 50
	DefaultGrace    = 10 * time.Minute
	DefaultSessions = 256
	DefaultPlayers  = 1000
)

// Bounds that nobody needs to configure.
const (
	// ProbeTimeout is how long the holder of a seat may take to show that it is alive when somebody else claims the seat.
	ProbeTimeout = 1500 * time.Millisecond
	// Memory is how long the policy of an ended room is kept for its host.
	Memory = 30 * 24 * time.Hour
	// RemovedFor is how long a removed person is kept out.
	RemovedFor = time.Hour

	maxEarly   = 2  // lobby sessions with early links
	maxWaiting = 16 // people in the waiting room
	maxRemoved = 64 // remembered removals
)

// Config is what a room is made with; zero values mean the defaults.
type Config struct {
	// Name is the room's name.
	Name string
	// Seats is how many people fit in, listeners counted; without a hub, two at most.
	Seats int
	// Hub is true where there is a hub, which rooms of three and more need.
	Hub bool
	// Topology is the policy of a room whose host said nothing about it; empty is signal.PolicyAuto.
	Topology signal.TopologyPolicy
	// Grace is how long a seat is kept for somebody who lost the connection.
	Grace time.Duration
	// Saves is true where a room's history can be kept; History is then the policy of a room whose host said nothing.
	Saves   bool
	History signal.History
	// Sessions is how many guests' sessions the room bears, lobby included; hosts come on top.
	Sessions int
	// Players is how many may watch the room without a seat.
	Players int
}

// Tokens makes the secrets that a room hands out.
type Tokens interface {
	// SeatToken takes the seat again after a reload.
	SeatToken(room, seat string, generation uint32) string
	// HostSecret makes its bearer a host of the room.
	HostSecret(room string, made time.Time) string
}

// Visitor introduces a session.
type Visitor struct {
	// ID is the session's identifier, unguessable and never used again.
	ID string
	// Host is true when the session knows the host secret.
	Host bool
	// Open is true in open mode: joining makes the room, and its first participant is the host.
	Open bool
	// Address is where it comes from, wide enough that one person cannot have many.
	Address netip.Prefix
	// Pass is true when the session knows a secret of the room that does not make it a host: it may make the room, and
	// neither the lock nor the waiting room keeps it out.
	Pass bool
	// Door is set for an encoder: by which door it comes.
	Door signal.Door
	// Was is an earlier session, or the seat, of the same client, if it could prove one; a removal sticks to it.
	Was string
}

// Room is one room; see the package comment for who may call it.
type Room struct {
	cfg    Config
	tokens Tokens

	exists  bool
	locked  bool
	waiting bool           // the waiting room is on
	history signal.History // what is kept of the conversation
	began   time.Time      // when it last began to exist
	ended   time.Time      // when it last ceased to exist
	order   uint64         // the newest seat's
	hands   uint64         // raised so far
	words   string         // what those who wait are told
	rebuilt bool           // made from what clients could prove, after a restart without a memory
	// encrypted says that the room's clients encrypt from end to end.
	encrypted bool
	course    course // which way the media take

	seats    []*seat    // by order; those in the waiting room too
	sessions []*session // by arrival
	players  []*player  // by arrival
	removed  []Removal
	probes   []probe

	changed bool // something that views show may have changed
	touched bool // since Touched was asked, something of the snapshot may have changed
	effects []Effect
	events  []Event
}

// session is a client in front of the door or on a seat.
type session struct {
	Visitor
	seat  *seat           // nil in the lobby
	away  bool            // has no socket now
	early map[string]bool // sessions of seats that this lobby session has a link with
	told  view            // the newest state it knows
	sees  bool            // it is told of the people inside
	relay bool            // it may use the relay
	hub   bool            // it has spoken to the hub from its seat
	reach signal.Reach    // whether it reaches the hub, as it said
	why   signal.ReachWhy // why not

	returned bool        // it was there before a restart, and may join once more
	rebuild  signal.Role // what it was then, if a forgotten seat of it may be made again
}

// seat is a place in the room or in the waiting room.
type seat struct {
	signal.Seat
	since      time.Time // when it lost its session or socket; zero while somebody is there
	closed     bool      // the client went away by itself, and not because its network did
	yielding   bool      // whoever wants a seat in a full room may have this one now
	re         uint64    // the join that it came with
	generation uint32    // of its tokens
	address    netip.Prefix
	chats      []*signal.Chat // the newest ones, against doubling
	reacted    time.Time      // until when its reactions are used up

	off     bool      // has been gone for too long to count for the topology, or by itself
	fresh   bool      // made the room more than two, and goes if there is no way to the hub for all
	moved   uint64    // the epoch of the switch that it has moved in
	due     time.Time // when it has to have moved
	probeBy time.Time // when it has to have said whether it reaches the hub
}

func (s *seat) isWaiting() bool { return s.State == signal.SeatWaiting }

// inside reports whether the session sits in the room itself.
func (s *session) inside() bool { return s.seat != nil && !s.seat.isWaiting() }

// hosting reports whether the session sits in the room as a host.
func (s *session) hosting() bool { return s.inside() && s.seat.Role == signal.RoleHost }

// Effect is something that the owner has to do. Exactly one of Message, End, Probe, Relay and Hub is set.
type Effect struct {
	// Session is whom it concerns.
	Session string
	// Message is to be sent to the session; it is the receiver's own copy.
	Message signal.Message
	// End says goodbye to the session. The room has forgotten it already.
	End *signal.Bye
	// Probe asks the owner to ping the session and to call Answered when it replies.
	Probe bool
	// Relay says that the session's right to use the relay changed.
	Relay *bool
	// Hub is a message of the session to the hub.
	Hub *ToHub
}

// ToHub is a link message to the hub.
type ToHub struct {
	// Message is an Offer, Candidate, EndOfCandidates, Renegotiate or CloseLink.
	Message signal.Relayed
	// Seat is the seat that the session holds.
	Seat string
	// Listens is true when nothing is to be taken from it.
	Listens bool
}

// New returns a room that does not exist yet: somebody has to join it first.
func New(cfg Config, tokens Tokens) *Room {
	cfg.Seats = cmp.Or(cfg.Seats, DefaultSeats)
	cfg.Grace = cmp.Or(cfg.Grace, DefaultGrace)
	cfg.Sessions = cmp.Or(cfg.Sessions, DefaultSessions)
	cfg.Players = cmp.Or(cfg.Players, DefaultPlayers)
	cfg.History = cmp.Or(cfg.History, signal.HistorySession)
	cfg.Topology = cmp.Or(cfg.Topology, signal.PolicyAuto)
	if !cfg.Saves {
		cfg.History = signal.HistoryNone
	}
	return &Room{cfg: cfg, tokens: tokens, history: cfg.History, course: newCourse(cfg.Topology)}
}

// Effects returns what has to be done since the last call, in order.
func (r *Room) Effects() []Effect {
	e := r.effects
	r.effects = nil
	return e
}

// Touched reports whether the snapshot may be another one than at the last call.
func (r *Room) Touched() bool {
	t := r.touched
	r.touched = false
	return t
}

// Exists reports whether somebody has a seat in the room.
func (r *Room) Exists() bool { return r.exists }

// Forget reports whether nothing would be lost by dropping the room now, and otherwise, for a room that has ended and
// holds nobody, when its policy has been kept long enough (zero while somebody is there).
func (r *Room) Forget(now time.Time) (forget bool, until time.Time) {
	if r.exists || len(r.sessions) > 0 {
		return false, time.Time{}
	}
	if r.locked || r.waiting || r.encrypted || r.course.Policy != r.cfg.Topology {
		until = r.ended.Add(Memory)
	}
	for _, x := range r.removed {
		until = later(until, x.Until)
	}
	if r.history == signal.HistoryForever {
		until = later(until, r.ended.Add(forEver))
	}
	return !now.Before(until), until
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Attach lets a session into the lobby. It returns the room as the session sees it and whether it may use the relay.
func (r *Room) Attach(now time.Time, v Visitor) (state signal.RoomState, relay bool, fault *signal.Error) {
	if !v.Host && r.guests() >= r.cfg.Sessions && !r.clearLobby(v.Address) {
		return signal.RoomState{}, false, &signal.Error{Code: signal.CodeBusy, Words: "too many people stand in front of this room; try again in a minute"}
	}
	r.forgive(now)
	s := &session{Visitor: v}
	r.sessions = append(r.sessions, s)
	s.told, s.sees, s.relay = r.view(s), r.maySee(s), r.mayRelay(s)
	return r.state(s), s.relay, nil
}

// guests counts the sessions of those who are not hosts.
func (r *Room) guests() (n int) {
	for _, s := range r.sessions {
		if !s.Host {
			n++
		}
	}
	return n
}

// find returns the session with that id, or nil.
func (r *Room) find(id string) *session {
	for _, s := range r.sessions {
		if s.ID == id {
			return s
		}
	}
	return nil
}

func (r *Room) findSeat(id string) *seat {
	for _, s := range r.seats {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// taken counts the seats in the room itself, and those of them whose person is here.
func (r *Room) taken() (all, present int) {
	for _, s := range r.seats {
		switch s.State {
		case signal.SeatPresent:
			all++
			present++
		case signal.SeatAway:
			all++
		}
	}
	return all, present
}

func (r *Room) send(to *session, m signal.Message) {
	r.effects = append(r.effects, Effect{Session: to.ID, Message: m})
}

// refuse answers message re.
func (r *Room) refuse(to *session, re uint64, code signal.Code, words string) {
	r.send(to, &signal.Error{Re: re, Code: code, Words: words})
}

// SeatOf returns the id of the session's seat, "" in the lobby.
func (r *Room) SeatOf(id string) string {
	if s := r.find(id); s != nil && s.seat != nil {
		return s.seat.ID
	}
	return ""
}

// NameOf returns the name on the session's seat, "" in the lobby.
func (r *Room) NameOf(id string) string {
	if s := r.find(id); s != nil && s.seat != nil {
		return s.seat.Name
	}
	return ""
}

// RoleOf returns what the session is, or would be on joining.
func (r *Room) RoleOf(id string) signal.Role {
	if s := r.find(id); s != nil {
		return r.role(s)
	}
	return ""
}
