package auth

import (
	"bytes"
	"testing"
	"time"
)

func TestCall(t *testing.T) {
	k := NewKeys(bytes.Repeat([]byte{1}, MasterSize))
	other := NewKeys(bytes.Repeat([]byte{2}, MasterSize))
	began := time.UnixMilli(1_700_000_000_123)
	id := k.CallID("lobby", began)
	if id != k.CallID("lobby", began.Add(300*time.Microsecond)) {
		t.Error("the id counts more than milliseconds, which a restart does not keep")
	}
	for what, different := range map[string]string{
		"another room":  k.CallID("lobbz", began),
		"another time":  k.CallID("lobby", began.Add(time.Millisecond)),
		"another house": other.CallID("lobby", began),
	} {
		if different == id {
			t.Errorf("%s has the same id", what)
		}
	}
	want := Call{ID: id, Seat: "seat"}
	token := k.CallSeal(want)
	if got, ok := k.CallOpen(token); !ok || got != want {
		t.Errorf("the token says %v, %v", got, ok)
	}
	bad := map[string]string{
		"another house's": other.CallSeal(want),
		"a seat's token":  k.SeatSeal(Seat{Room: id, Seat: "seat"}),
		"the id":          id,
		"nothing":         "",
		"a longer one":    token + "A",
		"a changed one":   "A" + token[1:],
	}
	for what, token := range bad {
		if _, ok := k.CallOpen(token); ok {
			t.Errorf("%s is taken", what)
		}
	}
}

func TestSecret(t *testing.T) {
	s := NewSecret("a long secret")
	for guess, want := range map[string]bool{"a long secret": true, "a long secre": false, "": false, "a long secret ": false} {
		if s.Is(guess) != want {
			t.Errorf("Is(%q) is %v", guess, !want)
		}
	}
}
