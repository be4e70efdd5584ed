package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// markerKeep is how long the sign stays that a key was deleted.
const markerKeep = 24 * time.Hour

var errNoBucket = errors.New("store: no such bucket, or a key that is not made of letters, digits, '-' and '_'")

// Put keeps value as the newest of a key, and forgets older ones. Puts of one key that wait for the disk together are
// one. When the disk fails, done gets the error, and the newest value is put all the same once it works again.
func (s *Store) Put(bucket, key string, value []byte, done func(error)) {
	w := write{stream: stateStream, subject: stateSubject(bucket, key), value: value}
	b, ok := s.buckets[bucket]
	switch {
	case !ok || !token(key) || len(value) == 0 || len(value) > maxValue:
		s.refuse(done, errNoBucket)
		return
	case b.Keep > 0:
		w.keep = seconds(b.Keep)
	}
	s.add(&task{write: w}, done)
}

// Delete forgets a key.
func (s *Store) Delete(bucket, key string, done func(error)) {
	if _, ok := s.buckets[bucket]; !ok || !token(key) {
		s.refuse(done, errNoBucket)
		return
	}
	s.add(&task{write: write{stream: stateStream, subject: stateSubject(bucket, key), keep: seconds(markerKeep)}}, done)
}

// Get returns the newest value of a key, and false without one.
func (s *Store) Get(ctx context.Context, bucket, key string) (value []byte, ok bool, err error) {
	if _, known := s.buckets[bucket]; !known || !token(key) {
		return nil, false, errNoBucket
	}
	got, err := wait(ctx, s, func(ctx context.Context, e *engine) (message, error) {
		m, _, err := e.newest(ctx, stateStream, stateSubject(bucket, key))
		return m, err
	})
	return got.value, len(got.value) > 0, err
}

// List returns all keys of a bucket with their newest values, and the keys that were deleted within the last day.
func (s *Store) List(ctx context.Context, bucket string) (values map[string][]byte, deleted []string, err error) {
	if _, ok := s.buckets[bucket]; !ok {
		return nil, nil, errNoBucket
	}
	prefix := stateSubject(bucket, "")
	values, err = wait(ctx, s, func(ctx context.Context, e *engine) (map[string][]byte, error) {
		list := map[string][]byte{}
		err := e.scan(ctx, stateStream, prefix+"*", 0, scanBatch, func(m message) bool {
			list[strings.TrimPrefix(m.subject, prefix)] = m.value
			return true
		})
		return list, err
	})
	for key, value := range values {
		if len(value) == 0 {
			deleted = append(deleted, key)
			delete(values, key)
		}
	}
	return values, deleted, err
}

func stateSubject(bucket, key string) string { return stateStream + "." + bucket + "." + key }

// seconds is a duration as JetStream reads it, which counts whole seconds from one.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64(d/time.Second)), 10) + "s"
}

// token reports whether s can be a part of a subject.
func token(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// header says how long a message stays.
func (w *write) header() nats.Header {
	if w.keep == "" {
		return nil
	}
	return nats.Header{server.JSMessageTTL: {w.keep}}
}

// add queues a task. It fails later, never here: done must not be called by who calls us.
func (s *Store) add(t *task, done func(error)) {
	if done != nil {
		t.done = append(t.done, func(_ uint64, err error) { done(err) })
	}
	if err := s.queue.add(t); err != nil {
		s.refuse(done, err)
	}
}

func (s *Store) refuse(done func(error), err error) {
	if done != nil {
		go done(err)
	}
}

// wait has the store's goroutine do ask after what was queued before, and returns what came of it.
func wait[T any](ctx context.Context, s *Store, ask func(context.Context, *engine) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	var value T
	t := &task{
		call: func(ctx context.Context, e *engine) (err error) {
			value, err = ask(ctx, e)
			return err
		},
		done: []func(uint64, error){func(_ uint64, err error) { done <- result{value, err} }},
	}
	var none T
	if err := s.queue.add(t); err != nil {
		return none, err
	}
	select {
	case r := <-done:
		if r.err != nil {
			return none, fmt.Errorf("store: read: %w", r.err)
		}
		return r.value, nil
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}
