package quality

import "time"

// Reason names what is wrong, for programs.
type Reason string

// The reasons. Only those up to CPU are said to others.
const (
	None          Reason = "none"
	UploadSmall   Reason = "upload-small"   // what is sent does not fit
	DownloadSmall Reason = "download-small" // what is received does not fit
	Loss          Reason = "loss"           // packets vanish, whatever the rate
	Delay         Reason = "delay"          // a long way
	Jitter        Reason = "jitter"         // packets come in fits and starts
	RelayTCP      Reason = "relay-tcp"      // a relay over TCP or TLS: one late packet holds up all
	CPU           Reason = "cpu"            // the machine does not keep up
	TheirNetwork  Reason = "their-network"
	TheirDevice   Reason = "their-device"
	Reconnecting  Reason = "reconnecting"
)

// Spoken makes a reason of what another side said: any that is not known is a trouble of theirs.
func Spoken(text string) Reason {
	switch r := Reason(text); r {
	case None, UploadSmall, DownloadSmall, Delay, Jitter, RelayTCP, CPU, Reconnecting:
		return r
	}
	return Loss
}

// Flow is one stream over the last look. The zero value is one that does not flow.
type Flow struct {
	// Bps is what flows, in bits of payload a second.
	Bps float64
	// LostPercent is the share of packets that did not arrive.
	LostPercent float64
	// FPS is how many pictures came a second.
	FPS float64
	// Buffer is how long packets wait at the receiver, 0 where that is not known.
	Buffer time.Duration
}

func (f Flow) flows() bool { return f.Bps > 0 }

// Told is what the other side says about its own network and machine.
type Told struct {
	// Level is 0 (bad), 1 (fair) or 2 (good).
	Level int
	// Reason is what is wrong.
	Reason Reason
	// Paused says that their picture is held back to keep the sound.
	Paused bool
}

// Evidence is what is known of a link at a moment.
type Evidence struct {
	// Sound and Picture are what leaves, as the receiver reports it; Heard and Seen are what arrives.
	Sound, Picture, Heard, Seen Flow
	// Trip is the round-trip time, 0 while unknown; Stream says that we reach our relay over TCP or TLS.
	Trip   time.Duration
	Stream bool
	// Frozen is the share of the last seconds in which their picture stood still, 0…1.
	Frozen float64
	// Told is nil until the other side says something.
	Told *Told
	// AccessSwells says that the way to the server swells too, which nobody but our own network can be the cause of.
	AccessSwells bool
	// OthersLose and OthersMiss say whether other links of ours suffer in the same direction at this moment; nil when
	// there is no other link to compare.
	OthersLose, OthersMiss *bool
}

// Verdict is a direction of a link, judged.
type Verdict struct {
	// Level is 0 (bad), 1 (fair) or 2 (good).
	Level int
	// Reason is why it is not good.
	Reason Reason
	// Score is that of the sound, 1…4.5; 0 when none flows.
	Score float64
}

const (
	// lossPercent is what is not chance any more.
	lossPercent = 3
	// longTrip is the round trip from which on people begin to talk at the same time.
	longTrip = 300 * time.Millisecond
)

func heard(f Flow, trip time.Duration) (level int, score float64) {
	if !f.flows() {
		return 2, 0
	}
	score = SoundScore(f, trip)
	return LevelOf(score), score
}

// Leaving judges what leaves: what the other side gets of us, as far as it reports it. The reason names the symptom.
func Leaving(e Evidence) Verdict {
	level, score := heard(e.Sound, e.Trip)
	if level == 2 {
		return Verdict{Level: 2, Reason: None, Score: score}
	}
	return Verdict{Level: level, Reason: symptom(e, max(e.Sound.LostPercent, e.Picture.LostPercent)), Score: score}
}

// Arriving judges what arrives. The reason names the symptom; whose fault it is has yet to be found out.
func Arriving(e Evidence) Verdict {
	level, score := heard(e.Heard, e.Trip)
	seen := 4.5
	if e.Seen.FPS > 0 && e.Frozen > 0 {
		// A picture that comes on or goes off shows few frames for a second; only standing still is a fault.
		seen = PictureScore(max(e.Seen.FPS, 10), e.Frozen)
	}
	if level = min(level, LevelOf(seen)); level == 2 {
		return Verdict{Level: 2, Reason: None, Score: score}
	}
	return Verdict{Level: level, Reason: symptom(e, max(e.Heard.LostPercent, e.Seen.LostPercent)), Score: score}
}

func symptom(e Evidence, lost float64) Reason {
	switch {
	case lost >= lossPercent:
		return Loss
	case e.Stream:
		return RelayTCP
	case e.Trip > longTrip:
		return Delay
	}
	return Jitter // without a long way it is the waiting for late packets that takes the time, or makes the gaps
}

// Mine is our own part in a link: what of its trouble our network or machine causes. Whoever sends answers for the way
// out, as uploads are the narrow part, unless the receiver has proof that it is theirs. So both sides come to the same
// answer.
func Mine(e Evidence) Verdict {
	out, into := Leaving(e), Arriving(e)
	first := out
	if !e.AccessSwells && (e.Told != nil && e.Told.Reason == DownloadSmall || e.OthersLose != nil && !*e.OthersLose) {
		first = Verdict{Level: 2, Reason: None, Score: out.Score}
	}
	if into.Level < first.Level && (e.AccessSwells || e.OthersMiss != nil && *e.OthersMiss) {
		return Verdict{Level: into.Level, Reason: DownloadSmall, Score: out.Score}
	}
	return first
}

// Theirs is how the other one comes through, with whose fault it is.
func Theirs(e Evidence) Verdict {
	into := Arriving(e)
	weak, blame := e.Told != nil && e.Told.Level < 2, TheirNetwork
	if weak && e.Told.Reason == CPU {
		blame = TheirDevice
	}
	switch {
	case weak && e.Told.Level <= into.Level:
		into.Level, into.Reason = e.Told.Level, blame
	case into.Level == 2:
	case e.AccessSwells || e.OthersMiss != nil && *e.OthersMiss:
		into.Reason = DownloadSmall
	case weak || into.Reason == Loss:
		// What vanishes is the sender's to answer for, who may not know it yet; a long or uneven way is nobody's fault.
		into.Reason = blame
	}
	return into
}
