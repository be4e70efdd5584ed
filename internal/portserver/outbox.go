package portserver

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// BufferLen is the length of what Outbox.Next returns, in bytes: more than an Ethernet frame carries.
const BufferLen = 2048

const (
	outboxPackets = 512       // in the queue at most; then it is flushed before the wake-up ends
	outboxBytes   = 512 << 10 // the same
	runPackets    = 64        // in a run; UDP_MAX_SEGMENTS of the first kernels that had it
	runBytes      = 65000     // in a run; the lengths in the headers of IP and UDP have 16 bits
	maxRefused    = 1024      // destinations remembered that refuse runs
	slots         = 2 * outboxPackets
)

// Outbox is a loop's way out: Next gives a buffer, Send says what of it goes where, Flush sends what is queued. The loop flushes
// at the end of every wake-up, so nobody else has to. An outbox belongs to its loop and may be used inside of a call by it only.
//
// Order is kept for each destination, and for each only: packets of equal length to one destination are joined to a run, which
// leaves where its first packet stood in the queue. Nothing ever waits for a run to become longer.
type Outbox struct {
	server *Server
	loop   *loop
	out    sender
	joins  bool // runs may have several packets

	slab    []byte
	used    int
	packets []queued
	runs    []run
	refused map[netip.Addr]struct{} // that do not take runs

	table [slots]slot // the latest run of each destination in the queue
	seed  uint64
	era   uint32 // slots of another era are free
}

// queued is a packet in the slab, and the next one of its run, -1 at the end.
type queued struct{ at, n, next int32 }

// run is packets to one destination that leave as one message: all of the same length, but for the last, which may be shorter.
type run struct {
	dst         netip.AddrPort
	local       netip.Addr
	first, last int32 // of packets
	size        int32 // of each packet but the last
	bytes       int32
	count       int32
	full        bool
}

// slot of the table; run indexes the runs.
type slot struct {
	era uint32
	run int32
}

func newOutbox(l *loop, out sender, joins bool, seed uint64) *Outbox {
	return &Outbox{
		server: l.server, loop: l, out: out, joins: joins,
		slab: make([]byte, outboxBytes), packets: make([]queued, 0, outboxPackets), runs: make([]run, 0, outboxPackets),
		refused: make(map[netip.Addr]struct{}), seed: seed | 1, era: 1,
	}
}

// Next returns a buffer of BufferLen bytes for one datagram. Its content is undefined. Until Send is called it is the same one.
func (o *Outbox) Next() []byte {
	if len(o.slab)-o.used < BufferLen || len(o.packets) == outboxPackets {
		o.Flush()
	}
	return o.slab[o.used : o.used+BufferLen : o.used+BufferLen]
}

// Send queues the first n bytes of what Next returned for dst. They leave from the address local, as Packet had it, or from
// whatever the route picks when it is invalid. Send without Next before it, or of more than BufferLen bytes, is a fault of the caller
// and panics; of none it does nothing.
func (o *Outbox) Send(n int, dst netip.AddrPort, local netip.Addr) {
	if n == 0 {
		return
	}
	if n < 0 || n > BufferLen || n > len(o.slab)-o.used || len(o.packets) == outboxPackets {
		panic("portserver: Send of what Next has not given")
	}
	index := int32(len(o.packets))
	o.packets = append(o.packets, queued{at: int32(o.used), n: int32(n), next: -1})
	o.used += n
	if !o.joins {
		o.start(index, n, dst, local)
		return
	}
	s := o.find(dst, local)
	if s.era == o.era && o.runs[s.run].take(o.packets, index, n) {
		return
	}
	*s = slot{o.era, int32(len(o.runs))}
	o.start(index, n, dst, local)
	if len(o.refused) > 0 {
		if _, refused := o.refused[dst.Addr()]; refused {
			o.runs[len(o.runs)-1].full = true
		}
	}
}

// start begins a run with a packet.
func (o *Outbox) start(index int32, n int, dst netip.AddrPort, local netip.Addr) {
	o.runs = append(o.runs, run{dst: dst, local: local, first: index, last: index, size: int32(n), bytes: int32(n), count: 1})
}

// take joins a packet to the run, if it fits.
func (r *run) take(packets []queued, index int32, n int) bool {
	if r.full || int32(n) > r.size || r.count == runPackets || r.bytes+int32(n) > runBytes {
		return false
	}
	packets[r.last].next = index
	r.last = index
	r.bytes += int32(n)
	r.count++
	r.full = int32(n) < r.size // only the last may be shorter
	return true
}

// find returns the slot of a destination, or the free one where it belongs. The table is never more than half full.
func (o *Outbox) find(dst netip.AddrPort, local netip.Addr) *slot {
	for i := o.hash(dst) & (slots - 1); ; i = (i + 1) & (slots - 1) {
		s := &o.table[i]
		if s.era != o.era {
			return s
		}
		if r := &o.runs[s.run]; r.dst == dst && r.local == local {
			return s
		}
	}
}

// hash depends on a secret, so that nobody chooses addresses that collide.
func (o *Outbox) hash(dst netip.AddrPort) uint64 {
	b := dst.Addr().As16()
	high, low := bits.Mul64(binary.LittleEndian.Uint64(b[:8])^o.seed, binary.LittleEndian.Uint64(b[8:])^o.seed>>7^0x9e3779b97f4a7c15)
	high, low = bits.Mul64(high^low^uint64(dst.Port()), o.seed)
	return high ^ low
}

// data returns the bytes of a packet in the queue.
func (o *Outbox) data(index int32) []byte {
	p := o.packets[index]
	return o.slab[p.at : p.at+p.n]
}

// writeEach sends the packets of a run one by one, and returns how many were lost.
func (o *Outbox) writeEach(d *datagrams, r *run) (lost int) {
	for n := r.first; n >= 0; n = o.packets[n].next {
		if d.write(o.data(n), r.dst, r.local) != nil {
			lost++
		}
	}
	return lost
}

// refuse remembers that a destination takes no runs: its way out cannot cut them. What is remembered is forgotten when it is too
// much.
func (o *Outbox) refuse(dst netip.Addr) {
	if len(o.refused) >= maxRefused {
		clear(o.refused)
	}
	o.refused[dst] = struct{}{}
	o.server.counts.refused.Add(1)
}

// Flush sends what is queued. Errors are counted: UDP promises nothing.
func (o *Outbox) Flush() {
	if len(o.packets) == 0 {
		return
	}
	lost, messages := o.out.send(o)
	c := &o.server.counts
	c.sent.Add(uint64(len(o.packets) - lost))
	c.messages.Add(uint64(messages))
	if lost > 0 {
		c.writeErrors.Add(uint64(lost))
	}
	o.packets, o.runs, o.used = o.packets[:0], o.runs[:0], 0
	if o.era++; o.era == 0 {
		clear(o.table[:])
		o.era = 1
	}
}

// Pass gives a packet to another loop, which gets it in a HandleBatch of its own, with this tag. It is copied and taken. It
// reports false, and the packet is dropped and counted, when the other loop is too far behind or there is none of that number.
// What is passed in a wake-up arrives together, after its end.
func (o *Outbox) Pass(to int, p *Packet, tag uint64) bool {
	p.taken = true
	if to >= 0 && to < len(o.server.loops) && to != o.loop.id && o.loop.pass(to, p, tag) {
		return true
	}
	o.server.counts.passLost.Add(1)
	return false
}
