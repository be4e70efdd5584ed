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
	// lastRetry is the longest pause between two attempts of a program without a seat, seatedRetry of one with a seat:
	// whoever sits in a call wants to be back a second after the network is. It is soonRetry for the first soonTries, since
	// a network that only changes is soon back.
	lastRetry   = 10 * time.Second
	seatedRetry = time.Second
	soonRetry   = 500 * time.Millisecond
	soonTries   = 8
	// maxAttempts is how many sockets may be opening at once. The oldest gives way when it is older than staleAttempt:
	// on a path that was dead when it began, TCP waits longer and longer between its tries.
	maxAttempts  = 4
	staleAttempt = 3 * time.Second
	// trialPatience is how long a hello is waited for before another socket may say it.
	trialPatience = 1500 * time.Millisecond
)

// attempt is a socket that is being opened.
type attempt struct {
	began  time.Time
	cancel context.CancelFunc
}

// dial opens a socket in the background, beside those that are being opened already.
func (s *state) dial() {
	n := &s.session
	most := lastRetry
	if s.me != "" {
		most = seatedRetry
		if n.failures < soonTries {
			most = soonRetry
		}
	}
	wait := min(most, firstRetry<<min(n.failures+len(n.attempts), 10))
	n.retry = s.now.Add(wait/2 + time.Duration(rand.Int64N(int64(wait)))/2) // jitter
	if len(n.attempts) >= maxAttempts {
		if s.now.Sub(n.attempts[0].began) < staleAttempt {
			return
		}
		n.attempts[0].cancel()
		n.attempts = n.attempts[1:]
		if s.unreachable(errors.New("parley: the server does not answer")); s.ended != nil {
			return
		}
	}
	ctx, cancel := context.WithCancel(s.work)
	a := &attempt{began: s.now, cancel: cancel}
	n.attempts = append(n.attempts, a)
	s.running.Go(func() {
		sock, err := n.connect(ctx)
		if err != nil {
			cancel()
		}
		s.post(func(s *state) { s.dialed(a, sock, err) })
	})
}

// withdraw gives up the sockets that are being opened.
func (s *state) withdraw() {
	for _, a := range s.session.attempts {
		a.cancel()
	}
	s.session.attempts = nil
}

// dialed says hello on a new socket. Until that is answered, nothing that it does not say is acknowledged on the old one:
// an acknowledgement that overtakes hello makes the server forget what hello asks for, and the session is lost.
func (s *state) dialed(a *attempt, sock *socket, err error) {
	n := &s.session
	known := false
	for i, other := range n.attempts {
		if other == a {
			n.attempts = append(n.attempts[:i:i], n.attempts[i+1:]...)
			known = true
			break
		}
	}
	if err != nil {
		if known {
			s.unreachable(err)
		}
		return
	}
	s.running.Go(func() { <-sock.done; a.cancel() })
	if n.trial != nil && s.now.Sub(n.tried) > trialPatience {
		s.forsake(errors.New("parley: the server is slow to answer hello"))
	}
	if !known || !n.searching() || n.trial != nil {
		s.discard(sock)
		return
	}
	b, err := signal.Encode(&signal.Hello{
		Client: signal.Client{Name: s.options.Agent}, Room: s.address.room, Host: s.address.secret,
		Resume: n.resume, Received: n.sequence.Received(),
	})
	if err != nil {
		s.discard(sock)
		s.end(Ended{Err: fmt.Errorf("parley: %w", err)})
		return
	}
	n.trial, n.tried = sock, s.now
	n.sequence.Hold(s.now, n.sequence.Received()+1)
	sock.send(b)
}

// discard closes a socket that nobody reads.
func (s *state) discard(sock *socket) {
	sock.cancel()
	s.running.Go(func() {
		for range sock.in { // until it is closed
		}
	})
}

// forsake gives the socket up on which welcome is awaited.
func (s *state) forsake(err error) {
	n := &s.session
	if n.trial == nil {
		return
	}
	s.discard(n.trial)
	n.trial = nil
	n.sequence.Hold(s.now, 0)
	s.unreachable(err)
}

// unreachable plans the next attempt, or gives up.
func (s *state) unreachable(err error) {
	n := &s.session
	if n.id == "" { // never had a session: the caller decides whether to try again
		s.end(Ended{Err: err})
		return
	}
	if !n.searching() {
		return
	}
	n.failures++
	if n.wary || n.lost.IsZero() && n.trial != nil {
		return // nothing is lost yet
	}
	if n.lost.IsZero() {
		s.miss()
	}
	if s.now.Sub(n.lost) > n.window {
		s.end(Ended{Err: fmt.Errorf("parley: the server was not reached again within %v: %w", n.window, err)})
		return
	}
	s.options.Log.Info("signalling is being reconnected", "room", s.address.room, "in", n.retry.Sub(s.now), "err", err)
}

// cut handles the end of the socket. Links and their media go on.
func (s *state) cut(err error) {
	n := &s.session
	if n.sock == nil {
		return
	}
	// The server closes the old one for the new one, whose welcome may come a moment later.
	replaced := n.wary && n.trial != nil
	s.discard(n.sock)
	n.sock, n.wary = nil, false
	switch {
	case replaced:
		return
	case n.doubt:
		n.doubt = false
	default:
		s.miss()
	}
	s.unreachable(err)
}

// miss begins the time without a socket.
func (s *state) miss() {
	n := &s.session
	n.lost, n.failures, n.retry = s.now, 0, s.now // at once
	s.emit(Online{Up: false})
	s.note(nil, signal.ReportSignallingLost, 0)
	s.alarm()
}

// hurry opens another socket now: the network has changed, so the pause has lost its reason.
func (s *state) hurry() {
	n := &s.session
	if n.searching() && n.trial == nil {
		n.failures = 0
		n.retry = s.now
	}
}
