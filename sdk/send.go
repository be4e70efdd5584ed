package parley

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/pace"
	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

const (
	// firstReopen and lastReopen bound the pause between two attempts to open a channel. They cost nothing but a look at
	// the links.
	firstReopen = 100 * time.Millisecond
	lastReopen  = 2 * time.Second
	// openPatience is how long a channel may take to open.
	openPatience = 15 * time.Second
	// bulkPatience is how long a link for bulk may take to come up; then the main link has to do.
	bulkPatience = 8 * time.Second
	// maxBuffered is how much may wait on a channel of the main link, whose transport decides what is on the way.
	maxBuffered = 1 << 20
	lowBuffered = 256 << 10
)

// SendOptions says how files are sent.
type SendOptions struct {
	// ID goes on with an earlier transfer of the same files to the same person (Transfer.ID), even in another process.
	// Empty makes a new one.
	ID string
}

// SendFiles offers files to the person with the seat to, and sends them once they accept. It returns at once.
func (r *Room) SendFiles(ctx context.Context, to string, files *Files, o SendOptions) (t *Transfer, err error) {
	known := o.ID != ""
	if !known {
		o.ID = NewTransferID()
	} else if !validTransferID(o.ID) {
		return nil, fmt.Errorf("parley: %q is not the id of a transfer", o.ID)
	}
	offer := files.offer()
	offer.Again = known
	engine, err := transfer.NewSender(offer)
	if err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	err = r.do(ctx, func(s *state) error {
		seat := s.people[to]
		if seat == nil || to == s.me {
			return fmt.Errorf("parley: nobody else has the seat %q", to)
		}
		t = newTransfer(o.ID, s.person(seat), false)
		t.describe(files.offer())
		out := &sending{Transfer: t, room: s, to: to, files: files, engine: engine, told: make(map[int]bool)}
		s.files.outgoing[out] = true
		s.running.Go(func() { out.run(s.work) })
		return nil
	})
	return t, err
}

// NewTransferID makes an id for SendOptions: 128 random bits. It is known to the two sides alone, and lets either go on
// with the transfer.
func NewTransferID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func validTransferID(id string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(id)
	return err == nil && len(b) == 16
}

// errAbandoned is the end of a transfer that Abandon ended.
var errAbandoned = errors.New("parley: the transfer was abandoned")

// sending is the goroutine of a transfer that sends.
type sending struct {
	*Transfer
	room   *state // only to post to, and to emit
	to     string // seat
	files  *Files
	engine *transfer.Sender
	window *pace.Window // of a bulk link; nil on the main one
	path   *pathKnown   // of the last link for bulk
	lift   atomic.Bool  // one that was wanted is up
	wrote  uint64       // bytes given to the channel
	silent int          // channels in a row that brought nothing
	heard  bool         // this one was accepted
	gained bool         // and something arrived
	told   map[int]bool // the files that are known to be whole there
	frame  []byte
	at     int // the file that is open; valid while file is not nil
	reader io.ReaderAt
	file   io.Closer
	over   bool
	err    error
}

// pathKnown is what is known of the way to a session.
type pathKnown struct {
	peer   string
	window *pace.Window
}

// run is all of a transfer: one channel after another until it is over.
func (t *sending) run(ctx context.Context) {
	t.frame = make([]byte, transfer.MaxFrame)
	wait := firstReopen
	for !t.over {
		w := t.reach(ctx, false)
		if w == nil {
			t.idle(ctx, wait/2+mathrand.N(wait/2)) // jitter
			wait = min(2*wait, lastReopen)
			continue
		}
		wait = firstReopen
		t.heard, t.gained = false, false
		t.carry(ctx, w)
		t.rest(ctx, w)
	}
	t.shut()
	t.ends(t.room, t.err)
	t.room.post(func(s *state) { delete(s.files.outgoing, t) })
	t.settle(t.err)
	t.room.emit(TransferEnded{Transfer: t.Transfer, Err: t.err})
}

// reopen is how long a channel that the other side closed is not opened again: after the first one that brought nothing,
// after the second, and so on. It may be a program that takes no files, or one that is not ready yet.
var reopen = [...]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second}

// rest waits after a channel that ended on a link that goes on. A new link is a new beginning.
func (t *sending) rest(ctx context.Context, w *lane) {
	if t.over || t.gained || !t.stays(ctx, w) {
		t.silent = 0
		return
	}
	if t.silent == len(reopen) {
		if !t.heard {
			t.end(&TransferError{Reason: string(transfer.Unanswered)})
			return
		}
		t.silent-- // it is there, and wants them
	}
	until := time.Now().Add(reopen[t.silent])
	t.silent++
	for left := time.Until(until); left > 0 && !t.over && t.stays(ctx, w); left = time.Until(until) {
		t.idle(ctx, left)
	}
}

// stays reports whether the link that a channel was on is still the one that leads to its person.
func (t *sending) stays(ctx context.Context, w *lane) bool {
	same, _ := inRoom(ctx, t.room, func(s *state) bool { return s.roadTo(t.to) == w.road })
	return same
}

// end makes the goroutine stop.
func (t *sending) end(err error) { t.over, t.err = true, err }

// idle waits while there is no channel.
func (t *sending) idle(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for !t.over {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			t.end(ErrClosed)
		case <-t.wake: // an order, or the links changed
			t.listen()
			return
		}
	}
}

// listen does what the user asked for.
func (t *sending) listen() {
	for _, o := range t.obey() {
		switch o.kind {
		case orderPause, orderGoOn:
			t.engine.Pause(o.kind == orderPause)
			t.pausing(o.kind == orderPause)
		case orderAbandon:
			t.end(errAbandoned)
		case orderCancel:
			t.engine.Cancel(transfer.Cancelled)
			if t.Progress().State == TransferWaiting { // nobody to tell
				t.end(&TransferError{Reason: string(transfer.Cancelled), Mine: true})
			}
		}
	}
}

// pausing shows a pause.
func (t *sending) pausing(on bool) {
	t.shift(t.room, func(p *Progress) {
		switch {
		case on && p.State == TransferActive:
			p.State = TransferPaused
		case !on && p.State == TransferPaused:
			p.State = TransferActive
		}
	})
}

// reach opens a channel with the receiver and waits until it is open; nil when there is no way now.
func (t *sending) reach(ctx context.Context, byBulk bool) *lane {
	opened := make(chan *lane, 1)
	t.room.post(func(s *state) { opened <- t.dial(s, byBulk) })
	var w *lane
	select {
	case w = <-opened:
	case <-ctx.Done():
		t.end(ErrClosed)
	}
	if w == nil {
		return nil
	}
	w.hear(t.rouse)
	timer := time.NewTimer(openPatience)
	defer timer.Stop()
	for {
		open, closed, _ := w.state()
		if open && !closed || closed && !byBulk && !t.over { // what closes at once counts, see rest
			return w
		}
		if closed || t.over {
			w.close()
			return nil
		}
		select {
		case <-t.wake:
			t.listen()
		case <-timer.C:
			w.close()
			return nil
		case <-ctx.Done():
			t.end(ErrClosed)
		}
	}
}

// dial opens the channel; in the owner's goroutine.
func (t *sending) dial(s *state, byBulk bool) *lane {
	init := &webrtc.DataChannelInit{Protocol: new(transfer.Protocol)}
	seat := s.people[t.to]
	if seat == nil || s.roadTo(t.to) == nil {
		return nil
	}
	var channel *webrtc.DataChannel
	var err error
	var b *bulk
	if byBulk {
		if b = s.bulkTo(seat.Session); b == nil {
			return nil
		}
		channel, err = b.pc.CreateDataChannel(t.id, init)
		if err == nil {
			s.useBulk(b, 1)
		}
	} else {
		channel, err = s.openChannel(t.to, t.id, init)
	}
	if err != nil {
		return nil // the link goes down this moment
	}
	w := newLane(channel, seat.Session, s.data.covers.Load().over(channel, t.to, b == nil && s.onHub()))
	w.bulk, w.post, w.road = b, s.post, s.roadTo(t.to)
	channel.OnClose(w.ended)
	channel.SetBufferedAmountLowThreshold(lowBuffered)
	person := s.person(seat)
	t.mu.Lock()
	t.with = person
	t.mu.Unlock()
	return w
}

// shut closes the file that is open.
func (t *sending) shut() {
	if t.file != nil {
		_ = t.file.Close() // it was only read
		t.file = nil
	}
}

// read fills the frame with what the engine asks for.
func (t *sending) read(r transfer.Read) ([]byte, error) {
	if t.file == nil || t.at != r.File {
		t.shut()
		var err error
		if t.reader, t.file, err = t.files.open(r.File); err != nil {
			t.file = nil
			return nil, err
		}
		t.at = r.File
	}
	frame := t.frame[:transfer.HeaderSize+r.Length]
	n, err := t.reader.ReadAt(frame[transfer.HeaderSize:], r.At)
	if n == r.Length {
		return frame, nil
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: it ends too early", ErrChanged)
	}
	return nil, err
}

// unreadable cancels because of our own file.
func (t *sending) unreadable(err error) {
	reason := transfer.Gone
	if errors.Is(err, ErrChanged) {
		reason = transfer.Changed
	} else if !errors.Is(err, fs.ErrNotExist) {
		t.room.options.Log.Warn("a file cannot be read", "err", err)
	}
	t.engine.Cancel(reason)
	t.err = err
}
