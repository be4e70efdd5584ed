package parley

import (
	"maps"
	"net"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
)

// watchEach is how often the addresses of this machine are looked at. No system tells of all changes, and asking costs
// a tenth of a millisecond.
const watchEach = 250 * time.Millisecond

// transports says which ways a link may take, of those that the options allow. The zero value is all of them.
type transports struct {
	without string   // an interface that is not used
	relay   bool     // only through the relay
	over    []string // only these ways to the relay; empty is all
}

// watch tells the owner whenever the addresses of this machine change.
func (s *state) watch() {
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
	for _, main := range maps.Clone(s.links) {
		for _, l := range main.each() {
			if l.up && !l.gone && now[l.base()] == "" && before[l.base()] != "" {
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
func (l *link) base() string {
	pair, err := l.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Local == nil {
		return ""
	}
	if c := pair.Local; c.Typ == webrtc.ICECandidateTypeHost {
		return c.Address
	} else if c.Typ == webrtc.ICECandidateTypeSrflx || c.Typ == webrtc.ICECandidateTypePrflx {
		return c.RelatedAddress
	}
	return ""
}

// other finds a way for a link that does not die with the main one: another interface, or the relay over TCP or TLS.
func (k *kit) other(main *link, ice *signal.ICEServers) (how transports, ok bool) {
	if k.only != "" || main == nil {
		return transports{}, false
	}
	uplinks := k.uplinks()
	if used := uplinks[main.base()]; used != "" {
		for _, name := range uplinks {
			if name != used {
				return transports{without: used}, true
			}
		}
	}
	how = transports{relay: true, over: []string{"tcp", "tls"}}
	return how, len(k.servers(ice, how.over)) > 0 && !main.streams()
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
