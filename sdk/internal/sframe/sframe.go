// Package sframe seals and opens frames of media, and messages, from end to end: SFrame (RFC 9605) with the cipher suite
// AES_128_GCM_SHA256_128, the keys of everybody who sends, and the frames that RTP packets carry in pieces.
//
// It is sans-IO: time is an argument, and a Frames or an Assembly has one user at a time. What can be wrong with what
// somebody sent is an error of this package, and never more than that one frame.
package sframe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// The lengths of the cipher suite in bytes (RFC 9605 §4.5).
const (
	KeySize   = 16
	nonceSize = 12
	TagSize   = 16
)

// MaxHeader is the length of the longest header in bytes.
const MaxHeader = 17

// suite is AES_128_GCM_SHA256_128 (RFC 9605 §8.1).
const suite = 0x0004

// Why a frame was not opened.
var (
	// ErrMalformed says that it is too short to be one.
	ErrMalformed = errors.New("sframe: too short for a sealed frame")
	// ErrNoKey says that its key is not known, or not yet.
	ErrNoKey = errors.New("sframe: sealed with a key that is not known")
	// ErrReplayed says that it was there already, or is too old to tell.
	ErrReplayed = errors.New("sframe: a frame that was there already")
	// ErrForged says that it is not as its sender sealed it.
	ErrForged = errors.New("sframe: not what its sender sealed")
)

// Header is what stands in front of what is sealed (RFC 9605 §4.3).
type Header struct {
	// KID names the key, CTR the frame among those of the key.
	KID, CTR uint64
	// Size is how many bytes it takes.
	Size int
}

// ReadHeader reads the header that b begins with; ok is false when b is too short for it.
func ReadHeader(b []byte) (h Header, ok bool) {
	if len(b) == 0 {
		return h, false
	}
	at := 1
	take := func(field byte) (value uint64, ok bool) {
		if field < 8 {
			return uint64(field), true
		}
		end := at + int(field&7) + 1
		if end > len(b) {
			return 0, false
		}
		for ; at < end; at++ {
			value = value<<8 | uint64(b[at])
		}
		return value, true
	}
	var known bool
	if h.KID, known = take(b[0] >> 4); !known {
		return h, false
	}
	if h.CTR, known = take(b[0] & 15); !known {
		return h, false
	}
	h.Size = at
	return h, true
}

// AppendHeader writes a header: small numbers stand in its first byte, others behind it, in as few bytes as it takes.
func AppendHeader(b []byte, kid, ctr uint64) []byte {
	at := len(b)
	b = append(b, 0)
	put := func(value uint64) byte {
		if value < 8 {
			return byte(value)
		}
		size := 1
		for size < 8 && value>>(8*size) != 0 {
			size++
		}
		for i := size - 1; i >= 0; i-- {
			b = append(b, byte(value>>(8*i)))
		}
		return 8 | byte(size-1)
	}
	k := put(kid)
	b[at] = k<<4 | put(ctr)
	return b
}

// Key is one sender's key of one generation, as derived from its base key (RFC 9605 §4.4.2). Seal and Open use the same
// scratch memory: one call at a time.
type Key struct {
	// KID names it.
	KID  uint64
	aead cipher.AEAD
	salt [nonceSize]byte
	// scratch for the nonce and for what is authenticated but not sealed
	nonce [nonceSize]byte
	aad   []byte
}

// Derive makes the key with the number kid of base, which are KeySize bytes that only its sender and receivers know.
func Derive(kid uint64, base []byte) (*Key, error) {
	if len(base) != KeySize {
		return nil, fmt.Errorf("sframe: a base key of %d bytes, want %d", len(base), KeySize)
	}
	secret, err := hkdf.Extract(sha256.New, base, nil)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive: %w", err)
	}
	part := func(name string, size int) ([]byte, error) {
		info := binary.BigEndian.AppendUint64([]byte("SFrame 1.0 Secret "+name+" "), kid)
		return hkdf.Expand(sha256.New, secret, string(binary.BigEndian.AppendUint16(info, suite)), size)
	}
	raw, err := part("key", KeySize)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive: %w", err)
	}
	salt, err := part("salt", nonceSize)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive: %w", err)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive: %w", err)
	}
	k := &Key{KID: kid}
	copy(k.salt[:], salt)
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("sframe: derive: %w", err)
	}
	return k, nil
}

// Seal appends the sealed frame to dst, which must not overlap it. Its first clear bytes stay legible: they, the header
// and what is sealed are authentic together. No two frames may have the same ctr.
func (k *Key) Seal(dst []byte, ctr uint64, frame []byte, clear int) []byte {
	dst = append(dst, frame[:clear]...)
	head := len(dst)
	dst = AppendHeader(dst, k.KID, ctr)
	k.prepare(ctr, dst[head:], frame[:clear])
	return k.aead.Seal(dst, k.nonce[:], frame[clear:], k.aad)
}

// Open opens a frame whose header h was read behind its clear bytes, in the frame's own memory: what it returns is a part
// of frame, or nil and ErrForged.
func (k *Key) Open(h Header, frame []byte, clear int) ([]byte, error) {
	k.prepare(h.CTR, frame[clear:clear+h.Size], frame[:clear])
	sealed := frame[clear+h.Size:]
	plain, err := k.aead.Open(sealed[:0], k.nonce[:], sealed, k.aad)
	if err != nil {
		return nil, ErrForged
	}
	copy(frame[h.Size:], frame[:clear]) // to where what was sealed goes on
	return frame[h.Size : h.Size+clear+len(plain)], nil
}

// prepare makes the nonce and the associated data (RFC 9605 §4.4.3).
func (k *Key) prepare(ctr uint64, header, metadata []byte) {
	k.nonce = k.salt
	tail := k.nonce[nonceSize-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^ctr)
	k.aad = append(append(k.aad[:0], header...), metadata...)
}
