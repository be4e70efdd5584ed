package ice

import (
	"bytes"
	"testing"

	"github.com/pion/stun/v4"
)

// A knock is a check as pion reads it, by the other side's names and password; who nominates needs none.
func TestKnock(t *testing.T) {
	raw := right(0).build(t)
	m, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	knock := Knock(&m, "the peer's own password")
	got := stun.New()
	if _, err := got.Write(knock); err != nil {
		t.Fatal(err)
	}
	var name stun.Username
	if err := name.GetFrom(got); err != nil || name.String() != theirs+":"+credentials[0].Ufrag {
		t.Error(name, err)
	}
	if err := stun.NewShortTermIntegrity("the peer's own password").Check(got); err != nil {
		t.Error(err)
	}
	if err := stun.Fingerprint.Check(got); err != nil {
		t.Error(err)
	}
	if got.Type != stun.BindingRequest || !got.Contains(stun.AttrICEControlled) || !got.Contains(stun.AttrPriority) || bytes.Equal(knock[8:20], raw[8:20]) {
		t.Error(got)
	}
	nominating := right(0)
	nominating.nominate = true
	if m, _ = Parse(nominating.build(t)); Knock(&m, "x") != nil {
		t.Error("knocked at a peer that has nominated")
	}
	if m, _ = Parse(raw); Knock(&m, "") != nil {
		t.Error("knocked without a password")
	}
}
