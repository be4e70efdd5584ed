package bwe

import (
	"testing"
	"time"
)

// BenchmarkSent is what a forwarded packet costs; with its share of feedback in BenchmarkPacket.
func BenchmarkSent(b *testing.B) {
	e := New(begin, Config{})
	now := begin
	b.ReportAllocs()
	for i := range b.N {
		now = now.Add(time.Millisecond)
		e.Sent(now, uint16(i), 1100, Video)
	}
}

// BenchmarkPacket sends, paces, receives, reports and judges: 40 packets, one feedback.
func BenchmarkPacket(b *testing.B) {
	e, a, p := New(begin, Config{}), NewArrivals(begin), NewPacer[uint32](begin, 64)
	now := begin
	list := make([]Arrival, 0, MostReported)
	b.ReportAllocs()
	for i := range b.N {
		now = now.Add(2 * time.Millisecond)
		p.Push(Video, uint32(i), 1100)
		for w, ok := p.Pop(now); ok; w, ok = p.Pop(now) {
			e.Sent(now, uint16(i), w.Size, Video)
		}
		a.Add(now, uint16(i))
		if i%40 == 39 {
			p.SetTarget(now, e.Target())
			e.Tick(now)
			e.Probe(now)
			e.Feedback(now, a.Report(now, list))
		}
	}
}

// TestNoAllocation holds the packet path to its promise.
func TestNoAllocation(t *testing.T) {
	e, a, p := New(begin, Config{}), NewArrivals(begin), NewPacer[uint32](begin, 64)
	now, i := begin, uint16(0)
	list := make([]Arrival, 0, MostReported)
	if n := testing.AllocsPerRun(5000, func() {
		now, i = now.Add(2*time.Millisecond), i+1
		p.Push(Video, uint32(i), 1100)
		if w, ok := p.Pop(now); ok {
			e.Sent(now, i, w.Size, Video)
			a.Add(now, i)
		}
		p.SetTarget(now, e.Target())
		e.Tick(now)
		e.Probe(now)
		e.Feedback(now, a.Report(now, list))
	}); n > 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
