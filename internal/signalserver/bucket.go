package signalserver

import (
	"sync"
	"time"
)

// What one session may send. A burst covers a link's candidates, and what a client has kept while it was offline.
const (
	messageRate  = 100 // per second
	messageBurst = 600
	byteRate     = 256 << 10 // per second
	byteBurst    = 6 << 20
	frameCost    = 32 // bytes that a frame counts at least, so that empty ones are not free
)

// bucket is a token bucket for messages and bytes. The zero value is a full one. It belongs to a session, over all its
// sockets, and is safe for concurrent use: two sockets may have it for a moment.
type bucket struct {
	mu              sync.Mutex
	last            time.Time
	messages, bytes float64 // used
}

// take reports whether a message of n bytes fits in.
func (b *bucket) take(now time.Time, n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	since := now.Sub(b.last).Seconds()
	b.last = now
	b.messages = max(0, b.messages-since*messageRate) + 1
	b.bytes = max(0, b.bytes-since*byteRate) + float64(max(n, frameCost))
	return b.messages <= messageBurst && b.bytes <= byteBurst
}
