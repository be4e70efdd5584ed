package parley

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// note tells the developer, and the record of the call, what happened to the signalling (l is nil) or to a link, and how
// long it took or lasted.
func (s *state) note(l *link, kind signal.ReportKind, took time.Duration) {
	link := ""
	if l != nil {
		link = l.id
	}
	s.options.Log.Info("connection: "+string(kind), "room", s.address.room, "link", link, "took", took)
	s.report(l, signal.ReportEvent{Kind: kind, MS: took.Milliseconds()})
}
