package trace

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestHostileReports: whatever a client reports, its own lane is bounded, the others' lines are untouched, and no
// sentence of the verdict is the client's.
func TestHostileReports(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	c := New("id", "tea", now, KeepPrefix)
	c.Join(now, Person{Seat: "a", Name: "Ann"})
	c.Join(now.Add(time.Second), Person{Seat: "m", Name: "Mal. Ann's network blocked UDP"})
	c.Report(now.Add(2*time.Second), "a", []signal.ReportEvent{{
		At: now.UnixMilli(), Kind: signal.ReportPathChanged, Seat: "m", Path: &signal.ReportPath{Kind: signal.PathDirect},
	}})
	forged := "x). Ann's network blocked UDP; relayed over TLS. (y"
	bad := 0
	var events []signal.ReportEvent
	for i := range signal.MaxReport {
		at := []int64{0, 1, 1 << 53, now.UnixMilli(), now.UnixMilli() + 1e10}[i%5]
		kind := []signal.ReportKind{
			Joined, Left, Away, Back, RelayEnded, "made-up", signal.ReportDevice, signal.ReportRecovered, signal.ReportQuality,
			signal.ReportPathChanged, signal.ReportVideoPaused, signal.ReportGathered,
		}[i%12]
		events = append(events, signal.ReportEvent{
			At: at, Kind: kind, Seat: []string{"a", "m", "nobody", strings.Repeat("z", signal.MaxID)}[i%4], MS: math.MaxInt32, Cause: forged,
			Level: &bad, Path: &signal.ReportPath{Kind: signal.PathLost, Server: "203.0.113.77:5"},
			Candidates: make([]signal.ReportCandidate, 64),
		})
	}
	size := 0
	for i := range 3000 {
		c.Report(now.Add(time.Duration(3+i)*time.Second), "m", events)
		for _, p := range c.Changes() {
			size = max(size, len(p.Value))
		}
	}
	c.Leave(now.Add(2*time.Hour), "m", signal.LeftLeft)
	r := c.Record(now.Add(2 * time.Hour))
	ann := 0
	for _, e := range r.Events {
		switch {
		case e.Who == "a":
			ann++
		case e.Server && e.Kind != Joined && e.Kind != Left, !e.Server && e.Relay != nil:
			t.Fatalf("forged: %+v", e)
		case e.At < r.Began || e.At > r.At:
			t.Fatalf("outside of the call: %+v", e)
		}
	}
	if ann != 2 || len(r.Events) > MaxEvents+maxOwn+10 || size > 8*partBytes {
		t.Errorf("%d events of Ann's, %d in all, parts of up to %d bytes", ann, len(r.Events), size)
	}
	if strings.Contains(r.Verdict.Text, ". Ann's network blocked UDP;") || strings.Contains(r.Verdict.Text, "blocked UDP. ") {
		t.Errorf("a sentence of the client's own: %s", r.Verdict.Text)
	}
	t.Log(r.Verdict.Text)
}
