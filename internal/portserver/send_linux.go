package portserver

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// patienceToSend is how long a loop waits for room in its socket's buffer before it gives up what is queued: late media is worth
// nothing, and the loop has others to serve.
const patienceToSend = 10 * time.Millisecond

// maxMessages is how many messages one call sends at most.
const maxMessages = 64

// maxAgain is how often a message is tried again after errors that may belong to packets before it.
const maxAgain = 4

// batchSender sends with sendmmsg.
type batchSender struct {
	d     *datagrams
	raw   syscall.RawConn
	zones *zones

	messages [outboxPackets]mmsg // one for each run
	vectors  [outboxPackets]unix.Iovec
	names    [outboxPackets]unix.RawSockaddrInet6
	controls [outboxPackets][controlLen]byte

	push        func(fd uintptr) // the whole queue, made once
	pushOn      func(fd uintptr) bool
	o           *Outbox
	next, end   int // messages that are not sent yet
	blocked     bool
	again       int // times that the message at next was refused for what may be another's fault
	lost, calls int
}

func newBatchSender(d *datagrams) (*batchSender, error) {
	raw, err := d.conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &batchSender{d: d, raw: raw, zones: newZones()}
	for i := range s.messages {
		s.messages[i].Name = (*byte)(unsafe.Pointer(&s.names[i]))
	}
	s.push = func(fd uintptr) { s.transmit(fd) }
	s.pushOn = func(fd uintptr) bool {
		s.transmit(fd)
		return !s.blocked
	}
	return s, nil
}

func (s *batchSender) send(o *Outbox) (lost, messages int) {
	s.o, s.next, s.end, s.lost, s.again = o, 0, len(o.runs), 0, 0
	s.build()
	if s.raw.Control(s.push) == nil && s.blocked {
		// The buffer is full. Waiting needs the runtime's help, and a bound.
		_ = s.d.conn.SetWriteDeadline(time.Now().Add(patienceToSend))
		_ = s.raw.Write(s.pushOn)
		_ = s.d.conn.SetWriteDeadline(time.Time{})
		if s.blocked { // or the scheduler was late, and there is room by now
			_ = s.raw.Control(s.push)
		}
	}
	for ; s.next < s.end; s.next++ { // time is over, or the socket closed
		s.lost += int(o.runs[s.next].count)
	}
	s.o = nil
	return s.lost, len(o.runs)
}

// build makes a message of each run.
func (s *batchSender) build() {
	vector := 0
	for i := range s.o.runs {
		r, m := &s.o.runs[i], &s.messages[i]
		m.Namelen = s.zones.putAddr(&s.names[i], r.dst, s.d.six)
		m.Iov = &s.vectors[vector]
		m.SetIovlen(int(r.count))
		for n := r.first; n >= 0; n = s.o.packets[n].next {
			p := s.o.packets[n]
			s.vectors[vector].Base = &s.o.slab[p.at]
			s.vectors[vector].SetLen(int(p.n))
			vector++
		}
		control := 0
		if s.d.wild && r.local.IsValid() && !r.local.IsMulticast() {
			control = putSource(s.controls[i][:], r.local)
		}
		if r.count > 1 {
			control += putSegment(s.controls[i][control:], int(r.size))
		}
		m.Control = nil
		if control > 0 {
			m.Control = &s.controls[i][0]
		}
		m.SetControllen(control)
	}
}

// transmit sends from next on until the end, or until the socket has no room: blocked then.
func (s *batchSender) transmit(fd uintptr) {
	s.blocked = false
	for s.next < s.end {
		if s.messages[s.next].Namelen == 0 { // no such address on this socket
			s.giveUp()
			continue
		}
		// Raw, as in batchReader.receive; maxMessages bounds for how long nothing else gets this processor.
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.messages[s.next])), uintptr(s.reachable()), unix.MSG_DONTWAIT, 0, 0)
		s.calls++
		switch {
		case errno == 0 && n > 0:
			// When one of several is refused, the call ends before it, and the next one tells why.
			s.next, s.again = s.next+int(n), 0
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			s.blocked = true
			return
		default:
			s.refused(errno)
		}
	}
}

// reachable counts the messages from next on that have an address, up to the most of one call.
func (s *batchSender) reachable() int {
	n := s.next
	for n < min(s.end, s.next+maxMessages) && s.messages[n].Namelen != 0 {
		n++
	}
	return n - s.next
}

// refused decides what becomes of the message that the kernel did not take.
func (s *batchSender) refused(errno syscall.Errno) {
	r := &s.o.runs[s.next]
	switch errno {
	case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ECONNRESET, unix.EPROTO:
		// It may be what became of earlier packets, told only now; once told, it is forgotten.
		if s.again++; s.again <= maxAgain {
			return
		}
	case unix.EIO, unix.EINVAL, unix.EMSGSIZE, unix.EOPNOTSUPP, unix.ENOPROTOOPT:
		// EIO: the way out has no checksum offload, or IPsec; the others: the packets do not fit through it as a run.
		if r.count > 1 {
			s.single(r)
			return
		}
	}
	s.giveUp()
}

// single sends the packets of a run one by one, and remembers that its destination wants that, if that is what was wrong.
func (s *batchSender) single(r *run) {
	lost := s.o.writeEach(s.d, r)
	if lost < int(r.count) {
		s.o.refuse(r.dst.Addr())
	}
	s.lost += lost
	s.next, s.again = s.next+1, 0
}

// giveUp drops a message.
func (s *batchSender) giveUp() {
	s.lost += int(s.o.runs[s.next].count)
	s.next, s.again = s.next+1, 0
}
