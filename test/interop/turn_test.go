// Package interop holds our servers against clients that others wrote.
package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/turn"
	"github.com/parley-rtc/parley/internal/turnserver"
	pion "github.com/pion/turn/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second // only a fault makes the tests wait that long

// book is turnserver.Grants by hand.
type book struct{}

func (book) Grant(now time.Time, username string) (turn.Grant, bool) {
	return turn.Grant{Password: "pw-" + username, Session: username, Expires: now.Add(time.Hour)}, true
}

func (book) Alive(string) bool { return true }

// house is the port with the relay behind it, as the server wires them.
type house struct {
	port  *portserver.Server
	relay *turnserver.Server
}

// open starts both. With ports, relay sockets are opened on 127.0.0.1 and peers on 127.0.0.2 are allowed; without, relayed
// addresses are virtual.
func open(t *testing.T, address string, ports turn.Ports) house {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	var h house
	var err error
	send := func(b []byte, dst netip.AddrPort, local netip.Addr) { h.port.WriteTo(b, dst, local) }
	h.relay, err = turnserver.New(turnserver.Config{Engine: turn.Config{
		Relay4: netip.MustParseAddr("127.0.0.1"), Relay6: netip.IPv6Loopback(), Ports: ports,
		Policy: turn.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}},
	}}, book{}, send, log, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h.port, err = portserver.Listen(portserver.Config{
		Address: address, Packets: h.relay, Streams: h.relay,
		TLS: &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, NextProtos: []string{"h2", "http/1.1", "stun.turn"}},
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	h.relay.SetPort(h.port.Addr().Port())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.port.Serve(context.Background()); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		h.port.Close()
		h.relay.Close()
		running.Wait()
	})
	return h
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"lab.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// echo sends back what comes to a socket on 127.0.0.2, and returns its port.
func echo(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, src, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(b[:n], src)
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// tool runs a program of coturn's and returns what it printed.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("needs %s (Debian package coturn)", name)
		}
		t.Skipf("needs %s (Debian package coturn)", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestCoturnSTUN(t *testing.T) {
	for _, server := range []string{"127.0.0.1", "::1"} {
		t.Run(server, func(t *testing.T) {
			h := open(t, net.JoinHostPort(server, "0"), turn.Ports{})
			out := tool(t, "turnutils_stunclient", "-p", strconv.Itoa(int(h.port.Addr().Port())), server)
			if !strings.Contains(out, "reflexive addr: "+server+":") && !strings.Contains(out, "reflexive addr: ["+server+"]:") {
				t.Error(out)
			}
		})
	}
}

// TestCoturnClients runs coturn's load client over every transport: between its own allocations (in memory) and to an echo that
// is not ours (by relay socket). It sends by Send indications only, because it binds channel numbers of the whole old range of
// RFC 5766, three quarters of which RFC 8656 reserves. Inside TLS it takes one message a record and calls the rest lost, so there
// the relay's own counters are believed.
func TestCoturnClients(t *testing.T) {
	const messages, clients = 20, 2
	sockets := turn.Ports{First: 20000, Last: 28000}
	for _, transport := range []struct{ name, flags string }{{"udp", ""}, {"tcp", "-t"}, {"tls", "-t -S"}} {
		for _, way := range []struct {
			name, flags string
			ports       turn.Ports
			echo        bool
		}{
			{"memory", "-y", turn.Ports{}, false},
			{"memory beside sockets", "-y", sockets, false},
			{"memory ipv6", "-y -x", turn.Ports{}, false},
			{"socket", "", sockets, true},
		} {
			t.Run(transport.name+"/"+way.name, func(t *testing.T) {
				t.Parallel() // the tool mostly waits
				h := open(t, "127.0.0.1:0", way.ports)
				args := strings.Fields("-s -c -u ann -w pw-ann -l 173 " + transport.flags + " " + way.flags)
				args = append(args, "-n", strconv.Itoa(messages), "-m", strconv.Itoa(clients), "-p", strconv.Itoa(int(h.port.Addr().Port())))
				if way.echo {
					args = append(args, "-e", "127.0.0.2", "-r", strconv.Itoa(echo(t)))
				}
				out := tool(t, "turnutils_uclient", append(args, "127.0.0.1")...)
				if transport.name != "tls" && !strings.Contains(out, "Total lost packets 0 (0.000000%)") {
					t.Errorf("%s", out)
				}
				want := turnserver.Stats{}
				if way.echo {
					want.ToPeers, want.ToClients = messages*clients, messages*clients
				} else {
					want.InMemory = messages * clients
				}
				st := h.relay.Stats()
				if st.ToPeers != want.ToPeers || st.ToClients != want.ToClients || st.InMemory != want.InMemory || st.QueueDropped+st.Panics != 0 {
					t.Errorf("%+v\n%s", st, out)
				}
			})
		}
	}
}

// pionClient dials the port and makes an allocation with pion's client.
func pionClient(t *testing.T, h house, network, user string) (net.PacketConn, *pion.Client) {
	t.Helper()
	address := h.port.Addr().String()
	var conn net.PacketConn
	switch network {
	case "udp":
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conn = udp
	default:
		stream, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if network == "tls" {
			stream = tls.Client(stream, &tls.Config{InsecureSkipVerify: true, ServerName: "lab.test"})
		}
		conn = pion.NewSTUNConn(stream)
	}
	c, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: address, TURNServerAddr: address, Conn: conn, Username: user, Password: "pw-" + user,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	relayed, err := c.Allocate()
	if err != nil {
		t.Fatalf("allocate over %s: %v", network, err)
	}
	t.Cleanup(func() {
		relayed.Close()
		c.Close()
		conn.Close()
	})
	_ = relayed.SetDeadline(time.Now().Add(patience))
	return relayed, c
}

// TestPionClients: two clients of pion's talk over every pair of transports, by virtual relayed addresses.
func TestPionClients(t *testing.T) {
	for _, a := range []string{"udp", "tcp", "tls"} {
		for _, b := range []string{"udp", "tcp", "tls"} {
			t.Run(a+"-"+b, func(t *testing.T) {
				h := open(t, "127.0.0.1:0", turn.Ports{})
				ann, annClient := pionClient(t, h, a, "ann")
				bob, bobClient := pionClient(t, h, b, "bob")
				if err := annClient.CreatePermission(bob.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				if err := bobClient.CreatePermission(ann.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				for i := range 20 { // the first by Send, the later ones by the channel that the client binds meanwhile
					exchange(t, ann, bob, fmt.Sprintf("to bob %d", i))
					exchange(t, bob, ann, fmt.Sprintf("to ann %d", i))
				}
				if err := annClient.CreatePermission(&net.UDPAddr{IP: net.IPv4(8, 8, 8, 8), Port: 1}); err == nil {
					t.Error("a peer on the Internet is permitted, and nothing could reach it")
				}
				if st := h.relay.Stats(); st.InMemory != 40 || st.ToPeers != 0 || st.Panics != 0 {
					t.Errorf("%+v", st)
				}
			})
		}
	}
}

// TestPionHalfRelayed: with relay sockets, a client and a peer that is not ours.
func TestPionHalfRelayed(t *testing.T) {
	h := open(t, "127.0.0.1:0", turn.Ports{First: 20000, Last: 28000})
	port := echo(t)
	for _, network := range []string{"udp", "tcp", "tls"} {
		relayed, _ := pionClient(t, h, network, "ann")
		for i := range 20 {
			want := fmt.Sprintf("%s %d", network, i)
			if _, err := relayed.WriteTo([]byte(want), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: port}); err != nil {
				t.Fatal(err)
			}
			if got := read(t, relayed); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

func exchange(t *testing.T, from, to net.PacketConn, data string) {
	t.Helper()
	if _, err := from.WriteTo([]byte(data), to.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, to); got != data {
		t.Fatalf("%q, want %q", got, data)
	}
}

func read(t *testing.T, c net.PacketConn) string {
	t.Helper()
	b := make([]byte, 2000)
	n, _, err := c.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}
