package sframe

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	keyFrame = []byte{0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x40, 1, 0xf0, 0, 7, 7, 7, 7}
	delta    = []byte{0x11, 2, 0, 5, 6, 7, 8}
	sound    = []byte{0x78, 1, 2, 3}
	start    = time.Unix(1_000_000, 0)
)

func base(n byte) []byte { return bytes.Repeat([]byte{n}, KeySize) }

// pair is a sender and a receiver who has their key.
func pair(t testing.TB) (sender, receiver *Frames) {
	sender, receiver = &Frames{}, &Frames{}
	if err := errors.Join(sender.Use(17, base(1)), receiver.Add(start, "ann", 17, base(1))); err != nil {
		t.Fatal(err)
	}
	return sender, receiver
}

func sealed(t testing.TB, f *Frames, kind Kind, frame []byte) []byte {
	b, ok := f.Seal(nil, kind, frame)
	if !ok {
		t.Fatal("not sealed")
	}
	return b
}

func TestWhatStaysLegible(t *testing.T) {
	for _, tt := range []struct {
		name  string
		kind  Kind
		frame []byte
		clear int
	}{
		{"a key frame", Video, keyFrame, 10},
		{"another frame", Video, delta, 3},
		{"a key frame that ends with its head", Video, keyFrame[:10], 10},
		{"sound", Audio, sound, 0},
		{"silence", Audio, nil, 0},
		{"data", Data, sound, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sender, receiver := pair(t)
			b := sealed(t, sender, tt.kind, tt.frame)
			if n := ClearSize(tt.kind, tt.frame); n != tt.clear || !bytes.Equal(b[:n], tt.frame[:n]) {
				t.Errorf("%d bytes are legible of %x", n, b)
			}
			if rest := tt.frame[tt.clear:]; len(rest) > 3 && bytes.Contains(b, rest) {
				t.Errorf("%x is legible", rest)
			}
			got, whose, err := receiver.Open(Anybody, tt.kind, 1, b)
			if err != nil || whose != "ann" || !bytes.Equal(got, tt.frame) {
				t.Errorf("%x of %q, %v", got, whose, err)
			}
		})
	}
}

func TestWhatIsNotLetThrough(t *testing.T) {
	sender, receiver := pair(t)
	one := sealed(t, sender, Audio, sound)
	open := func(name string, section int, b []byte) error {
		_, _, err := receiver.Open(name, Audio, section, bytes.Clone(b))
		return err
	}
	forged := bytes.Clone(one)
	forged[len(forged)-1] ^= 1
	for _, tt := range []struct {
		name    string
		owner   string
		section int
		b       []byte
		want    error
	}{
		{"in the clear", "ann", 1, sound, ErrMalformed},
		{"of somebody without a key", "bob", 1, one, ErrNoKey},
		{"forged", "ann", 1, forged, ErrForged},
		{"the first time", "ann", 1, one, nil},
		{"again", "ann", 1, one, ErrReplayed},
		{"in another section", "ann", 2, one, nil},
	} {
		if err := open(tt.owner, tt.section, tt.b); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	receiver.Forget("ann")
	if err := open("ann", 3, one); !errors.Is(err, ErrNoKey) {
		t.Errorf("of somebody forgotten: %v", err)
	}
	if _, ok := sender.Seal(nil, Video, keyFrame[:9]); ok {
		t.Error("what is no frame of VP8 is sealed")
	}
	sender.Stop()
	if _, ok := sender.Seal(nil, Audio, sound); ok {
		t.Error("it is sealed without a key")
	}
}

// TestKeysGrowOld: a key that was replaced opens what was under way for 10 s, and eight are kept at most.
func TestKeysGrowOld(t *testing.T) {
	sender, receiver := pair(t)
	old := sealed(t, sender, Audio, sound)
	_ = receiver.Add(start.Add(time.Minute), "ann", 18, base(2))
	for _, tt := range []struct {
		at   time.Duration
		want error
	}{{time.Minute + Overlap, nil}, {time.Minute + Overlap + 1, ErrNoKey}} {
		receiver.Expire(start.Add(tt.at))
		if _, _, err := receiver.Open("ann", Audio, 1, bytes.Clone(old)); !errors.Is(err, tt.want) {
			t.Errorf("after %v: %v, want %v", tt.at, err, tt.want)
		}
	}
	sender, receiver = pair(t)
	old = sealed(t, sender, Audio, sound)
	for i := range uint64(maxKeys) {
		_ = receiver.Add(start, "ann", 18+i, base(2))
	}
	if _, _, err := receiver.Open("ann", Audio, 1, old); !errors.Is(err, ErrNoKey) {
		t.Errorf("the ninth key: %v", err)
	}
}

// TestDataHaveKeysOfTheirOwn: of the same base, so that no nonce comes twice.
func TestDataHaveKeysOfTheirOwn(t *testing.T) {
	a, b := &Frames{}, &Frames{}
	_ = a.Use(17, base(1))
	_ = b.Use(DataKID(17), base(1))
	if x, y := sealed(t, a, Data, sound), sealed(t, b, Data, sound); bytes.Equal(x[len(x)-20:], y[len(y)-20:]) {
		t.Error("the same")
	}
}

func TestSeen(t *testing.T) {
	s := NewSeen(128)
	for _, tt := range []struct {
		n     uint64
		fresh bool
	}{{5, true}, {5, false}, {4, true}, {4, false}, {132, true}, {5, false}, {6, true}, {6, false}, {131, true}, {1000, true}, {132, false}, {873, true}, {872, false}, {999, true}, {1 << 60, true}, {1 << 60, false}} {
		fresh := s.Fresh(tt.n)
		if fresh != tt.fresh {
			t.Errorf("%d: fresh is %v", tt.n, fresh)
		}
		if fresh {
			s.Add(tt.n)
		}
	}
}

// TestFramesInPieces: whatever order packets come in, a frame comes out whole and once, and what is lost is forgotten.
func TestFramesInPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var a Assembly[int]
	var sequence uint16 = 65_500
	whole := 0
	for n := range uint32(3000) {
		size, lost := 1+random.IntN(12), random.IntN(4) == 0
		list := make([]Piece[int], size)
		for i := range list {
			list[i] = Piece[int]{Sequence: sequence, Timestamp: n * 3000, First: i == 0, Last: i == size-1, Value: i}
			sequence++
		}
		random.Shuffle(size, func(i, j int) { list[i], list[j] = list[j], list[i] })
		if lost {
			list = list[1:]
		}
		for i, p := range list {
			got := a.Take(p)
			if done := i == size-1; (got != nil) != done {
				t.Fatalf("frame %d: %d pieces after %d of %d", n, len(got), i+1, size)
			}
			for at, piece := range got {
				if piece.Value != at {
					t.Fatalf("piece %d is %d", at, piece.Value)
				}
			}
			if got != nil {
				whole++
			}
		}
	}
	if whole < 2000 || len(a.frames) > maxOpen || a.pieces > maxPieces {
		t.Errorf("%d whole, %d wait in %d pieces", whole, len(a.frames), a.pieces)
	}
}

func FuzzFrames(f *testing.F) {
	sender, _ := pair(f)
	f.Add(sealed(f, sender, Video, keyFrame))
	f.Add(sealed(f, sender, Video, delta))
	f.Fuzz(func(t *testing.T, b []byte) {
		sender, receiver := pair(t)
		for _, kind := range []Kind{Audio, Video} {
			genuine, ok := sender.Seal(nil, kind, b)
			opened, _, err := receiver.Open("ann", kind, 0, bytes.Clone(b))
			if err == nil && len(opened) > len(b)-TagSize {
				t.Errorf("%x is opened: %x", b, opened)
			}
			if !ok {
				continue
			}
			if opened, _, err := receiver.Open("ann", kind, 1, genuine); err != nil || !bytes.Equal(opened, b) {
				t.Errorf("%x becomes %x: %v", b, opened, err)
			}
		}
	})
}

func FuzzAssembly(f *testing.F) {
	f.Add([]byte{1, 1, 1, 2, 1, 0, 3, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		var a Assembly[struct{}]
		for ; len(b) >= 3; b = b[3:] {
			p := Piece[struct{}]{Sequence: uint16(b[0]), Timestamp: uint32(b[1]), First: b[2]&1 != 0, Last: b[2]&2 != 0}
			frame := a.Take(p)
			for i, x := range frame {
				if x.Sequence != frame[0].Sequence+uint16(i) || x.Timestamp != p.Timestamp {
					t.Fatalf("%+v", frame)
				}
			}
			if len(a.frames) > maxOpen || a.pieces > maxPieces {
				t.Fatal("more wait than may")
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	sender, _ := pair(b)
	frame, dst := make([]byte, 4000), make([]byte, 0, 5000)
	frame[0] = 1
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = sender.Seal(dst[:0], Video, frame)
	}
}
