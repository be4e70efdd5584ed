package portserver

import "sync/atomic"

// counts are kept while the server runs.
type counts struct {
	accepted, evicted, silent, strangers, iceTCP, turn, turns, http, https atomic.Uint64
	handshakes, handshakeOnly, unaccepted, panics, readErrors, writeErrors atomic.Uint64
	truncated, sent, messages, refused, passed, passLost                   atomic.Uint64
	packets                                                                [RTP + 1]atomic.Uint64
}

// Stats are counters since the start, but for Undecided.
type Stats struct {
	// Undecided connections now.
	Undecided int
	// Connections accepted, and what became of them: TURN and HTTP, plain and in TLS; handshake failed, or was all that was
	// wanted; ICE over TCP; none of our protocols; nothing said in time; dropped to make room for
	// newer ones; never taken from a listener.
	Accepted, TURN, TURNS, HTTP, HTTPS, HandshakeFailed, HandshakeOnly, ICETCP, Strangers, Silent, Evicted, Unaccepted uint64
	// Datagrams by kind, as the sockets got them. DTLS and RTP are dropped when no media plane takes them, Unknown ones always.
	STUN, ChannelData, DTLS, RTP, Unknown uint64
	// Datagrams that were sent from outboxes, the messages that they went in, and how often a destination refused a run.
	Sent, Messages, RunsRefused uint64
	// Datagrams that a loop passed to another, and those that were dropped on the way since the other was too far behind.
	Passed, PassLost uint64
	// Truncated are datagrams that were dropped for their length.
	Truncated uint64
	// Faults.
	ReadErrors, WriteErrors, Panics uint64
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	c := &s.counts
	return Stats{
		Undecided: s.waiting.len(),
		Accepted:  c.accepted.Load(), TURN: c.turn.Load(), TURNS: c.turns.Load(), HTTP: c.http.Load(), HTTPS: c.https.Load(),
		HandshakeFailed: c.handshakes.Load(), HandshakeOnly: c.handshakeOnly.Load(), ICETCP: c.iceTCP.Load(),
		Strangers: c.strangers.Load(), Silent: c.silent.Load(), Evicted: c.evicted.Load(), Unaccepted: c.unaccepted.Load(),
		STUN: c.packets[STUN].Load(), ChannelData: c.packets[ChannelData].Load(), DTLS: c.packets[DTLS].Load(),
		RTP: c.packets[RTP].Load(), Unknown: c.packets[Unknown].Load(),
		Sent: c.sent.Load(), Messages: c.messages.Load(), RunsRefused: c.refused.Load(),
		Passed: c.passed.Load(), PassLost: c.passLost.Load(), Truncated: c.truncated.Load(),
		ReadErrors: c.readErrors.Load(), WriteErrors: c.writeErrors.Load(), Panics: c.panics.Load(),
	}
}
