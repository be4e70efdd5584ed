package turnserver

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
)

// stream is a client that came over TCP or TLS.
type stream struct {
	conn      net.Conn
	client    turn.Client
	tls       bool
	allocated bool // guarded by Server.mu
	limit     int  // of out, in bytes

	mu    sync.Mutex // guards out and spare
	out   []byte     // whole frames that wait to be written
	spare []byte     // the buffer that was written before, to be used again
	wake  chan struct{}
	done  chan struct{} // closed when the reader has ended
}

// streams are the open streams, and how many of them have no allocation.
type streams struct {
	byID   map[uint64]*stream
	lastID uint64
	idle   int
	idleBy map[netip.Addr]int
}

func newStreams() streams {
	return streams{byID: make(map[uint64]*stream), idleBy: make(map[netip.Addr]int)}
}

// ServeStream serves a client over TCP or TLS, and closes the connection in the end. overTLS is for the log and the observer.
func (s *Server) ServeStream(c net.Conn, overTLS bool) {
	defer c.Close()
	st := s.admit(c, overTLS)
	if st == nil {
		return
	}
	defer s.running.Done()
	written := make(chan struct{})
	go func() {
		defer close(written)
		st.write(s.cfg.WriteTimeout)
	}()
	err := s.read(st)
	close(st.done)
	c.Close()
	<-written
	s.dismiss(st)
	s.log.Debug("relay: stream ended", "client", st.client.Addr.String(), "tls", overTLS, "error", err)
}

// admit registers a stream, or returns nil when there are too many without an allocation. Its first allocation must be made
// within StreamIdle.
func (s *Server) admit(c net.Conn, overTLS bool) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &stream{
		conn: c, tls: overTLS, limit: s.cfg.StreamQueue,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		st.client.Addr = netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	}
	source := turn.SourceOf(st.client.Addr.Addr())
	if s.closed || s.streams.idle >= s.cfg.IdleStreams || s.streams.idleBy[source] >= s.cfg.IdleStreamsPerPrefix {
		s.stats.StreamsRefused++
		return nil
	}
	s.running.Add(1)
	s.streams.lastID++
	st.client.Stream = s.streams.lastID
	s.streams.byID[st.client.Stream] = st
	s.streams.count(st, 1)
	_ = c.SetReadDeadline(time.Now().Add(s.cfg.StreamIdle))
	return st
}

// count adds n to the streams without an allocation.
func (ss *streams) count(st *stream, n int) {
	source := turn.SourceOf(st.client.Addr.Addr())
	ss.idle += n
	if ss.idleBy[source] += n; ss.idleBy[source] == 0 {
		delete(ss.idleBy, source)
	}
}

// dismiss forgets a stream; its allocation ends with it.
func (s *Server) dismiss(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer delete(s.streams.byID, st.client.Stream) // last: what is told of its end says how it came
	if !st.allocated {
		s.streams.count(st, -1)
	}
	if s.closed {
		return
	}
	defer s.contain(turn.Client{})
	s.engine.HandleClosed(st.client)
	s.carryOut(time.Now())
}

// idle says that a stream has lost its allocation.
func (s *Server) idle(now time.Time, st *stream) {
	if st == nil || !st.allocated {
		return
	}
	st.allocated = false
	s.streams.count(st, 1)
	_ = st.conn.SetReadDeadline(now.Add(s.cfg.StreamIdle))
}

// read reads frames until the stream ends or breaks the protocol.
func (s *Server) read(st *stream) error {
	var split turn.Splitter
	for {
		n, err := st.conn.Read(split.Space())
		split.Wrote(n)
		for {
			frame, malformed := split.Next()
			if malformed != nil {
				return malformed
			}
			if frame == nil {
				break
			}
			s.handleFrame(st, frame)
		}
		if err != nil {
			return err
		}
	}
}

func (s *Server) handleFrame(st *stream, frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	defer s.contain(st.client)
	now := time.Now()
	if s.engine.HandlePacket(now, st.client, frame) != nil {
		st.conn.Close()
		return
	}
	s.carryOut(now)
	if !st.allocated && s.engine.Has(st.client) {
		st.allocated = true
		s.streams.count(st, -1)
		_ = st.conn.SetReadDeadline(time.Time{}) // from now on the allocation's lifetime counts
	}
}

// enqueue takes a copy of a frame for the writer, padded as streams need it (RFC 8656 §12.5). It returns false when the queue
// is full.
func (st *stream) enqueue(frame []byte) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.out)+len(frame)+3 > st.limit {
		return false
	}
	st.out = append(st.out, frame...)
	for len(st.out)%4 != 0 {
		st.out = append(st.out, 0)
	}
	select {
	case st.wake <- struct{}{}:
	default:
	}
	return true
}

// write writes what is queued, all of it in one go, until the reader has ended or a write fails.
func (st *stream) write(timeout time.Duration) {
	for {
		select {
		case <-st.wake:
		case <-st.done:
			return
		}
		st.mu.Lock()
		b := st.out
		st.out = st.spare[:0]
		st.mu.Unlock()
		_ = st.conn.SetWriteDeadline(time.Now().Add(timeout))
		if _, err := st.conn.Write(b); err != nil {
			st.conn.Close() // wakes the reader
			return
		}
		st.mu.Lock()
		st.spare = b
		st.mu.Unlock()
	}
}
