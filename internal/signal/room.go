package signal

// RoomState is a room as one session may see it.
type RoomState struct {
	// Name is the room's name.
	Name string `json:"name"`
	// Exists is false when joining would make the room.
	Exists bool `json:"exists"`
	// May says what a join would do now.
	May May `json:"may"`
	// Why says why May is no: full, locked, removed, no-room or no-hub.
	Why Code `json:"why,omitempty"`
	// Role is what this session is, or would be on joining.
	Role Role `json:"role"`
	// Locked rooms let nobody in but hosts, and do not tell who is inside.
	Locked bool `json:"locked,omitempty"`
	// WaitingRoom is true when the host admits each guest by hand.
	WaitingRoom bool `json:"waitingRoom,omitempty"`
	// Early is true when this session may exchange offers, answers and candidates with the people inside before it
	// joins. Never media.
	Early bool `json:"early,omitempty"`
	// Encrypted is true when the room's clients encrypt from end to end, with keys that the server does not have. It
	// cannot know whether they do, and they do not believe it: whoever has the room's key insists on it, whoever has not
	// is refused.
	Encrypted bool `json:"encrypted,omitempty"`
	// History says for how long chat is kept; absent means none.
	History History `json:"history,omitempty"`
	// Topology is which way the media take; absent where the server has no hub, and to whom the people are not told.
	Topology *Topology `json:"topology,omitempty"`
	// Watching is how many watch without a seat; told to those inside.
	Watching int `json:"watching,omitempty"`
	// Seats are the people inside; empty when they are not to be told.
	Seats []Seat `json:"seats,omitempty"`
	// Host is the host secret, given to the person who made the room by joining it and to hosts who join.
	Host string `json:"host,omitempty"`
}

// May says what a join would do.
type May string

// Values of May.
const (
	MayCreate May = "create" // make the room
	MayJoin   May = "join"   // enter
	MayKnock  May = "knock"  // wait for a host
	MayNot    May = "no"     // nothing: no such room and no right to make it, or locked, or full, or removed
)

// History says for how long a room's chat is kept.
type History string

// Policies of History.
const (
	HistoryNone    History = "none"    // not at all
	HistorySession History = "session" // until the room ends
	HistoryForever History = "forever" // beyond the room's end, for whoever joins it later
)

// Role is what a person may do.
type Role string

// Roles. guest-call is not given out as yet.
const (
	RoleHost      Role = "host"
	RoleSpeaker   Role = "speaker"
	RoleListener  Role = "listener"
	RoleGuestCall Role = "guest-call"
)

// Seat is a person's place in a room. It survives a reload and the loss of the network for Welcome.Window seconds.
type Seat struct {
	// ID identifies the seat for its life.
	ID string `json:"id"`
	// Name is the person's name as they typed it; never empty.
	Name string `json:"name"`
	// Role is what they may do.
	Role Role `json:"role"`
	// State says whether they are here.
	State SeatState `json:"state"`
	// Session is the client that holds the seat now: the address of offers. A new one means a new client (a reload):
	// drop the link with the old one.
	Session string `json:"session,omitempty"`
	// Order grows with each seat that is taken; it never changes, so lists do not jump.
	Order uint64 `json:"order"`
	// Media is what they send.
	Media MediaState `json:"media"`
	// Hand is set while the hand is raised: whoever has the lowest raised it first.
	Hand uint64 `json:"hand,omitempty"`
	// Invited is true while a host's invitation to speak waits for this listener's answer.
	Invited bool `json:"invited,omitempty"`
	// Hub says whether the client reaches the hub; absent while that is not known.
	Hub Reach `json:"hub,omitempty"`
	// HubWhy says why it does not.
	HubWhy ReachWhy `json:"hubWhy,omitempty"`
	// Note is what somebody in the waiting room said to the hosts.
	Note string `json:"note,omitempty"`
	// Identity is the client's in an encrypted room: its public key, and the proof that it knows the room's secret.
	Identity string `json:"identity,omitempty"`
	// Door is set when an encoder holds the seat, which has no session to link with: its media come through the hub.
	Door Door `json:"door,omitempty"`
}

// Door says by which door somebody came who does not speak this protocol.
type Door string

// Doors.
const (
	DoorWHIP Door = "whip" // an encoder (RFC 9725)
)

// SeatState says whether a seat's person is here.
type SeatState string

// States of a seat.
const (
	SeatWaiting SeatState = "waiting" // in the waiting room; only hosts see it
	SeatPresent SeatState = "present" // here
	SeatAway    SeatState = "away"    // the client lost its socket; the seat is kept for the window
)

// MediaState is what a person sends.
type MediaState struct {
	// Microphone is true when it can be heard.
	Microphone bool `json:"microphone"`
	// Camera is true when it can be seen.
	Camera bool `json:"camera"`
	// Screen is true when a screen is shared.
	Screen bool `json:"screen"`
	// ScreenAudio is true when the shared screen has sound.
	ScreenAudio bool `json:"screenAudio"`
}

// Join asks for a seat.
type Join struct {
	Header
	// Name is what the others see; surrounding spaces are dropped, empty is refused.
	Name string `json:"name"`
	// Media is what will be sent at first.
	Media MediaState `json:"media"`
	// Seat is the seat token of an earlier joined message in this browser tab: take the same seat again.
	Seat string `json:"seat,omitempty"`
	// Listen asks for the role of a listener, who sends nothing.
	Listen bool `json:"listen,omitempty"`
	// Note says to the hosts of a waiting room who is there and why.
	Note string `json:"note,omitempty"`
	// Identity says that this client encrypts, and is shown to the others in Seat. Who makes a room with it makes an
	// encrypted one.
	Identity string `json:"identity,omitempty"`
}

// Waiting answers join in a room whose host admits people. Joined, error or bye follows when the host decided.
type Waiting struct {
	Header
	// Re is the number of the join.
	Re uint64 `json:"re"`
	// Token takes this place in the queue again after a reload.
	Token string `json:"token"`
	// Words is what the host says to those who wait.
	Words string `json:"words,omitempty"`
}

// Joined answers join: the session has a seat.
type Joined struct {
	Header
	// Re is the number of the join.
	Re uint64 `json:"re"`
	// Seat is your seat's id.
	Seat string `json:"seat"`
	// Token takes this seat again after a reload (Join.Seat).
	Token string `json:"token"`
	// Room is the room with everybody in it, you included.
	Room RoomState `json:"room"`
	// Call is the record of this call, when one is kept.
	Call *CallRef `json:"call,omitempty"`
}

// CallRef leads to a call's record.
type CallRef struct {
	// ID is the call's id, unguessable: the record is at /calls/{id}.
	ID string `json:"id"`
	// Token lets its bearer read the record.
	Token string `json:"token"`
}

// Leave gives the seat up. The session stays, in front of the room's door.
type Leave struct{ Header }

// Room says that the state of the room changed. Seats is not filled: seat and left tell of people.
type Room struct {
	Header
	// Room is the new state.
	Room RoomState `json:"room"`
}

// SeatChange says that a seat is new or changed; it carries the whole seat.
type SeatChange struct {
	Header
	// Seat is the seat as it is now.
	Seat Seat `json:"seat"`
}

// Left says that a seat is gone.
type Left struct {
	Header
	// Seat is the id of the seat.
	Seat string `json:"seat"`
	// Reason says why.
	Reason LeftReason `json:"reason"`
}

// LeftReason says why a seat is gone.
type LeftReason string

// Reasons of Left.
const (
	LeftLeft    LeftReason = "left"
	LeftRemoved LeftReason = "removed"
	LeftExpired LeftReason = "expired"
	LeftNoHub   LeftReason = "no-hub" // there is no way to the hub for everybody; an error says whose
)

// Gone says that a session without a seat, which had offered you a link, is gone: close the link.
type Gone struct {
	Header
	// Session is the session's id.
	Session string `json:"session"`
}

// Media says what this seat sends from now on.
type Media struct {
	Header
	// Media is the whole new state.
	Media MediaState `json:"media"`
}

// Chat is one message of the room's conversation.
type Chat struct {
	Header
	// ID is made by the client and unique in the session; the sender gets its own message back with it.
	ID string `json:"id"`
	// Text is plain text.
	Text string `json:"text"`
	// From is the seat it came from; set by the server.
	From string `json:"from,omitempty"`
	// Name is the sender's name at that time; set by the server.
	Name string `json:"name,omitempty"`
	// At is when the server got it, in milliseconds since 1970; set by the server.
	At int64 `json:"at,omitempty"`
	// Seq is its place in the room's history, once it is kept there; set by the server.
	Seq uint64 `json:"seq,omitempty"`
	// Unsaved is true while the room keeps its history and this message is not on the disk yet; set by the server.
	// ChatSaved follows.
	Unsaved bool `json:"unsaved,omitempty"`
}

// ChatSaved says that a chat message that was unsaved is on the disk now.
type ChatSaved struct {
	Header
	// From is the seat the message came from.
	From string `json:"from"`
	// ID is the message's.
	ID string `json:"id"`
	// Seq is its place in the history.
	Seq uint64 `json:"seq"`
}

// HistoryAsk asks for older chat messages; the answer is HistoryAnswer, of the same wire type.
type HistoryAsk struct {
	Header
	// Before is the Seq before which the messages are wanted; 0 asks for the newest.
	Before uint64 `json:"before,omitempty"`
	// Limit is how many are wanted at most; 0 means MaxHistory.
	Limit int `json:"limit,omitempty"`
}

// HistoryAnswer carries chat messages of the past. It is also sent right after joined, when there are any.
type HistoryAnswer struct {
	Header
	// Re is the number of the question; 0 when nobody asked.
	Re uint64 `json:"re,omitempty"`
	// Messages are the messages, oldest first.
	Messages []Kept `json:"messages"`
	// More is true when there are older ones.
	More bool `json:"more,omitempty"`
}

// Kept is a chat message of the history.
type Kept struct {
	// ID is the message's, unique for its sender.
	ID string `json:"id"`
	// Text is plain text.
	Text string `json:"text"`
	// From is the seat it came from, which may be long gone.
	From string `json:"from"`
	// Name is the sender's name at that time.
	Name string `json:"name"`
	// At is when the server got it, in milliseconds since 1970.
	At int64 `json:"at"`
	// Seq is its place in the history.
	Seq uint64 `json:"seq"`
}

// KeepHistory says for how long the room's chat is kept. What was kept and is not to be kept any more is deleted.
// Hosts only.
type KeepHistory struct {
	Header
	// Policy is the new policy.
	Policy History `json:"policy"`
}

// Lock locks or unlocks the room. Hosts only.
type Lock struct {
	Header
	// On is true to lock.
	On bool `json:"on"`
}

// WaitingRoom turns the waiting room on or off. Turning it off admits whoever waits. Hosts only.
type WaitingRoom struct {
	Header
	// On is true to turn it on.
	On bool `json:"on"`
	// Words is what those who wait are told.
	Words string `json:"words,omitempty"`
}

// Admit lets a waiting person in. Hosts only.
type Admit struct {
	Header
	// Seat is the id of the waiting seat.
	Seat string `json:"seat"`
}

// Mute turns off a source of somebody else. Hosts only. There is no unmute: people unmute themselves.
type Mute struct {
	Header
	// Seat is whose source it is.
	Seat string `json:"seat"`
	// Source is what to turn off.
	Source Source `json:"source"`
}

// Muted tells you that a host turned off one of your sources; your media state is changed already.
type Muted struct {
	Header
	// By is the host's seat id.
	By string `json:"by"`
	// Source is what was turned off.
	Source Source `json:"source"`
}

// Remove sends somebody out of the room, or refuses somebody who waits. Hosts only.
type Remove struct {
	Header
	// Seat is who has to go.
	Seat string `json:"seat"`
	// Words is what they are told.
	Words string `json:"words,omitempty"`
}

// ICEServersAsk asks for fresh ICE servers; the answer is ICEServersAnswer, of the same wire type. The server sends
// the ICE fields only.
type ICEServersAsk struct{ Header }

// ICEServersAnswer carries fresh ICE servers.
type ICEServersAnswer struct {
	Header
	// Re is the number of the question.
	Re uint64 `json:"re,omitempty"`
	// ICE is how to reach STUN and TURN.
	ICE ICEServers `json:"ice"`
}
