package room

import (
	"net/netip"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// command obeys a message that only hosts may send.
func (r *Room) command(now time.Time, s *session, m signal.Message) {
	n := m.Head().N
	switch {
	case !s.inside():
		r.refuse(s, n, signal.CodeOrder, "join first")
		return
	case !s.hosting():
		r.refuse(s, n, signal.CodeForbidden, "only a host may do that")
		return
	}
	switch m := m.(type) {
	case *signal.Lock:
		r.changed = r.changed || r.locked != m.On
		r.locked = m.On
		if m.On {
			r.dismiss(strangers, signal.Bye{Reason: signal.ByeRemoved, Words: "the host locked the room"})
		}
	case *signal.WaitingRoom:
		r.waitingRoom(now, m)
	case *signal.KeepHistory:
		r.keepHistory(s, m)
	case *signal.Admit:
		r.admitOne(now, s, m)
	case *signal.Mute:
		r.mute(s, m)
	case *signal.Remove:
		r.remove(now, s, m)
	case *signal.Encrypt:
		r.encrypt(s, m)
	case *signal.SetTopology:
		r.setTopology(s, m)
	case *signal.MuteAll:
		r.muteAll(s, m)
	case *signal.SetRole:
		r.setRole(s, m)
	case *signal.Invite:
		r.invite(s, m)
	}
}

// waitingRoom turns it on or off. Those who wait hear other words at once.
func (r *Room) waitingRoom(now time.Time, m *signal.WaitingRoom) {
	other := r.words != m.Words
	r.changed = r.changed || r.waiting != m.On || other
	r.waiting, r.words = m.On, m.Words
	if !m.On {
		r.admitAll(now)
		return
	}
	for _, x := range r.seats {
		if t := r.find(x.Session); other && x.isWaiting() && t != nil {
			r.send(t, r.waits(x))
		}
	}
}

func (r *Room) admitOne(now time.Time, s *session, m *signal.Admit) {
	x := r.findSeat(m.Seat)
	switch {
	case x == nil || !x.isWaiting():
		r.refuse(s, m.N, signal.CodeNoPeer, "nobody with that seat is waiting")
	default:
		if code, words := r.space(now, r.find(x.Session)); code == signal.CodeFull {
			r.refuse(s, m.N, code, "every seat is taken; somebody has to leave first")
		} else if code != "" {
			r.refuse(s, m.N, code, words)
		} else {
			r.admit(now, x)
		}
	}
}

// admitAll lets everybody in who waits, in order; those who find no seat are told so.
func (r *Room) admitAll(now time.Time) {
	for _, x := range slices.Clone(r.seats) {
		if !x.isWaiting() {
			continue
		}
		t := r.find(x.Session)
		code, words := r.space(now, t)
		if code == "" {
			r.admit(now, x)
			continue
		}
		if t != nil {
			r.refuse(t, x.re, code, words)
		}
		r.vacate(x, signal.LeftLeft)
	}
}

func (r *Room) admit(now time.Time, x *seat) {
	if t := r.find(x.Session); t != nil {
		r.sitDown(now, t, x, x.re)
		return
	}
	x.State = signal.SeatAway // its session is over, its token is good
	r.enter(now, x)
	r.note(EventJoined, x)
	r.announce(x, nil)
}

func (r *Room) mute(s *session, m *signal.Mute) {
	x := r.findSeat(m.Seat)
	if x == nil || x.isWaiting() {
		r.refuse(s, m.N, signal.CodeNoPeer, "nobody in the room has that seat")
		return
	}
	r.silence(s, x, m.Source)
}

// silence turns a source of a seat off, in the name of the host s.
func (r *Room) silence(s *session, x *seat, source signal.Source) {
	on := sourceOf(&x.Media, source)
	if !*on {
		return
	}
	*on = false
	t := r.find(x.Session)
	if t != nil {
		r.send(t, &signal.Muted{By: s.seat.ID, Source: source})
	}
	r.announce(x, t)
}

func sourceOf(m *signal.MediaState, s signal.Source) *bool {
	switch s {
	case signal.SourceMicrophone:
		return &m.Microphone
	case signal.SourceCamera:
		return &m.Camera
	case signal.SourceScreen:
		return &m.Screen
	case signal.SourceScreenAudio:
		return &m.ScreenAudio
	}
	panic("room: the decoder let an unknown source through")
}

func (r *Room) remove(now time.Time, s *session, m *signal.Remove) {
	x := r.findSeat(m.Seat)
	switch {
	case x == nil:
		r.refuse(s, m.N, signal.CodeNoPeer, "nobody here has that seat")
		return
	case x == s.seat:
		r.refuse(s, m.N, signal.CodeOrder, "you cannot remove yourself; leave instead")
		return
	}
	ban := Removal{Seat: x.ID, Session: x.Session, Address: x.address, Until: now.Add(RemovedFor)}
	for _, y := range r.seats {
		if y != x && y.address == x.address {
			ban.Address = netip.Prefix{} // one household: keeping the address out would hit those who may stay
		}
	}
	if len(r.removed) == maxRemoved {
		r.removed = r.removed[1:]
	}
	r.removed = append(r.removed, ban)
	r.vacateFor(x, signal.LeftRemoved, m.Words)
	r.finish(now)
}

// isRemoved says whether s is kept out. Hosts never are.
func (r *Room) isRemoved(s *session) bool {
	if s.Host || s.seat != nil {
		return false
	}
	return slices.ContainsFunc(r.removed, func(x Removal) bool {
		return s.Was != "" && (s.Was == x.Seat || s.Was == x.Session) || x.Address.IsValid() && x.Address == s.Address
	})
}

// forgive forgets removals that are over.
func (r *Room) forgive(now time.Time) {
	n := len(r.removed)
	r.removed = slices.DeleteFunc(r.removed, func(x Removal) bool { return !now.Before(x.Until) })
	r.changed = r.changed || n != len(r.removed)
}
