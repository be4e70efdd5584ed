package srtp

import (
	"bytes"
	"math/rand/v2"
	"testing"

	pionrtp "github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
)

func rival(t testing.TB, p Profile, key, salt []byte, o ...pion.ContextOption) *pion.Context {
	t.Helper()
	c, err := pion.CreateContext(key, salt, pion.ProtectionProfile(p), o...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// packet is an RTP packet with CSRCs and extensions now and then.
func packet(t testing.TB, r *rand.Rand, ssrc uint32, seq uint16) (b []byte, headerLen int) {
	h := pionrtp.Header{Version: 2, PayloadType: 96, SequenceNumber: seq, Timestamp: r.Uint32(), SSRC: ssrc, Marker: seq%5 == 0}
	for range r.IntN(3) {
		h.CSRC = append(h.CSRC, r.Uint32())
	}
	if r.IntN(2) == 0 {
		if err := h.SetExtension(3, []byte{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	headerLen = len(b)
	for range r.IntN(1300) {
		b = append(b, byte(r.Uint32()))
	}
	return b, headerLen
}

// TestAgainstPion: what one seals is byte for byte what the other seals and opens, over the end of the numbers, with losses.
func TestAgainstPion(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		ours, open, key, salt := both(t, p)
		theirs := rival(t, p, key, salt)
		theirOpen := rival(t, p, key, salt, pion.SRTPReplayProtection(1024), pion.SRTCPReplayProtection(1024))
		r := rand.New(rand.NewPCG(uint64(p), 1))
		for index := uint64(60_000); index < 150_000; index += 1 + r.Uint64N(100) {
			b, headerLen := packet(t, r, 0xfeed, uint16(index))
			theirSealed, err := theirs.EncryptRTP(nil, b, nil)
			if err != nil {
				t.Fatal(err)
			}
			ourSealed, err := ours.SealRTP(append(bytes.Clone(b), make([]byte, 16)...), headerLen, len(b), uint32(index>>16))
			if err != nil || !bytes.Equal(ourSealed, theirSealed) {
				t.Fatalf("packet %d: %v\nours   %x\ntheirs %x", index, err, ourSealed, theirSealed)
			}
			theirOpened, err := theirOpen.DecryptRTP(nil, ourSealed, nil)
			if err != nil || !bytes.Equal(theirOpened, b) {
				t.Fatalf("packet %d: theirs opens ours: %v", index, err)
			}
			ourOpened, err := open.OpenRTP(theirSealed, headerLen)
			if err != nil || !bytes.Equal(ourOpened, b) {
				t.Fatalf("packet %d: ours opens theirs: %v", index, err)
			}
		}
		for range 200 {
			b := rtcp(0xfeed, 8+4*r.IntN(50))
			b = b[:len(b)-32]
			theirSealed, err := theirs.EncryptRTCP(nil, b, nil)
			if err != nil {
				t.Fatal(err)
			}
			ourSealed, err := ours.SealRTCP(append(bytes.Clone(b), make([]byte, 20)...), len(b))
			if err != nil || !bytes.Equal(ourSealed, theirSealed) {
				t.Fatalf("RTCP: %v\nours   %x\ntheirs %x", err, ourSealed, theirSealed)
			}
			theirOpened, err := theirOpen.DecryptRTCP(nil, bytes.Clone(ourSealed), nil)
			if err != nil || !bytes.Equal(theirOpened, b) {
				t.Fatalf("RTCP: theirs opens ours: %v", err)
			}
			ourOpened, err := open.OpenRTCP(ourSealed)
			if err != nil || !bytes.Equal(ourOpened, b) {
				t.Fatalf("RTCP: ours opens ours: %v", err)
			}
		}
	})
}
