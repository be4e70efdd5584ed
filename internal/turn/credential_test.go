package turn

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func TestCredentials(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(p *peer, m *stun.Message) *stun.Message
		code  int
	}{
		{"right", func(_ *peer, m *stun.Message) *stun.Message { return m }, 0},
		{"wrong password", func(p *peer, m *stun.Message) *stun.Message { m.Raw[len(m.Raw)-1] ^= 1; return m }, codeUnauthorized},
		{"changed after signing", func(p *peer, m *stun.Message) *stun.Message { m.Raw[24] ^= 1; return m }, codeUnauthorized},
		{"unknown user", func(p *peer, _ *stun.Message) *stun.Message {
			p.user = "!nobody"
			return decode(p.t, p.signed(stun.MethodAllocate, p.id(), transport(protocolUDP)))
		}, codeUnauthorized},
		{"no signature", func(p *peer, _ *stun.Message) *stun.Message {
			return build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), p.id(), transport(protocolUDP))
		}, codeUnauthorized},
		{"no username", func(p *peer, _ *stun.Message) *stun.Message {
			m := build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), p.id(), transport(protocolUDP),
				attr{stun.AttrRealm, []byte("parley")}, attr{stun.AttrNonce, p.nonce})
			_ = stun.NewLongTermIntegrity("ann", "parley", "pw-ann").AddTo(m)
			return m
		}, codeBadRequest},
		{"another realm", func(p *peer, _ *stun.Message) *stun.Message {
			m := build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), p.id(), transport(protocolUDP),
				attr{stun.AttrUsername, []byte("ann")}, attr{stun.AttrRealm, []byte("other")}, attr{stun.AttrNonce, p.nonce})
			_ = stun.NewLongTermIntegrity("ann", "other", "pw-ann").AddTo(m)
			return m
		}, codeUnauthorized},
		{"expired", func(p *peer, m *stun.Message) *stun.Message { p.book.expires = p.now.Add(-1); return m }, codeUnauthorized},
		{"session gone", func(p *peer, m *stun.Message) *stun.Message { p.book.dead["ann"] = true; return m }, codeUnauthorized},
		{"stale nonce", func(p *peer, m *stun.Message) *stun.Message { p.now = p.now.Add(nonceLifetime + time.Second); return m }, codeStaleNonce},
		{"nonce of the future", func(p *peer, m *stun.Message) *stun.Message { p.now = p.now.Add(-time.Minute); return m }, codeStaleNonce},
		{"forged nonce", func(p *peer, _ *stun.Message) *stun.Message {
			p.nonce[3] ^= 1
			return decode(p.t, p.signed(stun.MethodAllocate, p.id(), transport(protocolUDP)))
		}, codeStaleNonce},
		{"another address", func(p *peer, m *stun.Message) *stun.Message {
			p.client.Addr = p.peer("203.0.113.8:1", "").client.Addr
			return m
		}, codeStaleNonce},
		{"another port", func(p *peer, m *stun.Message) *stun.Message {
			p.client.Addr = p.peer("203.0.113.9:2", "").client.Addr
			return m
		}, codeStaleNonce},
		{"another of our addresses", func(p *peer, m *stun.Message) *stun.Message { p.client.Local = relay6; return m }, codeStaleNonce},
		{"another stream", func(p *peer, m *stun.Message) *stun.Message { p.client.Stream++; return m }, codeStaleNonce},
	} {
		for _, modern := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s sha256=%v", tt.name, modern), func(t *testing.T) {
				p := newLab(t, Config{}).peer("203.0.113.9:1", "ann")
				p.sha256 = modern
				p.ask(stun.MethodRefresh, lifetime(0)) // learns the nonce
				m := tt.spoil(p, decode(t, p.signed(stun.MethodAllocate, p.id(), transport(protocolUDP))))
				if err := p.packet(p.client, m.Raw); err != nil {
					t.Fatal(err)
				}
				code, answer := p.answer(m.TransactionID)
				if code != tt.code {
					t.Fatalf("code %d, want %d", code, tt.code)
				}
				if code == 0 && modern != answer.Contains(stun.AttrMessageIntegritySHA256) {
					t.Error("the answer is not signed like the request")
				}
			})
		}
	}
}

// TestStolenRefresh: another user's good credential must not end or use an allocation, even from the very same address and
// port, as behind one NAT or with a forged source.
func TestStolenRefresh(t *testing.T) {
	l := newLab(t, Config{})
	ann := l.peer("203.0.113.9:1", "ann").allocate()
	eve := l.peer("203.0.113.9:1", "eve")
	for range 1000 {
		if code, _ := eve.ask(stun.MethodRefresh, lifetime(0)); code != codeWrongCredentials {
			t.Fatalf("refresh: %d", code)
		}
	}
	for method, attrs := range map[stun.Method][]attr{
		stun.MethodCreatePermission: {to("198.51.100.1:1")},
		stun.MethodChannelBind:      {to("198.51.100.1:1"), number(0x4000)},
		stun.MethodRefresh:          {lifetime(3600)},
	} {
		if code, _ := eve.ask(method, attrs...); code != codeWrongCredentials {
			t.Errorf("%s: %d", method, code)
		}
	}
	if code, _ := eve.ask(stun.MethodAllocate, transport(protocolUDP)); code != codeAllocationMismatch {
		t.Errorf("allocate: %d", code)
	}
	ann.must(stun.MethodRefresh, lifetime(600))
	if a := l.s.clients[ann.client]; a.username != "ann" || len(a.permissions)+len(a.channels) != 0 {
		t.Errorf("changed: %+v", a)
	}
}

// TestReplay: what was recorded of one client gets nothing from another address, nor after the nonce's time.
func TestReplay(t *testing.T) {
	l := newLab(t, Config{})
	ann := l.peer("203.0.113.9:1", "ann").allocate()
	recorded := ann.signed(stun.MethodRefresh, ann.id(), lifetime(0))
	eve := l.peer("203.0.113.66:1", "eve")
	for range 100 {
		if err := l.packet(eve.client, recorded); err != nil {
			t.Fatal(err)
		}
		l.wait(time.Second)
	}
	l.wait(nonceLifetime)
	if err := l.packet(ann.client, recorded); err != nil {
		t.Fatal(err)
	}
	if code, _ := ann.answer(decode(t, recorded).TransactionID); code != codeStaleNonce {
		t.Errorf("replayed after the nonce's time: %d", code)
	}
	if st := l.s.Stats(); st.Unauthorized < 101 {
		t.Errorf("%+v", st)
	}
}

// TestUnauthenticatedAnswers: no words, no names of software, and not much more than came in.
func TestUnauthenticatedAnswers(t *testing.T) {
	p := newLab(t, Config{}).peer("203.0.113.9:1", "ann")
	id := p.id()
	request := build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), id, transport(protocolUDP)).Raw
	if err := p.packet(p.client, request); err != nil {
		t.Fatal(err)
	}
	code, m := p.answer(id)
	if code != codeUnauthorized || len(get(t, m, stun.AttrErrorCode)) != 4 || m.Contains(stun.AttrSoftware) {
		t.Errorf("%d %s", code, m)
	}
	const lower = 28 // of IPv4 and UDP
	if factor := float64(len(m.Raw)+lower) / float64(len(request)+lower); factor > 1.6 {
		t.Errorf("answers with %.2f times the bytes: %d for %d", factor, len(m.Raw), len(request))
	}
}

// TestReflection: 10,000 packets a second with one forged source for ten seconds draw less than a tenth of their bytes.
func TestReflection(t *testing.T) {
	for name, raw := range map[string][]byte{
		"allocate": build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), [12]byte{1}, transport(protocolUDP)).Raw,
		"binding":  build(stun.BindingRequest, [12]byte{1}).Raw,
		"unknown":  build(stun.BindingRequest, [12]byte{1}, attr{0x7777, nil}).Raw,
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, Config{})
			victim, other := l.peer("192.0.2.1:7", ""), l.peer("192.0.2.200:7", "")
			in, out := 0, 0
			for range 100_000 {
				l.now = l.now.Add(100 * time.Microsecond)
				if err := l.packet(victim.client, raw); err != nil {
					t.Fatal(err)
				}
				in += len(raw) + 28
				for _, e := range l.out {
					out += len(e.Payload) + 28
				}
			}
			if out*10 > in || out == 0 {
				t.Errorf("%d bytes out for %d in", out, in)
			}
			if l.s.Stats().Suppressed == 0 {
				t.Error("nothing was suppressed")
			}
			if err := l.packet(other.client, raw); err != nil || len(l.out) != 1 {
				t.Error("another source is not answered")
			}
			l.wait(time.Second)
			if err := l.packet(victim.client, raw); err != nil || len(l.out) != 1 {
				t.Error("the source is never answered again")
			}
		})
	}
}

func TestStreamsAreNotLimited(t *testing.T) {
	p := newLab(t, Config{ErrorRate: 1}).peer("203.0.113.9:1", "ann")
	p.client.Stream = 1
	for i := range 50 {
		if err := p.packet(p.client, build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), p.id()).Raw); err != nil || len(p.out) != 1 {
			t.Fatalf("request %d: %v, %d answers", i, err, len(p.out))
		}
	}
}

func TestQuota(t *testing.T) {
	l := newLab(t, Config{PerSession: 12, PerPrefix: 500, Total: 600})
	served := func(user, addr string) int {
		code, _ := l.peer(addr, user).ask(stun.MethodAllocate, transport(protocolUDP))
		return code
	}
	count := 0
	for i := range 1000 { // one session with many usernames and ports
		switch code := served(fmt.Sprintf("greedy/%d", i), fmt.Sprintf("203.0.113.9:%d", 1000+i)); code {
		case 0:
			count++
		case codeQuotaReached:
		default:
			t.Fatalf("allocation %d: %d", i, code)
		}
		l.now = l.now.Add(100 * time.Millisecond)
	}
	if count != 12 {
		t.Errorf("the greedy one got %d", count)
	}
	for i := range 50 {
		if code := served(fmt.Sprintf("honest%d", i), fmt.Sprintf("203.0.113.%d:5", 10+i)); code != 0 {
			t.Errorf("honest %d: %d", i, code)
		}
	}
	for i := range 600 { // many sessions, one IPv6 customer with many addresses
		want := 0
		switch {
		case i >= 500:
			want = codeQuotaReached
		case 62+i >= 600:
			want = codeInsufficientCapacity
		}
		if i >= 538 {
			break
		}
		if code := served(fmt.Sprintf("many%d", i), fmt.Sprintf("[2001:db8:1:2::%x]:5", i+1)); code != want {
			t.Fatalf("prefix allocation %d: %d, want %d", i, code, want)
		}
		l.now = l.now.Add(100 * time.Millisecond)
	}
	for i := range 40 {
		want := 0
		if 62+500+i >= 600 {
			want = codeInsufficientCapacity
		}
		if code := served(fmt.Sprintf("last%d", i), fmt.Sprintf("203.0.113.%d:6", 100+i)); code != want {
			t.Fatalf("last allocation %d: %d, want %d", i, code, want)
		}
	}
	l.s.Revoke("greedy")
	l.drain()
	if code := served("greedy/again", "203.0.113.9:1"); code != 0 {
		t.Errorf("after its end: %d", code)
	}
	for a := range l.s.clients {
		l.s.HandleClosed(a)
		l.drain()
	}
	if q := l.s.quota; q.live != 0 || len(q.sessions) != 0 || len(q.sources) != 0 || len(l.s.relays) != 0 || len(l.s.timers) != 0 {
		t.Errorf("not given back: %+v", q)
	}
}

func TestLimiterForgetsNobody(t *testing.T) {
	l := newLimiter(42, 10)
	seen := map[int]int{}
	for i := range 20000 {
		a := relay6.As16()
		a[6], a[7] = byte(i>>8), byte(i)
		b := a
		b[15] ^= 0xff // the same /64
		one, two := l.place(addr16(a)), l.place(addr16(b))
		if one != two {
			t.Fatal("one /64 has two buckets")
		}
		seen[one]++
	}
	most := 0
	for _, n := range seen {
		most = max(most, n)
	}
	if len(seen) < buckets*95/100 || most > 25 {
		t.Errorf("%d of %d buckets used, %d sources in one", len(seen), buckets, most)
	}
}

func TestNonceOverflow(t *testing.T) {
	n := nonces{key: [32]byte{1}}
	late := time.Unix(1<<32-1, 0)
	c := Client{Stream: 3}
	nonce := n.issue(late, c)
	if len(nonce) != nonceSize || !n.valid(late.Add(5*time.Second), c, nonce) {
		t.Error("a nonce does not survive the overflow of its seconds")
	}
	other := nonces{key: [32]byte{2}}
	if other.valid(late, c, nonce) || n.valid(late, c, append(bytes.Clone(nonce), 'A')) || n.valid(late, c, nonce[:nonceSize-1]) {
		t.Error("a wrong nonce is valid")
	}
}
