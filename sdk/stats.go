package parley

import (
	"maps"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Stats is what a room's links and tracks counted since they began.
type Stats struct {
	// At is when this was so.
	At time.Time
	// Links are the transports to the people inside; in a room on the hub each is the one to the hub.
	Links []LinkStats
}

// LinkStats is the transport to one person.
type LinkStats struct {
	// Person is who it is.
	Person Person
	// Path is the way it takes.
	Path Path
	// RoundTrip is the path's round-trip time, 0 while unknown.
	RoundTrip time.Duration
	// Sent is what we sent, by source; only sources of which something was. By the hub it is sent once for all.
	Sent map[Source]Sent
	// Received is what arrived, by source.
	Received map[Source]Received
}

// Sent counts one stream that we send.
type Sent struct {
	// Packets and Bytes (payload) went out, in Frames.
	Packets, Bytes, Frames uint64
	// Failed is how many packets the transport did not take.
	Failed uint64
	// Refreshes is how often the receiver asked for a key frame.
	Refreshes uint64
	// Lost is how many packets the receiver says it missed.
	Lost int64
	// Jitter is the receiver's (RFC 3550 §6.4.1).
	Jitter time.Duration
}

// Received counts one stream that arrives.
type Received struct {
	// Packets and Bytes (payload) arrived; Dropped of the packets were not fetched in time by the track's reader.
	Packets, Bytes, Dropped uint64
	// Lost is how many packets are missing (RFC 3550 §A.3); negative when some came twice.
	Lost int64
	// Jitter is the interarrival jitter (RFC 3550 §A.8).
	Jitter time.Duration
	// Frames is how many frames arrived to their end: pictures, or Opus packets. KeyFrames of the pictures can be
	// decoded by themselves.
	Frames, KeyFrames uint64
	// Width and Height are the size of the picture in pixels, 0 while unknown.
	Width, Height int
	// Level is the loudness in dBov (0 is the loudest), from the sender (RFC 6464) or, with Options.Hear, as heard. It
	// is valid when Leveled is true.
	Level   float64
	Leveled bool
	// Tone is true when the last 100 ms were a 440 Hz tone. Only with Options.Hear.
	Tone bool
}

// Rate is the quality of one received stream over an interval.
type Rate struct {
	// Bps is the payload in bits a second.
	Bps float64
	// PacketsPerSecond and FramesPerSecond are what arrived.
	PacketsPerSecond, FramesPerSecond float64
	// LostPercent is the share of packets that were missing.
	LostPercent float64
}

// Since returns what happened between before and r, which are interval apart.
func (r Received) Since(before Received, interval time.Duration) Rate {
	seconds := interval.Seconds()
	if seconds <= 0 || r.Packets < before.Packets {
		return Rate{}
	}
	packets := float64(r.Packets - before.Packets)
	rate := Rate{
		Bps:              float64(r.Bytes-before.Bytes) * 8 / seconds,
		PacketsPerSecond: packets / seconds,
		FramesPerSecond:  float64(r.Frames-before.Frames) / seconds,
	}
	if lost := float64(r.Lost - before.Lost); lost > 0 {
		rate.LostPercent = 100 * lost / (packets + lost)
	}
	return rate
}

// stats collects the counters of the links with people who have seats.
func (s *state) stats() Stats {
	all := Stats{At: s.now}
	if s.onHub() {
		all.Links = s.hubStats()
		return all
	}
	for _, p := range s.list() {
		l := s.links[s.people[p.ID].Session]
		if p.Me || l == nil {
			continue
		}
		one := LinkStats{
			Person: p, Path: s.way(l), RoundTrip: l.bond.active.roundTrip(),
			Sent: make(map[Source]Sent), Received: make(map[Source]Received),
		}
		for source, sent := range l.bond.sent(l) {
			if sent.Frames > 0 {
				one.Sent[source] = sent
			}
		}
		for source, t := range s.tracks[l.peer] {
			one.Received[source] = t.Stats()
		}
		all.Links = append(all.Links, one)
	}
	return all
}

// hubStats says of each person what comes of them by the hub, and what we send to it for all.
func (s *state) hubStats() (list []LinkStats) {
	sent := make(map[Source]Sent)
	for source, past := range s.hub.past {
		sent[source] = past
	}
	trip := time.Duration(0)
	for _, t := range []*trunk{s.hub.main, s.hub.next} {
		if t == nil {
			continue
		}
		if t.up {
			trip = time.Duration(t.pulse.trip.Load())
		}
		for source, list := range t.outlets {
			for _, out := range list {
				sent[source] = sent[source].plus(out.stats())
			}
		}
	}
	maps.DeleteFunc(sent, func(_ Source, x Sent) bool { return x.Frames == 0 })
	path := s.hubPath()
	for _, p := range s.list() {
		if p.Me || p.State == signal.SeatWaiting {
			continue
		}
		one := LinkStats{Person: p, Path: path, RoundTrip: trip, Sent: maps.Clone(sent), Received: make(map[Source]Received)}
		for source, t := range s.tracks[s.people[p.ID].Session] {
			if t.begun {
				one.Received[source] = t.Stats()
			}
		}
		list = append(list, one)
	}
	return list
}

// sent sums up what left by every link with a peer, the present ones and those before.
func (b *bond) sent(main *link) map[Source]Sent {
	all := make(map[Source]Sent)
	for source, past := range b.past {
		all[source] = past
	}
	for _, l := range main.each() {
		for source, out := range l.outlets {
			all[source] = all[source].plus(out.stats())
		}
	}
	return all
}

// plus adds the counters of a stream that went on; the jitter is the newest.
func (s Sent) plus(next Sent) Sent {
	if next.Frames == 0 {
		next.Jitter = s.Jitter
	}
	next.Packets += s.Packets
	next.Bytes += s.Bytes
	next.Frames += s.Frames
	next.Failed += s.Failed
	next.Refreshes += s.Refreshes
	next.Lost += s.Lost
	return next
}
