package auth

import (
	"encoding/binary"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Resume is what a resume token says: which session may go on, and as whom.
type Resume struct {
	// Room and Session name the session.
	Room, Session string
	// Seat is the seat that the session held when the token was made; empty in the lobby.
	Seat string
	// Name is the name of whoever sat there.
	Name string
	// Role is what the session was then.
	Role signal.Role
	// Made is when the token was made, in whole seconds.
	Made time.Time
	// Epoch is the start of the server that holds the session; another one has only the token to go by.
	Epoch uint64
	// Generation grows with each resume: the newest one counts (see signalserver).
	Generation uint32
}

// ResumeSeal returns the token for r. Strings must be shorter than 256 bytes.
func (k *Keys) ResumeSeal(r Resume) string {
	b := binary.BigEndian.AppendUint64(nil, r.Epoch)
	b = binary.BigEndian.AppendUint32(b, r.Generation)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Made.Unix()))
	for _, s := range []string{r.Room, r.Session, r.Seat, r.Name, string(r.Role)} {
		b = appendString(b, s)
	}
	return seal(k.resume, b)
}

// ResumeOpen returns what a token says, and false when ResumeSeal did not make it with these keys.
func (k *Keys) ResumeOpen(token string) (r Resume, ok bool) {
	b, ok := open(k.resume, token)
	if !ok || len(b) < 20 {
		return Resume{}, false
	}
	r.Epoch = binary.BigEndian.Uint64(b)
	r.Generation = binary.BigEndian.Uint32(b[8:])
	var role string
	r.Made = time.Unix(int64(binary.BigEndian.Uint64(b[12:])), 0)
	b, ok = cutStrings(b[20:], &r.Room, &r.Session, &r.Seat, &r.Name, &role)
	r.Role = signal.Role(role)
	if !ok || len(b) > 0 {
		return Resume{}, false
	}
	return r, true
}

// Seat is what a seat token says: which seat its bearer may take again.
type Seat struct {
	// Room is the room's name.
	Room string
	// Seat is the seat's id.
	Seat string
	// Generation tells the valid tokens of a seat from those that were revoked.
	Generation uint32
}

// SeatSeal returns the token for s. Strings must be shorter than 256 bytes.
func (k *Keys) SeatSeal(s Seat) string {
	b := binary.BigEndian.AppendUint32(nil, s.Generation)
	return seal(k.seat, appendString(appendString(b, s.Room), s.Seat))
}

// SeatOpen returns what a token says, and false when SeatSeal did not make it with these keys.
func (k *Keys) SeatOpen(token string) (s Seat, ok bool) {
	b, ok := open(k.seat, token)
	if !ok || len(b) < 4 {
		return Seat{}, false
	}
	s.Generation = binary.BigEndian.Uint32(b)
	b, ok = cutStrings(b[4:], &s.Room, &s.Seat)
	if !ok || len(b) > 0 {
		return Seat{}, false
	}
	return s, true
}

func appendString(b []byte, s string) []byte {
	if len(s) > 255 {
		panic("auth: a token holds strings of up to 255 bytes")
	}
	return append(append(b, byte(len(s))), s...)
}

// cutStrings reads one length-prefixed string into each of into and returns the rest.
func cutStrings(b []byte, into ...*string) (rest []byte, ok bool) {
	for _, s := range into {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return nil, false
		}
		*s = string(b[1 : 1+int(b[0])])
		b = b[1+int(b[0]):]
	}
	return b, true
}
