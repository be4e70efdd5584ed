package mediaserver

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/bwe"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sfu"
)

// BenchmarkFrames is a webinar without its audience: 30 frames of 6 packets of 1,000 bytes a second, written one by one into the
// hub's socket, for 40 people. It is the processor's time for each packet that leaves, of the whole process and its kernel's part
// (the publisher's included), and how many packets left as one message.
func BenchmarkFrames(b *testing.B) {
	h := open(b, 1)
	h.cfg.Forwarder = sfu.Config{Bandwidth: bwe.Config{Start: 10_000_000}} // nobody tells how much arrives
	const receivers, perFrame, most = 40, 6, 300                           // frames: consent lasts for 15 s
	vp8 := []sfu.Codec{{Format: "vp8", Codec: rtp.VP8, PayloadType: 96, RTX: 97, Clock: 90000, NACK: true, PLI: true}}
	var ann *puppet
	h.onLoop(func(now time.Time, out *portserver.Outbox) {
		ann = h.puppet(b, now, out, "ann", agreement{
			[]sfu.Section{{MID: "0", Kind: sfu.Video, Publishes: true, Codecs: vp8, Encodings: []sfu.Encoding{{SSRC: 1000}}}},
			[]sfu.Track{{MID: "0", Source: "camera"}},
		}, nil)
		for i := range receivers {
			place := sfu.Section{MID: "0", Kind: sfu.Video, Receives: true, Codecs: vp8, SSRC: 5000, RTX: 5001}
			h.puppet(b, now, out, fmt.Sprint("guest", i), agreement{sections: []sfu.Section{place}}, []sfu.Want{{MID: "0", Seat: "ann", Source: "camera"}})
		}
	})
	buffer := make([]byte, 0, 1500)
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	frame := func() {
		<-tick.C
		for range perFrame {
			if _, err := ann.socket.WriteToUDPAddrPort(ann.next(b, buffer), h.port.Addr()); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range 10 {
		frame()
	}
	before, spent := h.port.Stats(), processor(b)
	b.ResetTimer()
	frames := min(b.N, most)
	for range frames {
		frame()
	}
	b.StopTimer()
	for range 3 { // the loop has read what came before
		h.onLoop(func(time.Time, *portserver.Outbox) {})
	}
	st := h.port.Stats()
	sent, messages := st.Sent-before.Sent, st.Messages-before.Messages
	b.ReportMetric(float64((processor(b)-spent).Nanoseconds())/float64(max(sent, 1)), "cpu-ns/sent")
	b.ReportMetric(float64(sent)/float64(max(messages, 1)), "packets/message")
	b.ReportMetric(float64(sent)/float64(frames*perFrame*receivers), "arrived")
}

// processor is the time that the process has had.
func processor(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
