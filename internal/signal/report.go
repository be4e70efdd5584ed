package signal

// Report tells the server what a client saw of its links, for the call record. Only clients with a seat are heard.
type Report struct {
	Header
	// Events are what happened, oldest first; MaxReport at most.
	Events []ReportEvent `json:"events"`
}

// ReportEvent is one thing that a client saw. Kind says which of the other fields mean something.
type ReportEvent struct {
	// At is when it happened, in milliseconds since 1970 by the client's own clock, which may be wrong.
	At int64 `json:"at"`
	// Kind says what happened.
	Kind ReportKind `json:"kind"`
	// Seat is the person whom it concerns; absent when it is the client itself.
	Seat string `json:"seat,omitempty"`
	// Link is the link it happened on.
	Link string `json:"link,omitempty"`
	// Source is the track it concerns.
	Source Source `json:"source,omitempty"`
	// MS is how long it took, or lasted, in milliseconds.
	MS int64 `json:"ms,omitempty"`
	// Cause says why, as a word for programs or a short text: MaxCause bytes at most.
	Cause string `json:"cause,omitempty"`
	// Path is the way that media takes from now on.
	Path *ReportPath `json:"path,omitempty"`
	// Candidates are those that were gathered.
	Candidates []ReportCandidate `json:"candidates,omitempty"`
	// Pair is a candidate pair that was tried.
	Pair *ReportPair `json:"pair,omitempty"`
	// Switch is a change of topology that this client has gone through.
	Switch *ReportSwitch `json:"switch,omitempty"`
	// Level is a quality: 0 bad, 1 fair, 2 good.
	Level *int `json:"level,omitempty"`
	// Score is the audio score, a mean opinion score times 100: 100 to 500.
	Score int `json:"score,omitempty"`
}

// ReportKind says what a client saw.
type ReportKind string

// Kinds of events.
const (
	ReportGathered       ReportKind = "gathered"        // Candidates
	ReportPairTried      ReportKind = "pair"            // Pair
	ReportICEConnected   ReportKind = "ice-connected"   // MS since the link began
	ReportDTLSConnected  ReportKind = "dtls-connected"  // MS since the link began
	ReportFirstPacket    ReportKind = "first-packet"    // Source, MS since Join
	ReportFirstFrame     ReportKind = "first-frame"     // Source, MS since Join
	ReportPathChanged    ReportKind = "path"            // Path
	ReportStalled        ReportKind = "stalled"         // nothing is heard on a link any more
	ReportRestart        ReportKind = "restart"         // ICE begins again; Cause
	ReportReplaced       ReportKind = "replaced"        // another link carries the media; Cause
	ReportRecovered      ReportKind = "recovered"       // media flows again; MS is the gap
	ReportQuality        ReportKind = "quality"         // Level, Score, Cause
	ReportVideoPaused    ReportKind = "video-paused"    // to keep the sound; Cause
	ReportVideoResumed   ReportKind = "video-resumed"   // MS is how long it was paused
	ReportDevice         ReportKind = "device"          // Source, Cause
	ReportSignallingLost ReportKind = "signalling-lost" // the socket died; Cause
	ReportSignallingBack ReportKind = "signalling-back" // MS is how long it was gone
	ReportTransfer       ReportKind = "transfer"        // of files; Cause is started, resumed, done or why it ended, MS how long after its start
	ReportSwitched       ReportKind = "switched"        // Switch; MS is how long it took this client
	ReportNote           ReportKind = "note"            // Cause
)

// ReportSwitch is a change of topology as a client has heard it.
type ReportSwitch struct {
	// From and To are the ways that the media took before and after.
	From TopologyKind `json:"from"`
	To   TopologyKind `json:"to"`
	// Epoch is that of the topology with Next.
	Epoch uint64 `json:"epoch"`
	// GapMS is the longest hole in the sound of anybody, as it was played, in milliseconds.
	GapMS int64 `json:"gapMs"`
	// PlayoutMS is by how much later, or earlier when it is negative, that person is played on the new path, in milliseconds.
	PlayoutMS int64 `json:"playoutMs,omitempty"`
}

// ReportPath is the way that media takes.
type ReportPath struct {
	// Kind is the way.
	Kind PathKind `json:"kind"`
	// Protocol is how the relay is reached.
	Protocol Transport `json:"protocol,omitempty"`
	// Server is the relay's name.
	Server string `json:"server,omitempty"`
}

// PathKind is a way for media.
type PathKind string

// Ways for media.
const (
	PathConnecting PathKind = "connecting"
	PathDirect     PathKind = "direct"
	PathRelayed    PathKind = "relayed"
	PathHub        PathKind = "hub"
	PathLost       PathKind = "lost"
)

// Transport is how something is reached.
type Transport string

// Transports.
const (
	TransportUDP Transport = "udp"
	TransportTCP Transport = "tcp"
	TransportTLS Transport = "tls"
)

// ReportCandidate is an ICE candidate, as far as a record needs it.
type ReportCandidate struct {
	// Type is its type (RFC 8445 §5.1.1).
	Type CandidateType `json:"type"`
	// Protocol is udp or tcp.
	Protocol Transport `json:"protocol"`
	// Address is its address and port; the server shortens or drops it by policy.
	Address string `json:"address,omitempty"`
	// Relay is how the relay is reached, on relayed candidates of one's own.
	Relay Transport `json:"relay,omitempty"`
}

// CandidateType is the type of an ICE candidate.
type CandidateType string

// Types of candidates.
const (
	CandidateHost            CandidateType = "host"
	CandidateServerReflexive CandidateType = "srflx"
	CandidatePeerReflexive   CandidateType = "prflx"
	CandidateRelay           CandidateType = "relay"
)

// ReportPair is a candidate pair and what became of it.
type ReportPair struct {
	// Local and Remote are its ends, from the reporter's side.
	Local  ReportCandidate `json:"local"`
	Remote ReportCandidate `json:"remote"`
	// State is what became of it.
	State PairState `json:"state"`
}

// PairState is what became of a candidate pair.
type PairState string

// States of a pair.
const (
	PairWon    PairState = "won"    // media takes it
	PairTried  PairState = "tried"  // it worked, or might have
	PairFailed PairState = "failed" // its checks were not answered
)
