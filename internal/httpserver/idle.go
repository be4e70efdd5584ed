package httpserver

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// idleLimit and idlePerSource bound how many connections may stand between two requests, or before their first one: in
// all, and from one IPv4 address or IPv6 /64. With TLS each holds some 40 kB for up to idleTimeout; a browser keeps six.
const (
	idleLimit     = 2048
	idlePerSource = 256
)

// idle holds the connections that ask for nothing now, the oldest first. When there are too many, the oldest of the source
// that has most of them is closed, and never the newest, so whoever asks at once is answered, and many from one source
// cost nobody else theirs.
type idle struct {
	limit, perSource int
	exempt           func(netip.Addr) bool // whose connections are many people's

	mu      sync.Mutex
	all     list.List
	sources map[netip.Addr]*list.List
	entries map[net.Conn]*idleEntry
}

type idleEntry struct {
	conn            net.Conn
	source          netip.Addr
	inAll, inSource *list.Element
}

// follow is an http.Server's ConnState.
func (d *idle) follow(c net.Conn, state http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.entries[c]; e != nil {
		d.take(e)
	}
	if state != http.StateNew && state != http.StateIdle {
		return
	}
	peer, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok || d.exempt(peer.AddrPort().Addr().Unmap()) {
		return
	}
	e := &idleEntry{conn: c, source: sourceOf(peer.AddrPort().Addr())}
	same := d.sources[e.source]
	switch {
	case same != nil && same.Len() >= d.perSource:
		d.end(same)
	case d.all.Len() >= d.limit:
		d.end(d.largest())
	}
	if same = d.sources[e.source]; same == nil {
		same = list.New()
		d.sources[e.source] = same
	}
	e.inAll, e.inSource = d.all.PushBack(e), same.PushBack(e)
	d.entries[c] = e
}

// largest returns the connections of the source that has most of them: where none has more than others, of the one that
// has asked for nothing for longest. There is one at least.
func (d *idle) largest() *list.List {
	largest := d.sources[d.all.Front().Value.(*idleEntry).source]
	for _, l := range d.sources {
		if l.Len() > largest.Len() {
			largest = l
		}
	}
	return largest
}

// end closes the oldest connection of a list that is not empty.
func (d *idle) end(l *list.List) {
	e := l.Front().Value.(*idleEntry)
	d.take(e)
	go e.conn.Close() // TLS says goodbye and may wait seconds for a reader
}

func (d *idle) take(e *idleEntry) {
	delete(d.entries, e.conn)
	d.all.Remove(e.inAll)
	same := d.sources[e.source]
	if same.Remove(e.inSource); same.Len() == 0 {
		delete(d.sources, e.source)
	}
}

// sourceOf is what connections are counted by.
func sourceOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}
