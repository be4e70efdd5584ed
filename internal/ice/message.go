package ice

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// The parts of STUN that a check is made of (RFC 8489 §5 and §14, RFC 8445 §16.1).
const (
	magicCookie     = 0x2112A442
	headerSize      = 20
	attrHeaderSize  = 4
	integritySize   = 20
	fingerprintSize = 4
	fingerprintXOR  = 0x5354554E

	typeBindingRequest = 0x0001
	typeBindingSuccess = 0x0101
	typeBindingError   = 0x0111

	attrUsername          = 0x0006
	attrIntegrity         = 0x0008
	attrErrorCode         = 0x0009
	attrUnknownAttributes = 0x000A
	attrIntegritySHA256   = 0x001C
	attrXORMappedAddress  = 0x0020
	attrPriority          = 0x0024
	attrUseCandidate      = 0x0025
	attrFingerprint       = 0x8028
	attrControlled        = 0x8029
	attrControlling       = 0x802A
	attrOptional          = 0x8000 // and above: may be ignored

	maxUnknown = 4 // that are named in an answer, so that it stays small
)

var (
	errNotSTUN     = errors.New("ice: not a STUN message")
	errAttributes  = errors.New("ice: malformed attributes of a STUN message")
	errFingerprint = errors.New("ice: wrong fingerprint of a STUN message")
)

// Message is a STUN message as far as ICE is concerned. It lies in the packet that it was parsed from and is valid as long as
// that is.
type Message struct {
	raw       []byte
	username  []byte
	priority  uint32
	integrity int // where the attribute begins, 0 when it is missing

	fingerprint, useCandidate, controlled bool

	unknowns int // attributes that must be understood and are not
	unknown  [maxUnknown]uint16
}

// Parse reads a STUN message without copying or allocating. Of attributes that come twice the first counts, and those behind
// MESSAGE-INTEGRITY count for nothing (RFC 8489 §14). A wrong FINGERPRINT is an error; whether there has to be one is
// [Message.Check]'s question. The error says that the bytes are the fault of whoever sent them.
func Parse(packet []byte) (Message, error) {
	var m Message
	if len(packet) < headerSize || packet[0]&0xC0 != 0 || len(packet)%4 != 0 ||
		binary.BigEndian.Uint32(packet[4:]) != magicCookie || int(binary.BigEndian.Uint16(packet[2:])) != len(packet)-headerSize {
		return m, errNotSTUN
	}
	m.raw = packet
	for at := headerSize; at < len(packet); {
		kind, size := binary.BigEndian.Uint16(packet[at:]), int(binary.BigEndian.Uint16(packet[at+2:]))
		next := at + attrHeaderSize + (size+3)&^3
		if next > len(packet) || m.fingerprint {
			return Message{}, errAttributes // FINGERPRINT is the last one (RFC 8489 §14.7)
		}
		if err := m.attribute(kind, at, packet[at+attrHeaderSize:at+attrHeaderSize+size]); err != nil {
			return Message{}, err
		}
		at = next
	}
	return m, nil
}

// attribute takes note of the attribute that begins at the offset.
func (m *Message) attribute(kind uint16, at int, value []byte) error {
	if kind == attrFingerprint {
		if len(value) != fingerprintSize {
			return errAttributes
		}
		if binary.BigEndian.Uint32(value) != crc32.ChecksumIEEE(m.raw[:at])^fingerprintXOR {
			return errFingerprint
		}
		m.fingerprint = true
		return nil
	}
	if m.integrity > 0 {
		return nil
	}
	switch kind {
	case attrIntegrity:
		if len(value) != integritySize {
			return errAttributes
		}
		m.integrity = at
	case attrUsername:
		if m.username == nil {
			m.username = value
		}
	case attrPriority:
		if len(value) != 4 {
			return errAttributes
		}
		if m.priority == 0 {
			m.priority = binary.BigEndian.Uint32(value)
		}
	case attrUseCandidate:
		m.useCandidate = true
	case attrControlled:
		m.controlled = true
	case attrIntegritySHA256: // another proof of the same; RFC 8445 knows only the first
	default:
		if kind < attrOptional {
			if m.unknowns < maxUnknown {
				m.unknown[m.unknowns] = kind
			}
			m.unknowns++
		}
	}
	return nil
}

// Check reports whether the message is a connectivity check: a Binding request with a username, an integrity and a
// fingerprint (RFC 8445 §7.1). Whether the integrity holds, only the agent knows.
func (m *Message) Check() bool {
	return len(m.raw) > 0 && binary.BigEndian.Uint16(m.raw) == typeBindingRequest &&
		m.fingerprint && m.integrity > 0 && bytes.IndexByte(m.username, ':') > 0
}

// Ufrag returns our username fragment of a check: what stands before the colon (RFC 8445 §7.2.2). It lies in the packet.
func (m *Message) Ufrag() []byte {
	ours, _, _ := bytes.Cut(m.username, []byte{':'})
	return ours
}

// Ufrag returns our username fragment of a packet; ok is false when it is not a connectivity check.
func Ufrag(packet []byte) (ours []byte, ok bool) {
	m, err := Parse(packet)
	if err != nil || !m.Check() {
		return nil, false
	}
	return m.Ufrag(), true
}
