package server_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// allocate asks for a relayed address over way (RFC 8656 §7.1): first without credentials, to learn the realm and a
// nonce, then with them.
func allocate(t *testing.T, at netip.AddrPort, way, username, password string) (netip.AddrPort, error) {
	t.Helper()
	c, err := dial(at, way)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	udp := stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}
	ask := stun.NewType(stun.MethodAllocate, stun.ClassRequest)
	first, err := exchange(c, stun.MustBuild(stun.TransactionID, ask, udp))
	if err != nil {
		return netip.AddrPort{}, err
	}
	var realm stun.Realm
	var nonce stun.Nonce
	if err := errors.Join(realm.GetFrom(first), nonce.GetFrom(first)); err != nil {
		return netip.AddrPort{}, err
	}
	second, err := exchange(c, stun.MustBuild(stun.TransactionID, ask, udp, stun.NewUsername(username), realm, nonce,
		stun.NewLongTermIntegrity(username, realm.String(), password)))
	if err != nil {
		return netip.AddrPort{}, err
	}
	var relayed stun.XORMappedAddress
	if err := relayed.GetFromAs(second, stun.AttrXORRelayedAddress); err != nil {
		var code stun.ErrorCodeAttribute
		_ = code.GetFrom(second)
		return netip.AddrPort{}, fmt.Errorf("refused: %s", code)
	}
	a, _ := netip.AddrFromSlice(relayed.IP)
	return netip.AddrPortFrom(a.Unmap(), uint16(relayed.Port)), nil
}

func dial(at netip.AddrPort, way string) (net.Conn, error) {
	if way == "tls" {
		return tls.Dial("tcp", at.String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"stun.turn"}})
	}
	return net.Dial(way, at.String())
}

func exchange(c net.Conn, m *stun.Message) (*stun.Message, error) {
	if _, err := c.Write(m.Raw); err != nil {
		return nil, err
	}
	b := make([]byte, 1500)
	n := 0
	if _, ok := c.(*net.UDPConn); ok {
		var err error
		if n, err = c.Read(b); err != nil {
			return nil, err
		}
	} else {
		if _, err := io.ReadFull(c, b[:20]); err != nil {
			return nil, err
		}
		n = 20 + (int(b[2])<<8 | int(b[3]))
		if _, err := io.ReadFull(c, b[20:n]); err != nil {
			return nil, err
		}
	}
	answer := &stun.Message{Raw: b[:n]}
	return answer, answer.Decode()
}
