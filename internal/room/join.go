package room

import (
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Join is a join as the shell has checked it.
type Join struct {
	*signal.Join
	// Claim is what its seat token says, nil without a good one.
	Claim *Claim
	// ID is the identifier for a new seat, unguessable and never used again.
	ID string
	// Busy is true when the session's address may not make another room now.
	Busy bool
}

// Claim is an authentic claim to a seat.
type Claim struct {
	// Seat is the seat's id.
	Seat string
	// Generation is that of the token; a seat whose tokens were revoked is at a later one.
	Generation uint32
}

// probe waits for the holder of a claimed seat to show that it is alive.
type probe struct {
	holder, claimer string // sessions
	join            Join
	deadline        time.Time
}

// Join seats the session, puts it into the waiting room or refuses it.
func (r *Room) Join(now time.Time, id string, j Join) {
	s := r.find(id)
	if s == nil {
		return
	}
	r.forgive(now)
	r.presume(now)
	r.join(now, s, j)
	r.settle(now)
}

func (r *Room) join(now time.Time, s *session, j Join) {
	if r.joinAgain(now, s, j) {
		return
	}
	if code, words := r.unsealed(s, j.Identity); code != "" {
		r.refuse(s, j.N, code, words)
		return
	}
	if s.seat != nil || slices.ContainsFunc(r.probes, func(p probe) bool { return p.claimer == s.ID }) {
		r.refuse(s, j.N, signal.CodeOrder, "you have joined already; leave first")
		return
	}
	x := r.claimed(s, j)
	if x == nil {
		r.takeNew(now, s, j)
		return
	}
	if holder := r.find(x.Session); holder != nil && !holder.away {
		// A reloaded page lets go of its socket first, so this is either a duplicated tab, which must not steal the seat,
		// or a socket whose end we have not noticed. Only the holder can tell.
		r.probes = append(r.probes, probe{holder: holder.ID, claimer: s.ID, join: j, deadline: now.Add(ProbeTimeout)})
		r.effects = append(r.effects, Effect{Session: holder.ID, Probe: true})
		return
	}
	r.takeAgain(now, s, x, j)
}

// claimed returns the seat that the join's token is good for, or nil.
func (r *Room) claimed(s *session, j Join) *seat {
	if j.Claim == nil {
		return nil
	}
	for _, x := range r.removed {
		if x.Seat == j.Claim.Seat {
			s.Was = x.Seat // the removal sticks to whoever shows its token
		}
	}
	x := r.findSeat(j.Claim.Seat)
	if x == nil || x.generation != j.Claim.Generation {
		return nil
	}
	return x
}

// Answered says that a probed session is alive: who claimed its seat gets another one.
func (r *Room) Answered(now time.Time, holder string) {
	r.presume(now)
	for _, p := range r.cutProbes(func(p probe) bool { return p.holder == holder }) {
		if s := r.find(p.claimer); s != nil {
			r.takeNew(now, s, p.join)
		}
	}
	r.settle(now)
}

// unanswered gives the claimers of a dead session's seat what they claim.
func (r *Room) unanswered(now time.Time, match func(probe) bool) {
	for _, p := range r.cutProbes(match) {
		s := r.find(p.claimer)
		if s == nil {
			continue
		}
		if x := r.claimed(s, p.join); x != nil && x.Session == p.holder {
			r.takeAgain(now, s, x, p.join)
		} else {
			r.join(now, s, p.join) // somebody else was quicker
		}
	}
}

func (r *Room) cutProbes(match func(probe) bool) (cut []probe) {
	var rest []probe
	for _, p := range r.probes {
		if match(p) {
			cut = append(cut, p)
		} else {
			rest = append(rest, p)
		}
	}
	r.probes = rest
	return cut
}

// takeAgain moves the seat x to the session s: a reload.
func (r *Room) takeAgain(now time.Time, s *session, x *seat, j Join) {
	if old := r.find(x.Session); old != nil {
		old.seat = nil
		r.end(old, &signal.Bye{Reason: signal.ByeReplaced, Words: "this place in the call went on in another window"})
	}
	r.lose(x)
	x.Session, x.Name, x.address, x.Identity = s.ID, j.Name, s.Address, j.Identity
	x.since, x.closed, x.re, x.moved = time.Time{}, false, j.N, 0
	if s.Host {
		x.Role = signal.RoleHost
	}
	x.setMedia(j.Media)
	if s.reach != "" {
		x.Hub, x.HubWhy = s.reach, s.why
	}
	s.seat = x
	if s.away {
		x.since = now
	}
	if x.isWaiting() {
		r.tellWaiting(s, x)
		return
	}
	r.sitDown(now, s, x, j.N)
}

// takeNew gives s a new seat, or says why not.
func (r *Room) takeNew(now time.Time, s *session, j Join) {
	if code, words := r.refusal(s, j.Busy); code != "" {
		r.refuse(s, j.N, code, words)
		return
	}
	x := &seat{Seat: signal.Seat{ID: j.ID, Name: j.Name, Role: r.role(s), Session: s.ID, Identity: j.Identity, Door: s.Door}, address: s.Address, re: j.N}
	if j.Listen && x.Role == signal.RoleSpeaker {
		x.Role = signal.RoleListener
	}
	x.setMedia(j.Media)
	if r.exists && r.waiting && !s.trusted() {
		x.State, x.Note = signal.SeatWaiting, j.Note
		r.place(now, s, x)
		r.tellWaiting(s, x)
		return
	}
	if !r.exists {
		r.encrypted = j.Identity != ""
		r.begin(now, s)
	} else if code, words := r.space(now, s); code != "" {
		r.refuse(s, j.N, code, words)
		return
	}
	r.place(now, s, x)
	r.sitDown(now, s, x, j.N)
}

// refusal says why s may not have a new seat, fullness aside. Somebody else may lose a place in the waiting room to s.
func (r *Room) refusal(s *session, busy bool) (signal.Code, string) {
	switch {
	case r.isRemoved(s):
		return signal.CodeRemoved, "a host removed you from this room; you cannot come back for now"
	case !r.exists && !s.Open && !s.trusted():
		return signal.CodeNoRoom, "this room is not open; wait until its host is there, or ask for a new link"
	case !r.exists && busy:
		return signal.CodeBusy, "too many rooms were made from your address; try again later"
	case r.exists && r.locked && !s.trusted():
		return signal.CodeLocked, "the host locked this room; ask them to unlock it"
	case r.exists && r.waiting && !s.trusted() && r.waitingCount() >= maxWaiting && !r.clearWaiting(s.Address):
		return signal.CodeBusy, "too many people are waiting already; try again in a minute"
	case s.Door != "":
		return r.unfit(&s.Visitor)
	}
	return "", ""
}

func (r *Room) waitingCount() (n int) {
	for _, x := range r.seats {
		if x.isWaiting() {
			n++
		}
	}
	return n
}

// begin makes the room exist. Its policy of last time is for its hosts; whoever makes it anew in open mode starts afresh.
func (r *Room) begin(now time.Time, s *session) {
	r.exists, r.changed, r.began, r.rebuilt = true, true, now, false
	r.events = append(r.events, Event{Kind: EventBegan})
	if !s.trusted() {
		r.locked, r.waiting, r.words, r.removed = false, false, "", nil
		r.course.Policy = r.cfg.Topology
	}
	if r.cfg.Hub && r.course.Policy == signal.PolicyHub {
		r.turn(signal.TopologyHub)
	}
}

// place adds a new seat to the room or to the waiting room.
func (r *Room) place(now time.Time, s *session, x *seat) {
	r.order++
	x.Order = r.order
	if s.away {
		x.since = now // joined, and lost the connection while a probe ran
	}
	r.seats = append(r.seats, x)
	s.seat = x
}

// sitDown answers a join with the seat and tells the others.
func (r *Room) sitDown(now time.Time, s *session, x *seat, re uint64) {
	was := x.State
	x.State = signal.SeatPresent
	if !x.since.IsZero() {
		x.State = signal.SeatAway
	}
	switch {
	case was == "" || was == signal.SeatWaiting:
		r.enter(now, x)
		r.note(EventJoined, x)
		if x.State == signal.SeatAway {
			r.note(EventAway, x)
		}
	case was == signal.SeatAway && x.State == signal.SeatPresent:
		r.note(EventBack, x)
	}
	r.note(EventHeld, x)
	r.arrive(now, x)
	s.early = nil // from now on they are links like any others
	s.told, s.sees = r.view(s), true
	state := r.state(s)
	if x.Role == signal.RoleHost {
		state.Host = r.tokens.HostSecret(r.cfg.Name, now)
	}
	r.send(s, &signal.Joined{Re: re, Seat: x.ID, Token: r.tokens.SeatToken(r.cfg.Name, x.ID, x.generation), Room: state})
	r.announce(x, s)
}

func (r *Room) tellWaiting(s *session, x *seat) {
	r.send(s, r.waits(x))
	r.announce(x, s)
}

func (r *Room) waits(x *seat) *signal.Waiting {
	return &signal.Waiting{Re: x.re, Token: r.tokens.SeatToken(r.cfg.Name, x.ID, x.generation), Words: r.words}
}

// patience is how long a seat whose network was lost is safe from newcomers: a call goes on while its signalling is
// being cut and resumed, and must not lose its seat to whoever knocks in that moment.
const patience = 20 * time.Second

// yields reports whether the seat may be given to somebody else when the room is full.
func (x *seat) yields(now time.Time) bool {
	return x.State == signal.SeatAway && (x.closed || now.Sub(x.since) >= patience)
}

// yield makes room for one more, if need be by taking the seat of whoever has been away for longest.
func (r *Room) yield(now time.Time, limit int) bool {
	all, _ := r.taken()
	if all < limit {
		return true
	}
	var oldest *seat
	for _, x := range r.seats {
		if x.yields(now) && (oldest == nil || x.since.Before(oldest.since)) {
			oldest = x
		}
	}
	if oldest == nil {
		return false
	}
	r.vacate(oldest, signal.LeftExpired)
	return true
}
