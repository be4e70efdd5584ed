package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// Media is a source of encoded frames in the order in which they are to be shown. One goroutine of the room calls it.
// The clips of the folder media are some.
type Media interface {
	// Codec is the RTP media type of the frames: "audio/opus" or "video/VP8".
	Codec() string
	// Next returns the next frame and how long it lasts. The frame is used until the next call; nothing is sent for one of no
	// bytes. io.EOF ends the media.
	Next() (frame []byte, lasts time.Duration, err error)
	// Refresh asks that the next frame be decodable by itself: somebody new watches, or lost a packet.
	Refresh()
	// Close lets go of what the media holds; Next is not called afterwards.
	Close() error
}

// Leveled is Media that knows how loud it is; receivers are told (RFC 6464).
type Leveled interface {
	// Level is the loudness of the last frame in -dBov: 0 is the loudest, 127 is silence.
	Level() (level uint8, known bool)
}

const (
	// catchUp is how late a frame may be before the clock is set anew: the machine slept, or the file stalled.
	catchUp = 200 * time.Millisecond
	// refreshEach is the shortest pause between two key frames that others ask for.
	refreshEach = 300 * time.Millisecond
)

// show is one of our sources and everybody who gets it. start, stop and turn are for the room's owner; the rest is safe.
type show struct {
	source Source
	media  Media // nil while nothing is published; of several sizes the largest
	cancel context.CancelFunc
	epoch  time.Time // RTP timestamps count from here, over all that is published
	on     atomic.Bool
	mu     sync.Mutex
	sizes  []*size // what is published, the smallest first; one that is published alone has no name
	to     map[*outlet]struct{}
}

// size is one of the encodings of what a show shows.
type size struct {
	rid   string
	media Media
	kick  chan struct{} // wakes the player for a refresh
	now   atomic.Bool   // the refresh is to be sent at once
}

func newShow(source Source) *show {
	return &show{source: source, epoch: time.Now(), to: make(map[*outlet]struct{})}
}

func kindOf(source Source) webrtc.RTPCodecType {
	if source == Microphone || source == ScreenAudio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

func codecOf(source Source) string {
	if kindOf(source) == webrtc.RTPCodecTypeAudio {
		return webrtc.MimeTypeOpus
	}
	return webrtc.MimeTypeVP8
}

func (w *show) fits(media Media) error {
	if !strings.EqualFold(media.Codec(), codecOf(w.source)) {
		return fmt.Errorf("parley: %s takes %s, not %s", w.source, codecOf(w.source), media.Codec())
	}
	return nil
}

// start plays media until its end or stop. ended is called with its own end, nil for io.EOF.
func (w *show) start(running *sync.WaitGroup, media Media, ended func(error)) {
	w.startLayers(running, []Layer{{Media: media}}, ended)
}

// startLayers plays the sizes of a picture; ended is called with the end of each of them.
func (w *show) startLayers(running *sync.WaitGroup, layers []Layer, ended func(error)) {
	ctx, cancel := context.WithCancel(context.Background())
	sizes := make([]*size, 0, len(layers))
	for _, l := range layers {
		sizes = append(sizes, &size{rid: l.RID, media: l.Media, kick: make(chan struct{}, 1)})
	}
	w.media, w.cancel = layers[len(layers)-1].Media, cancel
	w.mu.Lock()
	w.sizes = sizes
	w.mu.Unlock()
	for _, x := range sizes {
		running.Go(func() {
			err := w.guarded(ctx, x)
			if errClose := x.media.Close(); err == nil {
				err = errClose
			}
			if ctx.Err() != nil {
				return
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			ended(err)
		})
	}
}

func (w *show) stop() {
	if w.media != nil {
		w.cancel()
		w.media, w.cancel = nil, nil
		w.mu.Lock()
		w.sizes = nil
		w.mu.Unlock()
	}
	w.on.Store(false)
}

// turn lets the frames out, or keeps them in. The media plays on either way.
func (w *show) turn(on bool) {
	if !w.on.Swap(on) && on {
		w.refresh(true)
	}
}

// refresh brings the next picture that can be decoded by itself; soon means now, not when the next one is due.
func (w *show) refresh(soon bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.sizes {
		x.refresh(soon)
	}
}

func (x *size) refresh(soon bool) {
	if soon {
		x.now.Store(true)
	}
	select {
	case x.kick <- struct{}{}:
	default:
	}
}

// guarded plays. Media belongs to the program: if it panics, it ends, and nothing else.
func (w *show) guarded(ctx context.Context, x *size) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the media panicked: %v\n%s", r, debug.Stack())
		}
	}()
	return w.play(ctx, x)
}

// play is the player: it hands out each frame at its time.
func (w *show) play(ctx context.Context, x *size) error {
	media := x.media
	timer := time.NewTimer(0)
	defer timer.Stop()
	level, _ := media.(Leveled)
	at := time.Now()
	var refreshed time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-x.kick:
			now := time.Now()
			soon := x.now.Swap(false)
			if kindOf(w.source) == webrtc.RTPCodecTypeAudio || !soon && now.Sub(refreshed) < refreshEach {
				continue
			}
			refreshed = now
			media.Refresh()
			if !soon {
				continue
			}
			at = now
		case <-timer.C:
		}
		if now := time.Now(); now.Sub(at) > catchUp {
			at = now
		}
		frame, lasts, err := media.Next()
		if err != nil {
			return err
		}
		if w.on.Load() && len(frame) > 0 {
			loud := -1
			if level != nil {
				if v, known := level.Level(); known {
					loud = int(v)
				}
			}
			w.write(x, frame, at.Sub(w.epoch), loud)
		}
		at = at.Add(lasts)
		timer.Reset(time.Until(at))
	}
}

func (w *show) write(x *size, frame []byte, at time.Duration, level int) {
	w.mu.Lock()
	to := make([]*outlet, 0, len(w.to))
	for out := range w.to {
		if w.leads(x, out, frame) {
			to = append(to, out)
		}
	}
	w.mu.Unlock()
	for _, out := range to {
		out.write(frame, at, level)
	}
}

func (w *show) add(out *outlet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to[out] = struct{}{}
}

func (w *show) remove(out *outlet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.to, out)
}

// flag returns the field of m that stands for source, which is one of Sources.
func flag(m *MediaState, source Source) *bool {
	return []*bool{&m.Microphone, &m.Camera, &m.Screen, &m.ScreenAudio}[slices.Index(Sources(), source)]
}
