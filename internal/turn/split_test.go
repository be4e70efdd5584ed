package turn

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pion/stun/v4"
)

// cut feeds a stream to a Splitter in pieces of the given sizes, again and again, and returns copies of the frames.
func cut(stream []byte, sizes ...int) (frames [][]byte, err error) {
	var s Splitter
	for i := 0; len(stream) > 0; i++ {
		space := s.Space()
		n := copy(space[:min(len(space), max(1, sizes[i%len(sizes)]))], stream)
		s.Wrote(n)
		stream = stream[n:]
		for {
			f, err := s.Next()
			if err != nil {
				return frames, err
			}
			if f == nil {
				break
			}
			frames = append(frames, bytes.Clone(f))
		}
	}
	return frames, nil
}

func TestSplitter(t *testing.T) {
	message := build(stun.BindingRequest, [12]byte{1}, attr{0xabcd, []byte("1234")}).Raw
	padded := append(frame(0x4001, "abc"), 0)
	stream := bytes.Join([][]byte{message, padded, frame(0x4002, ""), frame(0x4003, "abcd"), message}, nil)
	want := [][]byte{message, frame(0x4001, "abc"), frame(0x4002, ""), frame(0x4003, "abcd"), message}
	for _, size := range []int{1, 2, 3, 5, 7, 100, 4000} {
		got, err := cut(stream, size)
		if err != nil || len(got) != len(want) {
			t.Fatalf("pieces of %d: %d frames, %v", size, len(got), err)
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("pieces of %d: frame %d is %x, want %x", size, i, got[i], want[i])
			}
		}
	}
}

func TestSplitterRefuses(t *testing.T) {
	for name, stream := range map[string][]byte{
		"http":             []byte("GET / HTTP/1.1"),
		"tls":              {0x16},
		"wrong cookie":     {0, 1, 0, 0, 1, 2, 3, 4},
		"odd length":       {0, 1, 0, 3},
		"reserved channel": {0x50, 0, 0, 0},
		"too long":         {0x40, 0, 0xff, 0xff},
		"message too long": {0, 1, 0xff, 0xfc},
	} {
		if frames, err := cut(stream, 1); !errors.Is(err, ErrMalformed) || len(frames) != 0 {
			t.Errorf("%s: %v, %d frames", name, err, len(frames))
		}
	}
}

// TestSplitterMemory: a claimed length takes no memory before the bytes are there.
func TestSplitterMemory(t *testing.T) {
	var s Splitter
	n := copy(s.Space(), []byte{0x40, 0, 0x3f, 0x00})
	s.Wrote(n)
	if f, err := s.Next(); f != nil || err != nil {
		t.Fatal(f, err)
	}
	if s.Space(); len(s.buf) > 2048 {
		t.Errorf("%d bytes for a header", len(s.buf))
	}
	longest := frame(0x4000, string(make([]byte, MaxFrame-4)))
	if got, err := cut(longest, 1000); err != nil || len(got) != 1 {
		t.Errorf("the longest frame: %d, %v", len(got), err)
	}
}

// FuzzSplitter: how a stream is cut does not depend on how it arrives, and frames are what an engine takes.
func FuzzSplitter(f *testing.F) {
	f.Add(append(build(stun.BindingRequest, [12]byte{1}).Raw, frame(0x4000, "abcd")...), 3)
	f.Add([]byte{0x40, 0, 0, 1, 'x', 0, 0, 0, 0x40, 0, 0, 0}, 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		size = 1 + (size&0x7fff)%5000
		whole, err1 := cut(stream, len(stream)+1)
		pieces, err2 := cut(stream, size)
		if !errors.Is(err1, err2) || len(whole) != len(pieces) {
			t.Fatalf("whole: %d, %v; pieces of %d: %d, %v", len(whole), err1, size, len(pieces), err2)
		}
		total := 0
		for i, frame := range whole {
			if !bytes.Equal(frame, pieces[i]) {
				t.Fatalf("frame %d: %x, %x", i, frame, pieces[i])
			}
			total += len(frame)
			l := newLab(t, Config{})
			if err := l.packet(Client{Stream: 1}, frame); err != nil && frame[0] >= 4 {
				t.Fatalf("frame %x: %v", frame, err)
			}
		}
		if total > len(stream) {
			t.Fatalf("%d bytes of frames from %d", total, len(stream))
		}
	})
}
