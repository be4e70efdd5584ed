package signalserver

import "github.com/parley-rtc/parley/internal/signal"

// What waits for clients to read and acknowledge it is bounded for each session (signal.MaxUnackedBytes), and together:
// clients that never acknowledge, of which there may be many, must not take the memory of all others. Each shard has an
// equal share of Config.Backlog. When that is used up, the session with most waiting for it ends, and the next one, until
// the shard is below; whoever has little waiting, which is everybody who reads, does not notice.
const (
	// DefaultBacklog is how many bytes wait for all clients together, at least: with many processors it is leastShare for
	// each shard, which everybody who comes back after a restart must not use up before they can acknowledge anything.
	DefaultBacklog = 256 << 20
	leastShare     = 32 << 20
	// smallBacklog is what a session may always have waiting: the answers to a burst and some descriptions.
	smallBacklog = 64 << 10
)

// weigh counts anew what waits for the session.
func (s *session) weigh() {
	now := 0
	if !s.over {
		now = s.seq.Bytes()
	}
	s.shard.backlog += now - s.weight
	s.weight = now
}

// relieve ends sessions until no more waits than may.
func (sh *shard) relieve() {
	limit := sh.server.cfg.Backlog / len(sh.server.shards)
	if sh.backlog <= limit {
		sh.hopeless = 0
		return
	}
	for sh.backlog > limit && sh.backlog > sh.hopeless {
		var most *session
		for _, s := range sh.sessions {
			if most == nil || s.weight > most.weight {
				most = s
			}
		}
		if most == nil || most.weight <= smallBacklog {
			sh.hopeless = sh.backlog + smallBacklog // many have a little: look again when it is more
			return
		}
		sh.server.log.Info("too much waits for all clients together; the one with most of it ends", "room", most.hall.name,
			"session", most.id, "bytes", most.weight, "together", sh.backlog)
		if k := most.socket; k != nil && k.queued() {
			k.cut() // it does not even read: a goodbye would wait behind all of that
		}
		sh.end(most, &signal.Bye{
			Reason: signal.ByeProtocol, Words: "the server is short of memory, and much waits for your acknowledgement", Retry: 5,
		}, false)
		sh.settle(most.hall)
	}
}
