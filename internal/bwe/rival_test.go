package bwe

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtp"
)

// rival is the congestion control of pion/interceptor in the same call: same sender, pacer and path. It reads the clock,
// so it lives in a bubble whose time is the call's. It has no probes; its own pacer is replaced by the call's.
type rival struct {
	bwe      *gcc.SendSideBWE
	writer   interceptor.RTPWriter
	recorder *twcc.Recorder
	now      time.Time
	payload  [1500]byte
}

func newRival(t *testing.T, cfg Config) *rival {
	cfg = cfg.WithDefaults()
	b, err := gcc.NewSendSideBWE(
		gcc.SendSideBWEInitialBitrate(cfg.Start), gcc.SendSideBWEMinBitrate(cfg.Floor), gcc.SendSideBWEMaxBitrate(cfg.Ceiling),
		gcc.SendSideBWEPacer(gcc.NewNoOpPacer()),
	)
	if err != nil {
		t.Fatal(err)
	}
	r := &rival{bwe: b, recorder: twcc.NewRecorder(1), now: begin}
	info := &interceptor.StreamInfo{SSRC: 1, RTPHeaderExtensions: []interceptor.RTPHeaderExtension{
		{ID: 1, URI: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"},
	}}
	r.writer = b.AddStream(info, interceptor.RTPWriterFunc(func(_ *rtp.Header, p []byte, _ interceptor.Attributes) (int, error) { return len(p), nil }))
	return r
}

func (r *rival) Sent(_ time.Time, number uint16, size int, _ Kind) {
	h := &rtp.Header{Version: 2, SSRC: 1, SequenceNumber: number}
	ext, _ := (&rtp.TransportCCExtension{TransportSequence: number}).Marshal()
	if h.SetExtension(1, ext) != nil {
		return
	}
	_, _ = r.writer.Write(h, r.payload[:max(size-20, 0)], interceptor.Attributes{})
}

func (r *rival) Feedback(_ time.Time, arrivals []Arrival) {
	for _, a := range arrivals {
		if a.Arrived {
			r.recorder.Record(1, a.Number, a.At.Microseconds())
		}
	}
	_ = r.bwe.WriteRTCP(r.recorder.BuildFeedbackPacket(), nil)
}

func (r *rival) Tick(now time.Time) {
	time.Sleep(now.Sub(r.now))
	r.now = now
	synctest.Wait()
}

func (r *rival) Probe(time.Time) (Cluster, bool) { return Cluster{}, false }
func (r *rival) Target() int                     { return r.bwe.GetTargetBitrate() }

// TestRival runs every scenario with both, and prints ours beside theirs.
func TestRival(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for _, s := range scenarios {
		var us, them []outcome
		for seed := range (seeds(t) + 9) / 10 { // it is slow: a tenth of ours
			us = append(us, s.path.run(uint64(seed), ours))
			synctest.Test(t, func(t *testing.T) {
				var r *rival
				them = append(them, s.path.run(uint64(seed), func(_ time.Time, cfg Config) algorithm {
					r = newRival(t, cfg)
					return r
				}))
				_ = r.bwe.Close()
			})
		}
		a, b := summary(us), summary(them)
		t.Logf("%-26s %s\n%50s %s   ratio of use %.2f, of queue %.2f", s.name, a, "pion", b, a.use/b.use, a.queue95.Seconds()/max(b.queue95.Seconds(), 0.001))
	}
}
