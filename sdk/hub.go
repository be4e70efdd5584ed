package parley

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// tcpAfter is how long a first link with the hub may take before one beside it that may use TCP is tried.
	tcpAfter = 2500 * time.Millisecond
	// hubRetry is the pause after a link with the hub that could not be made; it doubles each time, up to lastHubRetry.
	hubRetry     = 500 * time.Millisecond
	lastHubRetry = 15 * time.Second
)

var errHubClosed = errors.New("the hub closed it")

// hub is what we have to do with the hub: one link carries everything, another one may be about to take its place.
type hub struct {
	main     *trunk
	next     *trunk
	failures int       // attempts since it was up
	mend     time.Time // when to do something about a link that does not carry
	refits   int       // attempts in vain to replace a link that does not fit what is published
	refit    time.Time // before that none is made
	since    time.Time // since when nothing comes; zero while it does
	chosen   bool      // the program said what it shows
	wants    []Want
	shown    time.Time // when that was told last
	showDue  time.Time // when it is to be told; zero for never
	speakers []string
	quality  map[string]Quality // of people, as the hub sees them
	withheld map[string]map[Source]Withheld
	told     map[string]Path // what the user was told, by seat
	past     map[Source]Sent // of links that are gone
}

func newHub() hub {
	return hub{
		quality: make(map[string]Quality), withheld: make(map[string]map[Source]Withheld), told: make(map[string]Path),
		past: make(map[Source]Sent),
	}
}

// keepHub sees to it that there is a link with the hub as long as one is wanted, and none longer.
func (s *state) keepHub() {
	h := &s.hub
	if s.me == "" || !s.usesHub() {
		s.leaveHub(s.me != "")
		return
	}
	s.endProbe() // the link itself tells
	if h.main == nil && !s.now.Before(h.mend) && s.session.online() {
		h.main = s.newTrunk(transports{tcp: h.failures > 0}, false)
		s.planHub()
	}
	for _, t := range []*trunk{h.main, h.next} {
		if t != nil {
			s.admitTrunk(t)
		}
	}
	s.furnishHub()
}

// leaveHub closes every link with the hub that carries anything.
func (s *state) leaveHub(tell bool) {
	h := &s.hub
	s.shutTrunk(h.next, tell)
	s.shutTrunk(h.main, tell)
	h.failures, h.mend, h.since, h.showDue = 0, time.Time{}, time.Time{}, time.Time{}
	h.refits, h.refit = 0, time.Time{}
	clear(h.quality)
	clear(h.withheld)
	clear(h.told)
	s.speak(nil)
}

// planHub sets when the newest attempt counts as failed.
func (s *state) planHub() {
	h := &s.hub
	wait := tcpAfter
	if h.failures > 0 {
		wait = min(lastHubRetry, hubRetry<<min(h.failures, 10)) + 2*time.Second
	}
	if h.main == nil { // it could not even be begun
		wait = min(lastHubRetry, hubRetry<<min(h.failures, 10))
	}
	h.failures++
	h.mend = s.now.Add(wait + time.Duration(rand.Int64N(int64(wait/5)))) // jitter
}

// hubDue is when something has to be done about the links with the hub.
func (s *state) hubDue() time.Time {
	h := &s.hub
	var at time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	sooner(h.showDue)
	if s.me == "" || !s.usesHub() {
		return at
	}
	if h.main == nil || !h.main.up {
		sooner(h.mend)
	} else {
		sooner(h.refit)
	}
	for _, t := range []*trunk{h.main, h.next} {
		if t != nil && t.ever {
			sooner(t.pulse.sent.Add(beatEach))
			if t.up {
				sooner(t.pulse.due())
			}
		}
	}
	if at.IsZero() {
		return at
	}
	return later(at, s.now.Add(shortest))
}

// tendHub looks after the links with the hub.
func (s *state) tendHub() {
	h := &s.hub
	if !h.showDue.IsZero() && !s.now.Before(h.showDue) {
		s.furnishHub()
	}
	if s.me == "" || !s.usesHub() {
		return
	}
	for _, t := range []*trunk{h.main, h.next} {
		if t == nil || !t.ever {
			continue
		}
		t.throb(s.now)
		switch stalled := t.pulse.stalled(s.now); {
		case t.up && stalled:
			s.trunkStalled(t)
		case !t.up && !stalled && t.pulse.last().After(t.stopped) && t.pc.ConnectionState() == webrtc.PeerConnectionStateConnected:
			s.trunkFlows(t)
		}
	}
	if (h.main == nil || !h.main.up) && !s.now.Before(h.mend) {
		s.mendHub()
	}
	if h.main != nil && h.main.up && !h.refit.IsZero() && !s.now.Before(h.refit) {
		h.refit = time.Time{}
		s.refit()
	}
}

// mendHub tries to bring the way to the hub back: an ICE restart first, then another link beside the one that is dead,
// again and again.
func (s *state) mendHub() {
	h, n := &s.hub, &s.session
	if !n.lively(s.now) { // an offer might go down a dead path
		h.mend = s.now.Add(50 * time.Millisecond)
		if n.online() && s.now.Sub(n.heard) >= doubtful {
			s.suspect()
		}
		return
	}
	if h.main == nil {
		s.keepHub()
		return
	}
	if h.main.ever && h.failures == 0 && !h.main.asked {
		s.reportTrunk(h.main, signal.ReportEvent{Kind: signal.ReportRestart})
		s.offerTrunk(h.main, true)
		s.planHub()
		return
	}
	s.replaceTrunk(transports{tcp: true}, "it does not come up")
	s.planHub()
}

// replaceTrunk makes another link with the hub beside the one there is; it takes over when it is up.
func (s *state) replaceTrunk(how transports, cause string) {
	s.options.Log.Info("the link with the hub is being replaced", "room", s.address.room, "cause", cause)
	s.shutTrunk(s.hub.next, true)
	s.hub.next = s.newTrunk(how, false)
}

// trunkFlows notes that a link with the hub is connected, or again.
func (s *state) trunkFlows(t *trunk) {
	h := &s.hub
	t.up, t.ever = true, true
	if base := s.kit.baseOf(t.pc); base != "" {
		t.base = base
	}
	if t.probe {
		s.reaches(true, "")
		return
	}
	if t == h.next {
		old := h.main
		h.main, h.next = t, nil
		h.refits, h.refit = 0, time.Time{}
		s.reportTrunk(t, signal.ReportEvent{Kind: signal.ReportReplaced})
		s.shutTrunk(old, false) // the hub ends it when this one can carry media
	} else if s.fits(t) { // otherwise the other one is to take over all the same
		s.shutTrunk(h.next, true)
	}
	s.refit()
	if !h.since.IsZero() {
		s.reportTrunk(t, signal.ReportEvent{Kind: signal.ReportRecovered, MS: s.now.Sub(h.since).Milliseconds()})
	}
	h.since, h.failures, h.mend = time.Time{}, 0, time.Time{}
	s.reaches(true, "")
	s.admitTrunk(t)
	s.furnishHub()
	s.lookHub()
	s.stir = true
}

// trunkStalled begins to bring a link with the hub back on which nothing comes any more.
func (s *state) trunkStalled(t *trunk) {
	h := &s.hub
	t.up, t.stopped = false, s.now
	s.admitTrunk(t)
	if t != h.main {
		return
	}
	h.since, h.failures, h.mend = t.pulse.last(), 0, s.now
	s.reportTrunk(t, signal.ReportEvent{Kind: signal.ReportStalled})
	if s.session.online() && s.now.Sub(s.session.heard) >= doubtful {
		s.suspect()
	}
	s.lookHub()
	s.stir = true
}

// failTrunk gives a link with the hub up; another one is made later.
func (s *state) failTrunk(t *trunk, err error) {
	s.options.Log.Info("a link with the hub failed", "room", s.address.room, "err", err)
	if t.probe {
		s.shutTrunk(t, true)
		s.reaches(false, signal.ReachFailed)
		return
	}
	main, next := t == s.hub.main, t == s.hub.next
	if main && s.hub.since.IsZero() {
		s.hub.since = s.now
	}
	s.shutTrunk(t, !errors.Is(err, errHubClosed))
	switch {
	case next && s.hub.main != nil && s.hub.main.up:
		s.planRefit()
	case !main:
	case s.hub.next != nil: // what is to replace it is all there is now
		s.hub.main, s.hub.next = s.hub.next, nil
	case s.usesHub():
		s.planHub()
	}
	s.lookHub()
}

// hubRefused handles the server's no to an offer to the hub; false for everything else.
func (s *state) hubRefused(m *signal.Error) bool {
	for _, t := range []*trunk{s.hub.main, s.hub.next, s.reach.trunk} {
		if t != nil && m.Re != 0 && t.offer == m.Re {
			t.asked = false
			if t.up && t.more { // it goes on as it was
				s.offerTrunk(t, false)
			} else if !t.up {
				s.failTrunk(t, fmt.Errorf("the offer was refused: %s (%s)", m.Words, m.Code))
			}
			return true
		}
	}
	return false
}

// hubRenewed makes the links with the hub anew: it lost its memory with the server's.
func (s *state) hubRenewed() {
	h := &s.hub
	if h.main == nil && h.next == nil {
		return
	}
	if h.since.IsZero() {
		h.since = s.now
	}
	since := h.since
	s.shutTrunk(h.next, false)
	s.shutTrunk(h.main, false)
	h.since, h.failures, h.mend = since, 0, s.now
	h.refits, h.refit = 0, time.Time{}
	s.lookHub()
}

// hubRevived tries at once to bring the way to the hub back, since something changed that lets hope.
func (s *state) hubRevived() {
	if h := &s.hub; h.main != nil && !h.main.up && h.main.ever || h.main == nil && !h.mend.IsZero() {
		h.failures, h.mend = 0, s.now
	}
}

// admitTrunk lets our media flow on a link with the hub, or not.
func (s *state) admitTrunk(t *trunk) {
	for source, list := range t.outlets {
		needed, told := t.needed[source]
		for _, out := range list {
			wanted := !told || slices.Contains(needed, out.rid)
			if out.open(t.up && s.me != "" && s.usesHub() && wanted) {
				s.shows[source].ask(out, true) // the first picture does not wait for its turn
			}
		}
	}
}

// lookHub tells which way media takes to everybody, as long as that is the hub.
func (s *state) lookHub() {
	if !s.onHub() {
		return
	}
	path := s.hubPath()
	for _, p := range s.list() {
		if !p.Me && p.State != signal.SeatWaiting && s.hub.told[p.ID] != path {
			s.hub.told[p.ID] = path
			s.emit(PathChanged{Person: p, Path: path})
		}
	}
	if t := s.hub.main; t != nil && path.Kind != PathConnecting && t.path.Kind != path.Kind {
		t.path = path
		s.reportTrunk(t, signal.ReportEvent{Kind: signal.ReportPathChanged, Path: &signal.ReportPath{Kind: signal.PathKind(path.Kind)}})
	}
}

// hubPath is the way to the hub.
func (s *state) hubPath() Path {
	t := s.hub.main
	switch {
	case t == nil && s.hub.since.IsZero(), t != nil && !t.ever && s.hub.since.IsZero():
		return Path{Kind: PathConnecting}
	case t == nil || !t.up:
		return Path{Kind: PathLost}
	}
	path := Path{Kind: PathHub, Server: s.address.host}
	if pair, err := t.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair(); err == nil && pair != nil && pair.Local != nil && pair.Remote != nil {
		path.Local, path.Remote = describe(pair.Local), describe(pair.Remote)
		switch {
		case pair.Local.Typ == webrtc.ICECandidateTypeRelay:
			path.Protocol = relayProtocol(pair.Local)
		case pair.Local.Protocol == webrtc.ICEProtocolTCP:
			path.Protocol = "tcp"
		}
	}
	return path
}
