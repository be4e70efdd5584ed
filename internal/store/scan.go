package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// scanBatch is how many messages are read with one question.
const scanBatch = 256

// message is a stored message.
type message struct {
	subject string
	seq     uint64 // in the stream
	header  nats.Header
	value   []byte
}

// scan hands the stream's messages with that subject, which may hold wildcards, from seq on to visit, until there are no
// more or visit returns false.
func (e *engine) scan(ctx context.Context, stream, subject string, seq uint64, batch int, visit func(message) bool) error {
	for {
		pending, last, stopped, err := e.scanOnce(ctx, server.JSApiMsgGetRequest{
			Seq: max(seq, 1), NextFor: subject, Batch: min(batch, scanBatch),
		}, stream, visit)
		if err != nil || stopped || pending == 0 {
			return err
		}
		seq = last + 1
	}
}

// scanOnce reads one batch.
func (e *engine) scanOnce(ctx context.Context, q server.JSApiMsgGetRequest, stream string, visit func(message) bool) (pending, last uint64, stopped bool, err error) {
	b, err := json.Marshal(q)
	if err != nil {
		return 0, 0, false, err
	}
	address := e.question()
	if err := e.conn.PublishRequest(fmt.Sprintf(server.JSDirectMsgGetT, stream), address, b); err != nil {
		return 0, 0, false, err
	}
	deadline := time.Now().Add(ioTimeout)
	for {
		if err := ctx.Err(); err != nil {
			return 0, 0, false, err
		}
		m, err := e.reply(deadline, func(a string) bool { return a == address })
		if err != nil {
			return 0, 0, false, err
		}
		switch m.Header.Get("Status") {
		case "":
		case "404":
			return 0, 0, false, nil // nothing, or nothing more
		case "204":
			pending, err = strconv.ParseUint(m.Header.Get(server.JSNumPending), 10, 64)
			return pending, last, stopped, err
		default:
			return 0, 0, false, errNoStream
		}
		if last, err = strconv.ParseUint(m.Header.Get(server.JSSequence), 10, 64); err != nil {
			return 0, 0, false, fmt.Errorf("store: sequence of a message: %w", err)
		}
		if !stopped {
			stopped = !visit(message{subject: m.Header.Get(server.JSSubject), seq: last, header: m.Header, value: m.Data})
		}
	}
}

// first returns the first message with that subject from seq on.
func (e *engine) first(ctx context.Context, stream, subject string, seq uint64) (found message, ok bool, err error) {
	_, _, _, err = e.scanOnce(ctx, server.JSApiMsgGetRequest{Seq: max(seq, 1), NextFor: subject, Batch: 1}, stream, func(m message) bool {
		found, ok = m, true
		return false
	})
	return found, ok, err
}

// newest returns the last message with exactly that subject.
func (e *engine) newest(ctx context.Context, stream, subject string) (message, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, ioTimeout)
	defer cancel()
	b, err := json.Marshal(server.JSApiMsgGetRequest{LastFor: subject})
	if err != nil {
		return message{}, false, err
	}
	m, err := e.conn.RequestWithContext(ctx, fmt.Sprintf(server.JSDirectMsgGetT, stream), b)
	if err != nil {
		return message{}, false, err
	}
	switch m.Header.Get("Status") {
	case "":
	case "404":
		return message{}, false, nil
	default:
		return message{}, false, errNoStream
	}
	seq, err := strconv.ParseUint(m.Header.Get(server.JSSequence), 10, 64)
	if err != nil {
		return message{}, false, fmt.Errorf("store: sequence of a message: %w", err)
	}
	return message{subject: subject, seq: seq, header: m.Header, value: m.Data}, true, nil
}

// purge takes out what has that subject, up to but not including seq; all of it with seq 0.
func (e *engine) purge(ctx context.Context, stream, subject string, seq uint64) error {
	return e.ask(ctx, server.JSApiStreamPurgeT, stream, server.JSApiStreamPurgeRequest{Subject: subject, Sequence: seq}, nil)
}
