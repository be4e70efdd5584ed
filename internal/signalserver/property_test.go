package signalserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestAnyCut plays random games in virtual time: two people write to each other while their sockets are cut at random
// bytes, new ones are opened beside those that still stand, their hellos come in any order, and the server is killed
// and started again on a disk that is slower than they. What each of them has seen in the end is the server's log:
// nothing lost, doubled or reordered.
func TestAnyCut(t *testing.T) {
	games := uint64(60)
	if testing.Short() {
		games = 10
	}
	var cuts, crashes, resets, doubles int64
	for seed := range games {
		synctest.Test(t, func(t *testing.T) {
			g := &cutGame{t: t, random: rand.New(rand.NewPCG(seed, 7)), memory: newMemory(time.Duration(1+seed%40) * time.Millisecond)}
			g.play(60, int(seed%8))
			cuts, crashes, resets, doubles = cuts+g.cuts.Load(), crashes+int64(seed%8), resets+g.resets, doubles+g.twice
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d games: %d cuts, %d crashes, %d sessions taken back after them, %d messages resent over a crash that others had seen", games, cuts, crashes, resets, doubles)
	if want := int64(games) * 17; cuts < want {
		t.Errorf("only %d cuts, fewer than %d", cuts, want)
	}
}

type cutGame struct {
	t      *testing.T
	random *rand.Rand
	memory *memory
	house  atomic.Pointer[house]
	cuts   atomic.Int64
	people []*writer

	resets, twice int64
}

// play has two people write n messages each over as many crashes.
func (g *cutGame) play(n, crashes int) {
	g.house.Store(inMemory(g.t, Config{Version: "quiet", Keeper: g.memory, SessionsPerAddress: 100_000}))
	g.people = []*writer{newWriter(g, "Ann", n), newWriter(g, "Bob", n)}
	done := make(chan error, len(g.people))
	for _, w := range g.people {
		go func() { done <- w.run() }()
	}
	for range crashes {
		time.Sleep(time.Duration(1+g.random.IntN(2000)) * time.Millisecond)
		h := g.house.Load()
		h.crash()
		g.house.Store(inMemory(g.t, h.srv.cfg))
	}
	for range g.people {
		if err := <-done; err != nil {
			g.t.Error(err)
		}
	}
	g.check(n)
}

// check compares what everybody saw with the log.
func (g *cutGame) check(n int) {
	g.memory.mu.Lock()
	var log []string
	sent := map[string]int{}
	for _, x := range g.memory.chats["blue"] {
		k, err := readKept(x.Said)
		if err != nil {
			g.t.Fatal(err)
		}
		log = append(log, k.From+" "+k.ID)
		if sent[k.Name]++; k.ID != fmt.Sprint(sent[k.Name]) {
			g.t.Errorf("the log has %s's message %s as the %dth", k.Name, k.ID, sent[k.Name])
		}
	}
	g.memory.mu.Unlock()
	for _, w := range g.people {
		if sent[w.name] != n {
			g.t.Errorf("%d of %d messages of %s are in the log", sent[w.name], n, w.name)
		}
		if got := w.view(); !slices.Equal(got, log) {
			missing := slices.DeleteFunc(slices.Clone(log), func(k string) bool { return w.seen[k] > 0 })
			g.t.Errorf("%s has not seen %v, or in another order:\n%v, the log is\n%v", w.name, missing, got, log)
		}
		g.resets += w.resets
		g.twice += w.twice
	}
}

// writer is a client that keeps its session up, over sockets and servers that do not last.
type writer struct {
	game   *cutGame
	name   string
	random *rand.Rand
	left   int // messages to write

	seq     signal.Sequence
	unacked []signal.Message // what was sent, in order; the last seq.Unacked() of them are not acknowledged
	session string
	resume  string
	seat    string // its token
	seated  bool
	ws      *websocket.Conn
	old     []*websocket.Conn // given up, but open
	written int
	seen    map[string]uint64 // message → its number in the history, 0 while unsaved

	resets, twice int64
}

func newWriter(g *cutGame, name string, n int) *writer {
	return &writer{game: g, name: name, left: n, random: rand.New(rand.NewPCG(g.random.Uint64(), 1)), seen: map[string]uint64{}}
}

// view lists the messages it has seen, by their places in the history.
func (w *writer) view() []string {
	list := make([]string, 0, len(w.seen))
	for k := range w.seen {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b string) int { return int(w.seen[a]) - int(w.seen[b]) })
	return list
}

func (w *writer) run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	defer w.closeAll()
	for ctx.Err() == nil {
		err := w.step(ctx)
		switch {
		case errors.Is(err, errDone):
			return nil
		case err != nil && w.random.IntN(3) > 0:
			_ = w.ws.CloseNow()
			w.ws = nil
		case err != nil: // the old one may still say something to the server
			w.old, w.ws = append(w.old, w.ws), nil
		}
	}
	return fmt.Errorf("%s: %d written, %d seen, %d unacknowledged: %w", w.name, w.written, len(w.seen), w.seq.Unacked(), ctx.Err())
}

func (w *writer) closeAll() {
	for _, ws := range append(w.old, w.ws) {
		if ws != nil {
			_ = ws.CloseNow()
		}
	}
}

var errDone = errors.New("done")

// step writes something, or reads one frame.
func (w *writer) step(ctx context.Context) error {
	if w.ws == nil {
		time.Sleep(time.Duration(w.random.IntN(300)) * time.Millisecond)
		return w.open(ctx)
	}
	if w.seated && w.left > 0 && w.seq.Unacked() < 6 && w.random.IntN(2) == 0 {
		w.left--
		w.written++
		time.Sleep(time.Duration(w.random.IntN(60)) * time.Millisecond)
		return w.send(ctx, &signal.Chat{ID: fmt.Sprint(w.written), Text: "x"})
	}
	if w.left == 0 && w.seq.Unacked() == 0 && w.all() {
		return errDone
	}
	if w.random.IntN(50) == 0 {
		return errors.New("a new network") // opens a socket beside this one
	}
	return w.read(ctx)
}

// all reports whether everything is seen and safe.
func (w *writer) all() bool {
	for _, seq := range w.seen {
		if seq == 0 {
			return false
		}
	}
	return len(w.seen) == 2*60
}

func (w *writer) send(ctx context.Context, m signal.Message) error {
	b, err := w.seq.Send(m)
	if err != nil {
		w.game.t.Errorf("%s: %v", w.name, err)
		return err
	}
	if signal.Numbered(m.Head().Type) {
		w.unacked = append(w.unacked, m)
		w.unacked = slices.Clone(w.unacked[max(0, len(w.unacked)-1000):])
	}
	return w.ws.Write(ctx, websocket.MessageText, b)
}

// open makes a socket, which lasts for a random number of bytes, and goes on with the session.
func (w *writer) open(ctx context.Context) error {
	h := w.game.house.Load()
	c := h.client(w.game.t)
	c.house = &house{dial: func() (net.Conn, error) {
		conn, err := h.dial()
		if err != nil {
			return nil, err
		}
		short := &shortConn{Conn: conn, cut: &w.game.cuts}
		last := 5000
		if w.random.IntN(4) == 0 {
			last = 60_000 // a whole history gets through at times
		}
		short.left.Store(int64(1 + w.random.IntN(last)))
		return short, nil
	}}
	if _, err := c.tryConnect(signal.Subprotocol); err != nil {
		return nil // try again
	}
	w.ws = c.ws
	hello, err := signal.Encode(&signal.Hello{Client: signal.Client{Name: "test"}, Room: "blue", Resume: w.resume, Received: w.seq.Received()})
	if err != nil {
		return err
	}
	if err := w.ws.Write(ctx, websocket.MessageText, hello); err != nil {
		return err
	}
	if w.random.IntN(10) == 0 {
		return errors.New("impatient") // another hello overtakes this one
	}
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, b, err := w.ws.Read(short)
	if err != nil {
		return err
	}
	m, _ := signal.Decode(b, signal.FromServer)
	welcome, ok := m.(*signal.Welcome)
	if !ok {
		return fmt.Errorf("no welcome but %s", b)
	}
	return w.welcomed(ctx, welcome)
}

func (w *writer) welcomed(ctx context.Context, m *signal.Welcome) error {
	if w.session != "" && m.Session != w.session {
		w.game.t.Errorf("%s lost the session: %+v", w.name, m)
	}
	w.resume = m.Resume
	switch {
	case m.Resumed:
		pending, err := w.seq.Resume(m.Received)
		if err != nil {
			w.game.t.Errorf("%s: %v", w.name, err)
			return err
		}
		for _, b := range pending {
			if err := w.ws.Write(ctx, websocket.MessageText, b); err != nil {
				return err
			}
		}
		return nil
	case m.Reset:
		w.resets++
	}
	w.session = m.Session
	again := w.unacked[len(w.unacked)-w.seq.Unacked():]
	w.seq, w.unacked = signal.Sequence{}, nil
	// From here on everything is in the sequence, whether it can be written to this socket or not.
	err := w.send(ctx, &signal.Join{Name: w.name, Seat: w.seat})
	for _, x := range again {
		if c, ok := x.(*signal.Chat); ok { // joined brings the history anew
			err = errors.Join(err, w.send(ctx, &signal.Chat{ID: c.ID, Text: c.Text}))
		}
	}
	return err
}

// read takes one frame, or acknowledges after a while without.
func (w *writer) read(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if w.seq.AckDue(time.Now()) {
		if err := w.send(ctx, &signal.Ack{}); err != nil {
			return err
		}
	}
	_, b, err := w.ws.Read(short)
	if err != nil {
		return err
	}
	m, fault := signal.Decode(b, signal.FromServer)
	if fault != nil {
		w.game.t.Errorf("%s: %s", b, fault.Words)
		return nil
	}
	fresh, err := w.seq.Receive(time.Now(), m.Head())
	if err != nil {
		w.game.t.Errorf("%s got %s: %v", w.name, b, err)
		return err
	}
	if fresh {
		return w.take(ctx, m, b)
	}
	return nil
}

// take looks at a message that is new.
func (w *writer) take(ctx context.Context, m signal.Message, b []byte) error {
	switch m := m.(type) {
	case *signal.Joined:
		w.seat, w.seated = m.Token, true
	case *signal.Chat:
		key := m.From + " " + m.ID
		seq, known := w.seen[key]
		switch {
		case known && m.Name != w.name && seq > 0:
			w.game.t.Errorf("%s got %s twice", w.name, b)
		case known && m.Name != w.name:
			w.twice++ // it was not safe when the server died
		}
		w.seen[key] = max(seq, m.Seq)
	case *signal.ChatSaved:
		w.place(m.From+" "+m.ID, m.Seq)
	case *signal.HistoryAnswer:
		for _, k := range m.Messages {
			w.place(k.From+" "+k.ID, k.Seq)
		}
		if m.More { // older ones may have got lost too
			return w.send(ctx, &signal.HistoryAsk{Before: m.Messages[0].Seq})
		}
	case *signal.Error, *signal.Bye, *signal.Left:
		w.game.t.Errorf("%s got %s", w.name, b)
	}
	return nil
}

// place notes a message's place in the history, which never changes.
func (w *writer) place(key string, seq uint64) {
	if old := w.seen[key]; old != 0 && old != seq {
		w.game.t.Errorf("%s: %s was number %d and is %d", w.name, key, old, seq)
	}
	w.seen[key] = seq
}
