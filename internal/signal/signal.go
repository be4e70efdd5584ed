// Package signal holds the words of parley.v1, the signalling protocol between a client and the server: the Go types
// of every message, their limits, and the strict reading of bytes into them. docs/protocol.md is the manual; the
// TypeScript types in sdk/js/src/wire.gen.ts are generated from this package (make gen).
//
// A message is one JSON object in one WebSocket text frame. Its "type" names the Go type; every other field is flat
// beside it. Once the server has said welcome, each side numbers what it sends ("n", from 1, no gaps) and says with
// "ack" the highest number up to which it has received everything, so that a session that loses its socket can resume
// with nothing lost, doubled or reordered. The types hello, welcome, ack, ping, pong and bye are never numbered.
package signal

//go:generate go run ../../tools/wiregen

import "time"

// Subprotocol is the WebSocket subprotocol (RFC 6455 §1.9) that both sides must name.
const Subprotocol = "parley.v1"

// Limits of the protocol. A server may be configured to be stricter; it never accepts more.
const (
	// MaxMessage is the largest message in bytes, session descriptions excepted.
	MaxMessage = 64 << 10
	// MaxDescription is the largest offer or answer message in bytes: 48 people's tracks in one offer are 300 kB.
	MaxDescription = 1 << 20
	// MaxName is the longest display name in bytes of UTF-8.
	MaxName = 64
	// MaxRoom is the longest room name in bytes.
	MaxRoom = 64
	// MaxChat is the longest chat text in bytes of UTF-8.
	MaxChat = 4000
	// MaxID is the longest identifier (session, seat, link, chat id) in bytes.
	MaxID = 64
	// MaxToken is the longest token or secret in bytes.
	MaxToken = 2048
	// MaxTracks is how many tracks one description may declare.
	MaxTracks = 64
	// MaxCandidate is the longest candidate line in bytes.
	MaxCandidate = 1024
	// MaxHistory is how many chat messages one history message holds at most.
	MaxHistory = 100
	// MaxReport is how many events one report holds at most.
	MaxReport = 64
	// MaxCause is the longest cause of a report's event in bytes of UTF-8.
	MaxCause = 200
	// MinSilence is the shortest silence after which a socket counts as lost, however often a client pings (Ping.Every).
	MinSilence = 1500 * time.Millisecond
	// HelloTimeout is how long a fresh socket may take to say hello.
	HelloTimeout = 10 * time.Second
)

// Type names a message on the wire.
type Type string

// The types of parley.v1. C is sent by clients, S by the server, CS by both.
const (
	TypeHello           Type = "hello"             // C, first message of a socket
	TypeWelcome         Type = "welcome"           // S, answer to hello
	TypeAck             Type = "ack"               // CS, acknowledges without another message to carry it
	TypePing            Type = "ping"              // CS
	TypePong            Type = "pong"              // CS
	TypeBye             Type = "bye"               // CS, the session ends here
	TypeError           Type = "error"             // S
	TypeJoin            Type = "join"              // C
	TypeWaiting         Type = "waiting"           // S, answer to join: the host has to admit you
	TypeJoined          Type = "joined"            // S, answer to join: you have a seat
	TypeLeave           Type = "leave"             // C, give the seat up, keep the session
	TypeRoom            Type = "room"              // S, the room's state changed
	TypeSeat            Type = "seat"              // S, a seat is new or changed
	TypeLeft            Type = "left"              // S, a seat is gone
	TypeGone            Type = "gone"              // S, a session that had links with you and no seat is gone
	TypeOffer           Type = "offer"             // CS, relayed between two sessions
	TypeAnswer          Type = "answer"            // CS, relayed
	TypeCandidate       Type = "candidate"         // CS, relayed
	TypeEndOfCandidates Type = "end-of-candidates" // CS, relayed
	TypeRenegotiate     Type = "renegotiate"       // CS, relayed: please make a new offer
	TypeCloseLink       Type = "close-link"        // CS, relayed: the link is closed
	TypeMedia           Type = "media"             // C, what I send now
	TypeChat            Type = "chat"              // CS
	TypeChatSaved       Type = "chat-saved"        // S, a chat message is on the disk
	TypeHistory         Type = "history"           // C asks, S answers, and tells it to who joins
	TypeReport          Type = "report"            // C, for the call record
	TypeLock            Type = "lock"              // C, host
	TypeWaitingRoom     Type = "waiting-room"      // C, host
	TypeAdmit           Type = "admit"             // C, host
	TypeMute            Type = "mute"              // C, host
	TypeMuted           Type = "muted"             // S, a host muted you
	TypeRemove          Type = "remove"            // C, host
	TypeKeepHistory     Type = "keep-history"      // C, host
	TypeICEServers      Type = "ice-servers"       // C asks, S answers
	TypeMoved           Type = "moved"             // C, during a switch of topology
	TypeHubReach        Type = "hub-reach"         // C, whether the hub can be reached
	TypeTopology        Type = "topology"          // C, host
	TypeHand            Type = "hand"              // C, raise or lower a hand
	TypeReaction        Type = "reaction"          // CS
	TypeMuteAll         Type = "mute-all"          // C, host
	TypeRole            Type = "role"              // C, host
	TypeInvite          Type = "invite"            // C, host
	TypeSpeak           Type = "speak"             // C, answers an invitation
	TypeEncrypt         Type = "encrypt"           // C, host
	TypeKeys            Type = "keys"              // CS, sealed words of clients for each other
)

// Header stands at the head of every message.
type Header struct {
	// Type names the message.
	Type Type `json:"type"`
	// N numbers the message within its direction, from 1 without gaps; 0 on the unnumbered types.
	N uint64 `json:"n,omitempty"`
	// Ack is the number up to which the sender has received everything from the other side.
	Ack uint64 `json:"ack,omitempty"`
}

// Head returns the header itself, so that every message type gives access to it by embedding.
func (h *Header) Head() *Header { return h }

// Message is any message of the protocol; its dynamic type is a pointer to one of the structs of this package.
type Message interface{ Head() *Header }

// Numbered reports whether messages of type t carry a number and are replayed on resume.
func Numbered(t Type) bool {
	switch t {
	case TypeHello, TypeWelcome, TypeAck, TypePing, TypePong, TypeBye:
		return false
	}
	return true
}
