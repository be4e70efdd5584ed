package parley

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/netsim"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
	"github.com/parley-rtc/parley/internal/turn"
	"github.com/parley-rtc/parley/internal/turnserver"
	"github.com/parley-rtc/parley/test/simnet"
)

const (
	serverIP   = "5.0.0.1"
	socketPort = 80
	relayPort  = 3478
	oneRoom    = "tea"
)

// world is a simulated internet with the real signalling server and relay, and two people behind NATs of their own.
type world struct {
	t      *testing.T
	rand   *rand.Rand
	net    *simnet.Internet
	server *simnet.Host
	keys   *auth.Keys
	house  *house
	people [2]*peer
	diary  diary
}

// diary keeps what the SDK logs, for a test that fails.
type diary struct {
	mu    sync.Mutex
	lines []string
	began time.Time
}

// Write implements io.Writer.
func (d *diary) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%7.3f %s", time.Since(d.began).Seconds(), b))
	return len(b), nil
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, "")
}

// house is one run of the server.
type house struct {
	signals *signalserver.Server
	relay   *turnserver.Server
	http    *http.Server
	packets net.PacketConn
	streams net.Listener
	running sync.WaitGroup
}

// peer is one person with what they need.
type peer struct {
	name    string
	host    *simnet.Host
	nat     *netsim.NAT
	uplinks []*netsim.Interface
	room    *Room
	mu      sync.Mutex
	ears    map[Source]*listenerOf // the other side's tracks
	chats   []string
	said    int
}

// listenerOf reads a track and remembers when something came.
type listenerOf struct {
	last, from time.Time
	gap        time.Duration // the longest silence since from
	packets    int
}

// newWorld builds it; all that is left to chance follows from seed.
func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 1)), net: simnet.New(seed)}
	w.diary.began = time.Now()
	t.Cleanup(func() {
		if t.Failed() || os.Getenv("PARLEY_DIARY") != "" {
			t.Log("\n" + w.diary.String())
		}
	})
	w.keys = auth.NewKeys(bytes.Repeat([]byte{7}, 32))
	w.server = w.net.Host()
	w.server.Plug("eth0", serverIP, nil)
	w.open()
	for i, name := range []string{"Ann", "Bob"} {
		p := &peer{name: name, host: w.net.Host(), ears: make(map[Source]*listenerOf)}
		w.net.Change(func(n *netsim.Network) {
			p.nat = n.NAT(netip.MustParseAddr(fmt.Sprintf("6.0.0.%d", i+1)), netsim.PortRestricted)
		})
		w.plug(p, "eth0", fmt.Sprintf("192.168.%d.2", i+1), p.nat)
		w.people[i] = p
	}
	t.Cleanup(w.close)
	return w
}

// plug gives a person one more uplink, with lines as homes have them.
func (w *world) plug(p *peer, name, address string, nat *netsim.NAT) *netsim.Interface {
	i := p.host.Plug(name, address, nat)
	w.net.Change(func(*netsim.Network) {
		line := netsim.Line{
			Delay: time.Duration(5+w.rand.IntN(25)) * time.Millisecond, Jitter: time.Duration(w.rand.IntN(8)) * time.Millisecond,
			Loss: 0.005 * w.rand.Float64(), Reorder: 0.005 * w.rand.Float64(),
		}
		i.In, i.Out = line, line
	})
	p.uplinks = append(p.uplinks, i)
	return i
}

type grantsOf struct{ w *world }

func (g grantsOf) Grant(_ time.Time, username string) (turn.Grant, bool) {
	password, session, expires, ok := g.w.keys.RelayVerify(username)
	return turn.Grant{Password: password, Session: session, Expires: expires}, ok
}
func (g grantsOf) Alive(session string) bool { return g.w.house.signals.Alive(session) }

type iceOf struct{ w *world }

func (i iceOf) Servers(session, _ string, now time.Time) *signal.ICEServers {
	username, password, expires := i.w.keys.RelayIssue(now, session)
	at := fmt.Sprintf("%s:%d", serverIP, relayPort)
	return &signal.ICEServers{Expires: expires.UnixMilli(), Servers: []signal.ICEServer{
		{URLs: []string{"stun:" + at}},
		{URLs: []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}, Username: username, Credential: password},
	}}
}

// chance is a source of random bytes that is safe for concurrent use.
type chance struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (c *chance) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.r.Read(b)
}

// open starts the server.
func (w *world) open() {
	h := &house{}
	w.house = h
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(w.rand.Uint32())
	}
	bytesOf := &chance{r: rand.NewChaCha8(seed)}
	log := slog.New(slog.DiscardHandler)
	var err error
	if h.packets, err = (simnet.Net{Host: w.server}).ListenPacket("udp", fmt.Sprintf("0.0.0.0:%d", relayPort)); err != nil {
		w.t.Fatal(err)
	}
	send := func(b []byte, dst netip.AddrPort, _ netip.Addr) {
		_, _ = h.packets.WriteTo(b, net.UDPAddrFromAddrPort(dst)) // lost as others
	}
	own := netip.MustParseAddr(serverIP)
	if h.relay, err = turnserver.New(turnserver.Config{
		Engine: turn.Config{Relay4: own, Policy: turn.Policy{Own: []netip.Addr{own}}},
	}, grantsOf{w}, send, log, bytesOf); err != nil {
		w.t.Fatal(err)
	}
	h.relay.SetPort(relayPort)
	if h.signals, err = signalserver.New(signalserver.Config{Ended: h.relay.End, Shards: 1}, w.keys, iceOf{w}, log, bytesOf); err != nil {
		w.t.Fatal(err)
	}
	h.http = &http.Server{Handler: h.signals.Handler()}
	h.streams = w.server.Listen(relayPort)
	sockets := w.server.Listen(socketPort)
	h.running.Go(func() { _ = h.http.Serve(sockets) }) // until it is closed
	h.running.Go(func() {
		for {
			c, err := h.streams.Accept()
			if err != nil {
				return
			}
			h.running.Go(func() { h.relay.ServeStream(c, false) })
		}
	})
	h.running.Go(func() {
		b := make([]byte, 2048)
		for {
			n, from, err := h.packets.ReadFrom(b)
			if err != nil {
				return
			}
			h.relay.HandlePacket(from.(*net.UDPAddr).AddrPort(), own, b[:n])
		}
	})
}

// kill ends the server at once: nothing is said, nothing is remembered.
func (w *world) kill() {
	h := w.house
	w.server.Crash()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = h.http.Close()
	h.signals.Drain(now)
	_ = h.packets.Close()
	_ = h.streams.Close()
	h.relay.Close()
	h.running.Wait()
}

func (w *world) close() {
	for _, p := range w.people {
		if p.room != nil {
			p.room.Close()
		}
	}
	pass(10 * time.Second) // virtual: goodbyes and what retries
	w.kill()
	w.net.Close()
}

// dial brings a person in front of the door, with the interests of the test in their ears.
func (w *world) dial(p *peer, o Options) {
	o.Name, o.Dial = p.name, p.host.DialContext
	o.Log = slog.New(slog.NewTextHandler(&w.diary, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "room" || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		},
	})).With("who", p.name)
	o = o.withDefaults()
	a := address{room: oneRoom, host: serverIP, socket: fmt.Sprintf("ws://%s:%d/ws", serverIP, socketPort)}
	if p == w.people[0] {
		a.secret = w.keys.HostSecret(oneRoom, time.Now())
	}
	k, err := newKit(a, o, simnet.Net{Host: p.host})
	if err != nil {
		w.t.Fatal(err)
	}
	c := &connector{url: a.socket, dial: p.host.DialContext}
	p.room = newRoom(a, o, k, c.open)
	if err := p.room.wait(w.t.Context(), func(s *state) *request { return s.opened }); err != nil {
		w.t.Fatal(p.name, err)
	}
	go p.follow(w.t)
}

// follow reads the events of a person until the end.
func (p *peer) follow(t *testing.T) {
	for e := range p.room.Events() {
		switch e := e.(type) {
		case TrackAdded:
			l := &listenerOf{last: time.Now(), from: time.Now()}
			p.mu.Lock()
			if p.ears[e.Track.Source] != nil {
				t.Errorf("%s: a second track of the %s", p.name, e.Track.Source)
			}
			p.ears[e.Track.Source] = l
			p.mu.Unlock()
			go p.hear(e.Track, l)
		case Chat:
			p.mu.Lock()
			p.chats = append(p.chats, e.Text)
			p.mu.Unlock()
		case Ended:
			if e.Err != nil {
				t.Errorf("%s: the room ended: %v", p.name, e.Err)
			}
		}
	}
}

func (p *peer) hear(track *Track, l *listenerOf) {
	for {
		if _, err := track.ReadRTP(context.Background()); err != nil {
			return
		}
		now := time.Now()
		p.mu.Lock()
		l.gap = max(l.gap, now.Sub(later(l.last, l.from)))
		l.last = now
		l.packets++
		p.mu.Unlock()
	}
}

// mark begins to measure gaps anew.
func (p *peer) mark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.ears {
		l.from, l.gap = time.Now(), 0
	}
}

// silent is how long a person has heard nothing now, and the longest gap since mark.
func (p *peer) silent() (now, longest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ears) < 2 {
		return time.Hour, time.Hour
	}
	for _, l := range p.ears {
		quiet := time.Since(later(l.last, l.from))
		now, longest = max(now, quiet), max(longest, l.gap, quiet)
	}
	return now, longest
}

// meet lets both in, with sound and pictures, and waits until both get them. Ann makes the room; a coin decides who
// sits later, and so makes the links.
func (w *world) meet(o Options) {
	ann, bob := w.people[0], w.people[1]
	for _, p := range w.people {
		w.dial(p, o)
		publishBoth(w.t, p.room)
		if err := p.room.Join(w.t.Context()); err != nil {
			w.t.Fatal(p.name, err)
		}
	}
	if w.rand.IntN(2) == 0 {
		w.flowing(time.Minute)
		if err := ann.room.Leave(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		pass(time.Second) // virtual: the old tracks end
		for _, p := range []*peer{ann, bob} {
			p.mu.Lock()
			clear(p.ears)
			p.mu.Unlock()
		}
		if err := ann.room.Join(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	w.flowing(time.Minute)
}

// flowing waits until both hear and see the other.
func (w *world) flowing(limit time.Duration) {
	w.t.Helper()
	for began := time.Now(); time.Since(began) < limit; pass(20 * time.Millisecond) {
		a, _ := w.people[0].silent()
		b, _ := w.people[1].silent()
		if a < 150*time.Millisecond && b < 150*time.Millisecond {
			return
		}
	}
	a, _ := w.people[0].silent()
	b, _ := w.people[1].silent()
	w.t.Fatalf("no media after %v: Ann hears nothing for %v, Bob for %v\n%s\n%s", limit, a, b, w.people[0].tell(w.t), w.people[1].tell(w.t))
}

// tell says how a person's links stand.
func (p *peer) tell(t *testing.T) string {
	return inside(t, p.room, func(s *state) string {
		out := fmt.Sprintf("%s: online %v doubt %v seat %q", p.name, s.session.online(), s.session.doubt, s.me)
		for _, main := range s.links {
			for _, l := range main.each() {
				out += fmt.Sprintf("; link %.4s %s mine %v up %v ice %v signalling %v active %v failures %d %v",
					l.id, l.kind, l.mine, l.up, l.pc.ICEConnectionState(), l.pc.SignalingState(), main.bond.active == l, main.bond.failures, l.path)
			}
		}
		return out
	})
}

// chatter says something now and then until the returned function is called, which waits for everything to arrive and
// checks it.
func (w *world) chatter() (end func()) {
	stop := make(chan struct{})
	var talking sync.WaitGroup
	for _, p := range w.people {
		talking.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
				}
				_, err := p.room.Chat(context.Background(), fmt.Sprintf("%s %d", p.name, p.said))
				if errors.Is(err, ErrClosed) {
					return // the test failed
				}
				if err != nil {
					w.t.Errorf("%s cannot chat: %v", p.name, err)
					return
				}
				p.said++
			}
		})
	}
	return func() {
		w.t.Helper()
		close(stop)
		talking.Wait()
		want := w.people[0].said + w.people[1].said
		for range 300 {
			if w.people[0].heard() >= want && w.people[1].heard() >= want {
				break
			}
			pass(100 * time.Millisecond)
		}
		for _, p := range w.people {
			p.complete(w.t, w.people)
		}
	}
}

func (p *peer) heard() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.chats)
}

// complete checks that a person got every message once, those of one sender in order.
func (p *peer) complete(t *testing.T, people [2]*peer) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	next := map[string]int{}
	for _, text := range p.chats {
		var name string
		var n int
		if _, err := fmt.Sscanf(text, "%s %d", &name, &n); err != nil || n != next[name] {
			t.Errorf("%s got %q, want number %d: %v", p.name, text, next[name], err)
			return
		}
		next[name]++
	}
	for _, q := range people {
		if next[q.name] != q.said {
			t.Errorf("%s got %d of %s's %d messages", p.name, next[q.name], q.name, q.said)
		}
	}
}
