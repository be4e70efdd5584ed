// Package srtp protects RTP and RTCP (RFC 3711, RFC 7714): packets in, packets out, in place and without allocating. The
// ciphers are the standard library's; the framing, the key derivation and the replay protection are here.
//
// # Contract
//
//   - **A [Context] is one direction of one transport, and exactly one goroutine owns it.** What one side seals with a key the
//     other opens with a context of the same key.
//   - **Everything happens in the caller's buffer.** What Open and Seal return is a part of it; nothing is kept. A packet that
//     could not be opened is spoiled: it is to be dropped.
//   - **Nothing is learnt from a packet that does not authenticate**: it costs its own check, and leaves no state behind.
//   - Errors are values made beforehand, so a flood of bad packets allocates nothing.
//
// # Sources
//
// Each SSRC has its own index and replay window, and there are at most [MaxSources] of them for RTP and again for RTCP.
// A window is never given up to make room, for then what was sent in it could be sent again: a source beyond the limit is
// refused until the owner forgets one that signalling has ended ([Context.Forget]).
package srtp

import (
	"errors"
	"fmt"
)

// Profile is a DTLS-SRTP protection profile by its number in the IANA registry (RFC 5764 §4.1.2, RFC 7714 §14.2).
type Profile uint16

// The profiles that browsers offer, without those that shorten the tag to 32 bits.
const (
	AES128CMHMACSHA180 Profile = 0x0001
	AEADAES128GCM      Profile = 0x0007
	AEADAES256GCM      Profile = 0x0008
)

// String returns the name that the registry gives the profile.
func (p Profile) String() string {
	switch p {
	case AES128CMHMACSHA180:
		return "SRTP_AES128_CM_HMAC_SHA1_80"
	case AEADAES128GCM:
		return "SRTP_AEAD_AES_128_GCM"
	case AEADAES256GCM:
		return "SRTP_AEAD_AES_256_GCM"
	}
	return fmt.Sprintf("SRTP profile %#04x", uint16(p))
}

// KeySize is the size of the master key in bytes; 0 for an unknown profile.
func (p Profile) KeySize() int {
	switch p {
	case AES128CMHMACSHA180, AEADAES128GCM:
		return 16
	case AEADAES256GCM:
		return 32
	}
	return 0
}

// SaltSize is the size of the master salt in bytes; 0 for an unknown profile.
func (p Profile) SaltSize() int {
	switch p {
	case AES128CMHMACSHA180:
		return 14
	case AEADAES128GCM, AEADAES256GCM:
		return 12
	}
	return 0
}

// Overhead is how many bytes longer than itself an RTP packet becomes: the tag. 0 for an unknown profile.
func (p Profile) Overhead() int {
	switch p {
	case AES128CMHMACSHA180:
		return cmTagSize
	case AEADAES128GCM, AEADAES256GCM:
		return gcmTagSize
	}
	return 0
}

// OverheadRTCP is how many bytes longer an RTCP packet becomes: the tag, and the index that RTP does not need to carry.
func (p Profile) OverheadRTCP() int {
	if n := p.Overhead(); n > 0 {
		return n + wordSize
	}
	return 0
}

const (
	// MaxSources is how many SSRCs a context knows at once, for RTP and again for RTCP.
	MaxSources = 512
	// MaxPacket is the longest packet in bytes that is sealed or opened, with its tag: what a datagram and a frame of
	// RFC 4571 can carry.
	MaxPacket = 65535

	rtpHeaderSize  = 12 // RFC 3550 §5.1
	rtcpHeaderSize = 8  // of a packet's fixed part with the sender's SSRC, which stays clear (RFC 3711 §3.4)
	wordSize       = 4  // of the E flag and the SRTCP index
	encryptedFlag  = 1 << 31
	maxIndex       = 1 << 48   // of RTP packets, RFC 3711 §3.3.1
	maxIndexRTCP   = 1<<31 - 1 // RFC 3711 §3.4
)

// The errors of packets. None of them says anything about the packets that follow.
var (
	// ErrLength says that a packet is shorter than its header and tag, or longer than [MaxPacket]: the peer's fault.
	ErrLength = errors.New("srtp: packet is too short or too long")
	// ErrForged says that a packet does not authenticate: it was damaged, sealed with other keys, or forged.
	ErrForged = errors.New("srtp: packet does not authenticate")
	// ErrReplayed says that a packet came before, or is too old to know.
	ErrReplayed = errors.New("srtp: packet came before or is too old")
	// ErrClear says that an RTCP packet says of itself that it is not encrypted, which WebRTC forbids (RFC 8827 §6.5).
	ErrClear = errors.New("srtp: RTCP packet is not encrypted")
	// ErrSources says that a packet is of one source more than a context knows at once.
	ErrSources = errors.New("srtp: too many sources, forget those that have ended")
	// ErrRoom says that the caller's buffer has no room for what sealing adds: our own fault.
	ErrRoom = errors.New("srtp: buffer has no room for the tag")
	// ErrReused says that a source's packet number was sealed before, or is too old to know. Sealing another packet under it
	// would give the key away (RFC 3711 §9.1, RFC 7714 §8.1): our own fault.
	ErrReused = errors.New("srtp: packet number was used before")
	// ErrExhausted says that the keys have sealed all the RTCP packets they may (RFC 3711 §9.2). New ones are needed.
	ErrExhausted = errors.New("srtp: keys are used up, a new handshake is needed")
)

// Stats counts the packets of a context since it was made.
type Stats struct {
	// Opened and Sealed went well.
	Opened, Sealed uint64
	// Forged, Replayed, Malformed and Refused (by ErrSources) could not be opened.
	Forged, Replayed, Malformed, Refused uint64
}
