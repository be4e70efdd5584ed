package parley

import (
	"slices"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// reportEvery is how long an event waits for others, reportSoon how long one that somebody may be looking for now.
	reportEvery = 5 * time.Second
	reportSoon  = 100 * time.Millisecond
	// maxReports is how many events wait for a seat and a socket.
	maxReports = 256
	// maxGathered is how many candidates of one link are told.
	maxGathered = 24
)

// reports collects what this client sees, for the record of the call.
type reports struct {
	waiting []reported
	due     time.Time                          // when to send; zero when nothing waits, or cannot be sent now
	seated  time.Time                          // since when we have a seat
	own     map[*link][]signal.ReportCandidate // gathered so far
	won     map[*link]signal.ReportPair        // the pair that was told last
}

// reported is an event with the session that it concerns, whose seat may not be known yet.
type reported struct {
	signal.ReportEvent
	peer string
}

// report takes down an event that happens now.
func (s *state) report(l *link, e signal.ReportEvent) {
	r := &s.reports
	x := reported{ReportEvent: e}
	x.At = s.now.UnixMilli()
	if l != nil {
		x.Link, x.peer = l.id, l.peer
	}
	if len(r.waiting) >= maxReports {
		r.waiting = slices.Delete(r.waiting, 0, 1)
	}
	r.waiting = append(r.waiting, x)
	wait := reportEvery
	switch e.Kind {
	case signal.ReportPathChanged, signal.ReportRestart, signal.ReportReplaced, signal.ReportRecovered:
		wait = reportSoon
	}
	if at := s.now.Add(wait); r.due.IsZero() || at.Before(r.due) {
		r.due = at
	}
}

// tell sends what waits, as far as it is known whom it concerns.
func (s *state) tell() {
	r := &s.reports
	r.due = time.Time{}
	if s.me == "" || !s.session.online() {
		return // joined and welcome come back to it
	}
	var later []reported
	var events []signal.ReportEvent
	for _, x := range r.waiting {
		if x.peer != "" {
			seat := s.holder(x.peer)
			if seat == nil {
				later = append(later, x)
				continue
			}
			x.Seat = seat.ID
		}
		events = append(events, x.ReportEvent)
	}
	r.waiting = later
	for chunk := range slices.Chunk(events, signal.MaxReport) {
		if s.send(&signal.Report{Events: chunk}) != nil {
			return // an overflow has ended the room
		}
	}
}

// tellDue sends when it is time.
func (s *state) tellDue() {
	if !s.reports.due.IsZero() && !s.now.Before(s.reports.due) {
		s.tell()
	}
}

// reportSwitch takes down a move between the direct path and the hub that was gone through, and the longest hole in it.
func (s *state) reportSwitch(a *moved, gap time.Duration) {
	s.report(nil, signal.ReportEvent{
		Kind: signal.ReportSwitched, MS: a.took.Milliseconds(),
		Switch: &signal.ReportSwitch{From: a.from, To: a.to, Epoch: a.epoch, GapMS: gap.Milliseconds()},
	})
}

// reportCandidate takes down what a link gathers; a nil candidate ends it.
func (s *state) reportCandidate(l *link, c *webrtc.ICECandidate) {
	r := &s.reports
	if r.own == nil {
		r.own, r.won = map[*link][]signal.ReportCandidate{}, map[*link]signal.ReportPair{}
	}
	if c != nil {
		if len(r.own[l]) < maxGathered {
			r.own[l] = append(r.own[l], candidateOf(c, true))
		}
		return
	}
	s.report(l, signal.ReportEvent{Kind: signal.ReportGathered, Candidates: r.own[l]})
	delete(r.own, l)
}

// reportPath takes down the way that media takes, and the pair that carries it.
func (s *state) reportPath(l *link, path Path) {
	s.report(l, signal.ReportEvent{Kind: signal.ReportPathChanged, Path: &signal.ReportPath{
		Kind: signal.PathKind(path.Kind), Protocol: signal.Transport(path.Protocol), Server: path.Server,
	}})
	if path.Kind != PathDirect && path.Kind != PathRelayed {
		return
	}
	pair, err := l.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Local == nil || pair.Remote == nil {
		return
	}
	won := signal.ReportPair{Local: candidateOf(pair.Local, true), Remote: candidateOf(pair.Remote, false), State: signal.PairWon}
	if r := &s.reports; r.won != nil && r.won[l] != won {
		r.won[l] = won
		s.report(l, signal.ReportEvent{Kind: signal.ReportPairTried, Pair: &won})
	}
}

// candidateOf describes a candidate; how a relay is reached is known of our own ones only.
func candidateOf(c *webrtc.ICECandidate, own bool) signal.ReportCandidate {
	out := signal.ReportCandidate{
		Type: signal.CandidateType(c.Typ.String()), Protocol: signal.TransportUDP, Address: endpoint(c.Address, int(c.Port)),
	}
	if c.Protocol == webrtc.ICEProtocolTCP {
		out.Protocol = signal.TransportTCP
	}
	if own && c.Typ == webrtc.ICECandidateTypeRelay {
		out.Relay = signal.Transport(relayProtocol(c))
	}
	return out
}

// reportStep takes down how long after its beginning a link got so far.
func (s *state) reportStep(l *link, kind signal.ReportKind) {
	s.report(l, signal.ReportEvent{Kind: kind, MS: s.now.Sub(l.began).Milliseconds()})
}

// reportFirst takes down the first packet of a track, which is when it arrives.
func (s *state) reportFirst(l *link, source Source) {
	since := s.reports.seated
	if since.IsZero() {
		return
	}
	s.report(l, signal.ReportEvent{Kind: signal.ReportFirstPacket, Source: source, MS: s.now.Sub(since).Milliseconds()})
}

// recordOf reads where the record is.
func recordOf(ref *signal.CallRef) Record {
	if ref == nil {
		return Record{}
	}
	return Record{ID: ref.ID, Token: ref.Token}
}

// forget drops what is kept of a link.
func (r *reports) forget(l *link) {
	delete(r.own, l)
	delete(r.won, l)
}
