package turnserver

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
	"github.com/pion/stun/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // of the tests: only a fault makes them wait that long

// book is Grants by hand: the password of a user is "pw-"+name, the session is the name up to a slash. It panics at "bomb".
type book struct{}

func (book) Grant(now time.Time, username string) (turn.Grant, bool) {
	if username == "bomb" {
		panic("bomb")
	}
	session, _, _ := strings.Cut(username, "/")
	return turn.Grant{Password: "pw-" + username, Session: session, Expires: now.Add(time.Hour)}, true
}

func (book) Alive(string) bool { return true }

// house is a Server behind a UDP socket and a TCP listener, as a port would be.
type house struct {
	*Server
	t   testing.TB
	udp *net.UDPConn
	tcp net.Listener
}

func open(t testing.TB, cfg Config) *house {
	t.Helper()
	h := &house{t: t}
	var err error
	if h.udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	if h.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	send := func(b []byte, dst netip.AddrPort, _ netip.Addr) { _, _ = h.udp.WriteToUDPAddrPort(b, dst) }
	if !cfg.Engine.Relay4.IsValid() {
		cfg.Engine.Relay4 = netip.MustParseAddr("127.0.0.1")
	}
	if h.Server, err = New(cfg, book{}, send, slog.New(slog.DiscardHandler), rand.Reader); err != nil {
		t.Fatal(err)
	}
	h.SetPort(uint16(h.udp.LocalAddr().(*net.UDPAddr).Port))
	var running sync.WaitGroup
	running.Go(func() {
		b := make([]byte, 65536)
		for {
			n, src, err := h.udp.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			h.HandlePacket(src, netip.Addr{}, b[:n])
		}
	})
	running.Go(func() {
		for {
			c, err := h.tcp.Accept()
			if err != nil {
				return
			}
			running.Go(func() { h.ServeStream(c, false) })
		}
	})
	t.Cleanup(func() {
		h.udp.Close()
		h.tcp.Close()
		h.Close()
		running.Wait()
	})
	return h
}

// client is a TURN client over UDP or TCP.
type client struct {
	t      testing.TB
	conn   net.Conn
	stream bool
	split  turn.Splitter
	user   string
	nonce  []byte
	relay  netip.AddrPort
	ids    uint64
}

func (h *house) client(network, user string) *client {
	h.t.Helper()
	address := h.tcp.Addr().String()
	if network == "udp" {
		address = h.udp.LocalAddr().String()
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &client{t: h.t, conn: conn, stream: network == "tcp", user: user}
}

// next returns the next frame; it fails the test when the connection ends.
func (c *client) next() []byte {
	c.t.Helper()
	b, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func (c *client) read() ([]byte, error) {
	if !c.stream {
		b := make([]byte, 65536)
		n, err := c.conn.Read(b)
		return b[:n], err
	}
	for {
		if f, err := c.split.Next(); f != nil || err != nil {
			return bytes.Clone(f), err
		}
		n, err := c.conn.Read(c.split.Space())
		if err != nil {
			return nil, err
		}
		c.split.Wrote(n)
	}
}

func (c *client) write(b []byte) {
	c.t.Helper()
	for c.stream && len(b)%4 != 0 {
		b = append(b, 0)
	}
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

type attr struct {
	t     stun.AttrType
	value []byte
}

// peerAttr writes an XOR-PEER-ADDRESS exactly as given: an IPv4-mapped address stays one.
func peerAttr(addr netip.AddrPort, id [12]byte) attr {
	mask := binary.BigEndian.AppendUint32(nil, 0x2112A442)
	mask = append(mask, id[:]...)
	family, ip := byte(1), addr.Addr().AsSlice()
	if len(ip) == 16 {
		family = 2
	}
	value := []byte{0, family, byte(addr.Port()>>8) ^ mask[0], byte(addr.Port()) ^ mask[1]}
	for i, b := range ip {
		value = append(value, b^mask[i])
	}
	return attr{stun.AttrXORPeerAddress, value}
}

func (c *client) build(t stun.MessageType, id [12]byte, peer netip.AddrPort, attrs ...attr) *stun.Message {
	m := stun.New()
	m.Type, m.TransactionID = t, id
	m.WriteHeader()
	if peer.IsValid() {
		attrs = append(attrs, peerAttr(peer, id))
	}
	for _, a := range attrs {
		m.Add(a.t, a.value)
	}
	return m
}

func (c *client) id() (id [12]byte) {
	c.ids++
	binary.BigEndian.PutUint64(id[4:], c.ids)
	return id
}

// ask sends a request and returns the code of its answer, 0 for a success. Data that arrive meanwhile are lost.
func (c *client) ask(method stun.Method, peer netip.AddrPort, attrs ...attr) int {
	c.t.Helper()
	for range 2 {
		id := c.id()
		m := c.build(stun.NewType(method, stun.ClassRequest), id, peer, attrs...)
		m.Add(stun.AttrUsername, []byte(c.user))
		m.Add(stun.AttrRealm, []byte("parley"))
		m.Add(stun.AttrNonce, append([]byte{'x'}, c.nonce...)[min(1, len(c.nonce)):])
		if err := stun.NewLongTermIntegrity(c.user, "parley", "pw-"+c.user).AddTo(m); err != nil {
			c.t.Fatal(err)
		}
		c.write(m.Raw)
		answer := stun.New()
		for answer.TransactionID != id {
			if b := c.next(); b[0]&0xC0 == 0 {
				if _, err := answer.Write(b); err != nil {
					c.t.Fatal(err)
				}
			}
		}
		if answer.Type.Class == stun.ClassSuccessResponse {
			if method == stun.MethodAllocate {
				c.learnRelay(answer)
			}
			return 0
		}
		code, err := answer.Get(stun.AttrErrorCode)
		if err != nil {
			c.t.Fatal(err)
		}
		if n := int(code[2])*100 + int(code[3]); n != 438 {
			return n
		}
		nonce, _ := answer.Get(stun.AttrNonce)
		c.nonce = bytes.Clone(nonce)
	}
	c.t.Fatal("stale nonce twice")
	return -1
}

func (c *client) learnRelay(m *stun.Message) {
	c.t.Helper()
	var x stun.XORMappedAddress
	if err := x.GetFromAs(m, stun.AttrXORRelayedAddress); err != nil {
		c.t.Fatal(err)
	}
	ip, _ := netip.AddrFromSlice(x.IP)
	c.relay = netip.AddrPortFrom(ip.Unmap(), uint16(x.Port))
}

func (c *client) allocate(family byte) *client {
	c.t.Helper()
	code := c.ask(stun.MethodAllocate, netip.AddrPort{}, attr{stun.AttrRequestedTransport, []byte{17, 0, 0, 0}},
		attr{stun.AttrRequestedAddressFamily, []byte{family, 0, 0, 0}})
	if code != 0 {
		c.t.Fatalf("allocate: %d", code)
	}
	return c
}

func (c *client) permit(peer netip.AddrPort) int {
	c.t.Helper()
	return c.ask(stun.MethodCreatePermission, peer)
}

func (c *client) bind(number uint16, peer netip.AddrPort) int {
	c.t.Helper()
	return c.ask(stun.MethodChannelBind, peer, attr{stun.AttrChannelNumber, []byte{byte(number >> 8), byte(number), 0, 0}})
}

func (c *client) refresh(seconds uint32) int {
	c.t.Helper()
	return c.ask(stun.MethodRefresh, netip.AddrPort{}, attr{stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, seconds)})
}

func (c *client) send(peer netip.AddrPort, data string) {
	c.t.Helper()
	c.write(c.build(stun.NewType(stun.MethodSend, stun.ClassIndication), c.id(), peer, attr{stun.AttrData, []byte(data)}).Raw)
}

func (c *client) channel(number uint16, data string) {
	c.t.Helper()
	b := binary.BigEndian.AppendUint16(nil, number)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	c.write(append(b, data...))
}

// data returns the payload of the next frame with data.
func (c *client) data() string {
	c.t.Helper()
	for {
		b := c.next()
		if b[0]&0xC0 == 0x40 {
			return fmt.Sprintf("%x:%s", b[:2], b[4:])
		}
		m := stun.New()
		if _, err := m.Write(b); err != nil {
			c.t.Fatal(err)
		}
		if v, err := m.Get(stun.AttrData); err == nil {
			return string(v)
		}
	}
}

// needs skips a test where the machine lacks something, and fails it where it must not.
func needs(t testing.TB, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("CI") == "true":
		t.Fatal("needs " + what)
	default:
		t.Skip("needs " + what)
	}
}

func hasIPv6() bool {
	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		return false
	}
	c.Close()
	return true
}
