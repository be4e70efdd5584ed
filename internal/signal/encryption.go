package signal

// Limits of what is said about end-to-end encryption. The server reads nothing of it.
const (
	// MaxIdentity is the longest identity in bytes.
	MaxIdentity = 256
	// MaxBoxes is how many boxes one message carries at most: one for everybody else in the room, and more.
	MaxBoxes = 64
	// MaxBox is the longest box in bytes.
	MaxBox = 1024
	// SealedChat begins a chat text that is ciphertext.
	SealedChat = "parley.sealed.v1:"
	// MaxSealedChat is the longest such text: what a text of MaxChat bytes and its writer's name become.
	MaxSealedChat = 5800
)

// Encrypt makes the room an encrypted one, for good. Hosts only, and only while they are alone.
type Encrypt struct {
	Header
	// Identity is that of the host's client, as in Join.
	Identity string `json:"identity"`
}

// Keys carries sealed words from client to client in an encrypted room: keys of frames, and what else they tell each
// other that the server shall not read or forge.
type Keys struct {
	Header
	// Boxes are for one session each; set by the sender. One for somebody who is gone is dropped.
	Boxes []Box `json:"boxes,omitempty"`
	// From is the session that the box came from; set by the server.
	From string `json:"from,omitempty"`
	// Box is what it holds for the receiver; set by the server.
	Box string `json:"box,omitempty"`
}

// Box is a sealed word for one session.
type Box struct {
	// To is the session.
	To string `json:"to"`
	// Box is ciphertext in base64url.
	Box string `json:"box"`
}
