package turnserver

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
	"github.com/pion/stun/v4"
)

// ended waits for the other side to close a stream.
func (c *client) ended() error {
	for {
		_, err := c.conn.Read(make([]byte, 1000))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if err != nil {
			return nil
		}
	}
}

func TestIdleStreamsEnd(t *testing.T) {
	t.Parallel()
	h := open(t, Config{StreamIdle: 2 * time.Second})
	silent, asking, used := h.client("tcp", ""), h.client("tcp", ""), h.client("tcp", "ann").allocate(1)
	asking.write(asking.build(stun.BindingRequest, asking.id(), netip.AddrPort{}).Raw)
	if err := silent.ended(); err != nil {
		t.Errorf("silent: %v", err)
	}
	if err := asking.ended(); err != nil { // a Binding request is no allocation
		t.Errorf("asking: %v", err)
	}
	if code := used.refresh(600); code != 0 {
		t.Errorf("with an allocation: %d", code)
	}
	if code := used.refresh(0); code != 0 {
		t.Error(code)
	}
	if err := used.ended(); err != nil {
		t.Errorf("after the allocation: %v", err)
	}
}

func TestMalformedStreamEnds(t *testing.T) {
	h := open(t, Config{})
	for _, junk := range []string{"GET / HTTP/1.1\r\n\r\n", "\x00\x01\x00\x00\x00\x00\x00\x00", "\x40\x00\xff\xff"} {
		c := h.client("tcp", "")
		c.write([]byte(junk))
		if err := c.ended(); err != nil {
			t.Errorf("%q: %v", junk, err)
		}
	}
}

func TestIdleStreamsAreBounded(t *testing.T) {
	h := open(t, Config{IdleStreamsPerPrefix: 3})
	used := h.client("tcp", "ann").allocate(1) // does not count
	var idle []*client
	for range 3 {
		c := h.client("tcp", "")
		c.write(c.build(stun.BindingRequest, c.id(), netip.AddrPort{}).Raw)
		c.next()
		idle = append(idle, c)
	}
	if err := h.client("tcp", "").ended(); err != nil {
		t.Errorf("one too many: %v", err)
	}
	idle[0].user = "bob"
	idle[0].allocate(1)
	h.client("tcp", "eve").allocate(1)
	if code := used.refresh(600); code != 0 {
		t.Error(code)
	}
	if st := h.Stats(); st.StreamsRefused != 1 || st.Streams != 5 {
		t.Errorf("%+v", st)
	}
}

// TestSlowReader: a client that does not read loses what its queue does not hold, and nobody waits for it.
func TestSlowReader(t *testing.T) {
	h := open(t, Config{StreamQueue: 4096})
	slow, ann := h.client("tcp", "slow").allocate(1), h.client("tcp", "ann").allocate(1)
	if code := slow.bind(0x4000, ann.relay); code != 0 {
		t.Fatal(code)
	}
	if code := ann.bind(0x4000, slow.relay); code != 0 {
		t.Fatal(code)
	}
	payload := strings.Repeat("x", 10000) // more than the queue holds, whatever the kernel takes
	ann.channel(0x4000, payload)
	if code := ann.refresh(600); code != 0 {
		t.Fatal(code)
	}
	if st := h.Stats(); st.QueueDropped != 1 {
		t.Errorf("%+v", st)
	}
	ann.channel(0x4000, "small")
	if got := slow.data(); got != "4000:small" {
		t.Errorf("got %d bytes", len(got))
	}
}

// TestStuckWriter: a stream whose other side takes nothing is closed, and its allocation ends.
func TestStuckWriter(t *testing.T) {
	t.Parallel()
	h := open(t, Config{WriteTimeout: 500 * time.Millisecond})
	ours, theirs := net.Pipe() // nothing is buffered in between
	defer theirs.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeStream(ours, false)
	}()
	c := &client{t: t, conn: theirs, stream: true, user: "ann"}
	c.allocate(1)
	c.write(c.build(stun.BindingRequest, c.id(), netip.AddrPort{}).Raw) // its answer is never read
	<-done
	if st := h.Stats(); st.Allocations != 0 || st.Streams != 0 {
		t.Errorf("%+v", st)
	}
}

func TestEndOfSession(t *testing.T) {
	h := open(t, Config{})
	ann, other := h.client("udp", "ann/1").allocate(1), h.client("udp", "bob").allocate(1)
	h.mu.Lock() // as when somebody calls it with locks held
	h.End("ann")
	h.arm(time.Now(), time.Now().Add(time.Hour)) // as by a packet that comes at once
	h.mu.Unlock()
	// The engine wants to be called after 10 s in any case.
	for deadline := time.Now().Add(5 * time.Second); ann.refresh(600) != 437; {
		if time.Now().After(deadline) {
			t.Fatal("the allocation lives on")
		}
	}
	if code := other.refresh(600); code != 0 {
		t.Errorf("another session: %d", code)
	}
}

// TestPanicIsContained: a request that makes the engine panic costs its own client, nobody else.
func TestPanicIsContained(t *testing.T) {
	h := open(t, Config{})
	ann := h.client("udp", "ann").allocate(1)
	for _, network := range []string{"udp", "tcp"} {
		bomb := h.client(network, "ann")
		bomb.allocate(1)
		bomb.user = "bomb"
		m := bomb.build(stun.NewType(stun.MethodRefresh, stun.ClassRequest), bomb.id(), netip.AddrPort{},
			attr{stun.AttrUsername, []byte("bomb")}, attr{stun.AttrRealm, []byte("parley")}, attr{stun.AttrNonce, bomb.nonce})
		_ = stun.NewLongTermIntegrity("bomb", "parley", "x").AddTo(m)
		bomb.write(m.Raw)
		if network == "tcp" {
			if err := bomb.ended(); err != nil {
				t.Error(err)
			}
			continue
		}
		bomb.user = "ann"
		if code := bomb.refresh(600); code != 437 {
			t.Errorf("the client that made it panic still has its allocation: %d", code)
		}
	}
	if code := ann.refresh(600); code != 0 {
		t.Error(code)
	}
	if st := h.Stats(); st.Panics != 2 || st.Allocations != 1 {
		t.Errorf("%+v", st)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	var log bytes.Buffer
	h := open(t, Config{Engine: turn.Config{Ports: turn.Ports{First: 20000, Last: 28000}}})
	h.log = slog.New(slog.NewTextHandler(&log, nil))
	ann, bob := h.client("udp", "ann").allocate(1), h.client("tcp", "bob").allocate(1)
	h.Close()
	if err := bob.ended(); err != nil {
		t.Error(err)
	}
	for _, c := range []*client{ann, bob} {
		again, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(c.relay))
		if err != nil {
			t.Errorf("a relay socket is still open: %v", err)
			continue
		}
		again.Close()
	}
	h.Close()
	h.End("ann")
	if !strings.Contains(log.String(), "allocated=2") {
		t.Errorf("log: %s", log.String())
	}
}

func TestConfigFaults(t *testing.T) {
	for name, cfg := range map[string]Config{
		"engine":   {Engine: turn.Config{Total: -1}},
		"negative": {StreamQueue: -1},
		"bind4":    {Bind4: netip.IPv6Unspecified()},
		"bind6":    {Bind6: netip.IPv4Unspecified()},
	} {
		if _, err := New(cfg, book{}, nil, slog.New(slog.DiscardHandler), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
