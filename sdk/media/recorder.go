package media

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"
)

const (
	opusClock  = 48000 // RFC 7587 §4.1
	videoClock = 90000 // RFC 7741 §4.1
	// maxGap is the longest silence that is written out, in samples. Anything longer is a sender that began anew.
	maxGap = 3600 * opusClock
)

// Recorder writes the RTP packets of one track to a file: Opus into Ogg, VP8 into IVF. Packets may come out of order
// and doubled. A pause in the sound is written as silence, so that the recording keeps time; video keeps its
// timestamps and leaves out what cannot be decoded. It is owned by one goroutine.
type Recorder struct {
	order reorder
	into  writer
}

// writer takes packets in order; lost says that some before this one are missing.
type writer interface {
	write(p *rtp.Packet, lost bool) error
	close() error
}

// NewRecorder returns a Recorder of codec (Opus or VP8, in any case) that writes to w. When w can seek, the headers are
// completed on Close. Close does not close w.
func NewRecorder(codec string, w io.Writer) (*Recorder, error) {
	switch Extension(codec) {
	case ".ogg":
		// The writer closes what can be closed; w is the caller's.
		o, err := oggwriter.NewWith(struct{ io.Writer }{w}, opusClock, 2)
		if err != nil {
			return nil, fmt.Errorf("media: %w", err)
		}
		return &Recorder{into: &oggOut{w: o}}, nil
	case ".ivf":
		return &Recorder{into: &ivfOut{w: w}}, nil
	}
	return nil, fmt.Errorf("media: cannot record %q", codec)
}

// Extension returns the file name extension for recordings of codec with its dot, "" when it cannot be recorded.
func Extension(codec string) string {
	switch {
	case strings.EqualFold(codec, Opus):
		return ".ogg"
	case strings.EqualFold(codec, VP8):
		return ".ivf"
	}
	return ""
}

// WriteRTP records one packet and keeps it for a while: it must not be changed afterwards.
func (r *Recorder) WriteRTP(p *rtp.Packet) error {
	return r.write(r.order.push(p))
}

func (r *Recorder) write(ready []ordered) error {
	for _, p := range ready {
		if err := r.into.write(p.Packet, p.lost); err != nil {
			return fmt.Errorf("media: record: %w", err)
		}
	}
	return nil
}

// Close writes what was held back and completes the file.
func (r *Recorder) Close() error {
	if err := r.write(r.order.flush()); err != nil {
		return err
	}
	if err := r.into.close(); err != nil {
		return fmt.Errorf("media: record: %w", err)
	}
	return nil
}

// oggOut writes Opus into Ogg.
type oggOut struct {
	w       *oggwriter.OggWriter
	started bool
	ssrc    uint32
	next    uint32 // the timestamp that the next packet should have
}

func (o *oggOut) write(p *rtp.Packet, _ bool) error {
	d := OpusDuration(p.Payload)
	if d == 0 {
		return nil // padding, or not Opus
	}
	const step = opusClock / 50
	if o.started && p.SSRC == o.ssrc {
		if gap := p.Timestamp - o.next; gap < maxGap {
			for ; gap >= step; gap -= step {
				// One CELT frame of 20 ms of silence.
				if err := o.w.WriteRTP(&rtp.Packet{Payload: []byte{0xf8, 0xff, 0xfe}}); err != nil {
					return err
				}
			}
		}
	}
	o.started, o.ssrc = true, p.SSRC
	o.next = p.Timestamp + uint32(d.Seconds()*opusClock+0.5)
	return o.w.WriteRTP(&rtp.Packet{Payload: p.Payload})
}

func (o *oggOut) close() error { return o.w.Close() }

// ivfOut writes VP8 into IVF.
type ivfOut struct {
	w       io.Writer
	frame   []byte
	broken  bool // the frame, or one it builds on, is not whole
	started bool
	ssrc    uint32
	first   uint32 // timestamp of the first frame
	base    uint64 // what to add after the sender began anew
	last    uint64
	count   uint32
}

func (v *ivfOut) write(p *rtp.Packet, lost bool) error {
	if lost {
		v.broken = true
	}
	var part codecs.VP8Packet
	if _, err := part.Unmarshal(p.Payload); err != nil || len(part.Payload) == 0 {
		return nil // padding, or not VP8: there is nothing to record
	}
	if part.S == 1 && part.PID == 0 {
		v.frame = v.frame[:0]
		if key := part.Payload[0]&1 == 0; key {
			v.broken = false
		}
	}
	if len(v.frame)+len(part.Payload) > maxFrame {
		v.broken = true
	}
	if v.broken {
		return nil
	}
	v.frame = append(v.frame, part.Payload...)
	if !p.Marker {
		return nil
	}
	return v.flush(p)
}

// flush writes the frame that packet p completed.
func (v *ivfOut) flush(p *rtp.Packet) error {
	if len(v.frame) == 0 {
		return nil
	}
	if !v.started {
		if v.frame[0]&1 != 0 || len(v.frame) < 10 {
			return nil // nothing decodes before the first key frame
		}
		if err := v.header(); err != nil {
			return err
		}
		v.started, v.ssrc, v.first = true, p.SSRC, p.Timestamp
	}
	if p.SSRC != v.ssrc {
		v.ssrc, v.first, v.base = p.SSRC, p.Timestamp, v.last+videoClock/30
	}
	v.last = v.base + uint64(p.Timestamp-v.first)
	h := binary.LittleEndian.AppendUint32(nil, uint32(len(v.frame))) // under maxFrame
	h = binary.LittleEndian.AppendUint64(h, v.last)
	if _, err := v.w.Write(h); err != nil {
		return err
	}
	_, err := v.w.Write(v.frame)
	v.frame = v.frame[:0]
	v.count++
	return err
}

// header writes the file header; the size of the picture comes from the key frame (RFC 6386 §9.1).
func (v *ivfOut) header() error {
	h := make([]byte, ivfHeader)
	copy(h, "DKIF")
	binary.LittleEndian.PutUint16(h[6:], ivfHeader)
	copy(h[8:], "VP80")
	binary.LittleEndian.PutUint16(h[12:], binary.LittleEndian.Uint16(v.frame[6:])&0x3fff)
	binary.LittleEndian.PutUint16(h[14:], binary.LittleEndian.Uint16(v.frame[8:])&0x3fff)
	binary.LittleEndian.PutUint32(h[16:], videoClock)
	binary.LittleEndian.PutUint32(h[20:], 1)
	_, err := v.w.Write(h)
	return err
}

func (v *ivfOut) close() error {
	s, ok := v.w.(io.WriteSeeker)
	if !ok || !v.started {
		return nil
	}
	if _, err := s.Seek(24, io.SeekStart); err != nil {
		return err
	}
	if _, err := s.Write(binary.LittleEndian.AppendUint32(nil, v.count)); err != nil {
		return err
	}
	_, err := s.Seek(0, io.SeekEnd)
	return err
}
