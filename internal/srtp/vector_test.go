package srtp

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s\n got %x\nwant %x", what, got, want)
	}
}

// TestDerivation holds the session keys of RFC 3711 appendix B.3; those of RTCP are the next three labels of the same function.
func TestDerivation(t *testing.T) {
	key, salt := unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139"), unhex(t, "0EC675AD498AFEEBB6960B3AABE6")
	k, err := derive(AES128CMHMACSHA180, key, salt, false)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "cipher key", k.key, unhex(t, "C61E7A93744F39EE10734AFE3FF7A087"))
	equal(t, "cipher salt", k.salt, unhex(t, "30CBBC08863D8C85D49DB34A9AE1"))
	equal(t, "auth key", k.auth, unhex(t, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
}

// TestKeyStream holds the key stream of RFC 3711 appendix B.2, and that it does not break where a chunk ends.
func TestKeyStream(t *testing.T) {
	c, err := newCM(sessionKeys{key: unhex(t, "2B7E151628AED2A6ABF7158809CF4F3C"), salt: unhex(t, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD"), auth: make([]byte, authKeySize)})
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 0xff02*16)
	c.xor(b, 0, 0)
	equal(t, "first blocks", b[:48], unhex(t, `E03EAD0935C95E80E166B16DD92B4EB4
		D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0`))
	equal(t, "blocks FEFF to FF01", b[0xfeff*16:], unhex(t, `EC8CDF7398607CB0F2D21675EA9EA1E4
		362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44`))
}

// vector is a packet in clear and sealed.
type vector struct {
	name          string
	profile       Profile
	keys          sessionKeys // as derived; nil when master is given
	master, salt  []byte
	clear, sealed []byte
	index         uint32 // of RTCP
}

func vectors(t testing.TB) []vector {
	rtp := unhex(t, `8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573`)
	rtcp := unhex(t, `81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef`)
	k128 := sessionKeys{key: unhex(t, "000102030405060708090a0b0c0d0e0f"), salt: []byte("Quid pro quo")}
	k256 := sessionKeys{key: unhex(t, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), salt: []byte("Quid pro quo")}
	master, salt := unhex(t, "e1f97a0d3e018be0d64fa32c06de4139"), unhex(t, "0ec675ad498afeebb6960b3aabe6")
	return []vector{
		{"RFC 7714 §16.1.1", AEADAES128GCM, k128, nil, nil, rtp, unhex(t, `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca
			be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`), 0},
		{"RFC 7714 §16.2.1", AEADAES256GCM, k256, nil, nil, rtp, unhex(t, `8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa
			b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13`), 0},
		{"RFC 7714 §17.1", AEADAES128GCM, k128, nil, nil, rtcp, unhex(t, `81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7
			6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`), 0x5d4},
		{"RFC 7714 §17.3", AEADAES256GCM, k256, nil, nil, rtcp, unhex(t, `81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d
			bffe0a50 a2eaa5c1 110555be 8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4`), 0x5d4},
		// RFC 3711 has no whole packet; these are the reference packets of libsrtp, with the keys of its appendix B.3.
		{
			"libsrtp RTP", AES128CMHMACSHA180,
			sessionKeys{},
			master, salt, unhex(t, "800f1234 decafbad cafebabe abababab abababab abababab abababab"),
			unhex(t, "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb"), 0,
		},
		{
			"libsrtp RTCP", AES128CMHMACSHA180,
			sessionKeys{},
			master, salt, unhex(t, "81c8000b cafebabe abababab abababab abababab abababab"),
			unhex(t, "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798"), 1,
		},
	}
}

func (v *vector) context(t testing.TB) *Context {
	if v.master != nil {
		return context(t, v.profile, v.master, v.salt)
	}
	c, err := newContext(v.profile, v.keys, v.keys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func context(t testing.TB, p Profile, key, salt []byte) *Context {
	t.Helper()
	c, err := New(p, key, salt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			seal, open := v.context(t), v.context(t)
			buf := append(bytes.Clone(v.clear), make([]byte, 40)...)
			var sealed, opened []byte
			var err, err2 error
			if v.index != 0 {
				seal.sealedRTCP = v.index - 1
				sealed, err = seal.SealRTCP(buf, len(v.clear))
				opened, err2 = open.OpenRTCP(bytes.Clone(v.sealed))
			} else {
				sealed, err = seal.SealRTP(buf, 12, len(v.clear), 0)
				opened, err2 = open.OpenRTP(bytes.Clone(v.sealed), 12)
			}
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			equal(t, "sealed", sealed, v.sealed)
			equal(t, "opened", opened, v.clear)
		})
	}
}
