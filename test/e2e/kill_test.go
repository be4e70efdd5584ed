package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/server"
	"github.com/parley-rtc/parley/internal/signal"
	parley "github.com/parley-rtc/parley/sdk"
)

// serveChild makes the test program be a server: "LISTEN DATA". It ends when it is killed.
const serveChild = "PARLEY_E2E_SERVE"

// serveForEver is the child.
func serveForEver(listen, data string) error {
	loaded, err := config.Load(config.Sources{Flags: map[string]string{"listen": listen, "data": data}})
	if err != nil {
		return err
	}
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>page</title>")}}
	s, err := server.Open(context.Background(), server.Config{Config: loaded.Config, Version: "test"}, page, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, s.Info().Listen)
	return s.Run(context.Background())
}

// child is a server in a process of its own.
type child struct {
	cmd    *exec.Cmd
	listen string
}

func startChild(t *testing.T, listen, data string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), serveChild+"="+listen+" "+data)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the server does not start:", err)
	}
	c.listen = strings.TrimSpace(line)
	return c
}

// kill ends the process with SIGKILL.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // killed, or waited for before
}

// caller is a raw client that writes message after message, through whatever happens to the server.
type caller struct {
	name, url string
	messages  int
	back      chan time.Time // when it sat on its seat again after a restart

	ws      *websocket.Conn
	frames  chan []byte // what comes on ws; closed when it ends
	tick    *time.Ticker
	seq     signal.Sequence
	sent    []signal.Message
	session string
	resume  string
	seat    string // its id
	token   string
	written int
	idle    bool // its newest message came back
	seen    map[string]uint64
	resets  int
	again   int // messages that were sent again after a reset
}

func (c *caller) run(ctx context.Context) error {
	defer func() {
		if c.ws != nil {
			_ = c.ws.CloseNow()
		}
	}()
	c.tick = time.NewTicker(10 * time.Millisecond) // of its messages, and of new sockets
	defer c.tick.Stop()
	for ctx.Err() == nil {
		if c.ws == nil {
			if err := c.open(ctx); err != nil {
				c.ws = nil
				select {
				case <-c.tick.C:
				case <-ctx.Done():
				}
				continue
			}
		}
		if c.finished() {
			return nil
		}
		err := c.step(ctx)
		if bad := (*fault)(nil); errors.As(err, &bad) {
			return err
		}
		if err != nil {
			_ = c.ws.CloseNow()
			c.ws = nil
		}
	}
	return fmt.Errorf("%s: %d written, %d seen: %w", c.name, c.written, len(c.seen), ctx.Err())
}

// fault is something that must not happen.
type fault struct{ words string }

func (f *fault) Error() string { return f.words }

func (c *caller) fault(format string, v ...any) error {
	return &fault{c.name + ": " + fmt.Sprintf(format, v...)}
}

func (c *caller) finished() bool {
	for _, seq := range c.seen {
		if seq == 0 {
			return false
		}
	}
	return c.written == c.messages && len(c.seen) == 2*c.messages && c.seq.Unacked() == 0
}

func (c *caller) send(ctx context.Context, m signal.Message) error {
	b, err := c.seq.Send(m)
	if err != nil {
		return c.fault("%v", err)
	}
	if signal.Numbered(m.Head().Type) {
		c.sent = append(c.sent, m)
	}
	return c.ws.Write(ctx, websocket.MessageText, b)
}

func (c *caller) open(ctx context.Context) error {
	ws, _, err := websocket.Dial(ctx, c.url, &websocket.DialOptions{Subprotocols: []string{signal.Subprotocol}})
	if err != nil {
		return err
	}
	ws.SetReadLimit(-1)
	c.ws = ws
	hello, err := signal.Encode(&signal.Hello{Client: signal.Client{Name: "test"}, Room: "blue", Resume: c.resume, Received: c.seq.Received()})
	if err != nil {
		return err
	}
	if err := ws.Write(ctx, websocket.MessageText, hello); err != nil {
		return err
	}
	_, b, err := ws.Read(ctx)
	if err != nil {
		return err
	}
	m, _ := signal.Decode(b, signal.FromServer)
	w, ok := m.(*signal.Welcome)
	if !ok || c.session != "" && (w.Session != c.session || !w.Reset && !w.Resumed) {
		return c.fault("after hello came %s", b)
	}
	c.session, c.resume = w.Session, w.Resume
	c.frames = make(chan []byte, 4096) // more than ever waits: the pump ends with its socket
	go pump(ctx, ws, c.frames)
	return c.welcomed(ctx, w)
}

// pump reads until the socket ends.
func pump(ctx context.Context, ws *websocket.Conn, frames chan<- []byte) {
	defer close(frames)
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			return
		}
		frames <- b
	}
}

func (c *caller) welcomed(ctx context.Context, w *signal.Welcome) error {
	if w.Resumed {
		pending, err := c.seq.Resume(w.Received)
		for _, b := range pending {
			err = errors.Join(err, c.ws.Write(ctx, websocket.MessageText, b))
		}
		return err
	}
	if w.Reset {
		c.resets++
		at := slices.IndexFunc(w.Room.Seats, func(x signal.Seat) bool { return x.ID == c.seat })
		if at < 0 || w.Room.Seats[at].State != signal.SeatPresent || w.Room.Seats[at].Session != c.session {
			return c.fault("the seat is not there: %+v", w.Room.Seats)
		}
		c.back <- time.Now()
	}
	again := c.sent[len(c.sent)-c.seq.Unacked():]
	c.seq, c.sent = signal.Sequence{}, nil
	err := c.send(ctx, &signal.Join{Name: c.name, Seat: c.token})
	for _, x := range again {
		if m, ok := x.(*signal.Chat); ok {
			c.again++
			err = errors.Join(err, c.send(ctx, &signal.Chat{ID: m.ID, Text: m.Text}))
		}
	}
	return err
}

func (c *caller) step(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.tick.C:
		if !c.idle || c.written == c.messages {
			return nil
		}
		c.idle = false
		c.written++
		return c.send(ctx, &signal.Chat{ID: fmt.Sprint(c.written), Text: "x"})
	case b, ok := <-c.frames:
		if !ok {
			return io.ErrUnexpectedEOF
		}
		return c.hear(ctx, b)
	}
}

// hear takes a frame.
func (c *caller) hear(ctx context.Context, b []byte) error {
	m, bad := signal.Decode(b, signal.FromServer)
	if bad != nil {
		return c.fault("%s: %s", b, bad.Words)
	}
	fresh, err := c.seq.Receive(time.Now(), m.Head())
	if err != nil {
		return c.fault("%s: %v", b, err)
	}
	if !fresh {
		return nil
	}
	switch m := m.(type) {
	case *signal.Joined:
		if c.seat != "" && c.seat != m.Seat {
			return c.fault("another seat: %s", b)
		}
		c.seat, c.token, c.idle = m.Seat, m.Token, true
	case *signal.Chat:
		key := m.Name + " " + m.ID
		if c.seen[key] > 0 && m.Name != c.name {
			return c.fault("twice: %s", b)
		}
		c.seen[key] = max(c.seen[key], m.Seq)
		c.idle = c.idle || m.Name == c.name && m.ID == fmt.Sprint(c.written)
	case *signal.ChatSaved:
		name := c.name
		if m.From != c.seat {
			name = map[string]string{"Ann": "Bob", "Bob": "Ann"}[c.name]
		}
		c.seen[name+" "+m.ID] = m.Seq
	case *signal.HistoryAnswer:
		for _, k := range m.Messages {
			c.seen[k.Name+" "+k.ID] = k.Seq
		}
		if m.More && m.Messages[0].Seq > 1 {
			return c.send(ctx, &signal.HistoryAsk{Before: m.Messages[0].Seq})
		}
	case *signal.Error, *signal.Bye, *signal.Left:
		return c.fault("got %s", b)
	}
	if c.seq.AckDue(time.Now()) {
		return c.send(ctx, &signal.Ack{})
	}
	return nil
}

// TestKill kills the server with SIGKILL in the middle of a conversation, and starts it again on the same port and data
// directory: sessions and seats are what they were, and of the messages none is lost or doubled.
func TestKill(t *testing.T) {
	t.Parallel()
	const kills, messages = 5, 250
	data := t.TempDir()
	c := startChild(t, "127.0.0.1:0", data)
	listen := c.listen
	ctx, cancel := context.WithCancel(t.Context()) // each step has its own time below: how long all of it takes says nothing
	defer cancel()
	people := make([]*caller, 2)
	ended := make(chan error, 2)
	for i, name := range []string{"Ann", "Bob"} {
		people[i] = &caller{
			name: name, url: "ws://" + strings.Replace(listen, "127.0.0.1", "localhost", 1) + "/ws", messages: messages,
			back: make(chan time.Time, 2*kills), seen: map[string]uint64{},
		}
		go func() { ended <- people[i].run(ctx) }()
	}
	var down, restart []time.Duration
	for k := range kills {
		pause := time.NewTimer(time.Duration(150+70*k) * time.Millisecond) // somewhere in the conversation
		<-pause.C
		died := time.Now()
		c.kill()
		c = startChild(t, listen, data)
		restart = append(restart, time.Since(died).Round(time.Millisecond))
		limit := time.NewTimer(patience)
		for _, p := range people {
			select {
			case at := <-p.back:
				down = append(down, at.Sub(died).Round(time.Millisecond))
			case err := <-ended:
				t.Fatal("ended early: ", err)
			case <-limit.C:
				t.Fatal(p.name, " did not come back")
			}
		}
		limit.Stop()
	}
	for range people {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(4 * patience):
			t.Fatal("the conversation does not end")
		}
	}
	checkCallers(t, people, messages)
	slices.Sort(down)
	t.Logf("%d kills: the server was back after %v; on their seats again, from the kill on: median %v, slowest %v; %d messages of %d were sent again after a restart",
		kills, restart, down[len(down)/2], down[len(down)-1], people[0].again+people[1].again, 2*messages)
}

// checkCallers compares what both have seen.
func checkCallers(t *testing.T, people []*caller, messages int) {
	t.Helper()
	places := map[uint64]string{}
	for key, seq := range people[0].seen {
		if other := people[1].seen[key]; other != seq {
			t.Errorf("%s is number %d for one and %d for the other", key, seq, other)
		}
		if places[seq] != "" {
			t.Errorf("%s and %s are both number %d", key, places[seq], seq)
		}
		places[seq] = key
	}
	for _, p := range people {
		last := uint64(0)
		for i := 1; i <= messages; i++ {
			seq := p.seen[fmt.Sprint(p.name, " ", i)]
			if seq <= last {
				t.Errorf("message %d of %s is number %d, after %d", i, p.name, seq, last)
			}
			last = seq
		}
	}
}

// TestKillNoStore: a data directory whose store cannot be opened stops no call.
func TestKillNoStore(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(data+"/store", []byte("not a directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, stop := startHouse(t, "127.0.0.1:0", data, nil)
	t.Cleanup(func() { h.Close(); stop() })
	a, b := join(t, h.link("blue"), "Ann"), join(t, h.link("blue"), "Bob")
	if _, err := a.Chat(wait(t), "still here"); err != nil {
		t.Fatal(err)
	}
	if e := until[parley.Chat](b, nil); e.Text != "still here" {
		t.Errorf("%+v", e)
	}
}
