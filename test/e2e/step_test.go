package e2e

import (
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

// usual is how late most are: neither what somebody was late with counts, nor a report that was.
func (h *hand) usual() time.Duration {
	slices.Sort(h.late)
	return h.late[len(h.late)/2]
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
	t.Parallel()
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
	watch(t, ann.Room, func(parley.Stats) string {
		for _, hand := range []*hand{sound, picture} {
			hand.mu.Lock()
			enough := hand.reports >= 4 && len(hand.late) >= 60
			hand.mu.Unlock()
			if !enough {
				return "too few reports, or packets"
			}
		}
		return ""
	})
	sound.mu.Lock()
	defer sound.mu.Unlock()
	picture.mu.Lock()
	defer picture.mu.Unlock()
	heard, seen := sound.usual(), picture.usual()
	t.Logf("sound comes %v after its moment, the picture %v; %d and %d reports", heard, seen, sound.reports, picture.reports)
	if apart := heard - seen; apart.Abs() > 10*time.Millisecond {
		t.Errorf("sound and picture are %v apart", apart)
	}
	if heard.Abs() > 50*time.Millisecond { // here, all have one clock
		t.Errorf("sound comes %v after its moment", heard)
	}
}
