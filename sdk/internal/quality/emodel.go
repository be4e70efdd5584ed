// Package quality judges how well a link carries sound and pictures, and whose network it is when it does not: the
// E-model of ITU-T Rec. G.107 (06/2015) as far as a call can vary it,
//
//	R = (Ro − Is) − Idd − Ie,eff
//
// three levels out of its score, and the rules of ADR 0013 for the blame. It is the twin of the files quality-*.ts of
// the TypeScript SDK, so that both ends of a link come to the same answer; their tests share their vectors. Time is an
// argument.
package quality

import (
	"cmp"
	"math"
	"time"
)

// BestRating is the rating of a path with nothing wrong, G.107 §7.7. Ro − Is and the echo terms stay at their defaults.
const BestRating = 93.2

const (
	// unnoticedMS is the delay that nobody notices (mT), G.107 §7.4, default delay sensitivity.
	unnoticedMS = 100
	// opusRobustness is Bpl of Opus with in-band error correction: the fit of rtcscore (ADR 0013).
	opusRobustness = 20
	// speechBps is what Opus uses for speech by default. Silence is coded in next to nothing and says nothing.
	speechBps, leastBps = 32_000, 10_000
)

// DelayImpairment is Idd: what too long a one-way delay from mouth to ear takes off the rating; G.107 §7.4, (7-27) with
// sT = 1.
func DelayImpairment(ms float64) float64 {
	if ms <= unnoticedMS {
		return 0
	}
	x := math.Log2(ms / unnoticedMS)
	bend := func(y float64) float64 { return math.Pow(1+math.Pow(y, 6), 1.0/6) }
	return 25 * (bend(x) - 3*bend(x/3) + 2)
}

// LossImpairment is Ie,eff: what a codec takes off, with independent losses in percent; G.107 §7.5, (7-29) with
// BurstR = 1.
func LossImpairment(ie, bpl, lostPercent float64) float64 {
	return ie + (95-ie)*(lostPercent/(lostPercent+bpl))
}

// OpusImpairment is Ie of Opus for speech at a bitrate in bits per second, 0 when it is not known. G.113 has no values
// for Opus: ADR 0013 tells where these come from.
func OpusImpairment(bps float64) float64 {
	if bps < leastBps {
		bps = speechBps
	}
	return min(30, max(0, 55-4.6*math.Log(bps)))
}

// SpeechRating is the rating R, 0…93.2, of speech through Opus.
func SpeechRating(delayMS, lostPercent, bps float64) float64 {
	r := BestRating - DelayImpairment(delayMS) - LossImpairment(OpusImpairment(bps), opusRobustness, lostPercent)
	return max(0, r)
}

// OpinionScore is the mean opinion score, 1…4.5, that a rating means; G.107 Annex B, (B-4).
func OpinionScore(r float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}

const (
	// device is what capture, packetisation and playing out take beside the network and the jitter buffer.
	device = 40 * time.Millisecond
	// usualBuffer is a jitter buffer that is not known: somebody else's, and that of a program, which has none of ours.
	usualBuffer = 60 * time.Millisecond
)

// SoundScore scores sound, 1…4.5. Half the round trip stands for one way.
func SoundScore(f Flow, trip time.Duration) float64 {
	mouthToEar := device + trip/2 + cmp.Or(f.Buffer, usualBuffer)
	return OpinionScore(SpeechRating(float64(mouthToEar)/float64(time.Millisecond), f.LostPercent, f.Bps))
}

// PictureScore scores how a picture moves, 1…4.5: frames a second, and the share of time in which it stood still, 0…1.
// It says nothing about sharpness, and nothing about slides, which may stand still.
func PictureScore(fps, frozen float64) float64 {
	smooth := 1 - math.Exp(-fps/6)
	return 1 + 3.5*smooth*max(0, 1-3*frozen)
}

// LevelOf makes two, one or no bars out of a score: below 3.1 many are dissatisfied (R 60, G.107 Annex B), from 3.7 on
// few are.
func LevelOf(score float64) int {
	switch {
	case score < 3.1:
		return 0
	case score < 3.7:
		return 1
	}
	return 2
}
