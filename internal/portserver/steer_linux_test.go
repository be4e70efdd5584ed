package portserver

import (
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// steered makes a server whose loops answer with their number, and which tells the kernel at once.
func steered(t *testing.T, bound string, loops int) *Server {
	t.Helper()
	s, err := Listen(Config{Address: bound, Loops: loops, Batches: &plane{batch: func(loop int, _ time.Time, batch []Packet, out *Outbox) {
		for i := range batch {
			b := out.Next()
			b[0] = byte(loop)
			out.Send(1, batch[i].Src, batch[i].Local)
		}
	}}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if !s.Steers() {
		s.Close()
		t.Skip("packets cannot be steered here: ", canSteer())
	}
	s.steering.every = time.Millisecond
	serve(t, s)
	return s
}

// addressOf returns where the packets of a client come from.
func addressOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

// TestSteer: the kernel brings a sender's packets to the loop that was named last, whatever else it steers, and to its own choice
// when none is.
func TestSteer(t *testing.T) {
	const loops, senders, moved = 3, 24, 4
	for bound, asked := range map[string][]string{":0": {"127.0.0.1", "127.9.8.7", "::1"}, "127.0.0.1:0": {"127.0.0.1"}, "[::1]:0": {"::1"}} {
		t.Run(bound, func(t *testing.T) {
			if strings.Contains(bound, "::1") && !hasSix() {
				t.Skip("no IPv6 here")
			}
			s := steered(t, bound, loops)
			for i := range maxSteered - moved*len(asked) {
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
					first := at()
					chosen[first] = true
					if i >= moved {
						continue
					}
					for _, to := range []int{(first + 1) % loops, (first + 2) % loops} {
						s.Steer(addressOf(c), to)
						s.Unsteer(addressOf(c), first)
						for at() != to { // until the deadline of the socket
						}
					}
					s.Unsteer(addressOf(c), (first+2)%loops)
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

// TestSearch: the program finds each heading, and none for any other number; the kernel takes it even where it takes least.
func TestSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	key := steeringKey{1 << 31, 1<<31 | 1}
	for _, n := range []int{0, 1, 6, 7, 8, 9, 16, 17, 100, maxSteered} {
		var headings []heading
		s := newSteering(func(h []heading) error { headings = h; return nil }, key, slog.New(slog.DiscardHandler))
		s.note(order{heading{0, 1}, true})
		s.note(order{heading{senderMask, 2}, true})
		for range n {
			s.note(order{heading{r.Uint32() & senderMask, r.IntN(maxLoops)}, true})
		}
		s.apply()
		filter := program(key, headings)
		// The kernel makes 3 instructions of 8 bytes of a heading, and 4 for each bucket, of which there is one for 4 headings at most.
		if size := 8 * (128 + 3*len(headings) + 4*(len(headings)/4+1)); size > 20_480 || len(filter) > 4096 {
			t.Fatalf("%d headings make %d instructions, %d bytes", len(headings), len(filter), size)
		}
		// What makes the number needs the kernel; the rest is given it as the packet.
		var raw []bpf.RawInstruction
		for _, f := range filter[len(program(key, nil))-1:] {
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
		find := func(sender uint32) uint32 {
			got, err := vm.Run(binary.BigEndian.AppendUint32(nil, sender))
			if err != nil {
				t.Fatal(err)
			}
			return uint32(got)
		}
		for sender, loop := range s.loops {
			if got := find(sender); got != uint32(loop) {
				t.Errorf("%d headings: %#x comes to loop %d, want %d", len(headings), sender, got, loop)
			}
			for _, other := range []uint32{sender - 1, sender + 1} {
				if _, known := s.loops[other]; !known && find(other) != ^uint32(0) {
					t.Errorf("%d headings: %#x, which nobody has, comes to loop %d", len(headings), other, find(other))
				}
			}
		}
	}
}

// TestNumber: the program makes the number of a packet that steeringKey makes of its source.
func TestNumber(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		key := steeringKey{r.Uint32(), r.Uint32() | 1}
		port := uint16(r.Uint32())
		four, six := make([]byte, 28), make([]byte, 48)
		for i := range six {
			six[i] = byte(r.Uint32())
		}
		copy(four, six)
		four[0], six[0] = 0x45, 0x6f
		binary.BigEndian.PutUint16(four[20:], port)
		binary.BigEndian.PutUint16(six[40:], port)
		for _, one := range []struct {
			packet []byte
			from   netip.Addr
		}{{four, netip.AddrFrom4([4]byte(four[12:]))}, {six, netip.AddrFrom16([16]byte(six[8:]))}} {
			src := netip.AddrPortFrom(one.from, port)
			var raw []bpf.RawInstruction
			for _, f := range program(key, []heading{{key.sender(src), 42}}) {
				if f.Code&^(unix.BPF_H|unix.BPF_B) == unix.BPF_LD|unix.BPF_ABS {
					f.K -= network // here the packet begins with it
				}
				raw = append(raw, bpf.RawInstruction{Op: f.Code, Jt: f.Jt, Jf: f.Jf, K: f.K})
			}
			all, ok := bpf.Disassemble(raw)
			vm, err := bpf.NewVM(all)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			if got, err := vm.Run(one.packet); got != 42 || err != nil {
				t.Fatalf("%v: %d, %v", src, got, err)
			}
			one.packet[len(one.packet)-7]++ // another port
			if got, _ := vm.Run(one.packet); got == 42 {
				t.Fatalf("%v: so is another port", src)
			}
		}
	}
}

// TestReplaces: only kernels are trusted that are known to be mended.
func TestReplaces(t *testing.T) {
	for release, want := range map[string]bool{
		"6.18.44-fc-v445": true, "6.18.36": true, "6.18.35": false, "6.12.94+deb13-amd64": true, "6.12.48+deb13-amd64": false,
		"6.1.0-40-amd64": false, "6.8.0-60-generic": false, "5.15.0-210.163.7.el9uek.x86_64": false, "5.15.210.1-microsoft-standard-WSL2": true,
		"5.14.0-570.el9.x86_64": false, "4.19.300": false, "7.0.12": false, "7.0.13": true, "7.0.0-14-generic": false,
		"7.1.0-rc7": false, "7.1-rc3-amd64": false, "7.1.0-0.rc3.20260520git.fc45.x86_64": false, "7.1.0-070100rc3-generic": false,
		"7.1.0": false, "7.1.1": true, "7.3-rc2": true, "7.10.2": true, "6.12.94-1-pve": true, "6.12.93-1-pve": false, "8.0.1": true, "": false, "6": false, "gVisor": false, "4.4.0": false,
	} {
		if got := replaces(release); got != want {
			t.Errorf("%q: %v", release, got)
		}
	}
}

// BenchmarkSteered is a packet from one socket to a loop over loopback: unsteered, and with so many senders that are.
func BenchmarkSteered(b *testing.B) {
	for name, headings := range map[string]int{"no program": -1, "empty": 0, "full": maxSteered} {
		b.Run(name, func(b *testing.B) {
			got := make(chan struct{}, 1)
			loops := 2
			if headings < 0 {
				loops = 1
			}
			s, err := Listen(Config{Address: "127.0.0.1:0", Loops: loops, Batches: &plane{batch: func(_ int, _ time.Time, batch []Packet, _ *Outbox) {
				for range batch {
					got <- struct{}{}
				}
			}}}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			if headings >= 0 && !s.Steers() {
				s.Close()
				b.Skip("packets cannot be steered here: ", canSteer())
			}
			for i := range headings {
				s.steering.note(order{heading{uint32(i) * 4_000_000, i % 2}, true})
			}
			if headings > 0 {
				s.steering.apply()
			}
			serve(b, s)
			c := client(b, "127.0.0.1", s.Addr().Port())
			for b.Loop() {
				_, _ = c.Write([]byte("\x80 media"))
				<-got
			}
		})
	}
}
