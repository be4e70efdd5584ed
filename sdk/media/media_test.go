package media

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

func TestEmbedded(t *testing.T) {
	if len(tone) > 10_000 || len(pattern) > 150_000 {
		t.Errorf("tone %d bytes, pattern %d bytes: want at most 10 kB and 150 kB", len(tone), len(pattern))
	}
	for _, tt := range []struct {
		clip  *Clip
		codec string
		lasts time.Duration
	}{{Tone(), Opus, 20 * time.Millisecond}, {Pattern(), VP8, time.Second / 15}} {
		for i := range 300 { // over the end of both loops
			b, lasts, err := tt.clip.Next()
			if err != nil || len(b) == 0 {
				t.Fatalf("%s frame %d: %d bytes, %v", tt.codec, i, len(b), err)
			}
			if d := lasts - tt.lasts; d.Abs() > time.Microsecond {
				t.Fatalf("%s frame %d lasts %v, want %v", tt.codec, i, lasts, tt.lasts)
			}
		}
		if tt.clip.Codec() != tt.codec || tt.clip.Audio() != (tt.codec == Opus) {
			t.Errorf("codec %s, audio %v", tt.clip.Codec(), tt.clip.Audio())
		}
		if err := tt.clip.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRefreshJumpsToKeyFrame(t *testing.T) {
	c := Pattern()
	for i := range 50 {
		for range i % 17 {
			if _, _, err := c.Next(); err != nil {
				t.Fatal(err)
			}
		}
		c.Refresh()
		b, _, err := c.Next()
		if err != nil || b[0]&1 != 0 {
			t.Fatalf("round %d: not a key frame, %v", i, err)
		}
	}
}

func TestOpenEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tone.ogg")
	if err := os.WriteFile(path, tone, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Open(path, false)
	if err != nil {
		t.Fatal(err)
	}
	var total time.Duration
	for {
		_, lasts, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		total += lasts
	}
	if total < 2200*time.Millisecond || total > 2300*time.Millisecond {
		t.Errorf("a tone of 2.2 s lasts %v", total)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty":     nil,
		"text":      []byte("hello, world"),
		"cut ogg":   tone[:40],
		"cut ivf":   pattern[:20],
		"h264 ivf":  bytes.Replace(pattern[:64], []byte("VP80"), []byte("H264"), 1),
		"ogg audio": bytes.Replace(tone[:200], []byte("OpusHead"), []byte("\x01vorbis."), 1),
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, true); err == nil {
			t.Errorf("%s: opened", name)
		} else if name != "empty" && !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v does not wrap ErrFormat", name, err)
		}
	}
}

// packets turns n frames of clip into RTP packets.
func packets(t *testing.T, clip *Clip, n int, ssrc uint32) (out []*rtp.Packet) {
	t.Helper()
	var payloader rtp.Payloader = &codecs.OpusPayloader{}
	clock := uint32(opusClock)
	if !clip.Audio() {
		payloader, clock = &codecs.VP8Payloader{EnablePictureID: true}, videoClock
	}
	p := rtp.NewPacketizer(1200, 96, ssrc, payloader, rtp.NewFixedSequencer(65500), clock)
	for range n {
		b, lasts, err := clip.Next()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Packetize(bytes.Clone(b), uint32(lasts.Seconds()*float64(clock)+0.5))...)
	}
	return out
}

func record(t *testing.T, codec string, ps []*rtp.Packet) (*Clip, int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rec")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRecorder(codec, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		if err := r.WriteRTP(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	c, err := Open(path, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	n := 0
	for ; ; n++ {
		if _, _, err := c.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := c.rewind(); err != nil {
		t.Fatal(err)
	}
	return c, n
}

func TestRecordRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, make := range []func() *Clip{Tone, Pattern} {
		src := make()
		ps := packets(t, make(), 130, 7)
		for i := 3; i+4 < len(ps); i += 4 { // out of order, and some twice
			j := i + rng.IntN(4)
			ps[i], ps[j] = ps[j], ps[i]
		}
		ps = append(ps, ps[40])
		got, n := record(t, src.Codec(), ps)
		if n != 130 {
			t.Fatalf("%s: recorded %d frames of 130", src.Codec(), n)
		}
		for i := range n {
			a, _, _ := src.Next()
			b, _, err := got.Next()
			if err != nil || !bytes.Equal(a, b) {
				t.Fatalf("%s: frame %d differs, %v", src.Codec(), i, err)
			}
		}
	}
}

func TestRecordKeepsTimeOverSilence(t *testing.T) {
	ps := packets(t, Tone(), 20, 7)
	for _, p := range ps[10:] {
		p.Timestamp += 10 * opusClock // muted for 10 s
	}
	if _, n := record(t, Opus, ps); n != 20+500 {
		t.Errorf("recorded %d frames of 20 ms, want 520", n)
	}
}

func TestRecordLeavesOutBrokenVideo(t *testing.T) {
	ps := packets(t, Pattern(), 60, 7)
	// Lose a packet of the 20th frame: everything up to the key frame at 30 is undecodable.
	frames, at := 0, 0
	for i, p := range ps {
		if p.Marker {
			if frames++; frames == 20 {
				at = i
				break
			}
		}
	}
	ps = append(ps[:at], ps[at+1:]...)
	if _, n := record(t, VP8, ps); n != 60-11 {
		t.Errorf("recorded %d frames, want 49", n)
	}
}

func TestRecordNewSender(t *testing.T) {
	ps := append(packets(t, Pattern(), 20, 7), packets(t, Pattern(), 20, 8)...)
	if _, n := record(t, VP8, ps); n != 40 {
		t.Errorf("recorded %d frames, want 40", n)
	}
	if _, err := NewRecorder("video/H264", io.Discard); err == nil {
		t.Error("a recorder for H264")
	}
}

func TestOpusDuration(t *testing.T) {
	for _, tt := range []struct {
		packet []byte
		want   time.Duration
	}{
		{nil, 0},
		{[]byte{0xfc}, 20 * time.Millisecond},
		{[]byte{0xe0}, 2500 * time.Microsecond},
		{[]byte{0x18}, 60 * time.Millisecond},
		{[]byte{0x19}, 120 * time.Millisecond},
		{[]byte{0x1b, 0x03}, 0}, // 180 ms is over the limit
		{[]byte{0xff}, 0},
		{[]byte{0xff, 0x06}, 120 * time.Millisecond},
		{[]byte{0x68}, 20 * time.Millisecond},
	} {
		if got := OpusDuration(tt.packet); got != tt.want {
			t.Errorf("% x lasts %v, want %v", tt.packet, got, tt.want)
		}
	}
}

// FuzzClip reads any bytes as a file: it ends, and no frame is larger than its limit.
func FuzzClip(f *testing.F) {
	f.Add(tone[:2000], true)
	f.Add(pattern[:8000], false)
	f.Fuzz(func(t *testing.T, b []byte, opus bool) {
		codec := VP8
		if opus {
			codec = Opus
		}
		c, err := newClip(bytes.NewReader(b), codec, true)
		if err != nil {
			return
		}
		for i := range 2000 {
			frame, lasts, err := c.Next()
			if err != nil {
				return
			}
			if len(frame) == 0 || len(frame) > maxFrame || lasts <= 0 || lasts > time.Minute {
				t.Fatalf("frame of %d bytes lasts %v", len(frame), lasts)
			}
			if i%100 == 99 {
				c.Refresh()
			}
		}
	})
}

// FuzzRecorder feeds any packets: no error, no panic, bounded holding.
func FuzzRecorder(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnop"), true)
	f.Add([]byte{0, 1, 0x10, 0x9d, 0x01, 0x2a, 0, 0}, false)
	f.Fuzz(func(t *testing.T, b []byte, opus bool) {
		codec := VP8
		if opus {
			codec = Opus
		}
		r, err := NewRecorder(codec, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for len(b) > 3 {
			n := min(int(b[0])%24, len(b)-3)
			p := &rtp.Packet{Header: rtp.Header{
				Marker: b[1]&1 != 0, SSRC: uint32(b[1] >> 7), SequenceNumber: uint16(b[2]) * 3, Timestamp: uint32(b[2]) << 8,
			}, Payload: b[3 : 3+n]}
			if err := r.WriteRTP(p); err != nil {
				t.Fatal(err)
			}
			if len(r.order.held) > depth+1 {
				t.Fatalf("%d packets held", len(r.order.held))
			}
			b = b[3+n:]
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
