package auth

import (
	"encoding/binary"
	"time"
)

// Pass lets a program into a room whose lock and waiting room would keep it out, and may make the room: an encoder, or a player.
type Pass struct {
	// Room is the room's name.
	Room string
	// Name is what an encoder's seat is called; empty for the default.
	Name string
	// Publishes is true for an encoder and false for a player; a pass is good for one of them.
	Publishes bool
	// Until is when it ends, in whole seconds.
	Until time.Time
}

// PassSeal returns the token for p. Strings must be shorter than 256 bytes.
func (k *Keys) PassSeal(p Pass) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.Until.Unix()))
	if p.Publishes {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return seal(k.pass, appendString(appendString(b, p.Room), p.Name))
}

// PassOpen returns what a token says, and false when PassSeal did not make it with these keys, or when it has ended at now.
func (k *Keys) PassOpen(token string, now time.Time) (p Pass, ok bool) {
	b, ok := open(k.pass, token)
	if !ok || len(b) < 9 || b[8] > 1 {
		return Pass{}, false
	}
	p.Until = time.Unix(int64(binary.BigEndian.Uint64(b)), 0)
	p.Publishes = b[8] == 1
	rest, ok := cutStrings(b[9:], &p.Room, &p.Name)
	if !ok || len(rest) > 0 || !now.Before(p.Until) {
		return Pass{}, false
	}
	return p, true
}
