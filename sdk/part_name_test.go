package parley

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

func TestPlainNames(t *testing.T) {
	for _, tt := range []struct {
		part string
		top  bool
		want string
	}{
		{"notes.pdf", true, "notes.pdf"},
		{".bashrc", true, "_.bashrc"},
		{".bashrc", false, ".bashrc"},
		{"photo\u202egpj.exe", true, "photogpj.exe"},
		{"a\u2066b\u2069\u200f.txt", true, "ab.txt"},
		{"x.", false, "x"},
		{"x. . ", false, "x"},
		{"...", false, "file"},
		{". ", true, "file"},
		{"\u202e", true, "file"},
		{"NU\u202eL", false, "_NUL"},
		{"com1\u202c.txt", true, "_com1.txt"},
		{"aux .", false, "_aux"},
	} {
		if got := plain(tt.part, tt.top); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.part, got, tt.want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"a", "..", "NU\u202eL", "x.", "\u202e.\u202e.", ". ."} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, part string, top bool) {
		if transfer.CheckPath(part) != nil || strings.Contains(part, "/") {
			return // refused with its offer
		}
		name := plain(part, top)
		if err := transfer.CheckPath(name); err != nil && len(part) < 255 {
			t.Errorf("%q becomes %q: %v", part, name, err)
		}
		if strings.TrimRight(name, ". ") != name || strings.ContainsFunc(name, turns) || top && name[0] == '.' {
			t.Errorf("%q becomes %q", part, name)
		}
		if again := plain(name, top); again != name {
			t.Errorf("%q becomes %q and then %q", part, name, again)
		}
	})
}

// TestNamesThatAreOneOnDisk is an offer whose names differ only in what is dropped, or in case.
func TestNamesThatAreOneOnDisk(t *testing.T) {
	dir := t.TempDir()
	var list []transfer.File
	for _, path := range []string{"x/a", "x/a.", "x/a ", "x/a\u202e", "x/A", "X/a", "x./b"} {
		list = append(list, transfer.File{Path: path, Size: 1})
	}
	p, _ := open(t, dir, list...)
	defer p.close()
	seen := map[string]bool{}
	for i := range list {
		path := keep(t, p, i, []byte{byte(i)})
		if b, err := os.ReadFile(path); err != nil || len(b) != 1 || b[0] != byte(i) || seen[path] {
			t.Errorf("%q is in %s: %v, %v", list[i].Path, path, b, err)
		}
		seen[path] = true
		if rel, err := filepath.Rel(dir, path); err != nil || !filepath.IsLocal(rel) {
			t.Errorf("%q is in %s", list[i].Path, path)
		}
	}
}

func TestFilesOfOneNameAreNumbered(t *testing.T) {
	system := fstest.MapFS{"a/x.txt": {Data: []byte("1")}, "b/x.txt": {Data: []byte("2")}, "c/x (2).txt": {Data: []byte("3")}}
	f := &Files{}
	for _, name := range []string{"a/x.txt", "b/x.txt", "c/x (2).txt", "a/x.txt"} {
		if err := f.add(system, name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.checked(); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, one := range f.List() {
		told = append(told, one.Path)
	}
	if got := strings.Join(told, ", "); got != "x.txt, x (2).txt, x (2) (2).txt, x (3).txt" {
		t.Error(got)
	}
}
