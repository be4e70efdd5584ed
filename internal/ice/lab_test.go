package ice

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Credentials of the server by generation, and the peer's fragment.
var credentials = []Credentials{
	{"srv1", "passwordpasswordpassword1"}, {"srv2", "passwordpasswordpassword2"}, {"srv3", "passwordpasswordpassword3"},
}

const theirs = "peer"

// where the peer's packets come from, by name.
func where() map[string]Path {
	local := netip.MustParseAddr("192.0.2.1")
	return map[string]Path{
		"wifi":  {Peer: netip.MustParseAddrPort("198.51.100.1:5000"), Local: local},
		"moved": {Peer: netip.MustParseAddrPort("198.51.100.1:6000"), Local: local}, // wifi behind another port of its NAT
		"lte":   {Peer: netip.MustParseAddrPort("203.0.113.1:5000"), Local: local},
		"six":   {Peer: netip.MustParseAddrPort("[2001:db8::7]:5000"), Local: netip.MustParseAddr("2001:db8::1")},
		"tcp":   {Peer: netip.MustParseAddrPort("198.51.100.1:5001"), Local: local, Via: 7},
		"relay": {Peer: netip.MustParseAddrPort("192.0.2.1:40000"), Via: 8},
	}
}

// priorities of the peer's candidates, as its checks say them.
func priorities() map[string]uint32 {
	return map[string]uint32{"wifi": 300, "moved": 300, "lte": 200, "six": 400, "tcp": 900, "relay": 950}
}

// check is what a peer's check is made of.
type check struct {
	username, password string
	priority           uint32
	nominate           bool
	controlled         bool
	extra              []stun.Setter
	bare               bool // no fingerprint
}

type priorityAttr uint32

func (p priorityAttr) AddTo(m *stun.Message) error {
	m.Add(stun.AttrPriority, binary.BigEndian.AppendUint32(nil, uint32(p)))
	return nil
}

type rawAttr struct {
	kind  stun.AttrType
	value []byte
}

func (a rawAttr) AddTo(m *stun.Message) error {
	m.Add(a.kind, a.value)
	return nil
}

// build makes the check with pion's coder.
func (c check) build(t testing.TB) []byte {
	t.Helper()
	role := stun.AttrICEControlling
	if c.controlled {
		role = stun.AttrICEControlled
	}
	setters := []stun.Setter{
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.username), priorityAttr(c.priority),
		rawAttr{role, []byte{1, 2, 3, 4, 5, 6, 7, 8}},
	}
	if c.nominate {
		setters = append(setters, rawAttr{stun.AttrUseCandidate, nil})
	}
	setters = append(setters, c.extra...)
	setters = append(setters, stun.NewShortTermIntegrity(c.password))
	if !c.bare {
		setters = append(setters, stun.Fingerprint)
	}
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// right is a check with the credentials of a generation.
func right(generation int) check {
	return check{username: credentials[generation].Ufrag + ":" + theirs, password: credentials[generation].Password, priority: 100}
}

func agent(t testing.TB) *Agent {
	t.Helper()
	a, err := New(credentials[0], theirs)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// read decodes an answer with pion's coder and holds it to the request and the password.
func read(t testing.TB, answer, request []byte, password string) *stun.Message {
	t.Helper()
	m := stun.New()
	if _, err := m.Write(answer); err != nil {
		t.Fatal(err)
	}
	if err := stun.Fingerprint.Check(m); err != nil {
		t.Error(err)
	}
	if err := stun.NewShortTermIntegrity(password).Check(m); err != nil {
		t.Error(err)
	}
	if string(m.TransactionID[:]) != string(request[8:20]) {
		t.Error("another transaction")
	}
	return m
}
