package ice

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"net/netip"
)

// Error codes of RFC 8489 §14.8 and RFC 8445 §7.3.1.1.
const (
	codeUnknownAttribute = 420
	codeRoleConflict     = 487
)

// maxAnswer is the longest answer: a success with an IPv6 address.
const maxAnswer = headerSize + attrHeaderSize + 20 + attrHeaderSize + integritySize + attrHeaderSize + fingerprintSize

// signer proves and checks that somebody knows a password (RFC 8489 §14.5).
type signer struct {
	mac hash.Hash
	// Scratch: what goes through an interface would otherwise be allocated.
	header [headerSize]byte
	sum    [sha1.Size]byte
}

func newSigner(password string) *signer {
	return &signer{mac: hmac.New(sha1.New, []byte(password))}
}

// sign returns the integrity of what precedes the attribute that begins at the offset; the length in the header counts as if the message
// ended with it. It is valid until the next call.
func (s *signer) sign(raw []byte, at int) []byte {
	copy(s.header[:], raw)
	binary.BigEndian.PutUint16(s.header[2:], uint16(at-headerSize+attrHeaderSize+integritySize))
	s.mac.Reset()
	s.mac.Write(s.header[:])
	s.mac.Write(raw[headerSize:at])
	return s.mac.Sum(s.sum[:0])
}

// holds reports whether the message's integrity was made with the password.
func (s *signer) holds(m *Message) bool {
	value := m.raw[m.integrity+attrHeaderSize : m.integrity+attrHeaderSize+integritySize]
	return hmac.Equal(s.sign(m.raw, m.integrity), value)
}

// answer is a STUN message in the making.
type answer struct {
	buf [maxAnswer]byte
	n   int
}

// begin starts the answer to a request.
func (a *answer) begin(kind uint16, m *Message) {
	binary.BigEndian.PutUint16(a.buf[:], kind)
	copy(a.buf[4:headerSize], m.raw[4:headerSize]) // the cookie and the transaction's number
	a.n = headerSize
}

// add appends an attribute and returns its value to be filled in.
func (a *answer) add(kind uint16, size int) []byte {
	binary.BigEndian.PutUint16(a.buf[a.n:], kind)
	binary.BigEndian.PutUint16(a.buf[a.n+2:], uint16(size))
	first := a.n + attrHeaderSize
	a.n = first + (size+3)&^3
	clear(a.buf[first:a.n])
	return a.buf[first : first+size]
}

// address adds XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
func (a *answer) address(addr netip.AddrPort) {
	ip := addr.Addr().Unmap()
	size, family := 20, byte(2)
	if ip.Is4() {
		size, family = 8, 1
	}
	value := a.add(attrXORMappedAddress, size)
	value[1] = family
	binary.BigEndian.PutUint16(value[2:], addr.Port()^magicCookie>>16)
	mask := a.buf[4:headerSize]
	if ip.Is4() {
		b := ip.As4()
		copy(value[4:], b[:])
	} else {
		b := ip.As16()
		copy(value[4:], b[:])
	}
	for i := range value[4:] {
		value[4+i] ^= mask[i]
	}
}

// code adds ERROR-CODE without words (RFC 8489 §14.8).
func (a *answer) code(code int) {
	value := a.add(attrErrorCode, 4)
	value[2], value[3] = byte(code/100), byte(code%100)
}

// finish signs the answer and returns it, valid until the next one begins.
func (a *answer) finish(s *signer) []byte {
	at := a.n
	value := a.add(attrIntegrity, integritySize)
	copy(value, s.sign(a.buf[:], at))
	at = a.n
	value = a.add(attrFingerprint, fingerprintSize)
	binary.BigEndian.PutUint16(a.buf[2:], uint16(a.n-headerSize))
	binary.BigEndian.PutUint32(value, crc32.ChecksumIEEE(a.buf[:at])^fingerprintXOR)
	return a.buf[:a.n]
}
