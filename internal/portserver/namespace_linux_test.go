package portserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inNamespace runs the rest of a test on a network of its own, where a device leads to 10.9.0.2 and 10.9.0.3, which are not there.
// f returns what it lacks.
func inNamespace(t *testing.T, f func(t *testing.T) (missing string)) {
	done := make(chan string)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine, and the namespace with it
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- "a network namespace: " + err.Error()
			return
		}
		for _, line := range []string{
			"link set lo up", "link add hole type veth peer name far", "link set far up", "addr add 10.9.0.1/24 dev hole",
			"link set hole mtu 1300 up", "neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev hole", "neigh add 10.9.0.3 lladdr 02:00:00:00:00:03 dev hole",
		} {
			if missing := tool("ip", line); missing != "" {
				done <- missing
				return
			}
		}
		missing := "the end of the test"
		defer func() { done <- missing }()
		missing = f(t)
	}()
	missing := <-done
	switch {
	case missing == "" || t.Failed():
	case os.Getenv("CI") == "true":
		t.Fatal("CI must have " + missing)
	default:
		t.Skip("needs " + missing)
	}
}

// tool runs a program in the namespace of the calling thread, and returns what is wrong.
func tool(name, args string) string {
	if out, err := exec.Command(name, strings.Fields(args)...).CombinedOutput(); err != nil {
		return fmt.Sprintf("%s %s: %v: %s", name, args, err, out)
	}
	return ""
}

// outOf is an outbox of a tier on a socket of the calling thread's namespace.
func outOf(t *testing.T, tier Tier) (*Outbox, *net.UDPConn) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		t.Error(err)
		runtime.Goexit()
	}
	s := &Server{}
	out, err := newSender(newDatagrams(conn, &s.counts, slog.New(slog.DiscardHandler)), tier)
	if err != nil {
		t.Error(err)
		runtime.Goexit()
	}
	return newOutbox(&loop{server: s}, out, tier == TierSegments, 1), conn
}

// TestNarrowPath: packets that do not fit through the device are no run for the kernel; they go one by one, in fragments.
func TestNarrowPath(t *testing.T) {
	inNamespace(t, func(t *testing.T) string {
		o, conn := outOf(t, TierSegments)
		defer conn.Close()
		long := string(make([]byte, 1400))
		send(o, netip.MustParseAddrPort("10.9.0.2:9"), long, long, long)
		send(o, netip.MustParseAddrPort("10.9.0.3:9"), "a", "a", "a")
		o.Flush()
		if c := &o.server.counts; c.refused.Load() != 1 || c.writeErrors.Load() != 0 || c.sent.Load() != 6 {
			t.Errorf("%d refused, %d errors, %d sent", c.refused.Load(), c.writeErrors.Load(), c.sent.Load())
		}
		return ""
	})
}

// TestFullLine: when the line is slow and the socket's buffer full, the loop gives up what does not fit, soon, and goes on. What
// others write to the socket is not disturbed afterwards.
func TestFullLine(t *testing.T) {
	inNamespace(t, func(t *testing.T) string {
		const slow = "dev hole root tbf rate 8kbit burst 1600 limit 10000000"
		if missing := tool("tc", "qdisc add "+slow); missing != "" {
			return missing
		}
		for _, tier := range []Tier{TierBatches, TierSegments} {
			if wrong := tool("tc", "qdisc replace "+slow); wrong != "" {
				t.Error(wrong)
			}
			fillLine(t, tier)
		}
		return ""
	})
}

// fillLine sends more than the line takes, again and again, and then as little as it takes.
func fillLine(t *testing.T, tier Tier) {
	o, conn := outOf(t, tier)
	defer conn.Close()
	_ = conn.SetWriteBuffer(20_000)
	packet := string(make([]byte, 1000))
	for range 3 {
		for range 100 {
			send(o, netip.MustParseAddrPort("10.9.0.2:9"), packet)
		}
		o.Flush()
	}
	c := &o.server.counts
	if c.writeErrors.Load() < 200 || c.sent.Load() == 0 || c.sent.Load()+c.writeErrors.Load() != 300 {
		t.Errorf("%d sent, %d lost", c.sent.Load(), c.writeErrors.Load())
	}
	if wrong := tool("tc", "qdisc del dev hole root"); wrong != "" { // the queue is thrown away: there is room again
		t.Error(wrong)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	before := c.writeErrors.Load()
	send(o, netip.MustParseAddrPort("10.9.0.2:9"), "a")
	o.Flush()
	if c.writeErrors.Load() != before {
		t.Error("the line is free, and nothing goes")
	}
}
