package apiserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/trace"
)

// shelf has one call, or an error.
type shelf struct{ err error }

func (s shelf) Get(_ context.Context, id string) (trace.Record, bool, error) {
	return trace.Record{ID: "one", Room: "tea"}, id == "one", s.err
}

func (s shelf) List(_ context.Context, before string, limit int) ([]trace.Summary, bool, error) {
	if before != "" {
		return nil, false, s.err
	}
	return []trace.Summary{{ID: "one"}}, limit == 1, s.err
}

var keys = auth.NewKeys(bytes.Repeat([]byte{7}, auth.MasterSize))

func server(cfg Config, calls Calls) *Server {
	cfg.Admin = auth.NewSecret("the admin's secret")
	return New(cfg, keys, calls, slog.New(slog.DiscardHandler))
}

// request comes from remote to an address of this machine.
func request(remote, host, path string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr, r.Host = remote, host
	local := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:8443"))
	if remote[0] != '1' {
		local = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::1]:8443"))
	}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func status(s *Server, r *http.Request) int {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

func TestLocal(t *testing.T) {
	tests := []struct {
		name, remote, host string
		headers            []string
		want               int
	}{
		{"by name", "127.0.0.1:5", "localhost:8443", nil, 200},
		{"by address", "127.0.0.1:5", "127.0.0.1:8443", nil, 200},
		{"by IPv6", "[::1]:5", "[::1]:8443", nil, 200},
		{"by a typed address", "127.0.0.1:5", "localhost", []string{"Sec-Fetch-Site", "none"}, 200},
		{"our page", "127.0.0.1:5", "localhost:8443", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8443"}, 200},
		{"another port's page", "127.0.0.1:5", "localhost:8443", []string{"Sec-Fetch-Site", "same-site"}, 401},
		{"another site's page", "127.0.0.1:5", "localhost:8443", []string{"Sec-Fetch-Site", "cross-site"}, 401},
		{"another site's page, in an old browser", "127.0.0.1:5", "localhost:8443", []string{"Origin", "https://evil.example"}, 401},
		{"a page without an origin", "127.0.0.1:5", "localhost:8443", []string{"Origin", "null"}, 401},
		{"a rebound name", "127.0.0.1:5", "evil.example:8443", nil, 401},
		{"a name that looks like ours", "127.0.0.1:5", "localhost.evil.example", nil, 401},
		{"an address as a name", "127.0.0.1:5", "127.0.0.1.nip.io", nil, 401},
		{"through a proxy", "127.0.0.1:5", "localhost", []string{"X-Forwarded-For", "127.0.0.1"}, 401},
		{"through a modern proxy", "127.0.0.1:5", "localhost", []string{"Forwarded", "for=127.0.0.1"}, 401},
		{"through an old proxy", "127.0.0.1:5", "localhost", []string{"Via", "1.1 x"}, 401},
		{"from elsewhere", "192.168.1.5:5", "localhost", nil, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := status(server(Config{Local: true}, shelf{}), request(tt.remote, tt.host, "/api/v1/calls", tt.headers...)); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
			if got := status(server(Config{}, shelf{}), request(tt.remote, tt.host, "/api/v1/calls", tt.headers...)); got != 401 {
				t.Errorf("where it is off, %d", got)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	seat := keys.CallSeal(auth.Call{ID: "one", Seat: "a"})
	tests := []struct {
		name, path, authorization string
		want                      int
	}{
		{"a seat", "/api/v1/calls/one", "Bearer " + seat, 200},
		{"small letters", "/api/v1/calls/one", "bearer " + seat, 200},
		{"a seat, another call", "/api/v1/calls/two", "Bearer " + seat, 403},
		{"a seat that lists", "/api/v1/calls", "Bearer " + seat, 403},
		{"the admin", "/api/v1/calls/one", "Bearer the admin's secret", 200},
		{"the admin, no call", "/api/v1/calls/two", "Bearer the admin's secret", 404},
		{"a guess", "/api/v1/calls/one", "Bearer x", 403},
		{"another scheme", "/api/v1/calls/one", "Basic " + seat, 401},
		{"in the address", "/api/v1/calls/one?access_token=" + seat, "", 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("192.0.2.5:5", "meet.example", tt.path)
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			if got := status(server(Config{Local: true}, shelf{}), r); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestGuesses(t *testing.T) {
	s := server(Config{}, shelf{})
	guess := func(remote string) int {
		return status(s, request(remote, "meet.example", "/api/v1/calls", "Authorization", "Bearer x"))
	}
	for range guessesAtOnce {
		if got := guess("[2001:db8::1]:5"); got != 403 {
			t.Fatal(got)
		}
	}
	if got := guess("[2001:db8::2]:5"); got != 429 {
		t.Errorf("the neighbour in the same network: %d", got)
	}
	if got := guess("[2001:db8:0:1::1]:5"); got != 403 {
		t.Errorf("another network: %d", got)
	}
	for i := range 2 * guessers {
		guess(netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), 5).String())
	}
	if len(s.guesses.count) > guessers {
		t.Errorf("%d addresses are remembered", len(s.guesses.count))
	}
}

func TestList(t *testing.T) {
	s := server(Config{}, shelf{})
	tests := []struct {
		query  string
		status int
		next   string
		calls  int
	}{
		{"", 200, "", 1},
		{"?limit=1", 200, "0.one", 1},
		{"?before=one", 200, "", 0},
		{"?limit=0", 400, "", 0},
		{"?limit=201", 400, "", 0},
		{"?limit=many", 400, "", 0},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request("192.0.2.5:5", "x", "/api/v1/calls"+tt.query, "Authorization", "Bearer the admin's secret"))
		var page Page
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != tt.status || page.Next != tt.next || len(page.Calls) != tt.calls {
			t.Errorf("%q: %d %s %v", tt.query, w.Code, w.Body, err)
		}
		if w.Code == 200 && page.Calls == nil {
			t.Errorf("%q: null is no list: %s", tt.query, w.Body)
		}
	}
}

func TestFaults(t *testing.T) {
	s := server(Config{}, shelf{errors.New("the disk")})
	for _, path := range []string{"/api/v1/calls", "/api/v1/calls/one"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request("192.0.2.5:5", "x", path, "Authorization", "Bearer the admin's secret"))
		var fault Fault
		if err := json.Unmarshal(w.Body.Bytes(), &fault); err != nil || w.Code != 503 || fault.Code != "fault" || fault.Words == "" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	r := request("192.0.2.5:5", "x", "/api/v1/calls")
	r.Method = http.MethodPost
	if got := status(s, r); got != 405 {
		t.Errorf("POST: %d", got)
	}
	if got := status(s, request("192.0.2.5:5", "x", "/api/v1/else")); got != 404 {
		t.Errorf("elsewhere: %d", got)
	}
}

// TestOpenAPI: the description is JSON, names every path, and every reference in it leads somewhere.
func TestOpenAPI(t *testing.T) {
	w := httptest.NewRecorder()
	server(Config{Version: "1.2.3"}, shelf{}).ServeHTTP(w, request("192.0.2.5:5", "x", "/api/v1/openapi.json"))
	var d struct {
		Info       struct{ Version string }
		Paths      map[string]any
		Components struct{ Schemas map[string]map[string]any }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || d.Info.Version != "1.2.3" {
		t.Fatal(err, d.Info)
	}
	if d.Paths["/api/v1/calls"] == nil || d.Paths["/api/v1/calls/{id}"] == nil {
		t.Error(d.Paths)
	}
	var all any
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	references(t, all, d.Components.Schemas)
	entry, _ := d.Components.Schemas["Entry"]["properties"].(map[string]any)
	for _, name := range []string{"id", "who", "at", "kind", "pair", "candidates"} {
		if entry[name] == nil {
			t.Errorf("an entry has no %s: %v", name, entry)
		}
	}
}

func references(t *testing.T, v any, schemas map[string]map[string]any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			references(t, x, schemas)
		}
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok && schemas[ref[len("#/components/schemas/"):]] == nil {
			t.Errorf("%s leads nowhere", ref)
		}
		for _, x := range v {
			references(t, x, schemas)
		}
	}
}
