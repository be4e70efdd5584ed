package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// IVF: a 32-byte file header, then frames with a 12-byte header each, all little-endian.
const (
	ivfHeader = 32
	ivfFrame  = 12
	maxFrame  = 4 << 20 // bytes; a frame that claims more is refused
)

// ivf reads VP8 frames from an IVF file. It reads one frame ahead, because a frame lasts until the next one begins.
type ivf struct {
	r        io.Reader
	tick     float64 // seconds a unit of time
	buf, cur []byte
	at       uint64
	have     bool
	last     time.Duration
}

func newIVF(r io.Reader) (*ivf, error) {
	var h [ivfHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, fmt.Errorf("%w: ivf: %w", ErrFormat, err)
	}
	size := int(binary.LittleEndian.Uint16(h[6:]))
	rate, scale := binary.LittleEndian.Uint32(h[16:]), binary.LittleEndian.Uint32(h[20:])
	switch {
	case string(h[:4]) != "DKIF":
		return nil, fmt.Errorf("%w: not an ivf file", ErrFormat)
	case string(h[8:12]) != "VP80":
		return nil, fmt.Errorf("%w: ivf holds %q, want VP80", ErrFormat, h[8:12])
	case size < ivfHeader || rate == 0 || scale == 0:
		return nil, fmt.Errorf("%w: ivf header", ErrFormat)
	}
	if _, err := io.CopyN(io.Discard, r, int64(size-ivfHeader)); err != nil {
		return nil, fmt.Errorf("%w: ivf: %w", ErrFormat, err)
	}
	return &ivf{r: r, tick: float64(scale) / float64(rate), last: time.Second / 30}, nil
}

func (v *ivf) next() (frame, error) {
	if !v.have {
		if err := v.ahead(); err != nil {
			return frame{}, err
		}
	}
	v.cur, v.buf = v.buf, v.cur
	began := v.at
	v.have = false
	switch err := v.ahead(); {
	case err == nil:
		lasts := time.Duration(float64(v.at-began) * v.tick * float64(time.Second))
		if v.at > began && lasts <= time.Minute {
			v.last = lasts
		}
	case !errors.Is(err, io.EOF):
		return frame{}, err
	}
	return frame{data: v.cur, lasts: v.last, key: v.cur[0]&1 == 0}, nil
}

// ahead reads one frame into buf.
func (v *ivf) ahead() error {
	var h [ivfFrame]byte
	if _, err := io.ReadFull(v.r, h[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("%w: ivf frame: %w", ErrFormat, err)
	}
	n := binary.LittleEndian.Uint32(h[:])
	if n == 0 || n > maxFrame {
		return fmt.Errorf("%w: ivf frame of %d bytes", ErrFormat, n)
	}
	if uint32(cap(v.buf)) < n {
		v.buf = make([]byte, n)
	}
	v.buf = v.buf[:n]
	if _, err := io.ReadFull(v.r, v.buf); err != nil {
		return fmt.Errorf("%w: ivf frame: %w", ErrFormat, err)
	}
	v.at, v.have = binary.LittleEndian.Uint64(h[4:]), true
	return nil
}
