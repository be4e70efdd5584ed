package parley

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/sframe"
)

const (
	// mediaPatience is how long a frame waits for its key: the key may take another way than the frame does.
	mediaPatience = 200 * time.Millisecond
	// dataPatience is that of messages: nothing of them may be lost.
	dataPatience = 5 * time.Second
	// hopeless is how many times as long as a wait for a key that did not come nobody waits again in the same section, unless
	// a key of theirs comes, and maxHopeless how many such sections are remembered.
	hopeless    = 10
	maxHopeless = 256
)

// vault seals what leaves and opens what comes, of media or of data. It is a leaf: safe for concurrent use, and what waits
// for a key holds up only what comes behind it in the same section.
type vault struct {
	patience time.Duration
	over     <-chan struct{} // the end of the room

	mu       sync.Mutex
	frames   sframe.Frames
	sections int
	news     chan struct{}      // closed when a key has come
	vain     map[wait]time.Time // until when there is no waiting
}

// wait is where a key was waited for.
type wait struct {
	owner   string
	section int
}

func newVault(patience time.Duration, over <-chan struct{}) *vault {
	return &vault{patience: patience, over: over, news: make(chan struct{}), vain: make(map[wait]time.Time)}
}

func (v *vault) use(kid uint64, base []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.frames.Use(kid, base)
}

// stop seals nothing any more.
func (v *vault) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.frames.Stop()
}

func (v *vault) add(now time.Time, owner string, kid uint64, base []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.news)
	v.news = make(chan struct{})
	maps.DeleteFunc(v.vain, func(at wait, _ time.Time) bool { return at.owner == owner || at.owner == sframe.Anybody })
	return v.frames.Add(now, owner, kid, base)
}

func (v *vault) forget(owner string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.frames.Forget(owner)
}

func (v *vault) expire(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.frames.Expire(now)
}

// section numbers a section of what comes; end ends it.
func (v *vault) section() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sections++
	return v.sections
}

func (v *vault) end(section int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.frames.End(section)
}

// seal appends a sealed frame to dst, or returns false: then it is not to be sent.
func (v *vault) seal(dst []byte, kind sframe.Kind, frame []byte) ([]byte, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.frames.Seal(dst, kind, frame)
}

// open opens a frame in its own memory, and waits for its key if that is not there yet.
func (v *vault) open(owner string, kind sframe.Kind, section int, frame []byte) (opened []byte, whose string, err error) {
	var limit *time.Timer
	at := wait{owner, section}
	for {
		var news chan struct{}
		var until time.Time
		if opened, whose, news, until, err = v.attempt(at, kind, frame); !errors.Is(err, sframe.ErrNoKey) || time.Now().Before(until) {
			return opened, whose, err
		}
		if limit == nil {
			limit = time.NewTimer(v.patience)
			defer limit.Stop()
		}
		select {
		case <-news:
		case <-limit.C:
			v.despair(at)
			return nil, "", err
		case <-v.over:
			return nil, "", err
		}
	}
}

// attempt opens a frame if its key is there. Otherwise it returns what tells of new keys, and until when there is no waiting
// for one here.
func (v *vault) attempt(at wait, kind sframe.Kind, frame []byte) (opened []byte, whose string, news chan struct{}, until time.Time, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	opened, whose, err = v.frames.Open(at.owner, kind, at.section, frame)
	return opened, whose, v.news, v.vain[at], err
}

// despair notes that a key was waited for in vain. Who sends what nobody has a key for must not hold up what comes behind it.
func (v *vault) despair(at wait) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.vain) >= maxHopeless {
		clear(v.vain)
	}
	v.vain[at] = time.Now().Add(hopeless * v.patience)
}

// strainer opens what one receiver gets: frames come in as RTP packets, and what is in them goes on in the same packets.
// What cannot be opened stays here, as if it were lost. One goroutine uses it.
type strainer struct {
	vault    *vault
	owner    string // whose it has to be, sframe.Anybody on a place of the hub
	section  int
	video    bool
	strange  *atomic.Bool // a stranger is shown: there is no key to wait for; nil where it is never so
	assembly sframe.Assembly[piece]
	whose    string // who sealed what was opened last
	scratch  []byte
	ready    []*rtp.Packet
}

// piece is a packet, and where in its payload the frame goes on.
type piece struct {
	packet *rtp.Packet
	head   int
}

// strains makes the strainer of a receiver; nil where nothing is sealed.
func (s *state) strains(owner string, kind webrtc.RTPCodecType) *strainer {
	if s.secrecy == nil {
		return nil
	}
	v := s.secrecy.media
	return &strainer{vault: v, owner: owner, section: v.section(), video: kind == webrtc.RTPCodecTypeVideo}
}

// take takes a packet, and returns those that can be read now and the session of who sealed them. They are valid until the
// next call.
func (x *strainer) take(p *rtp.Packet) (ready []*rtp.Packet, whose string) {
	x.ready = x.ready[:0]
	if len(p.Payload) == 0 { // padding: it only fills the place of its number
		if x.whose == "" {
			return nil, ""
		}
		x.ready = append(x.ready, p)
		return x.ready, x.whose
	}
	if !x.video {
		opened, whose, err := x.open(sframe.Audio, p.Payload)
		if err != nil {
			return nil, ""
		}
		p.Payload, x.whose = opened, whose
		x.ready = append(x.ready, p)
		return x.ready, whose
	}
	var part codecs.VP8Packet
	if _, err := part.Unmarshal(p.Payload); err != nil {
		return nil, ""
	}
	frame := x.assembly.Take(sframe.Piece[piece]{
		Sequence: p.SequenceNumber, Timestamp: p.Timestamp, First: part.S == 1 && part.PID == 0, Last: p.Marker,
		Value: piece{p, len(p.Payload) - len(part.Payload)},
	})
	if frame == nil {
		return nil, ""
	}
	return x.picture(frame)
}

// picture opens a picture that came whole, and puts it back into its packets: as much into each as there was, so the last
// ones get less.
func (x *strainer) picture(frame []sframe.Piece[piece]) (ready []*rtp.Packet, whose string) {
	x.scratch = x.scratch[:0]
	for _, f := range frame {
		x.scratch = append(x.scratch, f.Value.packet.Payload[f.Value.head:]...)
	}
	opened, whose, err := x.open(sframe.Video, x.scratch)
	if err != nil {
		return nil, ""
	}
	x.whose = whose
	for i, f := range frame {
		p, head := f.Value.packet, f.Value.head
		after := len(frame) - 1 - i // each of them gets something: a packet of nothing cannot be read
		n := min(len(p.Payload)-head, len(opened)-after)
		if n <= 0 {
			return nil, ""
		}
		copy(p.Payload[head:], opened[:n])
		p.Payload, opened = p.Payload[:head+n], opened[n:]
		x.ready = append(x.ready, p)
	}
	if len(opened) > 0 {
		return nil, ""
	}
	return x.ready, whose
}

// open opens a frame. What a stranger sends is held up by nothing, or it would hold up who is shown next.
func (x *strainer) open(kind sframe.Kind, frame []byte) (opened []byte, whose string, err error) {
	if x.strange == nil || !x.strange.Load() {
		return x.vault.open(x.owner, kind, x.section, frame)
	}
	opened, whose, _, _, err = x.vault.attempt(wait{x.owner, x.section}, kind, frame)
	return opened, whose, err
}

// end is the end of the receiver.
func (x *strainer) end() {
	if x != nil {
		x.vault.end(x.section)
	}
}
