package trace

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// FuzzCall plays bytes as steps of a call and checks what must hold whatever clients send: bounds, order, spans without
// gaps, the same record again and after a restart.
func FuzzCall(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x02\x05\x13\x05\x24\x02\x01\x03\x01\x05\x77\x04\x01"))
	f.Add([]byte("\x00\x00\x00\x01\x05\xa0\x05\xa1\x06\x00\x03\x00\x07\x00\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := New("id", "room", start, KeepPrefix)
		now := start
		for i := 0; i+3 < len(data) && i < 4000; i += 4 {
			now = now.Add(time.Duration(data[i+3]) * 100 * time.Millisecond)
			fuzzStep(c, now, data[i:i+4])
		}
		r := c.Record(now)
		for i, e := range r.Events {
			if e.At < r.Began || e.At > r.At || i > 0 && e.At < r.Events[i-1].At {
				t.Fatalf("event %d at %d is out of order, or not in the call (%d to %d)", i, e.At, r.Began, r.At)
			}
		}
		for _, l := range r.People {
			checkSpans(t, &r, &l)
		}
		for _, f := range r.Verdict.Findings {
			if f.Text == "" || f.MS < 0 || f.Percent > 100 {
				t.Fatalf("a finding cannot be: %+v", f)
			}
		}
		if a, b := asJSON(t, c.Record(now)), asJSON(t, r); a != b {
			t.Fatalf("two records of one call:\n%s\n%s", a, b)
		}
	})
}

func checkSpans(t *testing.T, r *Record, l *Lane) {
	t.Helper()
	at := l.From
	for i, s := range l.Path {
		if s.From != at || s.To < s.From || i > 0 && s.To == s.From {
			t.Fatalf("path spans with holes: %+v", l.Path)
		}
		at = s.To
	}
	if until := max(r.until(l), l.From); at != until {
		t.Fatalf("the path ends at %d, the stay at %d", at, until)
	}
	at = l.From
	for _, s := range l.Quality {
		if s.From != at || s.To < s.From {
			t.Fatalf("quality spans with holes: %+v", l.Quality)
		}
		at = s.To
	}
}

func fuzzStep(c *Call, now time.Time, b []byte) {
	seats := []string{"a", "b", "c", ""}
	seat, other := seats[b[1]&3], seats[b[1]>>2&3]
	switch b[0] % 9 {
	case 0:
		c.Join(now, Person{Seat: seat, Name: seat, Address: "192.0.2.1"})
	case 1:
		c.Away(now, seat)
	case 2:
		c.Back(now, seat)
	case 3:
		c.Leave(now, seat, signal.LeftExpired)
	case 4:
		c.Restart(now, []Person{{Seat: seat}, {Seat: other}})
	case 5:
		c.End(now)
	default:
		list := []signal.ReportKind{
			signal.ReportGathered, signal.ReportPairTried, signal.ReportICEConnected, signal.ReportPathChanged, signal.ReportRecovered,
			signal.ReportQuality, signal.ReportVideoPaused, signal.ReportVideoResumed, signal.ReportDevice, signal.ReportSignallingLost, "made-up",
		}
		ways := []signal.PathKind{signal.PathDirect, signal.PathLost, signal.PathRelayed, signal.PathConnecting}
		level := int(b[2]&7) - 2
		c.Report(now, seat, []signal.ReportEvent{{
			At: now.UnixMilli() + int64(int8(b[2]))*1_000*int64(b[0]), Kind: list[int(b[2])%len(list)], Seat: other, MS: int64(b[3]) * 200,
			Path: &signal.ReportPath{Kind: ways[b[2]>>4&3], Server: "192.0.2.1"}, Level: &level,
			Pair: &signal.ReportPair{State: signal.PairWon, Local: signal.ReportCandidate{Address: "192.0.2.1:5"}},
		}})
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// FuzzRestore reads what could be on a disk.
func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"id":"x","room":"r","began":1,"lanes":[{"seat":"a","name":"A","joined":1,"parts":1}]}`), []byte(`[{"n":0,"got":2,"at":2,"kind":"joined"}]`))
	f.Add([]byte(`{"lanes":[null]}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, head, part []byte) {
		c, err := Restore(head, KeepPrefix, func(string) []byte { return part })
		if err != nil {
			return
		}
		c.Record(start)
		c.Changes()
		_, _ = Keys(head)
	})
}

// FuzzAddress: what is kept of an address never holds more than its network.
func FuzzAddress(f *testing.F) {
	f.Add("10.1.2.3:5000 and [2001:db8::1]:3")
	f.Fuzz(func(t *testing.T, s string) {
		once := KeepPrefix.Address(s)
		if again := KeepPrefix.Address(once); again != once {
			t.Fatalf("%q became %q, and that %q", s, once, again)
		}
		KeepPrefix.text(s)
		if KeepNone.Address(s) != "" {
			t.Fatal("none is kept")
		}
	})
}
