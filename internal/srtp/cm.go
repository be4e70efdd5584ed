package srtp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

const (
	cmTagSize = 10 // RFC 3711 §8.2
	// cmChunk is how many bytes of key stream are made at once: the better part of a packet, and still in the first cache.
	cmChunk = 1024
)

// cm is AES128_CM_HMAC_SHA1_80 (RFC 3711 §4.1.1 and §4.2.1) with the keys of RTP or of RTCP.
//
// The standard library's counter mode makes an object of 500 bytes for each packet, and cannot be given a new counter. So the
// key stream is made here, block by block by its AES into a buffer, and applied in one go.
type cm struct {
	block cipher.Block
	mac   hash.Hash
	salt  [aes.BlockSize]byte
	// Scratch: what goes through an interface would otherwise be allocated.
	roc    [wordSize]byte
	sum    [sha1.Size]byte
	stream [cmChunk]byte
}

func newCM(k sessionKeys) (*cm, error) {
	block, err := aes.NewCipher(k.key)
	if err != nil {
		return nil, err
	}
	c := &cm{block: block, mac: hmac.New(sha1.New, k.auth)}
	copy(c.salt[:14], k.salt)
	return c, nil
}

// xor applies the key stream of a packet to b. Its counter begins with the salt, the SSRC in bytes 4 to 7 and the index in
// bytes 8 to 13 combined, and counts blocks in the last two (RFC 3711 §4.1.1); [MaxPacket] has fewer than 2^16.
func (c *cm) xor(b []byte, ssrc uint32, index uint64) {
	high := binary.BigEndian.Uint64(c.salt[:8]) ^ uint64(ssrc)
	low := binary.BigEndian.Uint64(c.salt[8:]) ^ index<<16
	for len(b) > 0 {
		n := min(len(b), cmChunk)
		// Two loops: a block that is encrypted right after its halves were written waits for both.
		for at := 0; at < n; at += aes.BlockSize {
			counter := c.stream[at : at+aes.BlockSize : at+aes.BlockSize]
			binary.BigEndian.PutUint64(counter, high)
			binary.BigEndian.PutUint64(counter[8:], low)
			low++
		}
		for at := 0; at < n; at += aes.BlockSize {
			counter := c.stream[at : at+aes.BlockSize : at+aes.BlockSize]
			c.block.Encrypt(counter, counter)
		}
		subtle.XORBytes(b[:n], b[:n], c.stream[:n])
		b = b[n:]
	}
}

// tag returns the authentication tag of an RTP packet, which covers the rollover counter behind it (RFC 3711 §4.2).
func (c *cm) tag(packet []byte, roc uint32) []byte {
	binary.BigEndian.PutUint32(c.roc[:], roc)
	c.mac.Reset()
	c.mac.Write(packet)
	c.mac.Write(c.roc[:])
	return c.mac.Sum(c.sum[:0])[:cmTagSize]
}

// tagRTCP returns the authentication tag of an RTCP packet, whose index lies in it.
func (c *cm) tagRTCP(packet []byte) []byte {
	c.mac.Reset()
	c.mac.Write(packet)
	return c.mac.Sum(c.sum[:0])[:cmTagSize]
}

func (c *cm) sealRTP(b []byte, headerLen, n int, ssrc uint32, index uint64) {
	c.xor(b[headerLen:n], ssrc, index)
	copy(b[n:], c.tag(b[:n], uint32(index>>16)))
}

func (c *cm) openRTP(b []byte, headerLen int, ssrc uint32, index uint64) bool {
	n := len(b) - cmTagSize
	if subtle.ConstantTimeCompare(c.tag(b[:n], uint32(index>>16)), b[n:]) != 1 {
		return false
	}
	c.xor(b[headerLen:n], ssrc, index)
	return true
}

func (c *cm) sealRTCP(b []byte, n int, ssrc, index uint32) {
	c.xor(b[rtcpHeaderSize:n], ssrc, uint64(index))
	binary.BigEndian.PutUint32(b[n:], index|encryptedFlag)
	n += wordSize
	copy(b[n:], c.tagRTCP(b[:n]))
}

func (c *cm) openRTCP(b []byte, ssrc, index uint32) bool {
	n := len(b) - cmTagSize
	if subtle.ConstantTimeCompare(c.tagRTCP(b[:n]), b[n:]) != 1 {
		return false
	}
	c.xor(b[rtcpHeaderSize:n-wordSize], ssrc, uint64(index))
	return true
}

// rtcpWord returns the E flag and the index of an RTCP packet: the word before the tag.
func (c *cm) rtcpWord(b []byte) uint32 {
	return binary.BigEndian.Uint32(b[len(b)-cmTagSize-wordSize:])
}
