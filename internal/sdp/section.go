package sdp

import (
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/pion/sdp/v3"
)

// section reads one section; t is what the session said of the transport, and takes what the section says of it.
func (r *reader) section(s *Section, m *sdp.MediaDescription, t *transport) {
	line := "m=" + m.MediaName.Media
	s.media = m.MediaName.Media
	s.protocol = strings.Join(m.MediaName.Protos, "/")
	s.formats = strings.Join(m.MediaName.Formats, " ")
	s.Direction = SendReceive
	s.Kind = map[string]Kind{"audio": Audio, "video": Video, "application": Application}[s.media]
	if !names(s.media) || !names(strings.ReplaceAll(s.formats, " ", "")) {
		r.blame(line, "it is not a media type with its formats")
	}
	if len(m.MediaName.Formats) > MaxCodecs {
		r.blame(line, "it has more than "+strconv.Itoa(MaxCodecs)+" formats")
	}
	codecs := r.formats(s, m.MediaName.Formats)
	bundleOnly := false
	for _, a := range m.Attributes {
		switch a.Key {
		case "mid":
			s.MID = r.name("a=mid:"+a.Value, a.Value)
		case "bundle-only":
			bundleOnly = true
		case "inactive", "sendonly", "recvonly", "sendrecv":
			s.Direction = direction(a.Key)
		case "rtcp-mux":
			s.muxed = true
		case "rtcp-rsize":
			s.reduced = true
		case "rtpmap", "fmtp", "rtcp-fb":
			r.codec(s, codecs, a)
		case "extmap":
			r.extension(s, a.Value)
		case "rid", "simulcast":
			r.layers(s, a)
		case "ssrc", "ssrc-group", "msid":
			r.source(s, a)
		case "sctp-port", "max-message-size":
			r.data(s, a)
		default:
			t.read(r, a)
		}
	}
	r.retransmissions(s)
	if s.MID == "" {
		r.blame(line, "its section has no a=mid")
	}
	// Port 0 is the offerer's way to end a section, unless the section is offered on the others' transport only.
	if m.MediaName.Port.Value == 0 && !bundleOnly {
		s.Rejected, s.Why = true, "the peer has ended it"
	}
}

// direction is the one of a name that is known to be one.
func direction(name string) Direction {
	for d, n := range directions {
		if n == name {
			return Direction(d)
		}
	}
	return SendReceive
}

// names reports whether s is a token (RFC 8866 §9): what may be repeated in our own text.
func names(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ', c >= 0x7f, strings.IndexByte(`"(),/:;<=>?@[\]`, c) >= 0:
			return false
		}
	}
	return true
}

// name takes a mid or rid that an answer will repeat.
func (r *reader) name(line, value string) string {
	if value == "" || len(value) > maxName || !names(value) {
		r.blame(line, "a name is a token of up to 255 characters")
	}
	return value
}

// formats makes the codecs of an RTP section's payload types, in their order.
func (r *reader) formats(s *Section, formats []string) map[string]int {
	if s.Kind != Audio && s.Kind != Video {
		return nil
	}
	at := make(map[string]int, len(formats))
	for _, f := range formats {
		pt, err := strconv.ParseUint(f, 10, 8)
		if err != nil || pt > 127 {
			r.blame("m="+s.media, "payload type "+short(f)+" is not a number from 0 to 127")
			return nil
		}
		if _, ok := at[f]; ok {
			r.blame("m="+s.media, "payload type "+f+" is listed twice")
			return nil
		}
		at[f] = len(s.Codecs)
		s.Codecs = append(s.Codecs, Codec{PT: uint8(pt)})
	}
	return at
}

// codec reads what is said of one payload type. Those that the m= line does not list are passed over.
func (r *reader) codec(s *Section, at map[string]int, a sdp.Attribute) {
	format, value, _ := strings.Cut(a.Value, " ")
	if a.Key == "rtcp-fb" && format == "*" {
		for i := range s.Codecs {
			s.Codecs[i].Feedback |= feedback(value)
		}
		return
	}
	i, ok := at[format]
	if !ok {
		return
	}
	c := &s.Codecs[i]
	switch a.Key {
	case "rtcp-fb":
		c.Feedback |= feedback(value)
	case "fmtp":
		c.Format = strings.TrimSpace(value)
	case "rtpmap":
		parts := strings.SplitN(strings.TrimSpace(value), "/", 3)
		if len(parts) < 2 || !names(parts[0]) {
			r.blame("a=rtpmap:"+a.Value, "it is not a name and a clock rate")
			return
		}
		clock, err := strconv.ParseUint(parts[1], 10, 32)
		if err != nil || clock == 0 {
			r.blame("a=rtpmap:"+a.Value, "its clock rate is not a number")
			return
		}
		c.Name, c.Clock, c.Channels = parts[0], uint32(clock), 1
		if len(parts) == 2 && strings.EqualFold(c.Name, "opus") {
			c.Channels = 2 // there is no other number (RFC 7587 §7), and hand-made descriptions leave it out
		}
		if len(parts) == 3 {
			if n, err := strconv.ParseUint(parts[2], 10, 8); err == nil {
				c.Channels = uint8(n)
			}
		}
		if s.Kind == Video {
			c.Channels = 0
		}
		c.Codec = known(s.Kind, c)
	}
}

func feedback(value string) Feedback {
	for _, f := range feedbacks {
		if f.text == value {
			return f.bit
		}
	}
	return 0
}

// known is the payload format with the name, if we can look into it.
func known(k Kind, c *Codec) rtp.Codec {
	name := strings.ToLower(c.Name)
	switch {
	case k == Audio && c.Clock == 48000 && c.Channels == 2 && name == "opus":
		return rtp.Opus
	case k == Audio && c.Clock == 48000 && name == "red":
		return rtp.RED
	case k == Video && c.Clock == 90000:
		return map[string]rtp.Codec{"vp8": rtp.VP8, "vp9": rtp.VP9, "h264": rtp.H264, "av1": rtp.AV1}[name]
	}
	return rtp.NoCodec
}

// retransmissions folds a=fmtp:… apt=… into the codec that is retransmitted, and takes the payload types of retransmission off
// the list.
func (r *reader) retransmissions(s *Section) {
	kept := s.Codecs[:0:0]
	for _, c := range s.Codecs {
		if !strings.EqualFold(c.Name, "rtx") {
			kept = append(kept, c)
		}
	}
	for _, c := range s.Codecs {
		if !strings.EqualFold(c.Name, "rtx") {
			continue
		}
		apt, err := strconv.ParseUint(c.Parameter("apt"), 10, 8)
		if err != nil {
			continue
		}
		for i := range kept {
			if kept[i].PT == uint8(apt) && kept[i].RTX == 0 {
				kept[i].RTX = c.PT
			}
		}
	}
	s.Codecs = kept
}

// Parameter returns the value of a parameter of a=fmtp, "" when it is not there.
func (c *Codec) Parameter(name string) string {
	for p := range strings.SplitSeq(c.Format, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(k, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// extension reads a=extmap (RFC 8285 §5). Those that we do not know are passed over.
func (r *reader) extension(s *Section, value string) {
	line := "a=extmap:" + value
	name, rest, ok := strings.Cut(value, " ")
	if !ok {
		r.blame(line, "it has no URI")
		return
	}
	number, way, oneWay := strings.Cut(name, "/")
	id, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		r.blame(line, "its id is not a number")
		return
	}
	uri, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	k := rtp.KindOf(uri)
	// Ids above 255 ask the answerer to choose one (RFC 8285 §6), which no browser does; 15 cannot stand in the one-byte form.
	if k == rtp.NoKind || id == 0 || id == 15 || id > 255 || s.Extensions[k] != 0 {
		return
	}
	s.Extensions[k], s.ExtensionsOneWay[k] = uint8(id), SendReceive
	if oneWay {
		s.ExtensionsOneWay[k] = direction(way)
	}
}

func (r *reader) data(s *Section, a sdp.Attribute) {
	line := "a=" + a.Key + ":" + a.Value
	bits := 64
	if a.Key == "sctp-port" {
		bits = 16
	}
	n, err := strconv.ParseUint(a.Value, 10, bits)
	if err != nil {
		r.blame(line, "it is not a number")
		return
	}
	if a.Key == "sctp-port" {
		s.SCTPPort = uint16(n)
	} else {
		s.MaxMessageSize = n
	}
}
