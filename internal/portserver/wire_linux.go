package portserver

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlLen has room for the two control messages that are sent: our address and the length of the packets in a run. What is
// received has one.
const controlLen = 96

// Offsets in a control message: a length of the machine's word, two numbers of 32 bits, the data (cmsg(3)).
const (
	controlLevel = unix.SizeofCmsghdr - 8
	controlType  = unix.SizeofCmsghdr - 4
)

// localOf returns the address of ours in received control messages, invalid when there is none. b is the kernel's, and still
// nothing in it is believed that leads out of it.
func localOf(b []byte) netip.Addr {
	for len(b) >= unix.SizeofCmsghdr {
		n := wordOf(b)
		if n < unix.SizeofCmsghdr || n > uint64(len(b)) {
			return netip.Addr{}
		}
		data := b[unix.SizeofCmsghdr:n]
		level, kind := binary.NativeEndian.Uint32(b[controlLevel:]), binary.NativeEndian.Uint32(b[controlType:])
		switch {
		case level == unix.SOL_IP && kind == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			return netip.AddrFrom4([4]byte(data[8:12])) // the header's; the one before it is the interface's
		case level == unix.SOL_IPV6 && kind == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			return netip.AddrFrom16([16]byte(data[:16])).Unmap()
		}
		next := unix.CmsgSpace(int(n) - unix.SizeofCmsghdr)
		if next > len(b) {
			return netip.Addr{}
		}
		b = b[next:]
	}
	return netip.Addr{}
}

// wordOf reads the length of a control message.
func wordOf(b []byte) uint64 {
	if unsafe.Sizeof(uintptr(0)) == 8 {
		return binary.NativeEndian.Uint64(b)
	}
	return uint64(binary.NativeEndian.Uint32(b))
}

// putControl writes the head of a control message with n bytes of data, zeroed, and returns the data and the length of it all.
func putControl(b []byte, level, kind, n int) (data []byte, total int) {
	total = unix.CmsgSpace(n)
	clear(b[:total])
	if unsafe.Sizeof(uintptr(0)) == 8 {
		binary.NativeEndian.PutUint64(b, uint64(unix.CmsgLen(n)))
	} else {
		binary.NativeEndian.PutUint32(b, uint32(unix.CmsgLen(n)))
	}
	binary.NativeEndian.PutUint32(b[controlLevel:], uint32(level))
	binary.NativeEndian.PutUint32(b[controlType:], uint32(kind))
	return b[unix.CmsgLen(0) : unix.CmsgLen(0)+n], total
}

// putSource writes the control message that makes a packet leave from an address of ours. On an IPv6 socket too, IPv4 has its
// own.
func putSource(b []byte, local netip.Addr) (total int) {
	if local.Is4() {
		data, total := putControl(b, unix.SOL_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		a := local.As4()
		copy(data[4:8], a[:])
		return total
	}
	data, total := putControl(b, unix.SOL_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	a := local.As16()
	copy(data, a[:])
	return total
}

// putSegment writes the control message that has the kernel cut a message into packets of a length (udp(7)).
func putSegment(b []byte, size int) (total int) {
	data, total := putControl(b, unix.SOL_UDP, unix.UDP_SEGMENT, 2)
	binary.NativeEndian.PutUint16(data, uint16(size))
	return total
}

// zones translates the scopes of link-local addresses: their names are in addresses, their numbers on the wire. It belongs to one
// goroutine.
type zones struct {
	names   map[uint32]string
	numbers map[string]uint32
}

func newZones() *zones { return &zones{make(map[uint32]string), make(map[string]uint32)} }

func (z *zones) name(number uint32) string {
	if name, ok := z.names[number]; ok {
		return name
	}
	name := strconv.FormatUint(uint64(number), 10)
	if i, err := net.InterfaceByIndex(int(number)); err == nil {
		name = i.Name
	}
	if len(z.names) >= maxLocals {
		clear(z.names)
	}
	z.names[number] = name
	return name
}

func (z *zones) number(name string) uint32 {
	if number, ok := z.numbers[name]; ok {
		return number
	}
	number, _ := strconv.ParseUint(name, 10, 32)
	if i, err := net.InterfaceByName(name); err == nil {
		number = uint64(i.Index)
	}
	if len(z.numbers) >= maxLocals {
		clear(z.numbers)
	}
	z.numbers[name] = uint32(number)
	return uint32(number)
}

// addrOf returns the address in what the kernel wrote, IPv4 always as such; invalid when it is of another family.
func (z *zones) addrOf(raw *unix.RawSockaddrInet6, n uint32) netip.AddrPort {
	switch {
	case raw.Family == unix.AF_INET6 && n >= unix.SizeofSockaddrInet6:
		a := netip.AddrFrom16(raw.Addr).Unmap()
		if raw.Scope_id != 0 && a.Is6() {
			a = a.WithZone(z.name(raw.Scope_id))
		}
		return netip.AddrPortFrom(a, swapped(raw.Port))
	case raw.Family == unix.AF_INET && n >= unix.SizeofSockaddrInet4:
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), swapped(four.Port))
	}
	return netip.AddrPort{}
}

// putAddr writes an address for a socket of IPv6, where IPv4 has its mapped form, or of IPv4, and returns its length; 0 when the
// socket cannot reach it.
func (z *zones) putAddr(raw *unix.RawSockaddrInet6, dst netip.AddrPort, six bool) uint32 {
	a := dst.Addr()
	if !six {
		if a = a.Unmap(); !a.Is4() {
			return 0
		}
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swapped(dst.Port()), Addr: a.As4()}
		return unix.SizeofSockaddrInet4
	}
	if !a.IsValid() {
		return 0
	}
	*raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: swapped(dst.Port()), Addr: a.As16()}
	if zone := a.Zone(); zone != "" {
		raw.Scope_id = z.number(zone)
	}
	return unix.SizeofSockaddrInet6
}

// swapped turns a number of 16 bits from the machine's order into that of the network, and back.
func swapped(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}
