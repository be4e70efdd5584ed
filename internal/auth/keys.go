// Package auth decides who may do what: it makes and checks host secrets, seat tokens, resume tokens and relay
// credentials, and knows when a request is local enough for open mode. Everything is derived from one 32-byte key of
// the data directory, so nothing has to be stored and every node with the key gives the same answers.
//
// Time and randomness are arguments; a Keys is safe for concurrent use.
package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

// MasterSize is the size in bytes of the key that all others come from.
const MasterSize = 32

// macSize is the length in bytes of the tags: 144 bits, so that a host secret stays short enough to be read aloud.
const macSize = 18

// Keys holds one key for each purpose, so that what is signed for one can never pass for another.
type Keys struct {
	relay, host, resume, seat, call, pass []byte
}

// NewKeys derives the keys from master (RFC 5869), which must be MasterSize random bytes that are kept secret: who has
// them is a host of every room. It panics on another size.
func NewKeys(master []byte) *Keys {
	if len(master) != MasterSize {
		panic(fmt.Sprintf("auth: the master key has %d bytes, not %d", len(master), MasterSize))
	}
	derive := func(purpose string) []byte {
		key, err := hkdf.Key(sha256.New, master, nil, "parley.v1 "+purpose, sha256.Size)
		if err != nil {
			panic("auth: " + err.Error()) // only for lengths that HKDF cannot give
		}
		return key
	}
	return &Keys{relay: derive("relay"), host: derive("host"), resume: derive("resume"), seat: derive("seat"), call: derive("call"), pass: derive("pass")}
}

// NewID returns an identifier of 128 random bits, which fits every identifier of the protocol. It fails when random does.
func NewID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("auth: new identifier: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// tag authenticates the parts under key. Each part is preceded by its length, so that no two lists of parts give the
// same text.
func tag(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write([]byte{byte(len(p) >> 24), byte(len(p) >> 16), byte(len(p) >> 8), byte(len(p))})
		h.Write(p)
	}
	return h.Sum(nil)[:macSize]
}

// seal returns payload and its tag as text.
func seal(key, payload []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(payload[:len(payload):len(payload)], tag(key, payload)...))
}

// open returns the payload of a sealed text, and false when it was not sealed with key. There is exactly one text for
// each payload.
func open(key []byte, text string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < macSize || base64.RawURLEncoding.EncodeToString(b) != text {
		return nil, false // the comparison: DecodeString skips line ends
	}
	payload := b[:len(b)-macSize]
	return payload, hmac.Equal(b[len(payload):], tag(key, payload))
}
