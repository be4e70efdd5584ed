// Package media holds encoded media for programs that join rooms without a camera: a tone, a test pattern, files, and
// the recorder that writes what was received. It encodes nothing; frames pass through as they are.
//
// A Clip is owned by one goroutine. A frame returned by Next is valid until the next call of Next.
package media

import (
	"bytes"
	_ "embed" // the two loops
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// The codecs this package reads and writes, as RTP media types (RFC 7587, RFC 7741).
const (
	Opus = "audio/opus"
	VP8  = "video/VP8"
)

//go:embed tone.ogg
var tone []byte

//go:embed pattern.ivf
var pattern []byte

// ErrFormat is wrapped by every error about a file that is not what this package reads.
var ErrFormat = errors.New("not a readable media file")

// frames reads the frames of one container. The bytes are valid until the next call.
type frames interface {
	next() (frame, error)
}

// frame is one encoded frame.
type frame struct {
	data  []byte
	lasts time.Duration
	key   bool // decodable without the frames before it
}

// Clip is a source of encoded frames, from a file or embedded, that can start over at its end.
type Clip struct {
	codec  string
	loop   bool
	file   io.ReadSeeker
	read   frames
	skip   bool  // until the next key frame
	any    bool  // a frame was returned since the start of the file
	level  uint8 // -dBov, 0 when unknown
	from   int   // the frame to begin with
	until  int   // the frame to end before; 0 is the end of the file
	at     int   // how many frames of the file were read
	closer io.Closer
}

const (
	// toneLevel is the loudness of the embedded tone in -dBov.
	toneLevel = 27
	// The tone is played from the middle of its file, away from the encoder's fade at either end: 100 frames of 20 ms
	// hold 880 whole periods, so the seam cannot be heard.
	toneFrom, toneUntil = 5, 105
)

// Tone returns an endless 440 Hz tone (Opus, 20 ms frames).
func Tone() *Clip {
	c := &Clip{codec: Opus, loop: true, file: bytes.NewReader(tone), level: toneLevel, from: toneFrom, until: toneUntil}
	if err := c.rewind(); err != nil {
		panic("media: the embedded tone is broken: " + err.Error())
	}
	return c
}

// Pattern returns an endless moving test pattern with a frame counter (VP8, 320x180, 15 frames/s).
func Pattern() *Clip {
	c, err := newClip(bytes.NewReader(pattern), VP8, true)
	if err != nil {
		panic("media: the embedded pattern is broken: " + err.Error())
	}
	return c
}

// Open reads the file at path: Opus in Ogg (.ogg, .opus) or VP8 in IVF (.ivf), told apart by their first bytes. With
// loop it starts over at its end. It reads as it plays and keeps one frame in memory. Close it, or give it to a room
// that does.
func Open(path string, loop bool) (*Clip, error) {
	f, err := os.Open(path) // the path is what the caller asked for
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	var magic [4]byte
	if _, err = io.ReadFull(f, magic[:]); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	codec := ""
	switch string(magic[:]) {
	case "OggS":
		codec = Opus
	case "DKIF":
		codec = VP8
	default:
		err = fmt.Errorf("%w: neither Ogg nor IVF", ErrFormat)
	}
	var c *Clip
	if err == nil {
		c, err = newClip(f, codec, loop)
	}
	if err != nil {
		_ = f.Close() // only read
		return nil, fmt.Errorf("media: %s: %w", path, err)
	}
	c.closer = f
	return c, nil
}

func newClip(r io.ReadSeeker, codec string, loop bool) (*Clip, error) {
	c := &Clip{codec: codec, loop: loop, file: r}
	return c, c.rewind()
}

// rewind starts the container over.
func (c *Clip) rewind() error {
	if _, err := c.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var err error
	if c.codec == Opus {
		c.read, err = newOgg(c.file)
	} else {
		c.read, err = newIVF(c.file)
	}
	c.any, c.at = false, 0
	for err == nil && c.at < c.from {
		_, err = c.step()
	}
	return err
}

// step reads one frame, up to the place where the clip ends.
func (c *Clip) step() (frame, error) {
	if c.until > 0 && c.at >= c.until {
		return frame{}, io.EOF
	}
	c.at++
	return c.read.next()
}

// Codec returns the media type of the frames: Opus or VP8.
func (c *Clip) Codec() string { return c.codec }

// Audio reports whether the frames are sound.
func (c *Clip) Audio() bool { return strings.HasPrefix(c.codec, "audio/") }

// Refresh makes the next frame one that can be decoded by itself, as an answer to a picture loss indication
// (RFC 4585 §6.3.1). The frames between are left out. It does nothing for sound.
func (c *Clip) Refresh() { c.skip = true }

// Next returns the next frame and how long it lasts. It returns io.EOF at the end of a clip that does not loop.
func (c *Clip) Next() ([]byte, time.Duration, error) {
	for {
		f, err := c.step()
		if errors.Is(err, io.EOF) && c.loop && c.any {
			if err = c.rewind(); err == nil {
				c.skip = false // the beginning decodes; and a file without key frames must not spin
				continue
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil, 0, io.EOF
			}
			return nil, 0, fmt.Errorf("media: %w", err)
		}
		c.any = true
		if c.skip && !f.key {
			continue
		}
		c.skip = false
		return f.data, f.lasts, nil
	}
}

// Close closes the file.
func (c *Clip) Close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

// Level returns how loud the clip is in -dBov (RFC 6464). It is known of the tone only.
func (c *Clip) Level() (level uint8, known bool) { return c.level, c.level != 0 }
