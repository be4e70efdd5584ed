package portserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// option sets an option of a socket.
func option(t *testing.T, conn *net.UDPConn, level, name, value int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var fault error
	if err := raw.Control(func(fd uintptr) { fault = unix.SetsockoptInt(int(fd), level, name, value) }); err != nil || fault != nil {
		t.Fatal(err, fault)
	}
}

// pair is an outbox on a socket, and another socket to listen on.
func pair(t *testing.T) (*Outbox, *net.UDPConn, *net.UDPConn) {
	t.Helper()
	from, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		from.Close()
		to.Close()
	})
	s := &Server{}
	out, err := newBatchSender(newDatagrams(from, &s.counts, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	_ = to.SetReadDeadline(time.Now().Add(patience))
	return newOutbox(&loop{server: s}, out, true, 1), from, to
}

// arrived reads packets, and reports the first that is not as wanted.
func arrived(t *testing.T, conn *net.UDPConn, want ...string) {
	t.Helper()
	b := make([]byte, 3000)
	for i, w := range want {
		if n, err := conn.Read(b); err != nil || string(b[:n]) != w {
			t.Fatalf("packet %d: %q, %v; want %q", i, b[:n], err, w)
		}
	}
}

func send(o *Outbox, dst netip.AddrPort, packets ...string) {
	for _, p := range packets {
		o.Send(copy(o.Next(), p), dst, netip.Addr{})
	}
}

// TestRunRefused: a socket without checksums cannot send runs. The packets arrive one by one, in their order, others too, and the
// destination is not asked again.
func TestRunRefused(t *testing.T) {
	o, from, conn := pair(t)
	option(t, from, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
	dst := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	for round := range 3 {
		send(o, dst, "aaa", "aaa", "aa", "bbbb")
		o.Flush()
		arrived(t, conn, "aaa", "aaa", "aa", "bbbb")
		if c := &o.server.counts; c.refused.Load() != 1 || c.writeErrors.Load() != 0 || c.sent.Load() != uint64(4*round+4) {
			t.Fatalf("round %d: %d refused, %d errors, %d sent", round, c.refused.Load(), c.writeErrors.Load(), c.sent.Load())
		}
	}
}

// TestOnesFaultIsNotOthers: in one flush, destinations of another family, without a port, and with nobody there, whose refusal
// comes back while the flush goes on. All others get theirs.
func TestOnesFaultIsNotOthers(t *testing.T) {
	o, from, conn := pair(t)
	option(t, from, unix.SOL_IP, unix.IP_RECVERR, 1) // errors of earlier packets are told
	dst := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	gone, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	nobody := gone.LocalAddr().(*net.UDPAddr).AddrPort()
	gone.Close()
	for range 3 {
		send(o, netip.MustParseAddrPort("[2001:db8::1]:9"), "lost")
		send(o, dst, "1")
		send(o, netip.MustParseAddrPort("127.0.0.1:0"), "lost") // EINVAL
		send(o, nobody, "x", "x", "yy")
		send(o, dst, "22")
		send(o, nobody, "zzz")
		send(o, dst, "333")
		send(o, netip.AddrPort{}, "lost")
		o.Flush()
		arrived(t, conn, "1", "22", "333")
	}
	// What goes to nobody is lost in any case; whether that is seen depends on when the answer comes.
	if c := &o.server.counts; c.writeErrors.Load() < 3*3 || c.writeErrors.Load() > 3*(3+4) || c.refused.Load() != 0 {
		t.Errorf("%d errors, %d refused", c.writeErrors.Load(), c.refused.Load())
	}
}

// TestTooLong: what is longer than the path takes does not go as a run, and is cut by nobody.
func TestTooLong(t *testing.T) {
	o, from, conn := pair(t)
	option(t, from, unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE) // never in fragments
	dst := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	long := string(make([]byte, BufferLen))
	send(o, dst, long, long, "end")
	o.Flush()
	arrived(t, conn, long, long, "end") // loopback takes it
	if err := from.Close(); err != nil {
		t.Fatal(err)
	}
	send(o, dst, "a", "b", "c")
	o.Flush()
	if n := o.server.counts.writeErrors.Load(); n != 3 {
		t.Errorf("%d lost by a closed socket", n)
	}
}

// TestTruncated: a datagram that no protocol sends is dropped whole, and those around it are not.
func TestTruncated(t *testing.T) {
	got := make(chan string, 10)
	s := start(t, Config{Address: "127.0.0.1:0", Loops: 1, Tier: TierBatches, Batches: &plane{batch: func(_ int, _ time.Time, batch []Packet, _ *Outbox) {
		for i := range batch {
			batch[i].Take()
			got <- fmt.Sprint(len(batch[i].Data), batch[i].Data[0])
		}
	}}})
	c := client(t, "127.0.0.1", s.Addr().Port())
	for _, n := range []int{100, longestBatched + 1, longestBatched, 60_000, 1} {
		b := make([]byte, n)
		b[0] = 0x80
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"100 128", fmt.Sprint(longestBatched, 128), "1 128"} {
		if g := <-got; g != want {
			t.Errorf("got %s, want %s", g, want)
		}
	}
	if st := s.Stats(); st.Truncated != 2 || st.RTP != 3 {
		t.Errorf("%+v", st)
	}
}

// TestProbe: this kernel has all tiers, and the ceiling is kept.
func TestProbe(t *testing.T) {
	for _, most := range []Tier{TierPlain, TierBatches, TierSegments, TierBest} {
		want := most
		if most == TierBest {
			want = TierSegments
		}
		if got, err := probe(most); got != want || err != nil {
			t.Errorf("%v: %v, %v", most, got, err)
		}
	}
}

// TestPortIsOurs: although our sockets share the port, nobody else takes it by chance, and the first of them notices when
// somebody else has it already, shared or not.
func TestPortIsOurs(t *testing.T) {
	s := start(t, Config{Address: "127.0.0.1:0", Loops: 3, Batches: &plane{}})
	if c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(s.Addr())); err == nil {
		c.Close()
		t.Error("taken twice")
	}
	first, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	shared, err := shareSocket(first, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer shared[1].Close()
	if s, err := Listen(Config{Address: first.LocalAddr().String(), Loops: 2}, slog.New(slog.DiscardHandler)); err == nil {
		s.Close()
		t.Error("a port that others share was taken")
	}
}
