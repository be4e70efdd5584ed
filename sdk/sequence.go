package parley

import (
	"errors"
	"fmt"

	"github.com/parley-rtc/parley/internal/signal"
)

// maxOutbox is how many messages may wait for an acknowledgement; a session with more has lost its server.
const maxOutbox = 4096

var errOutbox = errors.New("parley: too many messages wait for the server")

// sequence numbers what is sent, keeps it until it is acknowledged, and lets each received message through once.
type sequence struct {
	sent     uint64           // the last number given
	outbox   []signal.Message // not acknowledged, in order
	received uint64           // everything up to here has come
	told     uint64           // and the server knows of it up to here
}

// number gives m its number and keeps it.
func (q *sequence) number(m signal.Message) error {
	if len(q.outbox) >= maxOutbox {
		return errOutbox
	}
	q.sent++
	m.Head().N = q.sent
	q.outbox = append(q.outbox, m)
	return nil
}

// encode returns the bytes of m with the newest acknowledgement.
func (q *sequence) encode(m signal.Message) ([]byte, error) {
	switch m.(type) {
	case *signal.Hello:
	default:
		m.Head().Ack = q.received
		q.told = q.received
	}
	return signal.Encode(m)
}

// take notes a received header. fresh is false for a message that came before.
func (q *sequence) take(h *signal.Header) (fresh bool, err error) {
	if h.Ack > q.sent {
		return false, fmt.Errorf("parley: the server acknowledges message %d, only %d were sent", h.Ack, q.sent)
	}
	q.acknowledged(h.Ack)
	switch {
	case h.N == 0:
		return true, nil
	case h.N <= q.received:
		return false, nil
	case h.N > q.received+1:
		return false, fmt.Errorf("parley: message %d follows %d", h.N, q.received)
	}
	q.received = h.N
	return true, nil
}

func (q *sequence) acknowledged(n uint64) {
	for len(q.outbox) > 0 && q.outbox[0].Head().N <= n {
		q.outbox[0] = nil
		q.outbox = q.outbox[1:]
	}
}

// resume returns what to send again when the server has received everything up to n.
func (q *sequence) resume(n uint64) ([]signal.Message, error) {
	if n > q.sent || len(q.outbox) > 0 && q.outbox[0].Head().N > n+1 {
		return nil, fmt.Errorf("parley: the server resumes after message %d, which does not fit", n)
	}
	q.acknowledged(n)
	return q.outbox, nil
}

// owing is how many received messages the server does not know to have arrived.
func (q *sequence) owing() uint64 { return q.received - q.told }

// waits is the lowest number that is not acknowledged yet.
func (q *sequence) waits() uint64 { return q.sent - uint64(len(q.outbox)) + 1 }
