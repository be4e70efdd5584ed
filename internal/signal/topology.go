package signal

// Hub is the name of the media plane as a peer: what a link message says in To, or From, instead of a session.
const Hub = "hub"

// Limits of what is said about topology.
const (
	// MaxShow is how many receive places one offer to the hub may want filled, and how many an answer names.
	MaxShow = 256
	// MaxMissing is how many tracks one moved message may miss.
	MaxMissing = 256
	// maxPixels bounds the width and the height of a place.
	maxPixels = 16384
)

// TopologyKind says which way a room's media take.
type TopologyKind string

// Kinds of topology.
const (
	TopologyDirect TopologyKind = "direct" // from one to the other, over one link between two sessions
	TopologyHub    TopologyKind = "hub"    // through the media plane, over one link of each session with the hub
)

// TopologyPolicy says which topologies a room may have.
type TopologyPolicy string

// Policies of topology.
const (
	PolicyAuto   TopologyPolicy = "auto"   // direct between two, hub for more
	PolicyDirect TopologyPolicy = "direct" // never the hub, so two people at most
	PolicyHub    TopologyPolicy = "hub"    // always the hub
)

// Topology is which way a room's media take, and which way they are about to take.
type Topology struct {
	// Kind carries the media now.
	Kind TopologyKind `json:"kind"`
	// Epoch grows with every change of Kind or Next, over restarts too. The state with the greatest one holds.
	Epoch uint64 `json:"epoch"`
	// Next is present during a switch: make its links beside those of Kind, say moved with this Epoch, and break nothing
	// before a later epoch says which of the two stays.
	Next TopologyKind `json:"next,omitempty"`
	// Policy is what the host decided.
	Policy TopologyPolicy `json:"policy"`
}

// Moved answers a switch: what this client expects of the new path has come there, or has not.
type Moved struct {
	Header
	// Epoch is that of the topology with Next; a report about another one counts for nothing.
	Epoch uint64 `json:"epoch"`
	// Missing are the tracks that have delivered nothing on the new path within 5 s. Pictures among them count as paused;
	// sound ends the switch.
	Missing []Missing `json:"missing,omitempty"`
}

// Missing names a track of somebody.
type Missing struct {
	// Seat is whose it is.
	Seat string `json:"seat"`
	// Source is what it shows.
	Source Source `json:"source"`
}

// HubReach says whether this client reaches the hub, as its background probe found.
type HubReach struct {
	Header
	// OK is true when media would flow.
	OK bool `json:"ok"`
	// Why says why not.
	Why ReachWhy `json:"why,omitempty"`
}

// Reach says whether a seat's client reaches the hub.
type Reach string

// Values of Reach; absent while it is not known.
const (
	ReachYes Reach = "yes"
	ReachNo  Reach = "no"
)

// ReachWhy says why a client does not reach the hub.
type ReachWhy string

// Reasons of ReachWhy. Clients say the first two; the server finds the others.
const (
	ReachBlocked     ReachWhy = "blocked"     // neither UDP nor TCP gets to the server's media port
	ReachFailed      ReachWhy = "failed"      // packets get there, but no connection comes of it
	ReachSilent      ReachWhy = "silent"      // a switch to the hub failed for it
	ReachUnsupported ReachWhy = "unsupported" // the client has not said anything: it knows no hub
)

// SetTopology says which topologies the room may have. Hosts only.
type SetTopology struct {
	Header
	// Policy is the new policy.
	Policy TopologyPolicy `json:"policy"`
}

// Want says what a receive place of an offer to the hub is to show.
type Want struct {
	// Mid is the media section that receives it.
	Mid string `json:"mid"`
	// Seat and Source name the track.
	Seat   string `json:"seat"`
	Source Source `json:"source"`
	// Width and Height are the size at which it is shown, in device pixels; 0 is not known.
	Width  uint16 `json:"width,omitempty"`
	Height uint16 `json:"height,omitempty"`
	// Paused wants nothing sent for now.
	Paused bool `json:"paused,omitempty"`
}

// Place says what a receive place shows.
type Place struct {
	// Mid is the media section.
	Mid string `json:"mid"`
	// Seat and Source name the track.
	Seat   string `json:"seat"`
	Source Source `json:"source"`
}
