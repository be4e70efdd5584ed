package signal

// Side is an end of the connection, as the sender of a message.
type Side uint8

// The sides. FromBoth marks the messages that either may send.
const (
	FromClient Side = 1 << iota
	FromServer
	FromBoth = FromClient | FromServer
)

// Entry describes one message of the protocol.
type Entry struct {
	// Type is its name on the wire.
	Type Type
	// From says who may send it.
	From Side
	// Make returns a new, empty message with its type set.
	Make func() Message
}

// Registry lists every message of the protocol in the order of the manual. ice-servers stands in it twice, and so does history, because
// the question and the answer are different Go types.
func Registry() []Entry {
	var list []Entry
	add := func(from Side, types ...Type) {
		for _, t := range types {
			list = append(list, Entry{Type: t, From: from, Make: func() Message { return makeMessage(t, from) }})
		}
	}
	add(FromClient, TypeHello)
	add(FromServer, TypeWelcome)
	add(FromBoth, TypeAck, TypePing, TypePong, TypeBye)
	add(FromServer, TypeError)
	add(FromClient, TypeJoin)
	add(FromServer, TypeWaiting, TypeJoined)
	add(FromClient, TypeLeave)
	add(FromServer, TypeRoom, TypeSeat, TypeLeft, TypeGone)
	add(FromBoth, TypeOffer, TypeAnswer, TypeCandidate, TypeEndOfCandidates, TypeRenegotiate, TypeCloseLink)
	add(FromClient, TypeMedia)
	add(FromBoth, TypeChat)
	add(FromServer, TypeChatSaved)
	add(FromClient, TypeHistory)
	add(FromServer, TypeHistory)
	add(FromClient, TypeLock, TypeWaitingRoom, TypeAdmit, TypeMute)
	add(FromServer, TypeMuted)
	add(FromClient, TypeRemove, TypeICEServers)
	add(FromServer, TypeICEServers)
	add(FromClient, TypeKeepHistory, TypeReport)
	add(FromClient, TypeMoved, TypeHubReach, TypeTopology, TypeHand)
	add(FromBoth, TypeReaction)
	add(FromClient, TypeMuteAll, TypeRole, TypeInvite, TypeSpeak, TypeEncrypt)
	add(FromBoth, TypeKeys)
	return list
}

// makeMessage returns an empty message of type t as sent by from, or nil when from does not send that type.
func makeMessage(t Type, from Side) Message {
	m := makeBody(t, from)
	if m != nil {
		m.Head().Type = t
	}
	return m
}

func makeBody(t Type, from Side) Message {
	switch t {
	case TypeAck:
		return new(Ack)
	case TypePing:
		return new(Ping)
	case TypePong:
		return new(Pong)
	case TypeBye:
		return new(Bye)
	case TypeOffer:
		return new(Offer)
	case TypeAnswer:
		return new(Answer)
	case TypeCandidate:
		return new(Candidate)
	case TypeEndOfCandidates:
		return new(EndOfCandidates)
	case TypeRenegotiate:
		return new(Renegotiate)
	case TypeCloseLink:
		return new(CloseLink)
	case TypeChat:
		return new(Chat)
	case TypeReaction:
		return new(Reaction)
	case TypeKeys:
		return new(Keys)
	}
	if from&FromClient != 0 {
		return makeClientBody(t)
	}
	return makeServerBody(t)
}

func makeClientBody(t Type) Message {
	switch t {
	case TypeHello:
		return new(Hello)
	case TypeJoin:
		return new(Join)
	case TypeLeave:
		return new(Leave)
	case TypeMedia:
		return new(Media)
	case TypeLock:
		return new(Lock)
	case TypeWaitingRoom:
		return new(WaitingRoom)
	case TypeAdmit:
		return new(Admit)
	case TypeMute:
		return new(Mute)
	case TypeRemove:
		return new(Remove)
	case TypeICEServers:
		return new(ICEServersAsk)
	case TypeHistory:
		return new(HistoryAsk)
	case TypeKeepHistory:
		return new(KeepHistory)
	case TypeReport:
		return new(Report)
	}
	return makeConferenceBody(t)
}

// makeConferenceBody makes what clients send in rooms of more than two.
func makeConferenceBody(t Type) Message {
	switch t {
	case TypeMoved:
		return new(Moved)
	case TypeHubReach:
		return new(HubReach)
	case TypeTopology:
		return new(SetTopology)
	case TypeHand:
		return new(Hand)
	case TypeMuteAll:
		return new(MuteAll)
	case TypeRole:
		return new(SetRole)
	case TypeInvite:
		return new(Invite)
	case TypeSpeak:
		return new(Speak)
	case TypeEncrypt:
		return new(Encrypt)
	}
	return nil
}

func makeServerBody(t Type) Message {
	switch t {
	case TypeWelcome:
		return new(Welcome)
	case TypeError:
		return new(Error)
	case TypeWaiting:
		return new(Waiting)
	case TypeJoined:
		return new(Joined)
	case TypeRoom:
		return new(Room)
	case TypeSeat:
		return new(SeatChange)
	case TypeLeft:
		return new(Left)
	case TypeGone:
		return new(Gone)
	case TypeMuted:
		return new(Muted)
	case TypeICEServers:
		return new(ICEServersAnswer)
	case TypeChatSaved:
		return new(ChatSaved)
	case TypeHistory:
		return new(HistoryAnswer)
	}
	return nil
}

// TypeOf returns the wire type of m, and "" for a type that is no message of the protocol.
func TypeOf(m Message) Type {
	if t := bothTypeOf(m); t != "" {
		return t
	}
	switch m.(type) {
	case *Hello:
		return TypeHello
	case *Welcome:
		return TypeWelcome
	case *Error:
		return TypeError
	case *Join:
		return TypeJoin
	case *Waiting:
		return TypeWaiting
	case *Joined:
		return TypeJoined
	case *Leave:
		return TypeLeave
	case *Room:
		return TypeRoom
	case *SeatChange:
		return TypeSeat
	case *Left:
		return TypeLeft
	case *Gone:
		return TypeGone
	case *Media:
		return TypeMedia
	case *Lock:
		return TypeLock
	case *WaitingRoom:
		return TypeWaitingRoom
	case *Admit:
		return TypeAdmit
	case *Mute:
		return TypeMute
	case *Muted:
		return TypeMuted
	case *Remove:
		return TypeRemove
	case *ICEServersAsk, *ICEServersAnswer:
		return TypeICEServers
	case *ChatSaved:
		return TypeChatSaved
	case *HistoryAsk, *HistoryAnswer:
		return TypeHistory
	case *KeepHistory:
		return TypeKeepHistory
	case *Report:
		return TypeReport
	}
	return conferenceTypeOf(m)
}

func conferenceTypeOf(m Message) Type {
	switch m.(type) {
	case *Moved:
		return TypeMoved
	case *HubReach:
		return TypeHubReach
	case *SetTopology:
		return TypeTopology
	case *Hand:
		return TypeHand
	case *MuteAll:
		return TypeMuteAll
	case *SetRole:
		return TypeRole
	case *Invite:
		return TypeInvite
	case *Speak:
		return TypeSpeak
	case *Encrypt:
		return TypeEncrypt
	}
	return ""
}

func bothTypeOf(m Message) Type {
	switch m.(type) {
	case *Ack:
		return TypeAck
	case *Ping:
		return TypePing
	case *Pong:
		return TypePong
	case *Bye:
		return TypeBye
	case *Offer:
		return TypeOffer
	case *Answer:
		return TypeAnswer
	case *Candidate:
		return TypeCandidate
	case *EndOfCandidates:
		return TypeEndOfCandidates
	case *Renegotiate:
		return TypeRenegotiate
	case *CloseLink:
		return TypeCloseLink
	case *Chat:
		return TypeChat
	case *Reaction:
		return TypeReaction
	case *Keys:
		return TypeKeys
	}
	return ""
}
