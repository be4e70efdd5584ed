package auth

import (
	"bytes"
	"testing"
	"time"
)

func TestPass(t *testing.T) {
	k := NewKeys(bytes.Repeat([]byte{1}, MasterSize))
	now := time.Unix(1e9, 0)
	want := Pass{Room: "tea", Name: "Stage", Publishes: true, Until: now.Add(time.Hour)}
	token := k.PassSeal(want)
	other := NewKeys(bytes.Repeat([]byte{2}, MasterSize))
	for _, tt := range []struct {
		name  string
		keys  *Keys
		token string
		after time.Duration
		ok    bool
	}{
		{"good", k, token, 0, true},
		{"to the end", k, token, time.Hour - 1, true},
		{"over", k, token, time.Hour, false},
		{"of another server", other, token, 0, false},
		{"for a seat", k, k.SeatSeal(Seat{Room: "tea", Seat: "Stage"}), 0, false},
		{"for a call", k, k.CallSeal(Call{ID: "tea", Seat: "Stage"}), 0, false},
		{"changed", k, "B" + token[1:], 0, false},
		{"cut", k, token[:len(token)-4], 0, false},
		{"empty", k, "", 0, false},
		{"with more behind", k, seal(k.pass, append(make([]byte, 9), 0, 0, 0)), 0, false},
		{"of an unknown kind", k, seal(k.pass, append(bytes.Repeat([]byte{2}, 9), 0, 0)), 0, false},
	} {
		got, ok := tt.keys.PassOpen(tt.token, now.Add(tt.after))
		if ok != tt.ok || ok && got != want {
			t.Errorf("%s: %+v %v", tt.name, got, ok)
		}
	}
}
