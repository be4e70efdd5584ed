package signal

// Source is what a track shows. A track is {seat, source}; its identity does not change when its transport does.
type Source string

// The sources.
const (
	SourceMicrophone  Source = "microphone"
	SourceCamera      Source = "camera"
	SourceScreen      Source = "screen"
	SourceScreenAudio Source = "screen-audio"
)

// Track says what one media section of a description carries from its sender.
type Track struct {
	// Mid is the media section's identification (RFC 8843 a=mid).
	Mid string `json:"mid"`
	// Source is what it shows.
	Source Source `json:"source"`
}

// Peer is the part that every relayed message shares. A link is one transport (one RTCPeerConnection at each end)
// between two sessions. The session that comes later makes it and is the polite side (RFC 8829 perfect negotiation).
type Peer struct {
	// To is the session to reach, or Hub; set by the sender.
	To string `json:"to,omitempty"`
	// From is the session it came from, or Hub; set by the server.
	From string `json:"from,omitempty"`
	// Link identifies the link; made by the client that made the link, unique between the two sessions. Messages for a
	// link that is not the newest are dropped by the receiver.
	Link string `json:"link"`
}

// Offer is an SDP offer (RFC 8829). A link's first message is an offer by its maker.
type Offer struct {
	Header
	Peer
	// SDP is the session description.
	SDP string `json:"sdp"`
	// Tracks says what each media section carries from the offerer.
	Tracks []Track `json:"tracks,omitempty"`
	// Kind says what the link is for; absent is the main link of the two sessions. A client that does not know a kind
	// answers close-link.
	Kind LinkKind `json:"kind,omitempty"`
	// Show says, to the hub only, what each receive place shall show. The hub ignores what it does not know.
	Show []Want `json:"show,omitempty"`
	// Early is set by the server when the sender has no seat yet: connect, send no media.
	Early bool `json:"early,omitempty"`
}

// LinkKind says what a link is for.
type LinkKind string

// Kinds of links besides the main one. They live and die beside it, each with an id of its own.
const (
	LinkSpare LinkKind = "spare" // a second transport, connected and idle, for when the first one dies
	LinkBulk  LinkKind = "bulk"  // data channels only, for files from programs
)

// Answer is an SDP answer.
type Answer struct {
	Header
	Peer
	// SDP is the session description.
	SDP string `json:"sdp"`
	// Tracks says what each media section carries from the answerer.
	Tracks []Track `json:"tracks,omitempty"`
	// Places says what each receive place shows at first; set by the server in the hub's answers. What changes later comes
	// on the link's own control channel.
	Places []Place `json:"places,omitempty"`
}

// Candidate is one trickled ICE candidate (RFC 8838).
type Candidate struct {
	Header
	Peer
	// Candidate is the RTCIceCandidateInit.
	Candidate ICECandidate `json:"candidate"`
}

// ICECandidate is an RTCIceCandidateInit (W3C WebRTC §4.8.1.1).
type ICECandidate struct {
	// Candidate is the candidate line, without "a=".
	Candidate string `json:"candidate"`
	// SDPMid is the media section.
	SDPMid *string `json:"sdpMid,omitempty"`
	// SDPMLineIndex is its index.
	SDPMLineIndex *uint16 `json:"sdpMLineIndex,omitempty"`
	// UsernameFragment tells the ICE generation it belongs to.
	UsernameFragment *string `json:"usernameFragment,omitempty"`
}

// EndOfCandidates says that no more candidates of this generation follow.
type EndOfCandidates struct {
	Header
	Peer
	// UsernameFragment is the ICE generation.
	UsernameFragment string `json:"usernameFragment,omitempty"`
}

// Renegotiate asks the other side to make a new offer.
type Renegotiate struct {
	Header
	Peer
	// Restart asks for an ICE restart.
	Restart bool `json:"restart,omitempty"`
	// Elsewhere says that the sender's network has changed: rather another link than a restart.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// CloseLink says that the sender closed the link.
type CloseLink struct {
	Header
	Peer
}
