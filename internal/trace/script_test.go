package trace

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// start is when every scripted call begins.
var start = time.Date(2026, 3, 14, 14, 0, 0, 0, time.UTC)

// play makes a call out of a script, one step a line:
//
//	SECONDS join SEAT NAME CLIENT ADDRESS
//	SECONDS away|back SEAT
//	SECONDS leave SEAT REASON
//	SECONDS restart SEAT…
//	SECONDS report SEAT [clock=SECONDS] {"at":SECONDS,…}…   (at is relative to the start, by the client's clock)
//	SECONDS relay SEAT KIND {"transport":…}
//	SECONDS end
func play(t testing.TB, script string) (*Call, time.Time) {
	t.Helper()
	c := New("callid", "lobby", start, KeepPrefix)
	now := start
	people := map[string]Person{}
	for n, line := range strings.Split(script, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		seconds, rest, _ := strings.Cut(line, " ")
		now = start.Add(parseSeconds(t, seconds))
		if err := step(t, c, now, people, rest); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
	}
	return c, now
}

func parseSeconds(t testing.TB, text string) time.Duration {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(f * float64(time.Second))
}

func step(t testing.TB, c *Call, now time.Time, people map[string]Person, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	words := strings.Fields(rest)
	switch verb {
	case "join":
		p := Person{Seat: words[0], Name: words[1], Role: signal.RoleSpeaker, Client: words[2], Address: words[3]}
		people[p.Seat] = p
		c.Join(now, p)
	case "away":
		c.Away(now, words[0])
	case "back":
		c.Back(now, words[0])
	case "leave":
		c.Leave(now, words[0], signal.LeftReason(words[1]))
	case "restart":
		var list []Person
		for _, seat := range words {
			list = append(list, people[seat])
		}
		c.Restart(now, list)
	case "report":
		events, err := parseReport(t, strings.TrimPrefix(rest, words[0]))
		if err != nil {
			return err
		}
		c.Report(now, words[0], events)
	case "relay":
		var relay Relay
		if err := json.Unmarshal([]byte(words[2]), &relay); err != nil {
			return err
		}
		c.Relay(now, words[0], signal.ReportKind(words[1]), relay, "")
	case "end":
		c.End(now)
	default:
		return fmt.Errorf("unknown step %q", verb)
	}
	return nil
}

func parseReport(t testing.TB, text string) ([]signal.ReportEvent, error) {
	var off time.Duration
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "clock="); ok {
		word, after, _ := strings.Cut(rest, " ")
		off, text = parseSeconds(t, word), after
	}
	var events []signal.ReportEvent
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var fields map[string]any
		if err := d.Decode(&fields); err != nil {
			return nil, err
		}
		seconds, _ := fields["at"].(float64)
		delete(fields, "at")
		body, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		var e signal.ReportEvent
		if err := json.Unmarshal(body, &e); err != nil {
			return nil, err
		}
		e.At = start.Add(time.Duration(seconds*float64(time.Second)) + off).UnixMilli()
		events = append(events, e)
	}
	return events, nil
}
