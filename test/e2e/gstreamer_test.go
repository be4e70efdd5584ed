package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// debianPython is the Python that Debian's packages of modules are for.
const debianPython = "/usr/bin/python3"

// gstreamer is a program on GStreamer's webrtcbin (testdata/gstreamer.py), which knows nothing of us.
type gstreamer struct {
	t     *testing.T
	name  string
	stdin io.Closer
	said  chan gstWord
	ended chan struct{}
	errs  strings.Builder
}

// gstWord is a line that it prints.
type gstWord struct {
	Status, Deleted, Count, Width int
	State, Decoded                string
	Silent                        bool
}

// newGStreamer starts one that publishes to a URL, or watches it.
func newGStreamer(t *testing.T, mode, url string) *gstreamer {
	t.Helper()
	g := &gstreamer{t: t, name: mode, said: make(chan gstWord, 256), ended: make(chan struct{})}
	program := exec.CommandContext(t.Context(), debianPython, "testdata/gstreamer.py", mode, url)
	program.Stderr = &g.errs
	var err error
	if g.stdin, err = program.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(g.ended)
		defer close(g.said)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var word gstWord
			if json.Unmarshal(lines.Bytes(), &word) != nil {
				continue
			}
			select {
			case g.said <- word:
			default: // counts that nobody waits for
			}
		}
		_ = program.Wait() // how it ended is in what it said
	}()
	t.Cleanup(func() {
		_ = program.Process.Kill()
		<-g.ended
	})
	return g
}

// until waits for a line for which done is true.
func (g *gstreamer) until(what string, done func(gstWord) bool) gstWord {
	g.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case word, ok := <-g.said:
			if !ok {
				g.t.Fatalf("%s: ended before %s: %s", g.name, what, g.errs.String())
			}
			if done(word) {
				return word
			}
		case <-timeout:
			g.t.Fatalf("%s: no %s", g.name, what)
		}
	}
}

// bye lets it end its session.
func (g *gstreamer) bye() {
	g.t.Helper()
	_ = g.stdin.Close()
	if word := g.until("an end", func(w gstWord) bool { return w.Deleted != 0 }); word.Deleted != http.StatusOK {
		g.t.Error(g.name, "DELETE:", word.Deleted)
	}
}

// TestGStreamer: an encoder and a player of somebody else's, on another WebRTC stack: the one publishes VP8 and Opus by WHIP, the
// other one decodes both by WHEP.
func TestGStreamer(t *testing.T) {
	const probe = `import gi; gi.require_version("GstWebRTC", "1.0"); from gi.repository import Gst; Gst.init(None)
assert all(Gst.ElementFactory.find(n) for n in ("webrtcbin", "nicesrc", "vp8enc", "opusenc", "dtlsenc", "srtpenc"))`
	if out, err := exec.CommandContext(t.Context(), debianPython, "-c", probe).CombinedOutput(); err != nil {
		reason := "needs GStreamer with webrtcbin, libnice, VP8 and Opus, and Python (see test/packages.sh): " + string(out)
		if os.Getenv("CI") == "true" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	t.Parallel()
	h := newHouse(t, nil)
	began := time.Now()
	cam := newGStreamer(t, "publish", h.url+"/whip/tea")
	if word := cam.until("an answer", func(w gstWord) bool { return w.Status != 0 }); word.Status != http.StatusCreated {
		t.Fatal(word.Status)
	}
	cam.until("a connection", func(w gstWord) bool { return w.State == "connected" })
	t.Log("encoder connected after", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	player := newGStreamer(t, "watch", h.url+"/whep/tea")
	if word := player.until("an answer", func(w gstWord) bool { return w.Status != 0 }); word.Status != http.StatusCreated {
		t.Fatal(word.Status)
	}
	seen, heard := 0, 0
	player.until("pictures and sound", func(w gstWord) bool {
		if w.Decoded == "video" && w.Width == 320 {
			seen = w.Count
		}
		if w.Decoded == "audio" && !w.Silent {
			heard = w.Count
		}
		return seen >= 30 && heard >= 50
	})
	t.Log("30 pictures and 50 frames of sound decoded after", time.Since(began).Round(time.Millisecond))
	player.bye()
	cam.bye()
}
