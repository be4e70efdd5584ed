package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// Receive is `parley receive`: it takes the files that somebody in a room sends.
type Receive struct {
	Link  string `arg:"" help:"Link of the room, as parley send prints it. With - it is read from standard input, so that a secret in it stays out of the list of processes."`
	To    string `default:"." type:"existingdir" placeholder:"DIR" help:"Folder for the files. What is in it is never overwritten; what an earlier receive began in it is gone on with."`
	Yes   bool   `help:"Take the files without asking."`
	Stay  bool   `help:"Go on for what comes next, until Ctrl-C."`
	reach `embed:""`
}

// Run receives until the files are there, or ctx ends.
func (c *Receive) Run(ctx context.Context, w *World) error {
	link, err := (&Call{URL: c.Link}).link(w.Stdin)
	if err != nil {
		return err
	}
	options, err := c.options("parley-receive")
	if err != nil {
		return err
	}
	guest, _, _ := strings.Cut(link, "#")
	memory := newMemory(w, "receive", guest, c.To)
	options.Seat = memory.kept.Seat
	room, err := parley.Join(ctx, link, options)
	if err != nil {
		return advise(err)
	}
	defer room.Close()
	memory.sits(ctx, room)
	t := &taker{room: room, dir: c.To, yes: c.Yes, stay: c.Stay, show: newShow(w.Stdout, c.JSON, w.Terminal), answers: make(chan answer)}
	if w.Terminal && !c.JSON && c.Link != "-" {
		t.ask = bufio.NewReader(w.Stdin)
	}
	err = t.run(ctx)
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	_ = room.Leave(leaving) // it may be over already
	memory.left()
	room.Close()
	t.show.close()
	if errors.Is(err, errStopped) {
		if len(t.from) > 0 {
			t.show.stopped("To go on, with what has arrived kept: the same command again.")
			return errors.New("not everything has arrived")
		}
		return nil
	}
	return advise(err)
}

// taker takes what is offered in a room: one goroutine that follows the room's events.
type taker struct {
	room    *parley.Room
	dir     string
	yes     bool
	stay    bool
	show    *show
	ask     *bufio.Reader // nil when nobody can be asked
	answers chan answer
	from    map[string]*parley.Transfer // by id, accepted
	asked   bool                        // a question is open
	queue   []*parley.FileOffer
}

type answer struct {
	offer *parley.FileOffer
	yes   bool
}

func (t *taker) run(ctx context.Context) error {
	t.from = make(map[string]*parley.Transfer)
	people, err := t.room.People(ctx)
	if err != nil {
		return err
	}
	if len(people) < 2 {
		t.show.alone()
	}
	tick := time.NewTicker(t.show.every)
	defer tick.Stop()
	for {
		select {
		case e, ok := <-t.room.Events():
			if !ok {
				return parley.ErrClosed
			}
			if over, err := t.event(e); err != nil || over {
				return err
			}
		case a := <-t.answers:
			t.asked = false
			if err := t.decide(a.offer, a.yes); err != nil {
				return err
			}
		case <-tick.C:
			t.show.progress(t.from)
		case <-ctx.Done():
			return errStopped
		}
		if err := t.question(); err != nil {
			return err
		}
	}
}

// event handles one; over is true when the work is done.
func (t *taker) event(e parley.Event) (over bool, err error) {
	switch e := e.(type) {
	case parley.FilesOffered:
		t.show.proposed(e.Offer)
		if t.yes || e.Offer.Known(t.dir) {
			return false, t.decide(e.Offer, true)
		}
		t.queue = append(t.queue, e.Offer)
	case parley.TransferChanged:
		t.show.changed(e)
	case parley.FileDone:
		t.show.done(e)
	case parley.Departed:
		t.show.left(e.Person, parley.Progress{})
	case parley.TransferEnded:
		return t.ended(e)
	case parley.Trouble:
		t.show.trouble(e.Err)
	case parley.Ended:
		return true, e.Err
	}
	return false, nil
}

func (t *taker) ended(e parley.TransferEnded) (over bool, err error) {
	person := e.Transfer.With()
	if t.from[e.Transfer.ID()] != e.Transfer {
		return false, nil // it was not accepted
	}
	delete(t.from, e.Transfer.ID())
	t.show.ended(person, e)
	if t.stay {
		return false, nil
	}
	if e.Err != nil {
		return true, e.Err
	}
	return len(t.from) == 0, nil
}

// decide answers an offer.
func (t *taker) decide(o *parley.FileOffer, yes bool) error {
	if !yes {
		o.Refuse()
		if t.stay {
			return nil
		}
		return errors.New("you declined the files")
	}
	t.from[o.ID()] = o.Transfer
	return o.Accept(t.dir)
}

// question asks about the next offer, if no question is open.
func (t *taker) question() error {
	if t.asked || len(t.queue) == 0 {
		return nil
	}
	o := t.queue[0]
	t.queue = t.queue[1:]
	if t.ask == nil {
		o.Refuse()
		return errors.New("nobody can be asked here whether to take the files: add --yes")
	}
	t.asked = true
	t.show.ask(o, t.dir)
	answers, done := t.answers, t.room.Done()
	go func() {
		line, err := t.ask.ReadString('\n')
		line = strings.ToLower(strings.TrimSpace(line))
		select {
		case answers <- answer{o, err == nil && (line == "y" || line == "yes")}:
		case <-done:
		}
	}()
	return nil
}

// size says a number of bytes to a person.
func size(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	div, exp := int64(unit), 0
	for m := n / unit; m >= unit; m /= unit {
		div *= unit
		exp++
	}
	return fmt.Sprintf("%.1f %cB", float64(n)/float64(div), "kMGTPE"[exp])
}
