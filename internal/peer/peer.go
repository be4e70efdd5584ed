// Package peer is one WebRTC transport of a client to the hub, without input or output: it tells the packets of its 5-tuples
// apart (RFC 7983), lets ICE decide where they may come from and go to, opens and seals SRTP in place, and passes DTLS records to
// and from a handshake that somebody else makes.
//
// # Contract
//
//   - **Exactly one goroutine owns a Transport**: the loop that its packets arrive at. Time, packets and keys are arguments; what is
//     to be sent goes to [Out].
//   - [Transport.HandleTimeout] is to be called when [Transport.Deadline] says, before anything is sent in the same wake-up: a path
//     is sent to until then, and no longer.
//   - **Nothing is learnt from a packet that does not authenticate.** It is counted, and neither answered nor allocated for. DTLS is
//     listened to on paths only that ICE has validated in the last 15 s.
//   - **An RTP packet costs no allocation**, in or out.
//   - Names that the shell finds the transport by are [Transport.Ufrags]; they change with [Transport.Restart] and with the event
//     [Retired].
package peer

import (
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/rtp"
)

const (
	// ConnectTime is how long a new transport waits for its first valid path, and then for keys on it. A browser gives up on
	// either after about as long.
	ConnectTime = 30 * time.Second
	// LostTime is how long a transport whose paths are all gone waits for one to come back, or for a restart to bring one: the
	// peer is then gone for good, as far as this transport goes. Its seat lives longer.
	LostTime = 60 * time.Second
	// Room is what a buffer of [Out] holds at least, in bytes: a datagram with its tag.
	Room = 1500
)

// Out is the owner's way out.
type Out interface {
	// Next returns a buffer with room for one datagram, [Room] bytes at least. It is valid until the next call of Next or Send, and
	// one that was not sent is given up by the next call.
	Next() []byte
	// Send queues the first n bytes of what Next returned for the path.
	Send(n int, path ice.Path)
}

// Handshake makes the keys, by DTLS with the peer. Its calls never block. What it says comes back through the transport's owner:
// [Transport.SendDTLS], [Transport.SetKeys], [Transport.Fail].
type Handshake interface {
	// Start says that a path to the peer is valid: begin, as DTLS client, or be ready, as server. It is called once.
	Start(path ice.Path)
	// Handle takes a datagram of DTLS records that came from a valid path. It is copied if it is kept.
	Handle(datagram []byte)
	// Close ends the handshake and what stands on it, saying goodbye to the peer.
	Close()
}

// Sink takes the peer's media.
type Sink interface {
	// HandleRTP takes a decrypted packet and its header. Both are valid during the call; the packet may be changed.
	HandleRTP(now time.Time, pkt []byte, h *rtp.Header)
	// HandleRTCP takes a decrypted compound packet, which is valid during the call.
	HandleRTCP(now time.Time, compound []byte)
}

// Config is what a transport is made of.
type Config struct {
	// Local are our ICE credentials, Remote the peer's, empty while its description has not come. With its password, a path's first
	// check is answered with one of ours as well, which lets pion go on at once instead of on its next tick (see ice.Knock).
	Local, Remote ice.Credentials
	// Client says that we are the DTLS client: a ClientHello of the peer, or of somebody in its name, is none of ours then.
	Client bool

	Out       Out
	Handshake Handshake
	Sink      Sink
}

// Event says what a call has changed; more than one may be set.
type Event uint8

// The events.
const (
	// Found says that a path became valid that was not: packets that come from it are this transport's.
	Found Event = 1 << iota
	// Selected says that packets for the peer take another path from now on, or one again.
	Selected
	// Lost says that the peer cannot be sent to any more, for now.
	Lost
	// Retired says that Ufrags has become shorter.
	Retired
	// Ready says that media may flow: there are keys and a path.
	Ready
	// Failed says that the transport has closed by itself; see [Transport.Failure].
	Failed
)

// Has reports whether one of the events is set.
func (e Event) Has(other Event) bool { return e&other != 0 }

// Failure is why a transport has closed.
type Failure uint8

// The failures.
const (
	NoFailure       Failure = iota
	NoPath                  // no authenticated check within ConnectTime: the peer's network lets none through to us
	NoHandshake             // no keys within ConnectTime of the first path
	HandshakeFailed         // the handshake said so
	PathLost                // all paths gone, and none back within LostTime
	Closed                  // the owner has closed it
)

// String is the failure in words that a log can say.
func (f Failure) String() string {
	return [...]string{
		"no failure", "no packet of the peer reached the server", "the handshake did not end in time", "the handshake failed",
		"the peer has been silent for too long", "closed",
	}[f]
}

// Stats counts the packets of a transport since it was made.
type Stats struct {
	// RTP and RTCP are packets that were opened; Bytes what they held, in bytes of UDP payload.
	RTP, RTCP, Bytes uint64
	// SentRTP, SentRTCP and SentBytes are what was sealed and handed to the way out.
	SentRTP, SentRTCP, SentBytes uint64
	// DTLS are datagrams that went to the handshake, SentDTLS those that it sent.
	DTLS, SentDTLS uint64
	// Unknown are packets of no protocol of ours, Malformed those that are not what their first byte says.
	Unknown, Malformed uint64
	// Strange are DTLS records from paths that ICE has not validated, or hellos for which we are the wrong side.
	Strange uint64
	// Early are media that came before the keys, Refused those that could not be opened: forged, replayed, of too many sources.
	Early, Refused uint64
	// Unsent is what could not be sent: no path, no keys, or a number that had been used.
	Unsent uint64
	// ICE counts checks.
	ICE ice.Stats
}
