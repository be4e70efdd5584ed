package signalserver

import (
	"context"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-rtc/parley/internal/signal"
)

// Limits of writing.
const (
	// maxFrames and maxFrameBytes bound what waits for a slow reader; more closes the socket, the session can resume.
	// There is room for the answers to a burst (messageBurst), and less than a session may leave unacknowledged
	// (signal.MaxUnacked). What is sent again after a resume does not count: it could be more than this from the start.
	maxFrames     = 768
	maxFrameBytes = 3 << 20
	// writeTimeout is how long one message may take to leave.
	writeTimeout = 10 * time.Second
	// lingerTime is how long a socket that we are done with may take to read our last words.
	lingerTime = time.Second
)

// outbox is what waits to be written to a socket. It is a leaf: its lock is never held while anything blocks.
type outbox struct {
	mu      sync.Mutex
	frames  [][]byte
	size    int
	again   int           // of frames, those that are sent again after a resume
	heavy   int           // their bytes
	writing bool          // a writer goroutine runs
	closing bool          // close the WebSocket after the frames
	abrupt  bool          // without a handshake: it would mean to read on
	closed  bool          // the writer has closed the WebSocket
	severed bool          // deadlines are in the past for good
	done    chan struct{} // closed with closed or severed; made by linger
}

// push queues frames for writing. It never blocks. False means that the reader is too slow: the socket was cut.
func (k *socket) push(frames ...[]byte) bool {
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	k.mu.Lock()
	full := len(k.frames) > 0 && (len(k.frames)-k.again+len(frames) > maxFrames || k.size-k.heavy+size > maxFrameBytes)
	if !full && !k.closing && !k.severed {
		if len(k.frames) == 0 {
			k.again, k.heavy = len(frames), size // one message, or all that a resume sends again
		}
		k.frames = append(k.frames, frames...)
		k.size += size
		k.startWriter()
	}
	k.mu.Unlock()
	if full {
		k.cut()
	}
	return !full
}

// queued reports whether anything waits to be written, or is being written.
func (k *socket) queued() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.writing
}

// startWriter makes sure that somebody writes; mu is held.
func (k *socket) startWriter() {
	if !k.writing {
		k.writing = true
		go k.write()
	}
}

// finish closes the WebSocket, with a handshake, after what is queued.
func (k *socket) finish() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closing {
		k.closing = true
		k.startWriter()
	}
}

// send queues a message outside any session. It carries no number.
func (k *socket) send(m signal.Message) {
	if b, err := signal.Encode(m); err == nil {
		k.push(b)
	}
}

// bye says goodbye and closes. Whoever floods is not listened to any more, not even for the closing handshake.
func (k *socket) bye(b *signal.Bye) {
	c := *b
	k.send(&c)
	if b.Reason == signal.ByeFlood {
		k.mu.Lock()
		k.abrupt = true
		k.mu.Unlock()
	}
	k.finish()
}

// turnAway says goodbye to a socket that nobody reads from or writes to yet.
func (k *socket) turnAway() {
	if b, err := signal.Encode(goodbyeForDrain(k.serial)); err == nil {
		_ = k.conn.SetDeadline(time.Now().Add(lingerTime))
		_ = k.ws.Write(context.Background(), websocket.MessageText, b)
	}
	_ = k.ws.CloseNow()
}

// cut ends all reading and writing at once.
func (k *socket) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.severed = true
	k.release()
	k.frames, k.size = nil, 0
	_ = k.conn.SetDeadline(time.Unix(1, 0))
}

// patience lets the next read last until d from now.
func (k *socket) patience(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.severed {
		_ = k.conn.SetReadDeadline(time.Now().Add(d))
	}
}

// next returns what to write. With nothing left the writer ends, or closes the WebSocket first.
func (k *socket) next() (frames [][]byte, closing bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	frames = k.frames
	k.frames, k.size, k.again, k.heavy = nil, 0, 0, 0
	if len(frames) == 0 {
		closing = k.closing && !k.severed
		k.writing = closing
	}
	switch {
	case k.severed:
	case len(frames) > 0 || closing:
		_ = k.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	default:
		_ = k.conn.SetWriteDeadline(time.Time{}) // the library's own pongs have none
	}
	return frames, closing
}

// write is the writer goroutine: it lives while there is something to write.
func (k *socket) write() {
	for {
		frames, closing := k.next()
		if closing {
			k.close()
			return
		}
		if len(frames) == 0 {
			return
		}
		for _, f := range frames {
			if err := k.ws.Write(context.Background(), websocket.MessageText, f); err != nil {
				k.cut() // the reader notices and says so
				break
			}
		}
	}
}

// close closes the WebSocket at the writer's end.
func (k *socket) close() {
	k.mu.Lock()
	abrupt := k.abrupt
	k.mu.Unlock()
	if abrupt {
		return // closing now would drop what the kernel has not sent yet: linger waits
	}
	_ = k.ws.Close(websocket.StatusNormalClosure, "")
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	k.release()
}

// release ends linger; mu is held.
func (k *socket) release() {
	if k.done != nil {
		close(k.done)
		k.done = nil
	}
}

// linger waits, not for long, until the WebSocket was closed after the last words. The reader calls it when it stops
// reading for good; finish is called before, or will be by the session's owner.
func (k *socket) linger() {
	done := make(chan struct{})
	k.mu.Lock()
	k.done = done
	if k.closed || k.severed {
		k.release()
	}
	k.mu.Unlock()
	timer := time.NewTimer(lingerTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
