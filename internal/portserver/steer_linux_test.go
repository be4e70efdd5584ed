package portserver

import (
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/bpf"
)

// TestSteer: the kernel brings a sender's packets to the loop that was named last, whatever else it steers, and to its own choice
// when none is.
func TestSteer(t *testing.T) {
	const loops, senders, steered = 3, 24, 4
	for bound, asked := range map[string][]string{":0": {"127.0.0.1", "127.9.8.7", "::1"}, "127.0.0.1:0": {"127.0.0.1"}, "[::1]:0": {"::1"}} {
		t.Run(bound, func(t *testing.T) {
			if strings.Contains(bound, "::1") && !hasSix() {
				t.Skip("no IPv6 here")
			}
			s := start(t, Config{Address: bound, Loops: loops, Batches: &plane{batch: func(loop int, _ time.Time, batch []Packet, out *Outbox) {
				for i := range batch {
					b := out.Next()
					b[0] = byte(loop)
					out.Send(1, batch[i].Src, batch[i].Local)
				}
			}}})
			if s.Loops() != loops || s.steering == nil {
				t.Fatalf("%d loops, steered: %v", s.Loops(), s.steering != nil)
			}
			for i := range 900 {
				s.Steer(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i), 1}), uint16(i)), i%loops)
			}
			for _, a := range asked {
				if a == "::1" && !hasSix() {
					continue
				}
				chosen := map[int]bool{}
				for i := range senders {
					c := client(t, a, s.Addr().Port())
					at := func() int {
						b := make([]byte, 10)
						if _, err := c.Write([]byte("\x80 media")); err != nil {
							t.Fatal(err)
						}
						if n, err := c.Read(b); err != nil || n != 1 {
							t.Fatal(n, err)
						}
						return int(b[0])
					}
					src := c.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort()
					first := at()
					chosen[first] = true
					if i >= steered {
						continue
					}
					for _, to := range []int{(first + 1) % loops, (first + 2) % loops} {
						s.Steer(src, to)
						s.Unsteer(src, first)
						for at() != to { // until the deadline of the socket
						}
					}
					s.Unsteer(src, (first+2)%loops)
					for at() != first {
					}
				}
				if len(chosen) < 2 {
					t.Errorf("without being steered, %d senders came to loop %v only", senders, chosen)
				}
			}
		})
	}
}

// TestSearch: the program finds each heading, and none for any other number.
func TestSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 7, 8, 9, 16, 17, 100, maxSteered} {
		s := newSteering(nil)
		var headings []heading
		s.attach = func(h []heading) error { headings = h; return nil }
		for range n {
			s.note(order{heading{r.Uint32(), r.IntN(maxLoops)}, true})
		}
		s.note(order{heading{0, 1}, true})
		s.note(order{heading{^uint32(0), 2}, true})
		s.apply()
		filter := program(headings)
		if len(filter) > 4096 { // BPF_MAXINSNS
			t.Fatalf("%d headings make %d instructions", len(headings), len(filter))
		}
		// What makes the number needs the kernel; the rest is given it as the packet.
		var raw []bpf.RawInstruction
		for _, f := range filter[len(program(nil))-1:] {
			raw = append(raw, bpf.RawInstruction{Op: f.Code, Jt: f.Jt, Jf: f.Jf, K: f.K})
		}
		rest, ok := bpf.Disassemble(raw)
		if !ok {
			t.Fatal("not a program")
		}
		vm, err := bpf.NewVM(append([]bpf.Instruction{bpf.LoadAbsolute{Off: 0, Size: 4}}, rest...))
		if err != nil {
			t.Fatal(err)
		}
		find := func(sender uint32) int {
			got, err := vm.Run(binary.BigEndian.AppendUint32(nil, sender))
			if err != nil {
				t.Fatal(err)
			}
			return int(uint32(got))
		}
		for sender, loop := range s.loops {
			if got := find(sender); got != loop {
				t.Errorf("%d headings: %#x comes to loop %d, want %d", len(headings), sender, got, loop)
			}
			for _, other := range []uint32{sender - 1, sender + 1} {
				if _, known := s.loops[other]; !known && find(other) != int(^uint32(0)) {
					t.Errorf("%d headings: %#x, which nobody has, comes to loop %d", len(headings), other, find(other))
				}
			}
		}
	}
}

// BenchmarkSteered is the kernel's part of a packet: from one socket to another over loopback, with so many headings.
func BenchmarkSteered(b *testing.B) {
	for name, headings := range map[string]int{"none": 0, "1000": 1000} {
		b.Run(name, func(b *testing.B) {
			got := make(chan struct{}, 1)
			s, err := Listen(Config{Address: "127.0.0.1:0", Loops: 2, Batches: &plane{batch: func(_ int, _ time.Time, batch []Packet, _ *Outbox) {
				for range batch {
					got <- struct{}{}
				}
			}}}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			serve(b, s)
			for i := range headings {
				s.steering.note(order{heading{rand.Uint32(), i % 2}, true})
			}
			s.steering.apply()
			c := client(b, "127.0.0.1", s.Addr().Port())
			for b.Loop() {
				_, _ = c.Write([]byte("\x80 media"))
				<-got
			}
		})
	}
}
