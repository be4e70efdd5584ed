package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/cli"
	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

// lines collects what a command prints and tells of each whole line.
type lines struct {
	mu   sync.Mutex
	rest []byte
	each chan string
}

func newLines() *lines { return &lines{each: make(chan string, 1000)} }

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		at := bytes.IndexByte(l.rest, '\n')
		if at < 0 {
			return len(b), nil
		}
		l.each <- string(l.rest[:at])
		l.rest = l.rest[at+1:]
	}
}

// until waits for a line that fits.
func (l *lines) until(t *testing.T, fits func(string) bool) string {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	var seen []string
	for {
		select {
		case line := <-l.each:
			if fits(line) {
				return line
			}
			seen = append(seen, line)
		case <-limit.C:
			t.Fatalf("the line did not come; these did:\n%s", strings.Join(seen, "\n"))
		}
	}
}

func has(parts ...string) func(string) bool {
	return func(line string) bool {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				return false
			}
		}
		return true
	}
}

func TestCallSaysWhatArrivesAndRecordsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := newLines()
	done := make(chan error, 1)
	go func() {
		c := cli.Call{URL: "-", Name: "Bot", Record: filepath.Join(dir, "rec")}
		done <- c.Run(ctx, strings.NewReader(h.link("tea")+"\n"), out)
	}()
	out.until(t, has("in the room as Bot"))
	out.until(t, has("Ann: microphone", "440 Hz tone", "camera", "320x180 at 15 frames/s", "direct"))
	ann.hears(direct)
	if _, err := ann.Chat(wait(t), "hello"); err != nil {
		t.Fatal(err)
	}
	out.until(t, has("Ann says: hello"))
	interrupt()
	if err := <-done; err != nil {
		t.Errorf("leaving when asked to: %v", err)
	}
	if e := until[parley.Departed](ann, nil); e.Reason != "left" {
		t.Errorf("%+v", e)
	}
	for name, least := range map[string]int{"Ann-microphone.ogg": 50, "Ann-camera.ivf": 10} {
		clip, err := media.Open(filepath.Join(dir, "rec", name), false)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; ; n++ {
			if _, _, err := clip.Next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if n < least {
			t.Errorf("%s has %d frames, want at least %d", name, n, least)
		}
		if err := clip.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCallInJSON(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := newLines()
	done := make(chan error, 1)
	go func() {
		c := cli.Call{URL: h.link("tea"), Name: "Bot", JSON: true, NoVideo: true}
		done <- c.Run(ctx, nil, out)
	}()
	var v struct {
		Event    string
		Person   struct{ Name string }
		Path     struct{ Kind string }
		Received map[string]struct {
			Tone        bool
			FPS         float64
			LostPercent float64
		}
	}
	out.until(t, func(line string) bool {
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return v.Event == "quality" && v.Received["microphone"].Tone && v.Received["camera"].FPS > 10
	})
	if v.Person.Name != "Ann" || v.Path.Kind != "direct" || v.Received["camera"].LostPercent > 0 {
		t.Errorf("%+v", v)
	}
	if e := until[parley.Arrived](ann, nil); e.Person.Media != (parley.MediaState{Microphone: true}) {
		t.Errorf("the bot says that it sends %+v", e.Person.Media)
	}
	interrupt()
	if err := <-done; err != nil {
		t.Error(err)
	}
	until[parley.Departed](ann, nil)
}

func TestCallEndsAfterItsDuration(t *testing.T) {
	h := newHouse(t, nil)
	ann := join(t, h.link("tea"), "Ann")
	out := newLines()
	c := cli.Call{URL: h.link("tea"), Name: "Bot", NoAudio: true, NoVideo: true, Duration: time.Millisecond}
	if err := c.Run(wait(t), nil, out); err != nil {
		t.Error(err)
	}
	until[parley.Arrived](ann, nil)
	if e := until[parley.Departed](ann, nil); e.Reason != "left" {
		t.Errorf("%+v", e)
	}
}

func TestCallErrorsSayWhatToDo(t *testing.T) {
	h := newHouse(t, withoutHub)
	join(t, h.link("full"), "Ann")
	join(t, h.link("full"), "Bob")
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	file := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(file, []byte("no media at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		call cli.Call
		in   string
		want string
	}{
		{"full", cli.Call{URL: h.link("full")}, "", "every seat in this room is taken"},
		{"no link", cli.Call{URL: "-"}, "\n", "no link on standard input"},
		{"not a link", cli.Call{URL: "tea"}, "", "looks like"},
		{"nobody there", cli.Call{URL: "http://127.0.0.1:1/r/tea"}, "", "check that the server runs"},
		{"self-signed", cli.Call{URL: "https" + strings.TrimPrefix(h.link("tea"), "http")}, "", "--ca FILE"},
		{"plain", cli.Call{URL: "https" + strings.TrimPrefix(plain.URL, "http") + "/r/tea"}, "", "write http://"},
		{"no media", cli.Call{URL: h.link("tea"), Audio: file}, "", "opusenc"},
		{"no certificate", cli.Call{URL: h.link("tea"), CA: file}, "", "PEM"},
	} {
		err := tt.call.Run(wait(t), strings.NewReader(tt.in), io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}
