package portserver

import (
	"cmp"
	"encoding/binary"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"
)

const (
	// maxSteered keeps the kernel's program within what it takes of anybody (20 KB before Linux 6.8).
	maxSteered = 512
	// steerEvery is the least time between two programs: the kernel needs some milliseconds of a processor for each.
	steerEvery = time.Second
	maxWanted  = 1024 // that wait for the next one
)

// heading says which loop the packets of a sender belong to.
type heading struct {
	sender uint32
	loop   int
}

// order is to follow a heading, or to follow it no longer.
type order struct {
	heading
	on bool
}

// steering has the kernel bring the packets of a sender to the loop that they belong to, instead of spreading senders by a hash.
// It is a hint: what it has no room for comes to another loop and is passed on, only dearer. Who is in it stays until taken out,
// since the loop where they would come to then need not know them; so it is for somebody who shares a number with them, one in
// some thousand millions, until their next check.
type steering struct {
	attach func(headings []heading) error // has the kernel follow these, sorted by sender, and no others
	key    steeringKey
	log    *slog.Logger
	every  time.Duration
	wanted chan order
	loops  map[uint32]int // by sender
	told   map[uint32]int // the same, as the kernel has it
	noted  bool           // they may differ
	most   int
}

// steeringKey keeps others from choosing addresses that have the number of somebody's. An odd factor loses nothing of an address.
type steeringKey struct{ start, factor uint32 }

func newSteering(attach func([]heading) error, key steeringKey, log *slog.Logger) *steering {
	return &steering{attach: attach, key: key, log: log, every: steerEvery, wanted: make(chan order, maxWanted), loops: map[uint32]int{}, told: map[uint32]int{}, most: maxSteered}
}

// senderMask leaves out the bit that makes constants dear for the kernel.
const senderMask = 1<<31 - 1

// sender returns the number that the kernel's program makes of a source, too (see program).
func (k steeringKey) sender(src netip.AddrPort) uint32 {
	n := k.start
	if a := src.Addr().Unmap(); a.Is4() {
		b := a.As4()
		n = (n + binary.BigEndian.Uint32(b[:])) * k.factor
	} else {
		b := a.As16()
		for word := range 4 {
			n = (n + binary.BigEndian.Uint32(b[4*word:])) * k.factor
		}
	}
	return (n ^ uint32(src.Port())) & senderMask
}

// run follows orders until the server closes.
func (s *steering) run(closing <-chan struct{}) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for ready := false; ; {
		select {
		case o := <-s.wanted:
			s.note(o)
		case <-pause.C:
			ready = true
		case <-closing:
			return
		}
		for range len(s.wanted) {
			s.note(<-s.wanted)
		}
		if ready && s.changed() {
			s.apply()
			ready = false
			pause.Reset(s.every)
		}
	}
}

// changed reports whether the kernel is to be told something.
func (s *steering) changed() bool {
	s.noted = s.noted && !maps.Equal(s.loops, s.told)
	return s.noted
}

// note writes an order down. Without room it is forgotten, and a heading that is newer is not taken back.
func (s *steering) note(o order) {
	loop, known := s.loops[o.sender]
	switch {
	case o.on && !(known && loop == o.loop) && (known || len(s.loops) < s.most):
		s.loops[o.sender] = o.loop
		s.noted = true
	case !o.on && known && loop == o.loop:
		delete(s.loops, o.sender)
		s.noted = true
	}
}

// apply tells the kernel. When it refuses, what it was told last stays in force: what is new is forgotten, and less is asked of it
// from then on. The next order tries again.
func (s *steering) apply() {
	headings := make([]heading, 0, len(s.loops))
	for sender, loop := range s.loops {
		headings = append(headings, heading{sender, loop})
	}
	slices.SortFunc(headings, func(a, b heading) int { return cmp.Compare(a.sender, b.sender) })
	s.noted = false
	err := s.attach(headings)
	if err == nil {
		s.told = maps.Clone(s.loops)
		return
	}
	if s.most == maxSteered {
		s.log.Info("udp: not all senders can be steered to their loops", "steered", len(s.told), "error", err)
	}
	s.most = max(len(s.told), s.most/2)
	maps.DeleteFunc(s.loops, func(sender uint32, _ int) bool {
		_, known := s.told[sender]
		return !known
	})
}

// Steer has the packets of a sender come to a loop from now on. It never blocks and may be called from anywhere. It is a hint,
// which may be lost, which takes effect within a second, and which not every system follows.
func (s *Server) Steer(src netip.AddrPort, loop int) { s.order(src, loop, true) }

// Unsteer takes Steer back, unless the sender has been steered to another loop since.
func (s *Server) Unsteer(src netip.AddrPort, loop int) { s.order(src, loop, false) }

// Steers reports whether this system follows Steer.
func (s *Server) Steers() bool { return s.steering != nil }

func (s *Server) order(src netip.AddrPort, loop int, on bool) {
	if s.steering == nil || loop < 0 || loop >= len(s.loops) {
		return
	}
	select {
	case s.steering.wanted <- order{heading{s.steering.key.sender(src), loop}, on}:
	default:
	}
}
