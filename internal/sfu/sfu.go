// Package sfu forwards media between the people of a room: what each publishes is kept for a moment, and everybody gets as much
// of it as they show and as their downlink carries.
//
//   - Room is one room's forwarding. A Person enters with a Way, the way out to them.
//   - A source is what a person publishes under a name; it has a stream for each of its simulcast encodings (one SSRC each). A
//     stream keeps its last packets in a ring, asks for those that are missing, and for key frames.
//   - A place is one section on which a person receives. It shows a source, or none; sources are swapped without negotiating.
//     To its receiver it is one stream without holes, whatever is switched behind it.
//
// # Contract
//
//   - **A Room, with all that is in it, has one owner, which passes the time; times never go back.** It owns no socket, timer or
//     goroutine. After each batch of packets, and when Deadline says so, call Tick; drain Events after it.
//   - **HandleRTP and HandleRTCP do not allocate once streams are known**, and nothing keeps the packet that was passed in.
//   - **A sequence number of ours is sealed once.** What is repeated is repeated on the retransmission stream, or, of sound without
//     one, is the very datagram that left before: sealing another packet under the same number would break AES-GCM (RFC 7714 §8.1).
//   - What a peer sends can only harm what it publishes itself: everything it can make grow is bounded, and what cannot be read is
//     counted and dropped.
//
// Only header bytes are read that stay clear under end-to-end encryption.
package sfu

import (
	"cmp"

	"github.com/parley-rtc/parley/internal/bwe"
	"github.com/parley-rtc/parley/internal/rtp"
)

// Way is the way out to one person.
type Way interface {
	// Next returns a buffer for one datagram, at least 1500 bytes long, the same again until one of the others is called.
	Next() []byte
	// SendRTP seals the first n bytes of the buffer, of which headerLen are the header, and queues them; roc is the packet's
	// rollover counter (RFC 3711 §3.3.1). It is false when there is nowhere to send to now: the packet is lost.
	SendRTP(headerLen, n int, roc uint32) bool
	// KeepRTP is SendRTP, and appends the datagram to kept as it leaves, sealed. It returns kept as it was when nothing left.
	KeepRTP(kept []byte, headerLen, n int, roc uint32) []byte
	// Resend queues a datagram that KeepRTP has kept, once more and as it is; false as with SendRTP.
	Resend(datagram []byte) bool
	// SendRTCP does so for a compound packet.
	SendRTCP(n int) bool
}

// Config bounds a room. The zero value is usable.
type Config struct {
	// Seed is where numbers begin that an outsider shall not guess. The shell draws it from a secure source.
	Seed uint64
	// Loudest is how many sources of sound are forwarded at once when there are more of them than a person has places. 0 means 5.
	Loudest int
	// PublisherBitrate (bit/s) and PublisherPackets (per second) are what one person may send. 0 means 16 Mbit/s and 4000.
	PublisherBitrate, PublisherPackets int
	// Bandwidth bounds the estimate of each downlink.
	Bandwidth bwe.Config
}

// WithDefaults returns c with every zero replaced.
func (c Config) WithDefaults() Config {
	c.Loudest = cmp.Or(max(c.Loudest, 0), 5)
	c.PublisherBitrate = min(cmp.Or(max(c.PublisherBitrate, 0), 16_000_000), 10_000_000_000)
	c.PublisherPackets = min(cmp.Or(max(c.PublisherPackets, 0), 4000), 1_000_000)
	c.Bandwidth = c.Bandwidth.WithDefaults()
	return c
}

// Kind is what a section carries.
type Kind uint8

// The kinds of sections.
const (
	Audio Kind = iota
	Video
)

// Codec is a payload format of an agreed section.
type Codec struct {
	// Format names the codec with those of its parameters that have to be the same at both ends; only equal ones are forwarded to
	// each other.
	Format string
	Codec  rtp.Codec
	// PayloadType is its number, RTX that of its retransmissions, 0 for none.
	PayloadType, RTX uint8
	// Clock is in Hz.
	Clock uint32
	// NACK, PLI and FIR say which feedback was agreed on.
	NACK, PLI, FIR bool
}

// Encoding is a stream that a publisher announces.
type Encoding struct {
	// RID is its name in a simulcast, "" for the only one (RFC 8852).
	RID string
	// SSRC and RTX are its sources, 0 when they were not told: then the first packets tell them by mid and rid.
	SSRC, RTX uint32
}

// Section is a media section as it was agreed on.
type Section struct {
	MID  string
	Kind Kind
	// Publishes says that the person sends here, Receives that it is a place of theirs.
	Publishes, Receives bool
	Codecs              []Codec
	// Extensions is which kinds the ids stand for.
	Extensions rtp.Table
	// Mixed says that headers of two-byte form were agreed on (extmap-allow-mixed).
	Mixed bool
	// ReducedSize says that feedback may be sent without a report in front (a=rtcp-rsize).
	ReducedSize bool
	// Encodings are the streams of a publisher, the smallest first, at most MaxEncodings.
	Encodings []Encoding
	// SSRC and RTX are our sources towards a receiver.
	SSRC, RTX uint32
}

// Limits of what one person may agree on; what is beyond is not served.
const (
	MaxEncodings = 4
	MaxSections  = 256
)

// Track says under which name a section is published: camera, microphone, screen.
type Track struct{ MID, Source string }

// Want is what a place shall show.
type Want struct {
	// MID is the place.
	MID string
	// Seat and Source are what it shows, as soon as it is there; "" for nothing.
	Seat, Source string
	// Width and Height are the size at which it is shown, in pixels; 0 for any.
	Width, Height int
	// Paused says that nothing is to be sent for now.
	Paused bool
}
