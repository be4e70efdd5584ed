package parley

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/signalserver"
)

// diskTime is how long a write of memoryKeeper takes.
const diskTime = 5 * time.Millisecond

// memoryKeeper keeps rooms and what is said in them over restarts of the server, in memory and with a delay as a disk
// has. What was not written when the server is killed is lost.
type memoryKeeper struct {
	mu       sync.Mutex
	rooms    map[string][]byte
	messages map[string][]signalserver.Said
	ids      map[string]map[string]uint64
	queue    []func() // writes, the oldest first
	disk     *time.Timer
}

func newMemoryKeeper() *memoryKeeper {
	return &memoryKeeper{
		rooms: map[string][]byte{}, messages: map[string][]signalserver.Said{}, ids: map[string]map[string]uint64{},
	}
}

// crash loses what is being written.
func (k *memoryKeeper) crash() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queue = nil
	if k.disk != nil {
		k.disk.Stop()
	}
}

// later runs f when the disk has written, after all that was to be written before, unless the server is killed meanwhile.
func (k *memoryKeeper) later(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queue = append(k.queue, f)
	if len(k.queue) == 1 {
		k.disk = time.AfterFunc(diskTime, k.write)
	}
}

// write finishes the oldest write.
func (k *memoryKeeper) write() {
	k.mu.Lock()
	if len(k.queue) == 0 {
		k.mu.Unlock()
		return
	}
	f := k.queue[0]
	k.mu.Unlock()
	f()
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) > 0 {
		k.queue = k.queue[1:]
	}
	if len(k.queue) > 0 {
		k.disk = time.AfterFunc(diskTime, k.write)
	}
}

func (k *memoryKeeper) Rooms() (map[string][]byte, []string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.rooms), nil, nil
}

func (k *memoryKeeper) Histories() ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Keys(k.messages)), nil
}

func (k *memoryKeeper) PutRoom(room string, record []byte) {
	k.later(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.rooms[room] = record
	})
}

func (k *memoryKeeper) DeleteRoom(room string) {
	k.later(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.rooms, room)
	})
}

func (k *memoryKeeper) Append(room, id string, message []byte, done func(uint64, error)) {
	k.later(func() {
		k.mu.Lock()
		if k.ids[room] == nil {
			k.ids[room] = map[string]uint64{}
		}
		seq := k.ids[room][id]
		if seq == 0 {
			seq = uint64(len(k.messages[room]) + 1)
			k.ids[room][id] = seq
			k.messages[room] = append(k.messages[room], signalserver.Said{Seq: seq, Message: message})
		}
		k.mu.Unlock()
		done(seq, nil)
	})
}

func (k *memoryKeeper) Read(room string, before uint64, limit int, done func([]signalserver.Said, bool, error)) {
	k.later(func() {
		k.mu.Lock()
		all := k.messages[room]
		if before > 0 {
			all = all[:min(len(all), int(before)-1)]
		}
		list := slices.Clone(all[max(0, len(all)-limit):])
		k.mu.Unlock()
		done(list, len(list) < len(all), nil)
	})
}

func (k *memoryKeeper) Purge(room string) {
	k.later(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.messages, room)
		delete(k.ids, room)
	})
}
