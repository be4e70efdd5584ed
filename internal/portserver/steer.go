package portserver

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

const (
	// maxSteered bounds the kernel's program: 15 KB of its memory, and some ten comparisons for a packet.
	maxSteered = 1024
	// steerEvery is the least time between two programs. Many people who join at once cost one.
	steerEvery = 20 * time.Millisecond
	maxWanted  = 1024 // that wait for it
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
// It is a hint: a packet that comes to another loop is passed on as before, only dearer. So senders may share a number, the
// oldest headings may be forgotten, and an order that comes while too many wait may be lost.
type steering struct {
	attach func(headings []heading) error // has the kernel follow these, which are sorted by sender, and no others
	wanted chan order
	loops  map[uint32]int
	oldest []uint32 // the senders, in the order of their coming
	most   int
}

func newSteering(attach func([]heading) error) *steering {
	return &steering{attach: attach, wanted: make(chan order, maxWanted), loops: map[uint32]int{}, most: maxSteered}
}

// senderOf returns the number that the kernel's program makes of a source, too (see program).
func senderOf(src netip.AddrPort) uint32 {
	var n uint32
	if a := src.Addr().Unmap(); a.Is4() {
		b := a.As4()
		n = binary.BigEndian.Uint32(b[:]) * spread
	} else {
		b := a.As16()
		for word := range 4 {
			n = (n + binary.BigEndian.Uint32(b[4*word:])) * spread
		}
	}
	return n ^ uint32(src.Port())
}

// spread makes neighbouring addresses different in all of their bits; 2^32 divided by the golden ratio.
const spread = 0x9e3779b1

// run follows what is wanted until the server closes.
func (s *steering) run(closing <-chan struct{}) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
		case <-closing:
			return
		}
		select {
		case o := <-s.wanted:
			s.note(o)
		case <-closing:
			return
		}
		for range len(s.wanted) {
			s.note(<-s.wanted)
		}
		s.apply()
		pause.Reset(steerEvery)
	}
}

// note writes an order down. What has a newer heading keeps it.
func (s *steering) note(o order) {
	loop, known := s.loops[o.sender]
	switch {
	case o.on:
		s.loops[o.sender] = o.loop
		if !known {
			s.oldest = append(s.oldest, o.sender)
			s.forget()
		}
	case known && loop == o.loop:
		delete(s.loops, o.sender)
		s.oldest = slices.DeleteFunc(s.oldest, func(sender uint32) bool { return sender == o.sender })
	}
}

// forget keeps the newest.
func (s *steering) forget() {
	for len(s.oldest) > s.most {
		delete(s.loops, s.oldest[0])
		s.oldest = s.oldest[1:]
	}
}

// apply tells the kernel. A program that it finds too long is made shorter, from now on.
func (s *steering) apply() {
	for {
		headings := make([]heading, 0, len(s.loops))
		for sender, loop := range s.loops {
			headings = append(headings, heading{sender, loop})
		}
		slices.SortFunc(headings, func(a, b heading) int { return int(int64(a.sender) - int64(b.sender)) })
		if s.attach(headings) == nil || len(headings) == 0 {
			return
		}
		s.most = len(headings) / 2
		s.forget()
	}
}

// Steer has the packets of a sender come to a loop from now on. It never blocks and may be called from anywhere. It is a hint,
// which may be lost and which not every system follows.
func (s *Server) Steer(src netip.AddrPort, loop int) { s.order(src, loop, true) }

// Unsteer takes Steer back, unless the sender has been steered to another loop since.
func (s *Server) Unsteer(src netip.AddrPort, loop int) { s.order(src, loop, false) }

func (s *Server) order(src netip.AddrPort, loop int, on bool) {
	if s.steering == nil || loop < 0 || loop >= len(s.loops) {
		return
	}
	select {
	case s.steering.wanted <- order{heading{senderOf(src), loop}, on}:
	default:
	}
}
