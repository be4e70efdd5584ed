package auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

func testKeys(b byte) *Keys { return NewKeys(bytes.Repeat([]byte{b}, MasterSize)) }

// mutations returns more than 60 texts that differ from token.
func mutations(token string) []string {
	list := []string{
		"", " " + token, token + " ", token + "=", token + "\n", "\n" + token, token + token, token + "A",
		"A" + token, strings.ToUpper(token), strings.ToLower(token), token + "\x00", strings.Repeat("A", len(token)),
		strings.Repeat("A", 100_000), token[:len(token)/2] + "\n" + token[len(token)/2:],
	}
	for n := range 25 {
		list = append(list, token[:len(token)*n/25], token[1+(len(token)-1)*n/25:])
	}
	if b, err := base64.RawURLEncoding.DecodeString(token); err == nil {
		for i := range len(b) * 8 {
			c := bytes.Clone(b)
			c[i/8] ^= 1 << (i % 8)
			list = append(list, base64.RawURLEncoding.EncodeToString(c))
		}
		list = append(list, base64.RawURLEncoding.EncodeToString(append(b, 0)), base64.StdEncoding.EncodeToString(b),
			base64.RawURLEncoding.EncodeToString(append([]byte{0}, b...)))
		// the unused bits of the last character
		for c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
			list = append(list, token[:len(token)-1]+string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[c]))
		}
	}
	var different []string
	for _, m := range list {
		if m != token {
			different = append(different, m)
		}
	}
	return different
}

func TestMutatedTokens(t *testing.T) {
	k, other := testKeys(1), testKeys(2)
	now := time.Unix(1_800_000_000, 0)
	resume := k.ResumeSeal(Resume{Room: "r", Session: "s", Seat: "t", Role: signal.RoleHost, Epoch: 7, Generation: 9})
	seat := k.SeatSeal(Seat{Room: "r", Seat: "t", Generation: 1})
	host := k.HostSecret("r", now)
	for name, tt := range map[string]struct {
		token string
		opens func(k *Keys, token string) bool
	}{
		"resume": {resume, func(k *Keys, s string) bool { _, ok := k.ResumeOpen(s); return ok }},
		"seat":   {seat, func(k *Keys, s string) bool { _, ok := k.SeatOpen(s); return ok }},
		"host":   {host, func(k *Keys, s string) bool { return k.CheckHost("r", s, now) }},
	} {
		t.Run(name, func(t *testing.T) {
			if !tt.opens(k, tt.token) {
				t.Fatal("the token itself is refused")
			}
			if tt.opens(other, tt.token) {
				t.Error("another installation's token is accepted")
			}
			wrong := append(mutations(tt.token), resume, seat, host)
			if len(wrong) < 60 {
				t.Fatal("too few mutations:", len(wrong))
			}
			for _, m := range wrong {
				if m != tt.token && tt.opens(k, m) {
					t.Errorf("accepted %q for %q", m, tt.token)
				}
			}
		})
	}
}

func TestTokensSayWhatWasSealed(t *testing.T) {
	k := testKeys(1)
	want := Resume{
		Room: "room-1", Session: "sess", Name: "Ann", Role: signal.RoleSpeaker, Made: time.Unix(1e9, 0), Epoch: 1 << 60, Generation: 1 << 31,
	}
	if got, ok := k.ResumeOpen(k.ResumeSeal(want)); !ok || got != want {
		t.Errorf("%+v %v", got, ok)
	}
	seat := Seat{Room: "room-1", Seat: "x", Generation: 3}
	if got, ok := k.SeatOpen(k.SeatSeal(seat)); !ok || got != seat {
		t.Errorf("%+v %v", got, ok)
	}
}

func TestHostSecret(t *testing.T) {
	k, made := testKeys(1), time.Unix(1_800_000_000, 0)
	secret := k.HostSecret("r", made)
	if len(secret) > 32 {
		t.Errorf("%d characters are long for a link", len(secret))
	}
	for _, tt := range []struct {
		name, room string
		now        time.Time
		want       bool
	}{
		{"at once", "r", made, true},
		{"another room", "s", made, false},
		{"the last second", "r", made.Add(HostLifetime - time.Second), true},
		{"a second later", "r", made.Add(HostLifetime), false},
		{"clock set back a little", "r", made.Add(-59 * time.Minute), true},
		{"clock set back much", "r", made.Add(-2 * time.Hour), false},
	} {
		if got := k.CheckHost(tt.room, secret, tt.now); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestRelay(t *testing.T) {
	k, now := testKeys(1), time.Unix(1_800_000_000, 999)
	username, password, expires := k.RelayIssue(now, "abc-_Z9")
	p, session, e, ok := k.RelayVerify(username)
	if !ok || p != password || session != "abc-_Z9" || !e.Equal(expires) || e.Sub(now) < RelayLifetime-time.Second {
		t.Fatal(p, session, e, ok)
	}
	if q, _, _, _ := testKeys(2).RelayVerify(username); q == password {
		t.Error("the password does not depend on the key")
	}
	for _, m := range append(mutations(username), "1:", ":abc", "abc", "0:abc", "-5:abc", "+5:abc", "05:abc", "1:a:b",
		"1:a b", "99999999999999999999:abc", "1:"+strings.Repeat("a", 65), "1e9:abc", "1:ä") {
		if q, _, _, ok := k.RelayVerify(m); ok && q == password {
			t.Errorf("%q has the same password", m)
		}
	}
	for _, m := range []string{"", ":", "1:", ":abc", "0:abc", "-5:abc", "+5:abc", "05:abc", "1:a:b", "1:a b", "x:abc"} {
		if _, _, _, ok := k.RelayVerify(m); ok {
			t.Errorf("%q is accepted", m)
		}
	}
}

func TestNewID(t *testing.T) {
	id, err := NewID(bytes.NewReader(make([]byte, 16)))
	if err != nil || len(id) != 22 || !validSession(id) {
		t.Error(id, err)
	}
	if _, err := NewID(strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func FuzzTokens(f *testing.F) {
	k := testKeys(1)
	f.Add(k.ResumeSeal(Resume{Room: "r", Session: "s"}))
	f.Add(k.SeatSeal(Seat{Room: "r"}))
	f.Add(k.HostSecret("r", time.Unix(1_800_000_000, 0)))
	f.Fuzz(func(t *testing.T, s string) {
		if r, ok := k.ResumeOpen(s); ok && k.ResumeSeal(r) != s {
			t.Errorf("two texts for one resume token: %q", s)
		}
		if r, ok := k.SeatOpen(s); ok && k.SeatSeal(r) != s {
			t.Errorf("two texts for one seat token: %q", s)
		}
		k.CheckHost("r", s, time.Unix(1_800_000_000, 0))
		k.RelayVerify(s)
	})
}
