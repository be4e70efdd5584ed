package parley

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	// beatEach is how often a link shows the other side that it lives.
	beatEach = 200 * time.Millisecond
	// stallAfter is the least silence that counts as a stall: three beats and whatever media there is.
	stallAfter = 600 * time.Millisecond
	// alarmAfter is the silence that counts when signalling broke in the same moment: both hardly fail for two reasons.
	// nearAlarm is how near that is.
	alarmAfter = 300 * time.Millisecond
	nearAlarm  = 1500 * time.Millisecond
	// unansweredMore is how much longer pongs may be missing on a link that brings other things: they wait for the data
	// channel's own retransmissions, media does not.
	unansweredMore = time.Second
	// unansweredByHub is that of a link with the hub: while somebody is slow to take what we send, the hub reads nothing of ours, pings
	// included, and goes on bringing us the others.
	unansweredByHub = 10 * time.Second
	// beatSize is the length of a beat: kind, id, and the sender's clock in milliseconds.
	beatSize = 9
	// maxBeats is how many bytes of beats may wait: on a path that is dead they must not pile up.
	maxBeats = 40 * beatSize
	// maxControl is how many bytes of control messages may wait.
	maxControl = 64 << 10
)

// Kinds of beats.
const (
	beatPing = 0
	beatPong = 1
)

// pulse tells whether a link lives: anything that arrives on it counts. Transports note it in goroutines of their own,
// without a lock; the owner asks.
type pulse struct {
	epoch    time.Time
	lenience time.Duration     // for how much longer pongs may be missing than everything else
	heard    atomic.Int64      // when anything arrived last, in ns after epoch; 0 is never
	answered atomic.Int64      // when a pong did
	trip     atomic.Int64      // round-trip time in ns, smoothed; 0 while unknown
	least    atomic.Int64      // the shortest of the latest round trips in ns; 0 while unknown
	latest   [10]time.Duration // two seconds of round trips; the transport's goroutine has them
	count    int
	beats    atomic.Bool // the other side beats
	id       uint32      // of the last ping; the owner's
	sent     time.Time   // when it left; the owner's
	alarm    time.Time   // when signalling broke last; the owner's
}

func newPulse(now time.Time, lenience time.Duration) *pulse {
	return &pulse{epoch: now, lenience: lenience}
}

// hear notes that something arrived.
func (p *pulse) hear() { p.heard.Store(int64(time.Since(p.epoch))) }

// last is when anything arrived last.
func (p *pulse) last() time.Time { return p.epoch.Add(time.Duration(p.heard.Load())) }

// patience is how long a link may be silent that was heard at a time: long round trips vary more.
func (p *pulse) patience(last time.Time) time.Duration {
	vary := 3 * time.Duration(p.trip.Load()) / 2
	if !p.alarm.IsZero() && last.Sub(p.alarm).Abs() < nearAlarm {
		return max(alarmAfter, 200*time.Millisecond+vary)
	}
	return max(stallAfter, 350*time.Millisecond+vary)
}

// due is when a link that says nothing more counts as stalled.
func (p *pulse) due() time.Time {
	if !p.beats.Load() {
		return time.Time{}
	}
	at := p.heard.Load()
	if answered := p.answered.Load(); answered != 0 { // they may hear nothing of us although we hear them
		at = min(at, answered+int64(p.lenience))
	}
	last := p.epoch.Add(time.Duration(at))
	return last.Add(p.patience(last))
}

// stalled reports whether nothing comes any more, or our own beats are not answered. Of somebody who never beat nothing
// can be said.
func (p *pulse) stalled(now time.Time) bool {
	at := p.due()
	return !at.IsZero() && !now.Before(at)
}

// restart gives a link that was connected anew the time to say something.
func (p *pulse) restart(now time.Time) {
	at := int64(now.Sub(p.epoch))
	p.heard.Store(at)
	if p.answered.Load() != 0 {
		p.answered.Store(at)
	}
}

// ping makes the next beat.
func (p *pulse) ping(now time.Time) []byte {
	p.id++
	p.sent = now
	b := make([]byte, beatSize)
	b[0] = beatPing
	binary.BigEndian.PutUint32(b[1:], p.id)
	binary.BigEndian.PutUint32(b[5:], uint32(now.Sub(p.epoch)/time.Millisecond)) // the wrap is meant
	return b
}

// beat takes one of the other side's and returns the answer, if it wants one. Anything else is ignored.
func (p *pulse) beat(b []byte) (answer []byte) {
	p.hear()
	if len(b) != beatSize {
		return nil
	}
	switch b[0] {
	case beatPing:
		p.beats.Store(true)
		answer = append(answer, b...)
		answer[0] = beatPong
		return answer
	case beatPong:
		now := time.Since(p.epoch)
		trip := time.Duration(uint32(now/time.Millisecond)-binary.BigEndian.Uint32(b[5:])) * time.Millisecond
		p.ponged(now, trip)
	}
	return nil
}

// ponged takes the answer to one of our beats, which came at a time after epoch and was under way for trip. One goroutine
// of the transport calls it.
func (p *pulse) ponged(now, trip time.Duration) {
	if trip < 0 || trip >= time.Minute { // nonsense
		return
	}
	p.answered.Store(int64(now))
	old := time.Duration(p.trip.Load())
	if old == 0 {
		old = trip
	}
	p.trip.Store(int64(old + (trip-old)/8))
	p.latest[p.count%len(p.latest)] = trip
	p.count++
	p.least.Store(int64(slices.Min(p.latest[:min(p.count, len(p.latest))])))
}

// listenTo counts what arrives on the channels that every link has, and hands control messages on.
func (p *pulse) listenTo(beat, control *webrtc.DataChannel, hears func(webrtc.DataChannelMessage)) {
	beat.OnMessage(func(m webrtc.DataChannelMessage) {
		if answer := p.beat(m.Data); answer != nil && beat.BufferedAmount() < maxBeats {
			_ = beat.Send(answer) // the next one may get through
		}
	})
	control.OnMessage(func(m webrtc.DataChannelMessage) {
		p.hear()
		hears(m)
	})
}

// throb sends a beat when it is time.
func (l *link) throb(now time.Time) {
	if now.Sub(l.pulse.sent) < beatEach {
		return
	}
	l.pulse.sent = now
	if l.beat.ReadyState() == webrtc.DataChannelStateOpen && l.beat.BufferedAmount() < maxBeats {
		_ = l.beat.Send(l.pulse.ping(now)) // the next one may get through
	}
}
