package mediaserver

import (
	"slices"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
)

// abilities are what we agree on with the writer of an offer.
func abilities(d *sdp.Description) sdp.Able {
	able := sdp.Everything()
	if !d.Mixed {
		// A descriptor with its structure does not fit a header of one-byte form, so it would have to be left out where it counts.
		able.Extensions[rtp.DependencyDescriptor] = false
	}
	return able
}

func kindOf(k sdp.Kind) sfu.Kind {
	if k == sdp.Audio {
		return sfu.Audio
	}
	return sfu.Video
}

// translate puts an agreed section into the forwarder's words. offered is the section of the client's description.
func translate(offered, agreed *sdp.Section, mixed bool) sfu.Section {
	s := sfu.Section{
		MID: agreed.MID, Kind: kindOf(agreed.Kind), Mixed: mixed, ReducedSize: agreed.ReducedSize(),
		Publishes: agreed.Direction.Receives(), Receives: agreed.Direction.Sends(),
	}
	for i := range agreed.Codecs {
		c := &agreed.Codecs[i]
		s.Codecs = append(s.Codecs, sfu.Codec{
			Format: format(c), Codec: c.Codec, PayloadType: c.PT, RTX: c.RTX, Clock: c.Clock,
			NACK: c.Feedback&sdp.NACK != 0, PLI: c.Feedback&sdp.PLI != 0, FIR: c.Feedback&sdp.FIR != 0,
		})
	}
	for k, id := range agreed.Extensions {
		if id != 0 {
			s.Extensions[id] = rtp.Kind(k)
		}
	}
	if s.Publishes {
		s.Encodings = encodings(offered, agreed)
	}
	if s.Receives && len(agreed.Sources) > 0 {
		s.SSRC, s.RTX = agreed.Sources[0].SSRC, agreed.Sources[0].RTX
	}
	return s
}

// encodings are what a client sends in a section, the smallest first. That is the order in which browsers list them unless the page
// wants it otherwise, which common names tell.
func encodings(offered, agreed *sdp.Section) []sfu.Encoding {
	if len(agreed.Layers) == 0 {
		if len(offered.Sources) == 0 {
			return []sfu.Encoding{{}}
		}
		return []sfu.Encoding{{SSRC: offered.Sources[0].SSRC, RTX: offered.Sources[0].RTX}}
	}
	var all []sfu.Encoding
	for _, layer := range agreed.Layers {
		all = append(all, sfu.Encoding{RID: layer.RID})
	}
	switch strings.ToLower(all[0].RID) {
	case "f", "h", "hi", "high", "full", "large":
		if len(all) > 1 && !(all[0].RID == "h" && all[1].RID == "f") {
			slices.Reverse(all)
		}
	}
	return all[:min(len(all), sfu.MaxEncodings)]
}

// format names a codec with what has to be the same at both ends.
func format(c *sdp.Codec) string {
	name := strings.ToLower(c.Name)
	switch c.Codec {
	case rtp.VP9:
		return name + "/" + orZero(c.Parameter("profile-id"))
	case rtp.AV1:
		return name + "/" + orZero(c.Parameter("profile"))
	case rtp.H264:
		return name + "/" + orZero(c.Parameter("packetization-mode")) + "/" + h264Profile(c.Parameter("profile-level-id"))
	case rtp.RED:
		first, _, _ := strings.Cut(c.Format, "/") // the blocks inside name their payload type
		return name + "/" + first
	}
	return name + "/" + strconv.FormatUint(uint64(c.Clock), 10) + "/" + strconv.Itoa(int(max(c.Channels, 1)))
}

func orZero(v string) string {
	if v == "" {
		return "0"
	}
	return v
}

// h264Profile names the profile of a profile-level-id (RFC 6184 §8.1, table 5); the level may differ.
func h264Profile(id string) string {
	n, err := strconv.ParseUint(id, 16, 32)
	if err != nil || len(id) != 6 {
		n = 0x42000a // what it means when it is not there
	}
	profile, constraints := n>>16, n>>8&0xff
	switch {
	case profile == 0x42 && constraints&0x40 != 0, profile == 0x4d && constraints&0x80 != 0, profile == 0x58 && constraints&0xc0 == 0xc0:
		return "constrained-baseline"
	case profile == 0x42, profile == 0x58 && constraints&0x80 != 0:
		return "baseline"
	}
	return strconv.FormatUint(profile<<8|constraints&0xfc, 16)
}
