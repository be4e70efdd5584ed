package trace

import (
	"cmp"
	"maps"
	"slices"

	"github.com/parley-rtc/parley/internal/signal"
)

// PathSpan is a time during which a person was connected in one way.
type PathSpan struct {
	From  int64 `json:"from"`
	To    int64 `json:"to"`
	State State `json:"state"`
	// Protocol and Server are of the relay, when relayed.
	Protocol signal.Transport `json:"protocol,omitempty"`
	Server   string           `json:"server,omitempty"`
	// Away is true while the person had no connection to the server; media does not depend on it.
	Away bool `json:"away,omitempty"`
}

// QualitySpan is a time during which a person heard and saw the others equally well.
type QualitySpan struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Level is 0 bad, 1 fair, 2 good; absent while unknown.
	Level *int `json:"level,omitempty"`
	// Cause is the client's reason.
	Cause string `json:"cause,omitempty"`
}

// severity orders paths from the best to the worst.
var severity = map[signal.PathKind]int{
	signal.PathDirect: 1, signal.PathHub: 2, signal.PathRelayed: 3, signal.PathConnecting: 4, signal.PathLost: 5,
}

// paths follows how one person is connected with the others.
type paths struct {
	links  map[string]signal.ReportPath // by the other's seat
	others map[string]bool              // who is there
	away   bool
}

// take moves on by one event; seat is the person's own.
func (p *paths) take(seat string, e *Entry) {
	if e.Who != seat {
		switch e.Kind {
		case Joined:
			p.others[e.Who] = true
		case Left:
			delete(p.others, e.Who)
			delete(p.links, e.Who)
		}
		return
	}
	switch e.Kind {
	case Away:
		p.away = true
	case Back:
		p.away = false
	case signal.ReportPathChanged:
		if e.Path != nil && p.others[e.Seat] {
			p.links[e.Seat] = *e.Path
		}
	}
}

// now is how the person is connected.
func (p *paths) now() PathSpan {
	s := PathSpan{State: StateUnknown, Away: p.away}
	if len(p.others) == 0 {
		s.State = StateAlone
	}
	worst := 0
	for _, other := range slices.Sorted(maps.Keys(p.links)) {
		if path := p.links[other]; severity[path.Kind] > worst {
			worst = severity[path.Kind]
			s.State, s.Protocol, s.Server = State(path.Kind), path.Protocol, path.Server
		}
	}
	return s
}

func (r *Record) pathSpans(seat string, from, to int64) []PathSpan {
	p := paths{links: map[string]signal.ReportPath{}, others: map[string]bool{}}
	spans := []PathSpan{}
	open := PathSpan{From: from, State: StateAlone}
	for i := range r.Events {
		e := &r.Events[i]
		if e.At > to {
			break
		}
		p.take(seat, e)
		now := p.now()
		now.From = max(e.At, from)
		if now.same(open) {
			continue
		}
		if now.From > open.From {
			open.To = now.From
			spans = append(spans, open)
		}
		open = now
	}
	if open.To = to; open.To > open.From || len(spans) == 0 {
		spans = append(spans, open)
	}
	return r.silence(seat, spans)
}

// silence marks the times that the client calls a loss only afterwards, by saying how long it lasted.
func (r *Record) silence(seat string, spans []PathSpan) []PathSpan {
	for _, e := range r.mine[seat] {
		if e.Kind == signal.ReportRecovered && e.MS >= leastGap && len(spans) < 2*MaxEvents {
			spans = cover(spans, e.At-e.MS, e.At)
		}
	}
	return spans
}

// cover makes the time between from and to a lost one, but not where nobody was there to be lost.
func cover(spans []PathSpan, from, to int64) []PathSpan {
	out := make([]PathSpan, 0, len(spans)+2)
	add := func(s PathSpan) {
		if n := len(out); n > 0 && out[n-1].same(s) {
			out[n-1].To = s.To
		} else if s.To > s.From {
			out = append(out, s)
		}
	}
	for _, s := range spans {
		if s.To <= from || s.From >= to || s.State == StateAlone || s.State == StateLost {
			add(s)
			continue
		}
		before, lost, after := s, s, s
		before.To, after.From = max(s.From, from), min(s.To, to)
		lost.From, lost.To = before.To, after.From
		lost.State, lost.Protocol, lost.Server = StateLost, "", ""
		add(before)
		add(lost)
		add(after)
	}
	return out
}

// same reports whether nothing but time is between the two.
func (s PathSpan) same(o PathSpan) bool {
	s.From, s.To, o.From, o.To = 0, 0, 0, 0
	return s == o
}

// qualitySpans are of what the person hears; a level holds until the next one, or until nobody is there to be heard.
func (r *Record) qualitySpans(seat string, from, to int64) []QualitySpan {
	levels := map[string]*Entry{}
	spans := []QualitySpan{}
	open := QualitySpan{From: from}
	for i := range r.Events {
		e := &r.Events[i]
		switch {
		case e.At > to:
		case e.Who != seat && e.Kind == Left:
			delete(levels, e.Who)
		case e.Who == seat && e.Kind == signal.ReportQuality && e.Level != nil:
			levels[e.Seat] = e
		}
		now := worstLevel(levels)
		now.From = max(min(e.At, to), from)
		if sameLevel(now, open) {
			continue
		}
		if now.From > open.From {
			open.To = now.From
			spans = append(spans, open)
		}
		open = now
	}
	if open.To = to; open.To > open.From || len(spans) == 0 {
		spans = append(spans, open)
	}
	return spans
}

func worstLevel(levels map[string]*Entry) QualitySpan {
	var s QualitySpan
	for _, other := range slices.Sorted(maps.Keys(levels)) {
		if e := levels[other]; s.Level == nil || *e.Level < *s.Level {
			s.Level, s.Cause = e.Level, e.Cause
		}
	}
	return s
}

func sameLevel(a, b QualitySpan) bool {
	if (a.Level == nil) != (b.Level == nil) || a.Cause != b.Cause {
		return false
	}
	return a.Level == nil || *a.Level == *b.Level
}

// lasting sums the spans that match, in milliseconds.
func lasting(spans []QualitySpan, match func(QualitySpan) bool) (ms int64, cause string) {
	causes := map[string]int64{}
	for _, s := range spans {
		if match(s) {
			ms += s.To - s.From
			causes[s.Cause] += s.To - s.From
		}
	}
	best := slices.SortedFunc(maps.Keys(causes), func(a, b string) int {
		return cmp.Or(cmp.Compare(causes[b], causes[a]), cmp.Compare(a, b))
	})
	if len(best) > 0 {
		cause = best[0]
	}
	return ms, cause
}
