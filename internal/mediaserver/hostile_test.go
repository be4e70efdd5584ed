package mediaserver

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sfu"
)

// hello is a ClientHello as far as anybody looks before there is a handshake (RFC 6347 §4.2).
func hello() []byte {
	b := make([]byte, 13+60)
	b[0], b[1], b[2] = 22, 0xfe, 0xff
	binary.BigEndian.PutUint16(b[11:], 60)
	b[13] = 1
	return b
}

// forge gives a check another transaction and makes its fingerprint right again: anybody can.
func forge(check []byte, rnd *rand.Rand) {
	binary.BigEndian.PutUint64(check[8:], rnd.Uint64())
	at := len(check) - 8
	binary.BigEndian.PutUint32(check[at+4:], crc32.ChecksumIEEE(check[:at])^0x5354554e)
}

// TestMillionStrangers: of packets that do not authenticate, from as many addresses, nothing is learnt, answered or allocated for,
// and those who talk do not hang up.
func TestMillionStrangers(t *testing.T) {
	flood := 1_000_000
	if testing.Short() {
		flood = 50_000
	}
	h := open(t, 1)
	ann := h.come(t, Link{"room", "ann", "1"}, 0, true)
	ann.offer(false)
	bob := h.come(t, Link{"room", "bob", "1"}, 1, false)
	bob.offer(false, camera("ann"))
	bob.hears(1, 1)
	l := h.loops[0]
	var name string
	var state [4]int
	count := func() [4]int { return [4]int{len(l.paths), len(l.byUfrag), len(l.clients), len(l.timers)} }
	h.onLoop(func(time.Time, *portserver.Outbox) {
		for n := range l.byUfrag {
			name = n
		}
		state = count()
	})
	rnd := rand.New(rand.NewPCG(1, 2))
	guessed := checkOf(t, ice.Credentials{Ufrag: name, Password: "aguessofthepasswordatbest"})
	nobody := checkOf(t, ice.Credentials{Ufrag: "Anobody1", Password: "aguessofthepasswordatbest"})
	media := make([]byte, 200)
	media[0], media[1] = 0x80, 96
	control := []byte{0x80, 201, 0, 7, 31: 0}
	opened := h.Stats().DTLS
	batch := make([]portserver.Packet, 60)
	send := func(now time.Time, out *portserver.Outbox) {
		for i := range batch {
			src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32())}), uint16(rnd.Uint32()))
			p := portserver.Packet{Src: src, Kind: portserver.STUN}
			switch i % 5 {
			case 0:
				forge(guessed, rnd)
				p.Data = guessed
			case 1:
				forge(nobody, rnd)
				p.Data = nobody
			case 2:
				p.Data, p.Kind = media, portserver.RTP
			case 3:
				p.Data, p.Kind = control, portserver.RTP
			case 4:
				p.Data, p.Kind = hello(), portserver.DTLS
			}
			batch[i] = p
			if i%5 < 2 { // they share their bytes
				h.HandleBatch(0, now, batch[i:i+1], out)
			}
		}
		h.HandleBatch(0, now, batch, out)
	}
	before := h.port.Stats()
	for sent := 0; sent < flood; sent += 100 * len(batch) {
		h.onLoop(func(now time.Time, out *portserver.Outbox) { // others have their turn in between
			for range 100 {
				send(now, out)
			}
		})
	}
	h.onLoop(func(now time.Time, out *portserver.Outbox) {
		if got := count(); got != state {
			t.Errorf("paths, names, clients, timers: %v, before %v", got, state)
		}
		hold := now
		if n := testing.AllocsPerRun(20, func() { send(hold, out) }); n > 12 { // the hellos of the test itself
			t.Errorf("%v allocations for %d packets", n, len(batch))
		}
	})
	if st := h.Stats().DTLS; st.HalfOpen != opened.HalfOpen || st.Opened != opened.Opened || st.Failed != opened.Failed {
		t.Errorf("handshakes: %+v, before %+v", st, opened)
	}
	cleo := h.come(t, Link{"room", "cleo", "1"}, 1, false)
	cleo.offer(false, camera("ann"))
	cleo.hears(1, 1)
	for _, g := range []*guest{ann, bob} {
		if err := h.endedWith(g.at); err != nil {
			t.Errorf("%v ended: %v", g.at, err)
		}
	}
	if st := h.port.Stats(); st.Panics != before.Panics {
		t.Error("panics")
	}
}

// TestStrangersHellos: third parties who say hello while others set up their links change nothing for them.
func TestStrangersHellos(t *testing.T) {
	h := open(t, 2)
	done := make(chan struct{})
	stopped := make(chan struct{})
	conn, err := net.Dial("udp4", h.port.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_, _ = conn.Write(hello())
			}
		}
	}()
	ann := h.come(t, Link{"room", "ann", "1"}, 0, true)
	ann.offer(false)
	const guests = 4
	for i := range guests {
		g := h.come(t, Link{"room", fmt.Sprint("guest", i), "1"}, 1, false)
		g.offer(false, camera("ann"))
		g.hears(1, 1)
	}
	close(done)
	<-stopped
	if st := h.Stats(); st.DTLS.Opened != guests+1 || st.DTLS.Failed != 0 || st.DTLS.HalfOpen != 0 {
		t.Errorf("%+v", st.DTLS)
	}
}

// TestHostileGuest: who has keys and sends whatever comes to mind disturbs nobody else, not by its amount either, and no more than
// its due is kept of it.
func TestHostileGuest(t *testing.T) {
	h := open(t, 1)
	vp8 := []sfu.Codec{{Format: "vp8", Codec: rtp.VP8, PayloadType: 96, RTX: 97, Clock: 90000, NACK: true, PLI: true}}
	publishes := agreement{
		[]sfu.Section{{MID: "0", Kind: sfu.Video, Publishes: true, Codecs: vp8, Encodings: []sfu.Encoding{{SSRC: 1000}}}},
		[]sfu.Track{{MID: "0", Source: "camera"}},
	}
	h.onLoop(func(now time.Time, out *portserver.Outbox) {
		ann := h.puppet(t, now, out, "ann", publishes, nil)
		place := sfu.Section{MID: "0", Kind: sfu.Video, Receives: true, Codecs: vp8, SSRC: 5000, RTX: 5001}
		bob := h.puppet(t, now, out, "bob", agreement{sections: []sfu.Section{place}}, []sfu.Want{{MID: "0", Seat: "ann", Source: "camera"}})
		eve := h.puppet(t, now, out, "eve", publishes, nil)
		rnd := rand.New(rand.NewPCG(3, 4))
		buffer := make([]byte, 0, 1500)
		seq := uint32(0)
		for i := range 4000 {
			now = now.Add(time.Millisecond)
			for range 20 { // 20 of 1,000 bytes each ms are 160 Mbit/s
				seq++
				w := rtp.Begin(buffer[:0], rtp.Fields{SSRC: 1000 + rnd.Uint32()%3*rnd.Uint32(), Sequence: uint16(seq), Timestamp: rnd.Uint32(), PayloadType: uint8(rnd.Uint32() & 127)})
				payload := make([]byte, rnd.IntN(1000))
				for j := range min(len(payload), 24) {
					payload[j] = byte(rnd.Uint32())
				}
				w.Payload(payload)
				size, n := w.HeaderSize(), len(w.Bytes())
				if sealed, err := eve.seal.SealRTP(buffer[:cap(buffer)], size, n, seq>>16); err == nil {
					h.HandleBatch(0, now, []portserver.Packet{{Src: eve.from, Data: sealed, Kind: portserver.RTP}}, out)
				}
			}
			control := make([]byte, 8+rnd.IntN(200)*4)
			for j := range control {
				control[j] = byte(rnd.Uint32())
			}
			control[0], control[1] = 0x80|control[0]&31, 200+control[1]%8
			binary.BigEndian.PutUint16(control[2:], uint16(len(control)/4-1))
			if sealed, err := eve.seal.SealRTCP(append(control, make([]byte, 40)...), len(control)); err == nil {
				h.HandleBatch(0, now, []portserver.Packet{{Src: eve.from, Data: sealed, Kind: portserver.RTP}}, out)
			}
			if i%20 == 0 {
				h.HandleBatch(0, now, []portserver.Packet{{Src: ann.from, Data: ann.next(t, buffer), Kind: portserver.RTP}}, out)
			}
			out.Flush()
		}
		got, sent := bob.c.person.Stats(), ann.c.person.Stats().Received.Packets
		if n := got.Places[0].Packets; n != sent || sent != 200 {
			t.Errorf("bob was sent %d of %d packets", n, sent)
		}
		st := eve.c.person.Stats()
		if r := st.Received; r.Policed == 0 || r.Unknown == 0 || r.Broken == 0 || len(st.Streams) != 1 {
			t.Errorf("%+v, %d streams", r, len(st.Streams))
		}
		if s := eve.c.transport.Stats(); eve.c.gone || s.Refused == 0 { // more sources than a transport may have
			t.Errorf("gone %v, %+v", eve.c.gone, s)
		}
	})
}

// FuzzHandleBatch interprets bytes as what arrives: from strangers, sealed by guests, and time.
func FuzzHandleBatch(f *testing.F) {
	h := open(f, 1)
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { sink.Close() })
	port := sink.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	f.Add([]byte{0, 4, 0x80, 96, 0, 1, 1, 12, 0x10, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 12, 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0x13, 0x88, 4, 200})
	f.Add(append([]byte{0, 73}, hello()...))
	f.Add(append([]byte{3, 108}, checkOf(f, ice.Credentials{Ufrag: "Aannxyz", Password: serverPassword})...))
	f.Fuzz(func(t *testing.T, data []byte) {
		h.onLoop(func(now time.Time, out *portserver.Outbox) {
			defer func() { // here, or the loop would go on
				if cause := recover(); cause != nil {
					t.Errorf("panic: %v", cause)
				}
			}()
			h.batches(t, now, out, port, data)
		})
	})
}

// batches plays one input of FuzzHandleBatch with two guests, who are gone afterwards.
func (h *house) batches(t *testing.T, now time.Time, out *portserver.Outbox, port uint16, data []byte) {
	vp8 := []sfu.Codec{{Format: "vp8", Codec: rtp.VP8, PayloadType: 96, RTX: 97, Clock: 90000, NACK: true, PLI: true}}
	at := func(host byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, host}), port)
	}
	guests := []*puppet{
		h.puppetAt(t, now, out, at(2), "ann", agreement{
			[]sfu.Section{{MID: "0", Kind: sfu.Video, Publishes: true, Codecs: vp8, Encodings: []sfu.Encoding{{SSRC: 1000}}}},
			[]sfu.Track{{MID: "0", Source: "camera"}},
		}, nil),
		h.puppetAt(t, now, out, at(3), "bob", agreement{
			sections: []sfu.Section{{MID: "0", Kind: sfu.Video, Receives: true, Codecs: vp8, SSRC: 5000, RTX: 5001}},
		}, []sfu.Want{{MID: "0", Seat: "ann", Source: "camera"}}),
	}
	l := h.loops[0]
	for len(data) > 2 {
		kind, n := data[0], min(int(data[1]), len(data)-2)
		pkt := append(make([]byte, 0, 600), data[2:2+n]...)
		data = data[2+n:]
		from := guests[kind>>3&1]
		src := from.from
		switch kind & 7 {
		case 0: // as it is, from anywhere
			src = at(kind >> 3)
		case 1:
			if header, err := rtp.ParseHeader(pkt); err == nil {
				pkt, _ = from.seal.SealRTP(pkt[:cap(pkt)], int(header.Size), n, 0)
			}
		case 2:
			pkt, _ = from.seal.SealRTCP(pkt[:cap(pkt)], n)
		case 4:
			now = now.Add(time.Duration(n) * 10 * time.Millisecond)
			h.HandleTimeout(0, now, out)
			continue
		}
		if len(pkt) > 0 {
			h.HandleBatch(0, now, []portserver.Packet{{Src: src, Data: pkt, Kind: portserver.Classify(pkt)}}, out)
		}
		if len(l.clients) > 2 || len(l.paths) > 2*maxPaths || len(l.timers) > 3 {
			t.Errorf("%d clients, %d paths, %d timers", len(l.clients), len(l.paths), len(l.timers)) // Fatal would end the loop
		}
	}
	l.closeAll(now)
	l.settle(now)
	out.Flush()
	if n := len(l.clients) + len(l.paths) + len(l.byUfrag) + len(l.timers); n != 0 {
		t.Errorf("left behind: %d clients, %d paths, %d names, %d timers", len(l.clients), len(l.paths), len(l.byUfrag), len(l.timers))
	}
}
