package portserver

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func TestUDPIsToldApart(t *testing.T) {
	h := open(t, Config{})
	c, err := net.Dial("udp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, b := range []string{"\x16dtls", "\x80rtp", "\xffnoise", "", "\x40\x00\x00\x00", string(stun())} {
		if _, err := io.WriteString(c, b); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"\x40\x00\x00\x00", string(stun())} {
		if got := <-h.packets; got.data != want || got.src.String() != c.LocalAddr().String() {
			t.Errorf("%+v", got)
		}
	}
	if st := h.Stats(); st.STUN != 1 || st.ChannelData != 1 || st.DTLS != 1 || st.RTP != 1 || st.Unknown != 2 {
		t.Errorf("%+v", st)
	}
}

// TestAnswersLeaveFromWhereTheyCame: on a wildcard socket, asked at many addresses of this host, of both families.
func TestAnswersLeaveFromWhereTheyCame(t *testing.T) {
	h := open(t, Config{Address: ":0"})
	port := h.Addr().Port()
	asked := []string{"127.0.0.1", "127.0.0.2", "127.3.4.5"}
	if six, err := net.ListenPacket("udp6", "[::1]:0"); err == nil {
		six.Close()
		asked = append(asked, "::1")
	}
	for range 2 { // the second time with what was remembered
		for _, a := range asked {
			// A connected socket takes answers from that very address only.
			c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(a), port)))
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			if _, err := c.Write(stun()); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, 10)
			if n, err := c.Read(answer); err != nil || string(answer[:n]) != "pong" {
				t.Errorf("asked at %s: %q, %v", a, answer[:n], err)
			}
			if p := <-h.packets; p.local.String() != a || p.src.Addr().Is4In6() {
				t.Errorf("asked at %s: %+v", a, p)
			}
			c.Close()
		}
	}
}

// echo answers every datagram with itself.
type echo struct{ port *Server }

func (e *echo) HandlePacket(src netip.AddrPort, local netip.Addr, b []byte) {
	e.port.WriteTo(b, src, local)
}

// TestUDPAllocatesNothing: a datagram in and one out, on the wildcard socket, where the address it came to is asked for.
func TestUDPAllocatesNothing(t *testing.T) {
	e := &echo{}
	var err error
	if e.port, err = Listen(Config{Address: ":0", Packets: e}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = e.port.Serve(context.Background()) })
	defer running.Wait()
	defer e.port.Close()
	c, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.3"), e.port.Addr().Port()).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	b, answer := stun(), make([]byte, 100)
	n := testing.AllocsPerRun(500, func() {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(answer); n != len(b) || err != nil {
			t.Fatal(n, err)
		}
	})
	if n >= 1 {
		t.Errorf("%v allocations a packet", n)
	}
}
