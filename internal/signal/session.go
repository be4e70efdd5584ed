package signal

// Hello opens a session, or resumes one. It is the first message of every socket.
type Hello struct {
	Header
	// Client says what program this is, for the logs and the call record.
	Client Client `json:"client"`
	// Room is the room this session is about, one for the life of the session. Lower-case letters, digits, '-' and '_'.
	Room string `json:"room"`
	// Host is the host secret, from the fragment of the host link.
	Host string `json:"host,omitempty"`
	// Resume is the newest resume token; the server answers welcome with resumed true, or opens a new session.
	Resume string `json:"resume,omitempty"`
	// Received is, on resume, the number up to which the client has received everything.
	Received uint64 `json:"received,omitempty"`
}

// Client names a program.
type Client struct {
	// Name is the program's name, such as "parley-web".
	Name string `json:"name"`
	// Version is its version.
	Version string `json:"version,omitempty"`
}

// Welcome answers hello.
type Welcome struct {
	Header
	// Session identifies this session to the other people's clients: the address of offers and answers.
	Session string `json:"session"`
	// Resumed is true when the session named by the resume token goes on: what was not acknowledged follows, and Room
	// is absent. False on a new session, even if a resume was asked for: forget the old state and take Room.
	Resumed bool `json:"resumed,omitempty"`
	// Reset is true when the server has lost its memory (a restart) but recognised the resume token: the session goes on
	// under the same id, numbers start at 1 in both directions, Room is a snapshot. Links stay; say join with the seat
	// token, then send again what was not acknowledged.
	Reset bool `json:"reset,omitempty"`
	// Resume is the token for the next resume; it replaces the older one as soon as the client sends anything on this socket.
	Resume string `json:"resume"`
	// Received is, on resume, the number up to which the server has received everything: resend what came after.
	Received uint64 `json:"received,omitempty"`
	// Window is how long, in seconds, a session without a socket can still be resumed and a seat is kept.
	Window int `json:"window"`
	// Heartbeat is how often, in milliseconds, an idle client should ping. The server lets go of a socket that has been
	// silent for three times as long.
	Heartbeat int `json:"heartbeat"`
	// Server says what program answers.
	Server Client `json:"server"`
	// ICE is how to reach STUN and TURN. Absent when the session may not use the relay.
	ICE *ICEServers `json:"ice,omitempty"`
	// Room is the state of the room as this session may see it; absent on resume.
	Room *RoomState `json:"room,omitempty"`
}

// ICEServers is what a client hands to its RTCPeerConnection.
type ICEServers struct {
	// Servers is the RTCIceServer list.
	Servers []ICEServer `json:"servers"`
	// Expires is when the credentials stop opening allocations, in milliseconds since 1970. Ask again before.
	Expires int64 `json:"expires"`
}

// ICEServer is one RTCIceServer (W3C WebRTC §4.2.2).
type ICEServer struct {
	// URLs are stun:, turn: and turns: addresses (RFC 7064, RFC 7065).
	URLs []string `json:"urls"`
	// Username is the TURN username.
	Username string `json:"username,omitempty"`
	// Credential is the TURN password.
	Credential string `json:"credential,omitempty"`
}

// Ack acknowledges without another message to carry it.
type Ack struct{ Header }

// Ping asks for a pong at once.
type Ping struct {
	Header
	// ID comes back in the pong.
	ID uint64 `json:"id"`
	// Every promises, in milliseconds, how often pings come from now on: four times as long without any message, and
	// MinSilence at least, means that the socket is lost. 0 goes back to the heartbeat of welcome. Set by clients.
	Every int `json:"every,omitempty"`
}

// Pong answers ping.
type Pong struct {
	Header
	// ID is the ping's.
	ID uint64 `json:"id"`
}

// Bye ends the session: nothing can be resumed, the seat is given up when a client says it.
type Bye struct {
	Header
	// Reason is for programs.
	Reason ByeReason `json:"reason,omitempty"`
	// Words is for people.
	Words string `json:"words,omitempty"`
	// Retry is after how many seconds a new session may be tried; 0 means that trying again is useless.
	Retry int `json:"retry,omitempty"`
}

// ByeReason says why a session ended.
type ByeReason string

// Reasons of Bye.
const (
	ByeDraining ByeReason = "draining" // the server is going down or restarting
	ByeRemoved  ByeReason = "removed"  // a host removed this seat
	ByeFlood    ByeReason = "flood"    // too many messages
	ByeReplaced ByeReason = "replaced" // the seat went on in another session (a reload, another tab)
	ByeProtocol ByeReason = "protocol" // numbers out of order, or a message that cannot be read at all, again and again
	ByeExpired  ByeReason = "expired"  // the seat's time ran out
	ByeFault    ByeReason = "fault"    // our fault; try again
	ByeClosed   ByeReason = "closed"   // the client says goodbye
)

// Error answers a message that could not be obeyed. The session stays up.
type Error struct {
	Header
	// Re is the number of the message this answers; 0 when it could not be read.
	Re uint64 `json:"re,omitempty"`
	// Code is for programs.
	Code Code `json:"code"`
	// Field is the JSON path of the field that is wrong, such as "tracks[2].source".
	Field string `json:"field,omitempty"`
	// Words says to a person what is wrong and what to do.
	Words string `json:"words"`
}

// Code says to a program what went wrong.
type Code string

// Codes of Error.
const (
	CodeMalformed  Code = "malformed"    // not JSON, a wrong type, an unknown field or value; Field names it
	CodeTooLarge   Code = "too-large"    // over a limit of length or size
	CodeUnknown    Code = "unknown"      // no such message type
	CodeOrder      Code = "order"        // not possible now: no hello yet, not joined, already joined
	CodeNoRoom     Code = "no-room"      // the room does not exist and this session may not make it
	CodeFull       Code = "full"         // every seat is taken
	CodeLocked     Code = "locked"       // the host locked the room
	CodeForbidden  Code = "forbidden"    // only a host may do that
	CodeBadSecret  Code = "bad-secret"   // the host secret or token does not fit
	CodeNoPeer     Code = "no-peer"      // no such session or seat here, or none you may reach
	CodeBusy       Code = "busy"         // a limit of this server or of your address is reached; try later
	CodeRemoved    Code = "removed"      // a host removed you; you cannot come back for now
	CodeNoHub      Code = "no-hub"       // somebody, maybe you, cannot reach the hub, which three and more need
	CodeEncrypted  Code = "encrypted"    // the room is encrypted and you hold no keys, or the other way round
	CodeFault      Code = "fault"        // our fault
	CodeOutOfOrder Code = "out-of-order" // a number was skipped
)
