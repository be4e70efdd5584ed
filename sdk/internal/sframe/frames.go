package sframe

import (
	"slices"
	"time"
)

// Kind is what a frame holds: it decides what of it stays legible.
type Kind int

// The kinds.
const (
	Audio Kind = iota
	Video
	Data
)

const (
	// maxKeys is how many generations of one sender's key are kept, maxOwners of how many senders. While a key waits up to
	// 2 s to be used, others may replace it every half second, and the one that is in use has to outlast them all.
	maxKeys   = 8
	maxOwners = 256
	// maxSections bounds of how many sections the numbers are remembered, for each key.
	maxSections = 256
	// lateness is how late a frame may come, in frames of its sender: those of a camera wait for what was lost, those of
	// sound do not.
	lateness = 4096
	// Overlap is how long a key that was replaced opens what was under way.
	Overlap = 10 * time.Second
)

// Anybody is the owner to open with where different people are shown one after the other: a frame's key says whose it is.
const Anybody = ""

// ClearSize is how many bytes of a frame stay legible, because packetizers and the hub read them: none of sound and data,
// and of VP8 the frame tag, with the start code and the size in key frames (RFC 6386 §9.1).
func ClearSize(kind Kind, frame []byte) int {
	switch {
	case kind != Video:
		return 0
	case len(frame) == 0 || frame[0]&1 == 0:
		return 10
	default:
		return 3
	}
}

// DataKID is the number of a key for data: the same base makes other keys of it (RFC 9605 §4.4.2), so no nonce comes twice.
func DataKID(kid uint64) uint64 { return kid + 1<<32 }

// Frames has the keys of frames: the one of ours, and those of everybody who sends to us. All that is ours goes through one
// of it, because its numbers are taken from one counter: no nonce is ever used twice. The zero value is ready.
type Frames struct {
	own    *Key
	ctr    uint64
	owners []*owner
}

// owner is one sender, with their keys, the newest last.
type owner struct {
	name string
	keys []*held
}

type held struct {
	*Key
	added time.Time
	// seen is by section: the hub may show the same frames on one place after another, but no frame twice on one.
	seen map[int]*Seen
}

// Use seals with this key from now on.
func (f *Frames) Use(kid uint64, base []byte) error {
	k, err := Derive(kid, base)
	if err != nil {
		return err
	}
	f.own, f.ctr = k, 0
	return nil
}

// Stop ends the sealing, and what is not sealed is not sent: there is nobody to whom it would be legible.
func (f *Frames) Stop() { f.own = nil }

// Add takes a sender's key. Of more senders than 256 it takes none.
func (f *Frames) Add(now time.Time, name string, kid uint64, base []byte) error {
	k, err := Derive(kid, base)
	if err != nil {
		return err
	}
	o := f.find(name)
	if o == nil {
		if len(f.owners) >= maxOwners {
			return nil
		}
		o = &owner{name: name}
		f.owners = append(f.owners, o)
	}
	o.keys = slices.DeleteFunc(o.keys, func(h *held) bool { return h.KID == kid }) // one that comes round again is the newest
	o.keys = append(o.keys, &held{Key: k, added: now, seen: make(map[int]*Seen)})
	o.keys = slices.Delete(o.keys, 0, max(0, len(o.keys)-maxKeys))
	return nil
}

// Forget forgets a sender.
func (f *Frames) Forget(name string) {
	f.owners = slices.DeleteFunc(f.owners, func(o *owner) bool { return o.name == name })
}

// Expire drops the keys that were replaced long enough ago.
func (f *Frames) Expire(now time.Time) {
	for _, o := range f.owners {
		keep := max(0, len(o.keys)-1)
		for keep > 0 && now.Sub(o.keys[keep].added) <= Overlap {
			keep--
		}
		o.keys = slices.Delete(o.keys, 0, keep)
	}
}

// End forgets what came in a section that is over. Its number is not to be used again.
func (f *Frames) End(section int) {
	for _, o := range f.owners {
		for _, h := range o.keys {
			delete(h.seen, section)
		}
	}
}

// Seal appends a sealed frame to dst, which must not overlap it; ok is false, and nothing is to be sent, without a key or
// with too little of a frame.
func (f *Frames) Seal(dst []byte, kind Kind, frame []byte) (sealed []byte, ok bool) {
	n := ClearSize(kind, frame)
	if f.own == nil || len(frame) < n {
		return dst, false
	}
	ctr := f.ctr
	f.ctr++
	return f.own.Seal(dst, ctr, frame, n), true
}

// Open opens a frame of a sender, or of Anybody, that came in a section, in the frame's own memory: what it returns is a
// part of it. The error is one of this package. What ErrNoKey is said of is unchanged, and may be opened later.
func (f *Frames) Open(name string, kind Kind, section int, frame []byte) (opened []byte, whose string, err error) {
	n := ClearSize(kind, frame)
	if len(frame) < n {
		return nil, "", ErrMalformed
	}
	h, ok := ReadHeader(frame[n:])
	if !ok || len(frame) < n+h.Size+TagSize {
		return nil, "", ErrMalformed
	}
	key, whose := f.key(name, h.KID)
	if key == nil {
		return nil, "", ErrNoKey
	}
	seen := key.seen[section]
	if seen != nil && !seen.Fresh(h.CTR) {
		return nil, "", ErrReplayed
	}
	if opened, err = key.Key.Open(h, frame, n); err != nil {
		return nil, "", err
	}
	if seen == nil {
		if len(key.seen) >= maxSections {
			return nil, "", ErrReplayed // it could not be told
		}
		seen = NewSeen(lateness)
		key.seen[section] = seen
	}
	seen.Add(h.CTR)
	return opened, whose, nil
}

func (f *Frames) find(name string) *owner {
	for _, o := range f.owners {
		if o.name == name {
			return o
		}
	}
	return nil
}

func (f *Frames) key(name string, kid uint64) (*held, string) {
	for _, o := range f.owners {
		if name != Anybody && o.name != name {
			continue
		}
		for _, h := range o.keys {
			if h.KID == kid {
				return h, o.name
			}
		}
	}
	return nil, ""
}
