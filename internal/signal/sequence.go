package signal

import (
	"errors"
	"time"
)

// Acknowledgement policy: what was received is acknowledged at the latest after AckDelay or AckEvery messages.
const (
	// AckDelay is the longest time a received message stays unacknowledged while nothing is sent.
	AckDelay = time.Second
	// AckEvery is the most messages that are received without acknowledging.
	AckEvery = 16
	// MaxUnacked is how many sent messages may wait for their acknowledgement.
	MaxUnacked = 1024
	// MaxUnackedBytes is how many bytes of them.
	MaxUnackedBytes = 4 << 20
)

// Errors of Sequence. Each of them ends the socket; ErrOverflow ends the session.
var (
	// ErrOverflow says that the other side has not acknowledged for too long.
	ErrOverflow = errors.New("signal: too many messages without acknowledgement")
	// ErrGap says that a number was skipped.
	ErrGap = errors.New("signal: a message number was skipped")
	// ErrAck says that a number was acknowledged, or asked for again, that cannot be.
	ErrAck = errors.New("signal: acknowledgement of what was not sent, or is forgotten already")
)

// Sequence numbers, acknowledges and replays the messages of one session at one of its ends, over as many sockets as
// it takes: nothing lost, doubled or reordered. It knows neither sockets nor clocks. **Exactly one goroutine owns it.**
// The zero value is a new session with default limits.
type Sequence struct {
	// Limit and LimitBytes bound what is sent and not acknowledged; 0 means MaxUnacked and MaxUnackedBytes.
	Limit, LimitBytes int

	sent     uint64   // the newest number given
	outbox   [][]byte // encoded messages sent-len+1 … sent, oldest first
	bytes    int
	received uint64    // everything up to here has arrived
	told     uint64    // the newest acknowledgement that left
	due      time.Time // when one has to leave at the latest; zero when none is owed
	held     uint64    // the oldest received number that is not to be acknowledged yet; 0 is none
	unread   uint64    // frames that could not be read since the last good one: their numbers may be missing
}

// Send gives m the next number and the newest acknowledgement, encodes it and keeps the bytes until they are
// acknowledged. Types that are not numbered only get the acknowledgement. The bytes must not be changed.
func (s *Sequence) Send(m Message) ([]byte, error) {
	h := m.Head()
	h.Ack = s.Received()
	if !Numbered(TypeOf(m)) {
		b, err := Encode(m)
		if err == nil {
			s.ackLeft()
		}
		return b, err
	}
	h.N = s.sent + 1
	b, err := Encode(m)
	if err != nil {
		return nil, err
	}
	if len(s.outbox)+1 > orDefault(s.Limit, MaxUnacked) || s.bytes+len(b) > orDefault(s.LimitBytes, MaxUnackedBytes) {
		return nil, ErrOverflow
	}
	s.sent++
	s.outbox = append(s.outbox, b)
	s.bytes += len(b)
	s.ackLeft()
	return b, nil
}

func (s *Sequence) ackLeft() {
	s.told = s.Received()
	s.due = time.Time{}
}

// Receive judges an incoming header. It returns true for a message to obey, false for a duplicate (drop it silently)
// and for the types that are not numbered (which are obeyed all the same).
func (s *Sequence) Receive(now time.Time, h *Header) (fresh bool, err error) {
	if err := s.acknowledged(h.Ack); err != nil {
		return false, err
	}
	switch {
	case !Numbered(h.Type) || h.N == 0:
		return false, nil
	case h.N <= s.received:
		s.owe(now, now) // its acknowledgement got lost: say it again at once
		return false, nil
	case h.N > s.received+1+s.unread:
		return false, ErrGap
	}
	s.received = h.N
	s.unread = 0
	switch got := s.Received(); { // what is held is owed later
	case got >= s.told+AckEvery:
		s.owe(now, now)
	case got > s.told:
		s.owe(now, now.Add(AckDelay))
	}
	return true, nil
}

// Unreadable notes a frame whose number could not be read, so that the next number may be one more. It returns how many
// such frames have come since the last good message.
func (s *Sequence) Unreadable() uint64 {
	s.unread++
	return s.unread
}

func (s *Sequence) owe(now, at time.Time) {
	if s.due.IsZero() || at.Before(s.due) {
		s.due = at
	}
}

// acknowledged forgets what the other side has.
func (s *Sequence) acknowledged(ack uint64) error {
	if ack > s.sent {
		return ErrAck
	}
	first := s.sent - uint64(len(s.outbox)) // the newest number that is forgotten
	if ack <= first {
		return nil
	}
	n := int(ack - first)
	for _, b := range s.outbox[:n] {
		s.bytes -= len(b)
	}
	if s.outbox = s.outbox[n:]; len(s.outbox) == 0 {
		s.outbox = nil // an idle session keeps no memory for it
	}
	return nil
}

// AckDue reports whether an acknowledgement has to leave now: send an Ack with Send.
func (s *Sequence) AckDue(now time.Time) bool { return !s.due.IsZero() && !now.Before(s.due) }

// Deadline returns when AckDue becomes true; zero when no acknowledgement is owed.
func (s *Sequence) Deadline() time.Time { return s.due }

// Received returns the number up to which everything has arrived: what hello and welcome say on resume.
func (s *Sequence) Received() uint64 {
	if s.held > 0 {
		return min(s.received, s.held-1)
	}
	return s.received
}

// Hold keeps the received messages from number n on unacknowledged until a later call says otherwise; 0 lets go. Who
// sent them keeps them: a message that must survive our end is held until it is safe.
func (s *Sequence) Hold(now time.Time, n uint64) {
	if s.held = n; s.Received() > s.told {
		s.owe(now, now)
	}
}

// Unacked returns how many sent messages wait for their acknowledgement.
func (s *Sequence) Unacked() int { return len(s.outbox) }

// Bytes returns how many bytes of them.
func (s *Sequence) Bytes() int { return s.bytes }

// Resume goes on over a new socket whose other end has everything up to received. It returns the messages to send
// again, in order; they stay valid and must not be changed. ErrAck means that the two ends do not fit together and a
// new session has to be opened; nothing is changed then.
func (s *Sequence) Resume(received uint64) ([][]byte, error) {
	if received > s.sent || received < s.sent-uint64(len(s.outbox)) {
		return nil, ErrAck
	}
	s.unread = 0
	s.ackLeft() // hello or welcome said it
	err := s.acknowledged(received)
	return s.outbox, err
}

func orDefault(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}
