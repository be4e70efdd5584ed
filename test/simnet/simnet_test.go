package simnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/netsim"
)

// pair is a server on the internet and a client behind a NAT, 20 ms apart.
func pair(t *testing.T, seed uint64, line netsim.Line) (w *Internet, server, client *Host, uplink *netsim.Interface, nat *netsim.NAT) {
	w = New(seed)
	t.Cleanup(w.Close)
	server, client = w.Host(), w.Host()
	server.Plug("eth0", "5.0.0.1", nil)
	w.Change(func(n *netsim.Network) { nat = n.NAT(netip.MustParseAddr("6.0.0.1"), netsim.PortRestricted) })
	uplink = client.Plug("eth0", "10.0.0.2", nat)
	w.Change(func(*netsim.Network) { uplink.In, uplink.Out = line, line })
	return w, server, client, uplink, nat
}

func TestStreamsArriveWholeAndInOrder(t *testing.T) {
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			_, server, client, _, _ := pair(t, seed, netsim.Line{
				Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.02, Reorder: 0.02,
			})
			l := server.Listen(80)
			sent := make([]byte, 300_000)
			for i := range sent {
				sent[i] = byte(i * 7 >> 3)
			}
			done := make(chan []byte)
			go func() {
				c, err := l.Accept()
				if err != nil {
					t.Error(err)
				}
				got, err := io.ReadAll(c)
				if err != nil {
					t.Error(err)
				}
				_ = c.Close()
				done <- got
			}()
			began := time.Now()
			c, err := client.DialContext(t.Context(), "tcp", "5.0.0.1:80")
			if err != nil {
				t.Fatal(err)
			}
			for rest := sent; len(rest) > 0; rest = rest[100:] {
				if _, err := c.Write(rest[:100]); err != nil {
					t.Fatal(err)
				}
			}
			_ = c.Close()
			if got := <-done; !bytes.Equal(got, sent) {
				t.Errorf("%d bytes arrived of %d", len(got), len(sent))
			}
			t.Logf("%v", time.Since(began))
			_ = l.Close()
			time.Sleep(time.Minute) // virtual
		})
	}
}

func TestFaultsOfStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, server, client, uplink, nat := pair(t, 1, netsim.Line{Delay: 10 * time.Millisecond})
		if _, err := client.DialContext(t.Context(), "tcp", "5.0.0.1:80"); err == nil {
			t.Error("connected to where nobody listens")
		}
		l := server.Listen(80)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
			}
		}()
		c, err := client.DialContext(t.Context(), "tcp", "5.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 10)
		say := func() error {
			if _, err := c.Write([]byte("hello")); err != nil {
				return err
			}
			_, err := c.Read(b)
			return err
		}
		if err := say(); err != nil {
			t.Fatal(err)
		}
		w.Change(func(*netsim.Network) { uplink.Hole = true })
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
		if err := say(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("through a hole: %v", err)
		}
		_ = c.SetReadDeadline(time.Time{})
		w.Change(func(*netsim.Network) { uplink.Hole = false })
		if _, err := c.Read(b); err != nil {
			t.Errorf("after the hole: %v", err)
		}
		w.Change(func(*netsim.Network) { nat.Renumber(netip.MustParseAddr("7.0.0.1")) })
		began := time.Now()
		if err := say(); err == nil || time.Since(began) > time.Second {
			t.Errorf("by another address: %v after %v, want a reset at once", err, time.Since(began))
		}
		w.Change(func(*netsim.Network) { uplink.Up = false })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.DialContext(ctx, "tcp", "5.0.0.1:80"); !errors.Is(err, errNoRoute) {
			t.Errorf("without an uplink: %v", err)
		}
		_ = l.Close()
		server.Crash()
	})
}

func TestDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, server, client, _, _ := pair(t, 1, netsim.Line{Delay: 10 * time.Millisecond})
		s, err := (Net{server}).ListenPacket("udp4", "0.0.0.0:53")
		if err != nil {
			t.Fatal(err)
		}
		c, err := (Net{client}).Dial("udp4", "5.0.0.1:53")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("who am I?")); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		n, from, err := s.ReadFrom(b)
		if err != nil || string(b[:n]) != "who am I?" || from.(*net.UDPAddr).AddrPort().Addr() != netip.MustParseAddr("6.0.0.1") {
			t.Errorf("%q from %v, %v", b[:n], from, err)
		}
		if _, err := s.WriteTo([]byte("you"), from); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(b); err != nil || string(b[:n]) != "you" {
			t.Errorf("%q, %v", b[:n], err)
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		_ = c.Close()
		if _, err := c.Read(b); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		_ = s.Close()
	})
}
