package trace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// meeting is how long two people have to be there at once before a connection can be expected, in milliseconds.
	meeting = 10_000
	// longAway is an absence from the server that is worth a sentence.
	longAway = 10_000
	// slowStart is how long a first picture or sound may take before it is worth a sentence.
	slowStart = 5_000
	// gapsTold is how many gaps are told one by one; of more, the longest ones are.
	gapsTold = 3
	// findings is how many sentences a verdict has at most.
	findings = 12
)

// Verdict says how a call went.
type Verdict struct {
	// Level is good, fair or poor.
	Level Level `json:"level"`
	// Text is the whole in English.
	Text string `json:"text"`
	// Findings are its sentences, the most important first.
	Findings []Finding `json:"findings"`
}

// Level is a mark for a whole call.
type Level string

// Levels.
const (
	Good Level = "good" // nothing that people noticed
	Fair Level = "fair" // something that they did
	Poor Level = "poor" // something that kept them from talking
)

// Finding is one sentence of a verdict: Code and the other fields for programs and translations, Text in English.
type Finding struct {
	Code Code `json:"code"`
	// Seat is whom it is about, Other whom else.
	Seat  string `json:"seat,omitempty"`
	Other string `json:"other,omitempty"`
	// Fault says on whose side it was: with FaultPerson, on Seat's.
	Fault Fault `json:"fault,omitempty"`
	// At is when, and MS how long.
	At int64 `json:"at,omitempty"`
	MS int64 `json:"ms,omitempty"`
	// Count is how often, Percent which part of the person's time.
	Count   int `json:"count,omitempty"`
	Percent int `json:"percent,omitempty"`
	// Protocol is how the relay was reached.
	Protocol signal.Transport `json:"protocol,omitempty"`
	// Cause is the client's own word for the reason.
	Cause string `json:"cause,omitempty"`
	// Text is the sentence.
	Text string `json:"text"`

	weight Level
}

// Code names what was found.
type Code string

// Codes of findings.
const (
	CodeAlone          Code = "alone"           // nobody else came
	CodeNoConnection   Code = "no-connection"   // Seat and Other were there and nothing passed between them
	CodeUnknownPath    Code = "unknown-path"    // neither client said how they were connected
	CodeDirect         Code = "direct"          // Seat and Other, without a relay
	CodeHub            Code = "hub"             // Count people talked through the server
	CodeSwitchGap      Code = "switch-gap"      // Seat heard nothing for MS when the call changed its way At
	CodeSwitchFailed   Code = "switch-failed"   // a change of the call's way failed At, because of Seat
	CodeRelayed        Code = "relayed"         // Seat and Other, by the relay over Protocol
	CodeUDPBlocked     Code = "udp-blocked"     // because Seat's network lets no UDP out
	CodeRelayOnly      Code = "relay-only"      // because a client offered nothing else
	CodeNoDirect       Code = "no-direct"       // because no direct pair answered
	CodeGapChanged     Code = "gap-changed"     // MS of silence At, when Seat changed networks
	CodeGapLost        Code = "gap-lost"        // when Seat's network was gone
	CodeGapAsleep      Code = "gap-asleep"      // when Seat's device slept
	CodeGapReloaded    Code = "gap-reloaded"    // when Seat loaded the page again
	CodeGapBoth        Code = "gap-both"        // when both lost the server
	CodeGapPath        Code = "gap-path"        // when the way between Seat and Other broke
	CodeGapServer      Code = "gap-server"      // when the server restarted
	CodeMoreGaps       Code = "more-gaps"       // Count more, MS together
	CodeLost           Code = "lost"            // Seat's connection was lost At and never came back
	CodeRemoved        Code = "removed"         // a host removed Seat
	CodeAway           Code = "away"            // Seat was without the server for MS, the call itself went on
	CodeRestart        Code = "restart"         // the server restarted
	CodeSlow           Code = "slow"            // the first picture or sound took Seat MS
	CodePoor           Code = "poor"            // bad quality for Seat, Percent of the time
	CodeVideoPaused    Code = "video-paused"    // Seat's video was paused for MS together
	CodeDevice         Code = "device"          // a device of Seat's failed
	CodeNoInterruption Code = "no-interruption" // nothing of all that
)

// judge writes the verdict.
func (r *Record) judge() Verdict {
	v := Verdict{Level: Good, Findings: r.connections()}
	for _, more := range [][]Finding{r.silences(), r.switches(), r.departures(), r.absences(), r.qualities(), r.devices()} {
		v.Findings = append(v.Findings, more...)
	}
	trouble := slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.weight != "" })
	if alone := len(v.Findings) > 0 && v.Findings[0].Code == CodeAlone; !trouble && !alone {
		v.Findings = append(v.Findings, Finding{Code: CodeNoInterruption})
	}
	v.Findings = v.Findings[:min(len(v.Findings), findings)]
	var text []string
	for i := range v.Findings {
		f := &v.Findings[i]
		f.Text = r.say(f)
		text = append(text, f.Text)
		if f.weight == Poor || f.weight == Fair && v.Level == Good {
			v.Level = f.weight
		}
	}
	v.Text = strings.Join(text, " ")
	return v
}

// connections says who was connected with whom, and how. Of many pairs, those with trouble are told.
func (r *Record) connections() []Finding {
	var out []Finding
	met := false
	hub := map[string]bool{}
	for i := range r.People {
		for j := i + 1; j < len(r.People); j++ {
			a, b := &r.People[i], &r.People[j]
			from, to := r.together(a, b)
			if to <= from {
				continue
			}
			met = true
			f, ok := r.connection(a, b, to-from)
			switch {
			case ok && f.Code == CodeHub:
				hub[a.Seat], hub[b.Seat] = true, true
			case ok:
				out = append(out, f)
			}
		}
	}
	if !met {
		return []Finding{{Code: CodeAlone}}
	}
	slices.SortStableFunc(out, func(x, y Finding) int { return cmp.Compare(rank(x), rank(y)) })
	out = out[:min(len(out), 3)]
	if len(hub) > 0 {
		out = append(out, Finding{Code: CodeHub, Count: len(hub)})
	}
	return out
}

func rank(f Finding) int {
	switch f.Code {
	case CodeNoConnection:
		return 0
	case CodeUDPBlocked:
		return 1
	case CodeRelayed, CodeNoDirect, CodeRelayOnly:
		return 2
	}
	return 3
}

// connection says how two people were connected; ok is false when there was no time to tell.
func (r *Record) connection(a, b *Lane, ms int64) (f Finding, ok bool) {
	x, y := linkWith(a, b.Seat), linkWith(b, a.Seat)
	path, known := r.pathBetween(a.Seat, b.Seat)
	other, knownToo := r.pathBetween(b.Seat, a.Seat)
	f = Finding{Seat: a.Seat, Other: b.Seat}
	switch {
	case !known && !knownToo && x == nil && y == nil:
		if r.reports(a.Seat) || r.reports(b.Seat) {
			f.Code, f.weight = CodeNoConnection, Poor
			return f, ms >= meeting
		}
		f.Code = CodeUnknownPath
		if protocol, relayed := r.relayed(a, b); relayed {
			f.Code, f.Protocol = CodeRelayed, protocol
		}
		return f, true
	case !known && !knownToo && (x == nil || x.ICE == nil) && (y == nil || y.ICE == nil):
		f.Code, f.weight = CodeNoConnection, Poor
		return f, ms >= meeting
	case path.Kind == signal.PathHub || other.Kind == signal.PathHub:
		f.Code = CodeHub
		return f, true
	case path.Kind != signal.PathRelayed && other.Kind != signal.PathRelayed:
		f.Code = CodeDirect
		return f, true
	}
	f.Code = CodeRelayed
	f.Protocol = path.Protocol
	if f.Protocol == "" || other.Protocol != "" && other.Protocol != signal.TransportUDP {
		f.Protocol = cmp.Or(other.Protocol, path.Protocol)
	}
	switch {
	case x != nil && x.Why == WhyUDPBlocked || y != nil && y.Why == WhyTheirUDP:
		f.Code, f.Fault = CodeUDPBlocked, FaultPerson
	case y != nil && y.Why == WhyUDPBlocked || x != nil && x.Why == WhyTheirUDP:
		f.Code, f.Fault, f.Seat, f.Other = CodeUDPBlocked, FaultPerson, b.Seat, a.Seat
	case x != nil && x.Why == WhyRelayOnly, y != nil && y.Why == WhyRelayOnly:
		f.Code = CodeRelayOnly
	case x != nil && x.Why == WhyNoDirect, y != nil && y.Why == WhyNoDirect:
		f.Code, f.Fault = CodeNoDirect, FaultPath
	}
	return f, true
}

// relayed says what this server's own relay saw: whether it carried something both ways in a call of these two, whose
// programs said nothing, and how it was reached.
func (r *Record) relayed(a, b *Lane) (protocol signal.Transport, relayed bool) {
	if len(r.People) != 2 {
		return "", false // it may have been for another one
	}
	for _, l := range []*Lane{a, b} {
		for _, e := range r.mine[l.Seat] {
			if e.Kind != RelayEnded || e.Relay == nil || e.Relay.Up == 0 || e.Relay.Down == 0 {
				continue
			}
			if protocol == "" || e.Relay.Transport != signal.TransportUDP {
				protocol = e.Relay.Transport
			}
			relayed = true
		}
	}
	return protocol, relayed
}

func linkWith(l *Lane, seat string) *Link {
	for i := range l.Links {
		if l.Links[i].With == seat {
			return &l.Links[i]
		}
	}
	return nil
}

// pathBetween is the last way that worked, as one side told it.
func (r *Record) pathBetween(seat, with string) (path signal.ReportPath, known bool) {
	for _, e := range r.mine[seat] {
		if e.Kind != signal.ReportPathChanged || e.Path == nil || e.Seat != with && (e.Seat != "" || e.Path.Kind != signal.PathHub) {
			continue
		}
		switch e.Path.Kind {
		case signal.PathDirect, signal.PathRelayed, signal.PathHub:
			path, known = *e.Path, true
		}
	}
	return path, known
}
