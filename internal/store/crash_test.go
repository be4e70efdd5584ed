package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childDir names the directory for the child process that TestMain becomes.
const childDir = "PARLEY_STORE_CHILD"

// fullDir is the same, for one whose disk is full.
const fullDir = "PARLEY_STORE_FULL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		writeForEver(dir)
		return
	}
	if dir := os.Getenv(fullDir); dir != "" {
		if err := fillDisk(dir); err != nil {
			fmt.Fprintln(os.Stdout, "error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writeForEver appends and puts, and prints the number of each entry that was acknowledged, until it is killed.
func writeForEver(dir string) {
	s, err := Open(context.Background(), testConfig(dir))
	if err != nil {
		fmt.Fprintln(os.Stdout, "error", err)
		return
	}
	acknowledged := make(chan string, 64)
	go func() {
		for i := 0; ; i++ {
			id := strconv.Itoa(i)
			s.Append("calls.a", id, []byte(strings.Repeat(id+" ", 50)), func(seq uint64, err error) { acknowledged <- fmt.Sprint("entry ", id, " ", err) })
			put := make(chan error)
			s.Put("rooms", "newest", []byte(id), func(err error) { put <- err })
			acknowledged <- fmt.Sprint("value ", id, " ", <-put)
		}
	}()
	for line := range acknowledged {
		fmt.Fprintln(os.Stdout, line)
	}
}

// TestKill kills a process that writes, again and again, with SIGKILL: what was acknowledged is there, in order.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	entries, value := 0, 0
	var took time.Duration
	for round := range 5 {
		e, v := killed(t, dir, 30+40*round)
		entries, value = max(entries, e), max(value, v)
		began := time.Now()
		s := open(t, dir)
		took = max(took, time.Since(began))
		got, ok, err := s.Get(t.Context(), "rooms", "newest")
		if n, _ := strconv.Atoi(string(got)); err != nil || !ok || n < v {
			t.Errorf("round %d: the value is %q %v %v, acknowledged was %d", round, got, ok, err, v)
		}
		list, _, err := s.Read(t.Context(), "calls.a", 0, maxRead)
		if err != nil || len(list) <= e {
			t.Errorf("round %d: %d entries %v, acknowledged were %d", round, len(list), err, e+1)
		}
		for i, x := range list {
			if x.ID != strconv.Itoa(i) || x.Seq != uint64(i+1) {
				t.Fatalf("round %d: entry %d is %s, number %d", round, i, x.ID, x.Seq)
			}
		}
		s.Close()
	}
	t.Logf("5 kills, up to %d entries acknowledged; opening took up to %v", entries+1, took)
}

// killed runs the child until it has acknowledged so many things, and returns the newest.
func killed(t *testing.T, dir string, after int) (entry, value int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == after {
			_ = cmd.Process.Kill()
		}
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		number, verdict, _ := strings.Cut(rest, " ")
		i, err := strconv.Atoi(number)
		if err != nil || verdict != "<nil>" {
			t.Fatalf("the child says %q", lines.Text())
		}
		if kind == "entry" {
			entry = max(entry, i)
		} else {
			value = max(value, i)
		}
	}
	_ = cmd.Wait() // it was killed
	return entry, value
}

// TestUncleanEnd opens a store whose newest block ends in the middle of a write, as after a power cut.
func TestUncleanEnd(t *testing.T) {
	for name, damage := range map[string]func(f *os.File, size int64) error{
		"cut off":    func(f *os.File, size int64) error { return f.Truncate(size - 7) },
		"garbage":    func(f *os.File, size int64) error { _, err := f.WriteAt([]byte("\x00\x00garbage"), size); return err },
		"zeros":      func(f *os.File, size int64) error { return f.Truncate(size + 512) },
		"last bytes": func(f *os.File, size int64) error { _, err := f.WriteAt([]byte{1, 2, 3}, size-3); return err },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			for i := range 20 {
				add(t, s, "calls.a", strconv.Itoa(i), "v")
			}
			s.Close()
			blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "journal-calls", "msgs", "*.blk"))
			if err != nil || len(blocks) != 1 {
				t.Fatal(blocks, err)
			}
			f, err := os.OpenFile(blocks[0], os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err := errors.Join(err, damage(f, info.Size()), f.Close()); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(filepath.Dir(blocks[0]), "index.db")); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			s = open(t, dir)
			list, _, err := s.Read(t.Context(), "calls.a", 0, 100)
			if err != nil || len(list) < 19 {
				t.Fatalf("%d of 20 entries are there: %v", len(list), err)
			}
			if n := add(t, s, "calls.a", "new", "v"); n != uint64(len(list)+1) {
				t.Errorf("the next number is %d after %d", n, len(list))
			}
		})
	}
}

// TestDown: while the disk fails everything fails soon, and when it works again the newest values are put.
func TestDown(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, "rooms", "a", "1")
	add(t, s, "chat.gone", "1", "secret")
	real, failing := s.keeper.open, errors.New("no space left on device")
	broken := make(chan struct{})
	_ = s.queue.add(&task{
		call: func(_ context.Context, _ *engine) error {
			defer close(broken)
			s.keeper.open = func(context.Context) (*engine, error) { return nil, failing }
			return failing
		},
	})
	<-broken
	for _, v := range []string{"2", "3"} {
		if err := now(t, func(done func(error)) { s.Put("rooms", "a", []byte(v), done) }); err == nil {
			t.Error("a value was put on a disk that fails")
		}
	}
	if err := now(t, func(done func(error)) {
		s.Append("chat.a", "1", []byte("x"), func(_ uint64, err error) { done(err) })
	}); err == nil {
		t.Error("an entry was appended on a disk that fails")
	}
	if err := now(t, func(done func(error)) { s.Purge("chat.gone", done) }); err == nil {
		t.Error("a subject was forgotten on a disk that fails")
	}
	works := make(chan struct{})
	// In the goroutine that owns the keeper.
	_ = s.queue.add(&task{write: write{stream: stateStream, subject: stateSubject("rooms", "b"), value: []byte("4")}, done: []func(uint64, error){func(uint64, error) {
		s.keeper.open = func(ctx context.Context) (*engine, error) {
			defer close(works)
			return real(ctx)
		}
	}}})
	<-works // by itself
	for key, want := range map[string]string{"a": "3", "b": "4"} {
		if v, _, err := s.Get(t.Context(), "rooms", key); string(v) != want || err != nil {
			t.Errorf("%s is %q %v", key, v, err)
		}
	}
	if n := add(t, s, "chat.gone", "2", "new"); n != 1 {
		t.Errorf("what was to be forgotten while the disk failed is there: the next number is %d", n)
	}
	if got := words(t, s, "chat.gone", 0, 10); got != "1:new" {
		t.Errorf("got %s", got)
	}
}

// TestForgetsByItself: what could not be forgotten is, once the disk works again, also when nobody wants anything else.
func TestForgetsByItself(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, "chat.gone", "1", "secret")
	real, failing := s.keeper.open, errors.New("no space left on device")
	inside := func(call func() error) {
		t.Helper()
		err := now(t, func(done func(error)) {
			_ = s.queue.add(&task{
				call: func(context.Context, *engine) error { return call() },
				done: []func(uint64, error){func(_ uint64, err error) { done(err) }},
			})
		})
		if err == nil {
			t.Fatal("the disk works")
		}
	}
	inside(func() error {
		s.keeper.open = func(context.Context) (*engine, error) { return nil, failing }
		return failing
	})
	if err := now(t, func(done func(error)) { s.Purge("chat.gone", done) }); err == nil {
		t.Error("a subject was forgotten on a disk that fails")
	}
	works := make(chan struct{})
	// In the goroutine that owns the keeper; the task itself fails.
	if err := now(t, func(done func(error)) {
		_ = s.queue.add(&task{call: func(context.Context, *engine) error { return nil }, done: []func(uint64, error){func(_ uint64, err error) {
			s.keeper.open = func(ctx context.Context) (*engine, error) {
				defer close(works)
				return real(ctx)
			}
			done(err)
		}}})
	}); err == nil {
		t.Fatal("the disk works")
	}
	<-works // by itself
	s.Close()
	s = open(t, dir)
	if got := words(t, s, "chat.gone", 0, 10); got != "" {
		t.Errorf("what was to be forgotten is there: %s", got)
	}
}

// TestCannotOpen: a directory that cannot be one is an error, not the end of the process.
func TestCannotOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(filepath.Join(file, "store"))
	cfg.Log = slog.New(slog.DiscardHandler)
	if s, err := Open(t.Context(), cfg); err == nil {
		s.Close()
		t.Error("opened")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jetstream"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), testConfig(dir)); err == nil {
		s.Close()
		t.Error("opened")
	}
}
