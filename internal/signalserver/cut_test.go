package signalserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestCuts has two people chat while their sockets are cut at random bytes: nothing is lost, doubled or reordered.
func TestCuts(t *testing.T) {
	t.Run("sockets", func(t *testing.T) {
		chatWithCuts(t, onLoopback(t, Config{}), cutPlan{chats: 400, bytes: 4500, pause: 0, cuts: 100})
	})
	t.Run("virtual time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			chatWithCuts(t, inMemory(t, Config{}), cutPlan{chats: 3000, bytes: 9000, pause: 30 * time.Millisecond, cuts: 400})
		})
	})
}

// cutPlan is how two people chat.
type cutPlan struct {
	chats int           // from each of them
	bytes int           // that a socket lasts at most
	pause time.Duration // before each chat, to stay below the flood limit
	cuts  int64         // that have to happen for the test to mean something
}

func chatWithCuts(t *testing.T, h *house, plan cutPlan) {
	var cuts atomic.Int64
	a, b := newTalker(t, h, "Ann", 1, plan, &cuts), newTalker(t, h, "Bob", 2, plan, &cuts)
	done := make(chan error, 2)
	for _, k := range []*talker{a, b} {
		go func() { done <- k.talk() }()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if cuts.Load() < plan.cuts {
		t.Errorf("only %d cuts", cuts.Load())
	}
	t.Logf("%d chats to two people over %d cuts, %d of them before or in welcome", 2*plan.chats, cuts.Load(), a.early+b.early)
}

// talker is a client that keeps a session up over sockets that do not last.
type talker struct {
	t      *testing.T
	house  *house
	name   string
	plan   cutPlan
	random *rand.Rand
	cuts   *atomic.Int64

	seq     signal.Sequence
	session string
	resume  string
	conn    *shortConn
	ws      *websocket.Conn
	early   int // sockets that ended before welcome

	both bool           // the other has joined
	sent int            // chats
	seen map[string]int // seat → newest chat
}

// shortConn ends after a number of bytes, in the middle of whatever they are.
type shortConn struct {
	net.Conn
	left atomic.Int64
	cut  *atomic.Int64
}

func (c *shortConn) spend(n int) {
	if before := c.left.Add(int64(-n)); before <= 0 && before+int64(n) > 0 {
		c.cut.Add(1)
		c.Conn.Close()
	}
}

func (c *shortConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.spend(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // see truncated
	}
	return n, err
}

func (c *shortConn) Write(b []byte) (int, error) {
	if left := c.left.Load(); int64(len(b)) >= left && left > 0 {
		n, _ := c.Conn.Write(b[:left])
		c.spend(n)
		return n, net.ErrClosed
	}
	n, err := c.Conn.Write(b)
	c.spend(n)
	return n, err
}

func newTalker(t *testing.T, h *house, name string, seed uint64, plan cutPlan, cuts *atomic.Int64) *talker {
	return &talker{t: t, house: h, name: name, plan: plan, random: rand.New(rand.NewPCG(seed, seed)), cuts: cuts, seen: map[string]int{}}
}

// open makes a socket and resumes, as often as it takes.
func (k *talker) open(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if k.tryOpen(ctx) == nil {
			return nil
		}
		k.early++
	}
}

func (k *talker) tryOpen(ctx context.Context) error {
	c := k.house.client(k.t)
	dial := c.house.dial
	c.house = &house{dial: func() (net.Conn, error) {
		conn, err := dial()
		if err != nil {
			return nil, err
		}
		k.conn = &shortConn{Conn: conn, cut: k.cuts}
		k.conn.left.Store(int64(1 + k.random.IntN(k.plan.bytes)))
		return k.conn, nil
	}}
	if _, err := c.tryConnect(signal.Subprotocol); err != nil {
		return err
	}
	k.ws = c.ws
	hello, err := signal.Encode(&signal.Hello{Client: signal.Client{Name: "test"}, Room: "blue", Resume: k.resume, Received: k.seq.Received()})
	if err != nil {
		return err
	}
	if err := k.ws.Write(ctx, websocket.MessageText, hello); err != nil {
		return err
	}
	_, b, err := k.ws.Read(ctx)
	if err != nil {
		return err
	}
	m, fault := signal.Decode(b, signal.FromServer)
	w, ok := m.(*signal.Welcome)
	if fault != nil || !ok {
		return fmt.Errorf("no welcome but %s", b)
	}
	return k.welcomed(ctx, w)
}

func (k *talker) welcomed(ctx context.Context, w *signal.Welcome) error {
	if !w.Resumed && k.session != "" {
		k.t.Errorf("%s lost the session after %d chats", k.name, k.sent)
	}
	k.resume = w.Resume
	if !w.Resumed {
		k.session, k.seq = w.Session, signal.Sequence{}
		return k.send(ctx, &signal.Join{Name: k.name})
	}
	pending, err := k.seq.Resume(w.Received)
	if err != nil {
		return err
	}
	for _, b := range pending {
		if err := k.ws.Write(ctx, websocket.MessageText, b); err != nil {
			return err
		}
	}
	return nil
}

func (k *talker) send(ctx context.Context, m signal.Message) error {
	b, err := k.seq.Send(m)
	if err != nil {
		k.t.Error(err)
		return err
	}
	return k.ws.Write(ctx, websocket.MessageText, b)
}

// talk sends its chats and returns when it has seen everybody's, each once and in order.
func (k *talker) talk() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := k.open(ctx); err != nil {
		return err
	}
	defer func() { _ = k.ws.CloseNow() }()
	for !k.complete() || k.seq.Unacked() > 0 {
		err := k.write(ctx)
		if err == nil {
			err = k.read(ctx)
		}
		if err != nil {
			_ = k.ws.CloseNow()
			if err := k.open(ctx); err != nil {
				return fmt.Errorf("%s has seen %v: %w", k.name, k.seen, err)
			}
		}
	}
	return nil
}

func (k *talker) complete() bool {
	for _, seen := range k.seen {
		if seen < k.plan.chats {
			return false
		}
	}
	return len(k.seen) == 2
}

// write keeps a few chats on the way, and acknowledges.
func (k *talker) write(ctx context.Context) error {
	for k.both && k.sent < k.plan.chats && k.seq.Unacked() < 8 {
		time.Sleep(k.plan.pause) // in virtual time
		k.sent++
		if err := k.send(ctx, &signal.Chat{ID: strconv.Itoa(k.sent), Text: strconv.Itoa(k.sent)}); err != nil {
			return err
		}
	}
	if k.seq.AckDue(time.Now()) {
		return k.send(ctx, &signal.Ack{})
	}
	return nil
}

// read takes one frame; a wait without any is an occasion to acknowledge.
func (k *talker) read(ctx context.Context) error {
	_, b, err := k.ws.Read(ctx)
	if err != nil {
		return err
	}
	m, fault := signal.Decode(b, signal.FromServer)
	if fault != nil {
		k.t.Errorf("%s: %s", b, fault.Words)
		return nil
	}
	fresh, err := k.seq.Receive(time.Now(), m.Head())
	if err != nil {
		k.t.Error(err)
		return err
	}
	if !fresh && signal.Numbered(m.Head().Type) {
		return nil
	}
	switch m := m.(type) {
	case *signal.Chat:
		if m.Text != strconv.Itoa(k.seen[m.From]+1) {
			k.t.Errorf("%s got %s after %d from %s", k.name, m.Text, k.seen[m.From], m.Name)
		}
		k.seen[m.From]++
	case *signal.Joined:
		k.both = k.both || len(m.Room.Seats) == 2
	case *signal.SeatChange:
		k.both = true
	case *signal.Error, *signal.Left, *signal.Bye:
		k.t.Errorf("%s got %s", k.name, b)
	}
	return nil
}
