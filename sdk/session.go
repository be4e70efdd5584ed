package parley

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	bye  = 2 * time.Second // how long a goodbye may take
	idle = 24 * time.Hour  // no deadline
	// pingEach is how often a session with a seat pings; it promises so in the ping.
	pingEach = 250 * time.Millisecond
	// silence is how long the server may be silent to a session that pings this often: then another socket is opened
	// beside the old one, which may yet speak again.
	silence = 1200 * time.Millisecond
	// lateness is how much later than a ping's turn its answer may be, beside round trips, before another socket is tried
	// and nobody is told, and quietEach how rarely that is done in vain: a network that loses much is late often.
	lateness  = 100 * time.Millisecond
	quietEach = 10 * time.Second
	// doubtful is the silence that is enough when media has stopped as well.
	doubtful = 500 * time.Millisecond
)

// session is the signalling session: it outlives its sockets.
type session struct {
	connect   func(context.Context) (*socket, error)
	sequence  signal.Sequence
	sent      uint64  // the newest number we gave
	sock      *socket // on which welcome came; nil while offline
	doubt     bool    // sock is silent: another one is being opened beside it
	wary      bool    // sock is late: another one is being opened on the quiet
	warned    time.Time
	trial     *socket // hello was said on it, welcome is awaited
	tried     time.Time
	attempts  []*attempt // sockets being opened, the oldest first
	id        string     // ours, the address of offers
	resume    string     // token
	window    time.Duration
	heartbeat time.Duration
	ice       *signal.ICEServers
	heard     time.Time // when the server last said something on sock
	answered  time.Time // when that was a pong, which proves that what we say arrives
	pinged    time.Time // when we last asked it to
	trip      time.Duration
	lost      time.Time // when the socket went; zero while there is one
	retry     time.Time // when to open another socket
	failures  int
}

// online reports whether there is a socket on which the session goes on.
func (n *session) online() bool { return n.sock != nil }

// lively reports whether the server was heard so lately that what is said now most likely arrives.
func (n *session) lively(now time.Time) bool {
	return n.online() && !n.doubt && now.Sub(n.heard) <= pingEach+150*time.Millisecond+2*n.trip
}

// patience is how long the server may be silent.
func (s *state) patience() time.Duration {
	if s.me == "" {
		return 3 * s.session.heartbeat
	}
	return max(silence, pingEach+4*s.session.trip)
}

// pace is how often the server is pinged.
func (s *state) pace() time.Duration {
	if s.me == "" {
		return s.session.heartbeat
	}
	return pingEach
}

// searching reports whether another socket is wanted.
func (n *session) searching() bool { return n.sock == nil || n.doubt || n.wary }

// lateAt is when another socket is to be tried on the quiet; zero means never.
func (s *state) lateAt() time.Time {
	n := &s.session
	if s.me == "" || n.searching() {
		return time.Time{}
	}
	at, again := n.answered.Add(pingEach+lateness+2*n.trip), n.warned.Add(quietEach)
	if at.Before(again) {
		return again
	}
	return at
}

// deadline is when tick has something to do.
func (s *state) deadline() time.Time {
	n := &s.session
	at := time.Now().Add(idle)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	if n.searching() {
		sooner(n.retry)
	}
	if n.trial != nil {
		sooner(n.tried.Add(signal.HelloTimeout))
	}
	if n.online() {
		sooner(n.pinged.Add(s.pace()))
		if !n.doubt {
			sooner(n.heard.Add(s.patience()))
		}
		sooner(s.lateAt())
		sooner(n.sequence.Deadline())
	}
	for _, l := range s.links {
		sooner(s.due(l))
	}
	sooner(s.reports.due)
	sooner(s.watch.due)
	for _, until := range s.missing {
		sooner(until)
	}
	if s.secrecy != nil {
		sooner(s.secrecy.due)
	}
	for _, due := range []time.Time{s.hubDue(), s.reachDue(), s.moveDue(), s.remakeDue()} {
		sooner(due)
	}
	return at
}

// tick does what is due.
func (s *state) tick() {
	n := &s.session
	if n.trial != nil && s.now.Sub(n.tried) >= signal.HelloTimeout {
		s.forsake(fmt.Errorf("parley: the server does not answer hello"))
	}
	if n.online() && !n.doubt && s.now.Sub(n.heard) >= s.patience() {
		s.suspect()
	}
	if late := s.lateAt(); !late.IsZero() && !s.now.Before(late) {
		n.wary, n.warned, n.retry, n.failures = true, s.now, s.now, 0
	}
	if n.searching() && !s.now.Before(n.retry) {
		s.dial()
	}
	if n.online() && s.now.Sub(n.pinged) >= s.pace() {
		s.ping()
	}
	s.acknowledge()
	s.tend()
	s.tendHub()
	s.tendReach()
	s.remakeLost()
	s.tendMove()
	s.tellDue()
	s.assess()
	for seat, until := range s.missing {
		if !s.now.Before(until) {
			delete(s.missing, seat)
			s.left(&signal.Left{Seat: seat, Reason: signal.LeftExpired})
		}
	}
}

// ping asks for a sign of life, and promises the next question when we have a seat.
func (s *state) ping() {
	s.session.pinged = s.now
	m := &signal.Ping{ID: uint64(s.now.UnixMicro())} // after 1970
	if s.me != "" {
		m.Every = int(pingEach / time.Millisecond)
	}
	s.transmit(m)
}

// ponged measures the round-trip time to the server.
func (s *state) ponged(m *signal.Pong) {
	trip := time.Duration(uint64(s.now.UnixMicro())-m.ID) * time.Microsecond
	if trip < 0 || trip > time.Minute {
		return
	}
	if s.session.trip == 0 {
		s.session.trip = trip
	}
	s.session.trip += (trip - s.session.trip) / 4
}

// suspect opens another socket beside the silent one. Whichever speaks first is the one.
func (s *state) suspect() {
	n := &s.session
	if n.doubt || !n.online() {
		return
	}
	n.doubt, n.wary, n.lost, n.retry, n.failures = true, false, s.now, s.now, 0
	s.emit(Online{Up: false})
	s.note(nil, signal.ReportSignallingLost, 0)
}

// relieved ends the doubt: the old socket spoke. Only an answer says that it is not late: where one direction is gone,
// messages come for a while by the other one.
func (s *state) relieved(answer bool) {
	n := &s.session
	if n.trial != nil { // a hello that was said closes the old one
		return
	}
	if n.wary && answer {
		n.wary = false
		s.withdraw()
	}
	if !n.doubt {
		return
	}
	s.note(nil, signal.ReportSignallingBack, s.now.Sub(n.lost))
	n.doubt, n.lost = false, time.Time{}
	s.withdraw()
	s.emit(Online{Up: true})
}

// acknowledge says what arrived when nothing else did in time.
func (s *state) acknowledge() {
	if s.session.online() && s.session.sequence.AckDue(s.now) {
		s.transmit(&signal.Ack{})
	}
}

// send numbers m and sends it now, or after the next resume.
func (s *state) send(m signal.Message) error {
	b, err := s.session.sequence.Send(m)
	if err != nil {
		err = fmt.Errorf("parley: %w", err)
		s.end(Ended{Err: err})
		return err
	}
	s.session.sent = m.Head().N
	s.options.Log.Debug("sent", "type", m.Head().Type, "n", m.Head().N)
	s.write(b)
	return nil
}

// transmit sends a message that is not numbered, if there is a socket.
func (s *state) transmit(m signal.Message) {
	if !s.session.online() {
		return
	}
	if b, err := s.session.sequence.Send(m); err == nil { // only a message of another protocol fails
		s.write(b)
	}
}

func (s *state) write(b []byte) {
	if s.session.online() {
		s.session.sock.send(b)
	}
}

// receive handles one message from the server on the socket of the session.
func (s *state) receive(b []byte) {
	n := &s.session
	n.heard = s.now
	m, fault := signal.Decode(b, signal.FromServer)
	_, answer := m.(*signal.Pong)
	if answer {
		n.answered = s.now
	}
	s.relieved(answer)
	if fault != nil {
		n.sequence.Unreadable() // resuming would only bring it again
		s.trouble(fmt.Errorf("parley: the server sent what cannot be read: %s", fault.Words))
		return
	}
	fresh, err := n.sequence.Receive(s.now, m.Head())
	if err != nil {
		s.cut(fmt.Errorf("parley: %w", err))
		return
	}
	if fresh || !signal.Numbered(m.Head().Type) {
		s.handle(m)
	}
	s.acknowledged()
	s.acknowledge()
}

// hangUp closes the socket. With a seat it says nothing, so that the seat is kept for the window.
func (s *state) hangUp() {
	s.withdraw()
	if s.session.trial != nil {
		s.session.trial.cancel()
		s.session.trial = nil
	}
	sock := s.session.sock
	if sock == nil {
		return
	}
	if s.me == "" {
		s.transmit(&signal.Bye{Reason: signal.ByeClosed})
	}
	close(sock.out)
	s.session.sock = nil
	ctx, cancel := context.WithTimeout(context.Background(), bye)
	defer cancel()
	for in := sock.in; ; {
		select {
		case _, ok := <-in: // what still comes must not keep the reader from seeing the end
			if !ok {
				in = nil
			}
		case <-sock.done:
			return
		case <-ctx.Done():
			sock.cancel()
			return
		}
	}
}
