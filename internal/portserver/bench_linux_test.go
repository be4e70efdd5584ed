package portserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// processor returns the time that the thread has had, kernel included.
func processor() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkOut sends to 40 receivers over loopback, six packets of 1100 bytes to each and one of 90 in a wake-up, as a room of 40
// with one frame and one packet of sound does it. cpu-ns/packet is the processor time of the thread that sends. Loopback charges
// the receiving half to the sender. Nobody reads, so the sockets' buffers are full, alike for all.
func BenchmarkOut(b *testing.B) {
	var receivers []netip.AddrPort
	for range 40 {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		receivers = append(receivers, c.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	from, err := net.ListenUDP("udp", &net.UDPAddr{})
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close()
	s := &Server{}
	d := newDatagrams(from, &s.counts, slog.New(slog.DiscardHandler))
	local := netip.MustParseAddr("127.0.0.1")
	wakeUp := func(send func(n int, dst netip.AddrPort)) (packets int) {
		for p := range 7 {
			n := 1100
			if p == 6 {
				n = 90
			}
			for _, dst := range receivers {
				send(n, dst)
			}
		}
		return 7 * len(receivers)
	}
	payload := make([]byte, BufferLen)
	b.Run("WriteTo", func(b *testing.B) {
		measure(b, func() int {
			return wakeUp(func(n int, dst netip.AddrPort) { _, _ = from.WriteToUDPAddrPort(payload[:n], dst) })
		})
	})
	for _, tier := range []Tier{TierPlain, TierBatches, TierSegments} {
		b.Run(fmt.Sprintf("tier %d", tier), func(b *testing.B) {
			out, err := newSender(d, tier)
			if err != nil {
				b.Fatal(err)
			}
			o := newOutbox(&loop{server: s}, out, tier == TierSegments, 99)
			measure(b, func() int {
				n := wakeUp(func(n int, dst netip.AddrPort) {
					o.Next()
					o.Send(n, dst, local)
				})
				o.Flush()
				return n
			})
		})
	}
	b.Run("queue only", func(b *testing.B) { // what the outbox itself costs
		o := newOutbox(&loop{server: s}, nothing{}, true, 99)
		measure(b, func() int {
			n := wakeUp(func(n int, dst netip.AddrPort) {
				o.Next()
				o.Send(n, dst, local)
			})
			o.Flush()
			return n
		})
	})
}

// nothing is a way out that leads nowhere.
type nothing struct{}

func (nothing) send(*Outbox) (lost, messages int) { return 0, 0 }

// measure reports the processor time of a packet; step returns how many it handled.
func measure(b *testing.B, step func() int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.ReportAllocs()
	packets := 0
	began := processor()
	for b.Loop() {
		packets += step()
	}
	b.ReportMetric(float64(processor()-began)/float64(packets), "cpu-ns/packet")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkIn reads packets of 1100 bytes that lie ready, 64 at a time or a single one, with the address that they came to. Only
// reading is on the clock.
func BenchmarkIn(b *testing.B) {
	for _, ready := range []int{1, 8, 64} {
		for _, tier := range []Tier{TierBest, TierPlain, TierBatches} {
			name := fmt.Sprintf("%d ready/tier %d", ready, tier)
			if tier == TierBest {
				name = fmt.Sprintf("%d ready/ReadFrom", ready)
			}
			b.Run(name, func(b *testing.B) { benchmarkIn(b, ready, tier) })
		}
	}
}

func benchmarkIn(b *testing.B, ready int, tier Tier) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	s := &Server{}
	var in reader
	if tier == TierBest { // stands for the plain call, without the address
		_ = conn.SetReadBuffer(receiveBuffer)
		in = &fromReader{conn: conn, b: make([]byte, longestPlain)}
	} else if in, err = newReader(newDatagrams(conn, &s.counts, slog.New(slog.DiscardHandler)), tier); err != nil {
		b.Fatal(err)
	}
	c, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: conn.LocalAddr().(*net.UDPAddr).Port})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	payload := make([]byte, 1100)
	payload[0] = 0x80
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.ReportAllocs()
	var spent time.Duration
	packets := 0
	for b.Loop() {
		for range ready {
			if _, err := c.Write(payload); err != nil {
				b.Fatal(err)
			}
		}
		began := processor()
		for got := 0; got < ready; {
			batch, err := in.read(true)
			if err != nil {
				b.Fatal(err)
			}
			got += len(batch)
		}
		spent += processor() - began
		packets += ready
	}
	b.ReportMetric(float64(spent)/float64(packets), "cpu-ns/packet")
	b.ReportMetric(0, "ns/op")
}

// fromReader is the plain call.
type fromReader struct {
	conn  *net.UDPConn
	b     []byte
	batch [1]Packet
}

func (r *fromReader) read(bool) ([]Packet, error) {
	n, src, err := r.conn.ReadFromUDPAddrPort(r.b)
	r.batch[0] = Packet{Src: src, Data: r.b[:n]}
	return r.batch[:], err
}

// BenchmarkLoop is the whole way: packets in bursts of six from two publishers, each forwarded to 40 receivers by a loop, as fast
// as it goes or 30 bursts a second. cpu-ns/packet is that of the whole process per packet out, the publishers' writing and all
// wake-ups included.
func BenchmarkLoop(b *testing.B) {
	var receivers []netip.AddrPort
	for range 40 {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		receivers = append(receivers, c.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	for _, tier := range []Tier{TierPlain, TierBatches, TierSegments} {
		b.Run(fmt.Sprintf("tier %d", tier), func(b *testing.B) { benchmarkLoop(b, tier, receivers, 0) })
		b.Run(fmt.Sprintf("tier %d, paced", tier), func(b *testing.B) { benchmarkLoop(b, tier, receivers, time.Second/60) })
	}
}

func benchmarkLoop(b *testing.B, tier Tier, receivers []netip.AddrPort, pause time.Duration) {
	const burst = 6
	handled := make(chan int, 1024)
	s := start(b, Config{Address: ":0", Tier: tier, Loops: 1, Batches: &plane{batch: func(_ int, _ time.Time, batch []Packet, out *Outbox) {
		for i := range batch {
			batch[i].Take()
			for _, dst := range receivers {
				out.Send(copy(out.Next(), batch[i].Data), dst, batch[i].Local)
			}
		}
		handled <- len(batch)
	}}})
	publishers := []*net.UDPConn{client(b, "127.0.0.1", s.Addr().Port()), client(b, "127.0.0.1", s.Addr().Port())}
	payload := make([]byte, 1100)
	payload[0] = 0x80
	var pace <-chan time.Time
	if pause > 0 {
		ticker := time.NewTicker(pause)
		defer ticker.Stop()
		pace = ticker.C
	}
	var before, after unix.Rusage
	b.ReportAllocs()
	packets := 0
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	for b.Loop() {
		for _, p := range publishers {
			if pace != nil {
				<-pace
			}
			for range burst {
				if _, err := p.Write(payload); err != nil {
					b.Fatal(err)
				}
			}
			for done := 0; done < burst; {
				done += <-handled
			}
			packets += burst * len(receivers)
		}
	}
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(spent)/float64(packets), "cpu-ns/packet")
	if st := s.Stats(); st.Messages > 0 {
		b.ReportMetric(float64(st.Sent)/float64(st.Messages), "packets/message")
	}
	b.ReportMetric(0, "ns/op")
}
