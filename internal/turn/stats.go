package turn

// Stats are counters since the engine was made, but for Allocations.
type Stats struct {
	// Allocations live now, and those made so far.
	Allocations int
	Allocated   uint64

	// Requests: Binding answers, refusals of all kinds, among them those for a missing, wrong or stale credential and for a
	// forbidden peer; answers that the limit of their source suppressed; bytes that were no message.
	Bindings, Refused, Unauthorized, ForbiddenPeers, Suppressed, Malformed uint64

	// Packets relayed to peers by socket, to clients from peers, and between two allocations in memory, with their bytes of
	// payload.
	ToPeers, ToClients, InMemory, Bytes uint64

	// Packets dropped: no allocation of the client, no permission or channel for the peer, a forbidden peer, no live
	// allocation at a relayed address of ours.
	NoAllocation, NoPermission, Forbidden, NoPeer uint64
}
