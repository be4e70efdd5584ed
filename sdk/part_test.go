package parley

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

const someID = "AAAAAAAAAAAAAAAAAAAAAA"

// keep stores a whole small file and returns where it is.
func keep(t *testing.T, p *parts, i int, b []byte) string {
	t.Helper()
	if len(b) > 0 {
		h := transfer.Hash(sha256.Sum256(b))
		if err := errors.Join(p.write(i, 0, b), p.store(i, 0, h)); err != nil {
			t.Fatal(err)
		}
	}
	path, err := p.finish(i, transfer.Root(int64(len(b)), nil))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, dir string, files ...transfer.File) (*parts, bool) {
	t.Helper()
	p, fresh, err := openParts(dir, someID, "x", files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p, fresh
}

// tree lists everything below dir.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); err == nil && !d.IsDir() {
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.txt": "mine", "photos": "a file, not a folder", "b.tar.gz": "mine"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := []transfer.File{{Path: "a.txt", Size: 3}, {Path: "photos/1.png", Size: 3}, {Path: "photos/2.png", Size: 0}, {Path: ".bashrc", Size: 3}, {Path: ".ssh/authorized_keys", Size: 3}}
	p, fresh := open(t, dir, files...)
	if !fresh {
		t.Error("an empty folder has a part of it")
	}
	for i, f := range files {
		keep(t, p, i, []byte("new")[:f.Size])
	}
	p.remove()
	want := []string{"_.bashrc", "_.ssh/authorized_keys", "a (2).txt", "a.txt", "b.tar.gz", "photos", "photos (2)/1.png", "photos (2)/2.png"}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a.txt")); err != nil || string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestANameTakenMeanwhileIsKept(t *testing.T) {
	dir := t.TempDir()
	p, _ := open(t, dir, transfer.File{Path: "a", Size: 3})
	if err := p.write(0, 0, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if path := keep(t, p, 0, []byte("new")); filepath.Base(path) != "a (2)" {
		t.Errorf("it is at %s", path)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestSymbolicLinksDoNotLeadOut(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := errors.Join(
		os.Symlink(outside, filepath.Join(dir, "folder")), os.Symlink(filepath.Join(outside, "x"), filepath.Join(dir, "file")),
		os.Symlink(filepath.Join(outside, "y"), filepath.Join(dir, "part.part")),
	); err != nil {
		t.Fatal(err)
	}
	files := []transfer.File{{Path: "folder/evil", Size: 3}, {Path: "file", Size: 3}, {Path: "part", Size: 3}}
	p, _ := open(t, dir, files...)
	for i := range files {
		if err := p.write(i, 0, []byte("bad")); err != nil {
			t.Logf("refused: %v", err)
			continue
		}
		keep(t, p, i, []byte("bad"))
	}
	if got := tree(t, outside); len(got) > 0 {
		t.Errorf("outside of the folder: %q", got)
	}
}

func TestGoingOnBelievesOnlyTheData(t *testing.T) {
	dir := t.TempDir()
	size := int64(3*transfer.ChunkSize + 7)
	file := transfer.File{Path: "big", Size: size}
	p, _ := open(t, dir, file)
	content := bytes.Repeat([]byte("abcdefg"), int(size/7)+1)[:size]
	for c := range uint32(4) {
		part := content[int(c)*transfer.ChunkSize:][:file.ChunkLength(c)]
		if err := errors.Join(p.write(0, int64(c)*transfer.ChunkSize, part), p.store(0, c, sha256.Sum256(part))); err != nil {
			t.Fatal(err)
		}
	}
	p.close()
	// A crash of the machine lost a page, and tore the journal's last line.
	data, err := os.OpenFile(filepath.Join(dir, "big.part"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.WriteAt(make([]byte, 4096), transfer.ChunkSize+100); err != nil {
		t.Fatal(err)
	}
	journal, err := os.OpenFile(filepath.Join(dir, "big.part.json"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.WriteString(`{"file":0,"chu`); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(data.Close(), journal.Close()); err != nil {
		t.Fatal(err)
	}
	if !partsKnown(dir, someID, time.Now()) || partsKnown(dir, "BBBBBBBBBBBBBBBBBBBBBA", time.Now()) {
		t.Error("the transfer is not known by its id")
	}
	for range 2 { // the journal that is written anew is as good as the first
		p, fresh := open(t, dir, file)
		if got := p.known[0].chunks; fresh || len(got) != 3 || got[1] != (transfer.Hash{}) {
			t.Errorf("fresh %v, with %d chunks", fresh, len(got))
		}
		p.close()
	}
	if _, _, err := openParts(dir, someID, "x", []transfer.File{{Path: "big", Size: size + 1}}, time.Now()); !errors.Is(err, ErrChanged) {
		t.Errorf("with another size: %v", err)
	}
	// After a week it is forgotten.
	if partsKnown(dir, someID, time.Now().Add(keepParts+time.Hour)) {
		t.Error("it is known after more than a week")
	}
	if got := tree(t, dir); len(got) > 0 {
		t.Errorf("left after a week: %q", got)
	}
}

func TestForeignFilesNamedLikeJournalsAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"x.part.json": "{}\n", "y.part.json": "not json\n", "z.part.json": "", "w.part.json": `{"protocol":"parley.file.v1","id":"short"}` + "\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-30 * 24 * time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	p, fresh := open(t, dir, transfer.File{Path: "x", Size: 1})
	if !fresh {
		t.Error("a foreign file was taken for a journal")
	}
	keep(t, p, 0, []byte("1"))
	p.remove()
	if got := tree(t, dir); len(got) != 5 {
		t.Errorf("%q", got)
	}
}

func TestNumberedNamesStayShort(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		want string
	}{
		{"a.txt", 1, "a.txt"}, {"a.txt", 2, "a (2).txt"}, {"a", 3, "a (3)"}, {"a.tar.gz", 2, "a.tar (2).gz"}, {".x", 2, ".x (2)"},
	} {
		if got := numbered(tt.name, tt.n); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if got := numbered(strings.Repeat("ü", 127)+".md", 12); len(got) > 255-len(journalSuffix) || !strings.HasSuffix(got, "ü (12).md") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// FuzzJournal reads anything as a journal, and what it takes is sound.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"protocol":"parley.file.v1","id":"AAAAAAAAAAAAAAAAAAAAAA"}` + "\n" + `{"file":0,"as":"a"}` + "\n" + `{"file":0,"chunk":0,"hash":"00"}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.part.json"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = root.Close() }()
		_, entries, err := readJournal(root, "a.part.json")
		if err != nil {
			return
		}
		files := []transfer.File{{Path: "a", Size: 5}, {Path: "b", Size: 0}}
		known, err := gather(entries, files)
		if err != nil {
			return
		}
		for i, s := range known {
			for c := range s.chunks {
				if i < 0 || i >= len(files) || c >= files[i].Chunks() {
					t.Errorf("chunk %d of file %d", c, i)
				}
			}
		}
	})
}
