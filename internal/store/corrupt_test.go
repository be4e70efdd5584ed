package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedAtTheStart: whatever the directory holds, the store opens or says why not, and what it opens with works.
func TestDamagedAtTheStart(t *testing.T) {
	all := func(dir, pattern string) []string {
		list, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", pattern))
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		return list
	}
	spoil := func(pattern string, text string) func(dir string) error {
		return func(dir string) error {
			for _, path := range all(dir, pattern) {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for name, damage := range map[string]func(dir string) error{
		"stream description": spoil("*/meta.inf", "garbage"),
		"empty description":  spoil("state/meta.inf", ""),
		"its checksum":       spoil("*/meta.sum", "garbage"),
		"index":              spoil("*/msgs/index.db", "garbage"),
		"blocks":             spoil("*/msgs/*.blk", "garbage garbage garbage garbage garbage garbage"),
		"empty blocks":       spoil("*/msgs/*.blk", ""),
		"a stream is a file": func(dir string) error {
			for _, path := range all(dir, "state") {
				if err := os.RemoveAll(path); err != nil {
					return err
				}
				if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			for i := range 5 {
				put(t, s, "rooms", fmt.Sprint("r", i), "v")
				add(t, s, "calls.a", fmt.Sprint(i), "v")
			}
			s.Close()
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), testConfig(dir))
			if name == "a stream is a file" {
				if err == nil || !strings.Contains(err.Error(), "move "+dir+" away") {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal("not opened:", err)
			}
			defer s.Close()
			values, _, err := s.List(t.Context(), "rooms")
			entries, _, readErr := s.Read(t.Context(), "calls.a", 0, 10)
			t.Logf("%d values %v, %d entries %v", len(values), err, len(entries), readErr)
			put(t, s, "rooms", "new", "v")
			add(t, s, "calls.a", "new", "v")
		})
	}
}
