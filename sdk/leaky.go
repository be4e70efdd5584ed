package parley

import (
	"net"
	"sync"
	"time"
)

const (
	// maxLeaky is how many bytes may wait for a relay over TCP or TLS: 200 ms of 5 Mbit/s. What comes then is dropped, as
	// a router would.
	maxLeaky = 128 << 10
	// leakyPatience is how long a write may make no progress before the connection is given up.
	leakyPatience = 5 * time.Second
)

// leaky is a stream that carries datagrams and never makes their sender wait: media of every link leaves in one
// goroutine, which a dead stream must not hold. Each Write is one datagram, which goes out whole or not at all.
type leaky struct {
	net.Conn
	mu    sync.Mutex
	queue [][]byte
	bytes int
	wake  chan struct{} // holds one token while there is something to write
	done  chan struct{}
	once  sync.Once
}

func newLeaky(conn net.Conn) *leaky {
	l := &leaky{Conn: conn, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.drain()
	return l
}

// Write queues b, or drops it.
func (l *leaky) Write(b []byte) (int, error) {
	select {
	case <-l.done:
		return 0, net.ErrClosed
	default:
	}
	l.mu.Lock()
	if l.bytes+len(b) <= maxLeaky {
		l.queue = append(l.queue, append([]byte(nil), b...))
		l.bytes += len(b)
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return len(b), nil
}

// drain writes what is queued until the end.
func (l *leaky) drain() {
	for {
		select {
		case <-l.wake:
		case <-l.done:
			return
		}
		l.mu.Lock()
		queue := l.queue
		l.queue = nil
		l.mu.Unlock()
		for _, b := range queue {
			err := l.SetWriteDeadline(time.Now().Add(leakyPatience))
			if err == nil {
				_, err = l.Conn.Write(b)
			}
			if err != nil {
				_ = l.Close() // the reader sees the end
				return
			}
			l.mu.Lock()
			l.bytes -= len(b)
			l.mu.Unlock()
		}
	}
}

// Close implements net.Conn.
func (l *leaky) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Conn.Close()
}
