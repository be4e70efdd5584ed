package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func testConfig(dir string) Config {
	return Config{
		Dir: dir, Log: slog.New(slog.DiscardHandler),
		Buckets:  []Bucket{{Name: "rooms"}, {Name: "short", Keep: time.Hour}},
		Journals: []Journal{{Name: "chat", Entries: 100, Bytes: 4000}, {Name: "calls", Keep: time.Hour}},
	}
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// now waits for a callback's error.
func now(t *testing.T, start func(done func(error))) error {
	t.Helper()
	done := make(chan error, 1)
	start(func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the store does not answer")
		return nil
	}
}

func add(t *testing.T, s *Store, subject, id, value string) uint64 {
	t.Helper()
	var n uint64
	err := now(t, func(done func(error)) {
		s.Append(subject, id, []byte(value), func(seq uint64, err error) { n = seq; done(err) })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func put(t *testing.T, s *Store, bucket, key, value string) {
	t.Helper()
	if err := now(t, func(done func(error)) { s.Put(bucket, key, []byte(value), done) }); err != nil {
		t.Fatal(err)
	}
}

// words lists what Read returns as "seq:value".
func words(t *testing.T, s *Store, subject string, before uint64, limit int) string {
	t.Helper()
	list, more, err := s.Read(t.Context(), subject, before, limit)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, fmt.Sprintf("%d:%s", e.Seq, e.Value))
	}
	if more {
		out = append([]string{"…"}, out...)
	}
	return strings.Join(out, " ")
}

func TestBuckets(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	if _, ok, err := s.Get(t.Context(), "rooms", "a"); ok || err != nil {
		t.Fatal("an empty store has", ok, err)
	}
	put(t, s, "rooms", "a", "1")
	put(t, s, "rooms", "b", "2")
	put(t, s, "rooms", "a", "3")
	put(t, s, "short", "a", "4")
	if err := now(t, func(done func(error)) { s.Delete("rooms", "b", done) }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if v, ok, err := s.Get(t.Context(), "rooms", "a"); string(v) != "3" || !ok || err != nil {
			t.Error("a is", string(v), ok, err)
		}
		if _, ok, err := s.Get(t.Context(), "rooms", "b"); ok || err != nil {
			t.Error("b was deleted, and is there", ok, err)
		}
		list, deleted, err := s.List(t.Context(), "rooms")
		if err != nil || len(list) != 1 || string(list["a"]) != "3" || len(deleted) != 1 || deleted[0] != "b" {
			t.Error("list", list, deleted, err)
		}
		if list, _, err := s.List(t.Context(), "short"); err != nil || string(list["a"]) != "4" {
			t.Error("short", list, err)
		}
		s.Close()
		s = open(t, dir)
	}
	s.Close()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Error("mode", info.Mode(), err)
	}
}

func TestJournals(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range 10 {
		add(t, s, "chat.a", fmt.Sprint("a", i), fmt.Sprint("x", i))
		if n := add(t, s, "chat.b", fmt.Sprint("a", i), fmt.Sprint("y", i)); n != uint64(i+1) {
			t.Fatal("entry", i, "has the number", n)
		}
	}
	for _, tt := range []struct {
		before uint64
		limit  int
		want   string
	}{
		{0, 3, "… 8:x7 9:x8 10:x9"},
		{0, 10, "1:x0 2:x1 3:x2 4:x3 5:x4 6:x5 7:x6 8:x7 9:x8 10:x9"},
		{0, 100, "1:x0 2:x1 3:x2 4:x3 5:x4 6:x5 7:x6 8:x7 9:x8 10:x9"},
		{5, 2, "… 3:x2 4:x3"},
		{3, 2, "1:x0 2:x1"},
		{1, 2, ""},
		{99, 1, "… 10:x9"},
	} {
		if got := words(t, s, "chat.a", tt.before, tt.limit); got != tt.want {
			t.Errorf("before %d, %d: %s, want %s", tt.before, tt.limit, got, tt.want)
		}
	}
	if n := add(t, s, "chat.a", "a4", "again"); n != 5 {
		t.Error("the same identifier again got", n)
	}
	if got := words(t, s, "chat.c", 0, 5); got != "" {
		t.Error("an empty subject has", got)
	}
	names, err := s.Subjects(t.Context(), "chat")
	if err != nil || len(names) != 2 || names["chat.a"] != 10 {
		t.Error(names, err)
	}
	if err := now(t, func(done func(error)) { s.Purge("chat.a", done) }); err != nil {
		t.Fatal(err)
	}
	if got := words(t, s, "chat.a", 0, 5); got != "" {
		t.Error("after a purge there is", got)
	}
	if n := add(t, s, "chat.a", "a4", "new"); n != 1 {
		t.Error("after a purge, the number is", n)
	}
	if got := words(t, s, "chat.b", 0, 1); got != "… 10:y9" {
		t.Error("the other subject has", got)
	}
}

// What a journal holds per subject is bounded in number and in bytes, the oldest go first.
func TestBounds(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 150 {
		s.Append("chat.small", fmt.Sprint(i), []byte("v"), nil)
	}
	long := strings.Repeat("x", 100)
	for i := range 150 {
		s.Append("chat.long", fmt.Sprint(i), []byte(long), nil)
	}
	if list, more, err := s.Read(t.Context(), "chat.small", 0, 1000); err != nil || more || len(list) != 100 || list[0].Seq != 51 {
		t.Error("small:", len(list), more, err)
	}
	check := func(newest uint64) {
		t.Helper()
		list, _, err := s.Read(t.Context(), "chat.long", 0, 1000)
		if err != nil || len(list) < 30 || len(list) > 44 || list[len(list)-1].Seq != newest {
			t.Error("long:", len(list), "entries", err)
		}
	}
	check(150)
	s.Close()
	s = open(t, dir)
	if n := add(t, s, "chat.long", "149", long); n != 150 {
		t.Error("after a restart, the newest identifier again is", n)
	}
	for i := range 20 {
		add(t, s, "chat.long", fmt.Sprint("more", i), long)
	}
	check(170)
}

// The order of puts, appends and what reads after them is that of the calls.
func TestOrder(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range 500 {
		s.Put("rooms", "a", fmt.Append(nil, i), nil)
		s.Append("chat.a", fmt.Sprint(i), fmt.Append(nil, i), nil)
	}
	v, _, err := s.Get(t.Context(), "rooms", "a")
	if string(v) != "499" || err != nil {
		t.Error(string(v), err)
	}
	list, _, err := s.Read(t.Context(), "chat.a", 0, 100)
	if err != nil || len(list) != 40 && len(list) != 100 && len(list) == 0 {
		t.Fatal(len(list), err)
	}
	for i, e := range list {
		if want := 500 - len(list) + i; string(e.Value) != fmt.Sprint(want) || e.Seq != uint64(want+1) {
			t.Fatalf("entry %d is %s, number %d", want, e.Value, e.Seq)
		}
	}
}

func TestRefused(t *testing.T) {
	s := open(t, t.TempDir())
	for name, start := range map[string]func(func(error)){
		"unknown bucket":  func(done func(error)) { s.Put("no", "a", []byte("x"), done) },
		"key with a dot":  func(done func(error)) { s.Put("rooms", "a.b", []byte("x"), done) },
		"wildcard":        func(done func(error)) { s.Delete("rooms", "*", done) },
		"too large":       func(done func(error)) { s.Put("rooms", "a", make([]byte, maxValue+1), done) },
		"unknown journal": func(done func(error)) { s.Append("no.a", "1", nil, func(_ uint64, err error) { done(err) }) },
		"journal alone":   func(done func(error)) { s.Append("chat", "1", nil, func(_ uint64, err error) { done(err) }) },
		"no id":           func(done func(error)) { s.Append("chat.a", "", nil, func(_ uint64, err error) { done(err) }) },
		"wild subject":    func(done func(error)) { s.Purge("chat.>", done) },
	} {
		if err := now(t, start); err == nil {
			t.Error(name, "was accepted")
		}
	}
	s.Close()
	if err := now(t, func(done func(error)) { s.Put("rooms", "a", []byte("x"), done) }); !errors.Is(err, ErrClosed) {
		t.Error("after Close:", err)
	}
	if _, _, err := s.List(t.Context(), "rooms"); !errors.Is(err, ErrClosed) {
		t.Error("after Close:", err)
	}
}

func TestOneOwner(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if s, err := Open(ctx, testConfig(dir)); err == nil {
		s.Close()
		t.Error("two stores have the same directory")
	}
}
