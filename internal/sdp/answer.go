package sdp

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/internal/rtp"
)

// Answer is what we say to an offer.
type Answer struct {
	// Session and Version are of the o= line: one number for all answers of a connection, and one that grows with each (RFC 8829
	// §5.2.1).
	Session, Version uint64
	ICE              ICE
	Fingerprint      Fingerprint
	// Setup is our DTLS role, Active or Passive: what [Setup.Answer] says of the offer's. It stays when there is a connection.
	Setup Setup
	// Candidates are where we are: all there are, the preferred first.
	Candidates []Candidate
	// Sections are those of the offer, agreed on, as many and in the same order.
	Sections []Section
}

// Candidate is an address that we can be reached at.
type Candidate struct {
	Address netip.AddrPort
	// TCP says that we wait there for connections (RFC 6544), otherwise it is UDP.
	TCP bool
}

// Answer writes the answer to the offer. The error says that it does not fit the offer: our own fault.
func (d *Description) Answer(a *Answer) (string, error) {
	if len(a.Sections) != len(d.Sections) {
		return "", fmt.Errorf("sdp: %d sections answer %d of the offer: our fault", len(a.Sections), len(d.Sections))
	}
	var mids []string
	for i := range a.Sections {
		if a.Sections[i].MID != d.Sections[i].MID {
			return "", fmt.Errorf("sdp: section %d answers %q with %q: our fault", i, d.Sections[i].MID, a.Sections[i].MID)
		}
		if !a.Sections[i].Rejected {
			mids = append(mids, a.Sections[i].MID)
		}
	}
	if len(mids) > 0 && (a.ICE.Ufrag == "" || a.ICE.Password == "" || len(a.Fingerprint.Sum) == 0) {
		return "", errors.New("sdp: an answer needs credentials and a fingerprint: our fault")
	}
	if len(mids) > 0 && (a.Setup != d.Setup.Answer(a.Setup) || a.Setup != Active && a.Setup != Passive) {
		return "", errors.New("sdp: an answer needs a DTLS role that fits the offer's: our fault")
	}
	w := &writer{}
	w.line("v=0")
	w.line("o=- ", strconv.FormatUint(a.Session, 10), " ", strconv.FormatUint(a.Version, 10), " IN IP4 127.0.0.1")
	w.line("s=-")
	w.line("t=0 0")
	w.line("a=ice-lite")
	if len(mids) > 0 {
		w.line("a=group:BUNDLE ", strings.Join(mids, " "))
	}
	if d.Mixed {
		w.line("a=extmap-allow-mixed")
	}
	w.line("a=msid-semantic: WMS *")
	first := true
	for i := range a.Sections {
		s := &a.Sections[i]
		if s.Rejected {
			w.rejected(s)
			continue
		}
		w.section(s)
		w.transport(a, first)
		first = false
	}
	return w.String(), nil
}

type writer struct{ strings.Builder }

func (w *writer) line(parts ...string) {
	for _, p := range parts {
		w.WriteString(p)
	}
	w.WriteString("\r\n")
}

func decimal(pt uint8) string { return strconv.Itoa(int(pt)) }

// rejected writes a section that is not used: port 0, and of the offer only what the form wants (RFC 3264 §6).
func (w *writer) rejected(s *Section) {
	formats := s.formats
	if formats == "" {
		formats = "0"
	}
	w.line("m=", s.media, " 0 ", s.protocol, " ", formats)
	w.line("c=IN IP4 0.0.0.0")
	w.line("a=mid:", s.MID)
	w.line("a=inactive")
}

func (w *writer) section(s *Section) {
	w.WriteString("m=" + s.media + " 9 " + s.protocol)
	for _, c := range s.Codecs {
		w.WriteString(" " + decimal(c.PT))
		if c.RTX != 0 {
			w.WriteString(" " + decimal(c.RTX))
		}
	}
	if s.Kind == Application {
		w.WriteString(" " + s.formats)
	}
	w.line()
	w.line("c=IN IP4 0.0.0.0")
	w.line("a=mid:", s.MID)
	if s.Kind == Application {
		w.line("a=sctp-port:", strconv.Itoa(int(s.SCTPPort)))
		w.line("a=max-message-size:", strconv.FormatUint(s.MaxMessageSize, 10))
		return
	}
	w.line("a=", s.Direction.String())
	w.line("a=rtcp:9 IN IP4 0.0.0.0")
	w.line("a=rtcp-mux")
	if s.reduced {
		w.line("a=rtcp-rsize")
	}
	for k := rtp.NoKind + 1; k < rtp.Kinds; k++ {
		if id := s.Extensions[k]; id != 0 {
			w.line("a=extmap:", decimal(id), way(s.ExtensionsOneWay[k]), " ", k.URI())
		}
	}
	for i := range s.Codecs {
		w.codec(&s.Codecs[i], s.Kind)
	}
	w.layers(s)
	if s.Direction.Sends() {
		w.sources(s)
	}
}

// way is the direction of an extension that is for one way only.
func way(d Direction) string {
	if d == SendReceive {
		return ""
	}
	return "/" + d.String()
}

func (w *writer) codec(c *Codec, k Kind) {
	pt := decimal(c.PT)
	w.WriteString("a=rtpmap:" + pt + " " + c.Name + "/" + strconv.FormatUint(uint64(c.Clock), 10))
	if k == Audio && c.Channels > 1 {
		w.WriteString("/" + decimal(c.Channels))
	}
	w.line()
	if c.Format != "" {
		w.line("a=fmtp:", pt, " ", c.Format)
	}
	for _, f := range feedbacks {
		if c.Feedback&f.bit != 0 {
			w.line("a=rtcp-fb:", pt, " ", f.text)
		}
	}
	if c.RTX != 0 {
		w.line("a=rtpmap:", decimal(c.RTX), " rtx/", strconv.FormatUint(uint64(c.Clock), 10))
		w.line("a=fmtp:", decimal(c.RTX), " apt=", pt)
	}
}

func (w *writer) layers(s *Section) {
	if len(s.Layers) == 0 {
		return
	}
	verb := "recv"
	if s.LayersDirection == SendOnly {
		verb = "send"
	}
	rids := make([]string, len(s.Layers))
	for i, l := range s.Layers {
		w.line("a=rid:", l.RID, " ", verb)
		rids[i] = l.RID
	}
	w.line("a=simulcast:", verb, " ", strings.Join(rids, ";"))
}

// sources declares what we send, so that players without an SDK know streams from the first packet on.
func (w *writer) sources(s *Section) {
	if s.Stream != "" {
		w.line("a=msid:", strings.TrimSpace(s.Stream+" "+s.Track))
	}
	for _, src := range s.Sources {
		ssrcs := []uint32{src.SSRC}
		if src.RTX != 0 {
			w.line(fmt.Sprintf("a=ssrc-group:FID %d %d", src.SSRC, src.RTX))
			ssrcs = append(ssrcs, src.RTX)
		}
		for _, ssrc := range ssrcs {
			n := strconv.FormatUint(uint64(ssrc), 10)
			w.line("a=ssrc:", n, " cname:", src.CNAME)
			if src.Stream != "" {
				w.line("a=ssrc:", n, " msid:", strings.TrimSpace(src.Stream+" "+src.Track))
			}
		}
	}
}

// transport writes what all sections share. Encoders read it from whichever section they like, so it is in each; candidates need
// be in the first only (RFC 9143 §7.1.3).
func (w *writer) transport(a *Answer, first bool) {
	w.line("a=ice-ufrag:", a.ICE.Ufrag)
	w.line("a=ice-pwd:", a.ICE.Password)
	if a.ICE.Renomination {
		w.line("a=ice-options:renomination")
	}
	w.line("a=fingerprint:", a.Fingerprint.Algorithm, " ", colons(a.Fingerprint.Sum))
	w.line("a=setup:", map[Setup]string{Active: "active", Passive: "passive"}[a.Setup])
	if !first {
		return
	}
	for i, c := range a.Candidates {
		w.candidate(i, c)
	}
	w.line("a=end-of-candidates")
}

// colons is how RFC 8122 §5 writes a hash.
func colons(sum []byte) string {
	text := make([]string, len(sum))
	for i := range sum {
		text[i] = strings.ToUpper(hex.EncodeToString(sum[i : i+1]))
	}
	return strings.Join(text, ":")
}

// candidate writes the i-th: a host candidate whose priority falls with i (RFC 8445 §5.1.2.1, RFC 6544 §4.2), all of UDP before
// any of TCP.
func (w *writer) candidate(i int, c Candidate) {
	const host, tcpHost, passive = 126, 90, 4
	protocol, kind, local, end := "udp", host, max(0, 65535-i), ""
	if c.TCP {
		protocol, kind, local, end = "tcp", tcpHost, passive<<13+max(0, 1<<13-1-i), " tcptype passive"
	}
	priority := uint64(kind)<<24 | uint64(local)<<8 | 255
	w.line(fmt.Sprintf("a=candidate:%d 1 %s %d %s %d typ host%s", i+1, protocol, priority, c.Address.Addr().Unmap().WithZone(""), c.Address.Port(), end))
}
