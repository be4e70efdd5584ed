package store

import (
	"context"
	"sync"
)

// Bounds of what waits.
const (
	maxTasks     = 16_384
	maxTaskBytes = 32 << 20
	// atOnce is how many tasks are taken together: writes among them go to the disk without waiting for each other.
	atOnce = 64
)

// task is one thing to do: a write, or a call that has the engine for itself.
type task struct {
	write
	call   func(context.Context, *engine) error
	forget string // a subject of a journal whose end is another one after call
	done   []func(uint64, error)
}

// write is a message to be stored.
type write struct {
	stream, subject string
	id              string // of a journal's entry; "" for a value of a bucket
	keep            string // how long it stays, as JetStream wants it; "" for as long as the stream says
	value           []byte
	outdated        bool // a newer value of its subject was on its way with it: this one must not come after that
}

func (t *task) size() int { return len(t.subject) + len(t.value) + 64 }

// finish tells whoever waits. A task is finished once.
func (t *task) finish(seq uint64, err error) {
	for _, done := range t.done {
		done(seq, err)
	}
	t.done = nil
}

// queue is what waits for the store's goroutine. It is a leaf: its lock is never held while anything blocks.
type queue struct {
	mu     sync.Mutex
	tasks  []*task
	puts   map[string]*task // those of tasks that write to a bucket, by subject
	size   int
	closed bool
	wake   chan struct{} // has one value while there is something to take
}

func (q *queue) init() {
	q.puts = map[string]*task{}
	q.wake = make(chan struct{}, 1)
}

// add queues a task. A value for a bucket takes the place of one that still waits for the same key.
func (q *queue) add(t *task) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	put := t.call == nil && t.id == ""
	if old := q.puts[t.subject]; put && old != nil && q.size-old.size()+t.size() <= maxTaskBytes && len(old.done)+len(t.done) < maxTasks {
		q.size += t.size() - old.size()
		old.write = t.write
		old.done = append(old.done, t.done...)
		return nil
	}
	if len(q.tasks) >= maxTasks || q.size+t.size() > maxTaskBytes {
		return ErrBusy
	}
	q.tasks = append(q.tasks, t)
	q.size += t.size()
	if put {
		q.puts[t.subject] = t
	}
	q.ring()
	return nil
}

// take returns the next tasks, none when there are none, and whether the queue is still open.
func (q *queue) take() (tasks []*task, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.tasks), atOnce)
	tasks = append(tasks, q.tasks[:n]...)
	clear(q.tasks[:n])
	if q.tasks = q.tasks[n:]; len(q.tasks) == 0 {
		q.tasks = nil
	} else {
		q.ring()
	}
	for _, t := range tasks {
		q.size -= t.size()
		if q.puts[t.subject] == t {
			delete(q.puts, t.subject)
		}
	}
	return tasks, !q.closed || len(q.tasks) > 0
}

func (q *queue) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ring()
}
