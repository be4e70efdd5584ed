// Package turn is a STUN and TURN server engine (RFC 8489, RFC 8656) without input or output: packets and the time come in
// as arguments, packets to send and sockets to open come out of [Server.Poll].
//
// # Contract
//
//   - **Exactly one goroutine owns a Server**, or its owner holds a lock around every call.
//   - **After every call whose name begins with Handle, and after Revoke, drain Poll** and carry out what it returns.
//   - **A payload is valid until the next call on the engine, and no longer than the packet it was made from**: copy it to
//     keep it. The engine may overwrite the packet that it is given.
//   - An [Open] event is answered by [Server.HandleOpened] at once. There is at most one in what one Poll returns.
//
// # Relayed addresses
//
// Without a range of relay ports an allocation's relayed address is virtual: our public address with a port that no socket
// is bound to. Every client then has a relay candidate, and what one allocation sends to another one's relayed address is
// passed in memory. With a range the relayed address is a real socket, so peers that are not ours can be reached as well;
// traffic between two allocations still stays in memory.
//
// # Peers
//
// Which peers may be reached is decided in one place, [Policy], for every method that names a peer, and once more for each
// packet. The only address of our own that a client gets a permission for is that of the relay, and it leads nowhere but to
// a live allocation or the hub in this process: never to a socket.
package turn

import (
	"errors"
	"net/netip"
	"time"
)

// ErrMalformed says that bytes are neither a STUN message nor ChannelData. A datagram like that is to be dropped, a stream to be
// closed: after it nobody knows where the next message begins.
var ErrMalformed = errors.New("turn: neither a STUN message nor channel data")

// Client names the way to a client: the 5-tuple of RFC 8656 §3 as the shell sees it. Equal values are the same client.
type Client struct {
	// Addr is the address that the client's packets come from.
	Addr netip.AddrPort
	// Local is our address that they came to, so that answers leave from there; zero when the socket knows only one.
	Local netip.Addr
	// Stream is 0 for datagrams, otherwise the shell's number of the TCP or TLS connection, never used twice.
	Stream uint64
}

// Datagram reports whether the client speaks over UDP: then its address is unproven until it authenticates, and ChannelData
// needs no padding.
func (c Client) Datagram() bool { return c.Stream == 0 }

// Grant is what a username stands for.
type Grant struct {
	// Password is the long-term credential's password (RFC 8489 §9.2).
	Password string
	// Session is whose credential it is: quotas count by it, and the allocations end with it.
	Session string
	// Expires is when the credential stops opening allocations. Those that it opened live on.
	Expires time.Time
}

// Grants answers for credentials. The engine calls it while it handles a request; it must not call the engine.
type Grants interface {
	// Grant returns what the username stands for; ok is false when it was not issued by us. An expired one is returned too.
	Grant(now time.Time, username string) (g Grant, ok bool)
	// Alive reports whether the session may keep its allocations.
	Alive(session string) bool
}

// Kind says what an [Event] asks of the shell.
type Kind uint8

const (
	// ToClient sends Payload to Client.
	ToClient Kind = iota + 1
	// ToPeer sends Payload from the relay socket Relay to Peer.
	ToPeer
	// Open binds a UDP socket for the relayed address Relay and reports to [Server.HandleOpened].
	Open
	// Close closes the socket of the relayed address Relay.
	Close
	// ToHub gives Payload, which a client has sent from its relayed address Relay, to the hub in this process.
	ToHub
	// Idle says that Client, a stream, has no allocation any more. It may make a new one.
	Idle
)

// Event is one thing for the shell to do.
type Event struct {
	Kind    Kind
	Client  Client
	Relay   netip.AddrPort
	Peer    netip.AddrPort
	Payload []byte
}

// output gathers what Poll returns. Its memory is used again by every call, so relaying allocates nothing.
type output struct {
	events []Event
	polled int // how many of events Poll has returned
	facts  []Fact
	arena  []byte
}

// reset forgets the events and payloads of the call before.
func (o *output) reset() {
	o.events, o.polled, o.facts = o.events[:0], 0, o.facts[:0]
	o.arena = o.arena[:0]
}

// room returns n bytes that live until the next reset.
func (o *output) room(n int) []byte {
	if cap(o.arena)-len(o.arena) < n {
		// Payloads made before keep the old array alive; they stay valid.
		o.arena = make([]byte, 0, max(n, 4096, 2*cap(o.arena)))
	}
	first := len(o.arena)
	o.arena = o.arena[:first+n]
	return o.arena[first : first+n : first+n]
}

func (o *output) add(e Event) { o.events = append(o.events, e) }
