package bwe

import (
	"testing"
	"time"
)

// drain pops all that waits, in steps of a millisecond, and says what came when.
func drain(p *Pacer[int], now time.Time) (items []int, last time.Duration) {
	start := now
	for p.Len() > 0 && now.Sub(start) < 10*sec {
		for {
			w, ok := p.Pop(now)
			if !ok {
				break
			}
			items = append(items, w.Item)
			last = now.Sub(start)
		}
		now = now.Add(ms)
	}
	return items, last
}

func TestPacerSpreads(t *testing.T) {
	p := NewPacer[int](begin, 64)
	p.SetTarget(begin, 1_000_000) // leaves at 2.5 Mbit/s
	for i := range 10 {
		p.Push(Video, i, 1250)
	}
	items, last := drain(p, begin)
	if len(items) != 10 || last < 30*ms || last > 40*ms {
		t.Errorf("%v within %v, want ten within about 36 ms", items, last)
	}
}

// A key frame that would take 2.4 s leaves within a quarter of a second.
func TestPacerKeyFrame(t *testing.T) {
	p := NewPacer[int](begin, 256)
	p.SetTarget(begin, 200_000)
	for i := range 120 {
		p.Push(Video, i, 1250)
	}
	if p.Delay() > 250*ms {
		t.Error("it will take ", p.Delay())
	}
	if _, last := drain(p, begin); last > 260*ms {
		t.Error("it took ", last)
	}
	p.Push(Video, 0, 1250)
	if p.Delay() < 15*ms {
		t.Error("and what comes later is as hasty: ", p.Delay())
	}
}

func TestPacerOrder(t *testing.T) {
	p := NewPacer[int](begin, 4)
	p.SetTarget(begin, 1_000_000)
	for i := range 4 {
		if !p.Push(Video, i, 1000) {
			t.Fatal("full too soon")
		}
	}
	if p.Push(Video, 9, 1000) {
		t.Error("took more than it holds")
	}
	p.Push(Retransmission, 10, 1000)
	items, _ := drain(p, begin)
	if len(items) != 5 || items[0] != 10 || items[1] != 0 || items[4] != 3 {
		t.Error(items)
	}
	p.Push(Video, 1, 1)
	p.Push(Retransmission, 2, 1)
	sum := 0
	p.Drop(func(v int) { sum += v })
	if sum != 3 || p.Len() != 0 || p.Delay() != 0 {
		t.Error(sum, p.Len(), p.Delay())
	}
}

// Sound passes, and what else waits for it to be paid.
func TestPacerSound(t *testing.T) {
	p := NewPacer[int](begin, 4)
	p.SetTarget(begin, 100_000)
	p.Push(Video, 1, 1000)
	p.Passed(begin, 1250) // 40 ms at 250 kbit/s
	if _, ok := p.Pop(begin.Add(30 * ms)); ok {
		t.Error("left before sound was paid")
	}
	at, ok := p.Next(begin.Add(30 * ms))
	if !ok || at.Sub(begin) < 35*ms || at.Sub(begin) > 41*ms {
		t.Error(at.Sub(begin), ok)
	}
	if _, ok := p.Pop(at); !ok {
		t.Error("Next was wrong")
	}
	if _, ok := p.Next(at); ok {
		t.Error("Next of nothing")
	}
}

// While it is held nothing leaves, sound passes, and afterwards all that waited leaves in its order.
func TestPacerHold(t *testing.T) {
	p := NewPacer[int](begin, 64)
	p.SetTarget(begin, 1_000_000)
	p.Hold(begin, true)
	for i := range 3 {
		p.Push(Video, i, 1250)
	}
	p.Push(Retransmission, 9, 1250)
	p.Probe(begin, Cluster{Rate: 2_000_000, Bytes: 5000, Packets: 6})
	now := begin.Add(300 * ms)
	p.Passed(now, 120)
	if _, ok := p.Pop(now); ok || p.Ready(now) {
		t.Error("something left")
	}
	if _, ok := p.Next(now); ok {
		t.Error("something may leave some time")
	}
	p.Hold(now, false)
	if items, _ := drain(p, now); len(items) != 4 || items[0] != 9 || items[3] != 2 {
		t.Error(items)
	}
}

func TestPacerProbe(t *testing.T) {
	p := NewPacer[int](begin, 4)
	p.SetTarget(begin, 300_000)
	p.Probe(begin, Cluster{Rate: 2_000_000, Bytes: 5000, Packets: 6})
	now, sent := begin, 0
	for p.Probing() > 0 && now.Sub(begin) < sec {
		for p.Probing() > 0 && p.Ready(now) {
			p.Passed(now, 250)
			sent += 250
		}
		now = now.Add(ms)
	}
	if took := now.Sub(begin); sent != 5000 || took < 17*ms || took > 24*ms {
		t.Errorf("%d bytes in %v, want 5000 in 20 ms", sent, took)
	}
}
