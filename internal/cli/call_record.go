package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"

	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

// callRecorder writes tracks to files, one goroutine a track, each until its track ends.
type callRecorder struct {
	dir     string // "" records nothing
	running sync.WaitGroup
	mu      sync.Mutex
	errs    []error
}

func newCallRecorder(dir string) *callRecorder { return &callRecorder{dir: dir} }

// add records a track, and returns the file's path.
func (r *callRecorder) add(t *parley.Track) (string, error) {
	extension := media.Extension(t.Codec)
	if r.dir == "" || extension == "" {
		return "", nil
	}
	f, err := create(r.dir, fileName(t.Name())+"-"+string(t.Source), extension)
	if err != nil {
		return "", fmt.Errorf("call: cannot record: %w", err)
	}
	to, err := media.NewRecorder(t.Codec, f)
	if err != nil {
		return "", errors.Join(err, f.Close())
	}
	r.running.Go(func() {
		err := write(t, to)
		if err = errors.Join(err, to.Close(), f.Close()); err != nil {
			r.mu.Lock()
			r.errs = append(r.errs, fmt.Errorf("call: %s: %w", f.Name(), err))
			r.mu.Unlock()
		}
	})
	return f.Name(), nil
}

// write copies the track to its end, which comes at the latest when the room is closed.
func write(t *parley.Track, to *media.Recorder) error {
	for {
		p, err := t.ReadRTP(context.Background())
		if err != nil {
			return nil // the end of the track
		}
		if err := to.WriteRTP(p); err != nil {
			return err
		}
	}
}

// create makes a new file and never overwrites one: a number is added until the name is free.
func create(dir, name, extension string) (*os.File, error) {
	for n := 1; ; n++ {
		path := filepath.Join(dir, name+extension)
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s-%d%s", name, n, extension))
		}
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644) // the user's own folder
		if !errors.Is(err, fs.ErrExist) || n >= 10000 {
			return f, err
		}
	}
}

// fileName makes a file name of a stranger's name: letters and digits stay.
func fileName(name string) string {
	out := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '-'
	}, name)
	if out = strings.Trim(out, "-"); out == "" {
		return "somebody"
	}
	return out
}

// close waits for the end of the tracks and returns what went wrong.
func (r *callRecorder) close() error {
	r.running.Wait()
	return errors.Join(r.errs...)
}
