package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/ice/v4"

	"github.com/parley-rtc/parley/internal/signal"
	parley "github.com/parley-rtc/parley/sdk"
)

// liar stands between a client and the server, as a server that lies: it passes everything on, and when it is told to, it
// says something else in the place of a message. Numbers stay what they are, so nobody misses anything.
type liar struct {
	*httptest.Server
	t      *testing.T
	server string // its WebSocket

	mu     sync.Mutex
	offer  message               // the newest of a link that the client got
	lie    func(message) message // what is said instead of the next chat; nil for nothing
	lied   bool
	answer chan string // the client's description after that
}

// message is one of the protocol, field by field.
type message map[string]json.RawMessage

// newLiar stands in front of a house.
func newLiar(t *testing.T, h *house) *liar {
	x := &liar{
		t: t, server: strings.Replace(h.url, "http://", "ws://", 1) + "/ws", answer: make(chan string, 1),
	}
	x.Server = httptest.NewServer(x)
	t.Cleanup(x.CloseClientConnections)
	t.Cleanup(x.Close)
	return x
}

// ServeHTTP carries one socket.
func (x *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	protocols := []string{signal.Subprotocol}
	down, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: protocols})
	if err != nil {
		x.t.Error(err)
		return
	}
	up, _, err := websocket.Dial(ctx, x.server, &websocket.DialOptions{Subprotocols: protocols}) //nolint:bodyclose // the library closes it
	if err != nil {
		x.t.Error(err)
		return
	}
	defer func() { _, _ = down.CloseNow(), up.CloseNow() }() // whichever ends takes the other one along
	var both sync.WaitGroup
	pass := func(from, to *websocket.Conn, says func(message) message) {
		defer cancel()
		from.SetReadLimit(4 << 20)
		for {
			kind, b, err := from.Read(ctx)
			if err != nil {
				return
			}
			var m message
			if err := json.Unmarshal(b, &m); err != nil {
				x.t.Errorf("%s: %v", b, err)
				return
			}
			if m = says(m); m != nil {
				if b, err = json.Marshal(m); err != nil {
					x.t.Error(err)
					return
				}
			}
			if to.Write(ctx, kind, b) != nil {
				return
			}
		}
	}
	both.Go(func() { pass(down, up, x.hears) })
	both.Go(func() { pass(up, down, x.says) })
	both.Wait()
}

// hears what the client says.
func (x *liar) hears(m message) message {
	if m.text("type") == "answer" {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.lied && m.text("link") == x.offer.text("link") {
			select {
			case x.answer <- m.text("sdp"):
			default:
			}
		}
	}
	return nil
}

// says what the server says, or lies; nil means as it is.
func (x *liar) says(m message) message {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case m.text("type") == "offer" && m.text("kind") == "":
		x.offer = m
	case m.text("type") == "chat" && x.lie != nil:
		m, x.lie, x.lied = x.lie(m), nil, true
		return m
	}
	return nil
}

func (m message) text(field string) (text string) {
	_ = json.Unmarshal(m[field], &text) // another type is not what is looked for
	return text
}

// stranger is who wants to be the other end of a link: whatever is sent to it but checks of the path, it gets.
type stranger struct {
	agent *ice.Agent
	got   chan int // bytes of each packet
}

func newStranger(t *testing.T) *stranger {
	t.Helper()
	agent, err := ice.NewAgentWithOptions(
		ice.WithNetworkTypes([]ice.NetworkType{ice.NetworkTypeUDP4}), ice.WithIncludeLoopback(), ice.WithInterfaceFilter(loopback),
		ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled),
		ice.WithCheckInterval(5*time.Millisecond), ice.WithPrflxAcceptanceMinWait(0), // it is quicker than the real end
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agent.Close() }) // it may have failed
	gathered := make(chan struct{})
	if err := errors.Join(agent.OnCandidate(func(c ice.Candidate) {
		if c == nil {
			close(gathered)
		}
	}), agent.GatherCandidates()); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return &stranger{agent: agent, got: make(chan int, 1000)}
}

var (
	fingerprint = regexp.MustCompile(`(?m)^(a=fingerprint:\S+) .*?(\r?)$`)
	fragment    = regexp.MustCompile(`(?m)^(a=ice-ufrag:).*?(\r?)$`)
	password    = regexp.MustCompile(`(?m)^(a=ice-pwd:).*?(\r?)$`)
	candidates  = regexp.MustCompile(`(?m)^a=(candidate:|end-of-candidates).*\n`)
	versions    = regexp.MustCompile(`(?m)^(o=\S+ \S+) \d+`)
	attribute   = regexp.MustCompile(`(?m)^a=ice-(?:ufrag|pwd):(\S+)`)
)

// forges describes the stranger as the end of a link that was described as sdp.
func (s *stranger) forges(t *testing.T, sdp string) string {
	name, word, err := s.agent.GetLocalUserCredentials()
	if err != nil {
		t.Error(err)
	}
	list, err := s.agent.GetLocalCandidates()
	if err != nil || len(list) == 0 {
		t.Errorf("the stranger has no address: %v", err)
	}
	var lines strings.Builder
	for _, c := range list {
		fmt.Fprintf(&lines, "a=candidate:%s\r\n", c.Marshal())
	}
	sdp = candidates.ReplaceAllString(sdp, "")
	sdp = fingerprint.ReplaceAllString(sdp, "$1 "+strings.Repeat("AB:", 31)+"CD$2")
	sdp = fragment.ReplaceAllString(sdp, lines.String()+"${1}"+name+"$2")
	sdp = password.ReplaceAllString(sdp, "${1}"+word+"$2")
	return versions.ReplaceAllString(sdp, "$1 99")
}

// takes is the stranger's part once the victim has answered: it proves that it is where it said, and reads.
func (s *stranger) takes(ctx context.Context, answer string) {
	found := attribute.FindAllStringSubmatch(answer, 2)
	if len(found) < 2 {
		return
	}
	conn, err := s.agent.Dial(ctx, found[0][1], found[1][1])
	if err != nil {
		return // as it should be
	}
	b := make([]byte, 1500)
	for {
		n, err := conn.Read(b)
		if err != nil {
			return
		}
		select {
		case s.got <- n:
		default:
		}
	}
}

// TestALinkDescribedAnew: the server says in the middle of a call that the other end of a link is somewhere else, and has
// another certificate. The one who is told gives the link up, sends nothing there, and makes another one with the real end.
func TestALinkDescribedAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withoutHub)
	x := newLiar(t, h)
	o := options("Ann")
	o.Encrypt, o.Single = true, true
	ann := dial(t, x.URL+"/r/tea", o).enter()
	info, err := ann.Info(wait(t))
	if err != nil {
		t.Fatal(err)
	}
	o = options("Bob")
	o.Single = true
	bob := dial(t, h.link("tea")+"#key="+info.Key, o).enter() // whoever comes later makes the link
	ann.hears(direct)
	ann.sends("words", "hello", bob)
	data, err := ann.Data(wait(t), "words", parley.DataOptions{})
	if err != nil {
		t.Fatal(err)
	}
	talks, quiet := context.WithCancel(t.Context())
	var talking sync.WaitGroup
	heard, err := bob.Data(wait(t), "words", parley.DataOptions{})
	if err != nil {
		t.Fatal(err)
	}
	talking.Go(func() {
		for {
			if _, err := heard.Receive(talks); err != nil {
				return
			}
		}
	})
	talking.Go(func() { // sound, pictures and words go on all the time
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = data.SendText("go on") // while there is no link it goes nowhere
			case <-talks.Done():
				return
			}
		}
	})
	defer talking.Wait()
	defer quiet()
	eve := newStranger(t)
	x.mu.Lock()
	x.lie = func(chat message) message {
		lie := message{}
		for field, value := range x.offer {
			lie[field] = value
		}
		lie["n"], lie["ack"] = chat["n"], chat["ack"]
		sdp, err := json.Marshal(eve.forges(t, x.offer.text("sdp")))
		if err != nil {
			t.Error(err)
		}
		lie["sdp"] = sdp
		return lie
	}
	x.mu.Unlock()
	eavesdropping, over := context.WithCancel(t.Context())
	var eavesdropper sync.WaitGroup
	eavesdropper.Go(func() {
		select {
		case sdp := <-x.answer:
			eve.takes(eavesdropping, sdp)
		case <-eavesdropping.Done():
		}
	})
	defer func() {
		eavesdropper.Wait()
		select {
		case n := <-eve.got:
			t.Errorf("%d packets and more went to the stranger, the first of %d bytes", 1+len(eve.got), n)
		default:
		}
	}()
	defer func() { _ = eve.agent.Close() }() // whoever reads from it ends
	defer over()
	if _, err := bob.Chat(wait(t), "something that Ann will not hear"); err != nil {
		t.Fatal(err)
	}
	trouble := until(ann, func(e parley.Trouble) bool { return strings.Contains(e.Err.Error(), "somebody is between") })
	t.Log(trouble.Err)
	quiet()
	talking.Wait()
	for { // they find each other again
		if e := until[parley.PathChanged](ann, nil); e.Path.Kind == parley.PathDirect {
			break
		}
	}
	ann.sends("again", "it is me", bob)
}
