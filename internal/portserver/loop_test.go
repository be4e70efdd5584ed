package portserver

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// plane is a media plane made of functions.
type plane struct {
	batch    func(loop int, now time.Time, batch []Packet, out *Outbox)
	timeout  func(loop int, now time.Time, out *Outbox)
	deadline func(loop int) time.Time
}

func (p *plane) HandleBatch(loop int, now time.Time, batch []Packet, out *Outbox) {
	if p.batch != nil {
		p.batch(loop, now, batch, out)
	}
}

func (p *plane) HandleTimeout(loop int, now time.Time, out *Outbox) {
	if p.timeout != nil {
		p.timeout(loop, now, out)
	}
}

func (p *plane) Deadline(loop int) time.Time {
	if p.deadline == nil {
		return time.Time{}
	}
	return p.deadline(loop)
}

// start runs a server until the test ends.
func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := Listen(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s)
	return s
}

func serve(t testing.TB, s *Server) {
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Serve(context.Background()); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		s.Close()
		running.Wait()
	})
}

// client is a socket that talks to one address, on a loopback address of this host.
func client(t testing.TB, addr string, port uint16) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// reflect answers every RTP packet with n copies, the last one of them a byte shorter, and takes it.
func reflect(n int) func(int, time.Time, []Packet, *Outbox) {
	return func(_ int, _ time.Time, batch []Packet, out *Outbox) {
		for i := range batch {
			p := &batch[i]
			if p.Kind != RTP {
				continue
			}
			p.Take()
			for copies := range n {
				b := out.Next()
				size := copy(b, p.Data)
				b[1] = byte(copies)
				if copies == n-1 {
					size--
				}
				out.Send(size, p.Src, p.Local)
			}
		}
	}
}

// tiers are those that this system has.
func tiers() []Tier {
	if runtime.GOOS == "linux" {
		return []Tier{TierPlain, TierBatches, TierSegments}
	}
	return []Tier{TierPlain}
}

// TestTiersAgree: in every tier and bound in every way, packets reach the media plane, its answers leave from the address that
// was asked, whole and in order, and what it does not take goes to Packets.
func TestTiersAgree(t *testing.T) {
	for _, tier := range tiers() {
		for bound, asked := range map[string][]string{
			":0": {"127.0.0.1", "127.0.0.2", "127.3.4.5", "::1"}, "0.0.0.0:0": {"127.0.0.1", "127.0.0.2"},
			"127.0.0.1:0": {"127.0.0.1"}, "[::1]:0": {"::1"},
		} {
			t.Run(fmt.Sprintf("%v on %s", tier, bound), func(t *testing.T) {
				if strings.Contains(bound, "::1") && !hasSix() {
					t.Skip("no IPv6 here")
				}
				e := &echo{}
				s, err := Listen(Config{Address: bound, Tier: tier, Loops: 2, Batches: &plane{batch: reflect(5)}, Packets: e}, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				e.port = s
				serve(t, s)
				if s.Tier() != tier {
					t.Fatalf("tier %v", s.Tier())
				}
				for _, a := range asked {
					if a == "::1" && !hasSix() {
						continue
					}
					c := client(t, a, s.Addr().Port())
					converse(t, c)
				}
				st := s.Stats()
				if n := uint64(len(asked)); tier == TierSegments && st.Messages != st.Sent/5 || st.Sent != 5*st.RTP || st.RTP > n || st.STUN > n || st.WriteErrors != 0 {
					t.Errorf("%+v", st)
				}
			})
		}
	}
}

// converse sends one RTP packet, wants five back, and one STUN message.
func converse(t *testing.T, c *net.UDPConn) {
	t.Helper()
	b := make([]byte, 2000)
	if _, err := c.Write([]byte("\x80 media")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"\x80\x00media", "\x80\x01media", "\x80\x02media", "\x80\x03media", "\x80\x04medi"} {
		if n, err := c.Read(b); err != nil || string(b[:n]) != want {
			t.Fatalf("answer %d: %q, %v", i, b[:n], err)
		}
	}
	if _, err := c.Write(stun()); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(b); err != nil || string(b[:n]) != string(stun()) {
		t.Fatalf("STUN: %q, %v", b[:n], err)
	}
}

func hasSix() bool {
	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// TestCommandsAndDeadlines: a sleeping loop obeys at once and in order, and keeps the deadline that it named last, whether
// that was moved to the front or to the back.
func TestCommandsAndDeadlines(t *testing.T) {
	for _, tier := range tiers() {
		var deadline, due time.Time // the loop's
		fired := make(chan bool, 10)
		s := start(t, Config{Address: "127.0.0.1:0", Tier: tier, Loops: 1, Batches: &plane{
			timeout: func(_ int, now time.Time, _ *Outbox) {
				fired <- !now.Before(due)
				deadline = time.Time{}
			},
			deadline: func(int) time.Time { return deadline },
		}})
		var obeyed []int
		done := make(chan struct{})
		for i := range 100 {
			if !s.Post(0, func(time.Time, *Outbox) {
				if obeyed = append(obeyed, i); i == 99 {
					close(done)
				}
			}) {
				t.Fatal("refused")
			}
		}
		<-done
		if !slices.IsSorted(obeyed) || len(obeyed) != 100 {
			t.Errorf("obeyed: %v", obeyed)
		}
		for _, delays := range [][]time.Duration{{20 * time.Millisecond}, {time.Hour, 5 * time.Millisecond}, {5 * time.Millisecond, 40 * time.Millisecond}, {-time.Hour}} {
			for _, delay := range delays {
				s.Post(0, func(now time.Time, _ *Outbox) { deadline, due = now.Add(delay), now.Add(delay) })
			}
			if !<-fired {
				t.Errorf("%v: before its time", delays)
			}
		}
		if s.Post(1, func(time.Time, *Outbox) {}) || s.Post(-1, func(time.Time, *Outbox) {}) {
			t.Error("a loop that is not there obeys")
		}
		// Commands that wait are bounded.
		hold := make(chan struct{})
		s.Post(0, func(time.Time, *Outbox) { <-hold })
		accepted := 0
		for accepted <= maxCommands+1 && s.Post(0, func(time.Time, *Outbox) {}) {
			accepted++
		}
		if close(hold); accepted > maxCommands+1 {
			t.Errorf("%d commands wait", accepted)
		}
		s.Close()
		if s.Post(0, func(time.Time, *Outbox) {}) {
			t.Error("a closed server takes commands")
		}
	}
}

// TestNobodyStarves: a loop that always has a command to obey reads its socket still.
func TestNobodyStarves(t *testing.T) {
	for _, tier := range tiers() {
		s := start(t, Config{Address: "127.0.0.1:0", Tier: tier, Loops: 1, Batches: &plane{batch: reflect(5)}, Packets: &discard{}})
		var again func(time.Time, *Outbox)
		again = func(time.Time, *Outbox) { s.Post(0, again) }
		again(time.Time{}, nil)
		c := client(t, "127.0.0.1", s.Addr().Port())
		b := make([]byte, 100)
		for range 20 {
			_, _ = c.Write([]byte("\x80 media"))
			for range 5 {
				if _, err := c.Read(b); err != nil {
					t.Fatal(tier, err)
				}
			}
		}
		s.Close()
	}
}

// discard takes datagrams and does nothing.
type discard struct{}

func (discard) HandlePacket(netip.AddrPort, netip.Addr, []byte) {}

// TestPanicsOfThePlane: of a batch of which some provoke a panic, the others are all answered once. Commands and timeouts that
// panic harm nobody.
func TestPanicsOfThePlane(t *testing.T) {
	for _, tier := range tiers() {
		var deadline time.Time
		fired := make(chan struct{})
		s := start(t, Config{Address: "127.0.0.1:0", Tier: tier, Loops: 1, Batches: &plane{
			batch: func(_ int, _ time.Time, batch []Packet, out *Outbox) {
				for i := range batch {
					if batch[i].Data[1] == '!' {
						panic("batch")
					}
					batch[i].Take()
					out.Send(copy(out.Next(), batch[i].Data), batch[i].Src, batch[i].Local)
				}
			},
			timeout: func(int, time.Time, *Outbox) {
				deadline = time.Time{}
				close(fired)
				panic("timeout")
			},
			deadline: func(int) time.Time { return deadline },
		}})
		holding, hold := make(chan struct{}), make(chan struct{})
		s.Post(0, func(time.Time, *Outbox) { // so that the packets make one batch
			close(holding)
			<-hold
		})
		<-holding
		c := client(t, "127.0.0.1", s.Addr().Port())
		for _, b := range []string{"\x80a", "\x80b", "\x80!", "\x80c", "\x80!", "\x80d"} {
			_, _ = c.Write([]byte(b))
		}
		close(hold)
		b := make([]byte, 10)
		for _, want := range []string{"\x80a", "\x80b", "\x80c", "\x80d"} {
			if n, err := c.Read(b); err != nil || string(b[:n]) != want {
				t.Fatalf("%v: %q, %v; want %q", tier, b[:n], err, want)
			}
		}
		s.Post(0, func(now time.Time, _ *Outbox) {
			deadline = now
			panic("command")
		})
		<-fired
		_, _ = c.Write([]byte("\x80e"))
		if n, err := c.Read(b); err != nil || string(b[:n]) != "\x80e" {
			t.Fatalf("%q, %v", b[:n], err)
		}
		want := uint64(5) // the batch, both packets alone, the timeout, the command
		if tier == TierPlain {
			want = 4
		}
		if st := s.Stats(); st.Panics != want {
			t.Errorf("%v: %+v", tier, st)
		}
	}
}

// TestAnswersWithoutAPacket: what a command queues goes out at the end of the same wake-up.
func TestAnswersWithoutAPacket(t *testing.T) {
	s := start(t, Config{Address: ":0", Loops: 2, Batches: &plane{}})
	c := client(t, "127.0.0.1", s.Addr().Port())
	dst := c.LocalAddr().(*net.UDPAddr).AddrPort()
	for i := range 300 {
		s.Post(i%s.Loops(), func(_ time.Time, out *Outbox) {
			binary.BigEndian.PutUint32(out.Next(), uint32(i))
			out.Send(4, dst, netip.MustParseAddr("127.0.0.1"))
		})
		b := make([]byte, 10)
		if n, err := c.Read(b); n != 4 || err != nil || binary.BigEndian.Uint32(b) != uint32(i) {
			t.Fatal(n, err)
		}
	}
}
