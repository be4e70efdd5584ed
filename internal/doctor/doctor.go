// Package doctor looks at a Parley server as its users meet it: it uses every port for what it is for, and says of what
// does not work whose fault it is and what to do. It needs no rights and changes nothing on the server but for a room
// that it makes and leaves.
package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// State says how a check came out.
type State string

// States of a finding.
const (
	OK      State = "ok"
	Warning State = "warning" // works, but not for everybody
	Failed  State = "failed"
	Skipped State = "skipped" // could not be looked at from here
)

// Finding is the outcome of one check.
type Finding struct {
	// Check names it: name, port, certificate, page, clock, signalling, stun, mapping, direct, turn-udp, turn-tcp, turn-tls,
	// hub.
	Check string `json:"check"`
	// State says how it came out.
	State State `json:"state"`
	// Words say what was found, in a sentence.
	Words string `json:"words"`
	// Fix says what to do; empty when there is nothing to do.
	Fix string `json:"fix,omitempty"`
	// MS is how long the checked thing took, in milliseconds, where that means something.
	MS float64 `json:"ms,omitempty"`
}

// Server is one TURN or STUN server with what it takes to use it.
type Server struct {
	// URLs are stun:, turn: and turns: addresses.
	URLs []string
	// Username and Credential open allocations.
	Username, Credential string
}

// Caller makes calls by the server that is looked at. The SDK behind it is the one that programs use.
type Caller interface {
	// Trust takes a certificate that nobody but its own key vouches for: that is a finding of its own, and no reason not
	// to try the rest.
	Trust(certificate *x509.Certificate)
	// Knock opens a session in front of the test room and returns the servers that it was given. Their credentials are
	// good until release is called, which must not be forgotten. The error is in words for a person; fix says what to do.
	Knock(ctx context.Context) (servers []Server, release func(), fix string, err error)
	// Call puts peers into the test room and returns when each hears the others by way: two by "direct", or a relay over
	// "udp", "tcp" or "tls", three by "hub". The error is a NotOffered where the server is not meant to do that.
	Call(ctx context.Context, way string) (Talk, error)
}

// NotOffered is the error of a call that the server is not meant to carry: words for a person, without a full stop.
type NotOffered string

// Error implements error.
func (n NotOffered) Error() string { return string(n) }

// Talk is a call that worked.
type Talk struct {
	// SetUp is the time from the last peer's join to the first sound at all of them.
	SetUp time.Duration
	// RoundTrip is that of the path; 0 when it is not known.
	RoundTrip time.Duration
	// Path says in words which way it took.
	Path string
	// Direct is true when no relay was in between.
	Direct bool
}

// Config says what to look at and how.
type Config struct {
	// Base is the server's address, such as https://meet.example.org.
	Base *url.URL
	// Roots are trusted instead of the system's when they are not nil; Insecure trusts anything, and says so.
	Roots    *x509.CertPool
	Insecure bool
	// Own is true on the server's machine: what a firewall in front of it does cannot be seen from there. Addresses are
	// then those that the server hands out.
	Own       bool
	Addresses []netip.Addr
	// Caller makes the calls.
	Caller Caller
	// Lookup resolves names; nil is the system's resolver.
	Lookup func(ctx context.Context, name string) ([]netip.Addr, error)
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// Told gets every finding as soon as it is there; nil is allowed.
	Told func(Finding)
}

// Limits of one look. A port that drops packets must not make the doctor slow: nobody waits two minutes for an answer.
const (
	stepTimeout = 5 * time.Second
	callTimeout = 12 * time.Second
)

// look is one examination.
type look struct {
	Config
	host      string
	port      uint16
	addresses []netip.Addr
	findings  []Finding
	trusted   bool // clients accept the certificate by the name
	servers   []Server
	release   func() // ends the session that the servers' credentials belong to
	reachable bool   // some TCP connection came about
	udp       bool   // the UDP port answers
}

// Examine makes every check and returns what was found, in the order of the checks. It returns early when ctx ends.
func Examine(ctx context.Context, c Config) ([]Finding, error) {
	l, err := newLook(c)
	if err != nil {
		return nil, err
	}
	defer func() { l.release() }()
	for _, check := range []func(context.Context){
		l.name, l.ports, l.certificate, l.page, l.signalling, l.stun, l.mapping, l.calls,
	} {
		if err := ctx.Err(); err != nil {
			return l.findings, err
		}
		check(ctx)
	}
	if l.Own {
		l.tell(Finding{
			Check: "outside", State: Skipped, Words: "A firewall or a router in front of this machine is not seen from here.",
			Fix: "Run this on another network as well: parley doctor " + c.Base.String(),
		})
	}
	return l.findings, nil
}

func newLook(c Config) (*look, error) {
	l := &look{Config: c, host: c.Base.Hostname(), release: func() {}}
	if c.Lookup == nil {
		l.Lookup = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	if c.Now == nil {
		l.Now = time.Now
	}
	port := c.Base.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[c.Base.Scheme]
	}
	number, err := net.LookupPort("tcp", port)
	if err != nil || l.host == "" {
		return nil, fmt.Errorf("doctor: %s is not the address of a server, such as https://meet.example.org", c.Base.Redacted())
	}
	l.port = uint16(number)
	return l, nil
}

// Healthy reports whether nothing failed.
func Healthy(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return f.State == Failed })
}

func (l *look) tell(f Finding) {
	l.findings = append(l.findings, f)
	if l.Told != nil {
		l.Told(f)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// name looks the server's name up.
func (l *look) name(ctx context.Context) {
	if ip, err := netip.ParseAddr(l.host); err == nil {
		l.addresses = []netip.Addr{ip.Unmap()}
		l.tell(Finding{
			Check: "name", State: OK, Words: l.host + " is an address; nothing has to be looked up.",
		})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	began := l.Now()
	list, err := l.Lookup(ctx, l.host)
	took := milliseconds(l.Now().Sub(began))
	for _, a := range list {
		if a = a.Unmap(); !slices.Contains(l.addresses, a) {
			l.addresses = append(l.addresses, a)
		}
	}
	switch {
	case err != nil || len(l.addresses) == 0:
		l.tell(Finding{
			Check: "name", State: Failed, MS: took, Words: fmt.Sprintf("The name %s has no address: %v.", l.host, reason(err)),
			Fix: "Make an A record (and an AAAA record if the server has IPv6) for it at whoever keeps the domain.",
		})
	case l.Own && l.missesOwn():
		l.tell(Finding{
			Check: "name", State: Warning, MS: took,
			Words: fmt.Sprintf("%s leads to %s, but this server says it is %s.", l.host, list0(l.addresses), list0(l.Addresses)),
			Fix:   "If a router in front passes the ports on, all is well. Otherwise correct the DNS record, or set public_address.",
		})
	default:
		l.tell(Finding{Check: "name", State: OK, MS: took, Words: fmt.Sprintf("%s leads to %s.", l.host, list0(l.addresses))})
	}
}

// missesOwn reports whether the name leads only to addresses that the server does not know as its own.
func (l *look) missesOwn() bool {
	return len(l.Addresses) > 0 && !slices.ContainsFunc(l.addresses, func(a netip.Addr) bool {
		return a.IsLoopback() || slices.Contains(l.Addresses, a)
	})
}

func list0(list []netip.Addr) string {
	text := ""
	for i, a := range list {
		if i > 0 {
			text += ", "
		}
		text += a.String()
	}
	return text
}

// ports connects to the TCP port by every address.
func (l *look) ports(ctx context.Context) {
	for _, a := range l.addresses {
		at := netip.AddrPortFrom(a, l.port).String()
		step, cancel := context.WithTimeout(ctx, stepTimeout)
		began := l.Now()
		conn, err := (&net.Dialer{}).DialContext(step, "tcp", at)
		took := milliseconds(l.Now().Sub(began))
		cancel()
		if err == nil {
			_ = conn.Close() // nothing was said
			l.reachable = true
			l.tell(Finding{Check: "port", State: OK, MS: took, Words: fmt.Sprintf("TCP %d is open at %s.", l.port, a)})
			continue
		}
		state, fix := Failed, fmt.Sprintf("Let TCP %d through the firewall, or pass it on in the router, to the machine that runs parley.", l.port)
		if refused(err) {
			fix = "Nothing listens there: check that parley serve runs, and on this port (--listen)."
		}
		if a.Is6() && len(l.addresses) > 1 {
			state = Warning // whoever has IPv4 gets there, a little later
			fix += " Or remove the AAAA record. If this machine has no IPv6, this says nothing."
		}
		l.tell(Finding{
			Check: "port", State: state, MS: took, Words: fmt.Sprintf("TCP %d cannot be reached at %s: %v.", l.port, a, reason(err)), Fix: fix,
		})
	}
}
