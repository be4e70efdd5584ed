package trace

import (
	"cmp"
	"slices"

	"github.com/parley-rtc/parley/internal/signal"
)

// silences tells the gaps: the longest ones, in order of time, and how much more there was.
func (r *Record) silences() []Finding {
	gaps := r.gaps()
	longest := slices.Clone(gaps)
	slices.SortStableFunc(longest, func(x, y gap) int { return cmp.Compare(y.ms, x.ms) })
	var rest Finding
	if len(longest) > gapsTold {
		for _, g := range longest[gapsTold:] {
			rest.Count++
			rest.MS += g.ms
		}
		longest = longest[:gapsTold]
	}
	slices.SortStableFunc(longest, func(x, y gap) int { return cmp.Compare(x.from, y.from) })
	var out []Finding
	for _, g := range longest {
		out = append(out, g.finding())
	}
	if rest.Count > 0 {
		rest.Code, rest.weight = CodeMoreGaps, Fair
		out = append(out, rest)
	}
	return out
}

func (g *gap) finding() Finding {
	f := Finding{Seat: g.a, Other: g.b, Fault: g.fault, At: g.from, MS: g.ms, weight: Fair}
	if g.who == g.b {
		f.Seat, f.Other = g.b, g.a
	}
	if g.ms > 10_000 || g.open {
		f.weight = Poor
	}
	switch g.why {
	case GapNetworkChanged:
		f.Code = CodeGapChanged
	case GapNetworkLost:
		f.Code = CodeGapLost
	case GapAsleep:
		f.Code = CodeGapAsleep
	case GapReloaded:
		f.Code = CodeGapReloaded
	case GapBoth:
		f.Code = CodeGapBoth
	case GapRestart:
		f.Code = CodeGapServer
	default:
		f.Code = CodeGapPath
	}
	return f
}

// departures tells who went without wanting to.
func (r *Record) departures() []Finding {
	var out []Finding
	for i := range r.People {
		seat := r.People[i].Seat
		var away *Entry
		for _, e := range r.mine[seat] {
			switch {
			case e.Kind == Away:
				away = e
			case e.Kind == Back:
				away = nil
			case e.Kind != Left:
			case e.Cause == string(signal.LeftRemoved):
				out = append(out, Finding{Code: CodeRemoved, Seat: seat, At: e.At})
			case e.Cause == string(signal.LeftExpired) && away != nil:
				out = append(out, Finding{Code: CodeLost, Seat: seat, Fault: FaultPerson, At: away.At, weight: Fair})
			}
		}
	}
	return out
}

// absences tells who was without the server for long, and when the server restarted; media does not depend on either.
func (r *Record) absences() []Finding {
	var out []Finding
	for _, at := range r.Restarts {
		out = append(out, Finding{Code: CodeRestart, At: at, Fault: FaultServer})
	}
	for i := range r.People {
		seat := r.People[i].Seat
		var away *Entry
		for _, e := range r.mine[seat] {
			switch e.Kind {
			case Away:
				away = e
			case Back:
				if away != nil && e.At-away.At >= longAway {
					out = append(out, Finding{Code: CodeAway, Seat: seat, Fault: FaultPerson, At: away.At, MS: e.At - away.At})
				}
				away = nil
			}
		}
	}
	return out[:min(len(out), gapsTold)]
}

// qualities tells whose sound or picture was bad for a part of the call that matters.
func (r *Record) qualities() []Finding {
	var out []Finding
	for i := range r.People {
		l := &r.People[i]
		stay := max(1, r.until(l)-l.From)
		ms, cause := lasting(l.Quality, func(s QualitySpan) bool { return s.Level != nil && *s.Level == 0 })
		if ms >= 5_000 {
			f := Finding{Code: CodePoor, Seat: l.Seat, MS: ms, Percent: int(max(1, ms*100/stay)), Cause: cause, weight: Fair}
			switch cause {
			case "upload-small", "download-small", "cpu":
				f.Fault = FaultPerson
			case "loss", "delay", "jitter":
				f.Fault = FaultPath
			}
			if f.Percent >= 20 {
				f.weight = Poor
			}
			out = append(out, f)
		}
		for _, link := range l.Links {
			if slow := max(value(link.Frame), value(link.Packet)); slow > slowStart {
				out = append(out, Finding{Code: CodeSlow, Seat: l.Seat, Other: link.With, MS: slow, weight: Fair})
			}
		}
		if f := r.paused(l); f.MS >= 1_000 {
			out = append(out, f)
		}
	}
	return out
}

func value(ms *int64) int64 {
	if ms == nil {
		return 0
	}
	return *ms
}

// paused sums the times without video.
func (r *Record) paused(l *Lane) Finding {
	f := Finding{Code: CodeVideoPaused, Seat: l.Seat, weight: Fair}
	var since int64
	add := func(to int64) {
		if since != 0 {
			f.MS += to - since
			f.Count++
			since = 0
		}
	}
	for _, e := range r.mine[l.Seat] {
		switch e.Kind {
		case signal.ReportVideoPaused:
			if since == 0 {
				since = e.At
				f.At = cmp.Or(f.At, e.At)
				f.Cause = e.Cause
			}
		case signal.ReportVideoResumed:
			add(e.At)
		}
	}
	add(r.until(l))
	return f
}

// devices tells which devices failed, one sentence a person.
func (r *Record) devices() []Finding {
	var out []Finding
	for i := range r.People {
		f := Finding{Code: CodeDevice, Seat: r.People[i].Seat, Fault: FaultPerson, weight: Fair}
		for _, e := range r.mine[f.Seat] {
			if e.Kind == signal.ReportDevice {
				f.Count++
				f.At, f.Cause = cmp.Or(f.At, e.At), cmp.Or(f.Cause, e.Cause)
			}
		}
		if f.Count > 0 {
			out = append(out, f)
		}
	}
	return out
}
