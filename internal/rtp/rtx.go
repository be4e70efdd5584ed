package rtp

import "encoding/binary"

// SplitRTX takes the payload of a retransmission apart into the sequence number that the packet had and its payload (RFC 4588
// §4). It is false for a payload that is too short, as padding sent on a retransmission stream is.
func SplitRTX(payload []byte) (original uint16, rest []byte, ok bool) {
	if len(payload) < 2 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint16(payload), payload[2:], true
}

// AppendRTX appends the retransmission of a stored packet: f is what the retransmission stream says of it (its own SSRC, payload
// type and number; timestamp and marker as they were sent), sent the packet as it was sent before, header and all. Its
// extensions are taken over but for that with the id number, if not 0, which gets a new transport-wide number: every packet on
// the way has its own.
func AppendRTX(dst []byte, f Fields, h *Header, sent []byte, numberID uint8, number uint16) []byte {
	w := Begin(dst, f)
	for e := h.Elements(sent); e.Next(); {
		if e.ID != numberID {
			w.Extension(e.ID, e.Value)
		}
	}
	w.Uint16(numberID, number)
	w.Original(h.Sequence)
	w.Payload(h.Payload(sent))
	return w.Bytes()
}
