package auth

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// RelayLifetime is how long relay credentials open allocations. An allocation itself lives as long as its session.
const RelayLifetime = time.Hour

// maxSession is the longest session identifier in a relay username, in bytes.
const maxSession = 64

// RelayIssue returns time-limited TURN credentials that are bound to session: the username "expiry:session", with the
// expiry in seconds since 1970, and a password that only we can derive from it
// (draft-uberti-behave-turn-rest, with HMAC-SHA256).
func (k *Keys) RelayIssue(now time.Time, session string) (username, password string, expires time.Time) {
	expires = now.Add(RelayLifetime).Truncate(time.Second)
	username = strconv.FormatInt(expires.Unix(), 10) + ":" + session
	return username, k.relayPassword(username), expires
}

// RelayVerify returns what belongs to a username, whether expired or not: the caller compares expires where it
// matters (at Allocate, RFC 8656 §7.2). ok is false for a text that RelayIssue never makes. A username proves nothing
// by itself; knowing the password does.
func (k *Keys) RelayVerify(username string) (password, session string, expires time.Time, ok bool) {
	stamp, session, found := strings.Cut(username, ":")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !found || err != nil || seconds <= 0 || strconv.FormatInt(seconds, 10) != stamp || !validSession(session) {
		return "", "", time.Time{}, false
	}
	return k.relayPassword(username), session, time.Unix(seconds, 0), true
}

func (k *Keys) relayPassword(username string) string {
	return base64.RawURLEncoding.EncodeToString(tag(k.relay, []byte(username)))
}

// validSession accepts the characters of NewID.
func validSession(s string) bool {
	if s == "" || len(s) > maxSession {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
