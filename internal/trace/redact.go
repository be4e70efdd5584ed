package trace

import (
	"net/netip"
	"strings"

	"github.com/parley-rtc/parley/internal/signal"
)

// Policy says how much of an address is kept.
type Policy string

// Policies.
const (
	// KeepFull keeps addresses whole.
	KeepFull Policy = "full"
	// KeepPrefix keeps the network only: 24 bits of an IPv4 address, 48 of an IPv6 one.
	KeepPrefix Policy = "prefix"
	// KeepNone keeps nothing.
	KeepNone Policy = "none"
)

// Address returns what of an address, with or without port, may be kept; "" when nothing. What is no address, such as
// the names by which browsers hide theirs (RFC 8828 §3), is kept under KeepFull only.
func (p Policy) Address(text string) string {
	if p == KeepNone {
		return ""
	}
	a, ok := parseAddress(text)
	switch {
	case p == KeepFull:
		return text
	case !ok:
		return ""
	}
	return prefix(a)
}

// prefix is the network of an address, in words.
func prefix(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// parseAddress reads IP, IP:PORT, [IP]:PORT and IP/BITS.
func parseAddress(text string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return a, true
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr(), true
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Addr(), true
	}
	return netip.Addr{}, false
}

// text takes the addresses out of free text.
func (p Policy) text(s string) string {
	if p == KeepFull {
		return s
	}
	for _, word := range strings.FieldsFunc(s, notAddress) {
		word = strings.TrimRight(word, ".:/")
		if !strings.HasPrefix(word, "::") {
			word = strings.TrimLeft(word, ".:/")
		}
		if a, ok := parseAddress(word); ok && (a.Is6() || strings.Count(word, ".") == 3) {
			s = strings.ReplaceAll(s, word, orElse(p.Address(word), "…"))
		}
	}
	return s
}

func notAddress(c rune) bool {
	return (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') && c != '.' && c != ':' && c != '[' && c != ']' && c != '/'
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// keep returns what of an event may be kept: what its kind does not use is dropped. It shares nothing with e.
func (p Policy) keep(e signal.ReportEvent) signal.ReportEvent {
	out := signal.ReportEvent{
		At: e.At, Kind: e.Kind, Seat: e.Seat, Link: e.Link, Source: e.Source, MS: e.MS, Cause: p.text(e.Cause), Score: e.Score,
	}
	switch {
	case e.Kind == signal.ReportGathered:
		for _, c := range e.Candidates[:min(len(e.Candidates), maxCandidates)] {
			out.Candidates = append(out.Candidates, p.candidate(c))
		}
	case e.Kind == signal.ReportPairTried && e.Pair != nil:
		out.Pair = &signal.ReportPair{Local: p.candidate(e.Pair.Local), Remote: p.candidate(e.Pair.Remote), State: e.Pair.State}
	case e.Kind == signal.ReportQuality && e.Level != nil:
		level := max(0, min(2, *e.Level))
		out.Level = &level
	}
	if e.Kind == signal.ReportSwitched && e.Switch != nil {
		s := *e.Switch
		out.Switch = &s
	}
	if e.Path != nil {
		path := *e.Path
		if a, ok := parseAddress(path.Server); ok && p != KeepFull {
			path.Server = p.Address(a.String())
		}
		out.Path = &path
	}
	return out
}

func (p Policy) candidate(c signal.ReportCandidate) signal.ReportCandidate {
	c.Address = p.Address(c.Address)
	return c
}
