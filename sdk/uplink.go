package parley

import (
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

// watchEach is how often the addresses of this machine are looked at. No system tells of all changes, and asking costs
// a tenth of a millisecond.
const watchEach = 250 * time.Millisecond

// transports says which ways a link may take, of those that the options allow. The zero value is all of them.
type transports struct {
	uplink string     // only through this interface
	relay  bool       // only through the relay
	over   []string   // only these ways to the relay; empty is all
	tcp    bool       // the hub may be called by TCP
	hasty  bool       // a relay is as good as a direct way: one of them is missed already
	relays *addresses // of the other side's relay, which a hasty link takes although they may be private
}

// roam tells the owner whenever the addresses of this machine change.
func (s *state) roam() {
	ticker := time.NewTicker(watchEach)
	defer ticker.Stop()
	last := s.kit.uplinks()
	for {
		select {
		case <-ticker.C:
		case <-s.work.Done():
			return
		}
		now := s.kit.uplinks()
		if now == nil || maps.Equal(last, now) {
			continue
		}
		before := last
		last = now
		s.post(func(s *state) { s.moved(before, now) })
	}
}

// uplinks are our addresses that media may use, and the interfaces they belong to; nil when that is not known now.
func (k *kit) uplinks() map[string]string {
	list, err := k.network.Interfaces()
	if err != nil {
		return nil
	}
	all := make(map[string]string)
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 && !k.loopback() ||
			k.options.Interfaces != nil && !k.options.Interfaces(i.Name) {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue // it has none
		}
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
				all[n.IP.String()] = i.Name
			}
		}
	}
	return all
}

// moved reacts to a change of our addresses without waiting for silence: links that used a lost one are stalled, and
// the socket may be gone with it.
func (s *state) moved(before, now map[string]string) {
	s.moves++
	lost, won := false, false
	for a := range before {
		lost = lost || now[a] == ""
	}
	for a := range now {
		won = won || before[a] == ""
	}
	if lost {
		s.suspect()
	}
	s.hurry()
	if t := s.hub.main; t != nil && t.up && t.base != "" && now[t.base] == "" {
		s.trunkStalled(t)
	}
	if won {
		s.hubRevived()
	}
	s.seekHub(probeAfter)
	for _, main := range maps.Clone(s.links) {
		for _, l := range main.each() {
			if l.up && !l.gone && l.base != "" && now[l.base] == "" {
				s.stalled(l)
			}
		}
		if won {
			main.bond.again = s.now.Add(spareAfter)
			s.revive(main)
		}
	}
}

// base is the address of ours that a link uses, "" when that is not known.
func (k *kit) base(l *link) string { return k.baseOf(l.pc) }

func (k *kit) baseOf(pc *webrtc.PeerConnection) string {
	pair, err := pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Local == nil {
		return ""
	}
	address := pair.Local.RelatedAddress
	if pair.Local.Typ == webrtc.ICECandidateTypeHost {
		address = pair.Local.Address
	}
	if k.uplinks()[address] != "" {
		return address
	}
	return k.source() // STUN and TURN are asked from any address, which is the one that the system takes
}

// source is the address that the system sends from when it may choose. Nothing is sent to find out.
func (k *kit) source() string {
	for _, anywhere := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		conn, err := k.network.Dial("udp", anywhere)
		if err != nil {
			continue
		}
		host, _, err := net.SplitHostPort(conn.LocalAddr().String())
		_ = conn.Close() // nothing was sent
		if err == nil {
			return host
		}
	}
	return ""
}

// other finds a way for a link that does not die with the main one: another interface, or the relay over TCP or TLS.
func (k *kit) other(main *link, ice *signal.ICEServers) (how transports, ok bool) {
	if k.only != "" {
		return transports{}, false
	}
	if name := k.second(main); name != "" {
		return transports{uplink: name, over: []string{"stun", "udp"}}, true
	}
	how = transports{relay: true, over: []string{"tcp", "tls"}}
	return how, len(k.servers(ice, how.over)) > 0 && !main.streams()
}

// second is an interface that the main link does not use, "" when there is none.
func (k *kit) second(main *link) string {
	uplinks := k.uplinks()
	used := uplinks[main.base]
	if used == "" {
		return ""
	}
	names := slices.Sorted(maps.Values(uplinks))
	for _, name := range names {
		if name != used {
			return name
		}
	}
	return ""
}

// uplink is the network through one interface: what is not bound to an address is bound to one of its own, and, where
// the system can, to the interface itself.
type uplink struct {
	transport.Net
	name    string
	virtual bool // Net is not the real one
}

// Interfaces returns the one interface.
func (u *uplink) Interfaces() ([]*transport.Interface, error) {
	i, err := u.InterfaceByName(u.name)
	if err != nil {
		return nil, err
	}
	return []*transport.Interface{i}, nil
}

// ListenPacket binds to an address of the interface. STUN and TURN ask with the unspecified one.
func (u *uplink) ListenPacket(network, address string) (net.PacketConn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = u.address(strings.HasSuffix(network, "6")).String()
	}
	local, err := u.ResolveUDPAddr(network, net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	return u.ListenUDP(network, local)
}

// ListenUDP is ListenPacket for an address that is parsed.
func (u *uplink) ListenUDP(network string, local *net.UDPAddr) (transport.UDPConn, error) {
	if local == nil {
		local = &net.UDPAddr{}
	}
	if local.IP == nil || local.IP.IsUnspecified() {
		local = &net.UDPAddr{IP: u.address(strings.HasSuffix(network, "6")), Port: local.Port}
	}
	if !u.virtual {
		if conn, err := listenOn(network, u.name, local); err == nil {
			return conn, nil
		} // otherwise the address has to do: an old system, or a policy of it
	}
	return u.Net.ListenUDP(network, local)
}

// address is one of the interface's, the unspecified one when it has none.
func (u *uplink) address(six bool) net.IP {
	if i, err := u.InterfaceByName(u.name); err == nil {
		if list, err := i.Addrs(); err == nil {
			for _, a := range list {
				if n, ok := a.(*net.IPNet); ok && (n.IP.To4() == nil) == six && !n.IP.IsLinkLocalUnicast() {
					return n.IP
				}
			}
		}
	}
	if six {
		return net.IPv6unspecified
	}
	return net.IPv4zero
}

// last is the way that passes where nothing else does: the relay over TLS, or over TCP when it has no certificate that
// clients trust.
func (k *kit) last(ice *signal.ICEServers) transports {
	for _, over := range []string{"tls", "tcp"} {
		if len(k.servers(ice, []string{over})) > 0 {
			return transports{relay: true, over: []string{over}}
		}
	}
	return transports{}
}

// streams reports whether a link goes over TCP or TLS already.
func (l *link) streams() bool { return l.path.Protocol == "tcp" || l.path.Protocol == "tls" }
