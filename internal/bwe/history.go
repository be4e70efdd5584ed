package bwe

import "time"

// ring is how many packets are remembered: two seconds at 9 Mbit/s.
const ring = 2048

// What is known of a packet.
const (
	absent uint8 = iota
	pending
	lost
	arrived
	repeated // it left again under the same number: of the first time no more will be heard
)

type packet struct {
	sent    uint32 // µs, modulo 2^32
	size    uint16
	state   uint8
	cluster uint8 // of a probe, 0 none
}

// history remembers the last packets by their number.
type history struct {
	packets [ring]packet
	last    int64 // the newest number, -1 for none
	at0     int64 // when it was sent
	settled int64 // up to which number it has been counted what was lost
	due     int64 // up to which number that is to be done next,
	noted   int64 // and when this was decided
}

func (h *history) reset() { h.last, h.settled, h.due = -1, -1, -1 }

// unwrap says which number is meant by its lower 16 bits: the one nearest to the newest.
func (h *history) unwrap(number uint16) int64 {
	return h.last + int64(int16(number-uint16(h.last)))
}

// find returns a remembered packet, or nil.
func (h *history) find(n int64) *packet {
	if n < 0 || n > h.last || n <= h.last-ring || h.last < 0 {
		return nil
	}
	if p := h.at(n); p.state != absent {
		return p
	}
	return nil
}

func (h *history) at(n int64) *packet { return &h.packets[n&(ring-1)] }

// add remembers a packet that leaves at t and returns its number, or -1 if it is too old or there already.
func (h *history) add(t int64, number uint16, size int) int64 {
	n := h.unwrap(number)
	switch {
	case h.last < 0:
		n = int64(number) + 1<<16
		h.clear()
	case t-h.at0 > 60*int64(second): // the times of older ones are about to wrap
		h.clear()
		n = max(n, h.last+1)
	case n > h.last:
		if n-h.last >= ring {
			h.clear()
		} else {
			for i := h.last + 1; i < n; i++ {
				*h.at(i) = packet{}
			}
		}
	case n <= h.last-ring || h.at(n).state != absent:
		return -1
	}
	if n > h.last {
		h.last, h.at0 = n, t
	}
	*h.at(n) = packet{sent: uint32(t), size: uint16(size), state: pending}
	return n
}

func (h *history) clear() {
	for i := range h.packets {
		h.packets[i] = packet{}
	}
}

// unwrapper makes times modulo Wrap continuous, in µs.
type unwrapper struct {
	last    int64
	started bool
}

const wrap = int64(Wrap / 1000)

func (u *unwrapper) unwrap(at time.Duration) int64 {
	v := at.Microseconds() % wrap
	if v < 0 {
		v += wrap
	}
	if !u.started {
		u.started = true
		u.last = v + 4*wrap
		return u.last
	}
	d := (v - u.last) % wrap
	if d < -wrap/2 {
		d += wrap
	} else if d > wrap/2 {
		d -= wrap
	}
	if d > 0 {
		u.last += d
		return u.last
	}
	return u.last + d
}

// meter measures a rate over the last moments, in slices of 20 ms. Rates are taken between the last packets of two
// slices, so that the borders of slices do not matter.
type meter struct {
	slices [50]slice
	newest int64 // number of the newest slice
	from   int64 // slices before this one do not count
}

type slice struct {
	last    int64 // when its last packet came
	bytes   int32
	packets int32
}

const sliceTime = 20 * milli

func (m *meter) add(t int64, size int) {
	n := t / sliceTime
	if n > m.newest {
		for i := max(m.newest+1, n-int64(len(m.slices))+1); i <= n; i++ {
			m.slices[i%int64(len(m.slices))] = slice{}
		}
		m.newest = n
	}
	if n < 0 || n <= m.newest-int64(len(m.slices)) {
		return
	}
	s := &m.slices[n%int64(len(m.slices))]
	s.last = max(s.last, t)
	if s.packets < 1<<14 { // of 64 kB at most: whoever reports more at one moment lies
		s.bytes += int32(size)
		s.packets++
	}
}

// interrupt forgets what was measured so far: packets are missing from it.
func (m *meter) interrupt() { m.from = m.newest + 1 }

// rate returns bit/s over at least the last span µs and a dozen packets, at most a second; 0 when too little is known.
func (m *meter) rate(span int64) float64 {
	var bytes, packets, end int64
	var best float64
	for i := m.newest; i > m.newest-int64(len(m.slices)) && i >= m.from && i >= 0; i-- {
		s := &m.slices[i%int64(len(m.slices))]
		if s.packets == 0 {
			continue
		}
		if end == 0 {
			end = s.last
		} else if took := end - s.last; took >= span/2 && took > 0 {
			best = float64(bytes*8) * float64(second) / float64(took)
			if took >= span && packets >= 12 {
				break
			}
		}
		bytes += int64(s.bytes)
		packets += int64(s.packets)
	}
	return best
}
