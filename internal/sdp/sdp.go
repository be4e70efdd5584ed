// Package sdp turns session descriptions of WebRTC (RFC 8829, RFC 8866) into values and back, for a server that only answers:
// an offer is read, each section is agreed on, and the answer is written.
//
//	offer, err := sdp.ParseOffer(text)
//	for i := range offer.Sections {
//		agreed[i] = offer.Sections[i].Agree(&able, sdp.ReceiveOnly)
//	}
//	text, err := offer.Answer(&sdp.Answer{Sections: agreed, …})
//
// # Contract
//
//   - Pure functions: nothing is kept, values have one owner.
//   - An offer is bounded (the Max… constants), and so is what is made of it. What we do not know is passed over; what we need and
//     cannot read is a [Fault] with its line: the fault of whoever wrote the offer.
//   - What cannot be agreed on rejects its own section with a reason, never the whole.
//   - All accepted sections share one transport (BUNDLE, RFC 9143), and RTP and RTCP share it too (RFC 8858).
package sdp

import (
	"fmt"

	"github.com/parley-rtc/parley/internal/rtp"
)

// Bounds of an offer.
const (
	// MaxSize is the longest description that is read, in bytes.
	MaxSize = 1 << 20
	// MaxSections is how many sections one may have.
	MaxSections = 512
	// MaxCodecs is how many payload types a section may have: as many as there are for RTP beside RTCP.
	MaxCodecs = 128
	// MaxLayers is how many simulcast layers a section may have.
	MaxLayers = 8
	// MaxSources is how many SSRCs a section may declare.
	MaxSources = 64
	// maxName is how long a mid, a rid, a cname or half of a msid may be, in bytes. RFC 8285 gives mid and rid 255 at most.
	maxName = 255
)

// Fault says what is wrong with a description that somebody else wrote.
type Fault struct {
	// Line is the number of the line, from 1; 0 when it is about something that is missing.
	Line int
	// Text is that line, shortened.
	Text string
	// Why says what is wrong with it.
	Why string
}

func (f *Fault) Error() string {
	if f.Line == 0 {
		return "sdp: the offer is at fault: " + f.Why
	}
	return fmt.Sprintf("sdp: the offer is at fault in line %d (%q): %s", f.Line, f.Text, f.Why)
}

// Description is an offer as far as we understand it.
type Description struct {
	// ICE and Fingerprints are those of the transport that all sections share.
	ICE          ICE
	Fingerprints []Fingerprint
	// Setup is the DTLS role that the peer offers.
	Setup Setup
	// Bundle holds the mids of the sections that share the transport, in the order of the offer's group.
	Bundle []string
	// Mixed says that a receiver understands both forms of header extensions in one stream (RFC 8285 §6).
	Mixed bool
	// Sections are in the order of the offer, which the answer keeps.
	Sections []Section
}

// ICE is what a side says of itself for ICE (RFC 8839).
type ICE struct {
	Ufrag, Password string
	// Trickle and Renomination are options that the side has (RFC 8840, draft-thatcher-ice-renomination).
	Trickle, Renomination bool
}

// Fingerprint is the hash of a DTLS certificate (RFC 8122).
type Fingerprint struct {
	// Algorithm is sha-256, sha-384 or sha-512. Weaker ones are passed over.
	Algorithm string
	Sum       []byte
}

// Setup is a DTLS role (RFC 4145, RFC 5763 §5).
type Setup uint8

// The roles.
const (
	Active  Setup = iota + 1 // the DTLS client
	Passive                  // the DTLS server
	Either                   // offered: the answerer chooses
)

var setups = map[string]Setup{"active": Active, "passive": Passive, "actpass": Either}

// Answer is our role: the one we prefer, Active or Passive, when the offer leaves the choice to us.
func (s Setup) Answer(preferred Setup) Setup {
	switch s {
	case Active:
		return Passive
	case Passive:
		return Active
	}
	return preferred
}

// Kind is what a section carries.
type Kind uint8

// The kinds. Others are Unknown, and rejected.
const (
	Unknown Kind = iota
	Audio
	Video
	Application // data channels
)

// String is the media type of the m= line.
func (k Kind) String() string { return [...]string{"unknown", "audio", "video", "application"}[k] }

// Direction is who sends, seen from the side whose description it stands in (RFC 8866 §6.7): a set of bits.
type Direction uint8

// The directions.
const (
	Inactive    Direction = 0
	SendOnly    Direction = 1
	ReceiveOnly Direction = 2
	SendReceive Direction = SendOnly | ReceiveOnly
)

var directions = [...]string{"inactive", "sendonly", "recvonly", "sendrecv"}

// String is the name of the attribute.
func (d Direction) String() string { return directions[d&3] }

// Reverse is the direction as the other side sees it.
func (d Direction) Reverse() Direction { return d>>1&1 | d<<1&2 }

// Sends and Receives report whether the side does so.
func (d Direction) Sends() bool { return d&SendOnly != 0 }

// Receives reports whether the side receives.
func (d Direction) Receives() bool { return d&ReceiveOnly != 0 }

// Section is one m= section: of an offer, or as agreed on by [Section.Agree]. Directions are those of the description's writer:
// the peer's in an offer, ours once agreed.
type Section struct {
	MID       string
	Kind      Kind
	Direction Direction
	// Codecs are in the writer's order of preference.
	Codecs []Codec
	// Extensions is the id of each header extension, and ExtensionsOneWay what is not for both directions.
	Extensions       rtp.IDs
	ExtensionsOneWay [rtp.Kinds]Direction
	// Sources are the streams that the writer declares to send; in the agreed section the caller puts ours.
	Sources []Source
	// Layers are the simulcast layers, in the order of the writer's a=simulcast line, and LayersDirection whether the writer
	// sends or receives them.
	Layers          []Layer
	LayersDirection Direction
	// Stream and Track are the writer's msid (RFC 8830), "" when it has none.
	Stream, Track string
	// Rejected says that the section is not used, and Why, in the agreed section, for what reason.
	Rejected bool
	Why      string
	// SCTPPort and MaxMessageSize (bytes, 0 for no limit) are for data channels (RFC 8841).
	SCTPPort       uint16
	MaxMessageSize uint64

	media, protocol, formats string // of the m= line, for an answer to repeat
	muxed, reduced           bool   // a=rtcp-mux, a=rtcp-rsize
}

// Codec is a payload type of a section.
type Codec struct {
	PT uint8
	// Codec is what the payload is, NoCodec when we cannot look into it.
	Codec    rtp.Codec
	Name     string // as in a=rtpmap
	Clock    uint32 // Hz
	Channels uint8
	// Format holds the parameters of a=fmtp as they came.
	Format   string
	Feedback Feedback
	// RTX is the payload type of its retransmissions, 0 for none (RFC 4588).
	RTX uint8
}

// Feedback is a set of kinds of feedback about a payload type (RFC 4585, RFC 5104).
type Feedback uint8

// The kinds of feedback.
const (
	NACK Feedback = 1 << iota
	PLI
	FIR
	REMB
	TransportCC
)

var feedbacks = [...]struct {
	bit  Feedback
	text string
}{{TransportCC, "transport-cc"}, {REMB, "goog-remb"}, {FIR, "ccm fir"}, {NACK, "nack"}, {PLI, "nack pli"}}

// Source is a stream that its sender has declared with a=ssrc (RFC 5576).
type Source struct {
	// SSRC is the stream's, RTX that of its retransmissions (group FID), 0 for none.
	SSRC, RTX     uint32
	CNAME         string
	Stream, Track string // msid
}

// Layer is one of the encodings of a picture (RFC 8853).
type Layer struct {
	RID string
	// Paused says that the sender does not send it at first.
	Paused bool
}
