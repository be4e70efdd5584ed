package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

// openAtOnce is how many sessions are being opened at the same time.
const openAtOnce = 32

// sessions are the clients' ends of all sessions.
type sessions struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup
	dead   atomic.Int64 // ended before cancel
}

// openAll opens n sessions, two to a room, and keeps them up until close.
func openAll(address string, n int, overTLS bool) (*sessions, error) {
	ctx, cancel := context.WithCancel(context.Background())
	all := &sessions{cancel: cancel}
	url, client := "ws://"+address+"/ws", &http.Client{Transport: &http.Transport{}}
	if overTLS {
		url = "wss://" + address + "/ws"
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the certificate is made for this run
	}
	places := make(chan int)
	failed := make(chan error, openAtOnce)
	for range openAtOnce {
		go func() {
			for i := range places {
				if err := all.open(ctx, client, url, fmt.Sprintf("room-%d", i/2)); err != nil {
					failed <- fmt.Errorf("session %d: %w", i, err)
					return
				}
			}
			failed <- nil
		}()
	}
	for i := range n {
		select {
		case places <- i:
		case err := <-failed:
			all.close()
			return nil, err
		}
	}
	close(places)
	for range openAtOnce {
		if err := <-failed; err != nil {
			all.close()
			return nil, err
		}
	}
	return all, nil
}

func (all *sessions) close() {
	all.cancel()
	all.ended.Wait()
}

// open opens one session, joins, and leaves a goroutine that keeps it up.
func (all *sessions) open(ctx context.Context, client *http.Client, url, room string) error {
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{signal.Subprotocol}})
	if err != nil {
		return err
	}
	s := &session{ws: ws}
	if err := s.join(ctx, room); err != nil {
		_ = ws.CloseNow()
		return err
	}
	all.ended.Go(func() {
		defer func() { _ = ws.CloseNow() }()
		if s.stay(ctx); ctx.Err() == nil {
			all.dead.Add(1)
		}
	})
	return nil
}

// session is one client.
type session struct {
	ws   *websocket.Conn
	mu   sync.Mutex // guards seq: one goroutine reads, one pings
	seq  signal.Sequence
	beat time.Duration
}

func (s *session) send(ctx context.Context, m signal.Message) error {
	s.mu.Lock()
	b, err := s.seq.Send(m)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.ws.Write(ctx, websocket.MessageText, b)
}

func (s *session) read(ctx context.Context) (signal.Message, error) {
	_, b, err := s.ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	m, fault := signal.Decode(b, signal.FromServer)
	if fault != nil {
		return nil, fmt.Errorf("%s: %s", b, fault.Words)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.seq.Receive(time.Now(), m.Head())
	return m, err
}

// join says hello and takes a seat.
func (s *session) join(ctx context.Context, room string) error {
	if err := s.send(ctx, &signal.Hello{Client: signal.Client{Name: "bench-idle"}, Room: room}); err != nil {
		return err
	}
	for {
		m, err := s.read(ctx)
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *signal.Welcome:
			s.beat = time.Duration(m.Heartbeat) * time.Millisecond
			if err := s.send(ctx, &signal.Join{Name: "Idle"}); err != nil {
				return err
			}
		case *signal.Joined:
			return nil
		case *signal.Error:
			return fmt.Errorf("refused: %s", m.Words)
		case *signal.Bye:
			return fmt.Errorf("ended: %s", m.Words)
		}
	}
}

// stay pings and reads until the socket or ctx ends.
func (s *session) stay(ctx context.Context) {
	ticker := time.NewTicker(s.beat)
	defer ticker.Stop()
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			if _, err := s.read(ctx); err != nil {
				return
			}
		}
	}()
	for id := uint64(1); ; id++ {
		select {
		case <-ticker.C:
			if s.send(ctx, &signal.Ping{ID: id}) != nil {
				_ = s.ws.CloseNow()
			}
		case <-read:
			return
		}
	}
}
