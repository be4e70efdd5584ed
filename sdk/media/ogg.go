package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// An Ogg page (RFC 3533 §6) has a header of 27 bytes, a table of up to 255 segment lengths, and the segments. A packet
// is a run of segments that ends with one shorter than 255 bytes.
const (
	oggHeader = 27
	maxPacket = 61440 // RFC 7845 §6: the largest useful Opus packet with one stream
)

// ogg reads the Opus packets of an Ogg file with one stream (RFC 7845).
type ogg struct {
	r        io.Reader
	segments []byte // lengths still to read on this page
	table    [255]byte
	packet   []byte
	serial   uint32
	started  bool
}

func newOgg(r io.Reader) (*ogg, error) {
	o := &ogg{r: r}
	head, err := o.read()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: ogg: %w", ErrFormat, err)
	case len(head) < 19 || string(head[:8]) != "OpusHead":
		return nil, fmt.Errorf("%w: ogg does not begin with Opus", ErrFormat)
	case head[9] < 1 || head[9] > 2 || head[18] != 0:
		return nil, fmt.Errorf("%w: ogg: Opus with %d channels, want 1 or 2", ErrFormat, head[9])
	}
	tags, err := o.read()
	if err != nil {
		return nil, fmt.Errorf("%w: ogg: %w", ErrFormat, err)
	}
	if len(tags) < 8 || string(tags[:8]) != "OpusTags" {
		return nil, fmt.Errorf("%w: ogg: no Opus tags", ErrFormat)
	}
	return o, nil
}

func (o *ogg) next() (frame, error) {
	for {
		b, err := o.read()
		if err != nil {
			return frame{}, err
		}
		// A packet without a duration is not Opus (RFC 6716 §3.4); players skip it, and so do we.
		if d := OpusDuration(b); d > 0 {
			return frame{data: b, lasts: d, key: true}, nil
		}
	}
}

// read returns the next packet. A packet that is larger than any Opus packet is an error; tags may carry pictures and
// are cut instead.
func (o *ogg) read() ([]byte, error) {
	o.packet = o.packet[:0]
	for {
		if len(o.segments) == 0 {
			if err := o.page(); err != nil {
				return nil, err
			}
			continue
		}
		n := int(o.segments[0])
		o.segments = o.segments[1:]
		at := len(o.packet)
		if at+n > maxPacket {
			if at >= 8 && string(o.packet[:8]) == "OpusTags" {
				at = 8
			} else {
				return nil, fmt.Errorf("%w: ogg packet over %d bytes", ErrFormat, maxPacket)
			}
		}
		if cap(o.packet) < at+n {
			grown := make([]byte, at, max(2*cap(o.packet), at+n))
			copy(grown, o.packet)
			o.packet = grown
		}
		o.packet = o.packet[:at+n]
		if _, err := io.ReadFull(o.r, o.packet[at:]); err != nil {
			return nil, fmt.Errorf("%w: ogg page: %w", ErrFormat, errShort(err))
		}
		if n < 255 {
			return o.packet, nil
		}
	}
}

// page reads the header of the next page of our stream; pages of other streams are passed over.
func (o *ogg) page() error {
	for {
		var h [oggHeader]byte
		if _, err := io.ReadFull(o.r, h[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return io.EOF
			}
			return fmt.Errorf("%w: ogg page: %w", ErrFormat, err)
		}
		if string(h[:4]) != "OggS" || h[4] != 0 {
			return fmt.Errorf("%w: no ogg page where one should begin", ErrFormat)
		}
		table := o.table[:h[26]]
		if _, err := io.ReadFull(o.r, table); err != nil {
			return fmt.Errorf("%w: ogg page: %w", ErrFormat, errShort(err))
		}
		serial := binary.LittleEndian.Uint32(h[14:])
		if !o.started {
			o.started, o.serial = true, serial
		}
		if serial == o.serial {
			o.segments = table
			return nil
		}
		var n int64
		for _, l := range table {
			n += int64(l)
		}
		if _, err := io.CopyN(io.Discard, o.r, n); err != nil {
			return fmt.Errorf("%w: ogg page: %w", ErrFormat, errShort(err))
		}
	}
}

// errShort turns the end of a file in the middle of something into what it is.
func errShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// OpusDuration returns how long an Opus packet lasts (RFC 6716 §3.1, §3.2), 0 when it is not one.
func OpusDuration(packet []byte) time.Duration {
	if len(packet) == 0 {
		return 0
	}
	config := packet[0] >> 3
	var one time.Duration
	switch {
	case config < 12: // SILK
		one = []time.Duration{10, 20, 40, 60}[config&3] * time.Millisecond
	case config < 16: // hybrid
		one = []time.Duration{10, 20}[config&1] * time.Millisecond
	default: // CELT
		one = 2500 * time.Microsecond << (config & 3)
	}
	count := time.Duration(1)
	switch packet[0] & 3 {
	case 1, 2:
		count = 2
	case 3:
		if len(packet) < 2 {
			return 0
		}
		count = time.Duration(packet[1] & 0x3f)
	}
	if d := one * count; d <= 120*time.Millisecond {
		return d
	}
	return 0
}
