package portserver

import (
	"container/heap"
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// undecided holds the connections of which nothing is known yet, oldest first, in all and by source.
type undecided struct {
	mu             sync.Mutex
	max, perSource int
	all            *list.List
	sources        map[netip.Addr]*source
	bySize         sizes
}

// source is where connections come from.
type source struct {
	list.List
	place int // in sizes
}

// waitingEntry is a connection's place in both lists. Its owner removes it; being removed twice does no harm.
type waitingEntry struct {
	conn            net.Conn
	source          netip.Addr
	inAll, inSource *list.Element
}

func newUndecided(max, perSource int) *undecided {
	return &undecided{max: max, perSource: perSource, all: list.New(), sources: make(map[netip.Addr]*source)}
}

// add takes a connection in. When there are too many from its source, it returns the oldest of those, and when there are
// too many in all, the oldest of the source that has most: it is out already and to be closed.
func (u *undecided) add(c net.Conn) (entry *waitingEntry, evicted net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	entry = &waitingEntry{conn: c, source: sourceOf(c.RemoteAddr())}
	switch same := u.sources[entry.source]; {
	case same != nil && same.Len() >= u.perSource:
		evicted = u.evict(same.Front())
	case u.all.Len() >= u.max:
		evicted = u.evict(u.excess())
	}
	same := u.sources[entry.source]
	if same == nil {
		same = &source{}
		u.sources[entry.source] = same
		heap.Push(&u.bySize, same)
	}
	entry.inAll, entry.inSource = u.all.PushBack(entry), same.PushBack(entry)
	heap.Fix(&u.bySize, same.place)
	return entry, evicted
}

// excess returns the connection that others can best do without: the oldest of the source that has most, or of all when
// each source has one; nil without any.
func (u *undecided) excess() *list.Element {
	if len(u.bySize) > 0 && u.bySize[0].Len() > 1 {
		return u.bySize[0].Front()
	}
	return u.all.Front()
}

// evict takes a connection out.
func (u *undecided) evict(e *list.Element) net.Conn {
	if e == nil {
		return nil
	}
	entry := e.Value.(*waitingEntry)
	u.take(entry)
	return entry.conn
}

// take takes an entry out of both lists.
func (u *undecided) take(e *waitingEntry) {
	if e.inAll == nil {
		return
	}
	u.all.Remove(e.inAll)
	same := u.sources[e.source]
	same.Remove(e.inSource)
	if same.Len() > 0 {
		heap.Fix(&u.bySize, same.place)
	} else {
		heap.Remove(&u.bySize, same.place)
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

// relieve takes out a connection to be closed, nil when there is none.
func (u *undecided) relieve() net.Conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.evict(u.excess())
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

// sizes is a heap of sources, the one with most connections first.
type sizes []*source

func (s sizes) Len() int           { return len(s) }
func (s sizes) Less(i, j int) bool { return s[i].List.Len() > s[j].List.Len() }
func (s sizes) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push is heap.Interface's.
func (s *sizes) Push(x any) {
	one := x.(*source)
	one.place = len(*s)
	*s = append(*s, one)
}

// Pop is heap.Interface's.
func (s *sizes) Pop() any {
	last := len(*s) - 1
	one := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	return one
}
