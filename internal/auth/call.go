package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// AdminSize is the size in bytes of the admin token, before it is text.
const AdminSize = 32

// CallID returns the identifier of the call that is the life of room that began at began. It cannot be guessed, and is
// the same after a restart of the server. began counts in milliseconds.
func (k *Keys) CallID(room string, began time.Time) string {
	stamp := binary.BigEndian.AppendUint64([]byte("id"), uint64(began.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(tag(k.call, stamp, []byte(room)))
}

// Call is what a call token says: which seat of which call may read its record.
type Call struct {
	// ID is the call's identifier.
	ID string
	// Seat is the seat's id.
	Seat string
}

// CallSeal returns the token for c, which is good for as long as the record is kept. Strings must be shorter than 256
// bytes.
func (k *Keys) CallSeal(c Call) string {
	return seal(k.call, appendString(appendString([]byte("token"), c.ID), c.Seat))
}

// CallOpen returns what a token says, and false when CallSeal did not make it with these keys.
func (k *Keys) CallOpen(token string) (c Call, ok bool) {
	b, ok := open(k.call, token)
	if !ok || len(b) < 5 || string(b[:5]) != "token" {
		return Call{}, false
	}
	b, ok = cutStrings(b[5:], &c.ID, &c.Seat)
	if !ok || len(b) > 0 {
		return Call{}, false
	}
	return c, true
}

// Secret is a secret text that is compared without telling how much of a guess is right.
type Secret [sha256.Size]byte

// NewSecret keeps text's hash only.
func NewSecret(text string) Secret { return sha256.Sum256([]byte(text)) }

// Is reports whether guess is the secret, in a time that does not depend on it.
func (s Secret) Is(guess string) bool {
	sum := sha256.Sum256([]byte(guess))
	return hmac.Equal(s[:], sum[:])
}
