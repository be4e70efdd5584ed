package sframe

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"testing"
)

// vectors are those of RFC 9605, appendix C, which the SDK for browsers is held against too.
func vectors(t testing.TB) (all struct {
	Header []struct{ KID, CTR, Encoded string }
	SFrame struct {
		KID      string
		CTR      string
		BaseKey  string `json:"base_key"`
		Metadata string
		PT       string
		CT       string
	}
},
) {
	b, err := os.ReadFile("../../js/src/e2ee/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Header) < 100 || all.SFrame.CT == "" {
		t.Fatal("the vectors are not there")
	}
	return all
}

func number(t testing.TB, text string) uint64 {
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func unhex(t testing.TB, text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeadersOfTheRFC(t *testing.T) {
	for _, v := range vectors(t).Header {
		kid, ctr, want := number(t, v.KID), number(t, v.CTR), unhex(t, v.Encoded)
		if got := AppendHeader(nil, kid, ctr); !bytes.Equal(got, want) {
			t.Errorf("%d and %d are written %x, want %x", kid, ctr, got, want)
		}
		if h, ok := ReadHeader(want); !ok || h != (Header{kid, ctr, len(want)}) {
			t.Errorf("%x is read as %+v, %v", want, h, ok)
		}
		if _, ok := ReadHeader(want[:len(want)-1]); ok {
			t.Errorf("half of %x is read", want)
		}
	}
}

func TestFrameOfTheRFC(t *testing.T) {
	v := vectors(t).SFrame
	k, err := Derive(number(t, v.KID), unhex(t, v.BaseKey))
	if err != nil {
		t.Fatal(err)
	}
	frame, sealed, clear := unhex(t, v.Metadata+v.PT), unhex(t, v.Metadata+v.CT), len(v.Metadata)/2
	if got := k.Seal(nil, number(t, v.CTR), frame, clear); !bytes.Equal(got, sealed) {
		t.Errorf("sealed %x, want %x", got, sealed)
	}
	open := func(b []byte) ([]byte, error) {
		h, ok := ReadHeader(b[clear:])
		if !ok || h.KID != k.KID || len(b) < clear+h.Size+TagSize {
			return nil, ErrMalformed
		}
		return k.Open(h, b, clear)
	}
	if got, err := open(bytes.Clone(sealed)); err != nil || !bytes.Equal(got, frame) {
		t.Errorf("opened %x, %v", got, err)
	}
	for bit := range 8 * len(sealed) { // every one counts, those of the legible part too
		b := bytes.Clone(sealed)
		b[bit/8] ^= 1 << (bit % 8)
		if got, err := open(b); err == nil {
			t.Errorf("with bit %d changed it is opened: %x", bit, got)
		} else if !errors.Is(err, ErrForged) && !errors.Is(err, ErrMalformed) {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{0x99, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := ReadHeader(b)
		if !ok {
			return
		}
		again, ok := ReadHeader(AppendHeader(nil, h.KID, h.CTR))
		if !ok || again.KID != h.KID || again.CTR != h.CTR || again.Size > h.Size || h.Size > min(len(b), MaxHeader) {
			t.Errorf("%x is %+v, and again %+v", b, h, again)
		}
	})
}
