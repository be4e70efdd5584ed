package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/signal"
)

var quiet = slog.New(slog.DiscardHandler)

func TestDataDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if _, err := ReadKeys(dir); err == nil || !strings.Contains(err.Error(), "no server has used") {
		t.Error(err)
	}
	if err := openData(dir, quiet); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info.Mode(), err)
	}
	keys, err := openKeys(dir, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Error(info, err)
	}
	now := time.Now()
	again, err := openKeys(dir, rand.Reader)
	if err != nil || again.HostSecret("room", now) != keys.HostSecret("room", now) {
		t.Error("another key at the second start", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".new-*")); err != nil || len(left) > 0 {
		t.Error("left behind:", left, err)
	}
	if err := os.Chmod(filepath.Join(dir, keyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKeys(dir); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Error("a key that others can read:", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openKeys(dir, rand.Reader); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Error("a damaged key must not be used or replaced:", err)
	}
}

func TestSharedDataDirectoryKeepsItsMode(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := openData(dir, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 || !strings.Contains(log.String(), "0700") {
		t.Error(info.Mode(), err, log.String())
	}
}

func TestFirstRoom(t *testing.T) {
	dir := t.TempDir()
	start := time.Unix(1_800_000_000, 0)
	first, err := openFirstRoom(dir, start, rand.Reader)
	if err != nil || !signal.ValidRoom(first.name) || strings.Count(first.name, "-") != 2 {
		t.Fatal(first, err)
	}
	for _, tt := range []struct {
		name     string
		after    time.Duration
		sameName bool
		sameMade bool
	}{
		{"a restart", time.Hour, true, true},
		{"the secret has more than a week", 22 * 24 * time.Hour, true, true},
		{"less than a week: a new secret", 24 * 24 * time.Hour, true, false},
		{"the clock went back", -48 * time.Hour, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := openFirstRoom(dir, start.Add(tt.after), rand.Reader)
			if err != nil || (r.name == first.name) != tt.sameName || r.made.Equal(first.made) != tt.sameMade {
				t.Errorf("%v, was %v: %v", r, first, err)
			}
			// For the next row, as at first.
			if err := os.WriteFile(filepath.Join(dir, firstRoomFile), []byte(first.name+" 1800000000\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, damaged := range []string{"", "Bad Name 1", "name", "name x", "\x00"} {
		if err := os.WriteFile(filepath.Join(dir, firstRoomFile), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := openFirstRoom(dir, start, rand.Reader); err != nil || !signal.ValidRoom(r.name) {
			t.Errorf("%q: %v, %v", damaged, r, err)
		}
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		name, err := newName(rand.Reader)
		if err != nil || !signal.ValidRoom(name) {
			t.Fatal(name, err)
		}
		seen[name] = true
	}
	if len(seen) < 195 {
		t.Errorf("only %d names of 200 differ", len(seen))
	}
	if _, err := newName(strings.NewReader("abc")); err == nil {
		t.Error("no randomness, but a name")
	}
}

// fakeNetwork is a machine in words.
type fakeNetwork struct {
	dns, have, out []string
	dnsErr         error
}

func addrs(words []string) []netip.Addr {
	var out []netip.Addr
	for _, w := range words {
		out = append(out, netip.MustParseAddr(w))
	}
	return out
}

func (f fakeNetwork) lookup(context.Context, string) ([]netip.Addr, error) {
	return addrs(f.dns), f.dnsErr
}
func (f fakeNetwork) interfaces() ([]netip.Addr, error) { return addrs(f.have), nil }
func (f fakeNetwork) outbound() []netip.Addr            { return addrs(f.out) }

func TestDiscover(t *testing.T) {
	home := fakeNetwork{have: []string{"127.0.0.1", "::1", "172.17.0.1", "fe80::1%eth0", "192.168.1.7", "fd00::7"}, out: []string{"192.168.1.7"}}
	rented := fakeNetwork{have: []string{"10.0.0.3", "198.51.100.7", "2001:db8::7", "100.64.0.9"}}
	for _, tt := range []struct {
		name    string
		config  config.Config
		network fakeNetwork
		want    string
		from    string
		warning string
	}{
		{"given", config.Config{PublicAddress: config.PublicAddress{Addrs: addrs([]string{"192.0.2.9"})}, Domain: "a.example"}, rented, "192.0.2.9", "public_address", ""},
		{"the domain's", config.Config{Domain: "a.example"}, fakeNetwork{dns: []string{"2001:db8::9", "192.0.2.9"}, have: []string{"10.0.0.3"}}, "192.0.2.9 2001:db8::9", "the DNS, for a.example", ""},
		{"no such domain", config.Config{Domain: "a.example", Listen: ":443"}, fakeNetwork{dnsErr: errors.New("no"), have: rented.have}, "198.51.100.7 2001:db8::7", "the network interfaces", "The DNS has no address for a.example yet"},
		{"the domain is this machine", config.Config{Domain: "a.example", Listen: ":443"}, fakeNetwork{dns: []string{"127.0.1.1"}, have: rented.have}, "198.51.100.7 2001:db8::7", "the network interfaces", "The DNS"},
		{"one is listened on", config.Config{Listen: "127.0.0.1:8443"}, rented, "127.0.0.1", "listen", ""},
		{"by name", config.Config{Listen: "localhost:8443"}, rented, "127.0.0.1", "listen", ""},
		{"all are listened on", config.Config{Listen: "[::]:8443"}, rented, "198.51.100.7 2001:db8::7", "the network interfaces", ""},
		{"a home: what leads out comes first", config.Config{Listen: ":8443"}, home, "192.168.1.7 172.17.0.1 fd00::7", "the network interfaces", ""},
		{"no network", config.Config{Listen: ":8443"}, fakeNetwork{have: []string{"127.0.0.1", "::1"}}, "127.0.0.1", "the network interfaces", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, warning, err := discover(t.Context(), &tt.config, tt.network)
			if err != nil || !slices.Equal(got.list, addrs(strings.Fields(tt.want))) || got.from != tt.from || !strings.HasPrefix(warning, tt.warning) || (tt.warning == "") != (warning == "") {
				t.Errorf("got %v %q %v", got, warning, err)
			}
		})
	}
}

func TestAddressesOfThisMachine(t *testing.T) {
	found, _, err := discover(t.Context(), &config.Config{Listen: ":0"}, machine{})
	if err != nil || len(found.list) == 0 {
		t.Fatal(found, err)
	}
	for _, a := range found.list {
		if a.IsLinkLocalUnicast() || a.Zone() != "" {
			t.Error(a)
		}
	}
}

func TestICE(t *testing.T) {
	keys := auth.NewKeys(bytes.Repeat([]byte{1}, 32))
	now := time.Unix(1_800_000_000, 0)
	trusted := func(name string) bool { return name == "meet.example.org" }
	direct := ice{keys: keys, trusted: trusted, where: where{port: 8443}}
	proxied := ice{keys: keys, trusted: trusted, where: where{port: 8443, proxied: true}}
	given := ice{keys: keys, trusted: trusted, where: where{port: 8443, proxied: true, given: addrs([]string{"192.0.2.9"})}}
	for _, tt := range []struct {
		name, host string
		ice        ice
		at         string
		turns      bool
	}{
		{"localhost", "localhost:8443", direct, "127.0.0.1:8443", false},
		{"below localhost", "a.LOCALHOST.:8443", direct, "127.0.0.1:8443", false},
		{"localhost over IPv6 only", "localhost:8443", ice{keys: keys, trusted: trusted, where: where{port: 8443, loop6: true}}, "[::1]:8443", false},
		{"an address", "192.0.2.7:8443", direct, "192.0.2.7:8443", false},
		{"an IPv6 address", "[2001:db8::7]:8443", direct, "[2001:db8::7]:8443", false},
		{"an IPv6 address without a port", "[2001:db8::7]", direct, "[2001:db8::7]:443", false},
		{"a name that is trusted", "meet.example.org", direct, "meet.example.org:443", true},
		{"a name that is not", "other.example.org:8443", direct, "other.example.org:8443", false},
		{"a mapped port", "192.0.2.7:9000", direct, "192.0.2.7:9000", false},
		{"a proxy's port", "meet.example.org", proxied, "meet.example.org:8443", true},
		{"around the proxy", "meet.example.org:8443", given, "meet.example.org:8443", true},
		{"a proxy, and an address is given", "meet.example.org", given, "192.0.2.9:8443", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.ice.Servers("session1", tt.host, now)
			want := []string{"turn:" + tt.at + "?transport=udp", "turn:" + tt.at + "?transport=tcp"}
			if tt.turns {
				want = append(want, "turns:"+tt.at+"?transport=tcp")
			}
			if len(got.Servers) != 2 || !slices.Equal(got.Servers[0].URLs, []string{"stun:" + tt.at}) || !slices.Equal(got.Servers[1].URLs, want) {
				t.Errorf("got %+v", got.Servers)
			}
			turn := got.Servers[1]
			password, session, expires, ok := keys.RelayVerify(turn.Username)
			if !ok || session != "session1" || password != turn.Credential || expires.UnixMilli() != got.Expires || got.Servers[0].Credential != "" {
				t.Errorf("credentials: %+v", got)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	any4 := netip.MustParseAddrPort("0.0.0.0:8443")
	for _, tt := range []struct {
		name   string
		domain string
		names  []string
		at     string
		listen netip.AddrPort
		public string
		local  string
	}{
		{"a domain", "meet.example.org", nil, "192.0.2.1", netip.MustParseAddrPort("[::]:443"), "https://meet.example.org", "http://localhost:443"},
		{"a domain behind a port mapping", "meet.example.org", nil, "192.0.2.1", any4, "https://meet.example.org", "http://localhost:8443"},
		{"a certificate", "", []string{"a.example"}, "192.0.2.1", any4, "https://a.example:8443 https://192.0.2.1:8443", "http://localhost:8443"},
		{"addresses", "", nil, "192.0.2.1 2001:db8::1", any4, "https://192.0.2.1:8443 https://[2001:db8::1]:8443", "http://localhost:8443"},
		{"on port 443", "", nil, "2001:db8::1", netip.MustParseAddrPort("[::]:443"), "https://[2001:db8::1]", "http://localhost:443"},
		{"loopback only", "", nil, "127.0.0.1", netip.MustParseAddrPort("127.0.0.1:9"), "http://localhost:9", "http://localhost:9"},
		{"one address only", "", nil, "192.0.2.1", netip.MustParseAddrPort("192.0.2.1:9"), "https://192.0.2.1:9", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			public, local := bases(tt.domain, tt.names, addresses{list: addrs(strings.Fields(tt.at))}, tt.listen)
			if strings.Join(public, " ") != tt.public || local != tt.local {
				t.Errorf("got %v, %q", public, local)
			}
		})
	}
	keys := auth.NewKeys(bytes.Repeat([]byte{1}, 32))
	now := time.Unix(1_800_000_000, 0)
	links := NewLinks(keys, "https://a.example/", "quiet-otter", now)
	guest, secret, _ := strings.Cut(links.Host, "#host=")
	if links.Guest != "https://a.example/r/quiet-otter" || guest != links.Guest || !keys.CheckHost("quiet-otter", secret, now) || keys.CheckHost("other", secret, now) {
		t.Errorf("%+v", links)
	}
}

func TestBase(t *testing.T) {
	n := fakeNetwork{have: []string{"127.0.0.1", "192.168.1.7"}}
	for _, tt := range []struct {
		name   string
		config config.Config
		want   string
	}{
		{"a domain", config.Config{Domain: "a.example", Listen: ":8443"}, "https://a.example"},
		{"an interface", config.Config{Listen: ":8443"}, "https://192.168.1.7:8443"},
		{"one address", config.Config{Listen: "192.0.2.1:443"}, "https://192.0.2.1"},
		{"loopback", config.Config{Listen: "localhost:8443"}, "http://localhost:8443"},
		{"given", config.Config{Listen: ":9000", PublicAddress: config.PublicAddress{Addrs: addrs([]string{"198.51.100.1"})}}, "https://198.51.100.1:9000"},
	} {
		if got, err := newBase(&tt.config, n); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v", tt.name, got, err)
		}
	}
	if _, err := newBase(&config.Config{Listen: ":1", Cert: "none.pem", Key: "none.pem"}, n); err == nil || !strings.Contains(err.Error(), "none.pem") {
		t.Error(err)
	}
}

// TestWhoIsLocal: where strangers' requests may come from this machine, none of them is the admin's by that.
func TestWhoIsLocal(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	for _, tt := range []struct {
		name   string
		config config.Config
		want   bool
	}{
		{"a trial", config.Config{Listen: ":8443"}, true},
		{"a name", config.Config{Domain: "a.example"}, false},
		{"a certificate of one's own", config.Config{Cert: "cert.pem", Key: "key.pem"}, false},
		{"a proxy", config.Config{TrustedProxies: proxies}, false},
	} {
		s := &Server{cfg: Config{Config: tt.config}}
		if got := s.local(); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
