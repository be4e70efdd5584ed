package portserver

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
)

// replay is a connection whose first bytes were read already; Read gives them again.
type replay struct {
	net.Conn
	head []byte
}

// Read reads the first bytes again, then the connection.
func (r *replay) Read(b []byte) (int, error) {
	if len(r.head) == 0 {
		return r.Conn.Read(b)
	}
	n := copy(b, r.head)
	r.head = r.head[n:]
	return n, nil
}

// replayTLS is the same inside TLS.
type replayTLS struct {
	replay
	secure *tls.Conn
}

// ConnectionState is what net/http asks a connection for that is not a *tls.Conn.
func (r *replayTLS) ConnectionState() tls.ConnectionState { return r.secure.ConnectionState() }

// listener is a net.Listener fed with connections that somebody else accepted.
type listener struct {
	address net.Addr
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func newListener(address net.Addr) *listener {
	return &listener{address: address, conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept returns the next connection, or net.ErrClosed.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// shut ends Accept.
func (l *listener) shut() { l.once.Do(func() { close(l.done) }) }

// Close ends Accept. The port itself stays open.
func (l *listener) Close() error {
	l.shut()
	return nil
}

// Addr returns the address of the port.
func (l *listener) Addr() net.Addr { return l.address }

// undecided holds the connections of which nothing is known yet, oldest first, in all and by source.
type undecided struct {
	mu             sync.Mutex
	max, perSource int
	all            *list.List
	sources        map[netip.Addr]*list.List
}

// waitingEntry is a connection's place in both lists. Its owner removes it; being removed twice does no harm.
type waitingEntry struct {
	conn            net.Conn
	source          netip.Addr
	inAll, inSource *list.Element
}

func newUndecided(max, perSource int) *undecided {
	return &undecided{max: max, perSource: perSource, all: list.New(), sources: make(map[netip.Addr]*list.List)}
}

// add takes a connection in. When there are too many, from its source or in all, it returns the oldest of those, which is out
// already and to be closed.
func (u *undecided) add(c net.Conn) (entry *waitingEntry, evicted net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	entry = &waitingEntry{conn: c, source: sourceOf(c.RemoteAddr())}
	same := u.sources[entry.source]
	var out *list.Element
	switch {
	case same != nil && same.Len() >= u.perSource:
		out = same.Front()
	case u.all.Len() >= u.max:
		out = u.all.Front()
	}
	if out != nil {
		old := out.Value.(*waitingEntry)
		u.take(old)
		evicted = old.conn
	}
	if same = u.sources[entry.source]; same == nil {
		same = list.New()
		u.sources[entry.source] = same
	}
	entry.inAll, entry.inSource = u.all.PushBack(entry), same.PushBack(entry)
	return entry, evicted
}

// take takes an entry out of both lists.
func (u *undecided) take(e *waitingEntry) {
	if e.inAll == nil {
		return
	}
	u.all.Remove(e.inAll)
	same := u.sources[e.source]
	if same.Remove(e.inSource); same.Len() == 0 {
		delete(u.sources, e.source)
	}
	e.inAll, e.inSource = nil, nil
}

// remove says that a connection is decided, or closed.
func (u *undecided) remove(e *waitingEntry) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.take(e)
}

// oldest takes out the oldest connection of all, to be closed; nil when there is none.
func (u *undecided) oldest() net.Conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	front := u.all.Front()
	if front == nil {
		return nil
	}
	e := front.Value.(*waitingEntry)
	u.take(e)
	return e.conn
}

// len returns how many connections are undecided.
func (u *undecided) len() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.all.Len()
}

// closeAll closes every connection; their owners remove them.
func (u *undecided) closeAll() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for e := u.all.Front(); e != nil; e = e.Next() {
		e.Value.(*waitingEntry).conn.Close()
	}
}

// sourceOf returns what connections are counted by: the IPv4 address or the IPv6 /64.
func sourceOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if addr.Is6() {
		b := addr.As16()
		clear(b[8:])
		return netip.AddrFrom16(b)
	}
	return addr
}

// connections is a set that can be closed as a whole.
type connections struct {
	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

func newConnections() *connections { return &connections{open: make(map[net.Conn]struct{})} }

// add takes a connection in; false means that the set is closed.
func (s *connections) add(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[c] = struct{}{}
	return true
}

func (s *connections) remove(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *connections) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
}
