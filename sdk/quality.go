package parley

import (
	"encoding/json"
	"math"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/quality"
)

// Quality is how well a person comes through; of this program itself, how well its own network does.
type Quality struct {
	// Level is 0 (bad), 1 (fair) or 2 (good).
	Level int
	// Reason says why it is not good, as in docs/data.md; also "their-network" and "their-device", and "none".
	Reason string
	// Sound is the mean opinion score of the sound by the E-model (ITU-T G.107), 1…4.5, and 0 when none flows. Of this
	// program: what the others hear.
	Sound float64
	// Paused says that their picture is paused to keep the sound. Programs do not pause theirs.
	Paused bool
}

const (
	// lookEach is how often quality is judged.
	lookEach = time.Second
	// soonest is how soon after a look a word of the other side counts; one that comes sooner waits for the next look.
	soonest = 300 * time.Millisecond
	// looks is for how many looks a picture's stillness counts.
	looks = 5
	// reportedFor is how long a receiver's report about what we send is as good as new: browsers send those about sound
	// every five seconds.
	reportedFor = 12 * time.Second
	// maxControlMessage is the longest control message that is read, in bytes (docs/data.md).
	maxControlMessage = 16 << 10
)

// watch judges the quality of every link once a second. The owner of the room has it.
type watch struct {
	due   time.Time
	own   quality.Steady
	shown Quality       // of ourselves
	known bool          // shown was told
	least time.Duration // the shortest round trip to the server that is believed
}

// meterOf is what is known of the quality of a bond.
type meterOf struct {
	at       time.Time
	sent     map[Source]Sent
	received map[Source]Received
	still    []float64
	evidence *quality.Evidence // nil while nothing was measured
	told     *quality.Told
	steady   quality.Steady
	shown    Quality
	known    bool
	weighed  time.Time
	said     string // what we told about ourselves, on link
	on       *link
}

// assess looks at every link when it is time.
func (s *state) assess() {
	w := &s.watch
	if s.me == "" || len(s.links) == 0 {
		w.due = time.Time{}
		return
	}
	if s.now.Before(w.due) {
		return
	}
	w.due = s.now.Add(lookEach)
	for _, main := range s.links {
		if seat := s.holder(main.peer); seat != nil && main.bond.open {
			s.measure(main, seat)
		}
	}
	swells := s.swells()
	for _, main := range s.links {
		if seat := s.holder(main.peer); seat != nil && main.bond.open {
			s.weigh(main, seat, swells)
		}
	}
	s.reflect()
}

// measure takes the figures of the time since the last look.
func (s *state) measure(main *link, seat *signal.Seat) {
	b := main.bond
	q, before := &b.quality, b.quality
	*q = meterOf{
		at: s.now, sent: b.sent(main), received: make(map[Source]Received), still: before.still, told: before.told,
		steady: before.steady, shown: before.shown, known: before.known, weighed: before.weighed,
		said: before.said, on: before.on,
	}
	for source, t := range s.tracks[main.peer] {
		q.received[source] = t.Stats()
	}
	if before.at.IsZero() || !b.active.up {
		return
	}
	took := s.now.Sub(before.at)
	leaves := func(source Source) quality.Flow {
		f := quality.Flow{Bps: float64(q.sent[source].Bytes-before.sent[source].Bytes) * 8 / took.Seconds()}
		if out := b.active.outlets[source]; out != nil {
			f.LostPercent = out.missed(s.now)
		}
		return f
	}
	arrives := func(source Source) quality.Flow {
		r := q.received[source].Since(before.received[source], took)
		return quality.Flow{Bps: r.Bps, LostPercent: r.LostPercent, FPS: r.FramesPerSecond}
	}
	e := &quality.Evidence{
		Sound: leaves(Microphone), Picture: leaves(Camera), Heard: arrives(Microphone), Seen: arrives(Camera),
		Trip: b.active.way(), Stream: b.active.streams(), Told: q.told,
	}
	if e.Picture.Bps == 0 {
		e.Picture = leaves(Screen)
	}
	if !seat.Media.Camera || q.told != nil && q.told.Paused || s.tracks[main.peer][Camera] == nil {
		q.still = nil
	} else {
		stood := 0.0
		if e.Seen.FPS == 0 {
			stood = 1
		}
		q.still = append(q.still[max(0, len(q.still)-looks+1):], stood)
	}
	for _, share := range q.still {
		e.Frozen += share / looks
	}
	q.evidence = e
}

// swells says whether the way to the server has become long: whatever makes it so lies on our own way out or in.
func (s *state) swells() bool {
	w, trip := &s.watch, s.session.trip
	if trip == 0 {
		return false
	}
	if w.least == 0 || trip < w.least {
		w.least = trip
	}
	w.least = min(trip, w.least+time.Millisecond)
	return trip > 2*w.least+150*time.Millisecond
}

// weigh judges one link, with what the others say beside it.
func (s *state) weigh(main *link, seat *signal.Seat, swells bool) {
	q := &main.bond.quality
	q.weighed = s.now
	verdict, certain := quality.Verdict{Level: 0, Reason: quality.Reconnecting}, true
	switch {
	case main.bond.active.up && q.evidence == nil:
		return // the first look
	case main.bond.active.up:
		q.evidence.AccessSwells, q.evidence.Told = swells, q.told
		q.evidence.OthersLose, q.evidence.OthersMiss = s.beside(main)
		verdict, certain = quality.Theirs(*q.evidence), q.shown.Reason == string(quality.Reconnecting)
	case !main.bond.active.ever:
		return // not connected yet
	default:
		q.told = nil
	}
	paused := q.told != nil && q.told.Paused && seat.Media.Camera
	q.steady.Take(s.now, verdict, certain || paused != q.shown.Paused) // a paused picture is certain
	level, reason, _ := q.steady.Level()
	s.show(seat, &q.shown, &q.known, Quality{Level: level, Reason: string(reason), Sound: verdict.Score, Paused: paused})
}

// beside says whether other links lose or miss something at the moment, nil when there are none.
func (s *state) beside(main *link) (lose, miss *bool) {
	for _, other := range s.links {
		e := other.bond.quality.evidence
		if other == main || e == nil {
			continue
		}
		if lose == nil {
			lose, miss = new(bool), new(bool)
		}
		*lose = *lose || quality.Leaving(*e).Level < 2
		*miss = *miss || quality.Arriving(*e).Level < 2
	}
	return lose, miss
}

// reflect finds out how our own network does, as badly as the worst of its links says, and tells the others.
func (s *state) reflect() {
	w := &s.watch
	var worst *quality.Verdict
	for _, main := range s.links {
		if e := main.bond.quality.evidence; e != nil {
			if v := quality.Mine(*e); worst == nil || v.Level < worst.Level {
				worst = &v
			}
		}
	}
	if worst != nil {
		w.own.Take(s.now, *worst, false)
	}
	level, reason, known := w.own.Level()
	if !known {
		return
	}
	if me := s.people[s.me]; me != nil && worst != nil {
		s.show(me, &w.shown, &w.known, Quality{Level: level, Reason: string(reason), Sound: worst.Score})
	}
	text, err := json.Marshal(controlMessage{Type: "quality", Level: level, Reason: string(reason), Paused: false})
	if err != nil {
		return // numbers and words always fit
	}
	for _, main := range s.links {
		b := main.bond
		q := &b.quality
		if b.open && b.active.up && (q.said != string(text) || q.on != b.active) && b.active.say(string(text)) {
			q.said, q.on = string(text), b.active
		}
	}
}

// show tells the program, and the call's record, what changed.
func (s *state) show(seat *signal.Seat, old *Quality, known *bool, q Quality) {
	before, first := *old, !*known
	*old, *known = q, true
	moved := first || q.Level != before.Level || q.Reason != before.Reason
	flows := q.Sound != 0 && before.Sound == 0 // what flows has a score now
	if !moved && !flows && q.Paused == before.Paused {
		return
	}
	s.emit(QualityChanged{Person: s.person(seat), Quality: q})
	if moved {
		s.report(nil, signal.ReportEvent{
			Kind: signal.ReportQuality, Seat: seat.ID, Level: &q.Level, Score: int(math.Round(q.Sound * 100)), Cause: q.Reason,
		})
	}
}

// controlMessage is a message of the control channel (docs/data.md). What is read may be of any type.
type controlMessage struct {
	Type   any `json:"type"`
	Level  any `json:"level"`
	Reason any `json:"reason"`
	Paused any `json:"paused"`
	Opened any `json:"opened,omitempty"`
	Box    any `json:"box,omitempty"`
}

// hears reads the control messages of the other side. It runs in a goroutine of the transport; however fast they come,
// one of them waits for the owner.
func (s *state) hears(l *link, m webrtc.DataChannelMessage) {
	c := controls(m)
	if c.Type == "keys" {
		if box, ok := c.Box.(string); ok && l.boxes.put(box) {
			s.post(func(s *state) {
				for _, box := range l.boxes.take() {
					s.boxCame(l.peer, box)
				}
			})
		}
		return
	}
	if !l.trusted.Load() {
		return
	}
	if n, ok := c.Opened.(float64); ok && c.Type == "channels" && n >= 0 && n < 1<<32 {
		l.claimed.Store(int64(n))
		return
	}
	told := tolds(c)
	if told == nil || l.told.Swap(told) != nil {
		return
	}
	s.post(func(s *state) {
		told := l.told.Swap(nil)
		main := s.links[l.peer]
		if l.gone || main == nil || main.bond != l.bond {
			return
		}
		q := &l.bond.quality
		q.told = told
		seat := s.holder(l.peer)
		if seat != nil && q.evidence != nil && l.bond.open && s.now.Sub(q.weighed) >= soonest {
			s.weigh(main, seat, q.evidence.AccessSwells)
		}
	})
}

// controls reads a control message; one that is none has no type.
func controls(m webrtc.DataChannelMessage) (c controlMessage) {
	if !m.IsString || len(m.Data) > maxControlMessage || json.Unmarshal(m.Data, &c) != nil {
		return controlMessage{}
	}
	return c
}

// tolds reads what the other side says about its own quality, nil when it is something else or nonsense.
func tolds(c controlMessage) *quality.Told {
	if c.Type != "quality" {
		return nil
	}
	level, isLevel := c.Level.(float64)
	reason, isReason := c.Reason.(string)
	if !isLevel || !isReason || level != 0 && level != 1 && level != 2 {
		return nil
	}
	return &quality.Told{Level: int(level), Reason: quality.Spoken(reason), Paused: c.Paused == true}
}
