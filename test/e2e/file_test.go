package e2e

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// content makes a file's bytes.
func content(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + i>>10 + seed)
	}
	return b
}

func write(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func files(t *testing.T, paths ...string) *parley.Files {
	t.Helper()
	f, err := parley.OpenFiles(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// send offers f to whoever is called name.
func send(t *testing.T, from *peer, name string, f *parley.Files, o parley.SendOptions) *parley.Transfer {
	t.Helper()
	out, err := from.SendFiles(wait(t), from.people()[name], f, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func same(t *testing.T, path string, want []byte) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes that differ from the %d sent, %v", path, len(got), len(want), err)
	}
}

func TestFilesBetweenPrograms(t *testing.T) {
	h := newHouse(t, nil)
	ann, bob := join(t, h.link("tea"), "Ann"), join(t, h.link("tea"), "Bob")
	from, to := t.TempDir(), t.TempDir()
	big, small := content(5<<20+123, 1), content(10, 2)
	folder := filepath.Join(from, "trip")
	write(t, folder, "pictures/big.bin", big)
	old := write(t, folder, "small.txt", small)
	write(t, folder, "empty", nil)
	when := time.Date(2020, 2, 3, 4, 5, 6, 789e6, time.UTC)
	if err := os.Chtimes(old, when, when); err != nil {
		t.Fatal(err)
	}
	ann.hears(direct)
	out := send(t, ann, "Bob", files(t, folder), parley.SendOptions{})
	offer := until[parley.FilesOffered](bob, nil).Offer
	if offer.Name() != "trip" || len(offer.Files()) != 3 || offer.Progress().Total != int64(len(big)+len(small)) ||
		offer.With().Name != "Ann" || offer.Again {
		t.Errorf("%s with %+v from %+v", offer.Name(), offer.Files(), offer.With())
	}
	if err := offer.Accept(to); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Wait(wait(t)), offer.Wait(wait(t))); err != nil {
		t.Fatal(err)
	}
	same(t, filepath.Join(to, "trip", "pictures", "big.bin"), big)
	same(t, filepath.Join(to, "trip", "small.txt"), small)
	same(t, filepath.Join(to, "trip", "empty"), nil)
	if info, err := os.Stat(filepath.Join(to, "trip", "small.txt")); err != nil || !info.ModTime().Equal(when) {
		t.Errorf("the time is %v, %v", info.ModTime(), err)
	}
	roots := map[string]string{}
	for range 3 {
		e := until(ann, func(e parley.FileDone) bool { return e.Transfer == out })
		roots[e.File.Path] = e.Root
	}
	for range 3 {
		e := until(bob, func(e parley.FileDone) bool { return e.Transfer == offer.Transfer })
		if roots[e.File.Path] != e.Root || e.Root == "" {
			t.Errorf("%s is %s here and %s there", e.File.Path, e.Root, roots[e.File.Path])
		}
	}
	if left, err := filepath.Glob(filepath.Join(to, "*.part*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if p := out.Progress(); p.State != parley.TransferDone || p.Bytes != p.Total || p.Done != 3 || p.Wire != p.Total {
		t.Errorf("%+v", p)
	}
	ann.hears(direct)
	bob.hears(direct)
}
