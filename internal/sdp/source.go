package sdp

import (
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// source reads what the writer declares to send (RFC 5576, RFC 8830).
func (r *reader) source(s *Section, a sdp.Attribute) {
	line := "a=" + a.Key + ":" + a.Value
	switch a.Key {
	case "msid":
		stream, track, _ := strings.Cut(a.Value, " ")
		if s.Stream == "" && len(stream) <= maxName && len(track) <= maxName {
			s.Stream, s.Track = stream, track
		}
	case "ssrc":
		number, rest, _ := strings.Cut(a.Value, " ")
		src := r.declared(s, line, number)
		if src == nil {
			return
		}
		key, value, _ := strings.Cut(rest, ":")
		switch {
		case len(value) > 2*maxName:
		case key == "cname":
			src.CNAME = value
		case key == "msid":
			src.Stream, src.Track, _ = strings.Cut(value, " ")
		}
	case "ssrc-group":
		words := strings.Fields(a.Value)
		if len(words) != 3 || words[0] != "FID" {
			return // SIM says no more than the order of declaration, FEC is not agreed on
		}
		first, second := r.declared(s, line, words[1]), r.declared(s, line, words[2])
		if first == nil || second == nil || words[1] == words[2] {
			return
		}
		rtx := second.SSRC
		for i := range s.Sources {
			if s.Sources[i].SSRC == rtx {
				s.Sources = append(s.Sources[:i], s.Sources[i+1:]...)
				break
			}
		}
		r.declared(s, line, words[1]).RTX = rtx
	}
}

// declared is the source with the number, as it is or new. The retransmissions of another are nobody's own.
func (r *reader) declared(s *Section, line, number string) *Source {
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		r.blame(line, "an SSRC is a number of 32 bits")
		return nil
	}
	for i := range s.Sources {
		switch uint32(n) {
		case s.Sources[i].SSRC:
			return &s.Sources[i]
		case s.Sources[i].RTX:
			if n != 0 {
				return nil
			}
		}
	}
	if len(s.Sources) == MaxSources {
		r.blame(line, "its section declares more than "+strconv.Itoa(MaxSources)+" sources")
		return nil
	}
	s.Sources = append(s.Sources, Source{SSRC: uint32(n)})
	return &s.Sources[len(s.Sources)-1]
}

// layers reads a=rid and a=simulcast (RFC 8851, RFC 8853). Of alternatives, the first is what counts.
func (r *reader) layers(s *Section, a sdp.Attribute) {
	line := "a=" + a.Key + ":" + a.Value
	if a.Key == "rid" {
		rid, rest, _ := strings.Cut(a.Value, " ")
		r.name(line, rid)
		if way, _, _ := strings.Cut(rest, " "); way != "send" && way != "recv" {
			r.blame(line, "a layer is for send or recv")
		}
		return
	}
	words := strings.Fields(a.Value)
	if len(words) != 2 && len(words) != 4 {
		r.blame(line, "it is not a direction and a list of layers, once or twice")
		return
	}
	way := map[string]Direction{"send": SendOnly, "recv": ReceiveOnly}[words[0]]
	if way == 0 {
		r.blame(line, "a direction is send or recv")
		return
	}
	s.Layers, s.LayersDirection = nil, way
	for alternatives := range strings.SplitSeq(words[1], ";") {
		first, _, _ := strings.Cut(alternatives, ",")
		rid, paused := strings.CutPrefix(first, "~")
		if len(s.Layers) == MaxLayers {
			r.blame(line, "it has more than "+strconv.Itoa(MaxLayers)+" layers")
			return
		}
		s.Layers = append(s.Layers, Layer{r.name(line, rid), paused})
	}
}
