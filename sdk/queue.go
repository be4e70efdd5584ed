package parley

import "sync"

// maxEvents is how many unread events a room keeps; then the oldest go.
const maxEvents = 4096

// maxPosted is how many messages may wait for the owner. They stand for packet exchanges and state changes of few
// transports, so that many mean that the owner hangs.
const maxPosted = 8192

// mailbox is a queue into the owner of a room. Its senders (callbacks of transports) must never wait for the owner, who
// may be closing the very transport; when it is full, it says so and keeps no more.
type mailbox struct {
	mu    sync.Mutex
	items []func(*state)
	over  bool          // something was lost
	ready chan struct{} // holds one token while there are items
}

func newMailbox() *mailbox { return &mailbox{ready: make(chan struct{}, 1)} }

// post adds f. It never blocks.
func (m *mailbox) post(f func(*state)) {
	m.mu.Lock()
	if len(m.items) < maxPosted {
		m.items = append(m.items, f)
	} else {
		m.over = true
	}
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// take returns everything that was posted, and whether something was lost.
func (m *mailbox) take() (items []func(*state), overflow bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	items, m.items = m.items, nil
	return items, m.over
}

// outbound carries events to their reader without ever blocking the owner.
type outbound struct {
	mu     sync.Mutex
	items  []Event
	closed bool
	ready  chan struct{}
}

func newOutbound() *outbound { return &outbound{ready: make(chan struct{}, 1)} }

func (o *outbound) push(e Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if len(o.items) >= maxEvents {
		o.items = o.items[1:]
	}
	o.items = append(o.items, e)
	_, o.closed = e.(Ended)
	o.wake()
}

func (o *outbound) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// pop returns the oldest event; last is true when nothing can follow.
func (o *outbound) pop() (e Event, ok, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.items) == 0 {
		return nil, false, o.closed
	}
	e = o.items[0]
	o.items = o.items[1:]
	return e, true, false
}

// pump hands events to c until the last one, or until stop is closed and nobody reads, then closes c.
func (o *outbound) pump(c chan<- Event, stop <-chan struct{}) {
	defer close(c)
	for {
		e, ok, last := o.pop()
		if last {
			return
		}
		if !ok {
			<-o.ready
			continue
		}
		select {
		case c <- e:
		case <-stop:
			// The room was closed by its user. Whoever still reads gets what is left; nobody may be reading.
			select {
			case c <- e:
			default:
			}
		}
	}
}
