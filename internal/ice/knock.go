package ice

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// Knock answers a check with one of our own, for the path that it came from; nil when the check nominates its path already, or
// does not name both sides. password is the peer's. What comes back is of no use to us and counts as Foreign.
//
// A lite agent has nothing to ask (RFC 8445 §2.5). But a peer that controls and waits for the best of its pairs, as pion does,
// nominates the moment that the other side checks too, and otherwise 200 ms later, on its next tick: the knock spares it that. It
// goes nowhere where no authenticated check came from.
func Knock(m *Message, password string) []byte {
	ours, theirs, ok := bytes.Cut(m.username, []byte{':'})
	if m.useCandidate || !ok || password == "" {
		return nil
	}
	b := make([]byte, headerSize, headerSize+3*attrHeaderSize+len(m.username)+3+4+8+integritySize+2*attrHeaderSize+fingerprintSize)
	binary.BigEndian.PutUint16(b, typeBindingRequest)
	copy(b[4:], m.raw[4:headerSize])
	for i := range b[8:] {
		b[8+i] = ^b[8+i] // a transaction of its own, as hard to guess as the peer's
	}
	add := func(kind uint16, value []byte) {
		b = binary.BigEndian.AppendUint16(b, kind)
		b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
		b = append(b, make([]byte, -len(value)&3)...)
	}
	add(attrUsername, bytes.Join([][]byte{theirs, ours}, []byte{':'}))
	// A host candidate's, peer reflexive; nobody compares the tie-breaker unless both sides claim the same role.
	add(attrPriority, binary.BigEndian.AppendUint32(nil, 110<<24|65535<<8|255))
	add(attrControlled, b[8:16])
	add(attrIntegrity, newSigner(password).sign(b, len(b)))
	at := len(b)
	add(attrFingerprint, make([]byte, fingerprintSize))
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-headerSize))
	binary.BigEndian.PutUint32(b[len(b)-fingerprintSize:], crc32.ChecksumIEEE(b[:at])^fingerprintXOR)
	return b
}
