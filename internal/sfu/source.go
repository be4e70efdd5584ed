package sfu

import (
	"slices"

	"github.com/parley-rtc/parley/internal/rtp"
)

// source is what a person publishes on one section.
type source struct {
	person  *Person
	mid     string
	name    string
	kind    Kind
	codecs  []Codec
	types   [128]uint8 // index of the codec with this payload type, plus 1
	repairs [128]uint8 // and of the one whose retransmissions have it
	fir     bool       // key frames are to be asked for by FIR
	streams []*stream
	subs    []*place
	heard   int64  // when the last packet of any stream came
	wished  int64  // since when somebody wants it; 0 while nobody does
	silent  bool   // somebody wants it, and nothing comes
	police  police // of sound
	credits map[*Person]*credit
	settled uint64 // in which Room.settled it was given a place
	speech  speech
	asked   asked
}

// asked is which layers somebody wants (dynacast).
type asked struct {
	streams uint8 // a bit for each
	told    uint8
	spatial uint8 // the highest wanted of the highest stream
	said    uint8
	since   int64 // since when less is wanted than told
	known   bool
}

func newSource(p *Person, section *Section, name string) *source {
	src := &source{person: p, mid: section.MID, name: name, kind: section.Kind, credits: map[*Person]*credit{}}
	encodings := section.Encodings
	if len(encodings) == 0 {
		encodings = []Encoding{{}}
	}
	for i, e := range encodings[:min(len(encodings), MaxEncodings)] {
		src.streams = append(src.streams, newStream(src, i, e))
	}
	src.agree(section)
	return src
}

// agree takes the section's codecs and declared sources.
func (src *source) agree(section *Section) {
	asked := src.asks()
	src.codecs = section.Codecs[:min(len(section.Codecs), 64)]
	src.types, src.repairs = [128]uint8{}, [128]uint8{}
	pli, fir := false, false
	for i, c := range src.codecs {
		src.types[c.PayloadType&127] = uint8(i + 1)
		if c.RTX != 0 {
			src.repairs[c.RTX&127] = uint8(i + 1)
		}
		pli, fir = pli || c.PLI, fir || c.FIR
	}
	src.fir = fir && !pli
	for i, e := range section.Encodings[:min(len(section.Encodings), len(src.streams))] {
		if s := src.streams[i]; e.SSRC != 0 && e.SSRC != s.ssrc {
			s.ssrc, s.repair, s.anew = e.SSRC, e.RTX, s.begun
		}
	}
	if src.kind != Audio || asked || !src.asks() {
		return
	}
	// What left before that was agreed on may have had extensions that tell when: written anew, it would be another packet
	// under the same nonce.
	for _, s := range src.streams {
		s.repairs.clear()
	}
}

// asks reports whether its publisher repeats what is lost.
func (src *source) asks() bool {
	return slices.ContainsFunc(src.codecs, func(c Codec) bool { return c.NACK })
}

// fits reports whether the source can go on as this section.
func (src *source) fits(section *Section, name string) bool {
	if src.mid != section.MID || src.name != name || src.kind != section.Kind {
		return false
	}
	if len(src.streams) != min(max(len(section.Encodings), 1), MaxEncodings) {
		return false
	}
	for i, e := range section.Encodings[:min(len(section.Encodings), len(src.streams))] {
		if src.streams[i].rid != e.RID {
			return false
		}
	}
	return true
}

func (src *source) clock() uint32 {
	if len(src.codecs) > 0 && src.codecs[0].Clock > 0 {
		return src.codecs[0].Clock
	}
	if src.kind == Audio {
		return 48000
	}
	return 90000
}

// hushed is how long nothing comes of a wanted picture until its receivers are told. A still screen is sent once a second.
const hushed = 5 * second

// listen finds out whether what is wanted comes.
func (src *source) listen(t int64) {
	wanted := slices.ContainsFunc(src.subs, func(pl *place) bool { return !pl.want.Paused && pl.able })
	switch {
	case !wanted:
		src.wished = 0
	case src.wished == 0:
		src.wished = t
	}
	silent := wanted && src.heard != 0 && t-max(src.heard, src.wished) > hushed
	if silent == src.silent {
		return
	}
	src.silent = silent
	for _, pl := range src.subs {
		src.person.room.changed(pl.person)
	}
}

// drop takes a place off the source.
func (src *source) drop(pl *place) {
	for i, sub := range src.subs {
		if sub == pl {
			src.subs[i] = src.subs[len(src.subs)-1]
			src.subs[len(src.subs)-1] = nil
			src.subs = src.subs[:len(src.subs)-1]
			break
		}
	}
	src.person.room.dirty = true
}

// close takes the source off all places.
func (src *source) close(t int64) {
	for len(src.subs) > 0 {
		src.subs[len(src.subs)-1].show(t, nil)
	}
}

// binding says whose an SSRC is.
type binding struct {
	stream *stream
	ssrc   uint32
	repair bool
}

// find returns whose a packet is. What is not known yet is learnt from mid and rid; there is one binding of each kind for each
// stream, so a sender of many SSRCs only replaces its own.
func (u *uplink) find(t int64, pkt []byte, h *rtp.Header, values *rtp.Values) (*stream, bool) {
	if u.last < len(u.bindings) && u.bindings[u.last].ssrc == h.SSRC {
		return u.bindings[u.last].stream, u.bindings[u.last].repair
	}
	for i := range u.bindings {
		if u.bindings[i].ssrc == h.SSRC {
			u.last = i
			return u.bindings[i].stream, u.bindings[i].repair
		}
	}
	return u.learn(t, pkt, h, values)
}

const (
	// rebinding is how long an SSRC keeps a stream against another one.
	rebinding = 200 * milli
)

func (u *uplink) learn(t int64, pkt []byte, h *rtp.Header, values *rtp.Values) (*stream, bool) {
	src := u.sourceOf(pkt, h, values)
	if src == nil {
		return nil, false
	}
	repair := src.types[h.PayloadType] == 0 && src.repairs[h.PayloadType] != 0
	if !repair && src.types[h.PayloadType] == 0 {
		return nil, false
	}
	rid := values.Of(pkt, rtp.RID)
	if repair {
		if rid = values.Of(pkt, rtp.RepairedRID); rid == nil {
			rid = values.Of(pkt, rtp.RID)
		}
	}
	for _, s := range src.streams {
		if s.rid != string(rid) && (rid != nil || len(src.streams) > 1) {
			continue
		}
		if repair {
			s.repair = h.SSRC
		} else {
			if s.begun && t-s.bound < rebinding {
				return nil, false
			}
			s.ssrc, s.bound, s.anew = h.SSRC, t, s.begun
		}
		u.bind()
		return s, repair
	}
	return nil, false
}

// sourceOf is the source that a packet's mid names, or the only one with its payload type.
func (u *uplink) sourceOf(pkt []byte, h *rtp.Header, values *rtp.Values) *source {
	mid := values.Of(pkt, rtp.MID)
	var only *source
	for _, src := range u.sources {
		switch {
		case mid != nil && src.mid == string(mid):
			return src
		case mid == nil && (src.types[h.PayloadType] != 0 || src.repairs[h.PayloadType] != 0):
			if only != nil {
				return nil
			}
			only = src
		}
	}
	if mid != nil {
		return nil
	}
	return only
}

// bind makes the table of all SSRCs anew.
func (u *uplink) bind() {
	u.bindings, u.last = u.bindings[:0], 0
	for _, src := range u.sources {
		for _, s := range src.streams {
			if s.ssrc != 0 {
				u.bindings = append(u.bindings, binding{s, s.ssrc, false})
			}
			if s.repair != 0 {
				u.bindings = append(u.bindings, binding{s, s.repair, true})
			}
		}
	}
}
