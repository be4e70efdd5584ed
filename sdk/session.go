package parley

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 10 * time.Second
	bye        = 2 * time.Second // how long a goodbye may take
	idle       = 24 * time.Hour  // no deadline
)

// session is the signalling session: it outlives its sockets.
type session struct {
	connect   func(context.Context) (*socket, error)
	sequence  signal.Sequence
	sent      uint64 // the newest number we gave
	sock      *socket
	greeted   bool   // welcome came on this socket
	dialing   bool   // a socket is being opened
	id        string // ours, the address of offers
	resume    string // token
	window    time.Duration
	heartbeat time.Duration
	ice       *signal.ICEServers
	heard     time.Time // when the server last said something
	said      time.Time // when we did
	lost      time.Time // when the socket went; zero while there is one
	retry     time.Time // when to dial again
	attempts  int
}

// deadline is when tick has something to do.
func (n *session) deadline(links map[string]*link) time.Time {
	at := time.Now().Add(idle)
	sooner := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	switch {
	case n.sock == nil && !n.dialing:
		sooner(n.retry)
	case n.greeted:
		sooner(n.said.Add(n.heartbeat))
		sooner(n.heard.Add(3 * n.heartbeat))
		if due := n.sequence.Deadline(); !due.IsZero() {
			sooner(due)
		}
	case n.sock != nil:
		sooner(n.heard.Add(signal.HelloTimeout))
	}
	for _, l := range links {
		if !l.mend.IsZero() {
			sooner(l.mend)
		}
	}
	return at
}

// dial opens a socket in the background.
func (s *state) dial() {
	s.session.dialing = true
	s.running.Go(func() {
		sock, err := s.session.connect(s.work)
		s.post(func(s *state) { s.dialed(sock, err) })
	})
}

func (s *state) dialed(sock *socket, err error) {
	n := &s.session
	n.dialing = false
	if err != nil {
		s.unreachable(err)
		return
	}
	n.sock, n.greeted, n.heard, n.said = sock, false, s.now, s.now
	s.running.Go(func() { <-sock.done })
	b, err := signal.Encode(&signal.Hello{
		Client: signal.Client{Name: s.options.Agent}, Room: s.address.room, Host: s.address.secret,
		Resume: n.resume, Received: n.sequence.Received(),
	})
	if err != nil {
		s.end(Ended{Err: fmt.Errorf("parley: %w", err)})
		return
	}
	sock.send(b)
}

// unreachable plans the next attempt, or gives up.
func (s *state) unreachable(err error) {
	n := &s.session
	if n.id == "" { // never had a session: the caller decides whether to try again
		s.end(Ended{Err: err})
		return
	}
	if n.lost.IsZero() {
		n.lost = s.now
	}
	if s.now.Sub(n.lost) > n.window {
		s.end(Ended{Err: fmt.Errorf("parley: the server was not reached again within %v: %w", n.window, err)})
		return
	}
	// At once with jitter, then further and further apart.
	wait := min(lastRetry, firstRetry<<min(n.attempts, 10))
	n.attempts++
	n.retry = s.now.Add(time.Duration(rand.Int64N(int64(wait)))) // jitter
	s.options.Log.Info("signalling is being reconnected", "room", s.address.room, "in", n.retry.Sub(s.now), "err", err)
}

// cut handles the end of the socket. Links and their media go on.
func (s *state) cut(err error) {
	n := &s.session
	if n.sock == nil {
		return
	}
	n.sock.cancel()
	n.sock = nil
	if n.greeted {
		n.greeted = false
		s.emit(Online{Up: false})
	}
	s.unreachable(err)
}

// tick does what is due.
func (s *state) tick() {
	n := &s.session
	switch {
	case n.sock == nil && !n.dialing && !s.now.Before(n.retry):
		s.dial()
	case n.sock == nil:
	case n.greeted && s.now.Sub(n.heard) >= 3*n.heartbeat:
		s.cut(errors.New("parley: the server is silent"))
	case !n.greeted && s.now.Sub(n.heard) >= signal.HelloTimeout:
		s.cut(errors.New("parley: the server does not answer hello"))
	case n.greeted && s.now.Sub(n.said) >= n.heartbeat:
		s.transmit(&signal.Ping{ID: uint64(s.now.UnixMilli())}) // after 1970
	}
	s.acknowledge()
	for _, l := range s.links {
		if !l.mend.IsZero() && !s.now.Before(l.mend) {
			s.mend(l)
		}
	}
}

// acknowledge says what arrived when nothing else did in time.
func (s *state) acknowledge() {
	if s.session.greeted && s.session.sequence.AckDue(s.now) {
		s.transmit(&signal.Ack{})
	}
}

// send numbers m and sends it now, or after the next resume.
func (s *state) send(m signal.Message) error {
	b, err := s.session.sequence.Send(m)
	if err != nil {
		err = fmt.Errorf("parley: %w", err)
		s.end(Ended{Err: err})
		return err
	}
	s.session.sent = m.Head().N
	s.write(b)
	return nil
}

// transmit sends a message that is not numbered, if there is a socket.
func (s *state) transmit(m signal.Message) {
	if b, err := s.session.sequence.Send(m); err == nil { // only a message of another protocol fails
		s.write(b)
	}
}

func (s *state) write(b []byte) {
	if s.session.greeted {
		s.session.said = s.now
		s.session.sock.send(b)
	}
}

// receive handles one message from the server.
func (s *state) receive(b []byte) {
	n := &s.session
	n.heard = s.now
	m, fault := signal.Decode(b, signal.FromServer)
	if fault != nil {
		n.sequence.Unreadable() // resuming would only bring it again
		s.trouble(fmt.Errorf("parley: the server sent what cannot be read: %s", fault.Words))
		return
	}
	if w, ok := m.(*signal.Welcome); ok {
		s.welcome(w)
		return
	}
	if !n.greeted { // only bye and error may come before welcome
		s.refusedHello(m)
		return
	}
	fresh, err := n.sequence.Receive(s.now, m.Head())
	if err != nil {
		s.cut(fmt.Errorf("parley: %w", err))
		return
	}
	if fresh || !signal.Numbered(m.Head().Type) {
		s.handle(m)
	}
	s.acknowledged()
	s.acknowledge()
}

// refusedHello ends the room with the server's words.
func (s *state) refusedHello(m signal.Message) {
	switch m := m.(type) {
	case *signal.Error:
		s.end(Ended{Err: &Refused{Code: m.Code, Field: m.Field, Words: m.Words}})
	case *signal.Bye:
		s.goodbye(m)
	default:
		s.cut(fmt.Errorf("parley: the server began with %q instead of welcome", m.Head().Type))
	}
}

// goodbye ends the room, unless the server only restarts: then the call goes on, and a new session takes the seat again.
func (s *state) goodbye(m *signal.Bye) {
	n := &s.session
	if m.Reason == signal.ByeDraining && m.Retry > 0 && s.wanted && n.id != "" {
		n.resume = ""
		s.cut(errors.New("parley: the server restarts"))
		n.retry = s.now.Add(time.Duration(m.Retry) * time.Second)
		return
	}
	words := m.Words
	if words == "" {
		words = string(m.Reason)
	}
	s.end(Ended{
		Err: fmt.Errorf("parley: the server ended the session: %s", words), Reason: m.Reason,
		Retry: time.Duration(m.Retry) * time.Second,
	})
}

// welcome begins a session, or goes on with it on a new socket.
func (s *state) welcome(w *signal.Welcome) {
	n := &s.session
	if n.greeted || w.Window < 0 || w.Heartbeat <= 0 || w.Session == "" {
		s.cut(errors.New("parley: the server's welcome makes no sense"))
		return
	}
	n.greeted, n.lost, n.attempts = true, time.Time{}, 0
	n.resume, n.window = w.Resume, time.Duration(w.Window)*time.Second
	n.heartbeat = time.Duration(w.Heartbeat) * time.Millisecond
	if w.ICE != nil {
		n.ice = w.ICE
	}
	if w.Resumed {
		again, err := n.sequence.Resume(w.Received)
		if err != nil {
			n.resume = "" // the two ends do not fit together: a new session
			s.cut(fmt.Errorf("parley: %w", err))
			return
		}
		s.emit(Online{Up: true})
		s.transmit(&signal.Ack{}) // tells the server that the new token arrived, and what did
		for _, b := range again {
			s.write(b)
		}
		return
	}
	n.id, n.sent, n.sequence = w.Session, 0, signal.Sequence{}
	s.emit(Online{Up: true})
	s.transmit(&signal.Ack{})
	s.entrance(w.Room)
	s.opened.settle(nil)
}

// hangUp closes the socket. With a seat it says nothing, so that the seat is kept for the window.
func (s *state) hangUp() {
	sock := s.session.sock
	if sock == nil {
		return
	}
	if s.session.greeted && s.me == "" {
		s.transmit(&signal.Bye{Reason: signal.ByeClosed})
	}
	close(sock.out)
	s.session.sock = nil
	ctx, cancel := context.WithTimeout(context.Background(), bye)
	defer cancel()
	for in := sock.in; ; {
		select {
		case _, ok := <-in: // what still comes must not keep the reader from seeing the end
			if !ok {
				in = nil
			}
		case <-sock.done:
			return
		case <-ctx.Done():
			sock.cancel()
			return
		}
	}
}
