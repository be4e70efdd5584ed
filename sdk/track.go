package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	// ring is how many packets a track keeps for its reader: 10 s of sound, or a second or two of video.
	ring = 512
	// pleaEach is how often a missing key frame is asked for.
	pleaEach = 500 * time.Millisecond
)

// errTrackEnded ends a track's reader: to it a track is a stream that ends.
var errTrackEnded = io.EOF

// Track is media of one person as it arrives. Its methods may be called from any goroutine.
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
	from    *feed // where packets come from now; nil before the first one
	known   bool  // the user was told; the owner's
}

// feed is one stream of a track: the same track comes by another link when the first one breaks.
type feed struct {
	pc     *webrtc.PeerConnection
	remote *webrtc.TrackRemote
	pulse  *pulse
	level  uint8 // id of the level extension, 0 without
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

func (t *Track) end(cause error) {
	t.once.Do(func() {
		t.cause = cause
		close(t.over)
	})
}

// arrived begins a track when its first packet came, or goes on with it when it comes by another link.
func (s *state) arrived(l *link, remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	source, ok := s.sourceOf(l, receiver)
	if !ok || kindOf(source) != remote.Kind() {
		s.trouble(errors.New("parley: media arrived in a section that carries nothing; it is dropped"))
		return
	}
	t := l.bond.tracks[source]
	if t == nil || t.Codec != remote.Codec().MimeType {
		if t != nil {
			t.end(errTrackEnded)
		}
		t = s.track(source, remote)
		l.bond.tracks[source] = t
	}
	s.reportFirst(l, source)
	from := &feed{pc: l.pc, remote: remote, pulse: l.pulse}
	for _, x := range receiver.GetParameters().HeaderExtensions {
		if x.URI == levelURI {
			from.level = uint8(x.ID) // 1…14 by RFC 8285
		}
	}
	s.running.Go(func() { t.receive(from) })
	s.running.Go(func() { drain(receiver, l.pulse) })
	if main := s.links[l.peer]; main != nil {
		s.announce(main)
	}
}

// track makes the track for a source.
func (s *state) track(source Source, remote *webrtc.TrackRemote) *Track {
	codec := remote.Codec()
	t := &Track{
		Source: source, Codec: codec.MimeType, packets: make(chan *rtp.Packet, ring), over: make(chan struct{}),
		meter: meter{clock: float64(codec.ClockRate), video: remote.Kind() == webrtc.RTPCodecTypeVideo},
	}
	if !t.meter.video && s.options.Hear {
		ear, err := newEar()
		if err != nil {
			s.trouble(err)
		}
		t.ear = ear
	}
	return t
}

// sourceOf finds what a receiver's section carries, by the map of the description, never by its place.
func (s *state) sourceOf(l *link, receiver *webrtc.RTPReceiver) (Source, bool) {
	for _, t := range l.pc.GetTransceivers() {
		if t.Receiver() == receiver {
			source, ok := l.sources[t.Mid()]
			return source, ok && s.shows[source] != nil
		}
	}
	return "", false
}

// announce tells of the tracks of a link as soon as it is known whose they are.
func (s *state) announce(l *link) {
	seat := s.holder(l.peer)
	if seat == nil || !l.bond.open {
		return
	}
	for _, source := range Sources() {
		t := l.bond.tracks[source]
		if t == nil || t.known {
			continue
		}
		t.mu.Lock()
		t.seat, t.name = seat.ID, seat.Name
		t.mu.Unlock()
		t.known = true
		s.emit(TrackAdded{Track: t})
	}
}

// receive reads a stream until its end.
func (t *Track) receive(from *feed) {
	var pleaded time.Time
	var lost int64
	for {
		p, _, err := from.remote.ReadRTP()
		if err != nil {
			return
		}
		from.pulse.hear()
		now := time.Now()
		if t.count(now, p, from, &lost) && now.Sub(pleaded) >= pleaEach {
			pleaded = now
			_ = t.Refresh() // the link is going down; its end is reported elsewhere
		}
		for sent := false; !sent; {
			select {
			case t.packets <- p:
				sent = true
			default:
				select {
				case <-t.packets:
					t.mu.Lock()
					t.meter.total.Dropped++
					t.mu.Unlock()
				default:
				}
			}
		}
	}
}

// count meters p and reports whether a key frame is needed: there was none yet, or packets are missing since lost.
func (t *Track) count(now time.Time, p *rtp.Packet, from *feed, lost *int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from, t.meter.levelID = from, from.level
	keys := t.meter.total.KeyFrames
	t.meter.packet(now, p)
	total := &t.meter.total
	if t.ear != nil && t.ear.hear(p.Payload) == nil && t.ear.blocks > 0 {
		total.Level, total.Leveled, total.Tone = t.ear.level, true, t.ear.tone
	}
	if !t.meter.video {
		return false
	}
	if total.KeyFrames > keys {
		*lost = total.Lost // whatever was missing, from here it decodes
	}
	return total.KeyFrames == 0 || total.Lost > *lost
}

// drain reads the sender's reports, which is what makes the transport handle them.
func drain(receiver *webrtc.RTPReceiver, pulse *pulse) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := receiver.Read(buf); err != nil {
			return
		}
		pulse.hear()
	}
}
