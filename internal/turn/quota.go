package turn

import "net/netip"

// quota counts live allocations.
type quota struct {
	perSession, perPrefix, total int
	sessions                     map[string]int
	sources                      map[netip.Addr]int
	live                         int
}

func newQuota(c Config) quota {
	return quota{
		perSession: c.PerSession, perPrefix: c.PerPrefix, total: c.Total,
		sessions: make(map[string]int), sources: make(map[netip.Addr]int),
	}
}

// take counts one more allocation. It returns 0, or the code of the refusal: 486 when the session or its source has enough,
// 508 when the server has (RFC 8656 §7.2, steps 9 and 10).
func (q *quota) take(session string, source netip.Addr) int {
	switch {
	case q.sessions[session] >= q.perSession, q.sources[source] >= q.perPrefix:
		return codeQuotaReached
	case q.live >= q.total:
		return codeInsufficientCapacity
	}
	q.sessions[session]++
	q.sources[source]++
	q.live++
	return 0
}

// give takes one allocation back.
func (q *quota) give(session string, source netip.Addr) {
	q.live--
	if q.sessions[session]--; q.sessions[session] == 0 {
		delete(q.sessions, session)
	}
	if q.sources[source]--; q.sources[source] == 0 {
		delete(q.sources, source)
	}
}
