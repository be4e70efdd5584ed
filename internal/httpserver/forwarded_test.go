package httpserver

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// FuzzForwarded: whatever headers a trusted proxy hands on, the visit has a client and a host that fit into headers and
// links, or is refused.
func FuzzForwarded(f *testing.F) {
	f.Add(`for="[2001:db8::9]:4711";proto=https;host=a.example`, "198.51.100.7, 10.0.0.9", "a.example")
	f.Add(`for=_hidden, for=unknown;host="a`, "", "[::1]:80")
	f.Add(`,;=,for=`, "::ffff:1.2.3.4%eth0", "a;b")
	s := &Server{cfg: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	f.Fuzz(func(t *testing.T, standard, old, host string) {
		r := &http.Request{Host: host, RemoteAddr: "10.0.0.1:1", Header: http.Header{"Forwarded": {standard}, "X-Forwarded-For": {old}, "X-Forwarded-Host": {host}}}
		v, words := s.visit(r, true)
		if words != "" {
			return
		}
		if !v.client.IsValid() || v.client.Addr().Is4In6() || v.client.Addr().Zone() != "" {
			t.Errorf("client %v", v.client)
		}
		if strings.ContainsAny(v.host, " ;,/\\\"'\r\n\t") || v.host == "" {
			t.Errorf("host %q", v.host)
		}
	})
}
