package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// signalling opens a session, which also gives the credentials for the relay.
func (l *look) signalling(ctx context.Context) {
	if !l.reachable {
		l.tell(Finding{Check: "signalling", State: Skipped, Words: "The port cannot be reached."})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	began := l.Now()
	servers, release, fix, err := l.Caller.Knock(ctx)
	took := milliseconds(l.Now().Sub(began))
	if err != nil {
		if fix == "" {
			fix = "If a proxy stands in front, it must pass WebSockets on (/ws)."
		}
		l.tell(Finding{Check: "signalling", State: Failed, MS: took, Words: fmt.Sprintf("No session can be opened: %v.", err), Fix: fix})
		return
	}
	l.servers, l.release = servers, release
	l.tell(Finding{Check: "signalling", State: OK, MS: took, Words: "A session opens over a WebSocket."})
}

// stun asks the UDP port for our address.
func (l *look) stun(ctx context.Context) {
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		l.tell(Finding{Check: "stun", State: Skipped, Words: fmt.Sprintf("This machine opens no UDP socket: %v.", err)})
		return
	}
	defer conn.Close()
	for _, a := range l.addresses {
		began := l.Now()
		mapped, err := binding(ctx, conn, netip.AddrPortFrom(a, l.port))
		took := milliseconds(l.Now().Sub(began))
		if err == nil {
			l.udp = true
			l.tell(Finding{
				Check: "stun", State: OK, MS: took, Words: fmt.Sprintf("UDP %d is open at %s; from there, this machine is %s.", l.port, a, mapped.Addr()),
			})
			continue
		}
		state := Failed
		fix := fmt.Sprintf("Let UDP %d through the firewall, or pass it on in the router, to the machine that runs parley. If this network blocks UDP, calls still go over TCP, only slower.", l.port)
		if a.Is6() && len(l.addresses) > 1 {
			state = Warning
		}
		l.tell(Finding{Check: "stun", State: state, MS: took, Words: fmt.Sprintf("UDP %d does not answer at %s: %v.", l.port, a, reason(err)), Fix: fix})
	}
}

// binding asks server for the address that it sees us at (RFC 8489 §2). It sends the question again as the RFC says.
func binding(ctx context.Context, conn *net.UDPConn, server netip.AddrPort) (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return netip.AddrPort{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer func() {
		stop()
		_ = conn.SetReadDeadline(time.Time{}) // for the next question
	}()
	b := make([]byte, 1500)
	for wait := 500 * time.Millisecond; ; wait *= 2 {
		if _, err := conn.WriteToUDPAddrPort(request.Raw, server); err != nil {
			return netip.AddrPort{}, err
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait)) // a socket that is open takes deadlines
		for {
			n, _, err := conn.ReadFromUDPAddrPort(b)
			if ctx.Err() != nil {
				return netip.AddrPort{}, context.DeadlineExceeded
			}
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				break
			}
			if err != nil {
				return netip.AddrPort{}, err
			}
			if mapped, ok := answerTo(request, b[:n]); ok {
				return mapped, nil
			}
		}
	}
}

// answerTo reads the address out of the answer to request.
func answerTo(request *stun.Message, b []byte) (netip.AddrPort, bool) {
	answer := &stun.Message{Raw: b}
	var mapped stun.XORMappedAddress
	if answer.Decode() != nil || answer.TransactionID != request.TransactionID || mapped.GetFrom(answer) != nil {
		return netip.AddrPort{}, false
	}
	addr, ok := netip.AddrFromSlice(mapped.IP)
	return netip.AddrPortFrom(addr.Unmap(), uint16(mapped.Port)), ok
}

// mapping finds out whether the NAT of this network keeps one public port for all destinations. A second port to send
// to is needed for that: a relayed address is one, when the server has relay ports open.
func (l *look) mapping(ctx context.Context) {
	undetermined := func(why string) {
		l.tell(Finding{Check: "mapping", State: Skipped, Words: "What kind of NAT this network has is not determined: " + why})
	}
	var relay *Server
	for i := range l.servers {
		if l.servers[i].Username != "" {
			relay = &l.servers[i]
		}
	}
	switch {
	case relay == nil || len(l.addresses) == 0:
		undetermined("the server gave no relay.")
		return
	case !l.udp:
		undetermined("no UDP gets through.")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	first, second, err := mappings(ctx, netip.AddrPortFrom(l.addresses[0], l.port), *relay)
	switch {
	case errors.Is(err, errNoNAT):
		l.tell(Finding{Check: "mapping", State: OK, Words: "There is no NAT between this machine and the server."})
	case err != nil:
		undetermined(fmt.Sprintf("that needs a second port, and the relay has none open to this machine (%v).", err))
	case first == second:
		l.tell(Finding{Check: "mapping", State: OK, Words: fmt.Sprintf("This network keeps one public port (%d) for different destinations: direct calls are likely.", first.Port())})
	default:
		l.tell(Finding{
			Check: "mapping", State: OK,
			Words: fmt.Sprintf("This network uses another public port for each destination (%d, then %d): calls with networks of the same kind go through the relay.", first.Port(), second.Port()),
		})
	}
}

// errNoNAT says that the server sees a socket of ours where it is.
var errNoNAT = errors.New("no NAT")

// mappings returns the addresses at which two ports of the server see the same socket of ours, or errNoNAT.
func mappings(ctx context.Context, server netip.AddrPort, relay Server) (first, second netip.AddrPort, err error) {
	network := "udp4" // the relayed address is to be of the family of this socket
	if server.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenPacket(network, ":0")
	if err != nil {
		return first, second, err
	}
	defer conn.Close()
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: server.String(), TURNServerAddr: server.String(), Conn: conn, Username: relay.Username,
		Password: relay.Credential, LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		return first, second, err
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, client.Close)
	defer stop()
	if err := client.Listen(); err != nil {
		return first, second, err
	}
	mapped, err := client.SendBindingRequest()
	if err != nil {
		return first, second, err
	}
	if own(mapped, conn.LocalAddr()) {
		return first, second, errNoNAT
	}
	allocation, err := client.Allocate()
	if err != nil {
		return first, second, err
	}
	defer allocation.Close()
	// Writing asks for the permission that lets our own packets in.
	if _, err := allocation.WriteTo([]byte("doctor"), mapped); err != nil {
		return first, second, err
	}
	return compare(ctx, conn, allocation, mapped)
}

// own reports whether mapped is the port of local at an address of this machine.
func own(mapped, local net.Addr) bool {
	m, err := netip.ParseAddrPort(mapped.String())
	l, err2 := netip.ParseAddrPort(local.String())
	addresses, err3 := net.InterfaceAddrs()
	return err == nil && err2 == nil && err3 == nil && m.Port() == l.Port() && slices.ContainsFunc(addresses, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr() == m.Addr().Unmap()
	})
}

// compare sends to the relayed address until it arrives there, and says from where that was.
func compare(ctx context.Context, conn, allocation net.PacketConn, mapped net.Addr) (first, second netip.AddrPort, err error) {
	token := []byte("doctor " + rand.Text())
	b := make([]byte, 1500)
	if first, err = netip.ParseAddrPort(mapped.String()); err != nil {
		return first, second, err
	}
	for ctx.Err() == nil {
		if _, err := conn.WriteTo(token, allocation.LocalAddr()); err != nil {
			return first, second, err
		}
		_ = allocation.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) // it is open
		n, from, err := allocation.ReadFrom(b)
		if err == nil && string(b[:n]) == string(token) {
			second, err = netip.ParseAddrPort(from.String())
			return first, second, err
		}
	}
	return first, second, errors.New("what was sent to the relayed address did not arrive")
}

// calls makes a call by each way.
func (l *look) calls(ctx context.Context) {
	ways := []struct{ check, way, what, fix string }{
		{"direct", "direct", "directly", "Both ends are on this machine here, so this points to a firewall on it."},
		{"turn-udp", "udp", "through the relay over UDP", fmt.Sprintf("Let UDP %d through.", l.port)},
		{"turn-tcp", "tcp", "through the relay over TCP", "If a proxy stands in front, it cannot pass TURN on: let people reach Parley's own port."},
		{"turn-tls", "tls", "through the relay over TLS", "If a proxy stands in front, it cannot pass TURN on: let people reach Parley's own port."},
		{"hub", "hub", "through the server itself, as calls of three and more go", fmt.Sprintf("Let UDP %d through both ways, or TCP of the same number; public_address must be where people reach this server.", l.port)},
	}
	for _, w := range ways {
		if ctx.Err() != nil {
			return
		}
		if l.servers == nil {
			l.tell(Finding{Check: w.check, State: Skipped, Words: "No session could be opened, so no call can be made."})
			continue
		}
		if w.way == "tls" && !l.offersTLS() {
			l.tell(Finding{
				Check: w.check, State: Warning, Words: "The relay is not offered over TLS, so networks that let nothing else out cannot call.",
				Fix: "That needs a certificate that browsers trust, and the server's name instead of an address: --domain NAME, or --cert and --key.",
			})
			continue
		}
		l.call(ctx, w.check, w.way, w.what, w.fix)
	}
}

func (l *look) call(ctx context.Context, check, way, what, fix string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	peers := "Two peers"
	if way == "hub" {
		peers = "Three peers"
	}
	talk, err := l.Caller.Call(ctx, way)
	if no, ok := errors.AsType[NotOffered](err); ok {
		l.tell(Finding{Check: check, State: Skipped, Words: fmt.Sprintf("Not tried: %v.", no)})
		return
	}
	if err != nil {
		l.tell(Finding{Check: check, State: Failed, Words: fmt.Sprintf("%s did not hear each other %s: %v.", peers, what, err), Fix: fix})
		return
	}
	words := fmt.Sprintf("%s heard each other %s after %v", peers, what, talk.SetUp.Round(time.Millisecond))
	if talk.RoundTrip > 0 {
		words += ", " + strconv.FormatFloat(milliseconds(talk.RoundTrip), 'f', 1, 64) + " ms there and back"
	}
	l.tell(Finding{Check: check, State: OK, MS: milliseconds(talk.SetUp), Words: words + "."})
}

// offersTLS reports whether a relay over TLS is among the servers.
func (l *look) offersTLS() bool {
	for _, s := range l.servers {
		for _, raw := range s.URLs {
			if u, err := stun.ParseURI(raw); err == nil && u.Scheme == stun.SchemeTypeTURNS {
				return true
			}
		}
	}
	return false
}
