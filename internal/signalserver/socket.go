package signalserver

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

// Limits of reading.
const (
	// discardLimit is the longest message in bytes that is read to its end and answered; a longer one closes the socket
	// with status 1009.
	discardLimit = 4 << 20
	// largeAtOnce is how many messages over MaxMessage are read at the same time: a bound on memory.
	largeAtOnce = 64
	// largeTimeout is how long one of them may take to arrive.
	largeTimeout = 15 * time.Second
	// helloTries is how many messages a socket may spend on a hello that can be read.
	helloTries = 3
	// maxControls is how many WebSocket pings and pongs may come between two messages.
	maxControls = 100
)

var (
	errFlood = errors.New("signalserver: too many messages")
	errHello = errors.New("signalserver: no hello")
)

// socket is one WebSocket. Its reader goroutine is run; see the fields for who owns what.
type socket struct {
	server *Server
	from   origin
	serial uint64
	ws     *websocket.Conn
	conn   net.Conn // below ws, for deadlines

	shard *shard        // the reader's own: the session's owner, from hello on
	lull  time.Duration // the reader's own: how long the socket may be silent

	bucket   atomic.Pointer[bucket] // the session's, from welcome on
	controls atomic.Int32           // WebSocket pings and pongs since the last message

	session *session // the shard's own; nil before hello is answered and after goodbye

	outbox
}

// run reads until the socket ends.
func (k *socket) run() {
	err := k.readAll()
	flood := errors.Is(err, errFlood)
	switch {
	case k.shard != nil && flood:
		k.shard.do(command{kind: cmdFlood, socket: k})
	case k.shard != nil:
		k.shard.do(command{kind: cmdLost, socket: k, closed: websocket.CloseStatus(err) >= 0})
	case flood:
		k.bye(goodbyeForFlood())
	case errors.Is(err, errHello):
		k.finish()
	}
	if flood || errors.Is(err, errHello) {
		k.linger()
	}
	_ = k.ws.CloseNow()
	k.server.limits.conns.give(k.from.address)
	k.server.sockets.remove(k)
}

// readAll hands every message to the session's owner. A panic is ours, and costs this socket only.
func (k *socket) readAll() (err error) {
	defer func() {
		if p := recover(); p != nil {
			k.server.log.Error("reading a message failed", "panic", p, "stack", string(debug.Stack()))
			err = errors.New("signalserver: fault")
		}
	}()
	k.patience(signal.HelloTimeout)
	for tries := 0; ; {
		b, fault, err := k.read()
		if err != nil {
			return err
		}
		if !k.bucket.Load().take(time.Now(), len(b)) {
			return errFlood
		}
		k.controls.Store(0)
		var m signal.Message
		if fault == nil {
			m, fault = signal.Decode(b, signal.FromClient)
		}
		if k.shard == nil && !k.hello(m, fault) {
			if tries++; tries == helloTries {
				return errHello
			}
			continue
		}
		if p, ok := m.(*signal.Ping); ok {
			k.lull = k.server.lull(p.Every)
		}
		k.obey(m, fault)
		k.patience(k.lull)
	}
}

// hello finds the session's owner, or answers a first message that is no hello.
func (k *socket) hello(m signal.Message, fault *signal.Error) bool {
	if h, ok := m.(*signal.Hello); ok {
		k.shard = k.server.shard(h.Room)
		k.lull = k.server.lull(0)
		return true
	}
	if fault == nil {
		fault = &signal.Error{Code: signal.CodeOrder, Words: "say hello first"}
	}
	k.send(fault)
	return false
}

func (k *socket) obey(m signal.Message, fault *signal.Error) {
	c := command{kind: cmdMessage, socket: k, message: m}
	if fault != nil {
		c = command{kind: cmdFault, socket: k, message: fault}
	}
	k.shard.do(c)
}

// read returns the next message, or the error to answer it with. Its size is bounded before it is parsed.
func (k *socket) read() ([]byte, *signal.Error, error) {
	kind, r, err := k.ws.Reader(context.Background())
	if err != nil {
		return nil, nil, err
	}
	b, err := k.readUpTo(r, nil, signal.MaxMessage)
	if err != nil {
		return nil, nil, err
	}
	var fault *signal.Error
	if len(b) > signal.MaxMessage {
		b, fault, err = k.readLarge(r, b)
	}
	if kind != websocket.MessageText && fault == nil {
		fault = &signal.Error{Code: signal.CodeMalformed, Words: "binary messages are not understood; send text"}
	}
	return b, fault, err
}

// readLarge goes on with a message that is longer than MaxMessage: descriptions may be.
func (k *socket) readLarge(r io.Reader, b []byte) ([]byte, *signal.Error, error) {
	k.patience(largeTimeout)
	if t := signal.PeekType(b); t == signal.TypeOffer || t == signal.TypeAnswer {
		timer := time.NewTimer(largeTimeout)
		defer timer.Stop()
		select {
		case k.server.limits.large <- struct{}{}:
			defer func() { <-k.server.limits.large }()
		case <-timer.C:
			return nil, nil, errors.New("signalserver: too many large messages at once")
		}
		var err error
		if b, err = k.readUpTo(r, b, signal.MaxDescription); err != nil {
			return nil, nil, err
		}
		if len(b) <= signal.MaxDescription {
			return b, nil, nil
		}
	}
	fault := signal.TooLarge(b)
	n, err := io.Copy(io.Discard, r)
	if !k.bucket.Load().take(time.Now(), int(n)) {
		err = errFlood
	}
	return b, fault, err
}

// readUpTo appends to b until the end, or until b is longer than limit. A message on its way is no silence, as long as
// it comes within the usual time.
func (k *socket) readUpTo(r io.Reader, b []byte, limit int) ([]byte, error) {
	if b == nil {
		b = make([]byte, 0, readBuffer)
	}
	for len(b) <= limit {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):min(cap(b), limit+1)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if len(b) > readBuffer && len(b) <= signal.MaxMessage && k.shard != nil && k.lull < k.server.lull(0) {
			k.patience(k.server.lull(0))
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// control bounds WebSocket pings and pongs, which the library answers by itself, between two messages.
func (k *socket) control(context.Context, []byte) bool {
	if k.controls.Add(1) > maxControls {
		k.cut()
		return false
	}
	return true
}

func (k *socket) controlPong(ctx context.Context, b []byte) { k.control(ctx, b) }

// sockets is the set of all sockets.
type sockets struct {
	mu     sync.Mutex
	set    map[*socket]struct{}
	serial uint64
	empty  chan struct{} // not nil once no more are let in; closed when the last is gone
}

// add lets a socket in, or returns false when no more are.
func (s *sockets) add(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.empty != nil {
		return false
	}
	if s.set == nil {
		s.set = map[*socket]struct{}{}
	}
	s.serial++
	k.serial = s.serial
	s.set[k] = struct{}{}
	return true
}

func (s *sockets) remove(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.set, k)
	if s.empty != nil && len(s.set) == 0 {
		close(s.empty)
	}
}

func (s *sockets) all() []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*socket, 0, len(s.set))
	for k := range s.set {
		list = append(list, k)
	}
	return list
}

// gone lets no more sockets in and returns a channel that is closed when all are gone.
func (s *sockets) gone() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.empty == nil {
		s.empty = make(chan struct{})
		if len(s.set) == 0 {
			close(s.empty)
		}
	}
	return s.empty
}
