package parley

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

const (
	// maxAsking is how many offers of one person may wait for an answer, maxIncoming how many transfers of one person
	// there may be, and maxActive how many of those get data at the same time.
	maxAsking   = 4
	maxIncoming = 16
	maxActive   = 2
	// maxOffers is how many offers of one person are heard within offersIn: one after the other, each withdrawn, they would
	// keep whoever is asked busy.
	maxOffers = 60
	offersIn  = time.Minute
	// describePatience is how long a sender may take to say what it offers.
	describePatience = 30 * time.Second
	// maxPast is how many transfers that are over are remembered, so that a sender who missed the last word hears it.
	maxPast = 16
)

// FileOffer is what somebody wants to send.
type FileOffer struct {
	// Transfer tells of the files, and of their way once they are accepted.
	*Transfer
	// Again is true when the sender says that this is a transfer that was begun before.
	Again bool
}

// Accept takes the files into the folder dir, which must exist. What an earlier time brought of the same transfer, in
// this folder, is not sent again. A name that is taken gets a number; nothing is overwritten.
func (o *FileOffer) Accept(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("parley: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("parley: %s is not a folder", dir)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("parley: %w", err)
	}
	o.order(order{kind: orderAccept, dir: dir})
	return nil
}

// Refuse says no.
func (o *FileOffer) Refuse() { o.order(order{kind: orderRefuse}) }

// Known reports whether a part of this very transfer is in dir: it was accepted before.
func (o *FileOffer) Known(dir string) bool { return partsKnown(dir, o.id, time.Now()) }

// receiving is the goroutine of a transfer that receives.
type receiving struct {
	*Transfer
	room    *state
	asking  bool // an answer of the user is missing; the owner counts it
	active  bool // the owner gave it leave to get data
	dir     string
	offer   transfer.Offer
	parts   *parts
	engine  *transfer.Receiver
	offered bool         // on this channel
	busy    bool         // the person has too many transfers: it is refused, whatever it is
	paused  bool         // by the user
	left    time.Time    // when the newest channel ended
	settled map[int]mark // the files that are in their places
	over    bool
	err     error
}

// mark is what is remembered of a file that is in its place.
type mark struct{ digest, root transfer.Hash }

// past is an incoming transfer of which everything arrived.
type past struct {
	id    string
	list  string // listDigest of its files
	files map[int]mark
}

// traffic is the transfers of a room. The owner owns it.
type traffic struct {
	bulks    map[string]*bulk      // by id
	refusals map[string]remake     // links for bulk that did not come up, by session: when to try again
	incoming map[string]*receiving // by the id of the transfer
	outgoing map[*sending]bool
	past     []past          // oldest first
	offers   map[string]made // that a person made lately, by seat
}

// settled finds an incoming transfer of which everything arrived; nil when there is none.
func (f *traffic) settled(id string) *past {
	for i := range f.past {
		if f.past[i].id == id {
			return &past{id, f.past[i].list, f.past[i].files}
		}
	}
	return nil
}

// remember keeps what answers a sender who missed the last word.
func (f *traffic) remember(p past) {
	if len(f.past) >= maxPast {
		f.past = slices.Delete(f.past, 0, 1)
	}
	f.past = append(f.past, p)
}

func newTraffic() traffic {
	return traffic{
		bulks: make(map[string]*bulk), refusals: make(map[string]remake), incoming: make(map[string]*receiving), outgoing: make(map[*sending]bool),
		offers: make(map[string]made),
	}
}

// openTraffic begins to take the channels of those who send files.
func (s *state) openTraffic() { s.data.accept(transfer.Protocol, s.filed) }

// rouse wakes the transfers that wait for a link.
func (s *state) rouse() {
	for t := range s.files.outgoing {
		t.rouse()
	}
}

// filed takes a channel that somebody opened to send files.
func (s *state) filed(peer string, channel *webrtc.DataChannel) (closed func()) {
	seat, hub := strings.CutPrefix(peer, seatPrefix)
	w := newLane(channel, peer, s.data.covers.Load().over(channel, seat, hub))
	s.post(func(s *state) { s.delivers(w) })
	return w.ended
}

// delivers finds the transfer that a channel belongs to, or begins it. It is the owner's.
func (s *state) delivers(w *lane) {
	seat, id := s.sits(w.peer), w.channel.Label()
	if seat == nil || s.me == "" || !validTransferID(id) {
		w.close()
		return
	}
	person := s.person(seat)
	t := s.files.incoming[id]
	if t == nil {
		n := 0
		for _, other := range s.files.incoming {
			if other.With().ID == person.ID {
				n++
			}
		}
		t = &receiving{Transfer: newTransfer(id, person, true), room: s, busy: n >= maxIncoming, settled: make(map[int]mark)}
		s.files.incoming[id] = t
		s.running.Go(func() { t.run(s.work) })
	}
	t.mu.Lock()
	t.with = person
	older := t.next
	t.next = w
	t.mu.Unlock()
	if older != nil {
		older.close()
	}
	t.rouse()
}

// mayAsk counts the offers of a person that wait for an answer. It is the owner's.
func (s *state) mayAsk(t *receiving) bool {
	n := 0
	for _, other := range s.files.incoming {
		if other.asking && other.With().ID == t.With().ID {
			n++
		}
	}
	t.asking = n < maxAsking && count(s.files.offers, t.With().ID, s.now, offersIn) <= maxOffers
	return t.asking
}

// mayRun gives a transfer leave to get data. It is the owner's.
func (s *state) mayRun(t *receiving) {
	t.asking = false
	n := 0
	for _, other := range s.files.incoming {
		if other.active && other.With().ID == t.With().ID {
			n++
		}
	}
	if n < maxActive {
		t.active = true
		t.rouse()
	}
}

// rests takes the leave back: others wait for it. It is the owner's. Whoever had nothing to give back wakes nobody:
// transfers that wait for their senders would wake each other without an end.
func (s *state) rests(t *receiving, gone bool) {
	freed := t.active || t.asking || gone
	t.active, t.asking = false, false
	if gone && s.files.incoming[t.id] == t {
		delete(s.files.incoming, t.id)
	}
	if !freed {
		return
	}
	for _, other := range s.files.incoming {
		if other != t {
			other.rouse()
		}
	}
}

// inRoom runs f in the owner's goroutine and waits for it; false when the room is over.
func inRoom[V any](ctx context.Context, s *state, f func(*state) V) (v V, ok bool) {
	done := make(chan V, 1)
	s.post(func(s *state) { done <- f(s) })
	select {
	case v = <-done:
		return v, true
	case <-ctx.Done():
		return v, false
	}
}

// end makes the goroutine stop.
func (t *receiving) end(err error) { t.over, t.err = true, err }

// errNoSpace is that the files do not fit.
var errNoSpace = errors.New("there is not enough room")

// full says in the protocol's word what went wrong with our disk.
func full(err error) transfer.Reason {
	if errors.Is(err, errNoSpace) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return transfer.NoSpace
	}
	return transfer.Fault
}
