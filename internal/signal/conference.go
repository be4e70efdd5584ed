package signal

// MaxWords is the longest reason that one person gives another, in bytes of UTF-8.
const MaxWords = 200

// Hand raises or lowers a hand.
type Hand struct {
	Header
	// Up is true to raise it.
	Up bool `json:"up"`
	// Seat is whose hand a host lowers; absent is one's own.
	Seat string `json:"seat,omitempty"`
}

// Reaction is a sign that everybody inside sees for a moment. It is not kept.
type Reaction struct {
	Header
	// Kind is the sign.
	Kind ReactionKind `json:"kind"`
	// From is the seat it came from; set by the server.
	From string `json:"from,omitempty"`
}

// ReactionKind is a sign of a Reaction.
type ReactionKind string

// Kinds of reactions.
const (
	ReactionLike      ReactionKind = "like"
	ReactionLove      ReactionKind = "love"
	ReactionLaugh     ReactionKind = "laugh"
	ReactionSurprise  ReactionKind = "surprise"
	ReactionApplause  ReactionKind = "applause"
	ReactionCelebrate ReactionKind = "celebrate"
)

// MuteAll turns off a source of everybody who is not a host. Hosts only.
type MuteAll struct {
	Header
	// Source is what to turn off.
	Source Source `json:"source"`
}

// SetRole changes what somebody inside may do. Hosts only. Nobody is made a speaker without their consent: a listener
// is invited.
type SetRole struct {
	Header
	// Seat is whose role it is.
	Seat string `json:"seat"`
	// Role is host, speaker or listener.
	Role Role `json:"role"`
}

// Invite invites a listener to speak, or takes the invitation back. Hosts only. The invitation shows in their seat.
type Invite struct {
	Header
	// Seat is the listener.
	Seat string `json:"seat"`
	// On is true to invite.
	On bool `json:"on"`
}

// Speak answers an invitation: on makes a speaker of the invited listener, off declines. A speaker who says off becomes
// a listener.
type Speak struct {
	Header
	// On is true to speak.
	On bool `json:"on"`
}
