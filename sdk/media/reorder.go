package media

import "github.com/pion/rtp"

// depth is how many packets wait for one that is missing: 1.3 s of sound, or a few frames of video, long enough for a
// retransmission.
const depth = 64

// ordered is a packet in its place. lost is true when packets before it are missing, or the sender began anew.
type ordered struct {
	*rtp.Packet
	lost bool
}

// reorder puts RTP packets back into the order of their sequence numbers (RFC 3550 §5.1).
type reorder struct {
	started bool
	lost    bool // before next
	ssrc    uint32
	next    uint16
	held    map[uint16]*rtp.Packet
}

// push takes a packet and returns those that are in order now.
func (o *reorder) push(p *rtp.Packet) (ready []ordered) {
	if !o.started || p.SSRC != o.ssrc {
		ready = o.flush()
		o.lost = o.started
		o.started, o.ssrc, o.next = true, p.SSRC, p.SequenceNumber
		o.held = make(map[uint16]*rtp.Packet, depth)
	}
	if int16(p.SequenceNumber-o.next) < 0 { // the wrap is meant
		return ready // too late, or doubled
	}
	o.held[p.SequenceNumber] = p
	for len(o.held) > depth && o.held[o.next] == nil {
		o.next++
		o.lost = true
	}
	for o.held[o.next] != nil {
		ready = o.take(ready)
	}
	return ready
}

// flush returns what is held, in order.
func (o *reorder) flush() (rest []ordered) {
	for len(o.held) > 0 {
		if o.held[o.next] != nil {
			rest = o.take(rest)
			continue
		}
		o.next++
		o.lost = true
	}
	return rest
}

func (o *reorder) take(to []ordered) []ordered {
	to = append(to, ordered{o.held[o.next], o.lost})
	delete(o.held, o.next)
	o.next++
	o.lost = false
	return to
}
