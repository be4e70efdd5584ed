package sdp

import (
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// ParseOffer reads an offer. The error is a [Fault].
func ParseOffer(text string) (*Description, error) {
	if len(text) > MaxSize {
		return nil, &Fault{Why: "it is longer than " + strconv.Itoa(MaxSize) + " bytes"}
	}
	if f := shape(text); f != nil {
		return nil, f
	}
	var raw sdp.SessionDescription
	if err := raw.UnmarshalString(text); err != nil {
		return nil, &Fault{Why: "it is not a session description: " + short(err.Error())}
	}
	r := reader{text: text}
	d := r.description(&raw)
	if r.fault != nil {
		return nil, r.fault
	}
	return d, nil
}

// shape looks at the lines as such, so that what is wrong with one can be said with its number.
func shape(text string) *Fault {
	n, sections := 0, 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "" && n > 1: // tolerated by all, written by some at the end
		case n == 1 && line != "v=0":
			return &Fault{n, short(line), "a description begins with v=0"}
		case len(line) < 2 || line[1] != '=':
			return &Fault{n, short(line), "a line is a letter, = and a value"}
		case line[0] == 'm':
			if sections++; sections > MaxSections {
				return &Fault{n, short(line), "there are more than " + strconv.Itoa(MaxSections) + " sections"}
			}
		}
		for i := range len(line) {
			if line[i] < ' ' && line[i] != '\t' || line[i] == 0x7f {
				return &Fault{n, short(line), "it holds a control character"}
			}
		}
	}
	switch {
	case n == 0:
		return &Fault{Why: "it is empty"}
	case sections == 0:
		return &Fault{Why: "it has no section (m=)"}
	}
	return nil
}

// reader keeps the first fault, so that what reads need not ask after each line.
type reader struct {
	text  string
	fault *Fault
	// from is where the current section begins in text, so that a line is found in its own section.
	from int
}

// blame notes that a line is at fault.
func (r *reader) blame(line, why string) {
	if r.fault != nil {
		return
	}
	r.fault = &Fault{Text: short(line), Why: why}
	if i := strings.Index(r.text[r.from:], line); line != "" && i >= 0 {
		r.fault.Line = 1 + strings.Count(r.text[:r.from+i], "\n")
	}
}

// lacks notes that something is missing in a section.
func (r *reader) lacks(why string) { r.blame("", why) }

func short(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

func (r *reader) description(raw *sdp.SessionDescription) *Description {
	d := &Description{}
	var session transport
	for _, a := range raw.Attributes {
		switch a.Key {
		case "group":
			if mids, ok := strings.CutPrefix(a.Value, "BUNDLE"); ok && d.Bundle == nil {
				d.Bundle = strings.Fields(mids)
			}
		case "extmap-allow-mixed":
			d.Mixed = true
		default:
			session.read(r, a)
		}
	}
	seen := map[string]bool{}
	transports := make([]transport, len(raw.MediaDescriptions))
	mixed := 0
	for i, m := range raw.MediaDescriptions {
		r.find(i)
		d.Sections = append(d.Sections, Section{})
		s := &d.Sections[i]
		transports[i] = session
		transports[i].own = false
		r.section(s, m, &transports[i])
		if seen[s.MID] {
			r.blame("a=mid:"+s.MID, "another section has this mid")
		}
		seen[s.MID] = true
		if _, ok := m.Attribute("extmap-allow-mixed"); ok {
			mixed++
		}
		if r.fault != nil {
			return nil
		}
	}
	d.Mixed = d.Mixed || mixed > 0
	r.from = 0
	d.bundle()
	r.share(d, transports)
	return d
}

// find puts from at the m= line of section i; sections are read in order.
func (r *reader) find(i int) {
	if i > 0 {
		r.from++
	}
	if strings.HasPrefix(r.text[r.from:], "m=") {
		return
	}
	if at := strings.Index(r.text[r.from:], "\nm="); at >= 0 {
		r.from += at + 1
	}
}

// bundle rejects what is outside of the one transport. A bundled section may have port 0 (RFC 9143 §7.2.3), any other is
// rejected with it.
func (d *Description) bundle() {
	in := make(map[string]bool, len(d.Bundle))
	for _, mid := range d.Bundle {
		in[mid] = true
	}
	if d.Bundle == nil {
		// Without a group, one section is all that a shared transport can be.
		for i := range d.Sections {
			if s := &d.Sections[i]; !s.Rejected {
				d.Bundle, in[s.MID] = []string{s.MID}, true
				break
			}
		}
	}
	for i := range d.Sections {
		s := &d.Sections[i]
		if !in[s.MID] && !s.Rejected {
			s.Rejected, s.Why = true, "it is not in the BUNDLE group, and there is one transport"
		}
	}
}

// share takes the transport from the first section that has one: bundled sections after it repeat it or say nothing.
func (r *reader) share(d *Description, transports []transport) {
	used := false
	for i := range d.Sections {
		if d.Sections[i].Rejected {
			continue
		}
		used = true
		if t := &transports[i]; t.ice.Ufrag != "" && t.ice.Password != "" {
			d.ICE, d.Fingerprints, d.Setup = t.ice, t.fingerprints, t.setup
			break
		}
	}
	switch {
	case !used:
		return // nothing but rejected sections is a valid way to say that all is over
	case d.ICE.Ufrag == "":
		r.lacks("no section has a=ice-ufrag and a=ice-pwd")
	case len(d.Fingerprints) == 0:
		r.lacks("there is no a=fingerprint of sha-256 or better")
	case d.Setup == 0:
		r.lacks("there is no a=setup of active, passive or actpass")
	}
}
