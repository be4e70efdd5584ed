package trace

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/parley-rtc/parley/internal/signal"
)

var update = flag.Bool("update", false, "write the golden files again")

// TestGolden plays testdata/*.txtar and compares verdict and record, also after the call went through the store.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, now := play(t, string(a.Files[0].Data))
			got := golden(t, c.Record(now))
			if again := golden(t, reload(t, c).Record(now)); again != got {
				t.Errorf("the stored call has another record:\n%s", again)
			}
			if *update {
				a.Files = append(a.Files[:1], txtar.File{Name: "record", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(a.Files[1].Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// golden writes a record for a golden file: the sentences on lines of their own first.
func golden(t *testing.T, r Record) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range r.Verdict.Findings {
		b.WriteString("# " + f.Text + "\n")
	}
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// reload stores a call and takes it back.
func reload(t *testing.T, c *Call) *Call {
	t.Helper()
	kept := map[string][]byte{}
	var head []byte
	keep(kept, &head, c.Changes())
	back, err := Restore(head, KeepPrefix, func(key string) []byte { return kept[key] })
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func keep(kept map[string][]byte, head *[]byte, parts []Part) {
	for _, p := range parts {
		switch {
		case p.Head:
			*head = p.Value
		case len(p.Value) == 0:
			delete(kept, p.Key)
		default:
			kept[p.Key] = p.Value
		}
	}
}

const twoPeople = "0 join ann Ann web 10.0.0.7\n0 join ben Ben web 10.0.0.8\n"

// connected is a direct connection of both, at second 1.
const connected = twoPeople + `1 report ann {"at":1,"kind":"path","seat":"ben","path":{"kind":"direct"}}
1 report ben {"at":1,"kind":"path","seat":"ann","path":{"kind":"direct"}}
`

func TestVerdict(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"nobody else", "0 join ann Ann web 10.0.0.7\n60 leave ann left\n60 end", "Nobody else came."},
		{"a program that tells nothing", twoPeople + "60 end", "How Ann and Ben were connected is not known: their programs did not say. There was no interruption."},
		{"a program that tells nothing, seen by the relay", twoPeople + `59 relay ben relay-ended {"transport":"tls","up":5000,"down":9000}
			60 end`, "Ann and Ben were relayed over TLS. There was no interruption."},
		{"a program that tells nothing, and a relay that carried nothing back", twoPeople + `59 relay ben relay-ended {"transport":"udp","up":500}
			60 end`, "How Ann and Ben were connected is not known: their programs did not say. There was no interruption."},
		{"what the programs tell is more", connected + `59 relay ben relay-ended {"transport":"udp","up":500,"down":500}
			60 end`, "Ann and Ben were connected directly. There was no interruption."},
		{"no connection", twoPeople + `5 report ann {"at":5,"kind":"gathered","seat":"ben"}` + "\n60 end", "Ann and Ben got no connection with each other."},
		{"too short to tell", twoPeople + `5 report ann {"at":5,"kind":"gathered","seat":"ben"}` + "\n8 end", "There was no interruption."},
		{"direct", connected + "60 end", "Ann and Ben were connected directly. There was no interruption."},
		{"a gap told by both", connected + `30 report ann {"at":30,"kind":"recovered","seat":"ben","ms":2000}
			30 report ben {"at":30.5,"kind":"recovered","seat":"ann","ms":1800}
			60 end`, "Ann and Ben were connected directly. 2 s gap at 14:00 UTC on the way between Ann and Ben."},
		{"a network that was gone", connected + "28 away ben\n30 back ben\n" + `31 report ann {"at":30.2,"kind":"recovered","seat":"ben","ms":2100}
			60 end`, "Ann and Ben were connected directly. 2.1 s gap at 14:00 UTC when Ben's network was gone."},
		{"both were", connected + "28 away ben\n28 away ann\n30 back ben\n30 back ann\n" + `31 report ann {"at":30.2,"kind":"recovered","seat":"ben","ms":2000}
			60 end`, "Ann and Ben were connected directly. 2 s gap at 14:00 UTC when both Ann and Ben lost the server."},
		{"another network, seen by the addresses", connected + `2 report ann {"at":2,"kind":"pair","seat":"ben","pair":{"local":{"type":"host","protocol":"udp","address":"10.0.0.7:1"},"remote":{"type":"host","protocol":"udp"},"state":"won"}}
			28 away ann
			30 report ann {"at":30,"kind":"recovered","seat":"ben","ms":2000} {"at":30,"kind":"pair","seat":"ben","pair":{"local":{"type":"host","protocol":"udp","address":"192.168.3.3:1"},"remote":{"type":"host","protocol":"udp"},"state":"won"}}
			60 end`, "Ann and Ben were connected directly. 2 s gap at 14:00 UTC when Ann changed networks."},
		{"a reload", connected + "28 away ann\n29 back ann\n" + `30 report ann {"at":29,"kind":"note","cause":"reloaded"}
			30 report ben {"at":29.5,"kind":"recovered","seat":"ann","ms":1500}
			60 end`, "Ann and Ben were connected directly. 1.5 s gap at 14:00 UTC when Ann loaded the page again."},
		{"a reload, told by the paths alone", connected + "28 away ben\n28.2 back ben\n" + `30 report ben {"at":28.3,"kind":"note","cause":"reloaded"} {"at":28.3,"kind":"path","seat":"ann","path":{"kind":"connecting"}} {"at":29.2,"kind":"path","seat":"ann","path":{"kind":"direct"}}
			30 report ann {"at":28.1,"kind":"path","seat":"ben","path":{"kind":"connecting"}} {"at":29.2,"kind":"path","seat":"ben","path":{"kind":"direct"}}
			60 end`, "Ann and Ben were connected directly. 1.1 s gap at 14:00 UTC when Ben loaded the page again."},
		{"sleep", connected + `99 report ann {"at":95,"kind":"recovered","seat":"ben","ms":65000,"cause":"asleep"}
			120 end`, "Ann and Ben were connected directly. 1 min 5 s gap at 14:00 UTC while Ann's device slept."},
		{"too short to notice", connected + `30 report ann {"at":30,"kind":"recovered","seat":"ben","ms":200}` + "\n60 end", "Ann and Ben were connected directly. There was no interruption."},
		{"hanging up is no gap", connected + `60 report ann {"at":59,"kind":"path","seat":"ben","path":{"kind":"lost"}}` + "\n60 leave ben left\n60 end", "Ann and Ben were connected directly. There was no interruption."},
		{"never came back", connected + "30 away ben\n" + `36 report ann {"at":36,"kind":"path","seat":"ben","path":{"kind":"lost"}}
			630 leave ben expired
			630 end`, "Ann and Ben were connected directly. 9 min 54 s gap at 14:00 UTC when Ben's network was gone. Ben lost the connection at 14:00 UTC and did not come back."},
		{"the server restarts", connected + "30 restart ann ben\n31 back ann\n31 back ben\n60 end", "Ann and Ben were connected directly. The server restarted at 14:00 UTC. There was no interruption."},
		{"bad quality", connected + `2 report ann {"at":2,"kind":"quality","seat":"ben","level":2} {"at":2,"kind":"quality","seat":"ben","level":2}
			40 report ann {"at":40,"kind":"quality","seat":"ben","level":0,"cause":"upload-small"}
			50 report ann {"at":50,"kind":"quality","seat":"ben","level":2}
			100 end`, "Ann and Ben were connected directly. The connection was bad for Ann for 10 s, 10 % of the time (the upload is too small)."},
		{"video paused and a device", connected + `40 report ben {"at":40,"kind":"video-paused","cause":"upload"}
			50 report ben {"at":50,"kind":"video-resumed","ms":10000} {"at":50,"kind":"device","source":"microphone","cause":"unplugged"}
			100 end`, "Ann and Ben were connected directly. Ben's video was paused for 10 s so that the sound could go on (upload). A device of Ben's failed at 14:00 UTC (unplugged)."},
		{"removed", connected + "40 leave ben removed\n60 end", "Ann and Ben were connected directly. A host removed Ben at 14:00 UTC. There was no interruption."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, now := play(t, tt.script)
			if got := c.Record(now).Verdict.Text; got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestClock(t *testing.T) {
	const began, hour = 1_000_000, 3_600_000
	tests := []struct {
		name    string
		reports [][2]int64 // newest by the client, arrival
		at, got int64
		want    int64
	}{
		{"right, and 100 ms away", [][2]int64{{began, began + 100}}, began + 5_000, began + 6_000, began + 5_100},
		{"an hour fast", [][2]int64{{began + hour, began + 50}}, began + hour + 10, began + 60, began + 60},
		{"the quickest report is believed", [][2]int64{{began, began + 4_000}, {began + 9_000, began + 9_050}}, began + 100, began + 4_000, began + 150},
		{"a report that waited for the network", [][2]int64{{began, began + 50}, {began + 1_000, began + 300_000}}, began + 1_000, began + 300_000, began + 1_050},
		{"set forward in the call", [][2]int64{{began, began + 50}, {began + hour + 1_000, began + 1_000}}, began + hour + 900, began + 1_000, began + 900},
		{"events from before the call", [][2]int64{{began, began + 50}}, 7, began + 50, began},
		{"events from the future", [][2]int64{{began, began + 50}}, began + 2*hour, began + 70, began + 70},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var clocks []Clock
			for _, r := range tt.reports {
				clocks, _ = learn(clocks, r[0], r[1])
			}
			if got := correct(clocks, tt.at, tt.got, began); got != tt.want {
				t.Errorf("got %d, want %d (clocks %v)", got-began, tt.want-began, clocks)
			}
		})
	}
	var clocks []Clock
	for i := range int64(1000) {
		clocks, _ = learn(clocks, began+i*10_000_000*(1-2*(i&1)), began+i)
	}
	if len(clocks) > maxClocks {
		t.Errorf("%d clocks are kept", len(clocks))
	}
}

func TestAddress(t *testing.T) {
	tests := []struct{ text, prefix, none string }{
		{"203.0.113.7", "203.0.113.0/24", ""},
		{"203.0.113.7:5000", "203.0.113.0/24", ""},
		{"203.0.113.7/32", "203.0.113.0/24", ""},
		{"::ffff:203.0.113.7", "203.0.113.0/24", ""},
		{"2001:db8:1:2:3::4", "2001:db8:1::/48", ""},
		{"[2001:db8:1:2:3::4]:5000", "2001:db8:1::/48", ""},
		{"fe80::1%eth0", "fe80::/48", ""},
		{"6f3f4d52-2a1a-4a5e-8f0e-000000000000.local", "", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		if got := KeepPrefix.Address(tt.text); got != tt.prefix {
			t.Errorf("prefix of %q is %q, not %q", tt.text, got, tt.prefix)
		}
		if got := KeepNone.Address(tt.text); got != tt.none {
			t.Errorf("none of %q is %q", tt.text, got)
		}
		if got := KeepFull.Address(tt.text); got != tt.text {
			t.Errorf("all of %q is %q", tt.text, got)
		}
	}
}

func TestTextWithoutAddresses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"the interface is gone", "the interface is gone"},
		{"10.1.2.3 is gone", "10.1.2.0/24 is gone"},
		{"from 10.1.2.3:80, to [2001:db8::7]:443.", "from 10.1.2.0/24, to 2001:db8::/48."},
		{"addr=10.1.2.3", "addr=10.1.2.0/24"},
		{"version 1.2 at 14:02", "version 1.2 at 14:02"},
	}
	for _, tt := range tests {
		if got := KeepPrefix.text(tt.text); got != tt.want {
			t.Errorf("%q became %q, not %q", tt.text, got, tt.want)
		}
	}
}

// TestFlood: a client that sends without end keeps the beginning of its lane, loses quality first, and the other's lane
// has everything.
func TestFlood(t *testing.T) {
	c, _ := play(t, connected)
	at := start.Add(time.Minute)
	level := 1
	for range 100 {
		var events []signal.ReportEvent
		for range signal.MaxReport {
			events = append(events, signal.ReportEvent{At: at.UnixMilli(), Kind: signal.ReportQuality, Seat: "ben", Level: &level})
		}
		c.Report(at, "ann", events)
	}
	c.Report(at, "ann", []signal.ReportEvent{{At: at.UnixMilli(), Kind: signal.ReportRestart, Seat: "ben", Cause: "stalled"}})
	r := c.Record(at)
	ann := kindsOf(r, "ann")
	if ann[signal.ReportPathChanged] != 1 || ann[signal.ReportRestart] != 1 || ann[signal.ReportQuality] != MaxEvents-2 {
		t.Errorf("the lane has %v", ann)
	}
	if r.Omitted != 100*signal.MaxReport-(MaxEvents-2) {
		t.Errorf("%d omitted", r.Omitted)
	}
	if ben := kindsOf(r, "ben"); ben[signal.ReportPathChanged] != 1 {
		t.Errorf("the other lane has %v", ben)
	}
	for range 100 {
		c.Report(at, "ann", slices.Repeat([]signal.ReportEvent{{At: at.UnixMilli(), Kind: signal.ReportNote, Cause: strings.Repeat("x", signal.MaxCause)}}, signal.MaxReport))
	}
	if l := c.lanes["ann"]; l.others > MaxEvents || l.size > maxLaneSize || len(l.parts) > maxParts {
		t.Errorf("%d events, %d bytes, %d parts", l.others, l.size, len(l.parts))
	}
	for i := range 200 {
		c.Join(at, Person{Seat: "x" + string(rune('0'+i/10)) + string(rune('0'+i%10)), Name: "X"})
	}
	if r = c.Record(at); len(r.People) != MaxLanes || r.Uncounted == 0 {
		t.Errorf("%d people, %d uncounted", len(r.People), r.Uncounted)
	}
}

func kindsOf(r Record, seat string) map[signal.ReportKind]int {
	n := map[signal.ReportKind]int{}
	for _, e := range r.Events {
		if e.Who == seat {
			n[e.Kind]++
		}
	}
	return n
}

// TestStoredAlways: whatever prefix of the writes reaches the disk, the call can be restored, and what was acknowledged
// before a pack is never lost by it.
func TestStoredAlways(t *testing.T) {
	c, _ := play(t, connected)
	kept := map[string][]byte{}
	var head []byte
	keep(kept, &head, c.Changes())
	level := 2
	at := start.Add(time.Minute)
	for i := range 130 {
		c.Report(at, "ann", slices.Repeat([]signal.ReportEvent{{At: at.UnixMilli(), Kind: signal.ReportQuality, Seat: "ben", Level: &level}}, signal.MaxReport))
		for _, p := range c.Changes() {
			keep(kept, &head, []Part{p})
			if i < 114 || i > 122 {
				continue // the lane is packed after this
			}
			back, err := Restore(head, KeepPrefix, func(key string) []byte { return kept[key] })
			if err != nil {
				t.Fatal(i, err)
			}
			if n := kindsOf(back.Record(at), "ann"); n[signal.ReportPathChanged] != 1 {
				t.Fatalf("round %d: the lane has %v after %s", i, n, p.Key)
			}
		}
	}
	back := reload(t, mustRestore(t, head, kept))
	if !reflect.DeepEqual(back.Record(at).Events, c.Record(at).Events) {
		t.Error("the restored call differs")
	}
}

func mustRestore(t *testing.T, head []byte, kept map[string][]byte) *Call {
	t.Helper()
	c, err := Restore(head, KeepPrefix, func(key string) []byte { return kept[key] })
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.head.Lanes {
		for i := range l.parts {
			l.touch(i)
		}
	}
	c.dirty = true
	return c
}
