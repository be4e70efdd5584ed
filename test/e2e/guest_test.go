package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

// guest is a client of a room with a hub that is made of nothing but a socket and pion, so that the server is tested against the
// manual and not against the SDK.
type guest struct {
	t       *testing.T
	url     string
	name    string
	session string
	resume  string
	ws      *websocket.Conn
	cut     context.CancelFunc // ends the socket
	reading sync.WaitGroup

	mu      sync.Mutex // of all that follows
	seq     signal.Sequence
	change  chan struct{} // closed at the next event
	ice     *signal.ICEServers
	seat    string
	token   string
	call    *signal.CallRef
	seats   map[string]signal.Seat
	gone    map[string]signal.LeftReason
	course  signal.Topology
	answers map[string]*signal.Answer
	faults  []*signal.Error
	closed  map[string]bool // links that the hub has closed
	bye     *signal.Bye
	auto    bool // reports on a switch to the hub as soon as it is heard of

	*line // nil until it has a link with the hub
}

// enterAs opens a session and takes a seat.
func enterAs(t *testing.T, h *house, room, name string) *guest {
	t.Helper()
	g := &guest{
		t: t, url: "ws" + strings.TrimPrefix(h.url, "http") + "/ws", name: name, change: make(chan struct{}), seats: map[string]signal.Seat{},
		gone: map[string]signal.LeftReason{}, answers: map[string]*signal.Answer{}, closed: map[string]bool{},
	}
	g.connect(room)
	t.Cleanup(g.quit)
	g.send(&signal.HubReach{OK: true})
	g.join(signal.MediaState{Microphone: true, Camera: true})
	return g
}

// connect opens a socket and says hello.
func (g *guest) connect(room string) {
	g.t.Helper()
	ctx := wait(g.t)
	ws, _, err := websocket.Dial(ctx, g.url, &websocket.DialOptions{Subprotocols: []string{signal.Subprotocol}}) //nolint:bodyclose // the library closes it
	if err != nil {
		g.t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	g.ws = ws
	hello, err := signal.Encode(&signal.Hello{Client: signal.Client{Name: "guest"}, Room: room, Resume: g.resume})
	if err != nil {
		g.t.Fatal(err)
	}
	if err := ws.Write(ctx, websocket.MessageText, hello); err != nil {
		g.t.Fatal(err)
	}
	var reading context.Context
	reading, g.cut = context.WithCancel(context.Background())
	g.reading.Go(func() { g.read(reading, ws) })
	g.until("welcome", func() bool { return g.session != "" })
}

func (g *guest) join(media signal.MediaState) {
	g.t.Helper()
	g.mu.Lock()
	token := g.token
	g.seat = ""
	g.mu.Unlock()
	g.send(&signal.Join{Name: g.name, Media: media, Seat: token})
	g.until("a seat", func() bool { return g.seat != "" })
}

// quit ends whatever there is.
func (g *guest) quit() {
	g.hangUp()
	g.cut()
	_ = g.ws.CloseNow()
	g.reading.Wait()
}

// send numbers a message and sends it.
func (g *guest) send(m signal.Message) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.write(m)
}

func (g *guest) write(m signal.Message) {
	b, err := g.seq.Send(m)
	if err == nil {
		err = g.ws.Write(g.t.Context(), websocket.MessageText, b)
	}
	if err != nil && g.t.Context().Err() == nil {
		g.t.Errorf("%s cannot say %T: %v", g.name, m, err)
	}
}

func (g *guest) read(ctx context.Context, ws *websocket.Conn) {
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			return
		}
		m, fault := signal.Decode(b, signal.FromServer)
		if fault != nil {
			g.t.Errorf("%s: %s", b, fault.Words)
			return
		}
		g.note(func() {
			if w, ok := m.(*signal.Welcome); ok {
				g.welcomed(w)
			}
			if _, err := g.seq.Receive(time.Now(), m.Head()); err != nil {
				g.t.Errorf("%s: %v", g.name, err)
			}
			g.hear(m)
			if signal.Numbered(m.Head().Type) && ctx.Err() == nil {
				g.write(&signal.Ack{})
			}
		})
	}
}

func (g *guest) welcomed(w *signal.Welcome) {
	if !w.Resumed {
		g.seq = signal.Sequence{}
	}
	g.session, g.resume, g.ice = w.Session, w.Resume, w.ICE
	if w.Room != nil {
		g.state(*w.Room)
	}
}

// hear notes what was said.
func (g *guest) hear(m signal.Message) {
	switch m := m.(type) {
	case *signal.Joined:
		g.seat, g.token, g.call = m.Seat, m.Token, m.Call
		g.state(m.Room)
	case *signal.Room:
		g.state(m.Room)
	case *signal.SeatChange:
		g.seats[m.Seat.ID] = m.Seat
	case *signal.Left:
		delete(g.seats, m.Seat)
		g.gone[m.Seat] = m.Reason
	case *signal.Answer:
		g.answers[m.Link] = m
	case *signal.CloseLink:
		g.closed[m.Link] = true
	case *signal.Error:
		g.faults = append(g.faults, m)
	case *signal.Bye:
		g.bye = m
	}
}

func (g *guest) state(r signal.RoomState) {
	for _, x := range r.Seats {
		g.seats[x.ID] = x
	}
	if r.Topology == nil || r.Topology.Epoch < g.course.Epoch {
		return
	}
	g.course = *r.Topology
	if g.auto && g.course.Next != "" {
		g.write(&signal.Moved{Epoch: g.course.Epoch})
	}
}

func (g *guest) note(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
	close(g.change)
	g.change = make(chan struct{})
}

// look reads what others write, without anything being changed.
func (g *guest) look(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// until waits for what messages and media bring about.
func (g *guest) until(what string, done func() bool) {
	g.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		g.mu.Lock()
		ok, change := done(), g.change
		g.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-change:
		case <-limit.C:
			g.mu.Lock()
			defer g.mu.Unlock()
			g.t.Fatalf("%s waits for %s: never. topology %+v, faults %v, closed %v, %s", g.name, what, g.course, words(g.faults), g.closed, g.line)
		}
	}
}

func words(faults []*signal.Error) (list []string) {
	for _, f := range faults {
		list = append(list, fmt.Sprintf("%s: %s", f.Code, f.Words))
	}
	return list
}

// moved says that this guest has made the switch that it was last told of.
func (g *guest) moved() {
	g.t.Helper()
	var epoch uint64
	g.look(func() { epoch = g.course.Epoch })
	g.send(&signal.Moved{Epoch: epoch})
}

// onHub waits until the room is on the hub, and nowhere else.
func (g *guest) onHub() {
	g.t.Helper()
	g.until("the hub", func() bool { return g.course.Kind == signal.TopologyHub && g.course.Next == "" })
}

// tell says something on the control channel.
func (g *guest) tell(v any) {
	g.t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = g.control.SendText(string(b))
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// object is a message on the control channel.
type object = map[string]any

// road is how a guest's media travel.
type road struct {
	networks []webrtc.NetworkType
	relay    func(*signal.ICEServers) []webrtc.ICEServer // only these, when not nil
	dialer   interface {                                 // makes the connections with the relay, when not nil
		Dial(network, address string) (net.Conn, error)
	}
}

// inTLS dials with TLS, whatever the certificate.
type inTLS struct{}

func (inTLS) Dial(network, address string) (net.Conn, error) {
	return tls.Dial(network, address, &tls.Config{InsecureSkipVerify: true})
}

func byUDP() road { return road{networks: []webrtc.NetworkType{webrtc.NetworkTypeUDP4}} }
func byTCP() road { return road{networks: []webrtc.NetworkType{webrtc.NetworkTypeTCP4}} }

// byRelay takes the relay only, reached as the end of an URL says.
func byRelay(end string) road {
	return road{networks: []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4}, relay: func(ice *signal.ICEServers) (list []webrtc.ICEServer) {
		for _, s := range ice.Servers {
			for _, u := range s.URLs {
				if strings.HasPrefix(u, "turn") && strings.HasSuffix(u, end) {
					list = append(list, webrtc.ICEServer{URLs: []string{u}, Username: s.Username, Credential: s.Credential})
				}
			}
		}
		return list
	}}
}
