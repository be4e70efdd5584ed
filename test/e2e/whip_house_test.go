package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// outsider is an encoder or a player that knows HTTP and WebRTC and nothing of us.
type outsider struct {
	*guest
	base  string
	url   string // of its session
	tag   string
	links []string
	token string
}

// outside makes an encoder of that name's first letter, or a player with so many places of each kind.
func outside(t *testing.T, h *house, name string, r road, places int) *outsider {
	t.Helper()
	o := &outsider{base: h.url, guest: &guest{t: t, name: name, change: make(chan struct{})}}
	m := &line{done: make(chan struct{}), heard: map[string]int{}}
	var err error
	if m.pc, err = newAPI(o.guest, r).NewPeerConnection(webrtc.Configuration{}); err != nil {
		t.Fatal(err)
	}
	o.line = m
	t.Cleanup(o.hangUp)
	m.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { o.note(func() { m.phase = s }) })
	m.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) { o.listen(m, track, receiver) })
	if places == 0 {
		o.publish(m)
	}
	for range places {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if _, err := m.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return o
}

// ask sends a request and returns the answer with its body.
func (o *outsider) ask(method, url, media, body string, headers ...string) (*http.Response, string) {
	o.t.Helper()
	r, err := http.NewRequestWithContext(wait(o.t), method, url, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if o.token != "" {
		r.Header.Set("Authorization", "Bearer "+o.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return answer, string(text)
}

// describe makes an offer.
func (o *outsider) describe(restart bool) string {
	o.t.Helper()
	d, err := o.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err == nil {
		err = o.pc.SetLocalDescription(d)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return d.SDP
}

// begin posts an offer without candidates to a path such as /whip/tea, and returns the status and, when it is refused, why.
func (o *outsider) begin(path string) (int, string) {
	o.t.Helper()
	answer, text := o.ask(http.MethodPost, o.base+path, "application/sdp", o.describe(false))
	if answer.StatusCode != http.StatusCreated {
		return answer.StatusCode, text
	}
	o.url, o.tag, o.links = answer.Header.Get("Location"), answer.Header.Get("ETag"), answer.Header.Values("Link")
	if err := o.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}); err != nil {
		o.t.Fatalf("%v\n%s", err, text)
	}
	if len(o.sends) > 0 {
		for _, e := range o.sends[0].Sender().GetParameters().HeaderExtensions {
			if e.URI == audioLevel {
				o.levelID.Store(uint32(e.ID))
			}
		}
		o.mark.Store(int32(o.name[0]))
		o.busy.Go(o.film)
	}
	return answer.StatusCode, ""
}

// must is begin for what has to succeed, up to the connection.
func (o *outsider) must(path string) *outsider {
	o.t.Helper()
	if status, why := o.begin(path); status != http.StatusCreated {
		o.t.Fatalf("%s: %d %s", path, status, why)
	}
	o.until("a connection", func() bool { return o.line.phase == webrtc.PeerConnectionStateConnected })
	return o
}

var credentials = regexp.MustCompile(`a=ice-(ufrag|pwd):\S+`)

// fragment is the trickled part of our description: credentials and candidates.
func (o *outsider) fragment() string {
	lines := []string{"m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0"}
	for _, l := range strings.Split(o.pc.LocalDescription().SDP, "\r\n") {
		if strings.HasPrefix(l, "a=ice-ufrag") || strings.HasPrefix(l, "a=ice-pwd") || strings.HasPrefix(l, "a=candidate") {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// restart begins ICE anew by PATCH.
func (o *outsider) restart() {
	o.t.Helper()
	before := o.pc.CurrentRemoteDescription().SDP
	o.describe(true)
	answer, text := o.ask(http.MethodPatch, o.url, "application/trickle-ice-sdpfrag", o.fragment(), "If-Match", `"*"`)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("ETag") == o.tag || answer.Header.Get("ETag") == "" {
		o.t.Fatalf("a restart: %d %q %s", answer.StatusCode, answer.Header.Get("ETag"), text)
	}
	o.tag = answer.Header.Get("ETag")
	theirs := map[string]string{}
	for _, l := range credentials.FindAllString(text, -1) {
		key, _, _ := strings.Cut(l, ":")
		theirs[key] = l
	}
	after := credentials.ReplaceAllStringFunc(before, func(l string) string {
		key, _, _ := strings.Cut(l, ":")
		return theirs[key]
	})
	if after == before {
		o.t.Fatal("no new credentials")
	}
	if err := o.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: after}); err != nil {
		o.t.Fatalf("%v\n%s", err, after)
	}
}

// more waits until more packets of somebody have come on a place.
func (o *outsider) more(mid string, who byte) {
	o.t.Helper()
	at := mid + string(who)
	var n int
	o.look(func() { n = o.heard[at] })
	o.until(fmt.Sprintf("more of %q", at), func() bool { return o.heard[at] > n+5 })
}

// places are the mids of the places for sound and for pictures.
func (o *outsider) mids() (sounds, pictures []string) {
	for _, tr := range o.pc.GetTransceivers() {
		if tr.Kind() == webrtc.RTPCodecTypeAudio {
			sounds = append(sounds, tr.Mid())
		} else {
			pictures = append(pictures, tr.Mid())
		}
	}
	return sounds, pictures
}
