package peer

import (
	"errors"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/srtp"
)

// Transport is one peer's transport. The package's contract says how it is to be used.
type Transport struct {
	agent     *ice.Agent
	out       Out
	handshake Handshake
	sink      Sink
	client    bool
	password  string // the peer's

	// path is where packets for the peer go while sendable: what the agent said after its last change.
	path     ice.Path
	sendable bool
	// opener and sealer are nil until there are keys.
	opener, sealer *srtp.Context
	started        bool // the handshake
	failure        Failure
	// giveUp is when what is waited for has not come: the first path, the keys, another path. Zero when nothing is.
	giveUp time.Time

	buffer []byte     // what Next has handed out
	header rtp.Header // here, so that handing it to the sink does not move it to the heap
	stats  Stats
}

// New returns a transport that waits for its peer's first check from now on. The error says that the credentials are malformed:
// ours or, in a session description, the peer's fault.
func New(now time.Time, c Config) (*Transport, error) {
	agent, err := ice.New(c.Local, c.Remote.Ufrag)
	if err != nil {
		return nil, err
	}
	return &Transport{
		agent: agent, out: c.Out, handshake: c.Handshake, sink: c.Sink, client: c.Client,
		password: c.Remote.Password,
		giveUp:   now.Add(ConnectTime),
	}, nil
}

// Ufrags returns the names that checks for this transport carry, the current one first.
func (t *Transport) Ufrags() []string { return t.agent.Ufrags() }

// SetTheirs sets the peer's credentials when its description has come.
func (t *Transport) SetTheirs(theirs ice.Credentials) error {
	t.password = theirs.Password
	return t.agent.SetTheirs(theirs.Ufrag)
}

// Failure returns why the transport has closed, NoFailure while it has not.
func (t *Transport) Failure() Failure { return t.failure }

// Path returns where packets for the peer go; ok is false when there is no such path at present.
func (t *Transport) Path() (path ice.Path, ok bool) { return t.path, t.sendable }

// Ready reports whether media may flow.
func (t *Transport) Ready() bool { return t.sealer != nil && t.sendable && t.failure == NoFailure }

// Valid reports whether the path is one of the transport's at present.
func (t *Transport) Valid(now time.Time, path ice.Path) bool {
	return t.failure == NoFailure && t.agent.Valid(now, path)
}

// Profile returns how media are protected; ok is false before there are keys.
func (t *Transport) Profile() (p srtp.Profile, ok bool) {
	if t.sealer == nil {
		return 0, false
	}
	return t.sealer.Profile(), true
}

// Stats returns the counters.
func (t *Transport) Stats() Stats {
	s := t.stats
	s.ICE = t.agent.Stats()
	return s
}

// Restart begins an ICE restart: from now on checks with the new credentials are answered as well, and media go on. Afterwards
// Ufrags has changed. The error is that of ice.Agent.Restart.
func (t *Transport) Restart(now time.Time, ours, theirs ice.Credentials) error {
	if t.failure != NoFailure {
		return errors.New("peer: the transport has closed, a new one is needed")
	}
	if err := t.agent.Restart(ours, theirs.Ufrag); err != nil {
		return err
	}
	t.password = theirs.Password
	if !t.sendable && t.started {
		t.giveUp = now.Add(LostTime)
	}
	return nil
}

// SetKeys takes the keys that the handshake made, each copied: from now on media are opened and sealed. It is for the owner to
// call once, when the handshake says so. The error says that there are keys already, or that they do not fit the profile: our
// own fault.
func (t *Transport) SetKeys(p srtp.Profile, localKey, localSalt, remoteKey, remoteSalt []byte) (Event, error) {
	switch {
	case t.failure != NoFailure:
		return 0, nil // it was on its way when the transport closed
	case t.sealer != nil:
		return 0, errors.New("peer: the transport has keys already: our fault")
	}
	sealer, err := srtp.New(p, localKey, localSalt)
	if err != nil {
		return 0, err
	}
	opener, err := srtp.New(p, remoteKey, remoteSalt)
	if err != nil {
		return 0, err
	}
	t.sealer, t.opener = sealer, opener
	if !t.sendable {
		return 0, nil // giveUp is that of the lost path
	}
	t.giveUp = time.Time{}
	return Ready, nil
}

// Fail says that the handshake has failed: the transport closes.
func (t *Transport) Fail() Event { return t.close(HandshakeFailed) }

// Close ends the transport: the handshake says goodbye, which SendDTLS still sends, and nothing else is sent or taken any more.
func (t *Transport) Close() { t.close(Closed) }

func (t *Transport) close(why Failure) Event {
	if t.failure != NoFailure {
		return 0
	}
	t.failure, t.giveUp = why, time.Time{}
	t.sealer, t.opener = nil, nil
	t.handshake.Close()
	return Failed
}

// Deadline returns when HandleTimeout is to be called at the latest; the zero time means never.
func (t *Transport) Deadline() time.Time {
	if t.failure != NoFailure {
		return time.Time{}
	}
	d := t.agent.Deadline()
	if d.IsZero() || !t.giveUp.IsZero() && t.giveUp.Before(d) {
		return t.giveUp
	}
	return d
}

// HandleTimeout does what is due.
func (t *Transport) HandleTimeout(now time.Time) Event {
	if t.failure != NoFailure {
		return 0
	}
	e := t.follow(now, t.agent.HandleTimeout(now))
	if t.giveUp.IsZero() || now.Before(t.giveUp) {
		return e
	}
	switch {
	case !t.started:
		return e | t.close(NoPath)
	case !t.sendable:
		return e | t.close(PathLost)
	}
	return e | t.close(NoHandshake)
}

// HandleClosed says that what carried packets instead of the UDP socket has ended: a connection, a relayed address.
func (t *Transport) HandleClosed(now time.Time, via uint64) Event {
	if t.failure != NoFailure {
		return 0
	}
	return t.follow(now, t.agent.HandleClosed(via))
}

// follow does what a change of paths asks for.
func (t *Transport) follow(now time.Time, changed ice.Event) Event {
	if changed == 0 {
		return 0
	}
	e := Event(0)
	for _, same := range [...]struct {
		from ice.Event
		to   Event
	}{{ice.Found, Found}, {ice.Selected, Selected}, {ice.Lost, Lost}, {ice.Retired, Retired}} {
		if changed.Has(same.from) {
			e |= same.to
		}
	}
	before := t.sendable
	t.path, t.sendable = t.agent.Sendable(now)
	switch {
	case t.sendable && !t.started:
		t.started, t.giveUp = true, now.Add(ConnectTime)
		t.handshake.Start(t.path)
	case t.sendable && !before && t.sealer == nil:
		t.giveUp = now.Add(ConnectTime)
	case t.sendable && !before:
		t.giveUp = time.Time{}
		e |= Ready
	case !t.sendable && before:
		t.giveUp = now.Add(LostTime)
	}
	return e
}
