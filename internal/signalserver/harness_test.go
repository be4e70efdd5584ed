package signalserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come. In virtual time it costs nothing.
const patience = 20 * time.Second

// fakeICE hands out one server; a session whose Host is "panic" finds our fault.
type fakeICE struct{}

func (fakeICE) Servers(session, host string, now time.Time) *signal.ICEServers {
	if host == "panic" {
		panic("a fault of ours")
	}
	return &signal.ICEServers{
		Servers: []signal.ICEServer{{URLs: []string{"stun:" + host}, Username: session}},
		Expires: now.Add(time.Hour).UnixMilli(),
	}
}

// house is a server under test and the way to it.
type house struct {
	t    testing.TB
	srv  *Server
	keys *auth.Keys
	dial func() (net.Conn, error)
}

// testLog writes warnings and faults to the test's log, unless want says that they belong to it.
func testLog(quiet bool) *slog.Logger {
	if quiet {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// newHouse serves on a listener until the test ends.
func newHouse(t testing.TB, cfg Config, l net.Listener, dial func() (net.Conn, error)) *house {
	keys := auth.NewKeys(bytes.Repeat([]byte{7}, auth.MasterSize))
	srv, err := New(cfg, keys, fakeICE{}, testLog(cfg.Version == "quiet"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h := &http.Server{Handler: srv.Handler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		srv.Drain(ctx)
		_ = h.Close()
		<-served
	})
	return &house{t: t, srv: srv, keys: keys, dial: dial}
}

// onLoopback is a house on a real TCP socket.
func onLoopback(t testing.TB, cfg Config) *house {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newHouse(t, cfg, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
}

// inMemory is a house on pipes, for virtual time.
func inMemory(t testing.TB, cfg Config) *house {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	return newHouse(t, cfg, l, l.dial)
}

// pipeListener is a net.Listener of net.Pipe connections that say they are on loopback.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial() (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case l.conns <- &loopbackConn{b}:
		return &loopbackConn{a}, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return loopbackAddr }

var loopbackAddr = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:1"))

type loopbackConn struct{ net.Conn }

func (loopbackConn) LocalAddr() net.Addr  { return loopbackAddr }
func (loopbackConn) RemoteAddr() net.Addr { return loopbackAddr }

// client is one end of a session, driven by a test. It acknowledges with whatever it sends.
type client struct {
	t       testing.TB
	house   *house
	ws      *websocket.Conn
	conn    net.Conn
	seq     signal.Sequence
	welcome *signal.Welcome
	header  http.Header
	host    string
	wait    time.Duration // for the next message; 0 means patience
}

func (h *house) client(t testing.TB) *client {
	return &client{t: t, house: h, header: http.Header{}, host: "localhost"}
}

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// connect opens a socket.
func (c *client) connect() *client {
	c.t.Helper()
	if _, err := c.tryConnect(signal.Subprotocol); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(c.close)
	return c
}

func (c *client) tryConnect(protocols ...string) (*http.Response, error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		conn, err := c.house.dial()
		c.conn = conn
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	ctx, cancel := within()
	defer cancel()
	ws, resp, err := websocket.Dial(ctx, "ws://"+c.host+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: c.header, Subprotocols: protocols,
	})
	if err != nil {
		return resp, err
	}
	ws.SetReadLimit(-1)
	c.ws = ws
	return resp, nil
}

func (c *client) close() { _ = c.ws.CloseNow() }

// raw sends text as it is.
func (c *client) raw(text string) {
	c.t.Helper()
	ctx, cancel := within()
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// send numbers and sends a message, and returns its number.
func (c *client) send(m signal.Message) uint64 {
	c.t.Helper()
	b, err := c.seq.Send(m)
	if err != nil {
		c.t.Fatal(err)
	}
	c.raw(string(b))
	return m.Head().N
}

// burn sends text as the message with the next number.
func (c *client) burn(text string) {
	c.t.Helper()
	if _, err := c.seq.Send(&signal.Leave{}); err != nil {
		c.t.Fatal(err)
	}
	c.raw(text)
}

// listen drops whatever comes until the socket ends.
func (c *client) listen() {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			if _, _, err := c.ws.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	c.t.Cleanup(func() { c.close(); <-stopped })
}

// hello says hello and waits for welcome.
func (c *client) hello(h signal.Hello) *client {
	c.t.Helper()
	h.Client.Name = "test"
	b, err := signal.Encode(&h)
	if err != nil {
		c.t.Fatal(err)
	}
	c.raw(string(b))
	c.welcome = next[*signal.Welcome](c)
	if !c.welcome.Resumed {
		c.seq = signal.Sequence{}
	}
	return c
}

// enter connects and says hello in a room.
func (h *house) enter(t testing.TB, room string) *client {
	t.Helper()
	return h.client(t).connect().hello(signal.Hello{Room: room})
}

// join takes a seat.
func (c *client) join(name string) *signal.Joined {
	c.t.Helper()
	c.send(&signal.Join{Name: name})
	return next[*signal.Joined](c)
}

// resume connects anew and goes on with the session. It returns what it has to send again.
func (c *client) again() *client {
	d := c.house.client(c.t)
	d.header, d.host, d.seq = c.header, c.host, c.seq
	return d.connect()
}

// read returns the next message that is not an acknowledgement, or nil and why the socket ended.
func (c *client) read() (signal.Message, error) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(c.wait, patience))
		_, b, err := c.ws.Read(ctx)
		cancel()
		if err != nil {
			return nil, err
		}
		m, fault := signal.Decode(b, signal.FromServer)
		if fault != nil {
			c.t.Fatalf("the server sent %s: %s", b, fault.Words)
		}
		fresh, err := c.seq.Receive(time.Now(), m.Head())
		if err != nil {
			c.t.Fatal(err)
		}
		if _, ack := m.(*signal.Ack); ack || signal.Numbered(m.Head().Type) && !fresh && m.Head().N != 0 {
			continue
		}
		return m, nil
	}
}

// next returns the next message, which must be an M.
func next[M signal.Message](c *client) M {
	c.t.Helper()
	m, err := c.read()
	if err != nil {
		c.t.Fatalf("the socket ended: %v", err)
	}
	want, ok := m.(M)
	if !ok {
		text, _ := signal.Encode(m)
		c.t.Fatalf("got %s", text)
	}
	return want
}

// skipTo returns the next M and drops what comes before.
func skipTo[M signal.Message](c *client) M {
	c.t.Helper()
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatalf("the socket ended: %v", err)
		}
		if want, ok := m.(M); ok {
			return want
		}
	}
}

// ended waits for the end of the socket and returns its close code, -1 for none.
func (c *client) ended() websocket.StatusCode {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				c.t.Fatal("the socket does not end")
			}
			return websocket.CloseStatus(err)
		}
	}
}

// refused sends m and expects it to be refused with code.
func (c *client) refused(m signal.Message, code signal.Code) {
	c.t.Helper()
	n := c.send(m)
	if e := skipTo[*signal.Error](c); e.Code != code || e.Re != n {
		c.t.Fatalf("got %s re %d (%s), want %s re %d", e.Code, e.Re, e.Words, code, n)
	}
}
