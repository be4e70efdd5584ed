package ice

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/ice/v4"

	"github.com/parley-rtc/parley/internal/netsim"
	"github.com/parley-rtc/parley/test/simnet"
)

const litePort = 3478

// lite is the shell of an agent: one UDP socket that others may use as well. What is not STUN it sends back, by the path that the
// agent names.
type lite struct {
	t     *testing.T
	conn  net.PacketConn
	local netip.Addr
	rand  *rand.ChaCha8

	mu      sync.Mutex
	agent   *Agent
	events  []Event
	echoed  map[Path]int
	strange int // packets from paths that are not valid
}

// credentials makes new ones.
func (l *lite) credentials() Credentials {
	c, err := NewCredentials(l.rand)
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

// run serves until the socket is closed.
func (l *lite) run() {
	buf := make([]byte, 2000)
	for {
		n, from, err := l.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		peer := from.(*net.UDPAddr).AddrPort()
		path := Path{Peer: netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()), Local: l.local}
		l.handle(path, buf[:n])
	}
}

func (l *lite) handle(path Path, packet []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	m, err := Parse(packet)
	switch {
	case err == nil && m.Check() && slices.Contains(l.agent.Ufrags(), string(m.Ufrag())):
		answer, e := l.agent.Handle(now, path, &m)
		l.note(e)
		if answer != nil {
			l.send(path, answer)
		}
	case err != nil:
		if !l.agent.Valid(now, path) {
			l.strange++
			return
		}
		if to, ok := l.agent.Sendable(now); ok {
			l.echoed[to]++
			l.send(to, packet)
		}
	}
}

func (l *lite) note(e Event) {
	if e != 0 {
		l.events = append(l.events, e)
	}
}

func (l *lite) send(to Path, packet []byte) {
	_, _ = l.conn.WriteTo(packet, net.UDPAddrFromAddrPort(to.Peer))
}

// ask runs f while nothing else happens to the agent.
func (l *lite) ask(f func(a *Agent, now time.Time)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l.agent, time.Now())
}

func (l *lite) stats() (st Stats) {
	l.ask(func(a *Agent, _ time.Time) { st = a.Stats() })
	return st
}

// told returns the events so far.
func (l *lite) told() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// tick calls HandleTimeout when the agent wants it, for so long.
func (l *lite) tick(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond) // virtual
		l.ask(func(a *Agent, now time.Time) {
			if at := a.Deadline(); !at.IsZero() && !now.Before(at) {
				l.note(a.HandleTimeout(now))
			}
		})
	}
}

// scene is a lite server on the internet and pion's full agent behind a NAT, 20 ms away.
type scene struct {
	t      *testing.T
	net    *simnet.Internet
	server *lite
	uplink *netsim.Interface
	nat    *netsim.NAT
	client *pion.Agent
	conn   *pion.Conn
	rtt    atomic.Int64 // of the last echo

	mu     sync.Mutex
	states []string
}

func play(t *testing.T, line netsim.Line, options []pion.AgentOption, f func(s *scene)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, net: simnet.New(7)}
		defer s.net.Close()
		s.net.Change(func(n *netsim.Network) { s.nat = n.NAT(netip.MustParseAddr("6.0.0.1"), netsim.PortRestricted) })
		there, here := s.net.Host(), s.net.Host()
		there.Plug("eth0", "5.0.0.1", nil)
		s.uplink = here.Plug("eth0", "10.0.0.2", s.nat)
		s.net.Change(func(*netsim.Network) { s.uplink.In, s.uplink.Out = line, line })
		conn, err := simnet.Net{Host: there}.ListenPacket("udp", fmt.Sprintf("5.0.0.1:%d", litePort))
		if err != nil {
			t.Fatal(err)
		}
		s.server = &lite{t: t, conn: conn, local: netip.MustParseAddr("5.0.0.1"), rand: rand.NewChaCha8([32]byte{1}), echoed: map[Path]int{}}
		defer conn.Close()
		s.dial(here, options)
		defer s.client.Close()
		f(s)
	})
}

// dial makes pion's agent, tells each side of the other, and connects.
func (s *scene) dial(here *simnet.Host, options []pion.AgentOption) {
	var err error
	s.client, err = pion.NewAgentWithOptions(append([]pion.AgentOption{
		pion.WithNet(simnet.Net{Host: here}), pion.WithNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4}),
		pion.WithMulticastDNSMode(pion.MulticastDNSModeDisabled),
	}, options...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	ufrag, _, err := s.client.GetLocalUserCredentials()
	if err != nil {
		s.t.Fatal(err)
	}
	ours := s.server.credentials()
	if s.server.agent, err = New(ours, ufrag); err != nil {
		s.t.Fatal(err)
	}
	go s.server.run()
	if err := s.client.OnConnectionStateChange(s.note); err != nil {
		s.t.Fatal(err)
	}
	s.gather()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	if s.conn, err = s.client.Dial(ctx, ours.Ufrag, ours.Password); err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("connected after %v", time.Since(began))
	go s.read()
}

func (s *scene) note(c pion.ConnectionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = append(s.states, c.String())
}

// told returns what pion has said of its state.
func (s *scene) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.states)
}

// gather collects pion's candidates and tells it of the server's one.
func (s *scene) gather() {
	done := make(chan struct{})
	err := s.client.OnCandidate(func(c pion.Candidate) {
		if c == nil {
			close(done)
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.client.GatherCandidates(); err != nil {
		s.t.Fatal(err)
	}
	<-done
	host, err := pion.NewCandidateHost(&pion.CandidateHostConfig{Network: "udp", Address: "5.0.0.1", Port: litePort, Component: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.client.AddRemoteCandidate(host); err != nil {
		s.t.Fatal(err)
	}
}

// read takes what comes back: the time at which it was sent.
func (s *scene) read() {
	buf := make([]byte, 100)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			return
		}
		if at, err := time.Parse(time.RFC3339Nano, string(buf[:n])); err == nil {
			s.rtt.Store(int64(time.Since(at)))
		}
	}
}

// talk sends something every 100 ms and returns for how long at most nothing came back.
func (s *scene) talk(d time.Duration) (gap time.Duration) {
	last := time.Now()
	for end := time.Now().Add(d); time.Now().Before(end); {
		s.rtt.Store(0)
		_, _ = s.conn.Write([]byte(time.Now().Format(time.RFC3339Nano)))
		s.server.tick(100 * time.Millisecond)
		if s.rtt.Load() > 0 {
			last = time.Now()
		}
		gap = max(gap, time.Since(last))
	}
	return gap
}

// sendable returns where the server would send.
func (s *scene) sendable() (path Path, ok bool) {
	s.server.ask(func(a *Agent, now time.Time) { path, ok = a.Sendable(now) })
	return path, ok
}

func near() netsim.Line { return netsim.Line{Delay: 10 * time.Millisecond} }

func TestPionConnects(t *testing.T) {
	for _, line := range []netsim.Line{near(), {Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond, Loss: 0.2, Reorder: 0.1}} {
		play(t, line, nil, func(s *scene) {
			gap := s.talk(time.Minute)
			path, ok := s.sendable()
			if !ok || path.Peer.Addr() != netip.MustParseAddr("6.0.0.1") {
				t.Errorf("%v %v", path, ok)
			}
			t.Logf("loss %.0f %%: longest silence %v, %+v, %v", 100*line.Loss, gap, s.server.stats(), s.told())
			if gap > 3*time.Second {
				t.Errorf("silent for %v", gap)
			}
			if st := s.server.stats(); st.Forged+st.Foreign+st.Conflicts+st.Unknown != 0 || st.Checks < 20 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestPionRestarts: new credentials on both sides while packets flow. The server never stops sending (pion does, for a moment), and
// the old credentials end.
func TestPionRestarts(t *testing.T) {
	play(t, near(), nil, func(s *scene) {
		if gap := s.talk(5 * time.Second); gap > 300*time.Millisecond {
			t.Errorf("silent for %v", gap)
		}
		for round := range 3 {
			ours := s.server.credentials()
			if err := s.client.Restart("", ""); err != nil {
				t.Fatal(err)
			}
			ufrag, _, err := s.client.GetLocalUserCredentials()
			if err != nil {
				t.Fatal(err)
			}
			s.server.ask(func(a *Agent, _ time.Time) {
				if err := a.Restart(ours, ufrag); err != nil {
					t.Fatal(err)
				}
			})
			if err := s.client.SetRemoteCredentials(ours.Ufrag, ours.Password); err != nil {
				t.Fatal(err)
			}
			s.gather()
			gap := s.talk(10 * time.Second)
			if _, ok := s.sendable(); !ok {
				t.Errorf("round %d: does not send", round)
			}
			s.server.ask(func(a *Agent, _ time.Time) {
				if got := a.Ufrags(); len(got) != 1 || got[0] != ours.Ufrag {
					t.Errorf("round %d: fragments %v", round, got)
				}
			})
			t.Logf("round %d: longest silence %v", round, gap)
			if gap > 2*time.Second {
				t.Errorf("round %d: silent for %v", round, gap)
			}
		}
		retired := 0
		for _, e := range s.server.told() {
			if e.Has(Retired) {
				retired++
			}
			if e.Has(Lost) {
				t.Error("lost")
			}
		}
		if retired != 3 {
			t.Errorf("events %b", s.server.told())
		}
	})
}

// TestPionGoesDark: the server stops sending 15 s after the last check and not before, and goes on when the peer is back.
func TestPionGoesDark(t *testing.T) {
	patient := []pion.AgentOption{pion.WithDisconnectedTimeout(time.Minute), pion.WithFailedTimeout(time.Hour)}
	play(t, near(), patient, func(s *scene) {
		s.talk(5 * time.Second)
		s.net.Change(func(*netsim.Network) { s.uplink.Hole = true })
		s.server.tick(12 * time.Second)
		if _, ok := s.sendable(); !ok {
			t.Error("stopped too early")
		}
		s.server.tick(4 * time.Second)
		if path, ok := s.sendable(); ok || !slices.ContainsFunc(s.server.told(), func(e Event) bool { return e.Has(Lost) }) {
			t.Errorf("still sends to %v, events %b", path, s.server.told())
		}
		s.net.Change(func(*netsim.Network) { s.uplink.Hole = false })
		gap := s.talk(10 * time.Second)
		if _, ok := s.sendable(); !ok {
			t.Error("does not send to the peer that is back")
		}
		t.Logf("back after %v, %v", gap, s.told())
	})
}

// TestPionBehindAnotherNAT: the NAT gives the peer another address while it believes that nothing has happened.
func TestPionBehindAnotherNAT(t *testing.T) {
	play(t, near(), nil, func(s *scene) {
		s.talk(5 * time.Second)
		s.net.Change(func(*netsim.Network) { s.nat.Renumber(netip.MustParseAddr("7.0.0.1")) })
		gap := s.talk(10 * time.Second)
		path, ok := s.sendable()
		if !ok || path.Peer.Addr() != netip.MustParseAddr("7.0.0.1") {
			t.Errorf("%v %v", path, ok)
		}
		t.Logf("longest silence %v", gap)
		if gap > 6*time.Second {
			t.Errorf("silent for %v", gap)
		}
	})
}
