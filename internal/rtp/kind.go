package rtp

// Kind is a header extension that we know, whatever its id is on one connection.
type Kind uint8

// The kinds of header extensions.
const (
	NoKind               Kind = iota
	AudioLevel                // RFC 6464
	AbsSendTime               // when it was sent, 24 bits of 6.18 fixed point seconds
	TransportNumber           // transport-wide sequence number, draft-holmer-rmcat-transport-wide-cc-extensions-01
	MID                       // RFC 9143
	RID                       // RFC 8852
	RepairedRID               // RFC 8852
	TimeOffset                // RFC 5450
	VideoOrientation          // 3GPP TS 26.114 §7.4.5
	PlayoutDelay              // the least and the most delay that a player may choose
	DependencyDescriptor      // AV1 RTP specification, appendix A
	LayersAllocation          // video-layers-allocation00
	AbsCaptureTime            // when it was captured, on the sender's clock
	Kinds                     // how many there are, NoKind included
)

var uris = [Kinds]string{
	AudioLevel:           "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
	AbsSendTime:          "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
	TransportNumber:      "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
	MID:                  "urn:ietf:params:rtp-hdrext:sdes:mid",
	RID:                  "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
	RepairedRID:          "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
	TimeOffset:           "urn:ietf:params:rtp-hdrext:toffset",
	VideoOrientation:     "urn:3gpp:video-orientation",
	PlayoutDelay:         "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
	DependencyDescriptor: "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
	LayersAllocation:     "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
	AbsCaptureTime:       "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
}

// URI is the name under which SDP offers the extension (a=extmap, RFC 8285 §5); "" for NoKind.
func (k Kind) URI() string {
	if k >= Kinds {
		return ""
	}
	return uris[k]
}

// KindOf returns the kind with this URI, NoKind when we do not know it.
func KindOf(uri string) Kind {
	for k := NoKind + 1; k < Kinds; k++ {
		if uris[k] == uri {
			return k
		}
	}
	return NoKind
}

// Table tells the kind of each id that a sender uses. Ids that were not agreed on are NoKind.
type Table [256]Kind

// IDs is the id of each kind on the way to a receiver; 0 where it was not agreed on.
type IDs [Kinds]uint8
