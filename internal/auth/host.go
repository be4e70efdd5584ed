package auth

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// HostLifetime is how long a host secret is good for after it was made.
const HostLifetime = 30 * 24 * time.Hour

// hostSkew is how far a secret's making may lie in the future: a clock that was set back.
const hostSkew = time.Hour

// HostSecret returns the secret that makes its bearer a host of room, good for HostLifetime after made. The same
// arguments give the same secret; made counts in whole seconds.
func (k *Keys) HostSecret(room string, made time.Time) string {
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(made.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(stamp[3:8:8], tag(k.host, stamp[:], []byte(room))...))
}

// CheckHost reports whether secret was made by HostSecret for room and is still good.
func (k *Keys) CheckHost(room, secret string, now time.Time) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err != nil || len(b) != 5+macSize {
		return false
	}
	var stamp [8]byte
	copy(stamp[3:], b[:5])
	made := time.Unix(int64(binary.BigEndian.Uint64(stamp[:])), 0)
	return hmac.Equal([]byte(k.HostSecret(room, made)), []byte(secret)) &&
		now.Before(made.Add(HostLifetime)) && made.Before(now.Add(hostSkew))
}
