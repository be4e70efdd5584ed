package mediaserver

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/peer"
	"github.com/parley-rtc/parley/internal/portserver"
)

const (
	// streamTime is how long a connection may take to prove that it is a client's.
	streamTime = 10 * time.Second
	// streamIdle is how long a client's connection may be silent. Checks come every few seconds.
	streamIdle = time.Minute
	// maxStreams is how many connections may be there at once, and streamQueue how many bytes may wait to be written to one.
	maxStreams  = 4096
	streamQueue = 512 << 10
	// streamRead is how much is read at once: at least one frame of the longest kind.
	streamRead = 64<<10 + 2
)

// stream is a TCP connection instead of the UDP socket (RFC 6544), its packets framed by RFC 4571. Packets come to the loop by
// commands, many at once, and go through a queue to a goroutine that writes. It is for clients whose network lets no UDP through.
type stream struct {
	path ice.Path
	conn net.Conn
	wake chan struct{}

	mu    sync.Mutex
	queue []byte
	full  uint64 // packets that found no room
}

// ServeICE takes a connection that begins with a framed check, and returns when it has closed it: portserver.Peers.
func (s *Server) ServeICE(conn net.Conn) {
	defer conn.Close()
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		return
	}
	defer s.streams.Add(-1)
	from, ok := conn.RemoteAddr().(*net.TCPAddr)
	to, fine := conn.LocalAddr().(*net.TCPAddr)
	if !ok || !fine {
		return
	}
	st := &stream{conn: conn, wake: make(chan struct{}, 1), path: ice.Path{
		Peer: unmapped(from.AddrPort()), Local: unmapped(to.AddrPort()).Addr(), Via: s.vias.Add(1),
	}}
	_ = conn.SetDeadline(time.Now().Add(streamTime))
	b := make([]byte, 0, streamRead)
	l := s.loopOf(conn, &b)
	if l == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	writing.Go(func() { st.write(ctx) })
	st.read(ctx, l, b)
	_ = s.do(ctx, l, func(now time.Time) { l.endStream(now, st) })
	cancel()
	conn.Close()
	writing.Wait()
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// loopOf reads the first frame, and says whose it is; nil when it is nobody's.
func (s *Server) loopOf(conn net.Conn, b *[]byte) *loop {
	for {
		if frame, _, ok := cut(*b); ok {
			ufrag, ok := ice.Ufrag(frame)
			if owner := ownerOf(ufrag); ok && owner < len(s.loops) {
				return s.loops[owner]
			}
			return nil
		}
		n, err := conn.Read((*b)[len(*b):cap(*b)])
		if *b = (*b)[:len(*b)+n]; err != nil {
			return nil
		}
	}
}

// cut takes the first frame off (RFC 4571 §2); ok is false when it is not whole.
func cut(b []byte) (frame, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, b, false
	}
	end := 2 + int(binary.BigEndian.Uint16(b))
	if len(b) < end {
		return nil, b, false
	}
	return b[2:end], b[end:], true
}

// read gives the loop what comes, and waits for it, so that a client which is too fast is held back. b is what was read already.
func (st *stream) read(ctx context.Context, l *loop, b []byte) {
	for {
		known, rest := false, b
		if l.server.do(ctx, l, func(now time.Time) { rest, known = l.takeStream(now, st, b) }) != nil {
			return
		}
		if known {
			_ = st.conn.SetDeadline(time.Now().Add(streamIdle))
		}
		b = b[:copy(b[:cap(b)], rest)]
		n, err := st.conn.Read(b[len(b):cap(b)])
		if b = b[:len(b)+n]; err != nil {
			return
		}
	}
}

// takeStream handles the frames in b and returns what is left, and whether the connection is a client's.
func (l *loop) takeStream(now time.Time, st *stream, b []byte) (rest []byte, known bool) {
	l.streams[st.path.Via] = st
	for {
		frame, after, ok := cut(b)
		if !ok {
			return b, l.paths[st.path].client != nil
		}
		b = after
		switch portserver.Classify(frame) {
		case portserver.STUN:
			l.streamCheck(now, st.path, frame)
		case portserver.RTP, portserver.DTLS:
			if c := l.paths[st.path].client; c != nil {
				l.handle(now, c, st.path, frame)
			}
		}
	}
}

func (l *loop) streamCheck(now time.Time, path ice.Path, frame []byte) {
	m, err := ice.Parse(frame)
	if err != nil || !m.Check() {
		return
	}
	c := l.byUfrag[string(m.Ufrag())]
	if c == nil {
		return
	}
	defer l.save(now, c)
	e := c.transport.HandleCheck(now, path, &m)
	if e.Has(peer.Found) || l.missing(now, c, path) {
		l.learn(now, c, path)
	}
	l.obey(now, c, e)
}

// endStream takes a connection out.
func (l *loop) endStream(now time.Time, st *stream) {
	delete(l.streams, st.path.Via)
	if c := l.paths[st.path].client; c != nil {
		l.obey(now, c, c.transport.HandleClosed(now, st.path.Via))
		l.unlearn(c, st.path, 0)
	}
}

// put queues a packet to be written. What finds no room is dropped, as by a network.
func (st *stream) put(packet []byte) {
	st.mu.Lock()
	if len(st.queue)+2+len(packet) > streamQueue {
		st.full++
		st.mu.Unlock()
		return
	}
	st.queue = binary.BigEndian.AppendUint16(st.queue, uint16(len(packet)))
	st.queue = append(st.queue, packet...)
	st.mu.Unlock()
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// write writes what is queued, all of it at once. A peer that does not read for streamIdle is gone.
func (st *stream) write(ctx context.Context) {
	var spare []byte
	for {
		select {
		case <-st.wake:
		case <-ctx.Done():
			return
		}
		st.mu.Lock()
		b := st.queue
		st.queue = spare[:0]
		st.mu.Unlock()
		if _, err := st.conn.Write(b); err != nil {
			st.conn.Close() // which ends the reading
			return
		}
		spare = b
	}
}
