package trace

import (
	"cmp"
	"maps"
	"slices"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// leastGap is the shortest silence, in milliseconds, that a person notices.
	leastGap = 300
	// sameGap is how far apart the two sides' reports of one silence may lie.
	sameGap = 3_000
	// aroundGap is how far around a silence its cause is looked for.
	aroundGap = 6_000
	// leastOpen is the shortest silence that lasts until somebody leaves: when one hangs up, the other hears nothing for a
	// moment before it is told.
	leastOpen = 3_000
	// mostGaps is how many gaps are looked into.
	mostGaps = 200
)

// gap is a time during which nothing passed between two people.
type gap struct {
	a, b     string // seats, in the order in which they came
	from, to int64
	ms       int64 // how long nothing was heard: the longer of what the two say, which is less than from to to
	open     bool  // it never ended
	fault    Fault
	who      string // whose side it was, with FaultPerson
	why      GapCause
}

// Fault says on whose side something went wrong.
type Fault string

// Faults.
const (
	FaultNone   Fault = ""       // nothing went wrong
	FaultPerson Fault = "person" // the person named
	FaultBoth   Fault = "both"   // both people at once, which is rather what is between them and the server
	FaultPath   Fault = "path"   // between the people; neither lost the server
	FaultServer Fault = "server" // this server
)

// GapCause says what made a gap.
type GapCause string

// Causes of a gap.
const (
	GapNetworkChanged GapCause = "network-changed"
	GapNetworkLost    GapCause = "network-lost"
	GapAsleep         GapCause = "asleep"
	GapReloaded       GapCause = "reloaded"
	GapBoth           GapCause = "both-lost"
	GapPath           GapCause = "path"
	GapRestart        GapCause = "server-restart"
)

// gaps finds the silences that people noticed, in order of time.
func (r *Record) gaps() []gap {
	var all []gap
	for i := range r.People {
		all = append(all, r.gapsOf(&r.People[i])...)
	}
	slices.SortStableFunc(all, func(x, y gap) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
	out := merge(all)
	out = slices.DeleteFunc(out, func(g gap) bool { return g.ms < leastGap || g.open && g.ms < leastOpen })
	out = out[:min(len(out), mostGaps)]
	for i := range out {
		r.blame(&out[i])
	}
	return out
}

// merge makes one of what the two sides say of the same silence. all is sorted by when they began.
func merge(all []gap) []gap {
	var out []gap
	last := map[[2]string]int{} // the newest one of each pair
	for _, g := range all {
		i, ok := last[[2]string{g.a, g.b}]
		if !ok || g.from > out[i].to+sameGap {
			last[[2]string{g.a, g.b}] = len(out)
			out = append(out, g)
			continue
		}
		o := &out[i]
		o.to, o.ms, o.open = max(o.to, g.to), max(o.ms, g.ms), o.open && g.open
	}
	return out
}

// gapsOf finds those that one person's client reported, or left open.
func (r *Record) gapsOf(l *Lane) []gap {
	var out []gap
	lost, up := map[string]int64{}, map[string]bool{}
	add := func(with string, from, to, ms int64, open bool) {
		other := r.person(with)
		if other == nil || other.Seat == l.Seat {
			return
		}
		g := gap{a: l.Seat, b: with, from: from, to: to, ms: ms, open: open}
		if other.From < l.From || other.From == l.From && with < l.Seat {
			g.a, g.b = g.b, g.a
		}
		if begin, end := r.together(l, other); g.to > begin && g.from < end {
			g.from, g.to = max(g.from, begin), min(g.to, end)
			g.ms = min(g.ms, g.to-g.from)
			out = append(out, g)
		}
	}
	for _, e := range r.mine[l.Seat] {
		switch {
		case e.Kind == signal.ReportRecovered:
			delete(lost, e.Seat)
			add(e.Seat, e.At-e.MS, e.At, e.MS, false)
		case e.Kind != signal.ReportPathChanged || e.Path == nil:
		case e.Path.Kind == signal.PathLost || e.Path.Kind == signal.PathConnecting:
			if _, already := lost[e.Seat]; !already && up[e.Seat] {
				lost[e.Seat] = e.At
			}
		default:
			up[e.Seat] = true
			if from, was := lost[e.Seat]; was {
				delete(lost, e.Seat)
				add(e.Seat, from, e.At, e.At-from, false)
			}
		}
	}
	for _, with := range slices.Sorted(maps.Keys(lost)) {
		from := lost[with]
		if other := r.person(with); other != nil {
			_, end := r.together(l, other)
			add(with, from, end, end-from, true)
		}
	}
	return out
}

// certainty orders signs by how surely they tell whose side it was; without any it is 0.
var certainty = map[GapCause]int{GapNetworkLost: 1, GapNetworkChanged: 2, GapAsleep: 3, GapReloaded: 4}

// blame looks around a gap for what made it.
func (r *Record) blame(g *gap) {
	a, b := r.signs(g.a, g), r.signs(g.b, g)
	switch {
	case slices.ContainsFunc(r.Restarts, func(at int64) bool { return at >= g.from-aroundGap && at <= g.to+aroundGap }):
		g.fault, g.why = FaultServer, GapRestart
	case certainty[a] > certainty[b]:
		g.fault, g.who, g.why = FaultPerson, g.a, a
	case certainty[b] > certainty[a]:
		g.fault, g.who, g.why = FaultPerson, g.b, b
	case a != "":
		g.fault, g.why = FaultBoth, GapBoth
	default:
		g.fault, g.why = FaultPath, GapPath
	}
}

// signs of trouble on one person's own side during a gap: "" when there are none.
func (r *Record) signs(seat string, g *gap) GapCause {
	var found GapCause
	before, after := "", ""
	for _, e := range r.mine[seat] {
		if e.Kind == signal.ReportPairTried && e.Pair != nil && e.Pair.State == signal.PairWon {
			switch place := networkOf(e.Pair.Local); {
			case e.At <= g.from:
				before = place
			case e.At <= g.to+aroundGap && after == "":
				after = place
			}
		}
		if e.At < g.from-aroundGap || e.At > g.to+aroundGap {
			continue
		}
		switch {
		case e.Cause == "asleep" || e.Cause == "sleep" || e.Cause == "frozen":
			return GapAsleep
		case e.Cause == "reloaded":
			return GapReloaded
		case e.Cause == "network-changed" || e.Cause == "network" || e.Cause == "interface":
			found = GapNetworkChanged
		case found == "" && (e.Kind == Away || e.Kind == signal.ReportSignallingLost):
			found = GapNetworkLost
		}
	}
	if found != "" && before != "" && after != "" && before != after {
		return GapNetworkChanged
	}
	return found
}

// networkOf tells networks apart by where a person's own end of the path is; the port says nothing.
func networkOf(c signal.ReportCandidate) string {
	if c.Type == signal.CandidateRelay {
		return "" // the address is the relay's
	}
	a, ok := parseAddress(c.Address)
	if !ok {
		return ""
	}
	return prefix(a)
}
