// Package ice is the server's side of ICE (RFC 8445): a lite agent for one peer connection, without input or output. Packets and
// the time come in as arguments, answers and what changed come out.
//
// A lite agent asks nothing. It answers the checks of its peer, a full agent, and learns from those that prove to know our
// password which paths the peer can be reached on, which one it has nominated, and that it still wants packets there.
//
// # Contract
//
//   - **Exactly one goroutine owns an [Agent].**
//   - **An answer is valid until the next call on the agent.** It is to be sent to where the packet came from, and nowhere else.
//   - [Agent.HandleTimeout] wants to be called when [Agent.Deadline] says.
//   - **Nothing is learnt from a packet that does not authenticate**, nothing is answered, nothing is allocated: it is counted.
//   - The server never sends to an address that has not proved itself: [Agent.Sendable] names only paths that an authenticated
//     check came from in the last 15 s (stricter than RFC 7675, which counts from our own checks).
//
// # Finding the agent
//
// On a port that many share, the first check of a path finds its agent by our username fragment. The shell reads the packet once:
//
//	m, err := ice.Parse(packet)
//	if err != nil || !m.Check() { … not for ICE … }
//	agent := byUfrag[string(m.Ufrag())]
//	answer, event := agent.Handle(now, path, &m)
package ice

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
)

const (
	// ConsentTime is how long after its last authenticated check a path may be sent to (RFC 7675 §5.1).
	ConsentTime = 15 * time.Second
	// MaxPaths is how many valid paths of one peer are known at once. Beyond, the one that was checked longest ago goes, though
	// never the selected one.
	MaxPaths = 16
)

// Path is a way to the peer: the 5-tuple as the shell sees it. Equal values are the same path.
type Path struct {
	// Peer is the address that the peer's packets come from. The agent tells it to the peer.
	Peer netip.AddrPort
	// Local is our address that they come to; zero when the socket knows only one.
	Local netip.Addr
	// Via is 0 for the UDP socket, otherwise the shell's number of what carries the packets instead (a TCP connection, a relayed
	// address of ours), never used twice. Paths of the UDP socket are the better ones.
	Via uint64
}

// Credentials are a side's username fragment and password (RFC 8445 §5.3).
type Credentials struct{ Ufrag, Password string }

// NewCredentials makes credentials of 48 and 144 random bits. rand must be unpredictable.
func NewCredentials(rand io.Reader) (Credentials, error) {
	var b [6 + 18]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return Credentials{}, fmt.Errorf("ice: random bytes: %w", err)
	}
	// The alphabet of base64 is that of ICE (RFC 8839 §5.4).
	text := base64.StdEncoding.EncodeToString(b[:])
	return Credentials{Ufrag: text[:8], Password: text[8:]}, nil
}

var errCredentials = errors.New("ice: a fragment has 4 to 256 characters and a password 22 to 256, of letters, digits, + and /")

// Validate reports whether the credentials are what RFC 8839 §5.4 allows. The error is our fault or, in a session description,
// the peer's.
func (c Credentials) Validate() error {
	if len(c.Ufrag) < 4 || len(c.Ufrag) > 256 || len(c.Password) < 22 || len(c.Password) > 256 || !iceChars(c.Ufrag) || !iceChars(c.Password) {
		return errCredentials
	}
	return nil
}

func iceChars(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// Event says what a call has changed; more than one may be set.
type Event uint8

const (
	// Found says that a path became valid that was not.
	Found Event = 1 << iota
	// Selected says that what [Agent.Sendable] returns is another path, or one again.
	Selected
	// Lost says that no path may be sent to any more.
	Lost
	// Retired says that the credentials before the last restart have stopped working; see [Agent.Ufrags].
	Retired
)

// Has reports whether one of the events is set.
func (e Event) Has(other Event) bool { return e&other != 0 }

// Stats counts the packets of an agent since it was made.
type Stats struct {
	// Checks were authenticated and answered with success, Conflicts with 487, Unknown with 420.
	Checks, Conflicts, Unknown uint64
	// Malformed were not STUN, Foreign for somebody else or not requests for a check, Forged without the right password. None of them was answered.
	Malformed, Foreign, Forged uint64
}
