package portserver

import (
	"net/netip"
	"time"
)

// Packet is one datagram of a batch.
type Packet struct {
	// Src is where it came from, Local the address of ours that it came to: invalid when the socket is bound to a single
	// address. An IPv4 address is never in its IPv6 form.
	Src   netip.AddrPort
	Local netip.Addr
	// Data may be changed, and is valid during the call.
	Data []byte
	// Tag is 0 when the packet came from the socket, and whatever the other loop gave to Outbox.Pass when it came from there.
	Tag uint64
	// Kind is what the first byte says. A packet from the socket is never of kind Unknown.
	Kind Kind

	taken bool
}

// Take says that the packet is dealt with. STUN and ChannelData that nobody took goes to Packets; the rest is dropped.
func (p *Packet) Take() { p.taken = true }

// Batches is the media plane. Each loop calls it for itself, with its number, which is from 0 to Server.Loops()-1: what belongs
// to a loop needs no lock. Nothing here may block. Whatever is queued in the outbox goes out when the loop has nothing more to
// do in this wake-up.
//
// A panic is contained. Those packets of its batch that were not taken yet are then given again one by one, so that the one
// which provoked it costs nobody else theirs: take a packet before you handle it if it must not come twice.
type Batches interface {
	// HandleBatch takes packets that arrived, at least one, in the order of their arrival. now is the time of the wake-up.
	HandleBatch(loop int, now time.Time, batch []Packet, out *Outbox)
	// HandleTimeout is called when the deadline has passed.
	HandleTimeout(loop int, now time.Time, out *Outbox)
	// Deadline is asked at the end of every wake-up: when HandleTimeout is due. Zero means never.
	Deadline(loop int) time.Time
}

// Tier is a way to receive and send datagrams. What the higher one cannot do, the lower one does.
type Tier uint8

// The tiers.
const (
	TierBest     Tier = iota // the highest that this system has
	TierPlain                // a system call for each datagram; every system has it
	TierBatches              // recvmmsg and sendmmsg: a system call for many (Linux)
	TierSegments             // the same, and runs of equal length to one destination are one message, cut by the kernel (UDP_SEGMENT, Linux 4.18)
)

// String returns the tier as the log has it.
func (t Tier) String() string {
	switch t {
	case TierPlain:
		return "a call for each datagram"
	case TierBatches:
		return "recvmmsg, sendmmsg"
	case TierSegments:
		return "recvmmsg, sendmmsg, UDP_SEGMENT"
	}
	return "best"
}

// reader is a loop's way in.
type reader interface {
	// read returns what has arrived. When nothing has, it waits for it until the read deadline of the socket if wait is true,
	// and may return nothing otherwise. The packets are valid until the next call.
	read(wait bool) ([]Packet, error)
}

// sender is a loop's way out.
type sender interface {
	// send sends the queued runs in their order. It reports how many packets were given up, and how many messages went.
	send(o *Outbox) (lost, messages int)
}

// glance is how long the plain reader waits when the loop has other things to do.
const glance = 50 * time.Microsecond

// longestPlain is what the plain reader takes: every datagram there is.
const longestPlain = 64 << 10

// plainReader reads a datagram at a time.
type plainReader struct {
	d       *datagrams
	b       []byte
	control []byte
	batch   [1]Packet
}

func newPlainReader(d *datagrams) *plainReader {
	return &plainReader{d: d, b: make([]byte, longestPlain), control: make([]byte, 128)}
}

func (r *plainReader) read(wait bool) ([]Packet, error) {
	if !wait {
		// The runtime has no way to ask without waiting; the loop puts its own deadline back when this one is over.
		if err := r.d.conn.SetReadDeadline(time.Now().Add(glance)); err != nil {
			return nil, err
		}
	}
	n, controlLen, _, src, err := r.d.conn.ReadMsgUDPAddrPort(r.b, r.control)
	if err != nil {
		return nil, err
	}
	kind := Classify(r.b[:n])
	r.d.counts.packets[kind].Add(1)
	if kind == Unknown {
		return nil, nil
	}
	src = netip.AddrPortFrom(src.Addr().Unmap(), src.Port())
	r.batch[0] = Packet{Src: src, Local: r.d.local(r.control[:controlLen]), Data: r.b[:n], Kind: kind}
	return r.batch[:], nil
}

// plainSender writes a datagram at a time, and waits for each until there is room for it: the plain call knows no other way.
type plainSender struct{ d *datagrams }

func (p plainSender) send(o *Outbox) (lost, messages int) {
	for i := range o.runs {
		lost += o.writeEach(p.d, &o.runs[i])
	}
	return lost, len(o.packets) - lost
}
