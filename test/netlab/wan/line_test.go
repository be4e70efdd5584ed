//go:build linux

package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

func newLine(set settings) *line {
	return &line{set: set, random: rand.New(rand.NewPCG(1, 2))}
}

func TestLineSteps(t *testing.T) {
	start := time.Unix(1000, 0)
	frame := make([]byte, 1250) // 10 ms at 1 Mbit/s
	for _, tt := range []struct {
		name  string
		set   settings
		after time.Duration // of the look, counted from the push of three frames
		want  int           // frames that have arrived
	}{
		{"perfect", settings{}, 0, 3},
		{"one tick before the delay", settings{delay: 50 * time.Millisecond}, 50*time.Millisecond - 1, 0},
		{"at the delay", settings{delay: 50 * time.Millisecond}, 50 * time.Millisecond, 3},
		{"rate: before the first is out", settings{rate: 1e6}, 10*time.Millisecond - 1, 0},
		{"rate: one out", settings{rate: 1e6}, 10 * time.Millisecond, 1},
		{"rate: all out", settings{rate: 1e6}, 30 * time.Millisecond, 3},
		{"rate and delay add up", settings{rate: 1e6, delay: time.Second}, 1020 * time.Millisecond, 2},
		{"a short queue drops at the tail", settings{rate: 1e6, queue: 1000}, time.Hour, 1},
		{"all lost", settings{loss: 1}, time.Hour, 0},
		{"down", settings{down: true}, time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLine(tt.set)
			for range 3 {
				l.push(start, frame)
			}
			got := 0
			for l.pop(start.Add(tt.after)) != nil {
				got++
			}
			if got != tt.want {
				t.Errorf("%d frames arrived, want %d", got, tt.want)
			}
		})
	}
}

func TestLineLossIsAShare(t *testing.T) {
	l := newLine(settings{loss: 0.1})
	now := time.Unix(1000, 0)
	arrived := 0
	for range 10_000 {
		l.push(now, []byte{1})
		for l.pop(now) != nil {
			arrived++
		}
	}
	if arrived < 8_850 || arrived > 9_150 {
		t.Errorf("%d of 10000 arrived at 10 %% loss", arrived)
	}
}

func TestLineJitterStaysInBounds(t *testing.T) {
	l := newLine(settings{delay: 50 * time.Millisecond, jitter: 10 * time.Millisecond})
	now := time.Unix(1000, 0)
	for range 1000 {
		l.push(now, []byte{1})
	}
	if early := l.pop(now.Add(40*time.Millisecond - 1)); early != nil {
		t.Error("a frame arrived before delay - jitter")
	}
	for l.pop(now.Add(60*time.Millisecond)) != nil {
	}
	if !l.next().IsZero() {
		t.Errorf("a frame is under way after delay + jitter, until %v", l.next())
	}
}

func TestLineKeepsOrderWithoutJitter(t *testing.T) {
	l := newLine(settings{delay: time.Millisecond})
	now := time.Unix(1000, 0)
	for i := range 100 {
		l.push(now, []byte{byte(i)})
	}
	for i := range 100 {
		if frame := l.pop(now.Add(time.Millisecond)); frame == nil || frame[0] != byte(i) {
			t.Fatalf("frame %d: got %v", i, frame)
		}
	}
}

func TestLineDownForgetsWhatIsUnderWay(t *testing.T) {
	l := newLine(settings{delay: time.Second})
	now := time.Unix(1000, 0)
	l.push(now, []byte{1})
	l.change(settings{down: true})
	l.change(settings{delay: time.Second})
	if frame := l.pop(now.Add(time.Hour)); frame != nil {
		t.Error("a frame survived the cut")
	}
}
