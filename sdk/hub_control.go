package parley

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

// maxHubMessage is the longest message of the hub that is read, in bytes: all places of a large room.
const maxHubMessage = 128 << 10

// Withheld says why somebody's picture does not come although it is wanted.
type Withheld string

// Reasons of Withheld.
const (
	WithheldBandwidth Withheld = "bandwidth" // our network does not carry it beside the others
	WithheldPublisher Withheld = "publisher" // nothing comes from them
	WithheldCodec     Withheld = "codec"     // this program does not understand what they send
)

// hubMessage is a message of the control channel of a link with the hub, either way (docs/protocol.md, The hub).
type hubMessage struct {
	Type     string          `json:"type"`
	ID       uint64          `json:"id,omitempty"`
	Show     []signal.Want   `json:"show,omitempty"`
	Places   []hubPlace      `json:"places,omitempty"`
	Speakers []string        `json:"speakers,omitempty"`
	Layers   []hubLayers     `json:"layers,omitempty"`
	Seats    []hubNetwork    `json:"seats,omitempty"`
	To       string          `json:"to,omitempty"`
	From     string          `json:"from,omitempty"`
	Message  json.RawMessage `json:"message,omitempty"`
}

type hubPlace struct {
	signal.Place
	Paused Withheld `json:"paused,omitempty"`
}

type hubLayers struct {
	Mid  string   `json:"mid"`
	Rids []string `json:"rids"`
}

type hubNetwork struct {
	Seat  string `json:"seat"`
	Level int    `json:"level"`
	Why   string `json:"why"`
}

// say sends a message to the hub, or reports false. What cannot be sent now is of no use later.
func (t *trunk) say(m hubMessage) bool {
	b, err := json.Marshal(m)
	return err == nil && t.control.ReadyState() == webrtc.DataChannelStateOpen && t.control.BufferedAmount() < maxControl &&
		t.control.SendText(string(b)) == nil
}

// throb asks for a sign of life when it is time: the hub has no beats.
func (t *trunk) throb(now time.Time) {
	if now.Sub(t.pulse.sent) < beatEach {
		return
	}
	t.pulse.sent = now
	t.say(hubMessage{Type: "ping", ID: uint64(now.Sub(t.pulse.epoch)/time.Millisecond) + 1})
}

// furnishHub tells the hub what is wanted, when that changed, and makes more places when there are too few.
func (s *state) furnishHub() {
	h := &s.hub
	h.showDue = time.Time{}
	for _, t := range []*trunk{h.main, h.next} {
		if t == nil || t.gone {
			continue
		}
		if err := t.grow(len(s.wantsNow())); err != nil {
			s.trouble(err)
		}
		if t.more && !t.asked {
			s.offerTrunk(t, false)
		}
		if t.gone {
			continue
		}
		if list := s.assignPlaces(t); wantsText(list) != t.said && t.control.ReadyState() == webrtc.DataChannelStateOpen {
			if wait := h.shown.Add(showEach); s.now.Before(wait) {
				h.showDue = wait
			} else if t.tellShow(list) {
				h.shown, t.said = s.now, wantsText(list)
			}
		}
		s.settlePlaces(t)
	}
}

// tellShow says what the places are to show; an empty list is one too.
func (t *trunk) tellShow(list []signal.Want) bool {
	if list == nil {
		list = []signal.Want{}
	}
	b, err := json.Marshal(struct {
		Type string        `json:"type"`
		Show []signal.Want `json:"show"`
	}{"show", list})
	return err == nil && t.control.BufferedAmount() < maxControl && t.control.SendText(string(b)) == nil
}

// hubHears reads what the hub says. It runs in a goroutine of the transport.
func (s *state) hubHears(t *trunk, m webrtc.DataChannelMessage) {
	var x hubMessage
	if !m.IsString || len(m.Data) > maxHubMessage || json.Unmarshal(m.Data, &x) != nil {
		return // a word of a newer hub
	}
	if x.Type == "pong" {
		if now := time.Since(t.pulse.epoch); x.ID > 0 {
			t.pulse.beats.Store(true)
			t.pulse.ponged(now, now.Truncate(time.Millisecond)-time.Duration(x.ID-1)*time.Millisecond)
		}
		return
	}
	s.post(func(s *state) {
		if !t.gone && !t.probe {
			s.hubSays(t, x)
		}
	})
}

// hubSays obeys one message of the hub.
func (s *state) hubSays(t *trunk, m hubMessage) {
	switch m.Type {
	case "places":
		list := make([]signal.Place, 0, len(m.Places))
		withheld := make(map[string]map[Source]Withheld)
		for _, p := range m.Places {
			list = append(list, p.Place)
			if p.Paused != "" && p.Seat != "" {
				if withheld[p.Seat] == nil {
					withheld[p.Seat] = make(map[Source]Withheld)
				}
				withheld[p.Seat][p.Source] = p.Paused
			}
		}
		t.shows(list)
		s.settlePlaces(t)
		s.hub.withheld = withheld
	case "speakers":
		s.speak(m.Speakers)
	case "layers":
		t.needs(m.Layers)
		s.admitTrunk(t)
	case "told":
		s.hubTold(m)
	case "network":
		for _, x := range m.Seats {
			s.judged(x)
		}
	}
}

// hubTold takes what somebody tells us through the hub. Only what is sealed itself is heard: the rest the hub could have made
// up.
func (s *state) hubTold(m hubMessage) {
	var c controlMessage
	if json.Unmarshal(m.Message, &c) != nil || c.Type != "keys" {
		return
	}
	if seat, box := s.people[m.From], c.Box; seat != nil {
		if text, ok := box.(string); ok {
			s.boxCame(seat.Session, text)
		}
	}
}

// needs notes which of our pictures anybody shows, in which sizes.
func (t *trunk) needs(list []hubLayers) {
	for source, x := range t.senders {
		for _, l := range list {
			if l.Mid == x.Mid() && kindOf(source) == webrtc.RTPCodecTypeVideo {
				t.needed[source] = l.Rids
			}
		}
	}
}

// speak tells who speaks.
func (s *state) speak(seats []string) {
	if !slices.Equal(s.hub.speakers, seats) {
		s.hub.speakers = slices.Clone(seats)
		s.emit(SpeakersChanged{Seats: slices.Clone(seats)})
	}
}

// judged tells how somebody's network does, as the hub sees it.
func (s *state) judged(x hubNetwork) {
	seat := s.people[x.Seat]
	if seat == nil || x.Level < 0 || x.Level > 2 {
		return
	}
	q := Quality{Level: x.Level, Reason: "none"}
	if x.Level < 2 {
		q.Reason = map[string]string{"upload": "upload-small", "download": "download-small", "delay": "delay"}[x.Why]
		if q.Reason == "" {
			q.Reason = "loss"
		}
	}
	if old, known := s.hub.quality[x.Seat]; known && old == q {
		return
	}
	s.hub.quality[x.Seat] = q
	s.emit(QualityChanged{Person: s.person(seat), Quality: q})
}
