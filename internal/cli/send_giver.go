package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// giver sends to whoever is in one room: one goroutine that follows the room's events.
type giver struct {
	room   *parley.Room
	files  *parley.Files
	show   *show
	stay   bool
	memory *memory
	to     map[string]*parley.Transfer // by seat
}

// run gives until somebody has everything and nobody is being served, or ctx ends.
func (g *giver) run(ctx context.Context) error {
	defer g.room.Close()
	g.to = make(map[string]*parley.Transfer)
	people, err := g.room.People(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		g.serve(ctx, p)
	}
	tick := time.NewTicker(g.show.every)
	defer tick.Stop()
	for {
		select {
		case e, ok := <-g.room.Events():
			if !ok {
				return parley.ErrClosed
			}
			over, err := g.event(ctx, e)
			if err != nil || over {
				g.leave()
				return err
			}
		case <-tick.C:
			g.show.progress(g.to)
		case <-ctx.Done():
			g.leave()
			return errStopped
		}
	}
}

// leave gives the seat up, so that the next one who comes finds place.
func (g *giver) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	_ = g.room.Leave(ctx) // it may be over already
	g.memory.left()
}

// serve offers the files to somebody who is here.
func (g *giver) serve(ctx context.Context, p parley.Person) {
	if p.Me || p.State == "waiting" || g.to[p.ID] != nil {
		return
	}
	t, err := g.room.SendFiles(ctx, p.ID, g.files, parley.SendOptions{ID: g.memory.id()})
	if err != nil {
		g.show.trouble(err)
		return
	}
	g.to[p.ID] = t
	g.show.offered(p, t)
}

// event handles one; over is true when the work is done.
func (g *giver) event(ctx context.Context, e parley.Event) (over bool, err error) {
	switch e := e.(type) {
	case parley.Seated:
		g.memory.sits(ctx, g.room)
	case parley.Arrived:
		g.serve(ctx, e.Person)
	case parley.Updated:
		g.serve(ctx, e.Person)
	case parley.Departed:
		if t := g.to[e.Person.ID]; t != nil {
			delete(g.to, e.Person.ID)
			if t.Progress().State != parley.TransferDone {
				t.Abandon()
				g.show.left(e.Person, t.Progress())
			}
		}
	case parley.TransferChanged:
		g.show.changed(e)
	case parley.FileDone:
		g.show.done(e)
	case parley.TransferEnded:
		return g.ended(e)
	case parley.Trouble:
		g.show.trouble(e.Err)
	case parley.Ended:
		return true, e.Err
	}
	return false, nil
}

// ended handles the end of a transfer.
func (g *giver) ended(e parley.TransferEnded) (over bool, err error) {
	person := e.Transfer.With()
	if g.to[person.ID] != e.Transfer {
		return false, nil // of somebody who left
	}
	delete(g.to, person.ID)
	g.show.ended(person, e)
	if e.Err == nil {
		g.memory.delivered()
		return !g.stay, nil
	}
	var why *parley.TransferError
	if !errors.As(e.Err, &why) || g.stay && (why.Reason == "declined" || why.Reason == "busy" || why.Reason == "no-space" || why.Reason == "cancelled") {
		return false, nil
	}
	return true, fmt.Errorf("%s did not get the files: %w", printable(person.Name), e.Err)
}
