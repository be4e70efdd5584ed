package portserver

import (
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchPackets = 64 // read by one call
	// longestBatched is the payload of a jumbo frame. Longer ones are dropped and counted: no protocol of the port has them.
	longestBatched = 9216
)

// mmsg is struct mmsghdr of recvmmsg(2).
type mmsg struct {
	unix.Msghdr
	n uint32
}

// batchReader reads with recvmmsg.
type batchReader struct {
	d     *datagrams
	raw   syscall.RawConn
	zones *zones

	messages [batchPackets]mmsg
	vectors  [batchPackets]unix.Iovec
	names    [batchPackets]unix.RawSockaddrInet6
	controls [batchPackets][controlLen]byte
	bytes    []byte
	batch    [batchPackets]Packet

	try  func(fd uintptr) bool // receive, made once
	wait bool
	n    int
	err  error
}

func newBatchReader(d *datagrams) (*batchReader, error) {
	raw, err := d.conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &batchReader{d: d, raw: raw, zones: newZones(), bytes: make([]byte, batchPackets*longestBatched)}
	for i := range r.messages {
		m := &r.messages[i]
		r.vectors[i].Base = &r.bytes[i*longestBatched]
		r.vectors[i].SetLen(longestBatched)
		m.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		m.Iov = &r.vectors[i]
		m.SetIovlen(1)
		m.Control = &r.controls[i][0]
		r.reset(i)
	}
	r.try = r.receive
	return r, nil
}

// reset makes a message ready for the next call, which writes over all of this.
func (r *batchReader) reset(i int) {
	m := &r.messages[i]
	m.Namelen = unix.SizeofSockaddrInet6
	m.SetControllen(controlLen)
	m.Flags = 0
}

// receive is tried until it reports true; in between, the runtime waits until the socket can be read.
func (r *batchReader) receive(fd uintptr) bool {
	for {
		// Raw: it never waits. Told of a call, the scheduler of an idle process wakes a thread to watch it, which costs more
		// than the call.
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.messages[0])), batchPackets, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			r.n = int(n)
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			r.n = 0
			return !r.wait
		default:
			r.n, r.err = 0, os.NewSyscallError("recvmmsg", errno)
			return true
		}
	}
}

func (r *batchReader) read(wait bool) ([]Packet, error) {
	r.wait, r.err, r.n = wait, nil, 0
	if err := r.raw.Read(r.try); err != nil {
		return nil, err
	}
	if r.err != nil {
		return nil, r.err
	}
	var kinds [RTP + 1]uint64
	count := 0
	for i := range r.n {
		if r.parse(i, &r.batch[count]) {
			kinds[r.batch[count].Kind]++
			if r.batch[count].Kind != Unknown {
				count++
			}
		}
		r.reset(i)
	}
	for kind, n := range kinds {
		if n > 0 {
			r.d.counts.packets[kind].Add(n)
		}
	}
	return r.batch[:count], nil
}

// parse makes a packet of a message; false means that it came cut, or from nowhere.
func (r *batchReader) parse(i int, p *Packet) bool {
	m := &r.messages[i]
	if m.Flags&unix.MSG_TRUNC != 0 {
		r.d.counts.truncated.Add(1)
		return false
	}
	src := r.zones.addrOf(&r.names[i], m.Namelen)
	if !src.IsValid() {
		r.d.counts.readErrors.Add(1)
		return false
	}
	var local netip.Addr
	if r.d.wild {
		local = localOf(r.controls[i][:min(uint64(m.Controllen), controlLen)])
	}
	b := r.bytes[i*longestBatched : i*longestBatched+int(m.n) : (i+1)*longestBatched]
	*p = Packet{Src: src, Local: local, Data: b, Kind: Classify(b)}
	return true
}
