package rtp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// unhex turns hex with spaces into bytes.
func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// The fields stand where RFC 3550 §5.1 draws them.
func TestHeader(t *testing.T) {
	for _, tt := range []struct {
		name, packet, payload string
		want                  Header
	}{
		{"plain", "80 60 0102 03040506 0708090a  ff", "ff", Header{
			PayloadType: 96, Sequence: 0x0102, Timestamp: 0x03040506, SSRC: 0x0708090a, Size: 12, End: 13,
		}},
		{"marker", "80 e0 0102 03040506 0708090a", "", Header{
			PayloadType: 96, Marker: true, Sequence: 0x0102, Timestamp: 0x03040506, SSRC: 0x0708090a, Size: 12, End: 12,
		}},
		{"two sources", "82 00 0000 00000000 00000000 11111111 22222222 ee", "ee", Header{CSRCs: 2, Size: 20, End: 21}},
		{"padding", "a0 00 0000 00000000 00000000 aabb 00 00 03", "aabb", Header{Padded: true, Size: 12, End: 14}},
		{"padding only", "a0 00 0000 00000000 00000000 00 00 00 04", "", Header{Padded: true, Size: 12, End: 12}},
		{"extension", "90 00 0000 00000000 00000000 bede 0001 10 aa 0000 cc", "cc", Header{form: oneByte, extension: 16, Size: 20, End: 21}},
		{"two-byte extension", "90 00 0000 00000000 00000000 1005 0001 01 01 aa 00 cc", "cc", Header{form: twoByte, extension: 16, Size: 20, End: 21}},
		{"other extension", "90 00 0000 00000000 00000000 beef 0001 00000000 cc", "cc", Header{form: foreign, extension: 16, Size: 20, End: 21}},
		{"empty extension", "90 00 0000 00000000 00000000 bede 0000 cc", "cc", Header{form: oneByte, extension: 16, Size: 16, End: 17}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pkt := unhex(t, tt.packet)
			h, err := Parse(pkt)
			if err != nil || h != tt.want {
				t.Fatalf("%+v, %v, want %+v", h, err, tt.want)
			}
			if got := h.Payload(pkt); !bytes.Equal(got, unhex(t, tt.payload)) {
				t.Errorf("payload %x", got)
			}
			compareRTP(t, pkt)
		})
	}
	pkt := unhex(t, "82 00 0000 00000000 00000000 11111111 22222222")
	if h, _ := Parse(pkt); h.CSRC(pkt, 0) != 0x11111111 || h.CSRC(pkt, 1) != 0x22222222 {
		t.Error("sources")
	}
}

func TestHeaderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, packet string
		want         error
	}{
		{"nothing", "", ErrShort},
		{"eleven bytes", "80 00 0000 00000000 000000", ErrShort},
		{"version 1", "40 00 0000 00000000 00000000", ErrVersion},
		{"sources missing", "81 00 0000 00000000 00000000", ErrShort},
		{"extension head missing", "90 00 0000 00000000 00000000 bede", ErrShort},
		{"extension missing", "90 00 0000 00000000 00000000 bede 0002 00000000", ErrShort},
		{"padding 0", "a0 00 0000 00000000 00000000 00", ErrPadding},
		{"padding into the header", "a0 00 0000 00000000 00000000 02", ErrPadding},
		{"no byte for the padding", "a0 00 0000 00000000 00000000", ErrPadding},
	} {
		if _, err := Parse(unhex(t, tt.packet)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := Parse(append(unhex(t, "80 00 0000 00000000 00000000"), make([]byte, MaxPacket)...)); !errors.Is(err, ErrMalformed) {
		t.Error("too long: ", err)
	}
	// The padding is encrypted with the payload: before it is decrypted, it says nothing.
	if _, err := ParseHeader(unhex(t, "a0 00 0000 00000000 00000000 00")); err != nil {
		t.Error(err)
	}
}

// A datagram of a BUNDLE port is RTCP by its second byte only (RFC 5761 §4).
func TestIsRTCP(t *testing.T) {
	for second, want := range map[byte]bool{191: false, 192: true, 200: true, 206: true, 223: true, 224: false, 96: false} {
		if got := IsRTCP([]byte{0x80, second}); got != want {
			t.Errorf("%d: %v", second, got)
		}
	}
	if IsRTCP(nil) || IsRTCP([]byte{0x80}) {
		t.Error("too short")
	}
}

// Elements, padding and ends of RFC 8285 §4.2 and §4.3.
func TestElements(t *testing.T) {
	type element struct {
		id    uint8
		value string
	}
	for _, tt := range []struct {
		name, block string
		want        []element
	}{
		{"one byte", "bede 0003  10 aa  21 bbcc  00 00 33 ddeeff00", []element{{1, "aa"}, {2, "bbcc"}, {3, "ddeeff00"}}},
		{"16 bytes", "bede 0005  ef 000102030405060708090a0b0c0d0e0f 000000", []element{{14, "000102030405060708090a0b0c0d0e0f"}}},
		{"id 15 ends", "bede 0002  10 aa  f0 bb  20 cc 0000", []element{{1, "aa"}}},
		{"id 0 with a length ends", "bede 0002  10 aa  01 bbbb 20 cc 00", []element{{1, "aa"}}},
		{"too long", "bede 0001  10 aa  23 bb", []element{{1, "aa"}}},
		{"two bytes", "1000 0003  01 00  02 01 aa  00  0f 02 bbcc  ff 00 00", []element{{1, ""}, {2, "aa"}, {15, "bbcc"}, {255, ""}}},
		{"two bytes, head cut", "1000 0001  01 01 aa  05", []element{{1, "aa"}}},
		{"two bytes, too long", "1000 0001  01 00  05 01", []element{{1, ""}}},
		{"foreign", "1234 0001  10 aa 0000", nil},
		{"padding only", "bede 0001  00000000", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pkt := append(unhex(t, "90 00 0000 00000000 00000000"), unhex(t, tt.block)...)
			h, err := Parse(pkt)
			if err != nil {
				t.Fatal(err)
			}
			var table Table
			for i := range table {
				table[i] = MID // the first of a kind counts
			}
			i := 0
			for e := h.Elements(pkt); e.Next(); i++ {
				if i >= len(tt.want) || e.ID != tt.want[i].id || hex.EncodeToString(e.Value) != tt.want[i].value || e.Value == nil {
					t.Errorf("element %d: %d %x", i, e.ID, e.Value)
				}
				if got := h.Extension(pkt, e.ID); !bytes.Equal(got, e.Value) || got == nil {
					t.Errorf("element %d: %x", i, got)
				}
			}
			if i != len(tt.want) {
				t.Errorf("%d elements, want %d", i, len(tt.want))
			}
			if h.Extension(pkt, 7) != nil {
				t.Error("found what is not there")
			}
			var v Values
			v.Locate(&h, pkt, &table)
			want := ""
			for _, e := range tt.want {
				if e.value != "" {
					want = e.value
					break
				}
			}
			if got := hex.EncodeToString(v.Of(pkt, MID)); got != want || v.Of(pkt, RID) != nil {
				t.Errorf("located %s, want %s", got, want)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	for k := NoKind + 1; k < Kinds; k++ {
		if k.URI() == "" || KindOf(k.URI()) != k {
			t.Errorf("%d: %q", k, k.URI())
		}
	}
	if KindOf("") != NoKind || KindOf("urn:x") != NoKind || NoKind.URI() != "" || Kinds.URI() != "" {
		t.Error("unknown kinds")
	}
}
