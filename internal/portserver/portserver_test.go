package portserver

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
)

func TestBothSocketsHaveOneNumber(t *testing.T) {
	h := open(t, Config{Address: ":0"})
	if tcp, udp := h.tcp.Addr().(*net.TCPAddr).Port, h.loops[0].d.conn.LocalAddr().(*net.UDPAddr).Port; tcp != udp || tcp == 0 {
		t.Errorf("tcp %d, udp %d", tcp, udp)
	}
	if _, err := Listen(Config{Address: fmt.Sprintf("127.0.0.1:%d", h.Addr().Port())}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a taken port is no error")
	}
	if s, err := Listen(Config{Address: "127.0.0.1:0", Undecided: -1}, slog.New(slog.DiscardHandler)); err == nil {
		s.Close()
		t.Error("a negative limit is no error")
	}
}

// TestUDPTaken: when only UDP is taken, the TCP socket is not left behind. Other programs take ports as well, so it is enough
// that one of many tries shows it.
func TestUDPTaken(t *testing.T) {
	try := func() error {
		taken, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		address := taken.LocalAddr().String()
		if _, err := Listen(Config{Address: address}, slog.New(slog.DiscardHandler)); err == nil {
			t.Fatal("no error")
		}
		tcp, err := net.Listen("tcp", address)
		if err == nil {
			tcp.Close()
		}
		return err
	}
	var err error
	for range 20 {
		if err = try(); err == nil {
			return
		}
	}
	t.Errorf("the TCP port is still held: %v", err)
}

// TestPanicIsContained: a packet and a stream whose handler panics do no harm to the next.
func TestPanicIsContained(t *testing.T) {
	h := open(t, Config{})
	c, err := net.Dial("udp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte{1, 'b'})
	_, _ = c.Write(stun())
	if p := <-h.packets; p.data != string(stun()) {
		t.Errorf("%+v", p)
	}
	first := h.dial()
	_, _ = first.Write(append([]byte{1}, stun()[1:]...))
	if err := ended(first); err != nil {
		t.Error(err)
	}
	if got, err := request(h.dial()); err != nil {
		t.Error(got, err)
	}
	h.Close() // the panic is counted after the connection has closed
	if st := h.Stats(); st.Panics != 2 {
		t.Errorf("%+v", st)
	}
}

// TestCloseEndsEverything: connections in every state, then Close; goleak looks for what is left.
func TestCloseEndsEverything(t *testing.T) {
	h := open(t, Config{})
	h.dial()
	stream := h.dialTLS("stun.turn")
	if _, err := stream.Write(stun()); err != nil {
		t.Fatal(err)
	}
	<-h.streams
	silent := h.dialTLS()
	h.Close()
	for _, c := range []net.Conn{silent} {
		if err := ended(c); err != nil {
			t.Error(err)
		}
	}
	if _, err := net.Dial("tcp", h.Addr().String()); err == nil {
		t.Error("the port is open still")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := Listen(Config{Address: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(ctx); err != nil {
		t.Errorf("serve after the end: %v", err)
	}
}
