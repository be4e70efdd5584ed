package signal

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

// samples returns one filled text of every message as sent by from.
func samples(tb testing.TB, from Side) [][]byte {
	var list [][]byte
	for _, e := range Registry() {
		if e.From&from == 0 {
			continue
		}
		m := e.Make()
		fill(reflect.ValueOf(m).Elem(), string(e.Type), from)
		text, err := Encode(m)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, text)
	}
	return list
}

// checkDecode holds what must be true of any input: no panic, a usable error, and parse∘marshal∘parse is stable.
func checkDecode(t *testing.T, b []byte, from Side) {
	m, fault := Decode(b, from)
	if fault != nil {
		if m != nil || fault.Code == "" || fault.Words == "" {
			t.Fatalf("unusable error %+v for %q", fault, b)
		}
		if text, err := Encode(fault); err != nil || len(text) > 4096 {
			t.Fatalf("error of %d bytes, %v, for %q", len(text), err, b)
		}
		return
	}
	if _, ok := m.(*Unknown); ok {
		return
	}
	text, err := Encode(m)
	if err != nil {
		t.Fatalf("encode %#v: %v", m, err)
	}
	again, fault := Decode(text, from)
	if fault != nil {
		if fault.Code == CodeTooLarge && len(text) > len(b) {
			return // escapes such as \u003c are longer than what they stand for
		}
		t.Fatalf("our own text is refused: %s: %q from %q", fault.Words, text, b)
	}
	if second, _ := Encode(again); !bytes.Equal(text, second) {
		t.Fatalf("not stable: %q then %q", text, second)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range samples(f, FromClient) {
		f.Add(s, false)
	}
	for _, s := range samples(f, FromServer) {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, server bool) {
		if server {
			checkDecode(t, b, FromServer)
		} else {
			checkDecode(t, b, FromClient)
		}
	})
}

// TestMutations breaks every message type in 10,000 ways.
func TestMutations(t *testing.T) {
	ways := 10_000
	if testing.Short() {
		ways = 500
	}
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"null", "{}", "[]", `"`, "\\u0000", "-1", "1e999", "true", `""`, ",", "}", "\xff", "{", "[[[["}
	for _, sample := range samples(t, FromClient) {
		for range ways {
			b := bytes.Clone(sample)
			for range 1 + random.IntN(3) {
				at := random.IntN(len(b))
				switch random.IntN(4) {
				case 0:
					b[at] = byte(random.Uint32())
				case 1:
					b = append(b[:at], b[min(len(b), at+1+random.IntN(8)):]...)
				case 2:
					b = append(b[:at], append([]byte(pieces[random.IntN(len(pieces))]), b[at:]...)...)
				case 3:
					b = append(b, b[at:]...)
				}
				if len(b) == 0 {
					b = []byte{' '}
				}
			}
			checkDecode(t, b, FromClient)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(`{"type":"candidate","n":12,"ack":9,"to":"sSfPuaG5yUUx2","link":"l1","candidate":{"candidate":"candidate:1 1 udp 2122260223 192.168.1.7 54321 typ host generation 0 ufrag abcd","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"abcd"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, fault := Decode(text, FromClient); fault != nil {
			b.Fatal(fault.Words)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	m := &SeatChange{Seat: Seat{ID: "s", Name: "Ann", Role: RoleHost, State: SeatPresent, Session: "x"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(m); err != nil {
			b.Fatal(err)
		}
	}
}
