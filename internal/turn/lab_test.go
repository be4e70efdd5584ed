package turn

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

var (
	start  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	relay4 = netip.MustParseAddr("198.51.100.1") // a documentation address: special-purpose, which the exception must survive
	relay6 = netip.MustParseAddr("2001:db8::1")
)

// book is Grants by hand: the password of a user is "pw-"+name, the session is the name up to a slash.
type book struct {
	dead    map[string]bool
	expires time.Time
}

func (b *book) Grant(_ time.Time, username string) (Grant, bool) {
	if username == "" || username[0] == '!' {
		return Grant{}, false
	}
	session, _, _ := bytes.Cut([]byte(username), []byte("/"))
	return Grant{Password: "pw-" + username, Session: string(session), Expires: b.expires}, true
}

func (b *book) Alive(session string) bool { return !b.dead[session] }

// lab is an engine, the time, and whatever it put out.
type lab struct {
	t    testing.TB
	s    *Server
	book *book
	now  time.Time
	out  []Event
	next time.Time
	fail func(netip.AddrPort) bool // which relay sockets cannot be opened
	open map[netip.AddrPort]bool
	ids  uint64
}

func newLab(t testing.TB, cfg Config) *lab {
	t.Helper()
	if !cfg.Relay4.IsValid() && !cfg.Relay6.IsValid() {
		cfg.Relay4, cfg.Relay6 = relay4, relay6
	}
	b := &book{dead: map[string]bool{}, expires: start.Add(time.Hour)}
	s, err := New(cfg, b, rand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	return &lab{t: t, s: s, book: b, now: start, open: map[netip.AddrPort]bool{}, fail: func(netip.AddrPort) bool { return false }}
}

// drain carries out what the engine wants and keeps copies of what it sends.
func (l *lab) drain() {
	l.t.Helper()
	for {
		events, next := l.s.Poll()
		l.next = next
		if len(events) == 0 {
			return
		}
		var opens []netip.AddrPort
		for _, e := range events {
			e.Payload = bytes.Clone(e.Payload)
			l.out = append(l.out, e)
			switch e.Kind {
			case Open:
				opens = append(opens, e.Relay)
			case Close:
				if !l.open[e.Relay] {
					l.t.Fatalf("closes %s, which is not open", e.Relay)
				}
				delete(l.open, e.Relay)
			}
		}
		if len(opens) > 1 {
			l.t.Fatalf("%d sockets to open at once", len(opens))
		}
		for _, relay := range opens {
			ok := !l.fail(relay)
			if ok {
				if l.open[relay] {
					l.t.Fatalf("opens %s twice", relay)
				}
				l.open[relay] = true
			}
			l.s.HandleOpened(l.now, relay, ok)
		}
	}
}

func (l *lab) packet(c Client, b []byte) error {
	l.t.Helper()
	l.out = nil
	err := l.s.HandlePacket(l.now, c, bytes.Clone(b))
	l.drain()
	return err
}

func (l *lab) relayed(relay, src netip.AddrPort, b []byte) {
	l.t.Helper()
	l.out = nil
	l.s.HandleRelayed(l.now, relay, src, b)
	l.drain()
}

func (l *lab) wait(d time.Duration) {
	l.t.Helper()
	l.now = l.now.Add(d)
	l.out = nil
	l.s.HandleTimeout(l.now)
	l.drain()
}

func (l *lab) id() (id [stun.TransactionIDSize]byte) {
	l.ids++
	binary.BigEndian.PutUint64(id[4:], l.ids)
	return id
}

// peer is one client with a user name, as a program would be.
type peer struct {
	*lab
	client Client
	user   string
	nonce  []byte
	relay  netip.AddrPort
	sha256 bool
}

func (l *lab) peer(addr, user string) *peer {
	return &peer{lab: l, client: Client{Addr: netip.MustParseAddrPort(addr)}, user: user}
}

// attr is one attribute of a request.
type attr struct {
	t     stun.AttrType
	value []byte
}

func transport(p byte) attr { return attr{stun.AttrRequestedTransport, []byte{p, 0, 0, 0}} }
func wantFamily(f byte) attr {
	return attr{stun.AttrRequestedAddressFamily, []byte{f, 0, 0, 0}}
}

func lifetime(seconds uint32) attr {
	return attr{stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, seconds)}
}

func number(n uint16) attr { return attr{stun.AttrChannelNumber, []byte{byte(n >> 8), byte(n), 0, 0}} }

// build makes a message; an attribute with the type of XOR-PEER-ADDRESS holds the address as text.
func build(t stun.MessageType, id [stun.TransactionIDSize]byte, attrs ...attr) *stun.Message {
	m := stun.New()
	m.Type, m.TransactionID = t, id
	m.WriteHeader()
	for _, a := range attrs {
		if a.t == stun.AttrXORPeerAddress {
			addAddress(m, a.t, netip.MustParseAddrPort(string(a.value)))
			continue
		}
		m.Add(a.t, a.value)
	}
	return m
}

func to(addr string) attr { return attr{stun.AttrXORPeerAddress, []byte(addr)} }

// signed makes a request with the peer's credential.
func (p *peer) signed(method stun.Method, id [stun.TransactionIDSize]byte, attrs ...attr) []byte {
	m := build(stun.NewType(method, stun.ClassRequest), id, attrs...)
	m.Add(stun.AttrUsername, []byte(p.user))
	m.Add(stun.AttrRealm, []byte("parley"))
	m.Add(stun.AttrNonce, p.nonce)
	key := stun.NewLongTermIntegrity(p.user, "parley", "pw-"+p.user)
	if p.sha256 {
		m.Add(stun.AttrMessageIntegritySHA256, sumSHA256(key, m.Raw, 32))
	} else if err := key.AddTo(m); err != nil {
		p.t.Fatal(err)
	}
	return m.Raw
}

// ask sends a request, once more after a stale nonce, and returns the code (0 for a success) and the answer.
func (p *peer) ask(method stun.Method, attrs ...attr) (int, *stun.Message) {
	p.t.Helper()
	id := p.id()
	for range 2 {
		if err := p.packet(p.client, p.signed(method, id, attrs...)); err != nil {
			p.t.Fatal(err)
		}
		code, m := p.answer(id)
		if code != codeStaleNonce {
			return code, m
		}
		p.nonce = bytes.Clone(get(p.t, m, stun.AttrNonce))
		id = p.id()
	}
	p.t.Fatal("two stale nonces in a row")
	return 0, nil
}

// answer returns the one answer to the transaction that went to the peer; -1 when there is none.
func (p *peer) answer(id [stun.TransactionIDSize]byte) (int, *stun.Message) {
	p.t.Helper()
	i := slices.IndexFunc(p.out, func(e Event) bool { return e.Kind == ToClient && e.Client == p.client })
	if i < 0 {
		return -1, nil
	}
	m := decode(p.t, p.out[i].Payload)
	if m.TransactionID != id {
		p.t.Fatalf("answer to another transaction: %s", m)
	}
	if m.Type.Class == stun.ClassSuccessResponse {
		return 0, m
	}
	code := get(p.t, m, stun.AttrErrorCode)
	return int(code[2])*100 + int(code[3]), m
}

func decode(t testing.TB, b []byte) *stun.Message {
	t.Helper()
	m := stun.New()
	if _, err := m.Write(b); err != nil {
		t.Fatalf("%v: %x", err, b)
	}
	return m
}

func get(t testing.TB, m *stun.Message, a stun.AttrType) []byte {
	t.Helper()
	v, err := m.Get(a)
	if err != nil {
		t.Fatalf("no %s in %s", a, m)
	}
	return v
}

// allocate makes an allocation that must succeed.
func (p *peer) allocate(attrs ...attr) *peer {
	p.t.Helper()
	code, m := p.ask(stun.MethodAllocate, append([]attr{transport(protocolUDP)}, attrs...)...)
	if code != 0 {
		p.t.Fatalf("allocate: %d", code)
	}
	var ok bool
	if p.relay, ok = decodeAddress(get(p.t, m, stun.AttrXORRelayedAddress), m.TransactionID); !ok {
		p.t.Fatal("bad relayed address")
	}
	return p
}

func (p *peer) must(method stun.Method, attrs ...attr) {
	p.t.Helper()
	if code, _ := p.ask(method, attrs...); code != 0 {
		p.t.Fatalf("%s: %d", method, code)
	}
}

func (p *peer) permit(addr string) { p.t.Helper(); p.must(stun.MethodCreatePermission, to(addr)) }

func (p *peer) bind(n uint16, addr string) {
	p.t.Helper()
	p.must(stun.MethodChannelBind, number(n), to(addr))
}

// indicate sends data in a Send indication.
func (p *peer) indicate(addr, data string, more ...attr) {
	p.t.Helper()
	m := build(stun.NewType(stun.MethodSend, stun.ClassIndication), p.id(),
		append([]attr{to(addr), {stun.AttrData, []byte(data)}}, more...)...)
	if err := p.packet(p.client, m.Raw); err != nil {
		p.t.Fatal(err)
	}
}

func frame(n uint16, data string) []byte {
	b := binary.BigEndian.AppendUint16(nil, n)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// channel sends data over a channel.
func (p *peer) channel(n uint16, data string) {
	p.t.Helper()
	if err := p.packet(p.client, frame(n, data)); err != nil {
		p.t.Fatal(err)
	}
}

// received is data that reached a client: from a channel, or from an address.
type received struct {
	channel uint16
	from    netip.AddrPort
	data    string
}

// got returns the data that the last call sent to the peer.
func (p *peer) got() (all []received) {
	p.t.Helper()
	for _, e := range p.out {
		if e.Kind != ToClient || e.Client != p.client {
			continue
		}
		if b := e.Payload; b[0]&0xC0 == 0x40 {
			if int(binary.BigEndian.Uint16(b[2:4])) != len(b)-4 {
				p.t.Fatalf("channel data of wrong length: %x", b)
			}
			all = append(all, received{channel: binary.BigEndian.Uint16(b), data: string(b[4:])})
			continue
		}
		m := decode(p.t, e.Payload)
		if m.Type != stun.NewType(stun.MethodData, stun.ClassIndication) {
			continue
		}
		from, ok := peerAddress(m)
		if !ok {
			p.t.Fatal("data indication without a peer")
		}
		all = append(all, received{from: from, data: string(get(p.t, m, stun.AttrData))})
	}
	return all
}

// toPeers returns what went out by relay sockets.
func (l *lab) toPeers() (all []Event) {
	for _, e := range l.out {
		if e.Kind == ToPeer {
			all = append(all, e)
		}
	}
	return all
}

func addr16(b [16]byte) netip.Addr { return netip.AddrFrom16(b) }
