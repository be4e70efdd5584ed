package turn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	nonceMAC  = 8                      // bytes of the tag: a nonce is no secret, it only proves a round trip
	nonceSize = (4 + nonceMAC) * 4 / 3 // as base64, short because it goes to unproven addresses
	nonceSkew = time.Second            // of rounding to whole seconds
)

// nonces makes and checks nonces without keeping any: a nonce is the time and a tag over the time and the client, so a flood
// of first requests costs no memory, and a nonce that one client got is worthless to another.
type nonces struct{ key [32]byte }

func (n *nonces) tag(seconds [4]byte, c Client) [nonceMAC]byte {
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write(seconds[:])
	for _, a := range []netip.Addr{c.Addr.Addr(), c.Local} {
		b := a.As16()
		mac.Write(b[:])
		mac.Write([]byte(a.Zone() + "\x00"))
	}
	var rest [10]byte
	binary.BigEndian.PutUint16(rest[:2], c.Addr.Port())
	binary.BigEndian.PutUint64(rest[2:], c.Stream)
	mac.Write(rest[:])
	return [nonceMAC]byte(mac.Sum(nil))
}

// issue returns a nonce for the client.
func (n *nonces) issue(now time.Time, c Client) []byte {
	var seconds [4]byte
	binary.BigEndian.PutUint32(seconds[:], uint32(now.Unix()))
	tag := n.tag(seconds, c)
	return base64.RawURLEncoding.AppendEncode(nil, append(seconds[:], tag[:]...))
}

// valid reports whether the nonce was made for this client and is not stale (RFC 8489 §9.2.4).
func (n *nonces) valid(now time.Time, c Client, nonce []byte) bool {
	if len(nonce) != nonceSize {
		return false
	}
	var raw [4 + nonceMAC]byte
	if got, err := base64.RawURLEncoding.Decode(raw[:], nonce); err != nil || got != len(raw) {
		return false
	}
	seconds := [4]byte(raw[:4])
	if tag := n.tag(seconds, c); !hmac.Equal(tag[:], raw[4:]) {
		return false
	}
	// The difference of 32-bit seconds is right across their overflow.
	age := time.Duration(int32(uint32(now.Unix())-binary.BigEndian.Uint32(seconds[:]))) * time.Second
	return age >= -nonceSkew && age <= nonceLifetime
}
