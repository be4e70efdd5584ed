package portserver

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestLoopsShareThePort: with many clients every loop gets some, and each client always the same loop.
func TestLoopsShareThePort(t *testing.T) {
	if !canShare {
		t.Skip("several sockets on one port are Linux's")
	}
	s := start(t, Config{Address: ":0", Loops: 4, Batches: &plane{batch: func(loop int, _ time.Time, batch []Packet, out *Outbox) {
		for i := range batch {
			batch[i].Take()
			b := out.Next()
			b[0] = byte(loop)
			out.Send(1, batch[i].Src, batch[i].Local)
		}
	}}})
	if s.Loops() != 4 {
		t.Fatalf("%d loops", s.Loops())
	}
	seen := map[byte]int{}
	b := make([]byte, 10)
	for range 64 {
		c := client(t, "127.0.0.1", s.Addr().Port())
		loops := []byte{}
		for range 3 {
			_, _ = c.Write([]byte("\x80"))
			if _, err := c.Read(b); err != nil {
				t.Fatal(err)
			}
			loops = append(loops, b[0])
		}
		if loops = slices.Compact(loops); len(loops) != 1 {
			t.Fatalf("a client's packets come to loops %v", loops)
		}
		seen[loops[0]]++
	}
	if len(seen) != 4 {
		t.Errorf("clients by loop: %v", seen)
	}
}

// TestPass: every packet is passed to the next loop, which answers; the tag goes with it. Out of range is refused.
func TestPass(t *testing.T) {
	if !canShare {
		t.Skip("there is one loop here")
	}
	for _, tier := range tiers() {
		s := start(t, Config{Address: ":0", Tier: tier, Loops: 3, Batches: &plane{batch: func(loop int, _ time.Time, batch []Packet, out *Outbox) {
			for i := range batch {
				p := &batch[i]
				if p.Tag == 0 {
					if out.Pass(loop, p, 1) || out.Pass(3, p, 1) || out.Pass(-1, p, 1) {
						t.Error("passed to itself or to nobody")
					}
					out.Pass((loop+1)%3, p, uint64(loop+1))
					continue
				}
				p.Take()
				b := out.Next()
				b[0], b[1] = byte(p.Tag), byte(loop)
				out.Send(2+copy(b[2:], p.Data), p.Src, p.Local)
			}
		}}})
		var running sync.WaitGroup
		const clients, packets = 16, 50
		for range clients {
			c := client(t, "127.0.0.1", s.Addr().Port())
			running.Go(func() {
				b := make([]byte, 100)
				for i := range packets {
					ask := fmt.Appendf(nil, "\x80%d", i)
					_, _ = c.Write(ask)
					n, err := c.Read(b)
					if err != nil || string(b[2:n]) != string(ask) || b[1] != b[0]%3 {
						t.Errorf("answer %d: %q, %v", i, b[:n], err)
						return
					}
				}
			})
		}
		running.Wait()
		if st := s.Stats(); st.Passed != clients*packets || st.PassLost != 3*clients*packets || st.Panics != 0 {
			t.Errorf("%+v", st)
		}
	}
}

// TestPassIsBounded: what is passed to a loop that is busy waits for it, up to a bound, and the rest is told and counted.
func TestPassIsBounded(t *testing.T) {
	if !canShare {
		t.Skip("there is one loop here")
	}
	arrived := make(chan uint64, 2*ringPackets)
	s := start(t, Config{Address: "127.0.0.1:0", Loops: 2, Batches: &plane{batch: func(loop int, _ time.Time, batch []Packet, _ *Outbox) {
		for i := range batch {
			batch[i].Take()
			arrived <- batch[i].Tag
		}
	}}})
	holding, hold := make(chan struct{}), make(chan struct{})
	s.Post(1, func(time.Time, *Outbox) {
		close(holding)
		<-hold
	})
	<-holding
	passed := make(chan int)
	s.Post(0, func(_ time.Time, out *Outbox) {
		n := 0
		for tag := range uint64(2 * ringPackets) {
			if out.Pass(1, &Packet{Data: make([]byte, 900), Kind: RTP}, tag+1) {
				n++
			}
		}
		passed <- n
	})
	n := <-passed
	close(hold)
	for want := range uint64(n) {
		if tag := <-arrived; tag != want+1 {
			t.Fatalf("tag %d, want %d", tag, want+1)
		}
	}
	if st := s.Stats(); n != ringPackets || st.PassLost != uint64(2*ringPackets-n) {
		t.Errorf("%d passed, %+v", n, st)
	}
	// There is room again.
	s.Post(0, func(_ time.Time, out *Outbox) { out.Pass(1, &Packet{Data: []byte{1}, Kind: RTP}, 7) })
	if tag := <-arrived; tag != 7 {
		t.Errorf("tag %d", tag)
	}
}
