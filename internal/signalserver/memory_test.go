package signalserver

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"
)

// memory is a keeper in memory that behaves like a disk: what it is told is done a while later and in order, and only
// then acknowledged. crash loses what was not done.
type memory struct {
	delay time.Duration

	mu      sync.Mutex
	life    int // grows with every crash: what an earlier life was told is lost
	failing bool
	rooms   map[string][]byte
	deleted map[string]bool
	chats   map[string][]said
	newest  map[string]uint64
	queue   []func() func()
}

type said struct {
	Said
	id string
}

func newMemory(delay time.Duration) *memory {
	return &memory{delay: delay, rooms: map[string][]byte{}, deleted: map[string]bool{}, chats: map[string][]said{}, newest: map[string]uint64{}}
}

// do queues f, which is called with the lock held and returns what to call without it.
func (m *memory) do(f func() func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	life := m.life
	m.queue = append(m.queue, f)
	time.AfterFunc(m.delay, func() {
		m.mu.Lock()
		var done func()
		if life == m.life {
			f := m.queue[0]
			m.queue = m.queue[1:]
			done = f()
		}
		m.mu.Unlock()
		if done != nil {
			done()
		}
	})
}

func (m *memory) crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life++
	m.queue = nil
}

func (m *memory) fail(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing = on
}

// forget loses everything.
func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.rooms)
	clear(m.deleted)
	clear(m.chats)
}

var errDisk = errors.New("no space left on device")

func (m *memory) Rooms() (map[string][]byte, []string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.rooms), slices.Collect(maps.Keys(m.deleted)), nil
}

func (m *memory) Histories() (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.chats)), nil
}

func (m *memory) PutRoom(room string, record []byte) {
	m.do(func() func() {
		if !m.failing {
			m.rooms[room] = record
			delete(m.deleted, room)
		}
		return nil
	})
}

func (m *memory) DeleteRoom(room string) {
	m.do(func() func() {
		delete(m.rooms, room)
		m.deleted[room] = true
		return nil
	})
}

func (m *memory) Append(room, id string, message []byte, done func(uint64, error)) {
	m.do(func() func() {
		if m.failing {
			return func() { done(0, errDisk) }
		}
		for _, x := range m.chats[room] {
			if x.id == id {
				return func() { done(x.Seq, nil) }
			}
		}
		m.newest[room]++
		x := said{Said{Seq: m.newest[room], Message: message}, id}
		m.chats[room] = append(m.chats[room], x)
		return func() { done(x.Seq, nil) }
	})
}

func (m *memory) Read(room string, before uint64, limit int, done func([]Said, bool, error)) {
	m.do(func() func() {
		if m.failing {
			return func() { done(nil, false, errDisk) }
		}
		var list []Said
		for _, x := range m.chats[room] {
			if before == 0 || x.Seq < before {
				list = append(list, x.Said)
			}
		}
		more := len(list) > limit
		if more {
			list = list[len(list)-limit:]
		}
		return func() { done(list, more, nil) }
	})
}

func (m *memory) Purge(room string) {
	m.do(func() func() { delete(m.chats, room); return nil })
}

// crash ends a server as kill -9 does: nobody hears of it, and nothing is written any more.
func (h *house) crash() {
	s := h.srv
	m, kept := s.cfg.Keeper.(*memory)
	if kept {
		m.crash()
	}
	s.draining.Store(true)
	s.stopOnce.Do(func() { close(s.stop) })
	s.loops.Wait()
	if kept {
		m.crash() // the loops may have gone on for a moment, which a dead process does not
	}
	for _, k := range s.sockets.all() {
		k.cut()
	}
	<-s.sockets.gone()
}

// restart crashes the server and starts another one in its place.
func (h *house) restart(t testing.TB) *house {
	h.crash()
	return inMemory(t, h.srv.cfg)
}
