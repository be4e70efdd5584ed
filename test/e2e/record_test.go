package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/apiserver"
	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/trace"
	parley "github.com/parley-rtc/parley/sdk"
)

// ask gets an address of the API. A change of the request may be nil.
func (h *house) ask(t *testing.T, path, token string, into any, change func(*http.Request)) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(wait(t), http.MethodGet, h.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("%s is %s: %s", path, kind, body)
	}
	if answer.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("other sites may read %s", path)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v: %s", path, err, body)
	}
	return answer.StatusCode
}

// record polls until a record fits: what clients report takes some seconds to arrive.
func (h *house) record(t *testing.T, id, token string, fits func(trace.Record) bool) trace.Record {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for {
		var r trace.Record
		if status := h.ask(t, "/api/v1/calls/"+id, token, &r, nil); status == http.StatusOK && fits(r) {
			return r
		}
		select {
		case <-every.C:
		case <-limit.C:
			t.Fatalf("the record never came so far: %s", asJSON(t, r))
		}
	}
}

func seated(p *peer) parley.Record {
	p.t.Helper()
	return until[parley.Seated](p, nil).Record
}

// happened reports whether a lane has an event of that kind about the other person.
func happened(r trace.Record, who, about string, kind signal.ReportKind) bool {
	return slices.ContainsFunc(r.Events, func(e trace.Entry) bool {
		return e.Who == who && e.Kind == kind && (about == "" || e.Seat == about)
	})
}

func TestCallRecord(t *testing.T) {
	data := t.TempDir()
	h, stop := startHouse(t, "127.0.0.1:0", data, func(c *config.Config) { c.Calls.Addresses = "prefix" })
	ann := dial(t, h.link("tea"), options("Ann")).enter()
	annRecord := seated(ann)
	bob := dial(t, h.link("tea"), options("Bob")).enter()
	bobRecord := seated(bob)
	if annRecord.ID == "" || annRecord.ID != bobRecord.ID || annRecord.Token == bobRecord.Token {
		t.Fatalf("records %+v and %+v", annRecord, bobRecord)
	}
	ann.hears(direct)
	bob.hears(direct)
	seats := ann.people()
	id := annRecord.ID

	complete := func(r trace.Record) bool {
		return len(r.People) == 2 && r.People[0].Path[len(r.People[0].Path)-1].State == trace.StateDirect &&
			linked(r, seats["Ann"], seats["Bob"]) && linked(r, seats["Bob"], seats["Ann"])
	}
	r := h.record(t, id, annRecord.Token, complete)
	if r.Room != "tea" || r.People[0].Name != "Ann" || r.People[1].Name != "Bob" || r.People[1].Client == "" || r.Ended != 0 {
		t.Errorf("%+v", r)
	}
	if got := r.People[1].Address; got != "127.0.0.0/24" {
		t.Errorf("Bob's address is kept as %q", got)
	}
	if !strings.HasPrefix(r.Verdict.Text, "Ann and Bob were connected directly.") || r.Verdict.Level != trace.Good {
		t.Errorf("the verdict is %+v", r.Verdict)
	}
	t.Logf("verdict: %s; Bob's link: ICE after %d ms, DTLS after %d ms", r.Verdict.Text, *r.People[1].Links[0].ICE, *r.People[1].Links[0].DTLS)

	t.Run("who may read it", func(t *testing.T) { strangers(t, h, id, bobRecord.Token, data) })

	if err := bob.Leave(wait(t)); err != nil {
		t.Fatal(err)
	}
	if err := ann.Leave(wait(t)); err != nil {
		t.Fatal(err)
	}
	h.record(t, id, bobRecord.Token, func(r trace.Record) bool { return r.Ended != 0 })
	// Their sessions end as well: pion forgets to give back a relayed address that comes while its agent is closed (it closes
	// the socket before it says so, seen with pion/ice v4.4.2 to v4.4.8), and Ann had begun to prepare for the next person.
	ann.Close()
	bob.Close()
	before := h.record(t, id, bobRecord.Token, func(r trace.Record) bool {
		open := 0 // relayed addresses may outlive the call for a moment
		for _, seat := range seats {
			open += count(r, seat, trace.RelayAllocated) - count(r, seat, trace.RelayEnded)
		}
		return open == 0
	})
	stop()

	again, stop := startHouse(t, "127.0.0.1:0", data, nil)
	defer stop()
	after := again.record(t, id, bobRecord.Token, func(r trace.Record) bool { return r.Ended != 0 })
	if a, b := asJSON(t, before), asJSON(t, after); a != b {
		t.Errorf("after a restart the record is\n%s\nand was\n%s", b, a)
	}
	var page apiserver.Page
	if status := again.ask(t, "/api/v1/calls", adminToken(t, data), &page, nil); status != http.StatusOK || len(page.Calls) != 1 ||
		page.Calls[0].ID != id || page.Calls[0].Text != before.Verdict.Text {
		t.Errorf("%d %+v", status, page)
	}
}

// linked reports whether the record knows how one person's connection with another came about.
func linked(r trace.Record, seat, with string) bool {
	for _, l := range r.People {
		for _, link := range l.Links {
			if l.Seat == seat && link.With == with {
				return link.Won != nil && link.ICE != nil && link.DTLS != nil && len(link.Gathered) > 0 && link.Why == trace.WhySameNetwork &&
					link.Packet != nil
			}
		}
	}
	return false
}

func adminToken(t *testing.T, data string) string {
	t.Helper()
	path := filepath.Join(data, "admin.token")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the admin token's file: %v, %v", info.Mode(), err)
	}
	return strings.TrimSpace(string(b))
}

// strangers checks who may read a record and the list.
func strangers(t *testing.T, h *house, id, token, data string) {
	foreign := func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.7") } // not from this machine, as it says
	site := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", value) }
	}
	host := func(r *http.Request) { r.Host = "rebound.example:80" }
	admin := adminToken(t, data)
	tests := []struct {
		name, path, token string
		change            func(*http.Request)
		status            int
	}{
		{"a seat of the call", "/calls/" + id, token, foreign, 200},
		{"the admin", "/calls/" + id, admin, foreign, 200},
		{"the admin's list", "/calls", admin, foreign, 200},
		{"somebody on this machine", "/calls/" + id, "", nil, 200},
		{"our own page on this machine", "/calls", "", site("same-origin"), 200},
		{"another site's page on this machine", "/calls", "", site("cross-site"), 401},
		{"another port's page on this machine", "/calls", "", site("same-site"), 401},
		{"a name that leads to this machine", "/calls", "", host, 0},
		{"a stranger", "/calls/" + id, "", foreign, 401},
		{"a stranger's guess", "/calls/" + id, "AAAA" + token[4:], foreign, 403},
		{"a seat of another call", "/calls/" + strings.Repeat("A", len(id)), token, foreign, 403},
		{"a seat that lists", "/calls", token, foreign, 403},
		{"the admin, of no call", "/calls/nothing", admin, foreign, 404},
		{"a bad limit", "/calls?limit=x", admin, foreign, 400},
		{"no such address", "/nothing", admin, foreign, 404},
		{"the description", "/openapi.json", "", foreign, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.status == 0 { // plain HTTP is not served to other names at all
				r, err := http.NewRequestWithContext(wait(t), http.MethodGet, h.url+"/api/v1"+tt.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				tt.change(r)
				answer, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					t.Error("it is answered")
				}
				return
			}
			var body map[string]any
			if status := h.ask(t, "/api/v1"+tt.path, tt.token, &body, tt.change); status != tt.status {
				t.Errorf("%d, want %d: %v", status, tt.status, body)
			} else if status != 200 && (body["words"] == "" || body["code"] == "") {
				t.Errorf("no words: %v", body)
			}
		})
	}
	t.Run("guesses are limited", func(t *testing.T) {
		var body map[string]any
		limited := false
		for range 20 {
			limited = h.ask(t, "/api/v1/calls/"+id, "wrong", &body, foreign) == http.StatusTooManyRequests || limited
		}
		if !limited {
			t.Error("twenty wrong tokens in a row were judged")
		}
		if status := h.ask(t, "/api/v1/calls", admin, &body, foreign); status != http.StatusOK {
			t.Errorf("the admin is kept out by guesses: %d", status)
		}
	})
}

// TestCallRecordOutlivesARestart: what was reported before the process died is in the record, and the call goes on in it.
func TestCallRecordOutlivesARestart(t *testing.T) {
	data := t.TempDir()
	h, stop := startHouse(t, "127.0.0.1:0", data, nil)
	ann := dial(t, h.link("tea"), options("Ann")).enter()
	record := seated(ann)
	bob := join(t, h.link("tea"), "Bob")
	ann.hears(direct)
	bob.hears(direct)
	seats := ann.people()
	h.record(t, record.ID, record.Token, func(r trace.Record) bool { return linked(r, seats["Ann"], seats["Bob"]) })
	listen := h.Info().Listen.String()
	h.Close() // without a goodbye
	stop()

	again, stop := startHouse(t, listen, data, nil)
	defer stop()
	r := again.record(t, record.ID, record.Token, func(r trace.Record) bool {
		return len(r.Restarts) == 1 && happened(r, seats["Ann"], "", trace.Back) && happened(r, seats["Bob"], "", trace.Back)
	})
	if !linked(r, seats["Ann"], seats["Bob"]) || r.Ended != 0 {
		t.Errorf("what was before the restart is gone: %+v", r)
	}
	ann.hears(direct)
	t.Log("verdict:", r.Verdict.Text)
	ann.Close()
	bob.Close()
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
