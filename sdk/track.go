package parley

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/seam"
)

const (
	// ring is how many packets a track keeps for its reader: 10 s of sound, or a second or two of video.
	ring = 512
	// pleaEach is how often a missing key frame is asked for.
	pleaEach = 500 * time.Millisecond
)

// errTrackEnded ends a track's reader: to it a track is a stream that ends.
var errTrackEnded = io.EOF

// Track is media of one person as it arrives, on whatever links: to its reader it is one stream, also while the room
// moves to the hub or back. Its methods may be called from any goroutine.
type Track struct {
	// Source is what it shows.
	Source Source
	// Codec is the RTP media type, "audio/opus" or "video/VP8".
	Codec string

	packets chan *rtp.Packet
	over    chan struct{}
	once    sync.Once
	mu      sync.Mutex
	cause   error
	seat    string
	name    string
	meter   meter
	ear     *ear
	seam    *seam.Seam[arrival]
	timer   *time.Timer  // lets go what waits in the seam; nil before anything did
	ways    [2]time.Time // when something that can be played came last by each way; of pictures the last key frame
	ssrc    uint32
	started bool
	from    *feed // where packets come from now; nil before the first one
	lost    int64 // what was missing when the last key frame came
	pleaded time.Time
	begun   bool // something came; the owner's, as what follows
	known   bool // the user was told
}

// arrival is a packet and the stream it came in.
type arrival struct {
	packet *rtp.Packet
	from   *feed
}

// feed is one stream of a track: the same track comes by another link when the first one breaks, and by the hub.
type feed struct {
	name    int // unique in the room
	way     int // seam.Direct or seam.Hub
	pc      *webrtc.PeerConnection
	remote  *webrtc.TrackRemote
	pulse   *pulse
	level   uint8 // id of the level extension, 0 without
	capture uint8 // id of the capture extension, 0 without
}

// Seat returns the seat id of the person.
func (t *Track) Seat() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seat
}

// Name returns the name that the person had when the track began.
func (t *Track) Name() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.name
}

// ReadRTP returns the next packet as it arrived: maybe out of order. A track has one reader; packets that it does not
// fetch in time (512 of them) are dropped, the oldest first. At the end of the track it returns io.EOF.
func (t *Track) ReadRTP(ctx context.Context) (*rtp.Packet, error) {
	select {
	case p := <-t.packets:
		return p, nil
	default:
	}
	select {
	case p := <-t.packets:
		return p, nil
	case <-t.over:
		return nil, t.cause
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Refresh asks the sender for a picture that can be decoded by itself (RFC 4585 §6.3.1).
func (t *Track) Refresh() error {
	t.mu.Lock()
	from := t.from
	t.mu.Unlock()
	if from == nil || from.remote.Kind() != webrtc.RTPCodecTypeVideo {
		return nil
	}
	err := from.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(from.remote.SSRC())}})
	if err != nil {
		return fmt.Errorf("parley: ask for a key frame: %w", err)
	}
	return nil
}

// Stats returns what arrived so far.
func (t *Track) Stats() Received {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.meter.total
}

// listen begins to measure the pauses.
func (t *Track) listen() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seam.Listen()
}

// gap is what was measured since.
func (t *Track) gap() seam.Gap {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seam.Gap()
}

// prefer follows one way where the frames of both cannot be told apart.
func (t *Track) prefer(way int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seam.Prefer(way)
}

func (t *Track) end(cause error) {
	t.once.Do(func() {
		t.cause = cause
		close(t.over)
	})
}
