package turn

import (
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v4"
)

const (
	magicCookie = 0x2112A442
	headerSize  = 20 // of a STUN message, RFC 8489 §5
	frameSize   = 4  // of the header of ChannelData, RFC 8656 §12.4
	family4     = 0x01
	family6     = 0x02
)

// The XOR addresses are coded here and not by the STUN library because it turns an IPv4-mapped IPv6 address into an IPv4
// one, allocates, and takes an address that is shorter than its family: the peer rules must see what was on the wire.

// xorMask is what the address bytes are combined with (RFC 8489 §14.2).
func xorMask(id [stun.TransactionIDSize]byte) (mask [16]byte) {
	binary.BigEndian.PutUint32(mask[:4], magicCookie)
	copy(mask[4:], id[:])
	return mask
}

// decodeAddress reads the value of an XOR-…-ADDRESS attribute (RFC 8489 §14.2). The address keeps the family it had.
func decodeAddress(value []byte, id [stun.TransactionIDSize]byte) (netip.AddrPort, bool) {
	if len(value) < 4 {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(value[2:4]) ^ magicCookie>>16
	mask := xorMask(id)
	var a [16]byte
	for i, b := range value[4:] {
		if i < len(a) {
			a[i] = b ^ mask[i]
		}
	}
	switch {
	case value[1] == family4 && len(value) == 8:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[:4])), port), true
	case value[1] == family6 && len(value) == 20:
		return netip.AddrPortFrom(netip.AddrFrom16(a), port), true
	}
	return netip.AddrPort{}, false
}

// addressSize returns the size of the value that encodeAddress writes.
func addressSize(a netip.Addr) int {
	if a.Is4() {
		return 8
	}
	return 20
}

// encodeAddress writes the value of an XOR-…-ADDRESS attribute; value has addressSize bytes.
func encodeAddress(value []byte, addr netip.AddrPort, id [stun.TransactionIDSize]byte) {
	mask := xorMask(id)
	value[0] = 0
	binary.BigEndian.PutUint16(value[2:4], addr.Port()^magicCookie>>16)
	if addr.Addr().Is4() {
		value[1] = family4
		a := addr.Addr().As4()
		for i, b := range a {
			value[4+i] = b ^ mask[i]
		}
		return
	}
	value[1] = family6
	a := addr.Addr().As16()
	for i, b := range a {
		value[4+i] = b ^ mask[i]
	}
}

// addAddress adds an XOR-…-ADDRESS attribute to m.
func addAddress(m *stun.Message, t stun.AttrType, addr netip.AddrPort) {
	var value [20]byte
	n := addressSize(addr.Addr())
	encodeAddress(value[:n], addr, m.TransactionID)
	m.Add(t, value[:n])
}

// peerAddress returns the first XOR-PEER-ADDRESS of m.
func peerAddress(m *stun.Message) (netip.AddrPort, bool) {
	value, err := m.Get(stun.AttrXORPeerAddress)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return decodeAddress(value, m.TransactionID)
}
