package parley

import (
	"maps"
	"math/rand/v2"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// restarts is how often ICE is restarted on a link before another link replaces it.
	restarts = 2
	// answerPatience is how long the answer to an offer is waited for while both sides have a socket. What is below us
	// cannot roll an offer back, so then the link is made anew.
	answerPatience = 2500 * time.Millisecond
	// firstMend is how long an attempt to bring a link back may take before the next; it grows up to lastMend.
	firstMend = 2 * time.Second
	lastMend  = 10 * time.Second
	// shortest is the pause between two looks at the links.
	shortest = 5 * time.Millisecond
	// plainFor is how long a direct link is restarted without the relay, plainMend how long its first attempt may take
	// before a link that may take the relay competes with it.
	plainFor  = 1500 * time.Millisecond
	plainMend = 700 * time.Millisecond
	// staleOffer is the age at which an offer is not worth its answer any more: ICE has given its candidates up.
	staleOffer = 5 * time.Second
	// holdOff is how soon after an attempt the other side may cause another.
	holdOff = time.Second
)

// due is when something has to be done about a link or those beside it.
func (s *state) due(main *link) time.Time {
	var at time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	for _, l := range main.each() {
		sooner(l.nudge.at)
		if l.ever {
			sooner(l.pulse.sent.Add(beatEach))
		}
		if l.up {
			sooner(l.pulse.due())
		}
	}
	if !main.up {
		sooner(main.mend)
	}
	if main.bond.old != nil {
		sooner(main.bond.until)
	}
	if main.bond.next != nil {
		sooner(main.bond.next.began.Add(besidePatience))
	}
	if at.IsZero() {
		return at
	}
	return later(at, s.now.Add(shortest))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tend looks after every link.
func (s *state) tend() {
	for peer, main := range maps.Clone(s.links) {
		for _, l := range main.each() {
			if l.gone { // with one before it
				continue
			}
			l.push(s.now)
			if l.ever {
				l.throb(s.now)
				s.judge(l)
				s.await(l)
			}
		}
		if main = s.links[peer]; main == nil { // another one may have taken its place, or none
			continue
		}
		b := main.bond
		if b.next != nil && s.now.Sub(b.next.began) >= besidePatience {
			s.shut(b.next, b.next.mine)
		}
		if b.old != nil && !s.now.Before(b.until) {
			s.shut(b.old, b.old.mine)
		}
		s.choose(main)
		if !main.up && !main.mend.IsZero() && !s.now.Before(main.mend) {
			s.mend(main)
		}
		s.keepSpare(main)
		s.seekDirect(main)
	}
}

// alarm makes us listen more closely: signalling broke, and the links may have broken with it.
func (s *state) alarm() {
	for _, main := range s.links {
		for _, l := range main.each() {
			l.pulse.alarm = s.now
		}
	}
}

// judge notes that a link stopped carrying anything, or carries again.
func (s *state) judge(l *link) {
	stalled := l.pulse.stalled(s.now)
	switch {
	case l.up && stalled:
		s.stalled(l)
	case !l.up && !stalled && l.pulse.beats.Load() && l.pulse.last().After(l.stopped) &&
		l.pc.ConnectionState() == webrtc.PeerConnectionStateConnected:
		s.flows(l)
	}
}

// stalled begins to bring a link back on which nothing comes any more.
func (s *state) stalled(l *link) {
	main := s.links[l.peer]
	l.up, l.stopped, l.hope = false, s.now, s.now
	l.admit(s, false)
	b := l.bond
	switch l {
	case main:
		if b.since.IsZero() {
			b.since, b.failures = l.pulse.last(), 0
		}
		l.mend = s.now
		s.note(l, signal.ReportStalled, 0)
		if s.session.online() && s.now.Sub(s.session.heard) >= doubtful {
			s.suspect()
		}
	case b.spare:
		if l.mine && main.up {
			s.spareFailed(main)
		}
	}
	s.choose(main)
	s.look(main)
}

// flows notes that a link is connected, or again.
func (s *state) flows(l *link) {
	main := s.links[l.peer]
	b := l.bond
	l.up, l.ever, l.mend = true, true, time.Time{}
	if l == b.next {
		s.promote(l)
		main = l
	}
	if l == b.spare {
		b.spares = 0
		s.options.Log.Info("a spare link is up", "room", s.address.room, "link", l.id, "path", s.pathOf(l), "from", s.kit.base(l))
	}
	if b.active == l && b.open {
		l.admit(s, true)
	}
	if l == main {
		if !b.since.IsZero() {
			s.note(l, signal.ReportRecovered, s.now.Sub(b.since))
		}
		b.since, b.failures = time.Time{}, 0
		if b.next != nil && b.next.mine {
			s.shut(b.next, true)
		}
	}
	s.choose(main)
	s.look(main)
	s.stir = true
}

// mend tries to bring a broken link back: ICE restarts first, then a new link beside it, at last one over the relay and
// TLS only. It is tried again until a link is up or dropped.
func (s *state) mend(l *link) {
	n, b := &s.session, l.bond
	if !n.lively(s.now) { // an offer might go down a dead path, and candidates of now be useless later
		l.mend = s.now.Add(50 * time.Millisecond)
		if n.online() && s.now.Sub(n.heard) >= doubtful {
			s.suspect()
		}
		return
	}
	if seat := s.holder(l.peer); seat != nil && seat.State == signal.SeatAway {
		l.mend = s.now.Add(lastMend) // they would get it when they are back, and then a newer one is better: seatChanged
		return
	}
	wait := s.patienceWith(l)
	wait += time.Duration(rand.Int64N(int64(wait / 5))) // jitter
	l.mend = s.now.Add(wait)
	attempt := b.failures
	b.failures++
	if !l.mine {
		_ = s.send(&signal.Renegotiate{Peer: l.address(), Restart: true}) // an overflow has ended the room
		s.note(l, signal.ReportRestart, 0)
		return
	}
	unanswered := l.pc.SignalingState() != webrtc.SignalingStateStable
	if unanswered && s.now.Sub(l.offered) < answerPatience && attempt < restarts {
		l.mend = l.offered.Add(answerPatience)
		b.failures--
		return
	}
	switch {
	case attempt == 1 && !unanswered && s.plain(l) && b.next == nil:
		s.replace(l, transports{hasty: true}, "the direct way does not come back")
	case unanswered || attempt >= restarts:
		how := transports{}
		if attempt > restarts && attempt%2 == 1 {
			how = s.kit.last(n.ice)
		}
		s.replace(l, how, "restarts did not help")
	case n.ice == nil || attempt > 0 || time.UnixMilli(n.ice.Expires).Sub(s.now) < time.Minute:
		l.stale = true
		_ = s.send(&signal.ICEServersAsk{}) // an overflow has ended the room
	default:
		s.restart(l)
	}
}

// patienceWith is how long the attempt of now to bring a link back may take.
func (s *state) patienceWith(l *link) time.Duration {
	if l.bond.failures == 0 && s.plain(l) {
		return plainMend + 2*l.trip()
	}
	return min(lastMend, firstMend+time.Duration(l.bond.failures)*time.Second) + 4*l.trip()
}

// plain reports whether a link was direct, so that it is restarted without the relay first.
func (s *state) plain(l *link) bool {
	return l.path.Kind == PathDirect && len(l.how.over) == 0 && !l.how.relay
}

// restart begins ICE anew on a link.
func (s *state) restart(l *link) {
	l.stale = false
	s.equip(l)
	s.note(l, signal.ReportRestart, 0)
	s.propose(l, true)
}

// equip chooses the servers for the next ICE restart of a link. One that was direct tries without the relay first: below
// us every check from a relayed address waits for a permission, and all others wait with it.
func (s *state) equip(l *link) {
	how := l.how
	if s.now.Sub(l.hope) > staleOffer { // the other side begins
		l.hope = s.now
	}
	if s.now.Sub(l.hope) < plainFor && s.plain(l) {
		how.over = []string{"stun"}
	}
	if err := l.pc.SetConfiguration(s.kit.configuration(s.session.ice, how)); err != nil {
		s.options.Log.Warn("ICE servers were not taken", "room", s.address.room, "err", err)
	}
}

// trip is the round-trip time to the other side, as far as it is known.
func (l *link) trip() time.Duration { return time.Duration(l.pulse.trip.Load()) }

// way is the round trip without the waits of beats behind lost ones, which sound and pictures do not share.
func (l *link) way() time.Duration { return time.Duration(l.pulse.least.Load()) }

// again makes a further offer because the other side asked for one.
func (s *state) again(l *link, restart bool) {
	switch {
	case !l.mine:
	case s.now.Sub(l.offered) < holdOff:
		if restart && !l.up {
			l.mend = l.offered.Add(holdOff)
		}
	case !restart:
		if l.pc.SignalingState() == webrtc.SignalingStateStable {
			s.propose(l, false)
		}
	case l.bond.next != nil && l.bond.next.mine && s.now.Sub(l.bond.next.began) < firstMend: // it is being helped already
	case l != s.links[l.peer]: // what is beside the main link is not mended
		s.shut(l, true)
	case l.pc.SignalingState() != webrtc.SignalingStateStable && !l.up: // they may have our offer by now
		l.mend = s.now.Add(holdOff)
	case !l.stale:
		if l.up { // they hear nothing of us; we need not have noticed yet
			s.stalled(l)
		}
		s.mend(l)
	}
}

// refreshed goes on with the restarts that waited for fresh servers.
func (s *state) refreshed() {
	for _, l := range s.links {
		if l.stale && l.pc.SignalingState() == webrtc.SignalingStateStable {
			s.restart(l)
		}
	}
}

// reconnected looks after the links when the server can be reached again.
func (s *state) reconnected() {
	for _, l := range s.links {
		s.revive(l)
	}
}

// revive tries at once to bring a link back, since something changed that lets hope.
func (s *state) revive(l *link) {
	if l.up || !l.ever {
		return
	}
	l.bond.failures = 0
	l.mend, l.hope = s.now, s.now
	if l.pc.SignalingState() != webrtc.SignalingStateStable {
		l.mend = s.now.Add(holdOff) // the answer may be on its way
	}
}
