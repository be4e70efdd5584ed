package whipserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
)

// world is the rooms and the hub of a test, which note what is asked of them.
type world struct {
	mu      sync.Mutex
	log     []string
	fault   *signal.Error // the rooms' answer
	waits   bool          // an encoder has to wait
	seats   []signal.Seat
	tell    func(signal.Message) // of the last session
	visitor room.Visitor
	join    *signal.Join
	offer   mediaserver.Offer
	err     error // the hub's answer
	tracks  []sfu.Track
	wants   []sfu.Want
	theirs  ice.Credentials
	restart int
}

func (w *world) note(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }

func (w *world) Enter(_ context.Context, _ string, v room.Visitor, _ signal.Client, j *signal.Join, tell func(signal.Message)) (string, *signal.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.visitor, w.join, w.tell = v, j, tell
	switch {
	case w.waits:
		tell(&signal.Waiting{})
	case w.fault != nil && w.fault.Code != signal.CodeBusy:
		tell(w.fault) // the join's answer
	case w.fault != nil:
		return "", w.fault
	default:
		tell(&signal.Joined{Seat: "seat"})
	}
	return "seat", nil
}

func (w *world) Watch(_ context.Context, _ string, v room.Visitor, tell func(signal.Message)) ([]signal.Seat, *signal.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.visitor, w.tell = v, tell
	return w.seats, w.fault
}

func (w *world) Say(_, _ string, m signal.Message) {
	w.note(func() {
		switch m := m.(type) {
		case *signal.Media:
			w.log = append(w.log, "media "+sends(m.Media))
		case *signal.Speak:
			w.log = append(w.log, "speak")
		}
	})
}

func sends(m signal.MediaState) (s string) {
	for _, x := range []struct {
		on   bool
		name string
	}{{m.Microphone, "m"}, {m.Camera, "c"}, {m.Screen, "s"}, {m.ScreenAudio, "a"}} {
		if x.on {
			s += x.name
		}
	}
	return s
}

func (w *world) Quit(_, _ string) { w.note(func() { w.log = append(w.log, "quit") }) }

func (w *world) ICEServers(session, host string) *signal.ICEServers {
	return &signal.ICEServers{Servers: []signal.ICEServer{
		{URLs: []string{"stun:" + host}}, {URLs: []string{"turn:" + host + "?transport=udp", "turn:" + host + "?transport=tcp"}, Username: `a"b`, Credential: "pw"},
	}}
}

func (w *world) Offer(_ context.Context, o mediaserver.Offer) (mediaserver.Answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offer, w.wants, w.tracks = o, o.Show, o.Tracks
	return mediaserver.Answer{SDP: "v=0 answer"}, w.err
}

func (w *world) Restart(_ context.Context, _ mediaserver.Link, theirs ice.Credentials) (sdp.ICE, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if theirs != w.theirs && w.err == nil {
		w.theirs = theirs
		w.restart++
	}
	return sdp.ICE{Ufrag: "ours" + string(rune('0'+w.restart)), Password: "thepasswordofourownside"}, w.err
}

func (w *world) Publish(_ context.Context, _ mediaserver.Link, tracks []sfu.Track) error {
	w.note(func() { w.tracks = tracks })
	return nil
}

func (w *world) Show(_ context.Context, _ mediaserver.Link, wants []sfu.Want) error {
	w.note(func() { w.wants = wants })
	return nil
}

func (w *world) Leave(context.Context, mediaserver.Link) error {
	w.note(func() { w.log = append(w.log, "leave") })
	return nil
}

var (
	_ Rooms = (*world)(nil)
	_ Media = (*world)(nil)
)

// house is a server in a world.
type house struct {
	*Server
	*world
	keys *auth.Keys
	from string // the address of requests
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{world: &world{}, keys: auth.NewKeys(bytes.Repeat([]byte{7}, auth.MasterSize)), from: "127.0.0.1:5"}
	var err error
	h.Server, err = New(Config{
		Rooms: h.world, Media: h.world, Keys: h.keys, Origins: []string{"https://listed.example"}, Rand: rand.Reader, PerAddress: 20,
		Hidden: func(r *http.Request) bool { return r.Header.Get("Via") != "" },
		Candidates: func(string) []sdp.Candidate {
			return []sdp.Candidate{{Address: netip.MustParseAddrPort("192.0.2.1:8443")}}
		},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// do sends a request; headers are name, value and so on.
func (h *house) do(method, path, media, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:8443"+path, strings.NewReader(body))
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:8443")))))
	r.RemoteAddr = h.from
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// settled waits until no session's goroutine has anything to do, and returns what was asked of the rooms and the hub since.
func (h *house) settled() string {
	synctest.Wait()
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	log := strings.Join(h.world.log, ", ")
	h.world.log = nil
	return log
}

// sample reads an offer that a program has made.
func sample(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("../sdp/testdata/" + name + ".sdp")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(b), "m=application")
	return text
}

// publisher and viewer are an encoder's offer and a player's.
func publisher(t testing.TB) string { return sample(t, "ffmpeg-whip") }
func viewer(t testing.TB) string    { return sample(t, "chromium-receive") }

var errFull = fmt.Errorf("full: %w", mediaserver.ErrFull)
