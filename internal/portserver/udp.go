package portserver

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// The buffers that the kernel is asked for, in bytes: some 2,000 packets of video each, for the moments in which the loop or the
// line is busy.
const (
	receiveBuffer = 4 << 20
	sendBuffer    = 4 << 20
)

// maxLocals bounds what is remembered of our own addresses. Hosts have a few.
const maxLocals = 1024

// datagrams is a UDP socket of the port, with the address of ours that each datagram came to.
type datagrams struct {
	conn   *net.UDPConn
	counts *counts
	wild   bool // bound to the wildcard address, so that the address has to be asked for
	six    bool // an IPv6 socket, which may carry IPv4 as well

	// seen maps a control message as it came to the address in it, so that only the first packet to an address is parsed.
	// The reader alone uses it.
	seen map[string]netip.Addr

	mu      sync.RWMutex
	sources map[netip.Addr][]byte // control messages that make a packet leave from an address
}

func newDatagrams(conn *net.UDPConn, counts *counts, log *slog.Logger) *datagrams {
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	d := &datagrams{
		conn: conn, counts: counts, wild: local.IsUnspecified(), six: local.Is6(),
		seen: make(map[string]netip.Addr), sources: make(map[netip.Addr][]byte),
	}
	_ = conn.SetReadBuffer(receiveBuffer) // as much as the system allows
	_ = conn.SetWriteBuffer(sendBuffer)
	if raw, err := conn.SyscallConn(); err == nil {
		enlarge(raw)
	}
	if !d.wild {
		return d
	}
	var err error
	if d.six {
		err = ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true)
	} else {
		err = ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true)
	}
	if err != nil {
		d.wild = false
		log.Warn("cannot learn which address packets come to; on a host with several, answers may leave from another", "error", err)
	}
	return d
}

// local returns the address of ours in a control message, invalid when there is none.
func (d *datagrams) local(control []byte) netip.Addr {
	if !d.wild || len(control) == 0 {
		return netip.Addr{}
	}
	if a, ok := d.seen[string(control)]; ok {
		return a
	}
	var ip net.IP
	if d.six {
		var m ipv6.ControlMessage
		if m.Parse(control) == nil {
			ip = m.Dst
		}
	} else {
		var m ipv4.ControlMessage
		if m.Parse(control) == nil {
			ip = m.Dst
		}
	}
	a, _ := netip.AddrFromSlice(ip)
	a = a.Unmap()
	if len(d.seen) >= maxLocals {
		clear(d.seen)
	}
	d.seen[string(control)] = a
	return a
}

// source returns the control message that makes a packet leave from an address.
func (d *datagrams) source(local netip.Addr) []byte {
	if !d.wild || !local.IsValid() || local.IsMulticast() {
		return nil
	}
	d.mu.RLock()
	control, ok := d.sources[local]
	d.mu.RUnlock()
	if ok {
		return control
	}
	// An IPv6 socket that sends to an IPv4 address takes the IPv4 message.
	if local.Is4() {
		control = (&ipv4.ControlMessage{Src: local.AsSlice()}).Marshal()
	} else {
		control = (&ipv6.ControlMessage{Src: local.AsSlice()}).Marshal()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.sources) >= maxLocals {
		clear(d.sources)
	}
	d.sources[local] = control
	return control
}

func (d *datagrams) write(b []byte, dst netip.AddrPort, local netip.Addr) error {
	if control := d.source(local); control != nil {
		_, _, err := d.conn.WriteMsgUDPAddrPort(b, control, dst)
		return err
	}
	_, err := d.conn.WriteToUDPAddrPort(b, dst)
	return err
}
