// Package rtp turns RTP and RTCP packets into values and back: headers and their extensions, what a video payload says about
// its frame, the dependency descriptor, retransmissions, feedback, and counting past 16 bits.
//
// # Contract
//
//   - **Nothing here allocates**, whatever the bytes are: what is read points into the packet that the caller owns, what is
//     written is appended to the caller's buffer (which grows only when it is too small, as with append).
//   - **No parser panics or reads past the end.** Bytes that are not what they should be give one of the errors below; it is
//     the sender's fault, the packet is to be dropped and counted, and the stream goes on.
//   - Values are plain and have one owner. Only [Dependency] and the unwrappers remember anything, and no more than they show.
package rtp

import "errors"

// The faults that a packet can have. They carry no detail, so that a flood of bad packets costs nothing.
var (
	// ErrShort says that the packet ends before what it announces.
	ErrShort = errors.New("rtp: packet ends too early")
	// ErrVersion says that it is not version 2: neither RTP nor RTCP.
	ErrVersion = errors.New("rtp: not version 2")
	// ErrPadding says that more padding is announced than there are bytes, or none.
	ErrPadding = errors.New("rtp: impossible padding")
	// ErrMalformed says that a field has a value that its definition forbids.
	ErrMalformed = errors.New("rtp: forbidden value in a field")
	// ErrStructure says that a dependency descriptor refers to a structure or template that has not come (yet).
	ErrStructure = errors.New("rtp: dependency descriptor without its structure")
	// ErrRoom says that the caller's slice is too small for what the packet announces.
	ErrRoom = errors.New("rtp: more entries than there is room for")
)

// IsRTCP tells RTCP from RTP on one port by the second byte (RFC 5761 §4). It says nothing about whether the packet is sound.
func IsRTCP(pkt []byte) bool { return len(pkt) >= 2 && pkt[1] >= 192 && pkt[1] <= 223 }
