package sdp

import (
	"encoding/hex"
	"strings"

	"github.com/pion/sdp/v3"
)

// transport is what a section, or the session for all of them, says of how it is transported.
type transport struct {
	ice          ICE
	fingerprints []Fingerprint
	setup        Setup
	own          bool // the fingerprints are the section's own, not the session's
}

// maxFingerprints is more than there are algorithms.
const maxFingerprints = 8

// sums is the size of each hash that is strong enough, in bytes.
var sums = map[string]int{"sha-256": 32, "sha-384": 48, "sha-512": 64}

func (t *transport) read(r *reader, a sdp.Attribute) {
	switch a.Key {
	case "ice-ufrag":
		if len(a.Value) < 4 || len(a.Value) > 256 || !iceChars(a.Value) {
			r.blame("a=ice-ufrag:"+a.Value, "a fragment has 4 to 256 letters, digits, + or /")
		}
		t.ice.Ufrag = a.Value
	case "ice-pwd":
		if len(a.Value) < 22 || len(a.Value) > 256 || !iceChars(a.Value) {
			r.blame("a=ice-pwd:", "a password has 22 to 256 letters, digits, + or /")
		}
		t.ice.Password = a.Value
	case "ice-options":
		for _, option := range strings.Fields(a.Value) {
			t.ice.Trickle = t.ice.Trickle || option == "trickle"
			t.ice.Renomination = t.ice.Renomination || option == "renomination"
		}
	case "ice-lite":
		r.blame("a=ice-lite", "we are ICE-lite, so the peer must not be")
	case "fingerprint":
		t.fingerprint(r, a.Value)
	case "setup":
		if t.setup = setups[a.Value]; t.setup == 0 {
			r.blame("a=setup:"+a.Value, "a role is active, passive or actpass")
		}
	}
}

func (t *transport) fingerprint(r *reader, value string) {
	algorithm, text, _ := strings.Cut(value, " ")
	algorithm = strings.ToLower(algorithm)
	size := sums[algorithm]
	if size == 0 {
		return // md5, sha-1 and the unknown prove nothing
	}
	sum, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), ":", ""))
	if err != nil || len(sum) != size {
		r.blame("a=fingerprint:"+value, "it is not a hash of its algorithm")
		return
	}
	if !t.own {
		// A copy of the session's slice must not grow into its neighbour's.
		t.fingerprints, t.own = nil, true
	}
	if len(t.fingerprints) < maxFingerprints {
		t.fingerprints = append(t.fingerprints, Fingerprint{algorithm, sum})
	}
}

// iceChars reports whether s is of RFC 8839's ice-char only (§5.4).
func iceChars(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '/':
		default:
			return false
		}
	}
	return true
}
