package ice

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
)

// fingerprint makes the fingerprint of a changed message right again: anyone can.
func fingerprint(raw []byte) {
	at := len(raw) - attrHeaderSize - fingerprintSize
	binary.BigEndian.PutUint32(raw[at+attrHeaderSize:], crc32.ChecksumIEEE(raw[:at])^fingerprintXOR)
}

// TestFlood: of a million packets of those who do not know the password none is answered, remembered or allocated for, and the
// peer's own checks go through all the while.
func TestFlood(t *testing.T) {
	flood := 1_000_000
	if testing.Short() {
		flood = 50_000
	}
	a := agent(t)
	nominate := right(0)
	nominate.nominate = true
	honest := nominate.build(t)
	wifi := where()["wifi"]
	a.HandlePacket(start, wifi, honest)

	guess := right(0)
	guess.password, guess.nominate = "a guess of the password 01", true
	forged := guess.build(t)
	stranger := check{username: "nobody:peer", password: "a guess of the password 01"}.build(t)
	response := bytes.Clone(honest)
	response[0] = 1
	fingerprint(response)
	r := rand.New(rand.NewPCG(1, 2))
	n := 0
	send := func() {
		n++
		from := Path{Peer: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(n >> 8), byte(n)}), uint16(r.Uint32()))}
		for _, raw := range [][]byte{forged, stranger, response} {
			binary.BigEndian.PutUint64(raw[8:], r.Uint64())
			fingerprint(raw)
			if answer, e := a.HandlePacket(start, from, raw); answer != nil || e != 0 {
				t.Fatalf("answered %x, event %b", answer, e)
			}
		}
		binary.BigEndian.PutUint32(honest[len(honest)-4:], 0)
		if answer, _ := a.HandlePacket(start, wifi, honest); answer != nil {
			t.Fatal("a wrong fingerprint was answered")
		}
		fingerprint(honest)
	}
	for range flood / 4 {
		send()
	}
	if len(a.paths.all) != 1 {
		t.Errorf("%d paths", len(a.paths.all))
	}
	if st := a.Stats(); st.Forged != uint64(n) || st.Foreign != uint64(2*n) || st.Malformed != uint64(n) {
		t.Errorf("%+v", st)
	}
	if allocs := testing.AllocsPerRun(1000, send); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if answer, _ := a.HandlePacket(start, where()["wifi"], honest); answer == nil {
		t.Error("the peer's own check is not answered")
	}
}

// TestChanged: no bit of a check can be changed, even with the fingerprint made right again.
func TestChanged(t *testing.T) {
	a := agent(t)
	whole := right(0).build(t)
	for bit := range 8 * (len(whole) - attrHeaderSize - fingerprintSize) {
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		fingerprint(b)
		if answer, e := a.HandlePacket(start, where()["wifi"], b); answer != nil || e != 0 {
			t.Fatalf("bit %d of %x: answered %x", bit, b, answer)
		}
	}
	for n := range len(whole) {
		if _, ok := Ufrag(whole[:n]); ok {
			t.Fatalf("%d bytes are a check", n)
		}
	}
	if ufrag, ok := Ufrag(whole); !ok || string(ufrag) != "srv1" {
		t.Error(string(ufrag))
	}
}

// TestBehindIntegrity: nothing that was added behind the integrity counts: it is not the peer's (RFC 8489 §14.5).
func TestBehindIntegrity(t *testing.T) {
	raw := right(0).build(t)
	body := raw[:len(raw)-attrHeaderSize-fingerprintSize]
	body = append(bytes.Clone(body), 0, byte(attrUseCandidate), 0, 0, 0, byte(attrPriority), 0, 4, 1, 1, 1, 1, 0x71, 0x23, 0, 0)
	body = append(body, 0x80, 0x28, 0, 4, 0, 0, 0, 0)
	binary.BigEndian.PutUint16(body[2:], uint16(len(body)-headerSize))
	fingerprint(body)
	a := agent(t)
	answer, e := a.HandlePacket(start, where()["wifi"], body)
	if answer == nil || e != Found|Selected {
		t.Fatalf("%x %b", answer, e)
	}
	if p := a.paths.selected; p.priority != 100 || !p.nominated.IsZero() {
		t.Errorf("%+v", p)
	}
}

// TestTwice: of attributes that come twice the first counts (RFC 8489 §14).
func TestTwice(t *testing.T) {
	c := right(0)
	c.extra = []stun.Setter{stun.NewUsername("evil:peer"), priorityAttr(999)}
	a := agent(t)
	if answer, _ := a.HandlePacket(start, where()["wifi"], c.build(t)); answer == nil {
		t.Error("not answered")
	}
	if p := a.paths.selected; p == nil || p.priority != 100 {
		t.Errorf("%+v", p)
	}
}
