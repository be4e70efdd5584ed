package mediaserver

import (
	"net/netip"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/peer"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/srtp"
)

// filming is what a puppet publishes.
func filming() agreement {
	return agreement{
		[]sfu.Section{{
			MID: "0", Kind: sfu.Video, Publishes: true, Encodings: []sfu.Encoding{{SSRC: 1000}},
			Codecs: []sfu.Codec{{Format: "vp8", Codec: rtp.VP8, PayloadType: 96, Clock: 90000}},
		}},
		[]sfu.Track{{MID: "0", Source: "camera"}},
	}
}

// relayedPuppet lets a client in whose packets come from a relayed address, on whichever loop its room is.
func (h *house) relayedPuppet(t *testing.T, at Link, relay netip.AddrPort) *puppet {
	t.Helper()
	c, _, _, err := h.reserve(at)
	if err != nil {
		t.Fatal(err)
	}
	p := &puppet{c: c, from: relay}
	key, salt := make([]byte, 16), make([]byte, 12)
	if p.seal, err = srtp.New(srtp.AEADAES128GCM, key, salt); err != nil {
		t.Fatal(err)
	}
	ours := ice.Credentials{Ufrag: alphabet[c.loop.id:c.loop.id+1] + at.Seat + "xyz", Password: serverPassword}
	do := func(f func(now time.Time) error) {
		t.Helper()
		var failed error
		if err := h.do(t.Context(), c.loop, func(now time.Time) { failed = f(now) }); err != nil || failed != nil {
			t.Fatal(err, failed)
		}
	}
	do(func(now time.Time) error {
		tr, err := peer.New(now, peer.Config{Local: ours, Remote: ice.Credentials{Ufrag: "peer", Password: clientPassword}, Out: c.loop, Handshake: quiet{}, Sink: c})
		if err == nil {
			c.loop.enter(c, tr, filming(), nil)
		}
		return err
	})
	h.HandleRelayed(relay, checkOf(t, ours))
	do(func(now time.Time) error {
		e, err := c.transport.SetKeys(srtp.AEADAES128GCM, key, salt, key, salt)
		c.loop.obey(now, c, e)
		return err
	})
	return p
}

// received is how many packets of a link have come.
func (h *house) received(t *testing.T, at Link) uint64 {
	t.Helper()
	stats, err := h.LinkStats(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return stats.Person.Received.Packets
}

// TestRelayedAddressGoesOver: an address that the relay has given to somebody else stays theirs when its first owner leaves, on
// whichever loops they are.
func TestRelayedAddressGoesOver(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rooms [2]string
	}{{"one loop", [2]string{"a", "a"}}, {"two loops", [2]string{"a", "b"}}} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, 2)
			if h.port.Loops() != 2 {
				t.Skip("there is one loop here")
			}
			relay := netip.MustParseAddrPort("127.0.0.1:49152")
			ann := h.relayedPuppet(t, Link{tt.rooms[0], "ann", "1"}, relay)
			bob := h.relayedPuppet(t, Link{tt.rooms[1], "bob", "1"}, relay)
			if same := ann.c.loop == bob.c.loop; same != (tt.rooms[0] == tt.rooms[1]) {
				t.Fatalf("on the same loop: %v", same)
			}
			for i := range uint64(4) {
				if i == 2 {
					if err := h.Leave(t.Context(), ann.c.at); err != nil {
						t.Fatal(err)
					}
				}
				h.HandleRelayed(relay, bob.next(t, make([]byte, 0, 1500)))
				if n := h.received(t, bob.c.at); n != i+1 {
					t.Fatalf("%d of bob's packets arrived, want %d", n, i+1)
				}
			}
			if err := h.Leave(t.Context(), bob.c.at); err != nil {
				t.Fatal(err)
			}
			if h.relays.get(relay) != nil {
				t.Error("the address is still somebody's")
			}
		})
	}
}

// TestPathComesBack: whoever has shared a path with somebody who has left is heard again from the next check on.
func TestPathComesBack(t *testing.T) {
	h := open(t, 1)
	h.onLoop(func(now time.Time, out *portserver.Outbox) {
		ann := h.puppet(t, now, out, "ann", filming(), nil)
		bob := h.puppetAt(t, now, out, ann.from, "bob", filming(), nil)
		h.loops[0].drop(now, bob.c)
		send := func(data []byte, kind portserver.Kind) {
			h.HandleBatch(0, now, []portserver.Packet{{Src: ann.from, Data: data, Kind: kind}}, out)
		}
		send(checkOf(t, ice.Credentials{Ufrag: ann.c.names[0], Password: serverPassword}), portserver.STUN)
		send(ann.next(t, make([]byte, 0, 1500)), portserver.RTP)
		if n := ann.c.person.Stats().Received.Packets; n != 1 {
			t.Errorf("%d packets arrived", n)
		}
	})
}
