package parley

import (
	"errors"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// maxResumes is how often the record of the call is told that one transfer goes on: more say nothing new, and the other
// side could make them as often as it likes.
const maxResumes = 16

// record is what the record of the call was told of a transfer. The transfer's goroutine owns it.
type record struct {
	began time.Time // when data was first asked for
	flows int       // how often
}

// flows tells the record of the call that a transfer begins to move, or does again.
func (t *Transfer) flows(s *state) {
	cause := "resumed"
	if t.record.flows++; t.record.flows == 1 {
		cause, t.record.began = "started", time.Now()
	}
	if t.record.flows <= maxResumes {
		t.note(s, cause)
	}
}

// ends tells it how a transfer ended. One that goes on in another process did not end.
func (t *Transfer) ends(s *state, err error) {
	cause := "done"
	var why *TransferError
	switch {
	case errors.As(err, &why):
		cause = why.Reason
	case err != nil:
		return
	}
	if t.name != "" { // otherwise it was nothing
		t.note(s, cause)
	}
}

// note writes a line into the record of the call: cause, and how long ago data was first asked for.
func (t *Transfer) note(s *state, cause string) {
	e := signal.ReportEvent{Kind: signal.ReportTransfer, Seat: t.With().ID, Cause: cause}
	if began := t.record.began; !began.IsZero() {
		e.MS = time.Since(began).Milliseconds()
	}
	s.post(func(s *state) { s.report(nil, e) })
}
