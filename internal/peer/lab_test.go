package peer

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/srtp"
	"github.com/pion/stun/v4"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// lab is a transport between a peer that is played by hand and fakes that write down what they are told.
type lab struct {
	t      testing.TB
	now    time.Time
	tr     *Transport
	log    []string
	buffer [Room]byte
	quiet  bool
	last   []byte // what was sent last
	// The peer's contexts, and how often the keys were changed.
	seal, open *srtp.Context
	generation int
	sequence   uint16
	sent       uint16
}

// The lab is all of the transport's surroundings.
func (l *lab) Next() []byte { return l.buffer[:] }

func (l *lab) Send(n int, path ice.Path) {
	if l.quiet {
		return
	}
	l.last = bytes.Clone(l.buffer[:n])
	word := map[class]string{check: "answer", record: "dtls", media: "media"}[classify(l.last)]
	if word == "answer" && l.last[0] == 0 {
		word = "knock" // a request
	}
	l.say("%s>%s", word, place(path))
}
func (l *lab) Start(path ice.Path)                              { l.say("start:%s", place(path)) }
func (l *lab) Handle([]byte)                                    { l.say("handshake") }
func (l *lab) Close()                                           { l.say("bye") }
func (l *lab) HandleRTP(_ time.Time, pkt []byte, h *rtp.Header) { l.hear("rtp", h.Payload(pkt)) }
func (l *lab) HandleRTCP(_ time.Time, compound []byte)          { l.hear("rtcp", compound) }
func (l *lab) hear(what string, b []byte) {
	if !l.quiet {
		l.say("%s:%d", what, len(b))
	}
}
func (l *lab) say(format string, a ...any) { l.log = append(l.log, fmt.Sprintf(format, a...)) }

var places = map[string]ice.Path{
	"wifi": {Peer: netip.MustParseAddrPort("198.51.100.1:5000")},
	"lte":  {Peer: netip.MustParseAddrPort("203.0.113.1:5000")},
	"tcp":  {Peer: netip.MustParseAddrPort("198.51.100.1:5001"), Via: 7},
	"evil": {Peer: netip.MustParseAddrPort("203.0.113.66:666")},
}

func place(p ice.Path) string {
	for name, path := range places {
		if path == p {
			return name
		}
	}
	return "nowhere"
}

func credentials(generation int) ice.Credentials {
	return ice.Credentials{Ufrag: fmt.Sprint("frag", generation), Password: fmt.Sprint("passwordpasswordpassword", generation)}
}

// remote is the peer's password.
const remote = "the peer's own password"

func newLab(t testing.TB, client bool) *lab {
	t.Helper()
	l := &lab{t: t, now: start}
	tr, err := New(start, Config{Local: credentials(0), Remote: ice.Credentials{Ufrag: "peer", Password: remote}, Client: client, Out: l, Handshake: l, Sink: l})
	if err != nil {
		t.Fatal(err)
	}
	l.tr = tr
	return l
}

func (l *lab) events(e Event) {
	for i, name := range []string{"found", "selected", "lost", "retired", "ready", "failed"} {
		if e.Has(1 << i) {
			l.say("%s", name)
		}
	}
}

// checkPacket is a check of the peer's with the credentials of the generation.
func checkPacket(t testing.TB, generation int, nominate bool) []byte {
	t.Helper()
	return build(t, credentials(generation), nominate)
}

func build(t testing.TB, c ice.Credentials, nominate bool) []byte {
	t.Helper()
	setters := []stun.Setter{
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.Ufrag + ":peer"),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0, 0, 0, 9}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
	}
	if nominate {
		setters = append(setters, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(c.Password), stun.Fingerprint)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// dtls is a record: of the type, in the epoch, with a body.
func dtls(kind, epoch byte, body ...byte) []byte {
	return append([]byte{kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, 0, byte(len(body))}, body...)
}

const ssrc = 0x1234

// packet is an RTP packet of the peer's, sealed once there are keys.
func (l *lab) packet(payload int) []byte {
	l.sequence++
	pkt := rtp.Begin(make([]byte, 0, Room), rtp.Fields{SSRC: ssrc, Sequence: l.sequence, PayloadType: 96})
	pkt.Payload(make([]byte, payload))
	b := pkt.Bytes()
	if l.seal == nil {
		return b
	}
	sealed, err := l.seal.SealRTP(b[:cap(b)], 12, len(b), 0)
	if err != nil {
		l.t.Fatal(err)
	}
	return sealed
}

// keys are the same each time but for the first byte.
func (l *lab) keys(p srtp.Profile) {
	key := func(first byte, n int) []byte { b := make([]byte, n); b[0] = first; return b }
	k, s := p.KeySize(), p.SaltSize()
	e, err := l.tr.SetKeys(p, key(1, k), key(2, s), key(3, k), key(4, s))
	if err != nil {
		l.say("%v", err)
		return
	}
	l.seal, _ = srtp.New(p, key(3, k), key(4, s))
	l.open, _ = srtp.New(p, key(1, k), key(2, s))
	l.events(e)
}

// arrives makes the packet of a word of a story; nil when the word is none.
func (l *lab) arrives(word string) []byte {
	switch word {
	case "check", "nominate":
		return checkPacket(l.t, l.generation, word == "nominate")
	case "old-check":
		return checkPacket(l.t, l.generation-1, false)
	case "forged-check":
		c := credentials(l.generation)
		c.Password += "?"
		return build(l.t, c, true)
	case "server-hello":
		return dtls(22, 0, 2, 0)
	case "client-hello":
		return dtls(22, 0, 1, 0)
	case "broken-record":
		return dtls(22, 0, 2, 0)[:14]
	case "rtp":
		return l.packet(100)
	case "forged-rtp":
		pkt := l.packet(100)
		pkt[20] ^= 1
		return pkt
	case "rtcp":
		b := rtp.AppendPLI(make([]byte, 0, Room), 1, ssrc)
		sealed, err := l.seal.SealRTCP(b[:cap(b)], len(b))
		if err != nil {
			l.t.Fatal(err)
		}
		return sealed
	case "channel-data":
		return []byte{0x40, 0, 0, 4, 1, 2, 3, 4}
	case "quic":
		return []byte{0xc3, 0, 0, 4, 1, 2, 3, 4}
	}
	return nil
}

// do plays one step of a story: a word, and where or for how long.
func (l *lab) do(step string) {
	word, arg, _ := strings.Cut(step, " ")
	path := places[arg]
	if pkt := l.arrives(word); pkt != nil {
		l.events(l.tr.HandlePacket(l.now, path, pkt))
		return
	}
	switch word {
	case "keys":
		l.keys(map[string]srtp.Profile{"": srtp.AEADAES128GCM, "cm": srtp.AES128CMHMACSHA180}[arg])
	case "send", "send-again":
		if word == "send" {
			l.sent++
		}
		w := rtp.Begin(l.tr.Next()[:0], rtp.Fields{SSRC: 7, Sequence: l.sent, PayloadType: 96})
		w.Payload([]byte("hello"))
		if !l.tr.SendRTP(12, len(w.Bytes()), 0) {
			l.say("unsent")
		} else if plain, err := l.open.OpenRTP(l.last, 12); err != nil || string(plain[12:]) != "hello" {
			l.say("the peer cannot open it: %v", err)
		}
	case "send-rtcp":
		if b := rtp.AppendPLI(l.tr.Next()[:0], 1, 2); !l.tr.SendRTCP(len(b)) {
			l.say("unsent")
		} else if plain, err := l.open.OpenRTCP(l.last); err != nil || len(plain) != 12 {
			l.say("the peer cannot open it: %v", err)
		}
	case "send-dtls":
		l.tr.SendDTLS(dtls(22, 0, 1))
	case "restart":
		l.generation++
		if err := l.tr.Restart(l.now, credentials(l.generation), ice.Credentials{Ufrag: "peer", Password: remote}); err != nil {
			l.say("%v", err)
		}
	case "hang-up":
		l.events(l.tr.HandleClosed(l.now, path.Via))
	case "fail":
		l.events(l.tr.Fail())
	case "close":
		l.tr.Close()
	case "wait":
		l.wait(arg)
	case "failure":
		l.say("%v", l.tr.Failure())
	default:
		l.t.Fatal("no such step: ", step)
	}
}

// wait calls HandleTimeout whenever it is asked for, and says when something came of it.
func (l *lab) wait(arg string) {
	d, err := time.ParseDuration(arg)
	if err != nil {
		l.t.Fatal(err)
	}
	end := l.now.Add(d)
	for at := l.tr.Deadline(); !at.IsZero() && !at.After(end); at = l.tr.Deadline() {
		if at.Before(l.now) {
			l.t.Fatalf("deadline %v is past", at.Sub(start))
		}
		l.now = at
		n := len(l.log)
		l.events(l.tr.HandleTimeout(l.now))
		if len(l.log) > n {
			l.say("at:%v", l.now.Sub(start))
		} else if l.tr.Deadline().Equal(at) {
			l.t.Fatal("a deadline that nothing came of stays")
		}
	}
	l.now = end
}
