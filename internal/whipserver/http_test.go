package whipserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/signal"
)

// said is the problem text of an answer. It fails when there is none that says something.
func said(t *testing.T, w *httptest.ResponseRecorder) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" ||
		p.Status != w.Code || len(p.Detail) < 20 || p.Code == "" || p.Title == "" {
		t.Errorf("%d without a problem text: %q %v", w.Code, w.Body, err)
	}
	return p
}

// TestPostRefused: each way to be refused, with what is said about it.
func TestPostRefused(t *testing.T) {
	pub, view := publisher(t), viewer(t)
	data, _, _ := strings.Cut(view, "m=audio")
	data += "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:CUek\r\na=ice-pwd:J1oiSiHMZdsqOz9sId+ys1oS\r\na=fingerprint:sha-256 " +
		strings.Repeat("AA:", 31) + "AA\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n"
	fault := func(c signal.Code) *world {
		return &world{fault: &signal.Error{Code: c, Words: "a sentence of the room's own"}}
	}
	keys := auth.NewKeys(make([]byte, auth.MasterSize))
	for _, tt := range []struct {
		name, path, media, body string
		world                   *world
		headers                 []string
		status                  int
		words, header           string
	}{
		{"no such path", "/whip/", typeSDP, pub, nil, nil, 404, "/whip/ROOM", ""},
		{"no room's name", "/whip/Tea!", typeSDP, pub, nil, nil, 404, "lower-case", ""},
		{"a session's URL", "/whip/tea/s/x", typeSDP, pub, nil, nil, 405, "PATCH", "Allow"},
		{"not SDP", "/whip/tea", "text/plain", pub, nil, nil, 415, "application/sdp", "Accept-Post"},
		{"no type", "/whip/tea", "", pub, nil, nil, 415, "Content-Type", "Accept-Post"},
		{"too long", "/whip/tea", typeSDP, strings.Repeat("a", maxOffer+1), nil, nil, 413, "longer", ""},
		{"no offer", "/whip/tea", typeSDP, "hello", nil, nil, 400, "line 1 (hello)", ""},
		{"empty", "/whep/tea", typeSDP, "", nil, nil, 400, "empty", ""},
		{"a broken line", "/whip/tea", typeSDP, strings.Replace(pub, "a=mid:1", "a=mid:0", 1), nil, nil, 400, "another section", ""},
		{"an encoder that receives", "/whip/tea", typeSDP, view, nil, nil, 422, "section 1", ""},
		{"a player that sends", "/whep/tea", typeSDP, pub, nil, nil, 422, "a=recvonly", ""},
		{"inactive", "/whip/tea", typeSDP, strings.Replace(pub, "a=sendonly", "a=inactive", 1), nil, nil, 422, "a=sendonly", ""},
		{"no codec", "/whip/tea", typeSDP, strings.Replace(pub, "H264/90000", "H265/90000", 1), nil, nil, 422, "codec", ""},
		{"two pictures", "/whip/tea", typeSDP, strings.Replace(view, "recvonly", "sendonly", -1), nil, nil, 422, "one picture", ""},
		{"data", "/whep/tea", typeSDP, data, nil, nil, 422, "no data channels", ""},
		{"source", "/whip/tea?source=x", typeSDP, pub, nil, nil, 400, "camera or screen", ""},
		{"a token of nothing", "/whip/tea", typeSDP, pub, nil, []string{"Authorization", "Bearer x"}, 401, "bearer token", "WWW-Authenticate"},
		{"a token of elsewhere", "/whip/tea", typeSDP, pub, nil, []string{"Authorization", "Bearer " + keys.HostSecret("tea", time.Now())}, 401, "bearer token", "WWW-Authenticate"},
		{"another scheme", "/whip/tea", typeSDP, pub, nil, []string{"Authorization", "Basic eDp5"}, 401, "bearer token", "WWW-Authenticate"},
		{"a page of elsewhere", "/whep/tea", typeSDP, view, nil, []string{"Origin", "https://evil.example"}, 403, "origin", ""},
		{"no room", "/whip/tea", typeSDP, pub, fault(signal.CodeNoRoom), nil, 401, "parley token ROOM", "WWW-Authenticate"},
		{"nothing to see", "/whep/tea", typeSDP, view, fault(signal.CodeNoRoom), nil, 409, "sentence", "Retry-After"},
		{"locked", "/whip/tea", typeSDP, pub, fault(signal.CodeLocked), nil, 403, "sentence", ""},
		{"encrypted", "/whip/tea", typeSDP, pub, fault(signal.CodeEncrypted), nil, 403, "sentence", ""},
		{"removed", "/whep/tea", typeSDP, view, fault(signal.CodeRemoved), nil, 403, "sentence", ""},
		{"full", "/whip/tea", typeSDP, pub, fault(signal.CodeFull), nil, 503, "sentence", "Retry-After"},
		{"many sessions", "/whip/tea", typeSDP, pub, fault(signal.CodeBusy), nil, 429, "sentence", "Retry-After"},
		{"no way to the hub", "/whip/tea", typeSDP, pub, fault(signal.CodeNoHub), nil, 409, "sentence", "Retry-After"},
		{"no such seat", "/whep/tea?seat=s9", typeSDP, view, nil, nil, 404, "that seat", ""},
		{"the hub is full", "/whep/tea", typeSDP, view, &world{err: errFull}, nil, 503, "as it may", "Retry-After"},
		{"the hub closes", "/whep/tea", typeSDP, view, &world{err: mediaserver.ErrClosed}, nil, 503, "going down", "Retry-After"},
		{"the hub is slow", "/whep/tea", typeSDP, view, &world{err: errors.New("late")}, nil, 503, "try again", "Retry-After"},
		{"the hub's fault", "/whep/tea", typeSDP, view, &world{err: &sdp.Fault{Why: "something"}}, nil, 400, "something", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t)
				if tt.world != nil {
					h.world.fault, h.world.err = tt.world.fault, tt.world.err
				}
				w := h.do(http.MethodPost, tt.path, tt.media, tt.body, tt.headers...)
				p := said(t, w)
				if w.Code != tt.status || !strings.Contains(p.Detail, tt.words) || tt.header != "" && w.Header().Get(tt.header) == "" {
					t.Errorf("%d %v %s", w.Code, w.Header(), p.Detail)
				}
				if w.Header().Get("Access-Control-Allow-Origin") != "*" {
					t.Error("a page of another site cannot read why")
				}
				h.settled()
				if n := h.Stats(); n.Encoders+n.Players != 0 {
					t.Errorf("left behind: %+v", n)
				}
			})
		})
	}
}

// TestMethods: what is reserved is reserved, and pages may ask what they may do.
func TestMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		url := strings.TrimPrefix(h.do(http.MethodPost, "/whip/tea", typeSDP, publisher(t)).Header().Get("Location"), "http://localhost:8443")
		for _, tt := range []struct {
			method, path string
			status       int
			header       string
			value        string
		}{
			{"OPTIONS", "/whip/tea", 200, "Accept-Post", typeSDP},
			{"OPTIONS", "/whep/tea", 200, "Access-Control-Allow-Methods", "OPTIONS, GET, HEAD, POST"},
			{"OPTIONS", url, 200, "Accept-Patch", typeFragment},
			{"OPTIONS", url, 200, "Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match"},
			{"OPTIONS", "/whep/tea", 200, "Access-Control-Expose-Headers", "Location, Link, ETag, Accept-Patch, Accept-Post, Retry-After"},
			{"GET", "/whip/tea", 204, "", ""},
			{"HEAD", "/whep/tea/", 204, "", ""},
			{"GET", url, 204, "", ""},
			{"GET", "/whip/tea/s/unknown", 404, "", ""},
			{"PUT", "/whip/tea", 405, "Allow", "OPTIONS, GET, HEAD, POST"},
			{"DELETE", "/whep/tea", 405, "Allow", "OPTIONS, GET, HEAD, POST"},
			{"PUT", url, 405, "Allow", "OPTIONS, GET, HEAD, PATCH, DELETE"},
			{"DELETE", strings.Replace(url, "whip", "whep", 1), 404, "", ""},
			{"DELETE", strings.Replace(url, "tea", "milk", 1), 404, "", ""},
			{"PATCH", "/whip/tea/s/unknown", 404, "", ""},
			{"DELETE", url, 200, "", ""},
			{"DELETE", url, 404, "", ""},
			{"GET", url, 404, "", ""},
		} {
			w := h.do(tt.method, tt.path, "", "", "Access-Control-Request-Method", "POST", "If-Match", `"old"`)
			if w.Code != tt.status || w.Header().Get(tt.header) != tt.value && tt.header != "" {
				t.Errorf("%s %s: %d %v", tt.method, tt.path, w.Code, w.Header())
			}
			if w.Code >= 400 {
				said(t, w)
			}
		}
		if log := h.settled(); log != "quit, leave" {
			t.Errorf("%q", log)
		}
	})
}

// TestCreated: what a new session's answer says, for whom, and what it is known as.
func TestCreated(t *testing.T) {
	pub, view := publisher(t), viewer(t)
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		h.seats = []signal.Seat{{ID: "s1", Order: 1, Media: signal.MediaState{Camera: true, Microphone: true}}}
		pass := func(name string, publishes bool, life time.Duration) string {
			return "Bearer " + h.keys.PassSeal(auth.Pass{Room: "tea", Name: name, Publishes: publishes, Until: time.Now().Add(life)})
		}
		for _, tt := range []struct {
			name, path, body string
			headers          []string
			status           int
			pass, open       bool
			called           string
		}{
			{"open mode", "/whip/tea", pub, nil, 201, false, true, "Encoder"},
			{"behind a proxy", "/whip/tea", pub, []string{"Via", "x"}, 201, false, false, "Encoder"},
			{"by a public name", "/whip/tea", pub, []string{"Host", "meet.example"}, 201, false, false, "Encoder"},
			{"with the host's secret", "/whip/tea", pub, []string{"Authorization", "Bearer " + h.keys.HostSecret("tea", time.Now())}, 201, true, true, "Encoder"},
			{"with a pass", "/whip/tea", pub, []string{"Authorization", pass("Stage", true, time.Hour)}, 201, true, true, "Stage"},
			{"with a pass that has ended", "/whip/tea", pub, []string{"Authorization", pass("Stage", true, 0)}, 401, false, false, ""},
			{"with a player's pass", "/whip/tea", pub, []string{"Authorization", pass("Stage", false, time.Hour)}, 401, false, false, ""},
			{"in another room", "/whip/milk", pub, []string{"Authorization", pass("Stage", true, time.Hour)}, 401, false, false, ""},
			{"a player", "/whep/tea", view, nil, 201, false, true, ""},
			{"a player with a pass", "/whep/tea?seat=s1", view, []string{"Authorization", pass("", false, time.Hour), "Origin", "https://evil.example"}, 201, true, true, ""},
			{"a page of ours", "/whep/tea", view, []string{"Origin", "http://localhost:8443"}, 201, false, true, ""},
			{"a listed page", "/whep/tea/", view, []string{"Origin", "https://listed.example"}, 201, false, true, ""},
		} {
			h.visitor.Door, h.join = "", nil
			w := h.do(http.MethodPost, tt.path, "Application/SDP; charset=utf-8", tt.body, tt.headers...)
			if w.Code != tt.status {
				t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
				continue
			} else if w.Code != 201 {
				continue
			}
			v := h.visitor
			if v.Pass != tt.pass || v.Open != tt.open || v.Host || v.Address.String() != "127.0.0.1/32" || (v.Door == signal.DoorWHIP) != (tt.called != "") {
				t.Errorf("%s: %+v", tt.name, v)
			}
			if tt.called != "" && h.join.Name != tt.called {
				t.Errorf("%s: called %q", tt.name, h.join.Name)
			}
			links := w.Header().Values("Link")
			if w.Body.String() != "v=0 answer" || w.Header().Get("ETag") == "" || w.Header().Get("Content-Type") != typeSDP ||
				!strings.Contains(w.Header().Get("Location"), "/s/"+v.ID) || len(links) != 2 ||
				!strings.HasSuffix(links[1], `?transport=tcp>; rel="ice-server"; username="a\"b"; credential="pw"; credential-type="password"`) {
				t.Errorf("%s: %v %s", tt.name, w.Header(), w.Body)
			}
			if o := h.offer; o.SDP != tt.body || o.Only != kind(tt.path[1:5]).direction() || o.Link.Link != v.ID || len(o.Candidates) != 1 || (o.Stream == "") != (tt.called != "") {
				t.Errorf("%s: %+v", tt.name, o)
			}
		}
		if n := h.Stats(); n.Encoders != 5 || n.Players != 4 {
			t.Errorf("%+v", n)
		}
	})
}

// TestLimits: one address has so many sessions and asks so often, and no more; others do not notice.
func TestLimits(t *testing.T) {
	pub := publisher(t)
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		var last *httptest.ResponseRecorder
		for i := range 21 {
			if last = h.do(http.MethodPost, "/whip/tea", typeSDP, pub); i < 20 && last.Code != 201 {
				t.Fatal(i, last.Code)
			}
		}
		if p := said(t, last); last.Code != 429 || !strings.Contains(p.Detail, "sessions") {
			t.Errorf("one too many: %d", last.Code)
		}
		for range 20 {
			last = h.do(http.MethodGet, "/whip/tea", "", "")
		}
		if p := said(t, last); last.Code != 429 || !strings.Contains(p.Detail, "requests") {
			t.Errorf("too often: %d", last.Code)
		}
		h.from = "[2001:db8::1]:5"
		if w := h.do(http.MethodPost, "/whip/tea", typeSDP, pub); w.Code != 201 {
			t.Errorf("somebody else: %d", w.Code)
		}
		h.from = "127.0.0.1:6"
		time.Sleep(time.Minute)
		if w := h.do(http.MethodGet, "/whip/tea", "", ""); w.Code != 204 {
			t.Errorf("a minute later: %d", w.Code)
		}
		h.Close()
		if w := h.do(http.MethodPost, "/whip/tea", typeSDP, pub); w.Code != 503 && w.Code != 429 {
			t.Errorf("after the end: %d", w.Code)
		}
		if n := h.Stats(); n.Encoders != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// TestPatch: candidates are taken with the current tag only, and a restart is made once however often it is sent.
func TestPatch(t *testing.T) {
	pub := publisher(t)
	const candidate = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"
	section := "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
	first := section + "a=ice-ufrag:7a1e20cb\r\na=ice-pwd:0c5ee2b1f0a3d9424a9b6f7712e08d33\r\n" + candidate
	second := section + "a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n"
	third := "a=ice-ufrag:third\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n"
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		made := h.do(http.MethodPost, "/whip/tea", typeSDP, pub)
		url, tag := strings.TrimPrefix(made.Header().Get("Location"), "http://localhost:8443"), made.Header().Get("ETag")
		old := tag
		for _, tt := range []struct {
			name, media, body, match string // match "tag" is the current one, "old" the first
			status, restarts         int
		}{
			{"no If-Match", typeFragment, first, "", 428, 0},
			{"not a fragment", typeSDP, first, "tag", 415, 0},
			{"too long", typeFragment, strings.Repeat("a", maxPatch+1), "tag", 413, 0},
			{"broken", typeFragment, "a=candidate:x", "tag", 400, 0},
			{"nothing", typeFragment, "", "tag", 400, 0},
			{"candidates", typeFragment, first, "tag", 204, 0},
			{"candidates without names", typeFragment, section + candidate, "tag", 204, 0},
			{"one of several tags", typeFragment, first, `"x", tag`, 204, 0},
			{"a weak tag", typeFragment, first, `W/tag`, 412, 0},
			{"another tag", typeFragment, first, `"x"`, 412, 0},
			{"any tag, nothing new", typeFragment, first, "*", 204, 0},
			{"a restart", typeFragment, second, `"*"`, 200, 1},
			{"its answer was lost", typeFragment, second, "*", 200, 1},
			{"candidates of before", typeFragment, first, "old", 412, 1},
			{"candidates of after", typeFragment, second + candidate, "tag", 204, 1},
			{"another restart, with the tag", typeFragment, third, "tag", 200, 2},
		} {
			match := strings.NewReplacer("tag", tag, "old", old).Replace(tt.match)
			var headers []string
			if match != "" {
				headers = []string{"If-Match", match}
			}
			w := h.do(http.MethodPatch, url, tt.media, tt.body, headers...)
			if w.Code != tt.status || h.restart != tt.restarts {
				t.Errorf("%s: %d %s, %d restarts", tt.name, w.Code, w.Body, h.restart)
			}
			switch w.Code {
			case 200:
				again := tt.name == "its answer was lost"
				if next := w.Header().Get("ETag"); next == "" || (next == tag) != again {
					t.Errorf("%s: ETag %s after %s", tt.name, next, tag)
				}
				tag = w.Header().Get("ETag")
				if f := w.Body.String(); !strings.Contains(f, "a=ice-ufrag:ours") || strings.Contains(tt.body, "m=") != strings.Contains(f, "192.0.2.1 8443") {
					t.Errorf("%s: %s", tt.name, f)
				}
			case 204:
				if w.Header().Get("ETag") != "" || w.Body.Len() > 0 {
					t.Errorf("%s: %v %s", tt.name, w.Header(), w.Body)
				}
			default:
				said(t, w)
			}
		}
		h.err = mediaserver.ErrUnknown
		if w := h.do(http.MethodPatch, url, typeFragment, second, "If-Match", "*"); w.Code != 404 {
			t.Errorf("a link that is gone: %d", w.Code)
		}
		h.err = errors.New("late")
		if w := h.do(http.MethodPatch, url, typeFragment, second, "If-Match", "*"); w.Code != 503 {
			t.Errorf("a hub that does not answer: %d", w.Code)
		}
	})
}
