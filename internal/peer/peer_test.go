package peer

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/srtp"
)

// Stories in virtual time: what is done, and what the transport says to those around it.
func TestStories(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server bool // we are the DTLS server
		steps  [][2]string
	}{
		{"a call", false, [][2]string{
			{"check wifi", "answer>wifi knock>wifi start:wifi found selected"},
			{"send-dtls", "dtls>wifi"},
			{"server-hello wifi", "handshake"},
			{"keys", "ready"},
			{"rtp wifi", "rtp:100"},
			{"rtcp wifi", "rtcp:12"},
			{"send", "media>wifi"},
			{"send-rtcp", "media>wifi"},
			{"nominate wifi", "answer>wifi"},
			{"close", "bye"},
			{"send-dtls", "dtls>wifi"}, // the goodbye
			{"send", "unsent"},
			{"rtp wifi", ""},
			{"check wifi", ""},
			{"wait 10m", ""},
			{"failure", "closed"},
		}},
		{"the other profile", false, [][2]string{
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"keys cm", "ready"},
			{"rtp wifi", "rtp:100"},
			{"rtcp wifi", "rtcp:12"},
			{"send", "media>wifi"},
			{"send-rtcp", "media>wifi"},
		}},
		{"nobody comes", false, [][2]string{
			{"send-dtls", ""},
			{"wait 1h", "bye failed at:30s"},
			{"failure", "no packet of the peer reached the server"},
		}},
		{"nobody shakes hands", false, [][2]string{
			{"wait 20s", ""},
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"wait 10s", ""},
			{"nominate wifi", "answer>wifi"},
			{"wait 10s", ""},
			{"nominate wifi", "answer>wifi"},
			{"wait 1h", "bye failed at:50s"},
			{"failure", "the handshake did not end in time"},
			{"keys", ""},
			{"send", "unsent"},
		}},
		{"the handshake fails", false, [][2]string{
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"fail", "bye failed"},
			{"fail", ""},
			{"failure", "the handshake failed"},
			{"restart", "peer: the transport has closed, a new one is needed"},
		}},
		{"strangers change nothing", false, [][2]string{
			{"client-hello evil", ""},
			{"server-hello evil", ""},
			{"forged-check evil", ""},
			{"rtp evil", ""},
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"client-hello evil", ""},
			{"server-hello evil", ""},
			{"client-hello wifi", ""}, // somebody who forges the address: we are the client
			{"broken-record wifi", ""},
			{"channel-data wifi", ""},
			{"quic wifi", ""},
			{"server-hello wifi", "handshake"},
			{"keys", "ready"},
			{"forged-rtp wifi", ""},
			{"forged-rtp evil", ""},
			{"rtp wifi", "rtp:100"},
			{"send", "media>wifi"},
		}},
		{"we are the DTLS server", true, [][2]string{
			{"client-hello wifi", ""},
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"client-hello evil", ""},
			{"client-hello wifi", "handshake"},
		}},
		{"keys once", false, [][2]string{
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"keys", "ready"},
			{"keys", "peer: the transport has keys already: our fault"},
			{"send", "media>wifi"},
			{"send-again", "unsent"}, // a packet number is not used twice
			{"send", "media>wifi"},
		}},
		{"the network is lost and comes back", false, [][2]string{
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"keys", "ready"},
			{"wait 14s", ""},
			{"send", "media>wifi"},
			{"wait 10s", "lost at:15s"},
			{"send", "unsent"},
			{"send-rtcp", "unsent"},
			{"send-dtls", ""},
			{"server-hello wifi", ""}, // no longer valid
			{"rtp wifi", "rtp:100"},   // authenticated by itself
			{"nominate lte", "answer>lte found selected ready"},
			{"send", "media>lte"},
			{"server-hello lte", "handshake"},
			{"wait 10s", ""},
			{"failure", "no failure"},
		}},
		{"the network is lost for good", false, [][2]string{
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"keys", "ready"},
			{"wait 1h", "lost at:15s bye failed at:1m15s"},
			{"failure", "the peer has been silent for too long"},
		}},
		{"keys come while the network is lost", false, [][2]string{
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"wait 20s", "lost at:15s"},
			{"keys", ""},
			{"send", "unsent"},
			{"wait 20s", ""},
			{"nominate lte", "answer>lte found selected ready"},
			{"send", "media>lte"},
		}},
		{"a restart", false, [][2]string{
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"keys", "ready"},
			{"restart", ""},
			{"old-check wifi", "answer>wifi"},
			{"send", "media>wifi"},
			{"check lte", "answer>lte knock>lte found"},
			{"send", "media>wifi"},
			{"nominate lte", "answer>lte selected retired"},
			{"send", "media>lte"},
			{"old-check wifi", ""},
			{"send-dtls", "dtls>lte"},
		}},
		{"a restart after the network was lost", false, [][2]string{
			{"nominate wifi", "answer>wifi start:wifi found selected"},
			{"keys", "ready"},
			{"wait 70s", "lost at:15s"},
			{"restart", ""},
			{"wait 59s", ""},
			{"nominate tcp", "answer>tcp found selected retired ready"},
			{"send", "media>tcp"},
			{"hang-up tcp", "lost"},
			{"send", "unsent"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, !tt.server)
			for i, s := range tt.steps {
				l.log = nil
				l.do(s[0])
				if got := strings.Join(l.log, " "); got != s[1] {
					t.Fatalf("step %d, %s: got %q, want %q", i, s[0], got, s[1])
				}
			}
		})
	}
}

// Names change with a restart, and go back to one when the new one is used.
func TestUfrags(t *testing.T) {
	l := newLab(t, true)
	names := func() string { return strings.Join(l.tr.Ufrags(), " ") }
	for _, s := range [][2]string{{"nominate wifi", "frag0"}, {"restart", "frag1 frag0"}, {"nominate lte", "frag1"}} {
		if l.do(s[0]); names() != s[1] {
			t.Errorf("after %s: %s, want %s", s[0], names(), s[1])
		}
	}
}

// All is counted, and every packet once.
func TestStats(t *testing.T) {
	l := newLab(t, true)
	for _, step := range []string{
		"rtp wifi", "client-hello evil", "forged-check evil", "nominate wifi", "client-hello wifi", "server-hello wifi", "broken-record wifi", "quic wifi",
		"send-dtls", "send", "keys", "rtp wifi", "forged-rtp wifi", "rtcp wifi", "send", "send-rtcp", "send-again",
	} {
		l.do(step)
	}
	want := Stats{
		RTP: 1, RTCP: 1, Bytes: 128 + 32, SentRTP: 1, SentRTCP: 1, SentBytes: 33 + 32, DTLS: 1, SentDTLS: 1,
		Unknown: 1, Malformed: 1, Strange: 2, Early: 1, Refused: 1, Unsent: 2, ICE: ice.Stats{Checks: 1, Forged: 1},
	}
	if got := l.tr.Stats(); got != want {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if p, ok := l.tr.Profile(); !ok || p != srtp.AEADAES128GCM || !l.tr.Ready() {
		t.Error(p, ok)
	}
}

// A packet costs no allocation: in, out, nor when it is a check or somebody's rubbish.
func TestPacketsAllocateNothing(t *testing.T) {
	for _, p := range []srtp.Profile{srtp.AEADAES128GCM, srtp.AES128CMHMACSHA180} {
		l := newLab(t, true)
		l.do("nominate wifi")
		l.keys(p)
		l.quiet = true
		const runs = 200
		packets := make([][]byte, runs+2)
		for i := range packets {
			packets[i] = l.packet(1000)
		}
		check, path, i := checkPacket(t, 0, true), places["wifi"], 0
		junk := bytes.Repeat([]byte{0x80}, 200)
		kept := make([]byte, 0, Room)
		hello := dtls(22, 0, 1, 0)
		allocs := testing.AllocsPerRun(runs, func() {
			now := start.Add(time.Duration(i) * time.Millisecond)
			l.tr.HandlePacket(now, path, packets[i])
			l.tr.HandlePacket(now, path, check)
			l.tr.HandlePacket(now, path, junk)
			l.tr.HandlePacket(now, places["evil"], hello)
			b := l.tr.Next()
			w := rtp.Begin(b[:0], rtp.Fields{SSRC: 7, Sequence: uint16(i), PayloadType: 96})
			w.Payload(junk)
			if !l.tr.SendRTP(12, len(w.Bytes()), 0) {
				t.Fatal("unsent")
			}
			l.tr.SendRTCP(len(rtp.AppendPLI(l.tr.Next()[:0], 1, 2)))
			w = rtp.Begin(l.tr.Next()[:0], rtp.Fields{SSRC: 8, Sequence: uint16(i), PayloadType: 111})
			w.Payload(junk)
			if !l.tr.Resend(l.tr.KeepRTP(kept, 12, len(w.Bytes()), 0)) {
				t.Fatal("not resent")
			}
			l.tr.Deadline()
			i++
		})
		if s := l.tr.Stats(); s.RTP != runs+1 || s.Refused != runs+1 {
			t.Errorf("%v: %+v", p, s)
		}
		if allocs != 0 {
			t.Errorf("%v: %v allocations", p, allocs)
		}
	}
}

// What was kept of a packet leaves again byte for byte, and its number is used once: whoever has lost the first one opens the second,
// and who has it takes it for what it is.
func TestResend(t *testing.T) {
	for _, p := range []srtp.Profile{srtp.AEADAES128GCM, srtp.AES128CMHMACSHA180} {
		l := newLab(t, true)
		room := make([]byte, 0, Room)
		if kept := l.tr.KeepRTP(room, 12, 20, 0); len(kept) != 0 || l.tr.Resend(make([]byte, 40)) {
			t.Errorf("%v: %d bytes left before there was a path", p, len(kept))
		}
		l.do("nominate wifi")
		l.keys(p)
		w := rtp.Begin(l.tr.Next()[:0], rtp.Fields{SSRC: 7, Sequence: 9, PayloadType: 111})
		w.Payload([]byte("sound"))
		kept := l.tr.KeepRTP(room, 12, len(w.Bytes()), 0)
		first := bytes.Clone(l.last)
		if !bytes.Equal(kept, first) || len(kept) != 17+p.Overhead() {
			t.Fatalf("%v: %x left, %x was kept", p, first, kept)
		}
		w = rtp.Begin(l.tr.Next()[:0], rtp.Fields{SSRC: 7, Sequence: 9, PayloadType: 111})
		w.Payload([]byte("other"))
		if kept := l.tr.KeepRTP(room[:0:0], 12, len(w.Bytes()), 0); len(kept) != 0 {
			t.Errorf("%v: another packet left under the same number", p)
		}
		if !l.tr.Resend(kept) || !bytes.Equal(l.last, first) {
			t.Errorf("%v: %x left again, %x before", p, l.last, first)
		}
		if plain, err := l.open.OpenRTP(l.last, 12); err != nil || string(plain[12:]) != "sound" {
			t.Errorf("%v: the peer cannot open it: %v", p, err)
		}
		if _, err := l.open.OpenRTP(first, 12); !errors.Is(err, srtp.ErrReplayed) {
			t.Errorf("%v: the peer takes it twice: %v", p, err)
		}
		if s := l.tr.Stats(); s.SentRTP != 2 || s.Unsent != 3 {
			t.Errorf("%v: %+v", p, s)
		}
	}
}

// A source that has ended makes room for another.
func TestForget(t *testing.T) {
	l := newLab(t, true)
	l.do("nominate wifi")
	l.tr.Forget([]uint32{1}, nil) // nothing to forget yet
	l.do("keys")
	l.do("rtp wifi")
	l.tr.Forget([]uint32{ssrc}, []uint32{7})
	l.log = nil
	l.do("rtp wifi")
	if len(l.log) != 1 {
		t.Error(l.log)
	}
}

// What the peer, or somebody in its place, sends in whatever order: no panic, no deadline in the past, nothing sent to where no
// check came from.
func FuzzPackets(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"))
	f.Add([]byte("\x01\x06\x05\x07\x07\x08\x09\x0a\x0b\x0c\x0d\x0e"))
	steps := []string{
		"check wifi", "nominate lte", "nominate tcp", "client-hello evil", "server-hello wifi", "keys", "rtp lte", "forged-rtp evil", "send", "send-dtls",
		"restart", "wait 7s", "wait 20s", "hang-up tcp", "send-rtcp", "forged-check evil",
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		l := newLab(t, true)
		for _, b := range script[:min(len(script), 200)] {
			if int(b) < len(steps) {
				step := steps[b]
				if step == "keys" && l.seal != nil || strings.HasPrefix(step, "send") && step != "send-dtls" && l.open == nil {
					continue
				}
				l.do(step)
				continue
			}
			// Rubbish that begins like each of the protocols.
			l.events(l.tr.HandlePacket(l.now, places["wifi"], bytes.Repeat([]byte{b}, int(b)%97)))
		}
		for _, said := range l.log {
			if strings.HasSuffix(said, ">evil") || strings.HasSuffix(said, ">nowhere") {
				t.Fatal(l.log)
			}
		}
		if s := l.tr.Stats(); s.RTP != 0 && l.seal == nil {
			t.Fatal("media without keys")
		}
	})
}

func BenchmarkHandleRTP(b *testing.B) {
	benchmark(b, func(l *lab, pkt []byte) { l.tr.HandlePacket(l.now, places["wifi"], pkt) })
}

func BenchmarkSendRTP(b *testing.B) {
	payload := make([]byte, 1088)
	n := uint32(0)
	benchmark(b, func(l *lab, _ []byte) {
		n++
		w := rtp.Begin(l.tr.Next()[:0], rtp.Fields{SSRC: 7, Sequence: uint16(n), PayloadType: 96})
		w.Payload(payload)
		if !l.tr.SendRTP(12, len(w.Bytes()), n>>16) {
			b.Fatal("unsent")
		}
	})
}

// benchmark gives f packets of 1100 bytes, sealed outside of the time that counts.
func benchmark(b *testing.B, f func(l *lab, pkt []byte)) {
	for _, p := range []srtp.Profile{srtp.AEADAES128GCM, srtp.AES128CMHMACSHA180} {
		b.Run(p.String(), func(b *testing.B) {
			l := newLab(b, true)
			l.do("nominate wifi")
			l.keys(p)
			l.quiet = true
			packets := make([][]byte, 1024)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if i%len(packets) == 0 {
					b.StopTimer()
					for j := range packets {
						// The sequence number begins again with new keys, for both sides.
						if l.sequence == 65535 {
							l.tr.opener, l.seal, l.sequence = nil, nil, 0
							l.tr.opener, _ = srtp.New(p, make([]byte, p.KeySize()), make([]byte, p.SaltSize()))
							l.seal, _ = srtp.New(p, make([]byte, p.KeySize()), make([]byte, p.SaltSize()))
						}
						packets[j] = l.packet(1088)
					}
					b.StartTimer()
				}
				f(l, packets[i%len(packets)])
			}
		})
	}
}
