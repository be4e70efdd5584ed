package arch

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// longest is how many lines a file should have at most. It is a review rule: the longest are told, none fails.
const longest = 400

// TestHouse holds the rules against every Go file of the module.
func TestHouse(t *testing.T) {
	root := "../.."
	markdown, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := readTable(string(markdown))
	if err != nil {
		t.Fatal("ARCHITECTURE.md: ", err)
	}
	all := readTree(t, root)
	if len(all) < 20 {
		t.Fatalf("only %d Go files found: the test looks in the wrong place", len(all))
	}
	for _, s := range all {
		for _, fault := range check(s, table) {
			t.Error(fault)
		}
	}
	for _, fault := range slices.Concat(undocumented(all), unbuilt(all, table)) {
		t.Error(fault)
	}
	slices.SortFunc(all, func(a, b *source) int { return cmp.Compare(b.lines, a.lines) })
	for _, s := range all[:10] {
		if s.lines > longest {
			t.Logf("%4d lines: %s", s.lines, s.path)
		}
	}
}

// readTree parses the Go files below root, without nested modules and what others put there.
func readTree(t *testing.T, root string) []*source {
	t.Helper()
	var all []*source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata" || exists(filepath.Join(name, "go.mod"))) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		s, err := parse(rel, text)
		if err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
