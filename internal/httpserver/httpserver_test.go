package httpserver

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
)

var quiet = slog.New(slog.DiscardHandler)

var page = fstest.MapFS{
	"index.html":           {Data: []byte("<!doctype html><title>Parley</title>" + strings.Repeat(" long enough to compress", 50))},
	"placeholder.html":     {Data: []byte("placeholder")},
	"favicon.svg":          {Data: []byte("<svg/>")},
	"manifest.webmanifest": {Data: []byte("{}")},
	"assets/app-1a2b.js":   {Data: []byte("'use strict';" + strings.Repeat("call();", 200))},
	"assets/a.woff2":       {Data: []byte("wOF2")},
}

// echo says what the signalling handler sees.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s forwarded=%v", r.RemoteAddr, r.URL.Scheme, r.Host, Forwarded(r.Context()))
})

func newServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := New(cfg, echo, page, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type ask struct {
	secure         bool
	host, path     string
	peer           string // default 203.0.113.9:4000
	method         string
	headers        []string // "Name: value"
	acceptEncoding string
}

// answer is what came back.
type answer struct {
	StatusCode int
	Header     http.Header
	body       string
}

func (a ask) do(t *testing.T, s *Server) answer {
	t.Helper()
	if a.method == "" {
		a.method = "GET"
	}
	r := httptest.NewRequestWithContext(t.Context(), a.method, a.path, nil)
	r.Host = a.host
	r.RemoteAddr = a.peer
	if a.peer == "" {
		r.RemoteAddr = "203.0.113.9:4000"
	}
	for _, h := range a.headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	if a.acceptEncoding != "" {
		r.Header.Set("Accept-Encoding", a.acceptEncoding)
	}
	w := httptest.NewRecorder()
	s.Handler(a.secure).ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func TestPlainHTTP(t *testing.T) {
	s := newServer(t, Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	for _, tt := range []struct {
		name, host, peer, path string
		status                 int
		location               string
	}{
		{"localhost", "localhost:8443", "", "/", 200, ""},
		{"a name below localhost", "app.localhost", "", "/", 200, ""},
		{"127.0.0.1", "127.0.0.1:8443", "", "/", 200, ""},
		{"all of 127/8", "127.9.9.9", "", "/", 200, ""},
		{"::1", "[::1]:8443", "", "/", 200, ""},
		{"a trusted proxy", "meet.example.org", "10.1.2.3:99", "/", 200, ""},
		{"a name", "meet.example.org:8443", "", "/r/x?a=b", 308, "https://meet.example.org:8443/r/x?a=b"},
		{"an address", "192.0.2.7:8443", "127.0.0.1:99", "/", 308, "https://192.0.2.7:8443/"},
		{"an IPv6 address", "[2001:db8::1]:8443", "", "/", 308, "https://[2001:db8::1]:8443/"},
		{"not quite localhost", "localhost.example.org", "", "/", 308, "https://localhost.example.org/"},
		{"the socket too", "meet.example.org", "", "/ws", 308, "https://meet.example.org/ws"},
		{"health too", "meet.example.org", "", "/healthz", 308, "https://meet.example.org/healthz"},
		{"a policy in the host", "localhost;script-src", "", "/", 400, ""},
		{"a path in the host", "localhost/x", "", "/", 400, ""},
		{"a bad port", "localhost:http", "", "/", 400, ""},
		{"IPv6 without brackets", "::1", "", "/", 400, ""},
		{"no host", "", "", "/", 400, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ask{host: tt.host, peer: tt.peer, path: tt.path}.do(t, s)
			if r.StatusCode != tt.status || r.Header.Get("Location") != tt.location {
				t.Errorf("got %d %s", r.StatusCode, r.Header.Get("Location"))
			}
			if r.Header.Get("Strict-Transport-Security") != "" {
				t.Error("HSTS over plain HTTP")
			}
		})
	}
}

func TestForwarded(t *testing.T) {
	s := newServer(t, Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}})
	const proxy = "10.0.0.1:5000"
	for _, tt := range []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"nobody forwards", "203.0.113.9:4000", nil, "203.0.113.9:4000 https meet.example.org forwarded=false"},
		{"IPv4 in IPv6", "[::ffff:203.0.113.9]:4000", nil, "203.0.113.9:4000 https meet.example.org forwarded=false"},
		{"a stranger says so", "203.0.113.9:4000", []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: localhost"}, "203.0.113.9:4000 https meet.example.org forwarded=true"},
		{"an unlisted proxy", "192.168.0.2:4000", []string{"Forwarded: for=198.51.100.7"}, "192.168.0.2:4000 https meet.example.org forwarded=true"},
		{"a proxy that says nothing", proxy, nil, "10.0.0.1:5000 https meet.example.org forwarded=false"},
		{"X-Forwarded-*", proxy, []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.example:444"}, "198.51.100.7:0 http a.example:444 forwarded=false"},
		{"Forwarded", proxy, []string{`Forwarded: for="[2001:db8::9]:4711";proto=https;host=a.example`}, "[2001:db8::9]:0 https a.example forwarded=false"},
		{"the client's lie stands left", proxy, []string{"X-Forwarded-For: 127.0.0.1, 198.51.100.7"}, "198.51.100.7:0 https meet.example.org forwarded=false"},
		{"two proxies", proxy, []string{"X-Forwarded-For: 127.0.0.1, 198.51.100.7, 10.0.0.9"}, "198.51.100.7:0 https meet.example.org forwarded=false"},
		{"two lines", proxy, []string{"X-Forwarded-For: 127.0.0.1, 198.51.100.7", "X-Forwarded-For: 10.0.0.9"}, "198.51.100.7:0 https meet.example.org forwarded=false"},
		{"a proxy that hides the client", proxy, []string{"Forwarded: for=198.51.100.7, for=_hidden"}, "10.0.0.1:5000 https meet.example.org forwarded=true"},
		{"a proxy that tells only of itself", proxy, []string{"X-Forwarded-Proto: https"}, "10.0.0.1:5000 https meet.example.org forwarded=true"},
		{"a stranger's proxy that tells only of itself", "192.168.0.2:4000", []string{"Via: 1.1 a.example"}, "192.168.0.2:4000 https meet.example.org forwarded=true"},
		{"both agree", proxy, []string{"Forwarded: for=198.51.100.7", "X-Forwarded-For: 198.51.100.7"}, "198.51.100.7:0 https meet.example.org forwarded=false"},
		{"both disagree", proxy, []string{"Forwarded: for=127.0.0.1", "X-Forwarded-For: 198.51.100.7"}, ""},
		{"a bad host", proxy, []string{"X-Forwarded-Host: a b"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ask{secure: true, host: "meet.example.org", path: "/ws", peer: tt.peer, headers: tt.headers}.do(t, s)
			got := r.body
			if tt.want == "" && r.StatusCode == 400 {
				return
			}
			if got != tt.want {
				t.Errorf("%d %q, want %q", r.StatusCode, got, tt.want)
			}
		})
	}
}

func TestPages(t *testing.T) {
	s := newServer(t, Config{})
	for _, tt := range []struct {
		method, path string
		status       int
		kind, cache  string
		holds        string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "no-cache", "<title>Parley</title>"},
		{"HEAD", "/", 200, "text/html; charset=utf-8", "no-cache", ""},
		{"GET", "/r/quiet-otter_42", 200, "text/html; charset=utf-8", "no-cache", "<title>Parley</title>"},
		{"GET", "/r/Quiet", 308, "text/html; charset=utf-8", "no-cache", "/r/quiet"},
		{"GET", "/r/", 404, "text/html; charset=utf-8", "no-store", "There is nothing here"},
		{"GET", "/r/a/b", 404, "text/html; charset=utf-8", "no-store", "There is nothing here"},
		{"GET", "/r/%C3%A9", 404, "text/html; charset=utf-8", "no-store", "There is nothing here"},
		{"GET", "/r/" + strings.Repeat("a", 64), 200, "text/html; charset=utf-8", "no-cache", "Parley"},
		{"GET", "/r/" + strings.Repeat("a", 65), 404, "text/html; charset=utf-8", "no-store", "There is nothing here"},
		{"GET", "/calls/Ab3_-x", 200, "text/html; charset=utf-8", "no-cache", "<title>Parley</title>"},
		{"GET", "/calls/", 404, "text/html; charset=utf-8", "no-store", "There is nothing here"},
		{"GET", "/calls/a.b", 404, "text/html; charset=utf-8", "no-store", "There is nothing here"},
		{"GET", "/api/v1/calls", 404, "text/html; charset=utf-8", "no-store", "There is nothing here"},
		{"GET", "/assets/app-1a2b.js", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "call();"},
		{"GET", "/assets/a.woff2", 200, "font/woff2", "public, max-age=31536000, immutable", "wOF2"},
		{"GET", "/assets/gone.js", 404, "text/html; charset=utf-8", "no-store", "There is nothing here"},
		{"GET", "/assets/", 404, "text/html; charset=utf-8", "no-store", ""},
		{"GET", "/favicon.svg", 200, "image/svg+xml", "no-cache", "<svg/>"},
		{"GET", "/manifest.webmanifest", 200, "application/manifest+json", "no-cache", "{}"},
		{"GET", "/index.html", 404, "text/html; charset=utf-8", "no-store", ""},
		{"GET", "/placeholder.html", 404, "text/html; charset=utf-8", "no-store", ""},
		{"GET", "/../etc/passwd", 404, "text/html; charset=utf-8", "no-store", ""},
		{"POST", "/", 405, "text/plain; charset=utf-8", "no-store", "Only GET"},
		{"GET", "/healthz", 200, "text/plain; charset=utf-8", "no-store", "alive"},
		{"GET", "/readyz", 200, "text/plain; charset=utf-8", "no-store", "ready"},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			r := ask{secure: true, host: "meet.example.org", path: tt.path, method: tt.method}.do(t, s)
			got := r.body
			if r.StatusCode != tt.status || r.Header.Get("Content-Type") != tt.kind || r.Header.Get("Cache-Control") != tt.cache || !strings.Contains(got, tt.holds) {
				t.Errorf("got %d %v\n%.200s", r.StatusCode, r.Header, got)
			}
			if tt.method == "HEAD" && got != "" {
				t.Error("HEAD has a body")
			}
			if r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("sniffing is not forbidden")
			}
		})
	}
}

func TestReadyWhileDraining(t *testing.T) {
	s := newServer(t, Config{})
	s.Drain()
	if r := (ask{secure: true, host: "a.example", path: "/readyz"}).do(t, s); r.StatusCode != 503 {
		t.Error(r.StatusCode)
	}
	if r := (ask{secure: true, host: "a.example", path: "/healthz"}).do(t, s); r.StatusCode != 200 {
		t.Error(r.StatusCode)
	}
}

func TestGuards(t *testing.T) {
	s := newServer(t, Config{HSTS: func(host string) bool { return host == "meet.example.org" }})
	r := ask{secure: true, host: "meet.example.org:8443", path: "/"}.do(t, s)
	csp := r.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "connect-src 'self' wss://meet.example.org:8443", "img-src 'self' data: blob:", "media-src 'self' blob: mediastream:", "worker-src 'self' blob:"} {
		if !strings.Contains(csp, part) {
			t.Errorf("the policy lacks %q: %s", part, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Error("the policy has an unsafe part")
	}
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "Strict-Transport-Security": hstsAge, "Cross-Origin-Opener-Policy": "same-origin",
		"Permissions-Policy": permissions,
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, power := range []string{"camera", "microphone", "display-capture", "speaker-selection", "screen-wake-lock"} {
		if !strings.Contains(permissions, power+"=(self)") {
			t.Errorf("the page may not use %s", power)
		}
	}
	r = ask{secure: true, host: "192.0.2.1", path: "/"}.do(t, s)
	if r.Header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS for a host whose certificate is not trusted")
	}
	r = ask{host: "localhost:1", path: "/"}.do(t, s)
	if !strings.HasSuffix(r.Header.Get("Content-Security-Policy"), "connect-src 'self' ws://localhost:1") {
		t.Error(r.Header.Get("Content-Security-Policy"))
	}
}

func TestCompression(t *testing.T) {
	s := newServer(t, Config{})
	for header, want := range map[string]bool{"": false, "gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "*": true, "identity": false, "gzip ; q=0.0": false} {
		r := ask{secure: true, host: "a.example", path: "/assets/app-1a2b.js", acceptEncoding: header}.do(t, s)
		if got := r.Header.Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("Accept-Encoding %q: compressed %v", header, got)
			continue
		}
		body := io.Reader(strings.NewReader(r.body))
		if want {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if b, err := io.ReadAll(body); err != nil || string(b) != string(page["assets/app-1a2b.js"].Data) {
			t.Errorf("Accept-Encoding %q: %v, %d bytes", header, err, len(b))
		}
		if r.Header.Get("Vary") != "Accept-Encoding" {
			t.Error("no Vary")
		}
	}
	if r := (ask{secure: true, host: "a.example", path: "/assets/a.woff2", acceptEncoding: "gzip"}).do(t, s); r.Header.Get("Content-Encoding") != "" {
		t.Error("a font is compressed already")
	}
}

// The build's Brotli form goes to who reads it, and is no page of its own.
func TestBrotli(t *testing.T) {
	files := maps.Clone(page)
	files["assets/app-1a2b.js.br"] = &fstest.MapFile{Data: []byte("small")}
	s, err := New(Config{}, echo, files, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"gzip, deflate, br, zstd": "br", "br;q=0, gzip": "gzip", "br;q=0.1, gzip": "br", "*": "br", "*, br;q=0": "gzip", "gzip": "gzip", "": "",
	} {
		r := ask{secure: true, host: "a.example", path: "/assets/app-1a2b.js", acceptEncoding: header}.do(t, s)
		if got := r.Header.Get("Content-Encoding"); got != want || (want == "br") != (r.body == "small") || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("Accept-Encoding %q: %q, %q", header, got, r.body)
		}
		if tag := r.Header.Get("ETag"); strings.HasSuffix(tag, `-br"`) != (want == "br") {
			t.Error(tag)
		}
	}
	if r := (ask{secure: true, host: "a.example", path: "/assets/app-1a2b.js.br"}).do(t, s); r.StatusCode != http.StatusNotFound {
		t.Error(r.StatusCode)
	}
}

func TestETag(t *testing.T) {
	s := newServer(t, Config{})
	for _, encoding := range []string{"gzip", "identity"} {
		first := ask{secure: true, host: "a.example", path: "/", acceptEncoding: encoding}.do(t, s)
		tag := first.Header.Get("ETag")
		again := ask{secure: true, host: "a.example", path: "/", acceptEncoding: encoding, headers: []string{"If-None-Match: " + tag}}.do(t, s)
		if tag == "" || again.StatusCode != 304 {
			t.Errorf("%s: %q, %d", encoding, tag, again.StatusCode)
		}
	}
}

func TestPlaceholder(t *testing.T) {
	s, err := New(Config{}, echo, fstest.MapFS{"placeholder.html": {Data: []byte("not built")}}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	r := ask{secure: true, host: "a.example", path: "/"}.do(t, s)
	if got := r.body; r.StatusCode != 503 || got != "not built" {
		t.Error(r.StatusCode, got)
	}
	if _, err := New(Config{}, echo, fstest.MapFS{}, quiet); err == nil {
		t.Error("a site without a page")
	}
}

func TestPanicEndsOneRequestOnly(t *testing.T) {
	s, err := New(Config{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a fault") }), page, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if r := (ask{secure: true, host: "a.example", path: "/ws"}).do(t, s); r.StatusCode != 500 {
		t.Error(r.StatusCode)
	}
}
