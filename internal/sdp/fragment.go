package sdp

import (
	"strconv"
	"strings"
)

// Bounds of a fragment.
const (
	// MaxFragment is the longest fragment that is read, in bytes.
	MaxFragment = 64 << 10
	// MaxCandidates is how many candidates one may hold.
	MaxCandidates = 256
)

// Fragment is what an offerer says of its ICE alone: application/trickle-ice-sdpfrag (RFC 8840 §9). A server that is ICE-lite
// learns the peer's addresses from its checks, so candidates are read for their form and counted only.
type Fragment struct {
	// ICE is whose fragment it is. Ufrag and Password are both empty when it does not say.
	ICE ICE
	// Bundle holds the mids of a=group:BUNDLE.
	Bundle []string
	// Sections are in its order.
	Sections []FragmentSection
	// Candidates is how many there are, and End says that there will be no more.
	Candidates int
	End        bool
}

// FragmentSection is a section of a fragment: a pseudo m= line (RFC 8840 §9.2) and its name.
type FragmentSection struct{ Media, MID string }

// ParseFragment reads a fragment. The error is a [Fault].
func ParseFragment(text string) (*Fragment, error) {
	if len(text) > MaxFragment {
		return nil, &Fault{Why: "it is longer than " + strconv.Itoa(MaxFragment) + " bytes"}
	}
	f := &fragmentReader{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue // written by some at the end
		}
		if why := f.line(line); why != "" {
			return nil, &Fault{n, short(line), why}
		}
	}
	switch {
	case n == 0:
		return nil, &Fault{Why: "it is empty"}
	case f.ICE.Ufrag == "" && f.ICE.Password != "", f.ICE.Ufrag != "" && f.ICE.Password == "":
		return nil, &Fault{Why: "a=ice-ufrag and a=ice-pwd come together"}
	case f.ICE.Ufrag == "" && f.Candidates == 0 && !f.End:
		return nil, &Fault{Why: "it has neither candidates nor a=ice-ufrag and a=ice-pwd"}
	case len(f.Sections) > 0 && f.Sections[len(f.Sections)-1].MID == "":
		return nil, &Fault{Why: "its last section has no a=mid"}
	}
	return &f.Fragment, nil
}

type fragmentReader struct{ Fragment }

// line reads one line, and says what is wrong with it.
func (f *fragmentReader) line(line string) (why string) {
	for i := range len(line) {
		if line[i] < ' ' && line[i] != '\t' || line[i] >= 0x7f {
			return "it holds a character that is not ASCII text"
		}
	}
	if len(line) < 2 || line[1] != '=' {
		return "a line is a letter, = and a value"
	}
	value := line[2:]
	switch line[0] {
	case 'm':
		return f.section(value)
	case 'a':
		key, rest, _ := strings.Cut(value, ":")
		return f.attribute(key, rest)
	}
	return "" // a whole description repeats more than it has to
}

func (f *fragmentReader) section(value string) string {
	switch n := len(f.Sections); {
	case n > 0 && f.Sections[n-1].MID == "":
		return "the section before it has no a=mid"
	case n == MaxSections:
		return "there are more than " + strconv.Itoa(MaxSections) + " sections"
	case len(value) > maxName || len(strings.Fields(value)) < 4:
		return "it is not a media type with port, protocol and formats"
	}
	f.Sections = append(f.Sections, FragmentSection{Media: value})
	return ""
}

func (f *fragmentReader) attribute(key, value string) string {
	switch key {
	case "group":
		if mids, ok := strings.CutPrefix(value, "BUNDLE"); ok && len(f.Bundle) == 0 {
			f.Bundle = append(f.Bundle, strings.Fields(mids)...)
		}
		for _, mid := range f.Bundle {
			if len(mid) > maxName || !names(mid) {
				return "a name is a token of up to 255 characters"
			}
		}
	case "mid":
		return f.mid(value)
	case "ice-lite":
		return "we are ICE-lite, so the peer must not be"
	case "ice-ufrag":
		if !iceText(value, 4) {
			return "a fragment has 4 to 256 letters, digits, + or /"
		}
		return same(&f.ICE.Ufrag, value)
	case "ice-pwd":
		if !iceText(value, 22) {
			return "a password has 22 to 256 letters, digits, + or /"
		}
		return same(&f.ICE.Password, value)
	case "ice-options":
		for _, option := range strings.Fields(value) {
			f.ICE.Trickle = f.ICE.Trickle || option == "trickle"
			f.ICE.Renomination = f.ICE.Renomination || option == "renomination"
		}
	case "candidate":
		if f.Candidates++; f.Candidates > MaxCandidates {
			return "there are more than " + strconv.Itoa(MaxCandidates) + " candidates"
		}
		// Foundation, component, transport, priority, address, port, typ and a type (RFC 8839 §5.1).
		if words := strings.Fields(value); len(words) < 8 || words[6] != "typ" {
			return "it is not a candidate"
		}
	case "end-of-candidates":
		f.End = true
	}
	return ""
}

func (f *fragmentReader) mid(value string) string {
	switch n := len(f.Sections); {
	case n == 0:
		return "it stands in no section"
	case f.Sections[n-1].MID != "":
		return "its section has a mid already"
	case value == "" || len(value) > maxName || !names(value):
		return "a name is a token of up to 255 characters"
	default:
		f.Sections[n-1].MID = value
	}
	return ""
}

// same takes a value that all sections, which share one transport, have to agree on.
func same(into *string, value string) string {
	if *into != "" && *into != value {
		return "the sections share one transport, and another one has another value"
	}
	*into = value
	return ""
}

func iceText(s string, least int) bool { return len(s) >= least && len(s) <= 256 && iceChars(s) }

// Answer writes what we say to a fragment that began ICE anew: our credentials and where we are.
func (f *Fragment) Answer(ours ICE, candidates []Candidate) string {
	w := &writer{}
	w.line("a=ice-lite")
	if len(f.Bundle) > 0 {
		w.line("a=group:BUNDLE ", strings.Join(f.Bundle, " "))
	}
	if len(f.Sections) > 0 {
		w.line("m=", f.Sections[0].Media)
		w.line("a=mid:", f.Sections[0].MID)
	}
	w.line("a=ice-ufrag:", ours.Ufrag)
	w.line("a=ice-pwd:", ours.Password)
	if len(f.Sections) > 0 { // without a section there is nowhere to put them
		for i, c := range candidates {
			w.candidate(i, c)
		}
		w.line("a=end-of-candidates")
	}
	return w.String()
}
