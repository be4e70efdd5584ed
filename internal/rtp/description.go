package rtp

import "encoding/binary"

// itemCNAME is the only item that WebRTC sends (RFC 3550 §6.5.1).
const itemCNAME = 1

// Names walks the sources of a description packet (RFC 3550 §6.5).
//
//	for n := p.Names(); n.Next(); {
//		use(n.SSRC, n.CNAME)
//	}
type Names struct {
	// CNAME is the source's canonical name, nil when it has none. It points into the datagram.
	CNAME []byte
	SSRC  uint32
	rest  []byte
	left  uint8
}

// Names returns a walk over the sources of a description, empty for other packets.
func (p *Control) Names() Names {
	if p.Type != Descriptions {
		return Names{}
	}
	return Names{rest: p.Body, left: p.Count}
}

// Next goes to the next source; false at the end or when the packet ends too early.
func (n *Names) Next() bool {
	if n.left == 0 || len(n.rest) < 4 {
		return false
	}
	n.left--
	n.SSRC, n.CNAME = binary.BigEndian.Uint32(n.rest), nil
	b := n.rest[4:]
	at := 0
	for at < len(b) && b[at] != 0 {
		if len(b) < at+2 || len(b) < at+2+int(b[at+1]) {
			n.left = 0
			return false
		}
		end := at + 2 + int(b[at+1])
		if b[at] == itemCNAME && n.CNAME == nil {
			n.CNAME = b[at+2 : end : end]
		}
		at = end
	}
	// At least one zero byte ends the items, and more of them the word.
	n.rest = b[min(len(b), at&^3+4):]
	return true
}

// AppendCNAME appends a description that gives a source its name; of cname the first 255 bytes are taken.
func AppendCNAME(dst []byte, ssrc uint32, cname string) []byte {
	cname = cname[:min(255, len(cname))]
	dst, at := beginControl(dst, Descriptions, 1)
	dst = binary.BigEndian.AppendUint32(dst, ssrc)
	dst = append(dst, itemCNAME, byte(len(cname)))
	dst = append(dst, cname...)
	return endControl(append(dst, 0), at)
}

// AppendGoodbye appends a BYE for the sources, of which no more than 31 are taken (RFC 3550 §6.6).
func AppendGoodbye(dst []byte, ssrcs ...uint32) []byte {
	ssrcs = ssrcs[:min(31, len(ssrcs))]
	dst, at := beginControl(dst, Goodbye, uint8(len(ssrcs)))
	for _, ssrc := range ssrcs {
		dst = binary.BigEndian.AppendUint32(dst, ssrc)
	}
	return endControl(dst, at)
}
