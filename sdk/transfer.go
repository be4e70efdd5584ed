package parley

import (
	"context"
	"fmt"
	"sync"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

// TransferState says where a transfer stands.
type TransferState string

// The states.
const (
	TransferWaiting TransferState = "waiting" // for the other person, or for a connection with them
	TransferOffered TransferState = "offered" // the other person, or this program, has to accept
	TransferActive  TransferState = "active"
	TransferPaused  TransferState = "paused"
	TransferDone    TransferState = "done"
	TransferFailed  TransferState = "failed"
)

// Progress is where a transfer stands at one moment.
type Progress struct {
	State TransferState
	// Bytes is how much of Total is safe at the receiver.
	Bytes, Total int64
	// Done is how many of the Files are.
	Done, Files int
	// Wire is how many bytes of files this program sent or got on the wire for it, repeated ones included.
	Wire int64
	// Bulk is true while it runs on a link of its own.
	Bulk bool
}

// TransferError is why a transfer did not carry everything.
type TransferError struct {
	// Reason is for programs: declined, too-large, no-space, busy, bad-offer, cancelled, changed, corrupt, gone, fault or
	// unanswered.
	Reason string
	// Mine is true when this side ended it.
	Mine bool
	// Err says more; it may be nil.
	Err error
}

func (e *TransferError) Error() string {
	who := "the other side"
	if e.Mine {
		who = "this side"
	}
	if e.Err != nil {
		return fmt.Sprintf("parley: the transfer was ended by %s (%s): %v", who, e.Reason, e.Err)
	}
	return fmt.Sprintf("parley: the transfer was ended by %s: %s", who, e.words())
}

func (e *TransferError) words() string {
	switch transfer.Reason(e.Reason) {
	case transfer.Declined:
		return "declined"
	case transfer.NoSpace:
		return "there is no room for the files"
	case transfer.TooLarge:
		return "the files are too large"
	case transfer.Busy:
		return "too many transfers at once; try again later"
	case transfer.Changed:
		return "the file is not the same any more"
	case transfer.Corrupt:
		return "what arrived is not what was sent"
	case transfer.Gone:
		return "the file is gone"
	case transfer.BadOffer:
		return "the offer was refused as it stands"
	case transfer.Cancelled:
		return "cancelled"
	case transfer.Unanswered:
		return "it closes every channel for files without a word"
	}
	return e.Reason
}

func (e *TransferError) Unwrap() error { return e.Err }

// Transfer is a list of files on its way to or from one person. It outlives lost connections: as long as the room is
// open it goes on by itself when the other side is there again. Its methods may be called from any goroutine.
type Transfer struct {
	id       string
	incoming bool
	name     string
	files    []File
	done     chan struct{}
	wake     chan struct{}
	mu       sync.Mutex
	with     Person
	progress Progress
	orders   []order
	next     *lane // a new channel that waits to be taken up
	err      error
	record   record // of the transfer's own goroutine
}

// order is something that the user asks of a transfer.
type order struct {
	kind orderKind
	dir  string // to accept into
}

type orderKind int

const (
	orderPause orderKind = iota
	orderGoOn
	orderCancel
	orderAccept
	orderRefuse
	orderAbandon
)

func newTransfer(id string, with Person, incoming bool) *Transfer {
	return &Transfer{
		id: id, incoming: incoming, with: with, done: make(chan struct{}), wake: make(chan struct{}, 1),
		progress: Progress{State: TransferWaiting},
	}
}

// describe says what is carried, once it is known and before others see the transfer.
func (t *Transfer) describe(o transfer.Offer) {
	t.name, t.files = o.Name, filesOf(o.Files)
	t.update(func(p *Progress) { p.Total, p.Files = o.Total(), len(o.Files) })
}

// update changes the progress.
func (t *Transfer) update(f func(*Progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.progress)
}

// shift changes the progress, and tells when the state is another one now.
func (t *Transfer) shift(s *state, f func(*Progress)) {
	t.mu.Lock()
	before := t.progress.State
	f(&t.progress)
	now := t.progress
	t.mu.Unlock()
	if now.State != before {
		s.emit(TransferChanged{Transfer: t, Progress: now})
	}
}

// rouse makes the transfer's goroutine look around.
func (t *Transfer) rouse() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *Transfer) order(o order) {
	t.mu.Lock()
	t.orders = append(t.orders, o)
	t.mu.Unlock()
	t.rouse()
}

// obey returns what the user asked for since.
func (t *Transfer) obey() []order {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.orders
	t.orders = nil
	return list
}

// settle is the end.
func (t *Transfer) settle(err error) {
	t.mu.Lock()
	t.err = err
	t.progress.State = TransferDone
	if err != nil {
		t.progress.State = TransferFailed
	}
	late := t.next
	t.next = nil
	t.mu.Unlock()
	if late != nil {
		late.close()
	}
	close(t.done)
}

// newer takes the channel that waits to be taken up, nil when there is none.
func (t *Transfer) newer() *lane {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.next
	t.next = nil
	return w
}

// ID names the transfer; the same id given to SendFiles later goes on with it.
func (t *Transfer) ID() string { return t.id }

// Incoming is true when the files come to this program.
func (t *Transfer) Incoming() bool { return t.incoming }

// Name says in a few words what is carried.
func (t *Transfer) Name() string { return t.name }

// Files is what is carried.
func (t *Transfer) Files() []File { return t.files }

// With is the other person, as they were when the transfer last began on a connection.
func (t *Transfer) With() Person {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.with
}

// Progress says where it stands.
func (t *Transfer) Progress() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.progress
}

// Pause stops the data, or lets it go on. The other side is told.
func (t *Transfer) Pause(on bool) {
	if on {
		t.order(order{kind: orderPause})
	} else {
		t.order(order{kind: orderGoOn})
	}
}

// Abandon ends the transfer here and says nothing: the other side keeps what arrived, and the same id goes on with it.
func (t *Transfer) Abandon() { t.order(order{kind: orderAbandon}) }

// Cancel ends the transfer. The other side is told, and what arrived of unfinished files is deleted.
func (t *Transfer) Cancel() { t.order(order{kind: orderCancel}) }

// Done is closed when the transfer is over.
func (t *Transfer) Done() <-chan struct{} { return t.done }

// Err is nil while it runs and when everything arrived; otherwise why it ended, such as a *TransferError. A transfer that
// ended with its room (ErrClosed) can go on in another.
func (t *Transfer) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Wait waits for the end and returns Err.
func (t *Transfer) Wait(ctx context.Context) error {
	select {
	case <-t.done:
		return t.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
