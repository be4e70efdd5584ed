package parley

import (
	"bytes"
	"context"
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
	keeper *memoryKeeper
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
	chats   []Chat
	rated   map[string][]Quality // what was said of whom, the newest last
	said    int
	offline int // how often it was told that signalling is lost
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
		if t.Failed() || os.Getenv("PARLEY_DIARY") == "all" { // a duration: of longer gaps
			t.Log("\n" + w.diary.String())
		}
	})
	w.keeper = newMemoryKeeper()
	w.keys = auth.NewKeys(bytes.Repeat([]byte{7}, 32))
	w.server = w.net.Host()
	w.server.Plug("eth0", serverIP, nil)
	w.open()
	for i, name := range []string{"Ann", "Bob"} {
		p := &peer{name: name, host: w.net.Host(), ears: make(map[Source]*listenerOf), rated: make(map[string][]Quality)}
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
	if h.signals, err = signalserver.New(signalserver.Config{Ended: h.relay.End, Shards: 1, Keeper: w.keeper}, w.keys, iceOf{w}, log, bytesOf); err != nil {
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
	w.keeper.crash()
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
