package parley

import (
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	// nudgeEach is how often the agent is made to look at its pairs while it searches, maxNudges how often after the last
	// candidate of the other side.
	nudgeEach = 40 * time.Millisecond
	maxNudges = 6
)

// nudge makes the ICE agent look at its pairs now. By itself it looks every 200 ms, and chooses a pair that works only
// when it does; but it also looks whenever it learns of a candidate. So it is told of one that it has no use for. Not on
// a link that is new: there is time there, and a relay that answers first, at an address not told yet, would be chosen.
type nudge struct {
	at    time.Time // the next one; zero for none
	left  int
	count int
}

// expect begins to nudge, because a candidate came.
func (n *nudge) expect(now time.Time) { n.at, n.left = now.Add(nudgeEach), maxNudges }

// push nudges when it is time.
func (l *link) push(now time.Time) {
	n := &l.nudge
	if n.at.IsZero() || now.Before(n.at) {
		return
	}
	if n.left--; l.up || l.gone || n.left < 0 {
		n.at = time.Time{}
		return
	}
	n.at = now.Add(nudgeEach)
	n.count++
	// A passive TCP candidate at an address for documentation (RFC 5737): we open no TCP, so it makes no pair.
	line := fmt.Sprintf("candidate:1 1 tcp 1 192.0.2.1 %d typ host tcptype passive", 1+n.count%65_535)
	_ = l.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: line}) // it looks at its next tick then
}
