package parley

import (
	"context"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

const (
	// finalPatience is how long the side that said the last word leaves the channel to the other one, who has to hear it,
	// to close.
	finalPatience = 5 * time.Second
	// maxLane is how many bytes may have arrived on a lane and wait to be handled: what a sender may be ahead, and an
	// offer. More is a fault of the sender.
	maxLane = transfer.Credit + transfer.ChunkSize + transfer.MaxOffer
	// maxLaneFrames bounds what small frames cost.
	maxLaneFrames = 1 << 16
)

// lane is the data channel of a transfer. Its callbacks only queue: they run in the goroutine that reads for every
// channel of a link.
type lane struct {
	channel *webrtc.DataChannel
	cover   *cover
	peer    string                 // session at the other end, or its seat behind seatPrefix
	road    *webrtc.PeerConnection // that led there when it was opened; nil on what others opened
	bulk    *bulk                  // the link of ours that it is on; nil for the main one
	post    func(func(*state))     // set with bulk
	mu      sync.Mutex
	wake    func() // something happened
	frames  []webrtc.DataChannelMessage
	bytes   int
	opened  bool
	closed  bool
	flooded bool // more arrived than may
}

// newLane listens to channel. It is called before the first message can come.
func newLane(channel *webrtc.DataChannel, peer string, cover *cover) *lane {
	w := &lane{channel: channel, peer: peer, cover: cover}
	channel.OnOpen(func() { w.note(func() { w.opened = true }) })
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		m, ok := cover.open(m)
		if !ok {
			return
		}
		w.note(func() {
			if w.bytes+len(m.Data) > maxLane || len(w.frames) >= maxLaneFrames {
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

func (w *lane) note(f func()) {
	w.mu.Lock()
	f()
	wake := w.wake
	w.mu.Unlock()
	if wake != nil {
		wake()
	}
}

// hear sets what is called when something happens, and calls it for what happened already.
func (w *lane) hear(wake func()) { w.note(func() { w.wake = wake }) }

func (w *lane) ended() { w.note(func() { w.closed = true }) }

// take returns the oldest frame; ok is false when there is none.
func (w *lane) take() (m webrtc.DataChannelMessage, ok bool) {
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
func (w *lane) state() (opened, closed, flooded bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opened, w.closed, w.flooded
}

// linger keeps the channel, after this side's last word, until the other side has heard it and closes. What still comes
// is thrown away. over is asked after each wake.
func (w *lane) linger(ctx context.Context, wake <-chan struct{}, over func() bool) {
	limit := time.NewTimer(finalPatience)
	defer limit.Stop()
	for {
		for _, more := w.take(); more; _, more = w.take() {
			continue
		}
		if _, closed, flooded := w.state(); closed || flooded || over() {
			return
		}
		select {
		case <-wake:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// spent is how many bytes its link for bulk sent in all.
func (w *lane) spent() uint64 {
	stats, _ := w.bulk.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePairStats()
	return stats.BytesSent
}

// close closes the channel; what was sent before still arrives.
func (w *lane) close() {
	if b := w.bulk; b != nil {
		w.bulk = nil
		w.post(func(s *state) { s.useBulk(b, -1) })
	}
	_ = w.channel.Close() // it may be over already
}
