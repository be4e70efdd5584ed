package parley

import (
	"sync"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

const (
	// maxWire is how many bytes may have arrived on a wire and wait to be handled: what a sender may be ahead, and an
	// offer. More is a fault of the sender.
	maxWire = (transfer.Credit+1)*transfer.ChunkSize + transfer.MaxOffer
	// maxWireFrames bounds what small frames cost.
	maxWireFrames = 1 << 16
)

// wire is the data channel of a transfer. Its callbacks only queue: they run in the goroutine that reads for every
// channel of a link.
type wire struct {
	channel *webrtc.DataChannel
	peer    string // session at the other end
	bulk    *bulk  // the link it is on; nil for the main one
	mu      sync.Mutex
	wake    func() // something happened
	frames  []webrtc.DataChannelMessage
	bytes   int
	opened  bool
	closed  bool
	flooded bool // more arrived than may
}

// newWire listens to channel. It is called before the first message can come.
func newWire(channel *webrtc.DataChannel, peer string) *wire {
	w := &wire{channel: channel, peer: peer}
	channel.OnOpen(func() { w.note(func() { w.opened = true }) })
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		w.note(func() {
			if w.bytes+len(m.Data) > maxWire || len(w.frames) >= maxWireFrames {
				w.flooded = true
				return
			}
			w.bytes += len(m.Data)
			w.frames = append(w.frames, m)
		})
	})
	channel.OnBufferedAmountLow(func() { w.note(func() {}) })
	return w
}

func (w *wire) note(f func()) {
	w.mu.Lock()
	f()
	wake := w.wake
	w.mu.Unlock()
	if wake != nil {
		wake()
	}
}

// hear sets what is called when something happens, and calls it for what happened already.
func (w *wire) hear(wake func()) { w.note(func() { w.wake = wake }) }

func (w *wire) ended() { w.note(func() { w.closed = true }) }

// take returns the oldest frame; ok is false when there is none.
func (w *wire) take() (m webrtc.DataChannelMessage, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.frames) == 0 {
		return m, false
	}
	m = w.frames[0]
	w.frames[0].Data = nil
	w.frames = w.frames[1:]
	w.bytes -= len(m.Data)
	return m, true
}

// state tells where the channel stands.
func (w *wire) state() (opened, closed, flooded bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opened, w.closed, w.flooded
}

// close closes the channel; what was sent before still arrives.
func (w *wire) close() {
	_ = w.channel.Close() // it may be over already
}
