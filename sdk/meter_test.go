package parley

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/parley-rtc/parley/sdk/media"
)

func TestMeterCounts(t *testing.T) {
	start := time.Unix(1000, 0)
	type step struct {
		seq  uint16
		ssrc uint32
		late time.Duration // against the pace of 20 ms
	}
	for _, tt := range []struct {
		name  string
		steps []step
		lost  int64
		quiet bool // no jitter
	}{
		{"in order over the wrap", []step{{65534, 1, 0}, {65535, 1, 0}, {0, 1, 0}, {1, 1, 0}}, 0, true},
		{"overtaken first", []step{{65535, 1, 0}, {65534, 1, 0}, {0, 1, 0}}, 0, false},
		{"one missing", []step{{10, 1, 0}, {12, 1, 0}}, 1, false},
		{"missing, then late", []step{{10, 1, 0}, {12, 1, 0}, {11, 1, 0}}, 0, false},
		{"doubled", []step{{10, 1, 0}, {10, 1, 0}}, -1, false},
		{"a new sender", []step{{10, 1, 0}, {12, 1, 0}, {500, 2, 0}, {501, 2, 0}}, 1, false},
		{"unsteady", []step{{1, 1, 0}, {2, 1, 8 * time.Millisecond}, {3, 1, 0}, {4, 1, 8 * time.Millisecond}}, 0, false},
	} {
		m := meter{clock: 48000}
		for i, st := range tt.steps {
			pace := time.Duration(i) * 20 * time.Millisecond
			p := &rtp.Packet{
				Header:  rtp.Header{SequenceNumber: st.seq, SSRC: st.ssrc, Timestamp: uint32(i * 960)},
				Payload: []byte{1, 2, 3},
			}
			m.packet(start.Add(pace+st.late), p)
		}
		got := m.total
		if n := uint64(len(tt.steps)); got.Packets != n || got.Bytes != 3*n || got.Frames != n || got.Lost != tt.lost {
			t.Errorf("%s: %+v, want %d lost", tt.name, got, tt.lost)
		}
		if tt.quiet && got.Jitter > time.Microsecond {
			t.Errorf("%s: jitter %v", tt.name, got.Jitter)
		}
		if tt.name == "unsteady" && (got.Jitter < 500*time.Microsecond || got.Jitter > 3*time.Millisecond) {
			t.Errorf("%s: jitter %v, want about 1.4 ms", tt.name, got.Jitter)
		}
	}
}

func TestMeterLevel(t *testing.T) {
	m := meter{clock: 48000, levelID: 3}
	p := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{1}}
	if err := p.SetExtension(3, []byte{0x80 | 27}); err != nil {
		t.Fatal(err)
	}
	m.packet(time.Unix(1000, 0), p)
	if !m.total.Leveled || m.total.Level != -27 {
		t.Errorf("level %v (%v), want -27", m.total.Level, m.total.Leveled)
	}
}

func TestRate(t *testing.T) {
	before := Received{Packets: 100, Bytes: 1000, Lost: 1, Frames: 50}
	after := Received{Packets: 190, Bytes: 3000, Lost: 11, Frames: 80}
	got := after.Since(before, 2*time.Second)
	if want := (Rate{Bps: 8000, PacketsPerSecond: 45, FramesPerSecond: 15, LostPercent: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := before.Since(after, time.Second); got != (Rate{}) {
		t.Errorf("a counter that went back: %+v", got)
	}
	if got := after.Since(before, 0); got != (Rate{}) {
		t.Errorf("no interval: %+v", got)
	}
}

func TestEarKnowsTheTone(t *testing.T) {
	e, err := newEar()
	if err != nil {
		t.Fatal(err)
	}
	clip := media.Tone()
	for i := range 250 { // over the seams of the loop
		b, _, err := clip.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := e.hear(b); err != nil {
			t.Fatal(err)
		}
		if i > 10 && !e.tone {
			t.Fatalf("packet %d: no tone, level %.1f", i, e.level)
		}
	}
	if got, known := clip.Level(); !known || math.Abs(-e.level-float64(got)) > 2 {
		t.Errorf("the tone says -%v dBov (%v), heard %.1f", got, known, e.level)
	}
	for range 50 {
		if err := e.hear([]byte{0xf8, 0xff, 0xfe}); err != nil {
			t.Fatal(err)
		}
	}
	if e.tone || e.level > -60 {
		t.Errorf("silence: tone %v, level %.1f", e.tone, e.level)
	}
}

func TestEarTellsTonesApart(t *testing.T) {
	for _, tt := range []struct {
		hz, amplitude float64
		noise         bool
		want          bool
	}{{440, 0.1, false, true}, {440, 0.9, false, true}, {445, 0.1, false, false}, {880, 0.1, false, false}, {440, 0.0005, false, false}, {440, 0.1, true, false}} {
		e := &ear{}
		block := make([]float32, earBlock)
		for i := range block {
			v := tt.amplitude * math.Sin(2*math.Pi*tt.hz*float64(i)/earRate+0.7)
			if tt.noise {
				v += tt.amplitude * math.Sin(float64(i*i))
			}
			block[i] = float32(v)
		}
		if e.measure(block); e.tone != tt.want {
			t.Errorf("%+v: tone %v at %.1f dBov", tt, e.tone, e.level)
		}
	}
}

// FuzzEar gives the decoder anything.
func FuzzEar(f *testing.F) {
	f.Add([]byte{0xf8, 0xff, 0xfe})
	f.Add([]byte{0x0b, 0x41, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := newEar()
		if err != nil {
			t.Fatal(err)
		}
		_ = e.hear(b) // an error is an answer; a panic is not
		if e.level < -127 || len(e.block) >= earBlock+earMost {
			t.Errorf("level %v, %d samples held", e.level, len(e.block))
		}
	})
}

// FuzzMeter gives the meter any packets.
func FuzzMeter(f *testing.F) {
	f.Add([]byte("\x00\x01\x10\x00\x00\x9d\x01\x2a\x00\x00\x00\x00"), true)
	f.Fuzz(func(t *testing.T, b []byte, video bool) {
		m := meter{clock: 90000, video: video, levelID: 1}
		now := time.Unix(1000, 0)
		for len(b) > 4 {
			n := min(int(b[0]%16), len(b)-4)
			m.packet(now, &rtp.Packet{Header: rtp.Header{
				SequenceNumber: uint16(b[1])<<8 | uint16(b[2]), SSRC: uint32(b[3] & 1), Marker: b[3]&2 != 0,
			}, Payload: b[4 : 4+n]})
			b = b[4+n:]
			now = now.Add(time.Millisecond)
		}
		if m.total.Frames > m.total.Packets || m.total.Jitter < 0 {
			t.Errorf("%+v", m.total)
		}
	})
}
