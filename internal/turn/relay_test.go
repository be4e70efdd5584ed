package turn

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func want(t *testing.T, got []received, all ...received) {
	t.Helper()
	if !slices.Equal(got, all) {
		t.Fatalf("got %v, want %v", got, all)
	}
}

// TestBetweenAllocations is the exception of the peer rules: relayed addresses of ours reach each other in memory, by every
// pair of methods.
func TestBetweenAllocations(t *testing.T) {
	for _, ports := range []Ports{{}, {50000, 50100}} {
		for _, stream := range []uint64{0, 9} {
			t.Run(fmt.Sprintf("ports=%v stream=%d", ports, stream), func(t *testing.T) {
				l := newLab(t, Config{Ports: ports})
				a := l.peer("203.0.113.9:1", "ann").allocate()
				b := l.peer("203.0.113.10:1", "bob")
				b.client.Stream = stream
				b.allocate()

				a.permit(b.relay.String())
				a.indicate(b.relay.String(), "too early")
				want(t, b.got()) // bob has no permission for ann yet

				b.permit(a.relay.String())
				a.indicate(b.relay.String(), "hello")
				want(t, b.got(), received{from: a.relay, data: "hello"})

				b.bind(0x4001, a.relay.String())
				a.indicate(b.relay.String(), "odd")
				want(t, b.got(), received{channel: 0x4001, data: "odd"})

				a.bind(0x4fff, b.relay.String())
				a.channel(0x4fff, "to channel")
				want(t, b.got(), received{channel: 0x4001, data: "to channel"})
				a.channel(0x4fff, "")
				want(t, b.got(), received{channel: 0x4001})
				b.channel(0x4001, strings.Repeat("x", 1400))
				want(t, a.got(), received{channel: 0x4fff, data: strings.Repeat("x", 1400)})

				st := l.s.Stats()
				if len(l.toPeers()) != 0 || st.ToPeers != 0 || st.InMemory != 5 {
					t.Errorf("%+v, by socket %v", st, l.toPeers())
				}
				b.must(stun.MethodRefresh, lifetime(0))
				a.channel(0x4fff, "nobody")
				if len(l.out) != 0 || l.s.Stats().NoPeer != 1 {
					t.Errorf("to a dead allocation: %v", l.out)
				}
			})
		}
	}
}

// TestBySocket relays to and from a peer that is not ours.
func TestBySocket(t *testing.T) {
	l := newLab(t, Config{Ports: Ports{50000, 50100}})
	a := l.peer("10.0.0.9:1", "ann").allocate()
	world := netip.MustParseAddrPort("8.8.8.8:53")
	l.relayed(a.relay, world, []byte("uninvited"))
	want(t, a.got())
	a.permit("8.8.8.8:1")
	l.relayed(a.relay, world, []byte("hi"))
	want(t, a.got(), received{from: world, data: "hi"})
	l.relayed(a.relay, netip.AddrPortFrom(netip.AddrFrom16(world.Addr().As16()), 53), []byte("mapped"))
	want(t, a.got(), received{from: world, data: "mapped"})
	a.bind(0x4000, world.String())
	l.relayed(a.relay, world, []byte("abc"))
	want(t, a.got(), received{channel: 0x4000, data: "abc"})
	l.relayed(a.relay, netip.MustParseAddrPort("8.8.8.8:54"), []byte("port"))
	want(t, a.got(), received{from: netip.MustParseAddrPort("8.8.8.8:54"), data: "port"})
	l.relayed(netip.AddrPortFrom(relay4, 1), world, []byte("no allocation"))
	want(t, a.got())

	a.channel(0x4000, "up")
	if up := l.toPeers(); len(up) != 1 || up[0].Relay != a.relay || up[0].Peer != world || string(up[0].Payload) != "up" {
		t.Errorf("channel: %+v", up)
	}
	a.indicate("8.8.8.8:99", "send")
	if up := l.toPeers(); len(up) != 1 || up[0].Peer.Port() != 99 || string(up[0].Payload) != "send" {
		t.Errorf("send: %+v", up)
	}
	a.indicate("8.8.8.8:99", "whole", attr{stun.AttrDontFragment, nil})
	a.indicate("8.8.4.4:99", "no permission")
	if len(l.toPeers()) != 0 {
		t.Error("something went out")
	}
	b := l.peer("10.0.0.10:1", "bob").allocate()
	b.permit(a.relay.String())
	a.permit(b.relay.String())
	l.relayed(a.relay, b.relay, []byte("forged: ours never come by socket"))
	want(t, a.got())
}

// TestVirtualReachesOnlyOurs: without relay sockets a public peer is refused at once, not swallowed.
func TestVirtualReachesOnlyOurs(t *testing.T) {
	a := newLab(t, Config{}).peer("10.0.0.9:1", "ann").allocate()
	if code, _ := a.ask(stun.MethodCreatePermission, to("8.8.8.8:1")); code != codeForbidden {
		t.Errorf("permission: %d", code)
	}
	if code, _ := a.ask(stun.MethodChannelBind, number(0x4000), to("8.8.8.8:1")); code != codeForbidden {
		t.Errorf("channel: %d", code)
	}
}

func TestPermissionLifetime(t *testing.T) {
	for _, tt := range []struct {
		name    string
		after   time.Duration
		refresh bool
		data    int
	}{
		{"just before", permissionLifetime - 1, false, 1},
		{"at the end", permissionLifetime, false, 0},
		{"refreshed", permissionLifetime, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, Config{Ports: Ports{50000, 50100}})
			a := l.peer("10.0.0.9:1", "ann").allocate()
			a.permit("8.8.8.8:1")
			if tt.refresh {
				l.wait(permissionLifetime - time.Second)
				a.permit("8.8.8.8:2")
				l.wait(time.Second)
			} else {
				l.wait(tt.after)
			}
			l.relayed(a.relay, netip.MustParseAddrPort("8.8.8.8:7"), []byte("x"))
			if got := a.got(); len(got) != tt.data {
				t.Errorf("in: %v", got)
			}
			a.indicate("8.8.8.8:7", "x")
			if got := l.toPeers(); len(got) != tt.data {
				t.Errorf("out: %v", got)
			}
		})
	}
}

func TestChannelLifetime(t *testing.T) {
	l := newLab(t, Config{Ports: Ports{50000, 50100}})
	a := l.peer("10.0.0.9:1", "ann").allocate()
	a.must(stun.MethodRefresh, lifetime(3600))
	a.bind(0x4000, "8.8.8.8:7")
	peer := netip.MustParseAddrPort("8.8.8.8:7")
	l.wait(permissionLifetime)
	l.relayed(a.relay, peer, []byte("x"))
	want(t, a.got()) // the permission is over, the channel is not
	a.channel(0x4000, "x")
	if len(l.toPeers()) != 1 {
		t.Error("the channel should live")
	}
	l.wait(channelLifetime - permissionLifetime - 1)
	a.bind(0x4000, "8.8.8.8:7")
	l.wait(channelLifetime - 1)
	a.channel(0x4000, "x")
	if len(l.toPeers()) != 1 {
		t.Error("the refreshed channel should live")
	}
	l.wait(1)
	a.channel(0x4000, "x")
	if len(l.toPeers()) != 0 {
		t.Error("the channel should be over")
	}
	a.bind(0x4000, "8.8.4.4:9") // and its number is free
}

func TestChannelBindRules(t *testing.T) {
	type bind struct {
		number uint16
		peer   string
		code   int
	}
	for _, tt := range []struct {
		name  string
		binds []bind
	}{
		{"range", []bind{
			{0x3fff, "8.8.8.8:1", codeBadRequest},
			{0x4000, "8.8.8.8:1", 0},
			{0x4fff, "8.8.8.8:2", 0},
			{0x5000, "8.8.8.8:3", codeBadRequest},
			{0x7fff, "8.8.8.8:3", codeBadRequest},
			{0xffff, "8.8.8.8:3", codeBadRequest},
		}},
		{"again", []bind{{0x4000, "8.8.8.8:1", 0}, {0x4000, "8.8.8.8:1", 0}}},
		{"other peer", []bind{{0x4000, "8.8.8.8:1", 0}, {0x4000, "8.8.8.8:2", codeBadRequest}}},
		{"other number", []bind{{0x4000, "8.8.8.8:1", 0}, {0x4001, "8.8.8.8:1", codeBadRequest}}},
		{"crossed", []bind{{0x4000, "8.8.8.8:1", 0}, {0x4001, "8.8.8.8:2", 0}, {0x4000, "8.8.8.8:2", codeBadRequest}}},
		{"family", []bind{{0x4000, "[2600::1]:1", codeFamilyMismatch}}},
		{"port zero", []bind{{0x4000, "8.8.8.8:0", codeForbidden}}},
		{"loopback", []bind{{0x4000, "127.0.0.1:1", codeForbidden}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newLab(t, Config{Ports: Ports{50000, 50100}}).peer("10.0.0.9:1", "ann").allocate()
			for i, b := range tt.binds {
				if code, _ := a.ask(stun.MethodChannelBind, number(b.number), to(b.peer)); code != b.code {
					t.Errorf("bind %d: %d, want %d", i, code, b.code)
				}
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		a := newLab(t, Config{}).peer("10.0.0.9:1", "ann").allocate()
		for _, attrs := range [][]attr{{number(0x4000)}, {to("8.8.8.8:1")}, {to("8.8.8.8:1"), {stun.AttrChannelNumber, []byte{0x40, 0}}}} {
			if code, _ := a.ask(stun.MethodChannelBind, attrs...); code != codeBadRequest {
				t.Errorf("%v: %d", attrs, code)
			}
		}
	})
}

func TestCreatePermissionIsAllOrNothing(t *testing.T) {
	a := newLab(t, Config{Ports: Ports{50000, 50100}}).peer("10.0.0.9:1", "ann").allocate()
	for _, tt := range []struct {
		attrs []attr
		code  int
	}{
		{nil, codeBadRequest},
		{[]attr{to("8.8.8.8:1"), to("10.1.1.1:1")}, codeForbidden},
		{[]attr{to("8.8.8.8:1"), to("[2600::1]:1")}, codeFamilyMismatch},
		{[]attr{{0x7fff, nil}, to("8.8.8.8:1")}, codeUnknownAttribute},
		{[]attr{to("8.8.8.8:1"), to("8.8.4.4:1")}, 0},
	} {
		if code, _ := a.ask(stun.MethodCreatePermission, tt.attrs...); code != tt.code {
			t.Errorf("%v: %d, want %d", tt.attrs, code, tt.code)
		}
		if got := len(a.s.clients[a.client].permissions); (got != 0) != (tt.code == 0) {
			t.Errorf("%d permissions after %d", got, tt.code)
		}
	}
}

// TestBounds: one allocation holds no more than so many permissions and channels.
func TestBounds(t *testing.T) {
	a := newLab(t, Config{Ports: Ports{50000, 50100}}).peer("10.0.0.9:1", "ann").allocate()
	for i := range 300 {
		want := 0
		if i >= maxPermissions {
			want = codeInsufficientCapacity
		}
		if code, _ := a.ask(stun.MethodCreatePermission, to(fmt.Sprintf("8.8.%d.%d:1", i/256, i%256))); code != want {
			t.Fatalf("permission %d: %d", i, code)
		}
	}
	for i := range 100 {
		want := 0
		if i >= maxChannels {
			want = codeInsufficientCapacity
		}
		if code, _ := a.ask(stun.MethodChannelBind, number(0x4000+uint16(i)), to(fmt.Sprintf("8.8.0.1:%d", i+1))); code != want {
			t.Fatalf("channel %d: %d", i, code)
		}
	}
	a.wait(permissionLifetime)
	a.permit("8.9.9.9:1") // the old ones made room
}

func TestMalformed(t *testing.T) {
	l := newLab(t, Config{})
	a := l.peer("10.0.0.9:1", "ann").allocate()
	good := build(stun.BindingRequest, [12]byte{1}, attr{0xabcd, []byte("12345678")}).Raw
	spoil := func(f func(b []byte) []byte) []byte { return f(slices.Clone(good)) }
	withFingerprint := decode(t, good)
	addFingerprint(withFingerprint)
	withFingerprint.Raw[len(withFingerprint.Raw)-1] ^= 1
	for name, b := range map[string][]byte{
		"empty":                 {},
		"one byte":              {0},
		"three bytes":           {0x40, 0, 0},
		"header cut":            good[:19],
		"body cut":              good[:len(good)-4],
		"body longer":           append(slices.Clone(good), 0, 0, 0, 0),
		"cookie":                spoil(func(b []byte) []byte { b[4] = 0; return b }),
		"attribute too long":    spoil(func(b []byte) []byte { b[23] = 200; return b }),
		"odd length":            spoil(func(b []byte) []byte { b[3]++; return append(b, 0) }),
		"first bits":            spoil(func(b []byte) []byte { b[0] = 0x80; return b }),
		"fingerprint":           withFingerprint.Raw,
		"channel data cut":      frame(0x4000, "abcd")[:7],
		"channel data long":     append(frame(0x4000, "abcd"), 0, 0, 0, 0),
		"channel data reserved": frame(0x5000, "abcd"),
	} {
		if err := l.packet(a.client, b); !errors.Is(err, ErrMalformed) || len(l.out) != 0 {
			t.Errorf("%s: %v, %d answers", name, err, len(l.out))
		}
	}
	for name, b := range map[string][]byte{
		"response":            build(stun.BindingSuccess, [12]byte{1}).Raw,
		"indication":          build(stun.NewType(stun.MethodBinding, stun.ClassIndication), [12]byte{1}).Raw,
		"send with nothing":   build(stun.NewType(stun.MethodSend, stun.ClassIndication), [12]byte{1}).Raw,
		"unbound channel":     frame(0x4000, "abcd"),
		"padded channel data": append(frame(0x4000, "a"), 0, 0, 0),
	} {
		if err := l.packet(a.client, b); err != nil || len(l.out) != 0 {
			t.Errorf("%s: %v, %d answers", name, err, len(l.out))
		}
	}
}
