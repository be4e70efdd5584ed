package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode"

	parley "github.com/parley-rtc/parley/sdk"
)

// callPrinter writes what happens in a room: for people a plain line each, for programs one JSON object a line.
type callPrinter struct {
	out  io.Writer
	json bool
}

func newCallPrinter(out io.Writer, asJSON bool) *callPrinter {
	return &callPrinter{out: out, json: asJSON}
}

// callLine is one line of --json. Which fields are set depends on Event.
type callLine struct {
	Event    string                          `json:"event"`
	Person   *callPerson                     `json:"person,omitempty"`
	Path     *callPath                       `json:"path,omitempty"`
	Source   parley.Source                   `json:"source,omitempty"`
	Text     string                          `json:"text,omitempty"`
	File     string                          `json:"file,omitempty"`
	Link     string                          `json:"link,omitempty"` // of an encrypted room that was made, with its key
	Online   *bool                           `json:"online,omitempty"`
	Kind     parley.TopologyKind             `json:"kind,omitempty"`     // where the media are, or were moving to
	Next     parley.TopologyKind             `json:"next,omitempty"`     // where they are moving to
	Done     *bool                           `json:"done,omitempty"`     // whether they got there
	GapMs    *float64                        `json:"gapMs,omitempty"`    // the longest pause in anybody's sound
	Lost     *int                            `json:"lost,omitempty"`     // frames of sound
	Speakers []string                        `json:"speakers,omitempty"` // seats, the loudest first
	RTT      float64                         `json:"rttMs,omitempty"`
	Received map[parley.Source]*callReceived `json:"received,omitempty"`
	Sent     map[parley.Source]*callSent     `json:"sent,omitempty"`
}

type callPerson struct {
	ID    string            `json:"id"`
	Name  string            `json:"name"`
	State parley.SeatState  `json:"state,omitempty"`
	Media parley.MediaState `json:"media"`
	// Encryption is how far they are known in an encrypted room.
	Encryption parley.Encryption `json:"encryption,omitempty"`
}

type callPath struct {
	Kind     parley.PathKind `json:"kind"`
	Protocol string          `json:"protocol,omitempty"`
	Server   string          `json:"server,omitempty"`
	Local    string          `json:"local,omitempty"`
	Remote   string          `json:"remote,omitempty"`
}

// callReceived is one received stream over the last second.
type callReceived struct {
	Bps         int      `json:"bps"`
	Packets     uint64   `json:"packets"` // since the beginning
	LostPercent float64  `json:"lostPercent"`
	JitterMs    float64  `json:"jitterMs"`
	Frames      uint64   `json:"frames"` // since the beginning
	FPS         float64  `json:"fps"`
	Width       int      `json:"width,omitempty"`
	Height      int      `json:"height,omitempty"`
	Level       *float64 `json:"levelDbov,omitempty"`
	Tone        bool     `json:"tone,omitempty"`
}

type callSent struct {
	Packets  uint64  `json:"packets"`
	Frames   uint64  `json:"frames"`
	Lost     int64   `json:"lost"`
	JitterMs float64 `json:"jitterMs"`
}

// line prints text, or v with --json.
func (p *callPrinter) line(v callLine, text string) {
	if !p.json {
		_, _ = fmt.Fprintln(p.out, printable(text)) // a closed output is no reason to leave the call
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, _ = fmt.Fprintf(p.out, "%s\n", b) // as above
	}
}

// printable keeps names and texts of strangers from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

func person(p parley.Person) *callPerson {
	return &callPerson{ID: p.ID, Name: p.Name, State: p.State, Media: p.Media, Encryption: p.Encryption}
}

func pathOf(p parley.Path) *callPath {
	return &callPath{Kind: p.Kind, Protocol: p.Protocol, Server: p.Server, Local: p.Local, Remote: p.Remote}
}

// event prints one event.
func (p *callPrinter) event(e parley.Event) {
	switch e := e.(type) {
	case parley.Online:
		text := "connected to the server"
		if !e.Up {
			text = "lost the server; the call goes on while it is being reached again"
		}
		p.line(callLine{Event: "online", Online: &e.Up}, text)
	case parley.Waiting:
		p.line(callLine{Event: "waiting"}, "waiting for a host to let us in")
	case parley.Seated:
		p.line(callLine{Event: "seated", Person: person(e.Me)}, "in the room as "+e.Me.Name)
	case parley.Arrived:
		verb := " joined"
		if e.Person.State == "waiting" {
			verb = " waits to be let in"
		}
		p.line(callLine{Event: "joined", Person: person(e.Person)}, e.Person.Name+verb)
	case parley.Updated:
		p.line(callLine{Event: "updated", Person: person(e.Person)}, e.Person.Name+" is "+doing(e.Person))
	case parley.Departed:
		p.line(callLine{Event: "left", Person: person(e.Person), Text: e.Reason}, e.Person.Name+" "+departed(e.Reason))
	case parley.Chat:
		p.line(callLine{Event: "chat", Person: &callPerson{ID: e.From, Name: e.Name}, Text: e.Text}, e.Name+" says: "+e.Text)
	case parley.Muted:
		p.line(callLine{Event: "muted", Source: e.Source}, "a host turned off our "+string(e.Source))
	case parley.TrackAdded:
		p.line(callLine{
			Event: "track", Person: &callPerson{ID: e.Track.Seat(), Name: e.Track.Name()}, Source: e.Track.Source,
		}, e.Track.Name()+": "+string(e.Track.Source)+" arrives")
	case parley.PathChanged:
		p.line(callLine{Event: "path", Person: person(e.Person), Path: pathOf(e.Path)}, e.Person.Name+": "+e.Path.String())
	case parley.TopologyChanged:
		p.line(callLine{Event: "topology", Kind: e.Topology.Kind, Next: e.Topology.Next}, course(e.Topology))
	case parley.Switched:
		gap := ms(e.Gap)
		p.line(callLine{Event: "switched", Kind: e.Kind, Done: &e.Done, GapMs: &gap, Lost: &e.Lost}, switched(e))
	case parley.SpeakersChanged:
		if p.json { // too much for people: the levels are said each second
			p.line(callLine{Event: "speakers", Speakers: e.Seats}, "")
		}
	case parley.Reaction:
		p.line(callLine{Event: "reaction", Person: &callPerson{ID: e.From}, Text: string(e.Kind)}, "somebody reacts: "+string(e.Kind))
	case parley.Trouble:
		p.line(callLine{Event: "trouble", Text: e.Err.Error()}, "trouble: "+e.Err.Error())
	case parley.Ended:
		text := "the call is over"
		if e.Err != nil {
			text = e.Err.Error()
		}
		p.line(callLine{Event: "ended", Text: text}, text)
	}
}

// invitation prints the link of an encrypted room.
func (p *callPrinter) invitation(link string) {
	p.line(callLine{Event: "encrypted", Link: link}, "the room is end-to-end encrypted; who opens this whole link gets in: "+link)
}

func departed(reason string) string {
	switch reason {
	case "removed":
		return "was removed"
	case "expired":
		return "did not come back"
	case "no-hub":
		return "had to go: there is no way to the hub for everybody"
	}
	return "left"
}

// course says which way the media take.
func course(t parley.Topology) string {
	names := map[parley.TopologyKind]string{parley.TopologyDirect: "from one to the other", parley.TopologyHub: "through the hub"}
	switch {
	case t.Next != "":
		return "the call is moving: it will go " + names[t.Next]
	case t.Kind != "":
		return "the call goes " + names[t.Kind]
	}
	return "the call goes from one to the other; there is no hub"
}

func switched(e parley.Switched) string {
	text := fmt.Sprintf("the call moved in %.0f ms; the longest pause in the sound was %.0f ms, %d frames were lost", ms(e.Took), ms(e.Gap), e.Lost)
	if !e.Done {
		text = "the call stays where it was"
	}
	return text
}

// doing says in words whether somebody is here and what they send.
func doing(p parley.Person) string {
	var on []string
	for _, one := range []struct {
		on   bool
		name string
	}{
		{p.Media.Microphone, "microphone"},
		{p.Media.Camera, "camera"},
		{p.Media.Screen, "screen"},
		{p.Media.ScreenAudio, "screen audio"},
	} {
		if one.on {
			on = append(on, one.name)
		}
	}
	media := "sending nothing"
	if len(on) > 0 {
		media = "sending " + strings.Join(on, ", ")
	}
	if p.Hand != 0 {
		media += ", hand raised"
	}
	switch p.Encryption {
	case parley.EncryptionKnown:
		media += ", key checked"
	case parley.EncryptionPending:
		media += ", key not checked yet"
	case parley.EncryptionStranger:
		media += ", key does not fit: nothing of theirs is played, and nothing of ours is legible to them"
	}
	if p.State == "away" {
		return "away for a moment, " + media
	}
	return "here, " + media
}

// recording says where a track is written.
func (p *callPrinter) recording(t *parley.Track, path string) {
	p.line(callLine{
		Event: "recording", Person: &callPerson{ID: t.Seat(), Name: t.Name()}, Source: t.Source, File: path,
	}, "recording "+t.Name()+"'s "+string(t.Source)+" to "+path)
}

// quality prints what one person's link brought in the last interval.
func (p *callPrinter) quality(now, before parley.LinkStats, interval time.Duration) {
	v := callLine{
		Event: "quality", Person: person(now.Person), Path: pathOf(now.Path), RTT: ms(now.RoundTrip),
		Received: make(map[parley.Source]*callReceived), Sent: make(map[parley.Source]*callSent),
	}
	var words []string
	for _, source := range parley.Sources() {
		if sent, ok := now.Sent[source]; ok {
			v.Sent[source] = &callSent{Packets: sent.Packets, Frames: sent.Frames, Lost: sent.Lost, JitterMs: ms(sent.Jitter)}
		}
		got, ok := now.Received[source]
		if !ok {
			continue
		}
		rate := got.Since(before.Received[source], interval)
		v.Received[source] = received(got, rate)
		words = append(words, describe(source, got, rate))
	}
	if len(words) == 0 {
		words = append(words, "nothing arrives")
	}
	text := now.Person.Name + ": " + strings.Join(words, " | ") + " | " + now.Path.String()
	if now.RoundTrip > 0 {
		text += fmt.Sprintf(", round trip %.1f ms", ms(now.RoundTrip))
	}
	p.line(v, text)
}

func received(r parley.Received, rate parley.Rate) *callReceived {
	v := &callReceived{
		Bps: int(rate.Bps), Packets: r.Packets, LostPercent: round(rate.LostPercent), JitterMs: ms(r.Jitter),
		Frames: r.Frames, FPS: round(rate.FramesPerSecond), Width: r.Width, Height: r.Height, Tone: r.Tone,
	}
	if r.Leveled {
		level := round(r.Level)
		v.Level = &level
	}
	return v
}

func describe(source parley.Source, r parley.Received, rate parley.Rate) string {
	text := fmt.Sprintf("%s %.0f kbit/s", source, rate.Bps/1000)
	if r.Width > 0 {
		text += fmt.Sprintf(", %dx%d at %.0f frames/s", r.Width, r.Height, rate.FramesPerSecond)
	}
	text += fmt.Sprintf(", %.1f %% lost, jitter %.1f ms", rate.LostPercent, ms(r.Jitter))
	if r.Leveled {
		text += fmt.Sprintf(", %.0f dBov", r.Level)
	}
	if r.Tone {
		text += ", a 440 Hz tone"
	}
	return text
}

func ms(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }

// round keeps two decimals.
func round(v float64) float64 { return math.Round(v*100) / 100 }
