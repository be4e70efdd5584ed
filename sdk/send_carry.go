package parley

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-rtc/parley/sdk/internal/pace"
	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

// carry sends over one channel, and over the one on a link for bulk that may replace it, until it is lost or the
// transfer is over.
func (t *sending) carry(ctx context.Context, w *lane) {
	t.engine.Connect()
	t.shift(t.room, func(p *Progress) { p.State, p.Bulk = TransferOffered, w.bulk != nil })
	t.measure(w)
	hold := false // the receiver would rather get the data by a link for bulk
	var patience <-chan time.Time
	for !t.over {
		t.listen()
		if !t.hear(w) {
			break
		}
		if t.window != nil && t.window.Stuck(time.Now(), t.wrote) {
			stuck := w.bulk
			t.room.post(func(s *state) { s.dropBulk(stuck, true) })
			break
		}
		if w.bulk == nil && t.lift.Swap(false) { // late or not: the rest is faster there
			if better := t.reach(ctx, true); better != nil {
				w.close()
				t.carry(ctx, better)
				return
			}
		}
		limit := 0
		if !hold {
			limit = t.limit(w)
		}
		a := t.engine.Next(limit)
		if a, ok := a.(transfer.Accepted); ok && a.Bulk && w.bulk == nil {
			hold, _ = inRoom(ctx, t.room, func(s *state) bool { return s.wantBulk(t.to, t.lifted) })
			patience = time.After(bulkPatience)
		}
		if a != nil {
			if err := t.obeyEngine(ctx, w, a); err != nil {
				break // the channel is closing
			}
			continue
		}
		select {
		case <-t.wake:
		case <-patience:
			hold, patience = false, nil
		case <-t.tick(w, limit, hold):
		case <-ctx.Done():
			t.end(ErrClosed)
		}
	}
	w.close()
	if !t.over {
		t.shift(t.room, func(p *Progress) { p.State = TransferWaiting })
	}
}

// measure begins to count what a channel carries, with the window that a link for bulk has.
func (t *sending) measure(w *lane) {
	t.wrote = 0
	switch {
	case w.bulk == nil:
		t.window = nil
	case t.path == nil || t.path.peer != w.peer:
		t.window = pace.New()
	default:
		t.window = t.path.window.Again()
	}
	if w.bulk != nil {
		t.path = &pathKnown{w.peer, t.window}
	}
}

// lifted says that the link for bulk is up.
func (t *sending) lifted() {
	t.lift.Store(true)
	t.rouse()
}

// hear hands the engine what came; false when the channel is gone.
func (t *sending) hear(w *lane) bool {
	for {
		m, ok := w.take()
		if !ok {
			_, closed, flooded := w.state()
			return !closed && !flooded
		}
		if m.IsString {
			t.engine.Text(m.Data)
		} else {
			t.engine.Cancel(transfer.Fault) // a receiver has nothing binary to say
		}
	}
}

// limit is how much data a frame may carry now.
func (t *sending) limit(w *lane) int {
	buffered := w.channel.BufferedAmount()
	if t.window == nil {
		if buffered > maxBuffered {
			return 0
		}
		return transfer.MaxPayload
	}
	limit := t.window.Limit(time.Now(), t.wrote, t.wrote-min(t.wrote, buffered), w.spent)
	if limit == 0 { // room is told of at once, where round trips are shorter than a tick
		w.channel.SetBufferedAmountLowThreshold(uint64(t.window.Size()) * 3 / 4)
	}
	return limit - transfer.HeaderSize
}

// tick wakes the loop while data is on the way whose arrival nothing else tells.
func (t *sending) tick(w *lane, limit int, hold bool) <-chan time.Time {
	if t.window == nil || hold || limit > 0 && w.channel.BufferedAmount() == 0 {
		return nil
	}
	return time.After(pace.Tick)
}

// send puts a frame on the wire.
func (t *sending) send(w *lane, frame []byte) error {
	t.wrote += uint64(len(frame))
	if t.window != nil {
		t.window.Wrote(time.Now(), t.wrote)
	}
	return w.cover.send(w.channel, frame, false)
}

// obeyEngine does one thing that the engine wants. The error is the channel's.
func (t *sending) obeyEngine(ctx context.Context, w *lane, a transfer.Action) error {
	switch a := a.(type) {
	case transfer.Say:
		t.wrote += uint64(len(a.Text))
		return w.cover.send(w.channel, a.Text, true)
	case transfer.Send:
		return t.send(w, a.Frame)
	case transfer.Read:
		frame, err := t.read(a)
		if err != nil {
			t.unreadable(err)
			return nil
		}
		if t.engine.Take(frame) {
			t.update(func(p *Progress) { p.Wire += int64(a.Length) })
			return t.send(w, frame)
		}
	case transfer.Accepted:
		t.heard = true
		t.flows(t.room)
		t.shift(t.room, func(p *Progress) { p.State, p.Bytes, p.Done = TransferActive, a.Held, 0 })
	case transfer.Stored:
		t.gained = true
		t.update(func(p *Progress) { p.Bytes += a.Bytes })
	case transfer.Paused:
		t.pausing(a.On)
	case transfer.Verified:
		t.gained = true
		t.update(func(p *Progress) { p.Done++ })
		if !t.told[a.File] { // it says so again on every channel
			t.told[a.File] = true
			t.room.emit(FileDone{Transfer: t.Transfer, Index: a.File, File: t.Transfer.files[a.File], Root: a.Root.String()})
		}
	case transfer.Done:
		t.end(nil)
	case transfer.Ended:
		err := a.Err
		if err == nil {
			err = t.err // why a file cannot be read
		}
		if a.Mine {
			w.linger(ctx, t.wake, func() bool { return false })
		}
		t.end(&TransferError{Reason: string(a.Reason), Mine: a.Mine, Err: err})
	default:
		panic(fmt.Sprintf("parley: a sender has no %T", a))
	}
	return nil
}
