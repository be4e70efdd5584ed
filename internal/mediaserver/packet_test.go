package mediaserver

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/peer"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sfu"
	"github.com/parley-rtc/parley/internal/srtp"
	"github.com/pion/stun/v4"
)

// puppet is a client without a handshake: the test has its keys.
type puppet struct {
	c      *client
	socket *net.UDPConn
	from   netip.AddrPort
	seal   *srtp.Context
	number uint16
	frames uint32
}

// quiet is a handshake that never begins.
type quiet struct{}

func (quiet) Start(ice.Path) {}
func (quiet) Handle([]byte)  {}
func (quiet) Close()         {}

const (
	serverPassword = "apasswordoftheserversside"
	clientPassword = "apasswordoftheclientsside"
)

// puppet lets a client in, with a path and keys. It is called by the loop.
func (h *house) puppet(t testing.TB, now time.Time, out *portserver.Outbox, seat string, a agreement, wants []sfu.Want) *puppet {
	t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	p := h.puppetAt(t, now, out, socket.LocalAddr().(*net.UDPAddr).AddrPort(), seat, a, wants)
	p.socket = socket
	return p
}

// puppetAt is puppet for one whose packets come from an address.
func (h *house) puppetAt(t testing.TB, now time.Time, out *portserver.Outbox, from netip.AddrPort, seat string, a agreement, wants []sfu.Want) *puppet {
	t.Helper()
	c, _, _, err := h.reserve(Link{"room", seat, "1"})
	if err != nil {
		t.Fatal(err)
	}
	p := &puppet{c: c, from: from}
	ours := ice.Credentials{Ufrag: "A" + seat + "xyz", Password: serverPassword}
	tr, err := peer.New(now, peer.Config{Local: ours, Remote: ice.Credentials{Ufrag: "peer", Password: clientPassword}, Out: c.loop, Handshake: quiet{}, Sink: c})
	if err != nil {
		t.Fatal(err)
	}
	c.loop.enter(c, tr, a, wants)
	h.HandleBatch(0, now, []portserver.Packet{{Src: p.from, Data: checkOf(t, ours), Kind: portserver.STUN}}, out)
	key, salt := make([]byte, 16), make([]byte, 12)
	e, err := tr.SetKeys(srtp.AEADAES128GCM, key, salt, key, salt)
	if err != nil {
		t.Fatal(err)
	}
	if p.seal, err = srtp.New(srtp.AEADAES128GCM, key, salt); err != nil {
		t.Fatal(err)
	}
	c.loop.obey(now, c, e)
	c.loop.settle(now)
	if c.person == nil {
		t.Fatalf("%s is not in: %v", seat, e)
	}
	return p
}

func checkOf(t testing.TB, c ice.Credentials) []byte {
	t.Helper()
	m, err := stun.Build(
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.Ufrag+":peer"),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0, 0, 0, 9}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)}, stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(c.Password), stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// next writes the client's next packet of pictures into b: frames of four.
func (p *puppet) next(t testing.TB, b []byte) []byte {
	first := p.number%4 == 0
	w := rtp.Begin(b[:0], rtp.Fields{SSRC: 1000, Sequence: p.number, Timestamp: p.frames * 3000, PayloadType: 96, Marker: p.number%4 == 3})
	w.Payload(picture(p.frames, first, p.frames == 0))
	size, n := w.HeaderSize(), len(w.Bytes())
	if p.number++; p.number%4 == 0 {
		p.frames++
	}
	sealed, err := p.seal.SealRTP(b[:cap(b)], size, n, 0)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// crowd is a publisher and receivers, on the loop, with the time that passes for them.
type crowd struct {
	h       *house
	out     *portserver.Outbox
	now     time.Time
	ann     *puppet
	packets [][]byte
	sent    int
	batch   [1]portserver.Packet
}

// crowd is to be called by the loop.
func (h *house) crowd(t testing.TB, now time.Time, out *portserver.Outbox, receivers, packets int) *crowd {
	c := &crowd{h: h, out: out, now: now}
	vp8 := []sfu.Codec{{Format: "vp8", Codec: rtp.VP8, PayloadType: 96, RTX: 97, Clock: 90000, NACK: true, PLI: true}}
	c.ann = h.puppet(t, now, out, "ann", agreement{
		[]sfu.Section{{MID: "0", Kind: sfu.Video, Publishes: true, Codecs: vp8, Encodings: []sfu.Encoding{{SSRC: 1000}}}},
		[]sfu.Track{{MID: "0", Source: "camera"}},
	}, nil)
	for i := range receivers {
		place := sfu.Section{MID: "0", Kind: sfu.Video, Receives: true, Codecs: vp8, SSRC: 5000, RTX: 5001}
		h.puppet(t, now, out, fmt.Sprint("guest", i), agreement{sections: []sfu.Section{place}}, []sfu.Want{{MID: "0", Seat: "ann", Source: "camera"}})
	}
	for range packets {
		c.packets = append(c.packets, c.ann.next(t, make([]byte, 0, 1500)))
	}
	return c
}

// step is a wake-up with one packet.
func (c *crowd) step() {
	c.now = c.now.Add(5 * time.Millisecond)
	c.batch[0] = portserver.Packet{Src: c.ann.from, Data: c.packets[c.sent], Kind: portserver.RTP}
	c.sent++
	c.h.HandleBatch(0, c.now, c.batch[:], c.out)
	c.out.Flush()
}

// onLoop has the loop carry out f, and waits for it.
func (h *house) onLoop(f func(now time.Time, out *portserver.Outbox)) {
	done := make(chan struct{})
	h.port.Post(0, func(now time.Time, out *portserver.Outbox) {
		defer close(done)
		f(now, out)
	})
	<-done
}

// TestNoAllocation: a packet costs none from the batch to the kernel, whatever it costs to know its stream first.
func TestNoAllocation(t *testing.T) {
	h := open(t, 1)
	const receivers, warm, measured = 20, 400, 1000
	h.onLoop(func(now time.Time, out *portserver.Outbox) {
		c := h.crowd(t, now, out, receivers, warm+measured+1)
		for range warm {
			c.step()
		}
		before := h.port.Stats().Sent
		if n := testing.AllocsPerRun(measured, c.step); n != 0 {
			t.Errorf("%v allocations for each packet that came", n)
		}
		if sent := h.port.Stats().Sent - before; sent < receivers*measured {
			t.Errorf("%d packets left, want %d", sent, receivers*measured)
		}
	})
}

// TestStrangers: what is not the hub's goes on to the relay, and nothing is learnt from it.
func TestStrangers(t *testing.T) {
	h := open(t, 2)
	for _, loop := range []string{"A", "B"} {
		conn, err := net.Dial("udp4", h.port.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		check := checkOf(t, ice.Credentials{Ufrag: loop + "nobody", Password: "apasswordthatnobodyhasgot"})
		if _, err := conn.Write(check); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-h.relay:
			if string(got) != string(check) {
				t.Errorf("the relay got %x", got)
			}
		case <-time.After(patience):
			t.Fatal("the relay got nothing")
		}
	}
	if n := len(h.loops[0].paths) + len(h.loops[1].paths); n != 0 {
		t.Errorf("%d paths were learnt", n)
	}
}

// BenchmarkForward is one packet of 1,000 bytes for 40 people with the kernel's part, in time for each that leaves.
func BenchmarkForward(b *testing.B) {
	h := open(b, 1)
	const receivers = 40
	h.onLoop(func(now time.Time, out *portserver.Outbox) {
		c := h.crowd(b, now, out, receivers, 0)
		buffer := make([]byte, 0, 1500)
		packet := func() {
			c.now = c.now.Add(5 * time.Millisecond)
			if c.ann.number%1000 == 0 { // or their paths die
				for p := range c.h.loops[0].clients {
					for path := range p.paths {
						c.h.HandleBatch(0, c.now, []portserver.Packet{{Src: path.Peer, Data: checkOf(b, ice.Credentials{Ufrag: p.names[0], Password: serverPassword}), Kind: portserver.STUN}}, out)
					}
				}
			}
			c.batch[0] = portserver.Packet{Src: c.ann.from, Data: c.ann.next(b, buffer), Kind: portserver.RTP}
			h.HandleBatch(0, c.now, c.batch[:], out)
			out.Flush()
		}
		for range 400 {
			packet()
		}
		before := h.port.Stats().Sent
		b.ReportAllocs()
		b.ResetTimer()
		for range min(b.N, 60_000) {
			packet()
		}
		b.StopTimer()
		sent := h.port.Stats().Sent - before
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(sent, 1)), "ns/sent")
	})
}

// FuzzCut: frames are cut inside of what there is, and nothing is lost between them.
func FuzzCut(f *testing.F) {
	f.Add([]byte{0, 1, 7, 0, 0, 0, 2, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; ; {
			frame, after, ok := cut(rest)
			if !ok {
				break
			}
			if len(frame)+2+len(after) != len(rest) {
				t.Fatalf("%d and %d of %d", len(frame), len(after), len(rest))
			}
			rest = after
		}
	})
}
