package turn

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
)

// forbidden are addresses that no client may reach, in all the forms that others have fallen for.
func forbidden() []string {
	v4 := []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "100.100.100.200", "127.0.0.1",
		"127.0.0.53", "127.255.255.254", "169.254.0.1", "169.254.169.254", "168.63.129.16", "172.16.0.1", "172.31.255.255",
		"192.0.0.1", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1",
		"192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1",
		"239.255.255.250", "240.0.0.1", "254.1.2.3", "255.255.255.255", "9.9.9.9", // the last is our own, see policyConfig
	}
	v6 := []string{
		"::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:10.0.0.1",
		"::ffff:169.254.169.254", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1",
		"64:ff9b::10.1.2.3", "64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0", "64:ff9b::198.51.100.1", "64:ff9b::9.9.9.9",
		"64:ff9b:1::127.0.0.1", "64:ff9b:1::8.8.8.8", "64:ff9b:1:7f00:0:100::", "100::1", "100:0:0:1::1", "2001::1",
		"2001:0:808:808::f7f7:f7f7", "2001:0:7f00:1::", "2001:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::7",
		"2002:7f00:1::1", "2002:a00:1::1", "2002:808:808::1", "2002:c0a8:101::", "2620:4f:8000::1", "3fff::1", "3fff:fff::1",
		"4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1",
		"2600::5efe:127.0.0.1", "2600::200:5efe:10.0.0.1", "2600:9::9", // the last is our own
	}
	return append(v4, v6...)
}

func policyConfig() Config {
	return Config{
		Ports:  Ports{50000, 60000},
		Policy: Policy{Own: []netip.Addr{netip.MustParseAddr("9.9.9.9"), netip.MustParseAddr("2600:9::9")}, Port: 8443},
	}
}

// TestForbiddenPeers tries every address with every method on allocations of both families. ChannelData is tried with a
// channel that was bound while the address was still allowed.
func TestForbiddenPeers(t *testing.T) {
	if n := len(forbidden()); n < 60 {
		t.Fatalf("only %d addresses", n)
	}
	for _, fam := range []byte{family4, family6} {
		for _, addr := range forbidden() {
			t.Run(fmt.Sprintf("%d %s", fam, addr), func(t *testing.T) {
				l := newLab(t, policyConfig())
				a := l.peer("[2600::77]:9", "ann").allocate(wantFamily(fam))
				peer := netip.AddrPortFrom(netip.MustParseAddr(addr), 8443).String()
				refused := codeForbidden
				if netip.MustParseAddr(addr).Is4() != (fam == family4) {
					refused = codeFamilyMismatch
				}
				if code, _ := a.ask(stun.MethodCreatePermission, to(peer)); code != refused {
					t.Errorf("CreatePermission: %d", code)
				}
				if code, _ := a.ask(stun.MethodChannelBind, number(0x4000), to(peer)); code != refused {
					t.Errorf("ChannelBind: %d", code)
				}
				a.indicate(peer, "x")
				a.channel(0x4000, "x")
				// Even an allocation that has got a permission and a channel somehow.
				al := l.s.clients[a.client]
				al.permit(l.now, netip.MustParseAddr(addr))
				al.bind(&request{now: l.now}, 0x4001, netip.MustParseAddrPort(peer), bySocket, l.s.policy.epoch-1)
				a.indicate(peer, "x")
				a.channel(0x4001, "x")
				l.relayed(a.relay, netip.MustParseAddrPort(peer), []byte("x"))
				want(t, a.got())
				if st := l.s.Stats(); st.ToPeers+st.ToClients+st.InMemory != 0 {
					t.Errorf("something was relayed: %+v", st)
				}
			})
		}
	}
}

func TestPolicy(t *testing.T) {
	prefixes := func(all ...string) (out []netip.Prefix) {
		for _, p := range all {
			out = append(out, netip.MustParsePrefix(p))
		}
		return out
	}
	own := []netip.Addr{netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("::ffff:8.1.1.1")}
	for _, tt := range []struct {
		name        string
		allow, deny []netip.Prefix
		peer        string
		want        verdict
	}{
		{"public", nil, nil, "8.8.8.8:1", bySocket},
		{"public v6", nil, nil, "[2600::1]:1", bySocket},
		{"public by nat64", nil, nil, "[64:ff9b::8.8.8.8]:1", bySocket},
		{"public by isatap", nil, nil, "[2600::5efe:8.8.8.8]:1", bySocket},
		{"port zero", nil, nil, "8.8.8.8:0", refused},
		{"zone", nil, nil, "[2600::1%eth0]:1", refused},
		{"allowed", prefixes("10.0.0.0/8"), nil, "10.1.1.1:1", bySocket},
		{"allowed as mapped prefix", prefixes("::ffff:10.0.0.0/104"), nil, "10.1.1.1:1", bySocket},
		{"allowed, in nat64", prefixes("10.0.0.0/8"), nil, "[64:ff9b::10.1.1.1]:1", bySocket},
		{"allowed, but mapped on the wire", prefixes("10.0.0.0/8"), nil, "[::ffff:10.1.1.1]:1", refused},
		{"6to4 allowed, not its inside", prefixes("2002::/16"), nil, "[2002:a01:101::1]:1", refused},
		{"6to4 and its inside allowed", prefixes("2002::/16", "10.0.0.0/8"), nil, "[2002:a01:101::1]:1", bySocket},
		{"teredo client inside", prefixes("2001::/32"), nil, "[2001:0:808:808:0:0:80ff:fffe]:1", refused},
		{"denied", nil, prefixes("8.8.0.0/16"), "8.8.8.8:1", refused},
		{"denied in nat64", nil, prefixes("8.8.0.0/16"), "[64:ff9b::8.8.8.8]:1", refused},
		{"deny beats allow", prefixes("10.0.0.0/8"), prefixes("10.1.0.0/16"), "10.1.1.1:1", refused},
		{"allow beside deny", prefixes("10.0.0.0/8"), prefixes("10.1.0.0/16"), "10.2.1.1:1", bySocket},
		{"own", nil, nil, "8.1.1.1:9", refused},
		{"own in nat64", nil, nil, "[64:ff9b::8.1.1.1]:9", refused},
		{"own allowed", prefixes("10.0.0.0/8"), nil, "10.0.0.5:9", bySocket},
		{"own socket", prefixes("10.0.0.0/8"), nil, "10.0.0.5:8443", refused},
		{"own socket in nat64", prefixes("10.0.0.0/8"), nil, "[64:ff9b::10.0.0.5]:8443", refused},
		{"own socket on loopback", prefixes("127.0.0.0/8"), nil, "127.0.0.9:8443", refused},
		{"loopback allowed", prefixes("127.0.0.0/8"), nil, "127.0.0.9:8444", bySocket},
		{"relay", nil, nil, "198.51.100.1:1", inMemory},
		{"relay denied", nil, prefixes("198.51.100.0/24"), "198.51.100.1:1", inMemory},
		{"relay allowed is still in memory", prefixes("198.51.100.0/24"), nil, "198.51.100.1:1", inMemory},
		{"relay in nat64", prefixes("198.51.100.0/24"), nil, "[64:ff9b::198.51.100.1]:1", refused},
		{"beside the relay", nil, nil, "198.51.100.2:1", refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPolicy(Policy{Allow: tt.allow, Deny: tt.deny, Own: own, Port: 8443}, relay4, relay6)
			if got := p.judge(netip.MustParseAddrPort(tt.peer)); got != tt.want {
				t.Errorf("%s: %d, want %d", tt.peer, got, tt.want)
			}
		})
	}
}

// TestOwnAddressChanges: a channel to what becomes our own address stops at once.
func TestOwnAddressChanges(t *testing.T) {
	l := newLab(t, policyConfig())
	a := l.peer("203.0.113.9:1", "ann").allocate()
	a.bind(0x4000, "8.8.8.8:1")
	a.channel(0x4000, "x")
	if len(l.toPeers()) != 1 {
		t.Fatal("nothing went out")
	}
	l.s.SetOwn([]netip.Addr{netip.MustParseAddr("8.8.8.8")}, 8443)
	a.channel(0x4000, "x")
	a.indicate("8.8.8.8:1", "x")
	l.relayed(a.relay, netip.MustParseAddrPort("8.8.8.8:1"), []byte("x"))
	if len(l.out) != 0 || l.s.Stats().Forbidden != 3 {
		t.Errorf("%+v, %+v", l.out, l.s.Stats())
	}
}

func TestConfigFaults(t *testing.T) {
	for name, cfg := range map[string]Config{
		"prefix":        {Policy: Policy{Allow: []netip.Prefix{{}}}},
		"relay4 is v6":  {Relay4: relay6},
		"relay6 is v4":  {Relay6: relay4},
		"relay is any":  {Relay4: netip.IPv4Unspecified()},
		"ports crossed": {Ports: Ports{9, 8}},
		"ports of zero": {Ports: Ports{0, 8}},
		"negative":      {Total: -1},
	} {
		if _, err := New(cfg, nil, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzPolicy: no address that leads to a special-purpose one in any form is ever reachable, and judging is stable.
func FuzzPolicy(f *testing.F) {
	for _, a := range forbidden() {
		b := netip.MustParseAddr(a).As16()
		f.Add(b[:], netip.MustParseAddr(a).Is4())
	}
	p := newPolicy(Policy{}, relay4, relay6)
	f.Fuzz(func(t *testing.T, b []byte, four bool) {
		if len(b) < 16 {
			return
		}
		a := netip.AddrFrom16([16]byte(b))
		if four {
			a = netip.AddrFrom4([4]byte(b[12:16]))
		}
		if v := p.judgeAddr(a); v == bySocket && (a.IsLoopback() || a.IsPrivate() || a.IsUnspecified() || a.IsMulticast() ||
			a.IsLinkLocalUnicast() || a.Is4In6() || !a.IsGlobalUnicast() || a.Unmap().IsPrivate()) {
			t.Errorf("%s is reachable", a)
		}
	})
}
