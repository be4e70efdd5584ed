package netsim

import (
	"net/netip"
	"time"
)

// Kind says how a NAT maps and filters, in the old words (RFC 3489 §5) since people know them.
type Kind uint8

// Kinds of NATs.
const (
	// FullCone maps each inner address to one outer port, and lets anybody in.
	FullCone Kind = iota
	// PortRestricted maps alike, and lets in only whom the inner side has sent something.
	PortRestricted
	// Symmetric takes another port for every receiver; only that one may answer.
	Symmetric
)

const (
	// maxMappings is how many mappings a NAT keeps; the oldest go first.
	maxMappings = 4096
	// firstPort is where a NAT begins to take ports.
	firstPort = 20000
)

// NAT translates between the interfaces behind it and the internet. Its fields may be changed at any time.
type NAT struct {
	// Address is its address on the internet.
	Address netip.Addr
	// Kind is how it maps and filters.
	Kind Kind
	// Timeout is how long a mapping of UDP lives unused; 0 means for ever.
	Timeout time.Duration

	out4in map[key]*mapping // by who sends, and for symmetric ones to whom
	in4out map[outer]*mapping
	oldest []*mapping
	port   uint16
}

type key struct {
	protocol Protocol
	inner    netip.AddrPort
	to       netip.AddrPort // only for a symmetric NAT
}

type outer struct {
	protocol Protocol
	port     uint16
}

type mapping struct {
	key  key
	at   outer
	used time.Time
	sent map[netip.AddrPort]bool // whom the inner side sent something
}

// NAT adds a NAT with an address on the internet.
func (n *Network) NAT(address netip.Addr, kind Kind) *NAT {
	nat := &NAT{Address: address, Kind: kind, port: firstPort}
	nat.Forget()
	n.nats = append(n.nats, nat)
	return nat
}

// Forget drops every mapping, as a router does that restarts: what is sent next gets other ports.
func (t *NAT) Forget() {
	t.out4in, t.in4out, t.oldest = make(map[key]*mapping), make(map[outer]*mapping), nil
}

// Renumber gives the NAT another address on the internet, which loses every mapping.
func (t *NAT) Renumber(address netip.Addr) {
	t.Address = address
	t.Forget()
}

// out translates the sender of a packet that leaves.
func (t *NAT) out(now time.Time, p Packet) (src netip.AddrPort, ok bool) {
	k := key{protocol: p.Protocol, inner: p.Src}
	if t.Kind == Symmetric || p.Protocol == TCP {
		k.to = p.Dst
	}
	m := t.out4in[k]
	if m != nil && t.expired(now, m) {
		t.drop(m)
		m = nil
	}
	if m == nil {
		if m = t.add(k); m == nil {
			return src, false
		}
	}
	m.used = now
	if len(m.sent) < maxMappings {
		m.sent[p.Dst] = true
	}
	return netip.AddrPortFrom(t.Address, m.at.port), true
}

// in translates the receiver of a packet that comes, if it may come in.
func (t *NAT) in(now time.Time, p Packet) (dst netip.AddrPort, ok bool) {
	m := t.in4out[outer{p.Protocol, p.Dst.Port()}]
	if m == nil {
		return dst, false
	}
	if t.expired(now, m) {
		t.drop(m)
		return dst, false
	}
	if (t.Kind != FullCone || p.Protocol == TCP) && !m.sent[p.Src] {
		return dst, false
	}
	return m.key.inner, true
}

func (t *NAT) expired(now time.Time, m *mapping) bool {
	return t.Timeout > 0 && m.key.protocol == UDP && now.Sub(m.used) > t.Timeout
}

// add takes the next free port.
func (t *NAT) add(k key) *mapping {
	if len(t.oldest) >= maxMappings {
		t.drop(t.oldest[0])
	}
	for range 1 << 16 {
		if t.port++; t.port < firstPort {
			t.port = firstPort
		}
		at := outer{k.protocol, t.port}
		if t.in4out[at] != nil {
			continue
		}
		m := &mapping{key: k, at: at, sent: make(map[netip.AddrPort]bool)}
		t.out4in[k], t.in4out[at] = m, m
		t.oldest = append(t.oldest, m)
		return m
	}
	return nil
}

func (t *NAT) drop(m *mapping) {
	delete(t.out4in, m.key)
	delete(t.in4out, m.at)
	for i, o := range t.oldest {
		if o == m {
			t.oldest = append(t.oldest[:i:i], t.oldest[i+1:]...)
			return
		}
	}
}
