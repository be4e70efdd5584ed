package srtp

import (
	"crypto/aes"
	"encoding/binary"
)

// The labels of the key derivation (RFC 3711 §4.3.1 and §4.3.2).
const (
	labelKey = iota
	labelAuth
	labelSalt
	labelsPerKind // RTCP's labels follow RTP's in the same order
)

const authKeySize = 20 // RFC 3711 §8.2

// sessionKeys are what RTP or RTCP is protected with.
type sessionKeys struct {
	key, auth []byte // auth is empty with AEAD
	salt      []byte // 14 bytes, or 12 with AEAD
}

// derive makes the session keys of RTP, or of RTCP, from the master key and salt. The key derivation rate is 0, so the keys
// hold for the whole session. RFC 7714 §11 uses the same function, with a salt that is two bytes shorter.
func derive(p Profile, masterKey, masterSalt []byte, rtcp bool) (sessionKeys, error) {
	block, err := aes.NewCipher(masterKey)
	if err != nil {
		return sessionKeys{}, err
	}
	session := func(label byte, size int) []byte {
		if rtcp {
			label += labelsPerKind
		}
		var x [aes.BlockSize]byte
		copy(x[:14], masterSalt)
		x[7] ^= label
		var out []byte
		for n := uint16(0); len(out) < size; n++ {
			binary.BigEndian.PutUint16(x[14:], n)
			var y [aes.BlockSize]byte
			block.Encrypt(y[:], x[:])
			out = append(out, y[:]...)
		}
		return out[:size]
	}
	k := sessionKeys{key: session(labelKey, len(masterKey)), salt: session(labelSalt, len(masterSalt))}
	if p == AES128CMHMACSHA180 {
		k.auth = session(labelAuth, authKeySize)
	}
	return k, nil
}
