package portserver

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
)

func numbered(i uint64, n int) *Packet {
	b := bytes.Repeat([]byte{byte(i)}, n)
	binary.BigEndian.PutUint64(b, i)
	return &Packet{Src: to(int(i & 0xffff)), Local: netip.IPv6Loopback(), Data: b, Kind: RTP}
}

// TestRing: a writer and a reader at once, packets of all lengths, a reader that falls behind: what was put comes out once, whole
// and in order, and only what was published.
func TestRing(t *testing.T) {
	const packets = 20_000
	r := newRing()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := uint64(0); i < packets; {
			for range min(i%37+1, packets-i) {
				if !r.put(numbered(i, 8+int(i*7919%3000)), i*3) {
					runtime.Gosched()
					break
				}
				i++
			}
			r.publish()
		}
	}()
	for next := uint64(0); next < packets; {
		batch := r.peek()
		if len(batch) == 0 {
			runtime.Gosched()
			continue
		}
		take := min(len(batch), int(next%97)+1)
		for _, p := range batch[:take] {
			want := numbered(next, 8+int(next*7919%3000))
			if !bytes.Equal(p.Data, want.Data) || p.Src != want.Src || p.Local != want.Local || p.Kind != RTP || p.Tag != next*3 {
				t.Fatalf("packet %d: %d bytes from %v, tag %d", next, len(p.Data), p.Src, p.Tag)
			}
			next++
		}
		r.drop(take)
	}
	<-done
	if len(r.peek()) != 0 {
		t.Error("there is more")
	}
}

func TestRingIsBounded(t *testing.T) {
	for _, n := range []int{8, 60_000} {
		r := newRing()
		count := 0
		for r.put(numbered(0, n), 0) {
			count++
		}
		if count > ringPackets || count*n > ringBytes || count < min(ringPackets, ringBytes/n-1) {
			t.Errorf("%d packets of %d bytes", count, n)
		}
		if len(r.peek()) != 0 {
			t.Error("seen before they are published")
		}
		if !r.publish() || r.publish() {
			t.Error("published not once")
		}
		for range 2 {
			r.drop(len(r.peek()))
		}
		if !r.put(numbered(0, n), 0) {
			t.Error("an empty ring is full")
		}
	}
}

// FuzzRing: a byte is a step: put that many hundred bytes, or publish and read that many. A queue of copies is the model.
func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0x81, 4, 0x83})
	f.Add(bytes.Repeat([]byte{0x7f, 0x7f, 0x7f, 0x81}, 200))
	f.Fuzz(func(t *testing.T, steps []byte) {
		r := newRing()
		var model []*Packet
		for i, s := range steps {
			if s < 0x80 {
				if p := numbered(uint64(i), 8+int(s)*100); r.put(p, 0) {
					model = append(model, p)
				} else if len(model) == 0 {
					t.Fatal("an empty ring is full")
				}
				continue
			}
			r.publish()
			batch := r.peek()
			batch = batch[:min(len(batch), int(s&0x7f))]
			for j := range batch {
				if !bytes.Equal(batch[j].Data, model[j].Data) {
					t.Fatalf("step %d: another packet", i)
				}
			}
			r.drop(len(batch))
			model = model[len(batch):]
		}
	})
}
