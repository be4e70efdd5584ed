package parley

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/keyring"
)

// Room is a session about one room: first in front of its door (Dial), then inside (Join), until Leave or Close.
type Room struct {
	opened *request // the session
	cmds   chan func(*state)
	events chan Event
	stop   context.CancelFunc // asks the owner to end, and gives up on a reader of events who is gone
	over   chan struct{}      // closed when the owner has ended
	done   chan struct{}      // closed when nothing of the room runs any more
}

// Dial opens a session in front of the room that link leads to, and warms the way up: to the server, and, where the
// room allows it, to the people inside. It sends no media and takes no seat. The room outlives ctx.
func Dial(ctx context.Context, link string, options Options) (*Room, error) {
	a, err := parseAddress(link)
	if err != nil {
		return nil, err
	}
	if err := options.validate(); err != nil {
		return nil, err
	}
	if options.Encrypt && a.key == "" {
		if a.key, err = keyring.NewKey(rand.Reader); err != nil {
			return nil, fmt.Errorf("parley: %w", err)
		}
		a.made = true
	}
	o := options.withDefaults()
	kit, err := newKit(a, o, nil)
	if err != nil {
		return nil, err
	}
	r := newRoom(a, o, kit, newConnector(a, o).open)
	if err := r.opened.wait(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// newRoom starts the owner of a room.
func newRoom(a address, o Options, kit *kit, connect func(context.Context) (*socket, error)) *Room {
	life, stop := context.WithCancel(context.Background())
	r := &Room{
		cmds: make(chan func(*state)), events: make(chan Event, 16),
		stop: stop, over: make(chan struct{}), done: make(chan struct{}),
	}
	s := newState(life, a, o, kit, connect)
	r.opened = s.opened
	var running sync.WaitGroup
	running.Go(func() {
		defer close(r.over)
		s.run(r.cmds)
	})
	running.Go(func() { s.events.pump(r.events, life.Done()) })
	go func() {
		running.Wait()
		close(r.done)
	}()
	return r
}

// Join opens the room that link leads to, takes a seat as options say, and returns when it has one: see Room.Join.
func Join(ctx context.Context, link string, options Options) (*Room, error) {
	r, err := Dial(ctx, link, options)
	if err != nil {
		return nil, err
	}
	if err := r.Join(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Join takes a seat. In a room with a waiting room it waits to be admitted (event Waiting). The error is *Refused when
// the server or a host says no. When ctx ends first, the place is given up.
func (r *Room) Join(ctx context.Context) error {
	var q *request
	if err := r.do(ctx, func(s *state) error {
		var err error
		q, err = s.join()
		return err
	}); err != nil {
		return err
	}
	err := q.wait(ctx)
	if err != nil && ctx.Err() != nil {
		_ = r.Leave(context.WithoutCancel(ctx)) // fails only when the room is closed, which gives the place up too
	}
	return err
}

// Leave gives the seat up. The session stays in front of the door: Join takes a new seat.
func (r *Room) Leave(ctx context.Context) error {
	return r.do(ctx, func(s *state) error { return s.leave() })
}

// Close ends the session and everything that belongs to it, and returns when nothing runs any more. A seat that was not
// left is kept by the server for its window, as after a lost network. Close may be called more than once.
func (r *Room) Close() {
	r.stop()
	<-r.done
}

// Done is closed when the room is over, for whatever reason.
func (r *Room) Done() <-chan struct{} { return r.over }

// Events returns the channel of events, always the same one. It is closed at the end; the last event is Ended.
func (r *Room) Events() <-chan Event { return r.events }

// People returns everybody with a seat, this program included, sorted by order.
func (r *Room) People(ctx context.Context) (people []Person, err error) {
	err = r.do(ctx, func(s *state) error {
		people = s.list()
		return nil
	})
	return people, err
}

// Info returns what may be known of the room.
func (r *Room) Info(ctx context.Context) (info Info, err error) {
	err = r.do(ctx, func(s *state) error {
		info = s.info()
		return nil
	})
	return info, err
}

// Seat returns the token that takes the same seat again in a new session (Options.Seat), "" without a seat.
func (r *Room) Seat(ctx context.Context) (token string, err error) {
	err = r.do(ctx, func(s *state) error {
		token = s.token
		return nil
	})
	return token, err
}

// Chat says text to everybody with a seat, at most 4000 bytes of UTF-8. It returns the message's id when the message
// is on its way; the event Chat with that id says that it arrived. A broken socket loses and doubles nothing.
func (r *Room) Chat(ctx context.Context, text string) (id string, err error) {
	if text == "" || len(text) > signal.MaxChat {
		return "", fmt.Errorf("parley: a chat message of %d bytes: between 1 and %d are allowed", len(text), signal.MaxChat)
	}
	err = r.do(ctx, func(s *state) error {
		id, err = s.chat(text)
		return err
	})
	return id, err
}

// Publish sends media as source from now on, in real time, to everybody in the room, and turns the source on. It
// replaces what the source showed before. The room owns media and closes it. At its end the source is turned off.
func (r *Room) Publish(ctx context.Context, source Source, media Media) error {
	return r.do(ctx, func(s *state) error { return s.publish(source, media) })
}

// Unpublish stops what Publish began.
func (r *Room) Unpublish(ctx context.Context, source Source) error {
	return r.do(ctx, func(s *state) error { return s.unpublish(source) })
}

// Media turns published sources on and off; a source that is off sends nothing. Sources that are not published stay off.
func (r *Room) Media(ctx context.Context, on MediaState) error {
	return r.do(ctx, func(s *state) error { return s.media(on) })
}

// Stats returns the counters of every link and track since they began.
func (r *Room) Stats(ctx context.Context) (stats Stats, err error) {
	err = r.do(ctx, func(s *state) error {
		stats = s.stats()
		return nil
	})
	return stats, err
}

// Lock locks or unlocks the room. Hosts only, as all of the following; the error is *Refused for others.
func (r *Room) Lock(ctx context.Context, on bool) error {
	return r.ask(ctx, &signal.Lock{On: on})
}

// WaitingRoom turns the waiting room on or off; off admits whoever waits.
func (r *Room) WaitingRoom(ctx context.Context, on bool) error {
	return r.ask(ctx, &signal.WaitingRoom{On: on})
}

// Admit lets somebody in who waits.
func (r *Room) Admit(ctx context.Context, seat string) error {
	return r.ask(ctx, &signal.Admit{Seat: seat})
}

// Mute turns off a source of somebody else, who alone can turn it on again.
func (r *Room) Mute(ctx context.Context, seat string, source Source) error {
	return r.ask(ctx, &signal.Mute{Seat: seat, Source: source})
}

// Remove sends somebody out of the room, or refuses somebody who waits.
func (r *Room) Remove(ctx context.Context, seat string) error {
	return r.ask(ctx, &signal.Remove{Seat: seat})
}

// ask sends a request that is only answered when it is refused, and waits until the server has handled it.
func (r *Room) ask(ctx context.Context, m signal.Message) error {
	var q *request
	if err := r.do(ctx, func(s *state) error {
		q = newRequest()
		return s.request(m, q)
	}); err != nil {
		return err
	}
	return q.wait(ctx)
}

// do runs f in the owner's goroutine.
func (r *Room) do(ctx context.Context, f func(*state) error) error {
	res := make(chan error, 1)
	select {
	case r.cmds <- func(s *state) { res <- f(s) }: // unbuffered: accepted means that it runs
		select {
		case err := <-res:
			return err
		case <-r.over:
		}
		select { // it may have been what ended the room
		case err := <-res:
			return err
		default:
			return ErrClosed
		}
	case <-r.over:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// request is something whose outcome somebody waits for. The owner settles it once.
type request struct {
	done    chan struct{}
	err     error // valid once done is closed
	settled bool
}

func newRequest() *request { return &request{done: make(chan struct{})} }

// wait waits until the request is settled. Unlike the owner, it still answers when the room is over.
func (q *request) wait(ctx context.Context) error {
	select {
	case <-q.done:
		return q.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *request) settle(err error) {
	if q.settled {
		return
	}
	q.settled, q.err = true, err
	close(q.done)
}
