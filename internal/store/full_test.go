//go:build linux

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFullDisk: in a process whose files may not grow any more, as on a full disk, everything fails and nothing hangs, and
// once there is room again the newest values and new entries are there.
func TestFullDisk(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fullDir+"="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	t.Log(string(out))
}

// fillDisk is the child.
func fillDisk(dir string) error {
	cfg := testConfig(dir)
	cfg.Log = slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := Open(context.Background(), cfg)
	if err != nil {
		return err
	}
	var unlimited unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &unlimited); err != nil {
		return err
	}
	full := unlimited
	full.Cur = 64 << 10
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	value := strings.Repeat("v", 4<<10)
	write := func(i int) error {
		done := make(chan error, 2)
		s.Put("rooms", "newest", []byte(fmt.Sprint(i, " ", value)), func(err error) { done <- err })
		s.Append("calls.a", fmt.Sprint(i), []byte(value), func(_ uint64, err error) { done <- err })
		var both error
		for range 2 {
			select {
			case err := <-done:
				both = errors.Join(both, err)
			case <-time.After(30 * time.Second):
				return errors.New("it hangs")
			}
		}
		return both
	}
	failed, last := 0, 0
	for failed < 3 {
		if last++; last > 200 {
			return errors.New("the disk is never full")
		}
		if err := write(last); err != nil && err.Error() == "it hangs" {
			return err
		} else if err != nil {
			failed++
		}
	}
	fmt.Fprintln(os.Stdout, "full after", last)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unlimited); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		got, ok, err := s.Get(wait, "rooms", "newest")
		if ok && strings.HasPrefix(string(got), fmt.Sprint(last, " ")) {
			break
		}
		select {
		case <-tick.C:
		case <-wait.Done():
			return fmt.Errorf("after the disk has room again the value is %.10q, %v, %w", got, ok, err)
		}
	}
	if err := write(last + 1); err != nil {
		return fmt.Errorf("after the disk has room again: %w", err)
	}
	list, _, err := s.Read(wait, "calls.a", 0, 1)
	if err != nil || len(list) != 1 || list[0].ID != fmt.Sprint(last+1) {
		return fmt.Errorf("the newest entry is %v, %w", list, err)
	}
	s.Close()
	return nil
}
