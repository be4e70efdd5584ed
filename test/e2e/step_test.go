package e2e

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/config"
	parley "github.com/parley-rtc/parley/sdk"
)

// hand is what a player knows of one section: which timestamp is which moment, by the newest report, and how long after its moment each
// packet came.
type hand struct {
	mu      sync.Mutex
	report  *rtcp.SenderReport
	reports int
	late    []time.Duration
}

// usual is how late most are, once it is known of enough: neither what somebody was late with counts, nor a report that was.
func (h *hand) usual() (time.Duration, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reports < 2 || len(h.late) < 40 {
		return 0, false
	}
	slices.Sort(h.late)
	return h.late[len(h.late)/2], true
}

// again begins to look anew.
func (h *hand) again() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports, h.late = 0, nil
}

// moment is when NTP says that it is.
func moment(ntp uint64) time.Time {
	const since1900 = 2_208_988_800
	return time.Unix(int64(ntp>>32)-since1900, int64(ntp&(1<<32-1)*1_000_000_000>>32))
}

func (h *hand) told(r *rtcp.SenderReport) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.report = r
	h.reports++
}

func (h *hand) came(now time.Time, stamp uint32, rate int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.report == nil {
		return
	}
	after := time.Duration(int64(int32(stamp-h.report.RTPTime)) * int64(time.Second) / rate)
	h.late = append(h.late, now.Sub(moment(h.report.NTPTime).Add(after)))
}

// TestPlayersPlayInStep: by the reports that a player gets, the sound and the picture of one moment are of one moment.
func TestPlayersPlayInStep(t *testing.T) {
	h := newHouse(t, func(c *config.Config) { c.Rooms.Topology = "hub" })
	ann := join(t, h.link("tea"), "Ann")
	ann.on(parley.TopologyHub)
	player := outside(t, h, "Player", byUDP(), 1)
	hands := map[webrtc.RTPCodecType]*hand{webrtc.RTPCodecTypeAudio: {}, webrtc.RTPCodecTypeVideo: {}}
	player.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		hand := hands[track.Kind()]
		go func() {
			for {
				packets, _, err := receiver.ReadRTCP()
				if err != nil {
					return
				}
				for _, p := range packets {
					if r, ok := p.(*rtcp.SenderReport); ok {
						hand.told(r)
					}
				}
			}
		}()
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			hand.came(time.Now(), p.Timestamp, int64(track.Codec().ClockRate))
		}
	})
	player.must("/whep/tea?seat=" + ann.people()["Ann"])
	sound, picture := hands[webrtc.RTPCodecTypeAudio], hands[webrtc.RTPCodecTypeVideo]
	// Whoever has no processor sends late, and reports what is not so: one quiet moment tells.
	watch(t, ann.Room, func(parley.Stats) string {
		heard, ok := sound.usual()
		seen, too := picture.usual()
		if !ok || !too {
			return "too few reports, or packets"
		}
		sound.again()
		picture.again()
		words := fmt.Sprintf("sound comes %v after its moment, the picture %v", heard, seen)
		if (heard-seen).Abs() > 5*time.Millisecond || heard.Abs() > 30*time.Millisecond { // here, all have one clock
			return words
		}
		t.Log(words)
		return ""
	})
}
