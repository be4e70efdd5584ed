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
	// Next returns the next frame and how long it lasts. The frame is used until the next call. io.EOF ends the media.
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
	media  Media // nil while nothing is published
	cancel context.CancelFunc
	epoch  time.Time // RTP timestamps count from here, over all that is published
	on     atomic.Bool
	kick   chan struct{} // wakes the player for a refresh
	now    atomic.Bool   // the refresh is to be sent at once
	mu     sync.Mutex
	to     map[*outlet]struct{}
}

func newShow(source Source) *show {
	return &show{source: source, epoch: time.Now(), kick: make(chan struct{}, 1), to: make(map[*outlet]struct{})}
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
	ctx, cancel := context.WithCancel(context.Background())
	w.media, w.cancel = media, cancel
	running.Go(func() {
		err := w.guarded(ctx, media)
		if errClose := media.Close(); err == nil {
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

func (w *show) stop() {
	if w.media != nil {
		w.cancel()
		w.media, w.cancel = nil, nil
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
	if soon {
		w.now.Store(true)
	}
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// guarded plays. Media belongs to the program: if it panics, it ends, and nothing else.
func (w *show) guarded(ctx context.Context, media Media) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the media panicked: %v\n%s", r, debug.Stack())
		}
	}()
	return w.play(ctx, media)
}

// play is the player: it hands out each frame at its time.
func (w *show) play(ctx context.Context, media Media) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	level, _ := media.(Leveled)
	at := time.Now()
	var refreshed time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.kick:
			now := time.Now()
			soon := w.now.Swap(false)
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
		if w.on.Load() {
			loud := -1
			if level != nil {
				if v, known := level.Level(); known {
					loud = int(v)
				}
			}
			w.write(frame, at.Sub(w.epoch), loud)
		}
		at = at.Add(lasts)
		timer.Reset(time.Until(at))
	}
}

func (w *show) write(frame []byte, at time.Duration, level int) {
	w.mu.Lock()
	to := make([]*outlet, 0, len(w.to))
	for out := range w.to {
		to = append(to, out)
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
