package httpserver

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops bounds how many proxies a header may name; what is farther away is not looked at.
const maxHops = 16

// forwarded is what proxies say about a request.
type forwarded struct {
	any           bool         // somebody says something
	contradictory bool         // the two kinds of headers name different clients
	clients       []netip.Addr // from the farthest to the nearest; invalid where a proxy does not tell
	proto, host   string       // as the nearest proxy says; "" when it does not
}

// readForwarded reads Forwarded (RFC 7239) or, without it, the X-Forwarded-* headers that came before it.
func readForwarded(h http.Header) forwarded {
	standard := readStandard(h.Values("Forwarded"))
	old := forwarded{
		proto: lastItem(h.Values("X-Forwarded-Proto")),
		host:  lastItem(h.Values("X-Forwarded-Host")),
	}
	for _, mark := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		old.any = old.any || len(h.Values(mark)) > 0
	}
	for _, word := range items(h.Values("X-Forwarded-For")) {
		old.clients = append(old.clients, node(word))
	}
	if !standard.any {
		return old
	}
	standard.contradictory = len(old.clients) > 0 && !slices.Equal(old.clients, standard.clients)
	return standard
}

// readStandard reads Forwarded headers: elements with commas between them, each of parameters with semicolons.
func readStandard(lines []string) (f forwarded) {
	for _, element := range items(lines) {
		f.any = true
		client := netip.Addr{}
		f.proto, f.host = "", "" // only the last element's count
		for pair := range strings.SplitSeq(element, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			value = strings.Trim(value, `"`)
			switch strings.ToLower(name) {
			case "for":
				client = node(value)
			case "proto":
				f.proto = value
			case "host":
				f.host = value
			}
		}
		f.clients = append(f.clients, client)
	}
	return f
}

// items splits header lines at their commas and keeps the last maxHops.
func items(lines []string) []string {
	var out []string
	for _, line := range lines {
		for word := range strings.SplitSeq(line, ",") {
			out = append(out, strings.TrimSpace(word))
		}
	}
	return out[max(0, len(out)-maxHops):]
}

func lastItem(lines []string) string {
	all := items(lines)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// node reads the address of a node identifier (RFC 7239 §6), with or without a port; invalid when it names none.
func node(word string) netip.Addr {
	if ap, err := netip.ParseAddrPort(word); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(word, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
