// Package transfer is parley.file.v1, the protocol that carries files over one data channel (docs/files.md): a state
// machine for the sender and one for the receiver. They do no input or output: the owner hands them the frames that
// arrive and the bytes that it read, and does what Next says until there is nothing to do.
//
// A frame of text is a control message in JSON. A binary frame is
//
//	kind 1 | zero 3 | file 4 | chunk 4 | offset in the chunk 4 | payload …   (big endian)
//
// with kind 1 for data and kind 2 for the SHA-256 of the chunk that just ended.
package transfer

import (
	"errors"
	"fmt"
)

// Protocol is the name of the protocol: the data channel's, and the beginning of what a root hashes.
const Protocol = "parley.file.v1"

// Limits of the protocol.
const (
	// ChunkSize is the size of every chunk of a file but the last.
	ChunkSize = 1 << 20
	// MaxFrame is the size of the largest binary frame.
	MaxFrame = 65536
	// MaxPayload is how much data fits a frame.
	MaxPayload = MaxFrame - HeaderSize
	// MaxText is the size of the largest control message.
	MaxText = 64 << 10
	// MaxFiles is how many files one transfer may have.
	MaxFiles = 10000
	// MaxTotal is the size of all files together: the largest whole number that JSON carries exactly everywhere.
	MaxTotal = 1 << 53
	// MaxOffer is how much text may describe one transfer, so that an offer of long names stays small in memory.
	MaxOffer = 4 << 20
	// Credit is how many bytes of chunks a sender may be ahead of what the receiver confirmed. Small files count as small,
	// so that many of them do not wait for a round trip each.
	Credit = 8 * ChunkSize
	// ahead is how much of that our sender uses. It bounds what waits in the memory of the receiver while the transport
	// mends a loss, which can take a second.
	ahead = 6 * ChunkSize
	// tries is how often a chunk may come with a wrong hash.
	tries = 3
	// maxBad is how many chunks may have come with a wrong hash at the same time.
	maxBad = 16
	// maxPauses is how often one side may pause or go on over one channel: more than a person ever does, and less than
	// what would keep a program busy with telling of it.
	maxPauses = 1000
)

// Reason says to a program why a transfer was refused or cancelled.
type Reason string

// The reasons. The first five refuse, the others cancel; no-space does both. Unanswered is never said: it is the end at a
// sender whose channels are closed without a word.
const (
	Declined  Reason = "declined"
	TooLarge  Reason = "too-large"
	NoSpace   Reason = "no-space"
	Busy      Reason = "busy"
	BadOffer  Reason = "bad-offer"
	Cancelled Reason = "cancelled"
	Changed   Reason = "changed"
	Corrupt   Reason = "corrupt"
	Gone      Reason = "gone"
	Fault     Reason = "fault"

	Unanswered Reason = "unanswered"
)

// ErrFault is what errors of a peer that breaks the protocol wrap.
var ErrFault = errors.New("the other side broke the file protocol")

func fault(format string, args ...any) error {
	return fmt.Errorf("transfer: %w: %s", ErrFault, fmt.Sprintf(format, args...))
}

// File is one file of an offer.
type File struct {
	// Path is relative, with slashes: see CheckPath.
	Path string `json:"path"`
	// Size is in bytes.
	Size int64 `json:"size"`
	// Modified is the time of the last change in milliseconds since 1970; 0 is unknown.
	Modified int64 `json:"modified,omitempty"`
	// Media is the media type, if known.
	Media string `json:"media,omitempty"`
}

// Chunks is how many chunks the file has.
func (f File) Chunks() uint32 {
	return uint32((f.Size + ChunkSize - 1) / ChunkSize) // Offer.check sees to it that it fits
}

// ChunkLength is the length of one chunk.
func (f File) ChunkLength(chunk uint32) int {
	return int(min(ChunkSize, f.Size-int64(chunk)*ChunkSize))
}

// Offer is what a sender has.
type Offer struct {
	// Name is what the receiving person sees.
	Name string
	// Files is in the order of sending.
	Files []File
	// Again is true when the receiver may know this transfer.
	Again bool
}

// Total is the size of all files together.
func (o Offer) Total() (total int64) {
	for _, f := range o.Files {
		total += f.Size
	}
	return total
}
