package server

import (
	"fmt"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/trace"
	"github.com/parley-rtc/parley/internal/turn"
	"github.com/parley-rtc/parley/internal/turnserver"
)

var _ turnserver.Observer = witness{}

// relayKinds are the record's words for what the relay does.
var relayKinds = map[turn.FactKind]signal.ReportKind{
	turn.Allocated: trace.RelayAllocated, turn.Permitted: trace.RelayPermitted, turn.Refused: trace.RelayRefused, turn.Ended: trace.RelayEnded,
}

// Relayed implements turnserver.Observer.
func (w witness) Relayed(at time.Time, f turnserver.Fact) {
	cause := ""
	if f.Kind == turn.Refused {
		cause = refusal(f.Code, f.Peers)
	}
	relay := trace.Relay{Transport: signal.Transport(f.Transport), Port: f.Relay.Port(), Code: f.Code}
	if f.Kind == turn.Ended {
		relay.Up, relay.Down, relay.Permitted, relay.Refused = f.Up, f.Down, f.PeersPermitted, f.PeersRefused
	}
	w.Relay(f.Session, at, relayKinds[f.Kind], relay, cause)
}

// refusal says in words why the relay refused (RFC 8656 §19).
func refusal(code int, peer bool) string {
	switch {
	case peer && code == 403:
		return "peer-forbidden"
	case peer:
		return "peer-unreachable"
	case code == 486:
		return "too-many"
	case code == 508:
		return "server-full"
	case code == 401:
		return "expired"
	}
	return fmt.Sprint("code-", code)
}

// ended hears of the end of every session.
func (s *Server) ended(session string) {
	s.relay.End(session)
	s.archive.Gone(session)
}
