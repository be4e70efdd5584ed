package sdp

import (
	"slices"
	"strings"

	"github.com/parley-rtc/parley/internal/rtp"
)

// Able is what we can do, the same for all sections.
type Able struct {
	// Codecs are those that we take, the preferred first. Of a kind none of which is offered, a section is rejected.
	Codecs []rtp.Codec
	// Extensions are the header extensions that we take.
	Extensions [rtp.Kinds]bool
	// MaxMessageSize is the longest message we take on a data channel, in bytes; 0 rejects data channels.
	MaxMessageSize uint64
}

// Everything is what our forwarder can do: all that package rtp can look into, sound and pictures with the codec that everybody
// has first.
func Everything() Able {
	a := Able{
		Codecs:         []rtp.Codec{rtp.Opus, rtp.RED, rtp.VP8, rtp.VP9, rtp.H264, rtp.AV1},
		MaxMessageSize: 256 << 10,
	}
	for k := rtp.NoKind + 1; k < rtp.Kinds; k++ {
		a.Extensions[k] = true
	}
	// Offsets from the timestamp and layer allocations are of use to the sender's peer only, which is us, and we have no use.
	a.Extensions[rtp.TimeOffset] = false
	return a
}

// Agree is the section that answers an offered one: what both sides can do, seen from our side, with the direction that the
// offered one and ours allow. It is Rejected, and says Why, when nothing can be agreed on. Sources, Stream and Track are for the
// caller to set when we send (Direction.Sends).
func (s *Section) Agree(able *Able, ours Direction) Section {
	a := Section{
		MID: s.MID, Kind: s.Kind, Direction: s.Direction.Reverse() & ours,
		media: s.media, protocol: s.protocol, formats: s.formats, muxed: true, reduced: s.reduced,
	}
	reject := func(why string) Section {
		a.Rejected, a.Why = true, why
		return a
	}
	switch {
	case s.Rejected:
		return reject(s.Why)
	case s.Kind == Unknown:
		return reject("sections of " + short(s.media) + " are unknown here")
	case s.Kind == Application:
		return s.agreeData(&a, able)
	case !strings.HasSuffix(s.protocol, "TLS/RTP/SAVPF") && !strings.HasSuffix(s.protocol, "TLS/RTP/SAVP"):
		return reject("its protocol is not one of DTLS-SRTP")
	case !s.muxed:
		return reject("it does not offer rtcp-mux")
	}
	a.agreeCodecs(s, able)
	if len(a.Codecs) == 0 {
		return reject("there is no codec that both sides have")
	}
	for k, id := range s.Extensions {
		if id != 0 && able.Extensions[k] {
			a.Extensions[k], a.ExtensionsOneWay[k] = id, s.ExtensionsOneWay[k].Reverse()
		}
	}
	a.agreeRepetition()
	if a.Direction.Receives() && s.LayersDirection == SendOnly {
		a.Layers, a.LayersDirection = slices.Clone(s.Layers), ReceiveOnly
	}
	return a
}

func (s *Section) agreeData(a *Section, able *Able) Section {
	a.Direction = SendReceive
	switch {
	case able.MaxMessageSize == 0:
		a.Rejected, a.Why = true, "there are no data channels here"
	case !strings.HasSuffix(s.protocol, "DTLS/SCTP") || s.formats != "webrtc-datachannel" || s.SCTPPort == 0:
		a.Rejected, a.Why = true, "it is not of data channels as RFC 8841 has them"
	}
	a.SCTPPort, a.MaxMessageSize = s.SCTPPort, able.MaxMessageSize
	return *a
}

// agreeCodecs takes the codecs that both have, in our order of preference and, of one codec, in the peer's.
func (s *Section) agreeCodecs(offer *Section, able *Able) {
	offered := NACK | PLI | FIR | REMB | TransportCC
	for _, codec := range able.Codecs {
		for _, c := range offer.Codecs {
			if c.Codec != codec || !usable(&c, offer) {
				continue
			}
			c.Feedback &= offered
			if c.Feedback&TransportCC != 0 {
				c.Feedback &^= REMB // one estimator is enough
			}
			s.Codecs = append(s.Codecs, c)
		}
	}
}

// agreeRepetition sees to it that sound which the peer sends can be asked for again. Without a format of retransmissions, which sound
// has in no browser, it comes again under its own number, and libwebrtc writes the extensions that tell when a packet left anew: two
// packets under one nonce, which gives the key of AES-GCM's signature away (RFC 7714 §8.1). So such a section has none of these, and
// where we need them ourselves, since we send in it too, nothing is repeated.
func (s *Section) agreeRepetition() {
	if s.Kind != Audio || !s.Direction.Receives() {
		return
	}
	plain := func(c Codec) bool { return c.Feedback&NACK != 0 && c.RTX == 0 }
	if !slices.ContainsFunc(s.Codecs, plain) {
		return
	}
	if s.Direction.Sends() {
		for i := range s.Codecs {
			if plain(s.Codecs[i]) {
				s.Codecs[i].Feedback &^= NACK
			}
		}
		return
	}
	s.Extensions[rtp.TransportNumber], s.Extensions[rtp.AbsSendTime], s.Extensions[rtp.TimeOffset] = 0, 0, 0
	for i := range s.Codecs {
		s.Codecs[i].Feedback &^= TransportCC | REMB
	}
}

// usable reports whether a payload type is of a form that we can look into and that receivers have.
func usable(c *Codec, offer *Section) bool {
	parameter := func(name, otherwise string) string {
		if v := c.Parameter(name); v != "" {
			return v
		}
		return otherwise
	}
	switch c.Codec {
	case rtp.H264:
		return parameter("packetization-mode", "0") == "1" // as all browsers offer; interleaving is for none
	case rtp.VP9:
		return parameter("profile-id", "0") == "0"
	case rtp.AV1:
		return parameter("profile", "0") == "0"
	case rtp.RED:
		// Redundancy for Opus only: a=fmtp:63 111/111.
		first, _, _ := strings.Cut(c.Format, "/")
		return slices.ContainsFunc(offer.Codecs, func(o Codec) bool { return o.Codec == rtp.Opus && decimal(o.PT) == first })
	}
	return c.Codec != rtp.NoCodec
}

// ReducedSize reports whether the writer takes feedback without a report in front (a=rtcp-rsize, RFC 5506); of an agreed section,
// whether the peer does.
func (s *Section) ReducedSize() bool { return s.reduced }
