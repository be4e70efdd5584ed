package cli

import (
	"context"
	"strings"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// callShow is one run of `parley call`: one goroutine that turns events and seconds into lines.
type callShow struct {
	link   string // that we join by
	room   *parley.Room
	print  *callPrinter
	record *callRecorder
	before parley.Stats
	most   int // pictures that are taken; negative for as many as there are by themselves
}

// run joins and follows the room until ctx ends, the time is over, or the room is.
func (w *callShow) run(ctx context.Context, c *Call) error {
	joined := make(chan error, 1)
	go func() {
		err := c.publish(ctx, w.room)
		if err == nil {
			err = w.room.Join(ctx)
		}
		joined <- err
	}()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var over <-chan time.Time
	for {
		select {
		case err := <-joined:
			if err != nil {
				return err
			}
			joined = nil
			if c.Encrypt {
				w.invite(ctx)
			}
			if c.Duration > 0 {
				timer := time.NewTimer(c.Duration)
				defer timer.Stop()
				over = timer.C
			}
		case e, ok := <-w.room.Events():
			if !ok {
				return nil
			}
			if ended, last := e.(parley.Ended); last {
				w.print.event(e)
				return ended.Err
			}
			w.event(ctx, e)
		case <-second.C:
			if err := w.quality(ctx); err != nil {
				return err
			}
		case <-over:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// invite prints the link of a room that we encrypted: nobody else can know it.
func (w *callShow) invite(ctx context.Context) {
	info, err := w.room.Info(ctx)
	if err != nil || info.Key == "" {
		return // the room is over
	}
	link, _, _ := strings.Cut(w.link, "#")
	w.print.invitation(withKey(link, info.Key))
}

func (w *callShow) event(ctx context.Context, e parley.Event) {
	if e, ok := e.(parley.TrackAdded); ok {
		path, err := w.record.add(e.Track)
		if err != nil {
			w.print.event(parley.Trouble{Err: err})
		} else if path != "" {
			w.print.recording(e.Track, path)
		}
	}
	w.print.event(e)
	switch e.(type) {
	case parley.Seated, parley.Arrived, parley.Updated, parley.Departed:
		if w.most >= 0 {
			w.choose(ctx)
		}
	}
}

// choose says which pictures are to come: those of the first people who send any.
func (w *callShow) choose(ctx context.Context) {
	people, err := w.room.People(ctx)
	if err != nil {
		return // the room is over
	}
	var wants []parley.Want
	for _, p := range people {
		if !p.Me && p.Media.Camera && len(wants) < w.most {
			wants = append(wants, parley.Want{Seat: p.ID, Source: parley.Camera})
		}
	}
	if err := w.room.Show(ctx, wants...); err != nil && ctx.Err() == nil {
		w.print.event(parley.Trouble{Err: err})
	}
}

// quality prints what the last second brought.
func (w *callShow) quality(ctx context.Context) error {
	stats, err := w.room.Stats(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	for _, link := range stats.Links {
		w.print.quality(link, w.earlier(link.Person.ID), stats.At.Sub(w.before.At))
	}
	w.before = stats
	return nil
}

// earlier returns the counters of a second ago.
func (w *callShow) earlier(seat string) parley.LinkStats {
	for _, link := range w.before.Links {
		if link.Person.ID == seat {
			return link
		}
	}
	return parley.LinkStats{}
}
