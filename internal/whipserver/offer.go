package whipserver

import (
	"fmt"
	"net/http"

	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/signal"
)

// maxPlaces is how many sections a player may offer.
const maxPlaces = 64

// check holds an offer against the rules of the protocol. A section that cannot be agreed on refuses the whole: half a session
// would mislead whoever watches (RFC 9725 §4.4.3).
func (k kind) check(d *sdp.Description) *problem {
	able := sdp.Everything()
	count := map[sdp.Kind]int{}
	for i := range d.Sections {
		s := &d.Sections[i]
		why := ""
		agreed := s.Agree(&able, k.direction())
		switch {
		case s.Kind == sdp.Application:
			why = "there are no data channels here"
		case agreed.Rejected:
			why = agreed.Why
		case agreed.Direction != k.direction() && k == whip:
			why = "an encoder offers a=sendonly"
		case agreed.Direction != k.direction():
			why = "a player offers a=recvonly"
		}
		if why != "" {
			return refuse(http.StatusUnprocessableEntity, "unprocessable", fmt.Sprintf("section %d (a=mid:%s) of the offer cannot be used: %s. Offer again without it, or with something else", i+1, s.MID, why))
		}
		count[s.Kind]++
	}
	switch {
	case k == whip && (count[sdp.Audio] > 1 || count[sdp.Video] > 1):
		return refuse(http.StatusUnprocessableEntity, "unprocessable", "the offer has more than one section of a kind: an encoder sends one sound and one picture at most (RFC 9725 §4.4.2)")
	case len(d.Sections) > maxPlaces:
		return refuse(http.StatusUnprocessableEntity, "unprocessable", fmt.Sprintf("the offer has more than %d sections", maxPlaces))
	}
	return nil
}

// tracks names what an encoder publishes.
func tracks(d *sdp.Description, screen bool) []sfu.Track {
	sound, picture := signal.SourceMicrophone, signal.SourceCamera
	if screen {
		sound, picture = signal.SourceScreenAudio, signal.SourceScreen
	}
	var all []sfu.Track
	for i := range d.Sections {
		source := picture
		if d.Sections[i].Kind == sdp.Audio {
			source = sound
		}
		all = append(all, sfu.Track{MID: d.Sections[i].MID, Source: string(source)})
	}
	return all
}

// places are the sections of a player, in their order.
func places(d *sdp.Description) (pictures, sounds []string) {
	for i := range d.Sections {
		if d.Sections[i].Kind == sdp.Audio {
			sounds = append(sounds, d.Sections[i].MID)
		} else {
			pictures = append(pictures, d.Sections[i].MID)
		}
	}
	return pictures, sounds
}
