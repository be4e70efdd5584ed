package ice

import (
	"encoding/binary"
	"errors"
	"time"
)

// Agent is the server's side of ICE for one peer connection. The package's contract says how it is to be driven.
type Agent struct {
	// current are our credentials, previous those before the last restart until the current ones have a nominated path.
	current, previous *generation
	paths             paths
	answer            answer
	stats             Stats
}

// generation is what one round of offer and answer, or one ICE restart, agreed on.
type generation struct {
	number int // from 1
	ufrag  string
	theirs string // the peer's fragment, "" while it is unknown
	signer *signer
}

// New returns an agent with our credentials and the peer's username fragment, "" when its description has not come yet. The
// peer's password is of no use to an agent that asks nothing.
func New(ours Credentials, theirs string) (*Agent, error) {
	a := new(Agent)
	if err := a.Restart(ours, theirs); err != nil {
		return nil, err
	}
	return a, nil
}

// Restart begins an ICE restart (RFC 8445 §9): checks with the new credentials are answered from now on, and those with the old
// ones as well until the peer nominates a path with the new ones. Media go on meanwhile. A restart during a restart replaces
// the one that has not finished. Afterwards [Agent.Ufrags] has changed. The error says that the credentials are malformed or
// that the fragment is in use: ours or, in a session description, the peer's fault.
func (a *Agent) Restart(ours Credentials, theirs string) error {
	if err := ours.Validate(); err != nil {
		return err
	}
	if err := validTheirs(theirs); err != nil {
		return err
	}
	number := 1
	if a.current != nil {
		number = a.current.number + 1
		if a.current.ufrag == ours.Ufrag || a.previous != nil && a.previous.ufrag == ours.Ufrag {
			return errors.New("ice: a restart needs another username fragment")
		}
		if a.previous == nil {
			a.previous = a.current
		}
	}
	a.current = &generation{number: number, ufrag: ours.Ufrag, theirs: theirs, signer: newSigner(ours.Password)}
	return nil
}

// SetTheirs sets the peer's username fragment for the current credentials when its description has come. Until then any is
// taken, as a peer may send its first checks before its description is here (RFC 8445 §7.3).
func (a *Agent) SetTheirs(ufrag string) error {
	if err := validTheirs(ufrag); err != nil {
		return err
	}
	a.current.theirs = ufrag
	return nil
}

func validTheirs(ufrag string) error {
	if ufrag != "" && (len(ufrag) < 4 || len(ufrag) > 256 || !iceChars(ufrag)) {
		return errCredentials
	}
	return nil
}

// Ufrags returns our username fragments that checks are answered for, the current one first: the names that the shell finds
// this agent by. They change with a restart and with [Retired].
func (a *Agent) Ufrags() []string {
	if a.previous != nil {
		return []string{a.current.ufrag, a.previous.ufrag}
	}
	return []string{a.current.ufrag}
}

// Stats returns the counters.
func (a *Agent) Stats() Stats { return a.stats }

// HandlePacket parses and handles one packet of the peer, or of somebody who would like to be it. The answer is nil when there is
// none to be sent.
func (a *Agent) HandlePacket(now time.Time, path Path, packet []byte) (answer []byte, e Event) {
	m, err := Parse(packet)
	if err != nil {
		a.stats.Malformed++
		return nil, 0
	}
	return a.Handle(now, path, &m)
}

// Handle handles a message that was parsed to find the agent. The answer is nil when there is none to be sent.
//
// Who does not know the password gets no answer, against RFC 8489 §9.1.3, which wants 401: it would make the port of use to
// those who flood others in our name, and a peer that lost its credentials is helped by signalling only.
func (a *Agent) Handle(now time.Time, path Path, m *Message) (answer []byte, e Event) {
	g := a.generation(m)
	if g == nil {
		a.stats.Foreign++
		return nil, 0
	}
	if !g.signer.holds(m) {
		a.stats.Forged++
		return nil, 0
	}
	switch {
	case m.unknowns > 0:
		a.stats.Unknown++
		return a.refuse(m, g, codeUnknownAttribute), 0
	case m.controlled:
		// The peer of a lite agent is the one who controls (RFC 8445 §6.1.1). This tells it so, whatever the tie-breaker.
		a.stats.Conflicts++
		return a.refuse(m, g, codeRoleConflict), 0
	}
	a.stats.Checks++
	e = a.paths.checked(now, path, m, g.number)
	if m.useCandidate && g == a.current && a.previous != nil {
		a.previous = nil
		e |= Retired
	}
	a.answer.begin(typeBindingSuccess, m)
	a.answer.address(path.Peer)
	return a.answer.finish(g.signer), e
}

// generation returns whose check the message is; nil when it is none of ours.
func (a *Agent) generation(m *Message) *generation {
	if !m.Check() {
		return nil
	}
	for _, g := range [...]*generation{a.current, a.previous} {
		if g == nil || len(m.username) <= len(g.ufrag) || string(m.username[:len(g.ufrag)]) != g.ufrag || m.username[len(g.ufrag)] != ':' {
			continue
		}
		if g.theirs == "" || string(m.username[len(g.ufrag)+1:]) == g.theirs {
			return g
		}
	}
	return nil
}

// refuse answers a check that authenticated with an error.
func (a *Agent) refuse(m *Message, g *generation, code int) []byte {
	a.answer.begin(typeBindingError, m)
	a.answer.code(code)
	if code == codeUnknownAttribute {
		n := min(m.unknowns, maxUnknown)
		value := a.answer.add(attrUnknownAttributes, 2*n)
		for i, kind := range m.unknown[:n] {
			binary.BigEndian.PutUint16(value[2*i:], kind)
		}
	}
	return a.answer.finish(g.signer)
}

// Sendable returns the path that packets for the peer are to take: the nominated one, and until there is one the first that
// was valid (RFC 8445 §12.1). ok is false when there is none, or when its peer has been silent for [ConsentTime].
func (a *Agent) Sendable(now time.Time) (path Path, ok bool) {
	s := a.paths.selected
	if s == nil || now.Sub(s.checked) >= ConsentTime {
		return Path{}, false
	}
	return s.path, true
}

// Valid reports whether an authenticated check came from the path in the last [ConsentTime]: what else comes from it may be
// listened to, a handshake above all.
func (a *Agent) Valid(now time.Time, path Path) bool {
	p := a.paths.find(path)
	return p != nil && now.Sub(p.checked) < ConsentTime
}

// Deadline returns when [Agent.HandleTimeout] is to be called at the latest; the zero time means never.
func (a *Agent) Deadline() time.Time { return a.paths.deadline() }

// HandleTimeout forgets the paths whose peer has been silent for [ConsentTime]. When the selected one is among them, another
// that is still alive takes its place.
func (a *Agent) HandleTimeout(now time.Time) Event { return a.paths.expire(now) }

// HandleClosed says that what carried packets instead of the UDP socket has ended: a connection, a relayed address.
func (a *Agent) HandleClosed(via uint64) Event {
	return a.paths.drop(func(p *pathState) bool { return via != 0 && p.path.Via == via })
}
