package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

func TestPrintableKeepsTheTerminalSafe(t *testing.T) {
	if got := printable("Zoë \x1b[2J\n\u202e日本"); got != "Zoë \uFFFD[2J\uFFFD\uFFFD日本" {
		t.Errorf("%q", got)
	}
}

func TestRecordingsAreNamedAfterPeopleAndNeverOverwritten(t *testing.T) {
	for name, want := range map[string]string{
		"Ann": "Ann", "Zoë B.": "Zoë-B", "../../etc/passwd": "etc-passwd", "...": "somebody", "": "somebody", "a/b\\c\x00d": "a-b-c-d",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	dir := t.TempDir()
	for _, want := range []string{"Ann-camera.ivf", "Ann-camera-2.ivf", "Ann-camera-3.ivf"} {
		f, err := create(dir, "Ann-camera", ".ivf")
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(f.Name()) != want {
			t.Errorf("%s, want %s", f.Name(), want)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := create(filepath.Join(dir, "missing"), "x", ".ogg"); !os.IsNotExist(err) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

func TestQualityInWords(t *testing.T) {
	before := parley.LinkStats{Received: map[parley.Source]parley.Received{parley.Camera: {Packets: 100, Bytes: 1000, Frames: 10}}}
	now := parley.LinkStats{
		Person: parley.Person{Name: "Ann"}, RoundTrip: 1500 * time.Microsecond,
		Path: parley.Path{Kind: parley.PathRelayed, Server: "call.example.org", Protocol: "tls"},
		Received: map[parley.Source]parley.Received{
			parley.Microphone: {Packets: 50, Bytes: 4000, Level: -27, Leveled: true, Tone: true},
			parley.Camera:     {Packets: 190, Bytes: 26000, Lost: 10, Frames: 25, Width: 320, Height: 180, Jitter: 2 * time.Millisecond},
		},
	}
	var out strings.Builder
	newCallPrinter(&out, false).quality(now, before, time.Second)
	want := "Ann: microphone 32 kbit/s, 0.0 % lost, jitter 0.0 ms, -27 dBov, a 440 Hz tone | " +
		"camera 200 kbit/s, 320x180 at 15 frames/s, 10.0 % lost, jitter 2.0 ms | relayed by call.example.org over TLS, round trip 1.5 ms\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
	out.Reset()
	newCallPrinter(&out, false).quality(parley.LinkStats{Person: parley.Person{Name: "Bob"}, Path: parley.Path{Kind: parley.PathLost}}, before, time.Second)
	if got := out.String(); got != "Bob: nothing arrives | lost\n" {
		t.Errorf("%q", got)
	}
}
