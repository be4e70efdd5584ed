package simnet

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/pion/transport/v4/deadline"

	"github.com/parley-rtc/parley/internal/netsim"
)

// A stream is as much of TCP (RFC 9293) as its faults need: a handshake, segments that are sent again with growing
// pauses (RFC 6298), a reset for whom nobody knows. It has no congestion control.
const (
	segmentSize = 1200
	headerSize  = 9 // flags, number, acknowledgement
	maxUnacked  = 128 << 10
	maxAhead    = 4096
	firstAgain  = time.Second
	leastAgain  = 200 * time.Millisecond
	mostAgain   = 60 * time.Second
	mostTries   = 12
)

const (
	flagSYN = 1 << iota
	flagACK
	flagFIN
	flagRST
)

// stream is one TCP connection. It implements net.Conn. The internet's lock guards it.
type stream struct {
	host     *Host
	ends     ends
	accepter *listener // of a stream that is being accepted

	open     bool
	sent     uint32  // number of the next byte to send
	acked    uint32  // number of the oldest byte that was not acknowledged
	unacked  []piece // the oldest first
	bytes    int     // of them
	received uint32  // number of the next byte that is expected
	ahead    map[uint32]piece
	buffer   []byte // to be read
	ended    bool   // the other side sends no more
	closing  bool   // we send no more
	err      error
	again    *time.Timer
	pause    time.Duration
	tries    int
	doubles  int
	mending  bool // segments up to mended may be missing: each advance sends the next one again (RFC 6582)
	mended   uint32

	wake        chan struct{} // closed and replaced at every change
	read, write *deadline.Deadline
}

// piece is a segment that counts in the numbering.
type piece struct {
	at    uint32
	flags byte
	data  []byte
}

func (p piece) length() uint32 {
	n := uint32(len(p.data))
	if p.flags&(flagSYN|flagFIN) != 0 {
		n++
	}
	return n
}

func (h *Host) newStream(e ends) *stream {
	s := &stream{
		host: h, ends: e, ahead: make(map[uint32]piece), pause: firstAgain, wake: make(chan struct{}),
		read: deadline.New(), write: deadline.New(),
	}
	s.again = time.AfterFunc(24*time.Hour, s.resend)
	s.again.Stop()
	h.streams[e] = s
	return s
}

// changed wakes whoever waits.
func (s *stream) changed() {
	close(s.wake)
	s.wake = make(chan struct{})
}

// emit sends a segment once.
func (s *stream) emit(p piece) {
	b := make([]byte, headerSize, headerSize+len(p.data))
	b[0] = p.flags
	if s.open || p.flags&flagSYN == 0 || s.accepter != nil {
		b[0] |= flagACK
	}
	binary.BigEndian.PutUint32(b[1:], p.at)
	binary.BigEndian.PutUint32(b[5:], s.received)
	_ = s.host.send(netsim.Packet{ // a network that is down loses it; it is sent again
		Protocol: netsim.TCP, Src: s.ends.local, Dst: s.ends.remote, Payload: append(b, p.data...),
	})
}

// put sends a segment that counts, until it is acknowledged.
func (s *stream) put(flags byte, data []byte) {
	p := piece{at: s.sent, flags: flags, data: data}
	s.sent += p.length()
	s.unacked = append(s.unacked, p)
	s.bytes += len(data)
	s.emit(p)
	if len(s.unacked) == 1 {
		s.again.Reset(s.pause)
	}
}

// resend sends the oldest segment again.
func (s *stream) resend() {
	s.host.internet.mu.Lock()
	defer s.host.internet.mu.Unlock()
	if len(s.unacked) == 0 || s.err != nil {
		return
	}
	if s.tries++; s.tries > mostTries {
		s.fail(os.ErrDeadlineExceeded)
		return
	}
	s.mending, s.mended = true, s.sent
	s.emit(s.unacked[0])
	s.pause = min(mostAgain, 2*s.pause)
	s.again.Reset(s.pause)
}

// fail ends the stream at once.
func (s *stream) fail(err error) {
	if s.err == nil {
		s.err = err
	}
	s.again.Stop()
	delete(s.host.streams, s.ends)
	s.changed()
}

// segment handles a segment that came to the host.
func (h *Host) segment(p netsim.Packet) {
	if len(p.Payload) < headerSize {
		return
	}
	flags := p.Payload[0]
	seg := piece{at: binary.BigEndian.Uint32(p.Payload[1:]), flags: flags, data: p.Payload[headerSize:]}
	ack := binary.BigEndian.Uint32(p.Payload[5:])
	e := ends{p.Dst, p.Src}
	s := h.streams[e]
	if s == nil {
		l := h.listeners[p.Dst.Port()]
		switch {
		case flags&flagRST != 0:
			return
		case flags&flagSYN == 0 || flags&flagACK != 0 || l == nil || l.closed:
			_ = h.send(netsim.Packet{
				Protocol: netsim.TCP, Src: p.Dst, Dst: p.Src, Payload: append([]byte{flagRST}, make([]byte, headerSize-1)...),
			}) // as lost as any other
			return
		}
		s = h.newStream(e)
		s.accepter = l
		s.received = seg.at + 1
		s.put(flagSYN, nil)
		return
	}
	if flags&flagRST != 0 {
		s.fail(errors.New("simnet: connection reset by peer"))
		return
	}
	if flags&flagACK != 0 {
		s.acknowledged(ack, seg.length() == 0)
	}
	s.take(seg)
}

// acknowledged forgets what the other side has.
func (s *stream) acknowledged(ack uint32, bare bool) {
	advanced := false
	for len(s.unacked) > 0 && int32(ack-s.unacked[0].at) >= int32(s.unacked[0].length()) {
		s.bytes -= len(s.unacked[0].data)
		s.unacked = s.unacked[1:]
		advanced = true
	}
	if !advanced {
		if !bare || len(s.unacked) == 0 {
			return
		}
		if s.doubles++; s.doubles == 3 && !s.mending {
			s.mending, s.mended = true, s.sent
			s.emit(s.unacked[0])
		}
		return
	}
	s.mending = s.mending && int32(s.mended-ack) > 0
	if s.mending {
		s.emit(s.unacked[0])
	}
	s.acked, s.doubles, s.tries, s.pause = ack, 0, 0, leastAgain
	s.again.Stop()
	if len(s.unacked) > 0 {
		s.again.Reset(s.pause)
	} else if s.closing && s.ended {
		delete(s.host.streams, s.ends)
	}
	if l := s.accepter; l != nil && !s.open {
		s.open, s.accepter = true, nil
		select {
		case l.in <- s:
		default:
			s.fail(errors.New("simnet: nobody accepts"))
		}
	}
	s.changed()
}

// take takes a segment that counts: now, or when those before it are there.
func (s *stream) take(p piece) {
	if p.length() == 0 {
		return
	}
	if p.flags&flagSYN != 0 { // the answer to ours
		if !s.open && s.accepter == nil {
			s.open, s.received = true, p.at+1
		}
		s.emit(piece{at: s.sent})
		s.changed()
		return
	}
	if int32(p.at-s.received) > 0 && len(s.ahead) < maxAhead {
		s.ahead[p.at] = p
	}
	for p.at == s.received {
		s.received += p.length()
		s.buffer = append(s.buffer, p.data...)
		s.ended = s.ended || p.flags&flagFIN != 0
		next, ok := s.ahead[s.received]
		if !ok {
			break
		}
		delete(s.ahead, s.received)
		p = next
	}
	s.emit(piece{at: s.sent})
	s.changed()
}

// Read implements net.Conn.
func (s *stream) Read(b []byte) (int, error) {
	for {
		s.host.internet.mu.Lock()
		n := copy(b, s.buffer)
		s.buffer = s.buffer[n:]
		err, ended, wake := s.err, s.ended, s.wake
		s.host.internet.mu.Unlock()
		switch {
		case n > 0 || len(b) == 0:
			return n, nil
		case err != nil:
			return 0, &net.OpError{Op: "read", Net: "tcp", Err: err}
		case ended:
			return 0, io.EOF
		}
		select {
		case <-wake:
		case <-s.read.Done():
			return 0, &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}
	}
}

// Write implements net.Conn.
func (s *stream) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		s.host.internet.mu.Lock()
		err, wake := s.err, s.wake
		if s.closing {
			err = net.ErrClosed
		}
		for err == nil && len(b) > 0 && s.bytes < maxUnacked {
			part := b[:min(len(b), segmentSize)]
			s.put(0, append([]byte(nil), part...))
			b, n = b[len(part):], n+len(part)
		}
		s.host.internet.mu.Unlock()
		if err != nil {
			return n, &net.OpError{Op: "write", Net: "tcp", Err: err}
		}
		if len(b) == 0 {
			break
		}
		select {
		case <-wake:
		case <-s.write.Done():
			return n, &net.OpError{Op: "write", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}
	}
	return n, nil
}

// Close implements net.Conn: what was written is still sent.
func (s *stream) Close() error {
	s.host.internet.mu.Lock()
	defer s.host.internet.mu.Unlock()
	if s.err != nil || s.closing {
		return nil
	}
	s.closing = true
	s.put(flagFIN, nil)
	s.ended = true // nobody reads any more
	s.changed()
	return nil
}

// LocalAddr implements net.Conn.
func (s *stream) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(s.ends.local) }

// RemoteAddr implements net.Conn.
func (s *stream) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.ends.remote) }

// SetDeadline implements net.Conn.
func (s *stream) SetDeadline(t time.Time) error {
	s.read.Set(t)
	s.write.Set(t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.read.Set(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.write.Set(t)
	return nil
}

// DialContext opens a stream from the default interface. address is an IP address and a port.
func (h *Host) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	s, err := h.dial(to)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	for {
		h.internet.mu.Lock()
		open, failed, wake := s.open, s.err, s.wake
		h.internet.mu.Unlock()
		switch {
		case failed != nil:
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: failed}
		case open:
			return s, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			h.internet.mu.Lock()
			s.fail(context.Cause(ctx))
			h.internet.mu.Unlock()
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.Cause(ctx)}
		}
	}
}

func (h *Host) dial(to netip.AddrPort) (*stream, error) {
	h.internet.mu.Lock()
	defer h.internet.mu.Unlock()
	from, ok := h.source()
	if !ok {
		return nil, errNoRoute
	}
	port, err := h.free()
	if err != nil {
		return nil, err
	}
	s := h.newStream(ends{netip.AddrPortFrom(from, port), to})
	s.put(flagSYN, nil)
	return s, nil
}
