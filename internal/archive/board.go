package archive

import (
	"context"
	"maps"
	"sync"
)

// board is a shelf that lasts as long as the process; the archive's own bounds keep it small.
type board struct {
	mu     sync.Mutex
	values map[string]map[string][]byte // by bucket and key
}

func newBoard() *board { return &board{values: map[string]map[string][]byte{Calls: {}, Events: {}}} }

// Put implements Shelf.
func (b *board) Put(bucket, key string, value []byte, _ func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.values[bucket][key] = value
}

// Get implements Shelf.
func (b *board) Get(_ context.Context, bucket, key string) (value []byte, ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	value, ok = b.values[bucket][key]
	return value, ok, nil
}

// List implements Shelf.
func (b *board) List(_ context.Context, bucket string) (values map[string][]byte, deleted []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.values[bucket]), nil, nil
}

// Delete implements Shelf.
func (b *board) Delete(bucket, key string, _ func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.values[bucket], key)
}
