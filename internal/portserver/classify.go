package portserver

import "encoding/binary"

// Kind is what a datagram is by its first byte (RFC 7983 §7, RFC 8656 §12).
type Kind uint8

// The kinds of datagrams.
const (
	Unknown     Kind = iota
	STUN             // 0-3
	DTLS             // 20-63
	ChannelData      // 64-79
	RTP              // 128-191, RTCP as well
)

// Classify tells what a datagram is. Everything that no protocol of ours begins with is Unknown.
func Classify(b []byte) Kind {
	if len(b) == 0 {
		return Unknown
	}
	switch first := b[0]; {
	case first <= 3:
		return STUN
	case first >= 20 && first <= 63:
		return DTLS
	case first >= 64 && first <= 79:
		return ChannelData
	case first >= 128 && first <= 191:
		return RTP
	}
	return Unknown
}

// Protocol is what a connection speaks by its first bytes.
type Protocol uint8

// The protocols of connections.
const (
	Undecided Protocol = iota // more bytes are needed
	TLS                       // a handshake record
	TURN                      // a STUN message, its magic cookie at offset 4
	ICETCP                    // a STUN message framed by RFC 4571, its magic cookie at offset 6
	HTTP                      // a method
	Stranger                  // none of them
)

// SniffLen is how many bytes Sniff needs at most.
const SniffLen = 10

const magicCookie = 0x2112A442

// Sniff tells what a connection speaks by the first bytes it sent. Once it has decided, more bytes do not change it.
func Sniff(b []byte) Protocol {
	switch {
	case len(b) == 0:
		return Undecided
	case b[0] >= 'A' && b[0] <= 'Z':
		return HTTP
	case b[0] == 0x16: // handshake, then the version: 3.x (RFC 8446 §5.1)
		return sniffTLS(b)
	case b[0] <= 3:
		return sniffSTUN(b)
	}
	return Stranger
}

func sniffTLS(b []byte) Protocol {
	switch {
	case len(b) < 2:
		return Undecided
	case b[1] == 3:
		return TLS
	}
	return Stranger
}

// sniffSTUN tells the two framings apart. A length of RFC 4571 is below 1024 for every check of ICE.
func sniffSTUN(b []byte) Protocol {
	switch {
	case len(b) < 8:
		return Undecided
	case binary.BigEndian.Uint32(b[4:8]) == magicCookie:
		return TURN
	case len(b) < SniffLen:
		return Undecided
	case binary.BigEndian.Uint32(b[6:10]) == magicCookie:
		return ICETCP
	}
	return Stranger
}
