package signalserver

import "time"

// Limits of silence for a client that says how often it pings.
const (
	// lullPings is how many pings of a client may be missing, and minLull how long at least it may be silent: a busy
	// machine or one lost packet is no lost socket.
	lullPings = 4
	minLull   = 1500 * time.Millisecond
)

// lull returns how long a socket may be silent whose client pings every so many milliseconds; 0 is one that did not say.
func (s *Server) lull(every int) time.Duration {
	if every == 0 {
		return 3 * s.cfg.Heartbeat
	}
	return min(max(lullPings*time.Duration(every)*time.Millisecond, minLull), lullPings*s.cfg.Heartbeat)
}
