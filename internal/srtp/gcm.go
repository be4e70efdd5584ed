package srtp

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

const (
	gcmTagSize   = 16
	gcmNonceSize = 12
)

// gcm is AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714) with the keys of RTP or of RTCP.
type gcm struct {
	aead cipher.AEAD
	salt [gcmNonceSize]byte
	// Scratch: what goes through an interface would otherwise be allocated.
	nonce [gcmNonceSize]byte
	aad   [rtcpHeaderSize + wordSize]byte
}

func newGCM(k sessionKeys) (*gcm, error) {
	block, err := aes.NewCipher(k.key)
	if err != nil {
		return nil, err
	}
	g := new(gcm)
	if g.aead, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	copy(g.salt[:], k.salt)
	return g, nil
}

// iv makes the nonce: two zero bytes, the SSRC and the index in 48 bits, combined with the salt (RFC 7714 §8.1 and §9.1, where
// RTCP's index has 16 zero bits before it and so has the same form).
func (g *gcm) iv(ssrc uint32, index uint64) []byte {
	g.nonce = g.salt
	binary.BigEndian.PutUint32(g.nonce[2:], binary.BigEndian.Uint32(g.nonce[2:])^ssrc)
	binary.BigEndian.PutUint64(g.nonce[4:], binary.BigEndian.Uint64(g.nonce[4:])^index)
	return g.nonce[:]
}

func (g *gcm) sealRTP(b []byte, headerLen, n int, ssrc uint32, index uint64) {
	g.aead.Seal(b[headerLen:headerLen], g.iv(ssrc, index), b[headerLen:n], b[:headerLen])
}

func (g *gcm) openRTP(b []byte, headerLen int, ssrc uint32, index uint64) bool {
	_, err := g.aead.Open(b[headerLen:headerLen], g.iv(ssrc, index), b[headerLen:], b[:headerLen])
	return err == nil
}

// associate returns what of an RTCP packet is authenticated and not encrypted: its first 8 bytes and the last word, which does
// not follow them (RFC 7714 §9.2).
func (g *gcm) associate(header []byte, word uint32) []byte {
	copy(g.aad[:rtcpHeaderSize], header)
	binary.BigEndian.PutUint32(g.aad[rtcpHeaderSize:], word)
	return g.aad[:]
}

func (g *gcm) sealRTCP(b []byte, n int, ssrc, index uint32) {
	word := index | encryptedFlag
	g.aead.Seal(b[rtcpHeaderSize:rtcpHeaderSize], g.iv(ssrc, uint64(index)), b[rtcpHeaderSize:n], g.associate(b, word))
	binary.BigEndian.PutUint32(b[n+gcmTagSize:], word)
}

func (g *gcm) openRTCP(b []byte, ssrc, index uint32) bool {
	body := b[rtcpHeaderSize : len(b)-wordSize]
	_, err := g.aead.Open(body[:0], g.iv(ssrc, uint64(index)), body, g.associate(b, index|encryptedFlag))
	return err == nil
}

// rtcpWord returns the E flag and the index of an RTCP packet: its last word.
func (g *gcm) rtcpWord(b []byte) uint32 { return binary.BigEndian.Uint32(b[len(b)-wordSize:]) }
