package parley

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// overlap is how long a replaced link is kept: what is under way on it still arrives.
	overlap = 3 * time.Second
	// besidePatience is how long a link beside the main one may take to connect.
	besidePatience = 12 * time.Second
	// spareAfter is how long the main link is up before a spare one is made, spareRetry how long after one failed; it
	// doubles each time, up to lastSpareRetry.
	spareAfter     = 2 * time.Second
	spareRetry     = 5 * time.Second
	lastSpareRetry = 5 * time.Minute
	// seekAfter is how long a main link that was direct is relayed before a direct way is looked for; it doubles each time.
	seekAfter = 8 * time.Second
)

// bond is everything between us and one other session: the main link, which state.links knows, and what is beside it.
// Media leaves by one link at a time and is taken from all of them.
type bond struct {
	active  *link // media of ours leaves by it
	next    *link // it will replace the main link
	spare   *link // connected and idle
	old     *link // replaced; it ends soon
	until   time.Time
	past    map[Source]Sent // of links that are gone
	told    Path            // what the user was told
	quality meterOf         // how well media comes through

	open     bool      // both sides have seats: media may flow
	since    time.Time // when media stopped; zero while it flows
	failures int       // attempts to bring it back since then
	again    time.Time // when a spare may be made
	spares   int       // spares that failed in a row
	direct   bool      // the main link was direct once
	seek     time.Time // when to look for a direct way again; zero while there is one, or never was
	sought   int       // how often that was done in vain
}

func newBond() *bond {
	return &bond{
		past: make(map[Source]Sent), told: Path{Kind: PathConnecting},
	}
}

// each returns every link with a peer, the main one first.
func (l *link) each() []*link {
	list := []*link{l}
	for _, x := range []*link{l.bond.next, l.bond.spare, l.bond.old} {
		if x != nil {
			list = append(list, x)
		}
	}
	return list
}

// offers makes a link with all media sections and offers it.
func (s *state) offers(peer string, b *bond, kind signal.LinkKind, how transports) (*link, error) {
	l, err := s.connect(peer, rand.Text(), b, kind, how)
	if err != nil {
		return nil, err
	}
	l.mine = true
	for _, source := range Sources() {
		if err := l.carry(s, source); err != nil {
			s.shut(l, false)
			return nil, err
		}
	}
	return l, nil
}

// replace makes a new link beside the main one; it takes over when it is connected.
func (s *state) replace(main *link, how transports, cause string) {
	b := main.bond
	if b.next != nil {
		s.shut(b.next, true)
	}
	next, err := s.offers(main.peer, b, "", how)
	if err != nil {
		s.trouble(fmt.Errorf("parley: no new link: %w", err))
		return
	}
	b.next = next
	s.options.Log.Info("a link is being replaced", "room", s.address.room, "cause", cause)
	s.propose(next, false)
}

// promote lets a link that connected take the main one's place.
func (s *state) promote(next *link) {
	main := s.links[next.peer]
	b := next.bond
	if b.old != nil {
		s.shut(b.old, b.old.mine)
	}
	b.next, b.old, b.until = nil, main, s.now.Add(overlap)
	s.links[next.peer] = next
	s.note(next, signal.ReportReplaced, 0)
	if !main.up { // nothing is under way on it
		s.shut(main, main.mine)
	}
}

// choose decides by which link media leaves: the main one if it lives, else one that does.
func (s *state) choose(main *link) {
	b := main.bond
	best := b.active
	for _, l := range []*link{b.old, b.spare, main} {
		if l != nil && l.up {
			best = l
		}
	}
	if best == nil || best.gone {
		best = main
	}
	if best == b.active {
		return
	}
	moved := b.active != nil
	s.options.Log.Info("media moves to another link", "room", s.address.room, "link", best.id, "kind", best.kind, "up", best.up)
	if b.active != nil {
		b.active.admit(s, false)
	}
	b.active = best
	best.admit(s, b.open)
	if moved && best.up {
		best.say(`{"type":"here"}`)
	}
	s.stir = true
	s.look(main)
}

// admit lets our media flow on a link, or not. On one that is not up nothing flows: what is written then waits below us.
func (l *link) admit(s *state, open bool) {
	for source, out := range l.outlets {
		out.open(open && l.up)
		if open && l.up {
			s.shows[source].refresh(true) // the first picture does not wait for its turn
		}
	}
}

// say sends a control message, or reports false. What cannot be sent now is of no use later. In an encrypted room nothing
// is said on a link whose other end may not be who it seems.
func (l *link) say(message string) bool { return l.trusted.Load() && l.tell(message) }

// tell is say for what is sealed itself.
func (l *link) tell(message string) bool {
	return l.control.ReadyState() == webrtc.DataChannelStateOpen && l.control.BufferedAmount() < maxControl &&
		l.control.SendText(message) == nil
}

// keepSpare makes a second transport when the first one is up and a different way is there.
func (s *state) keepSpare(main *link) {
	b := main.bond
	switch {
	case b.spare != nil && (main.mine || b.spare.mine || s.kit.second(main) == ""):
		if !b.spare.up && b.spare.mine && s.now.Sub(b.spare.began) > besidePatience {
			s.spareFailed(main)
		}
		return
	case !main.up || !b.open || s.options.Single || b.next != nil || !s.session.lively(s.now):
		return
	case !main.mine && s.kit.second(main) == "": // it is the other side's, unless we alone have another uplink
		return
	case b.again.IsZero():
		b.again = s.now.Add(spareAfter)
	}
	if s.now.Before(b.again) {
		return
	}
	how, ok := s.kit.other(main, s.session.ice)
	if !ok {
		b.again = s.now.Add(lastSpareRetry)
		return
	}
	if b.spare != nil { // theirs, which uses the same uplink of ours as the main link does
		s.shut(b.spare, true)
	}
	spare, err := s.offers(main.peer, b, signal.LinkSpare, how)
	if err != nil {
		s.trouble(fmt.Errorf("parley: no spare link: %w", err))
		b.again = s.now.Add(lastSpareRetry)
		return
	}
	b.spare = spare
	s.propose(spare, false)
}

// seekDirect looks for a direct way again, when the main one is relayed only because of a fault that may be over: by a
// link that takes its place.
func (s *state) seekDirect(main *link) {
	b := main.bond
	path := s.pathOf(main)
	switch {
	case !main.up || !main.mine || !b.open || b.next != nil || s.options.Relay || s.kit.only != "":
	case path.Kind == PathDirect:
		b.direct, b.seek, b.sought = true, time.Time{}, 0
	case !b.direct:
	case b.seek.IsZero():
		b.seek = s.now.Add(min(lastSpareRetry, seekAfter<<min(b.sought, 10)))
	case !s.now.Before(b.seek) && s.session.lively(s.now):
		b.seek = time.Time{}
		b.sought++
		s.replace(main, transports{}, "there may be a direct way again")
	}
}

// spareFailed closes a spare link that did not connect, or died; another one is made later.
func (s *state) spareFailed(main *link) {
	b := main.bond
	b.again = s.now.Add(min(lastSpareRetry, spareRetry<<min(b.spares, 10)))
	b.spares++
	s.shut(b.spare, true)
}

// shut closes one link, with the bond if it was the last one. tell says so to the other side.
func (s *state) shut(l *link, tell bool) {
	if l.gone {
		return
	}
	l.gone, l.up = true, false
	s.untrust(l.peer, l.id, l.gate)
	s.reports.forget(l)
	b := l.bond
	if tell {
		_ = s.send(&signal.CloseLink{Peer: l.address()}) // an overflow has ended the room
	}
	for source, out := range l.outlets {
		s.shows[source].remove(out)
		out.open(false)
		b.past[source] = b.past[source].plus(out.stats())
	}
	for _, place := range []**link{&b.next, &b.spare, &b.old} {
		if *place == l {
			*place = nil
		}
	}
	log := s.options.Log.With("room", s.address.room, "link", l.id)
	s.running.Go(func() { closeTransport(l.pc, l.mine, log) })
	if main := s.links[l.peer]; main != nil && main != l && b.active == l {
		s.choose(main)
	}
}

// closeTransport closes a transport, as far as it lets itself be closed.
func closeTransport(pc *webrtc.PeerConnection, mine bool, log *slog.Logger) {
	if !mine { // below us, two ends that close at the same moment wait for each other
		<-time.After(closeAfter)
	}
	closed := make(chan error, 1)
	go func() { closed <- pc.GracefulClose() }()
	select {
	case err := <-closed:
		if err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) {
			log.Info("a link was not closed cleanly", "err", err)
		}
	case <-time.After(closePatience):
		log.Warn("a link does not close; it is left behind")
	}
}

// drop closes every link with peer. tell says so to the other side, which knows in all other cases. What arrives of it
// ends, unless it comes by the hub as well.
func (s *state) drop(peer string, tell bool) {
	if main := s.links[peer]; main != nil {
		delete(s.links, peer)
		s.dropBulks(peer)
		for _, l := range main.each() {
			s.shut(l, tell)
		}
		s.stir = true
	}
	if !s.byHub(peer) {
		s.forgetTracks(peer)
	}
}

// closed is the other side's end of one link.
func (s *state) closed(l *link) {
	main := s.links[l.peer]
	switch {
	case l != main:
		s.shut(l, false)
	case l.bond.old != nil && l.bond.old.up: // they did not want it in its place
		old := l.bond.old
		l.bond.old = nil
		s.links[l.peer] = old
		s.shut(l, false)
		s.choose(old)
	case l.bond.next != nil: // the replacement is all there is now
		next := l.bond.next
		l.bond.next = nil
		s.links[l.peer] = next
		s.shut(l, false)
		s.choose(next)
	default:
		s.drop(l.peer, false)
		s.lost(l)
	}
}
