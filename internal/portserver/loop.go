package portserver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	maxLoops    = 64
	maxCommands = 1024 // that wait for one loop
	// leastSleep keeps a loop from spinning when its deadline stays in the past.
	leastSleep = time.Millisecond
)

// loop is a socket and the goroutine that owns it with everything the media plane has pinned to it. It sleeps until a packet, its
// deadline, a command or another loop wakes it up.
type loop struct {
	server *Server
	id     int
	d      *datagrams
	in     reader
	out    *Outbox

	deadline time.Time // of the media plane
	armed    time.Time // the read deadline that the socket has
	stale    bool      // armed is not what the socket has

	commands chan func(now time.Time, out *Outbox)
	// woken says that there are commands, or packets of other loops; asleep, that the read deadline must be pulled in for the
	// loop to see it. Who wakes sets the one, then reads the other, and the loop does so the other way around: one of them sees.
	woken, asleep atomic.Bool
	from          [maxLoops]atomic.Pointer[ring] // packets from other loops, by their number
	dirty         []int                          // loops that packets were put for in this wake-up
}

// run runs the loop until the socket is closed, or fails.
func (l *loop) run() error {
	for failures := 0; ; {
		batch, err := l.read()
		switch {
		case err == nil:
			failures = 0
		case l.server.isClosing() || errors.Is(err, net.ErrClosed):
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.stale = true
		default:
			// Some systems report here that an earlier packet was not wanted.
			l.server.counts.readErrors.Add(1)
			if failures++; failures > 1000 {
				return fmt.Errorf("portserver: %w", err)
			}
			select {
			case <-time.After(time.Millisecond):
			case <-l.server.closing:
			}
		}
		l.turn(time.Now(), batch)
	}
}

// read waits for packets, or for whatever else wakes the loop up.
func (l *loop) read() ([]Packet, error) {
	// A read deadline that is too early costs one wake-up for nothing; moving it at every one costs more.
	if l.stale || !l.deadline.IsZero() && (l.armed.IsZero() || l.deadline.Before(l.armed)) {
		if err := l.d.conn.SetReadDeadline(l.deadline); err != nil {
			return nil, err
		}
		l.armed, l.stale = l.deadline, false
	}
	l.asleep.Store(true)
	batch, err := l.in.read(!l.woken.Load())
	l.asleep.Store(false)
	return batch, err
}

// turn is one wake-up.
func (l *loop) turn(now time.Time, batch []Packet) {
	if len(batch) > 0 {
		l.handle(now, batch)
	}
	if l.woken.Load() {
		l.woken.Store(false) // first: what comes from here on wakes the loop again
		l.takePassed(now)
		l.obey(now)
	}
	if l.server.cfg.Batches == nil {
		l.flush()
		return
	}
	if !l.deadline.IsZero() && !now.Before(l.deadline) {
		l.guard(func() { l.server.cfg.Batches.HandleTimeout(l.id, now, l.out) })
	}
	l.flush()
	l.guard(func() { l.deadline = l.server.cfg.Batches.Deadline(l.id) })
	if soon := now.Add(leastSleep); !l.deadline.IsZero() && l.deadline.Before(soon) && !l.deadline.After(now) {
		l.deadline = soon
	}
}

// flush sends what is queued, and shows other loops what they were passed.
func (l *loop) flush() {
	l.out.Flush()
	for _, to := range l.dirty {
		other := l.server.loops[to]
		if other.from[l.id].Load().publish() {
			other.wake()
		}
	}
	l.dirty = l.dirty[:0]
}

// handle hands a batch on: to the media plane, and what that did not take to Packets.
func (l *loop) handle(now time.Time, batch []Packet) {
	if l.server.cfg.Batches != nil {
		l.give(now, batch)
	}
	if l.server.cfg.Packets == nil {
		return
	}
	for i := range batch {
		if p := &batch[i]; !p.taken && (p.Kind == STUN || p.Kind == ChannelData) {
			l.server.handlePacket(p.Src, p.Local, p.Data)
		}
	}
}

// give gives a batch to the media plane. After a panic those that are not taken are given again one by one, and the one that
// provokes it again is dropped.
func (l *loop) give(now time.Time, batch []Packet) {
	if l.tryGive(now, batch) {
		return
	}
	for i := range batch {
		if !batch[i].taken && (len(batch) == 1 || !l.tryGive(now, batch[i:i+1])) {
			batch[i].taken = true
		}
	}
}

// tryGive reports false after a panic.
func (l *loop) tryGive(now time.Time, batch []Packet) (ok bool) {
	defer func() {
		if cause := recover(); cause != nil {
			l.server.panicked(batch[0].Src, cause)
			ok = false
		}
	}()
	l.server.cfg.Batches.HandleBatch(l.id, now, batch, l.out)
	return true
}

// guard contains a panic.
func (l *loop) guard(f func()) {
	defer func() {
		if cause := recover(); cause != nil {
			l.server.panicked(netip.AddrPort{}, cause)
		}
	}()
	f()
}

// takePassed hands on what other loops have passed.
func (l *loop) takePassed(now time.Time) {
	for i := range l.from[:len(l.server.loops)] {
		r := l.from[i].Load()
		if r == nil {
			continue
		}
		for range 2 { // in two pieces at most; what comes meanwhile has its own wake-up
			if batch := r.peek(); len(batch) > 0 {
				l.server.counts.passed.Add(uint64(len(batch)))
				l.handle(now, batch)
				r.drop(len(batch))
			}
		}
	}
}

// obey carries out the commands that were given before.
func (l *loop) obey(now time.Time) {
	for range len(l.commands) {
		command := <-l.commands
		l.guard(func() { command(now, l.out) })
	}
}

// pass puts a packet for another loop.
func (l *loop) pass(to int, p *Packet, tag uint64) bool {
	place := &l.server.loops[to].from[l.id]
	r := place.Load()
	if r == nil {
		r = newRing()
		place.Store(r)
	}
	if !r.put(p, tag) {
		return false
	}
	for _, d := range l.dirty {
		if d == to {
			return true
		}
	}
	l.dirty = append(l.dirty, to)
	return true
}

// wake makes the loop look for commands and passed packets. Anybody may call it.
func (l *loop) wake() {
	if !l.woken.Swap(true) && l.asleep.Load() {
		_ = l.d.conn.SetReadDeadline(time.Unix(1, 0)) // long ago: whoever waits is called up
	}
}

// Loops returns how many loops there are.
func (s *Server) Loops() int { return len(s.loops) }

// Tier returns how datagrams come in and go out.
func (s *Server) Tier() Tier { return s.tier }

// Post has a loop carry out a command, soon, in the order of posting. It never blocks and may be called from anywhere, also from
// a loop. It reports false when too many commands wait for the loop or there is none of that number; commands that wait when the
// server closes are never carried out.
func (s *Server) Post(loop int, command func(now time.Time, out *Outbox)) bool {
	if loop < 0 || loop >= len(s.loops) || s.isClosing() {
		return false
	}
	select {
	case s.loops[loop].commands <- command:
		s.loops[loop].wake()
		return true
	default:
		return false
	}
}

// panicked counts and logs a panic; src is invalid when no packet was at its root.
func (s *Server) panicked(src netip.AddrPort, cause any) {
	s.counts.panics.Add(1)
	s.log.Error("packet: panic", "client", src.String(), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
}

// handlePacket hands one datagram to Packets.
func (s *Server) handlePacket(src netip.AddrPort, local netip.Addr, b []byte) {
	defer func() {
		if cause := recover(); cause != nil {
			s.panicked(src, cause)
		}
	}()
	s.cfg.Packets.HandlePacket(src, local, b)
}
