package parley

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

// forgetOffer is how long an offer that nobody answered is kept for a sender who is away.
const forgetOffer = time.Minute

// run is all of a transfer: one channel after another until it is over.
func (t *receiving) run(ctx context.Context) {
	t.left = time.Now()
	for !t.over {
		if w := t.await(ctx); w != nil {
			t.carry(ctx, w)
			w.close()
			t.left = time.Now()
		}
	}
	if t.parts != nil {
		if t.useless() {
			t.parts.remove()
		} else {
			t.parts.close()
		}
	}
	t.room.post(func(s *state) {
		s.rests(t, true)
		if t.err == nil && t.name != "" {
			s.files.remember(past{t.id, listDigest(t.offer.Files), t.settled})
		}
		if late := t.newer(); late != nil { // it came after settle looked
			s.delivers(late)
		}
	})
	t.ends(t.room, t.err)
	t.settle(t.err)
	if t.name != "" { // otherwise nobody was told of it
		t.room.emit(TransferEnded{Transfer: t.Transfer, Err: t.err})
	}
}

// useless reports whether what arrived serves no other try.
func (t *receiving) useless() bool {
	var ended *TransferError
	if !errors.As(t.err, &ended) {
		return t.err == nil
	}
	switch transfer.Reason(ended.Reason) {
	case transfer.Cancelled, transfer.Changed, transfer.Corrupt:
		return true
	}
	return false
}

// await waits for the next channel; nil when something else happened.
func (t *receiving) await(ctx context.Context) *lane {
	if w := t.newer(); w != nil {
		return w
	}
	t.room.post(func(s *state) { s.rests(t, false) })
	var forget <-chan time.Time
	if t.dir == "" {
		forget = time.After(time.Until(t.left.Add(forgetOffer)))
	}
	select {
	case <-t.wake:
		t.listen()
	case <-forget:
		t.end(&TransferError{Reason: string(transfer.Gone)})
	case <-ctx.Done():
		t.end(ErrClosed)
	}
	return nil
}

// replaced reports whether a newer channel waits.
func (t *receiving) replaced() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next != nil
}

// listen does what the user asked for.
func (t *receiving) listen() {
	for _, o := range t.obey() {
		switch o.kind {
		case orderAccept:
			if t.dir == "" {
				t.dir = o.dir
			}
		case orderAbandon:
			t.end(errAbandoned)
		case orderRefuse:
			t.finish(transfer.Declined, func(e *transfer.Receiver) { e.Refuse(transfer.Declined) })
		case orderCancel:
			t.finish(transfer.Cancelled, func(e *transfer.Receiver) { e.Cancel(transfer.Cancelled) })
		case orderPause, orderGoOn:
			t.paused = o.kind == orderPause
			if t.engine != nil {
				t.engine.Pause(t.paused)
				t.pausing(t.paused)
			}
		}
	}
}

// finish ends the transfer by our own wish, over the channel if there is one.
func (t *receiving) finish(reason transfer.Reason, say func(*transfer.Receiver)) {
	if t.engine != nil && t.offered {
		say(t.engine)
		return
	}
	t.end(&TransferError{Reason: string(reason), Mine: true})
}

func (t *receiving) pausing(on bool) {
	t.shift(t.room, func(p *Progress) {
		switch {
		case on && p.State == TransferActive:
			p.State = TransferPaused
		case !on && p.State == TransferPaused:
			p.State = TransferActive
		}
	})
}

// carry receives over one channel until it is lost, or replaced, or the transfer is over.
func (t *receiving) carry(ctx context.Context, w *lane) {
	t.engine, t.offered = &transfer.Receiver{}, false
	defer func() {
		t.engine = nil
		if !t.over && t.dir != "" {
			t.shift(t.room, func(p *Progress) { p.State = TransferWaiting })
		}
	}()
	accepted := false
	w.hear(t.rouse)
	limit := time.NewTimer(describePatience)
	defer limit.Stop()
	for !t.over {
		t.listen()
		opened, closed, flooded := w.state()
		if t.busy && opened {
			t.engine.Refuse(transfer.Busy)
		}
		if t.offered && !accepted && t.dir != "" {
			accepted = t.accept(ctx)
		}
		if a := t.engine.Next(); a != nil {
			t.obeyEngine(ctx, w, a)
			continue
		}
		if t.hear(w) {
			continue
		}
		if flooded && !t.over {
			t.engine.Cancel(transfer.Fault)
			continue
		}
		if closed || t.replaced() { // what came over it was handled
			return
		}
		select {
		case <-t.wake:
		case <-limit.C:
			if !t.offered { // it opened a channel and says nothing, or not all
				t.engine.Refuse(transfer.BadOffer)
			}
		case <-ctx.Done():
			t.end(ErrClosed)
		}
	}
}

// hear hands the engine the next frame; false when there is none.
func (t *receiving) hear(w *lane) bool {
	m, ok := w.take()
	switch {
	case !ok:
		return false
	case m.IsString:
		t.engine.Text(m.Data)
	default:
		t.engine.Data(m.Data)
	}
	return true
}

// accept asks for what is missing, as soon as it is this transfer's turn.
func (t *receiving) accept(ctx context.Context) bool {
	if mine, ok := inRoom(ctx, t.room, func(s *state) bool { s.mayRun(t); return t.active }); !ok || !mine {
		return false // the turn's coming rouses us
	}
	held, err := t.keep()
	if err != nil {
		t.room.options.Log.Warn("files cannot be kept", "dir", t.dir, "err", err)
		reason := full(err)
		if reason == transfer.Fault {
			reason = transfer.Declined
		}
		t.err = err
		t.engine.Refuse(reason)
		return true
	}
	t.shift(t.room, func(p *Progress) { p.State, p.Bytes = TransferActive, held })
	t.engine.Accept(!t.room.options.Single)
	if t.paused {
		t.engine.Pause(true)
		t.pausing(true)
	}
	t.flows(t.room)
	return true
}

// keep opens the folder and tells the engine what is there already.
func (t *receiving) keep() (held int64, err error) {
	if t.parts == nil {
		if t.parts, _, err = openParts(t.dir, t.id, t.offer.Name, t.offer.Files, time.Now()); err != nil {
			return 0, err
		}
	}
	for i, s := range t.parts.known {
		for c, h := range s.chunks {
			t.engine.Hold(i, c, h)
			held += int64(t.offer.Files[i].ChunkLength(c))
		}
	}
	if free, ok := space(t.dir); ok && free < uint64(t.offer.Total()-held) {
		return 0, fmt.Errorf("parley: %w: %d bytes are missing, %d are free", errNoSpace, t.offer.Total()-held, free)
	}
	return held, nil
}

// obeyEngine does one thing that the engine wants.
func (t *receiving) obeyEngine(ctx context.Context, w *lane, a transfer.Action) {
	var err error
	switch a := a.(type) {
	case transfer.Say:
		_ = w.cover.send(w.channel, a.Text, true) // a channel that is lost says so by itself, and what came over it counts
	case transfer.Offered:
		t.proposed(ctx, a.Offer)
	case transfer.Write:
		t.update(func(p *Progress) { p.Wire += int64(len(a.Data)) })
		err = t.parts.write(a.File, a.At, a.Data)
	case transfer.Store:
		if err = t.parts.store(a.File, a.Chunk, a.Hash); err == nil {
			t.update(func(p *Progress) { p.Bytes += int64(t.offer.Files[a.File].ChunkLength(a.Chunk)) })
			t.engine.Stored(a.File, a.Chunk)
		}
	case transfer.Finish:
		var path string
		if path, err = t.parts.finish(a.File, a.Root); err == nil {
			t.engine.Finished(a.File)
			_, told := t.settled[a.File] // on an earlier channel
			t.settled[a.File] = mark{a.Digest, a.Root}
			t.update(func(p *Progress) { p.Done++ })
			if !told {
				t.room.emit(FileDone{Transfer: t.Transfer, Index: a.File, File: t.files[a.File], Root: a.Root.String(), Path: path})
			}
		}
	case transfer.Paused:
		t.pausing(a.On)
	case transfer.Done:
		w.linger(ctx, t.wake, t.replaced) // the sender has to hear that everything arrived
		t.end(nil)
	case transfer.Ended:
		why := a.Err
		if why == nil {
			why = t.err
		}
		if a.Mine {
			w.linger(ctx, t.wake, t.replaced)
		}
		t.end(&TransferError{Reason: string(a.Reason), Mine: a.Mine, Err: why})
	default:
		panic(fmt.Sprintf("parley: a receiver has no %T", a))
	}
	if err != nil {
		t.err = err
		t.engine.Cancel(full(err))
	}
}

// proposed handles an offer: of a new transfer, or once more of one that was accepted.
func (t *receiving) proposed(ctx context.Context, o transfer.Offer) {
	t.offered = true
	t.shift(t.room, func(p *Progress) { p.State, p.Done = TransferOffered, 0 })
	switch {
	case t.name == "" && len(t.files) == 0:
		if t.arrived(ctx, o) {
			return
		}
		if may, _ := inRoom(ctx, t.room, func(s *state) bool { return s.mayAsk(t) }); !may {
			t.engine.Refuse(transfer.Busy)
			return
		}
		t.offer = o
		if o.Name == "" {
			t.offer.Name = o.Files[0].Path
		}
		t.describe(t.offer)
		t.room.emit(FilesOffered{Offer: &FileOffer{Transfer: t.Transfer, Again: o.Again}})
	case listDigest(o.Files) != listDigest(t.offer.Files):
		t.engine.Cancel(transfer.Changed)
	}
}

// arrived answers the sender of a transfer of which everything arrived before, and who missed the last word. Nobody is
// asked or told again.
func (t *receiving) arrived(ctx context.Context, o transfer.Offer) bool {
	before, _ := inRoom(ctx, t.room, func(s *state) *past { return s.files.settled(t.id) })
	if before == nil || before.list != listDigest(o.Files) {
		return false
	}
	for i, m := range before.files {
		t.engine.Settle(i, m.digest, m.root)
	}
	t.engine.Accept(false)
	return true
}
