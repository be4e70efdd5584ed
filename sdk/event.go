package parley

import "time"

// Event is something that happened in a room. Its dynamic type is one of those of this file.
type Event interface{ event() }

// Person is somebody with a seat, as they are at one moment.
type Person struct {
	// ID is the seat's id; it survives reloads and lost networks.
	ID string
	// Name is what they typed.
	Name string
	// Role is what they may do.
	Role Role
	// State says whether they are here.
	State SeatState
	// Order grows with each seat taken; lists sorted by it do not jump.
	Order uint64
	// Media is what they say they send.
	Media MediaState
	// Me is true for this program itself.
	Me bool
	// Hand is not 0 while they raise a hand; whoever has the lowest raised it first.
	Hand uint64
	// Invited is true while a host's invitation to speak waits for the answer of this listener.
	Invited bool
	// Note is what somebody who waits said to the hosts.
	Note string
	// Encryption is how far they are known in an encrypted room.
	Encryption Encryption
}

// Info is a room as it may be told to this session.
type Info struct {
	// Name is the room's name.
	Name string
	// Locked rooms let nobody in but hosts.
	Locked bool
	// WaitingRoom is true when a host admits each guest by hand.
	WaitingRoom bool
	// Role is what this program is, or would be.
	Role Role
	// Key is the key of an encrypted room: #key=Key at the end of a link lets its bearer in (beside host=…, behind &).
	// Empty in a room that is not encrypted.
	Key string
	// Host is the host secret, known to the one who made the room and to hosts: it makes the host link.
	Host string
}

// Record leads to what the server keeps about a call: /calls/{ID} shows it, GET /api/v1/calls/{ID} is it.
type Record struct {
	// ID is the call's.
	ID string
	// Token lets its bearer read the record.
	Token string
}

// The events.
type (
	// Online says that the signalling socket is up, or being replaced. Media does not depend on it.
	Online struct{ Up bool }
	// Changed says that the room's own state changed.
	Changed struct{ Info Info }
	// Waiting says that a host has to admit us; Seated, or the end of Join, follows. Words is what they say meanwhile.
	Waiting struct{ Words string }
	// Seated says that we have a seat.
	Seated struct {
		Me Person
		// Record leads to the record of the call; its ID is empty when the server keeps none.
		Record Record
	}
	// Arrived says that somebody took a seat, or began to wait for one (State; only hosts are told of those).
	Arrived struct{ Person Person }
	// Updated says that somebody's name, role, state, media or encryption changed.
	Updated struct{ Person Person }
	// Departed says that a seat is gone.
	Departed struct {
		Person Person
		// Reason is "left", "removed", "expired" or "no-hub": there is no way to the hub for everybody.
		Reason string
	}
	// Chat is a message of the room's conversation, our own included.
	Chat struct {
		// ID is unique for the sender.
		ID string
		// From is the sender's seat, Name the name they had.
		From, Name string
		// Text is plain text.
		Text string
		// At is when the server got it.
		At time.Time
		// Mine is true for what we sent.
		Mine bool
		// Seq is its place in the room's history, 0 while it has none; Unsaved is true while it is to get one. Saved
		// follows then.
		Seq     uint64
		Unsaved bool
	}
	// Saved says that a message is in the room's history now. For one that was said just before we came, or came back,
	// Recalled follows.
	Saved struct {
		// From and ID are the message's.
		From, ID string
		// Seq is its place.
		Seq uint64
	}
	// Recalled is what was said before we came, oldest first, as much as fits; Room.History asks for more.
	Recalled struct {
		Messages []Chat
		// More is true when there are older ones.
		More bool
	}
	// Muted says that a host turned off one of our sources; that is done already.
	Muted struct {
		Source Source
		// By is the host's seat.
		By string
	}
	// TrackAdded says that media of a person began to arrive. A reload of theirs ends the track and adds a new one.
	TrackAdded struct{ Track *Track }
	// LayersWanted says which sizes of a picture of ours (PublishLayers) anybody gets now, none if nobody does. The others
	// need not be encoded until they are wanted again, when Media.Refresh asks for a key frame.
	LayersWanted struct {
		Source Source
		// RIDs are their names, the smallest first.
		RIDs []string
	}
	// PathChanged says which way a person's media takes.
	PathChanged struct {
		Person Person
		Path   Path
	}
	// QualityChanged says how well a person comes through, and why not better; of this program itself (Person.Me), how
	// well its own network does. It is judged once a second, and a level falls after 2.5 s and rises after 6 s.
	QualityChanged struct {
		Person  Person
		Quality Quality
	}
	// TopologyChanged says that the room's media take another way, or are about to.
	TopologyChanged struct{ Topology Topology }
	// Switched says how a move between the direct path and the hub went. Media that tells when it was captured, as that of
	// programs does, loses nothing by it.
	Switched struct {
		// Kind is where the room was moving to, Done whether it got there.
		Kind TopologyKind
		Done bool
		// Took is how long both ways carried everything.
		Took time.Duration
		// Gap is the longest pause in anybody's sound, beyond the length of a frame: 0 when the new way is as fast.
		Gap time.Duration
		// Lost is how many frames of sound never came.
		Lost int
	}
	// SpeakersChanged says who speaks now, the loudest first.
	SpeakersChanged struct{ Seats []string }
	// Reaction is a sign that somebody gave, ourselves included. From is the seat.
	Reaction struct {
		From string
		Kind ReactionKind
	}
	// Trouble is something that went wrong and was handled as far as possible.
	Trouble struct{ Err error }
	// Ended is the last event of a room.
	Ended struct {
		// Err is nil when this program left, and says otherwise what happened.
		Err error
		// Reason is the server's reason for programs, "" when the server did not end it.
		Reason ByeReason
		// Retry is after how long a new Join makes sense; 0 means that it is useless.
		Retry time.Duration
	}
)

func (Online) event()          {}
func (Changed) event()         {}
func (Waiting) event()         {}
func (Seated) event()          {}
func (Arrived) event()         {}
func (Updated) event()         {}
func (Departed) event()        {}
func (Chat) event()            {}
func (Saved) event()           {}
func (Recalled) event()        {}
func (Muted) event()           {}
func (TrackAdded) event()      {}
func (LayersWanted) event()    {}
func (PathChanged) event()     {}
func (QualityChanged) event()  {}
func (TopologyChanged) event() {}
func (Switched) event()        {}
func (SpeakersChanged) event() {}
func (Reaction) event()        {}
func (Trouble) event()         {}
func (Ended) event()           {}
