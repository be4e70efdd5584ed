package srtp

import (
	"bytes"
	"testing"
)

// FuzzOpen: bytes that were not sealed never open, never stay, never break anything; the context goes on.
func FuzzOpen(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(uint8(v.profile), rtpHeaderSize, v.sealed)
	}
	f.Add(uint8(1), -1, []byte{})
	f.Fuzz(func(t *testing.T, which uint8, headerLen int, b []byte) {
		seal, open, _, _ := both(t, profiles[int(which)%len(profiles)])
		if _, err := open.OpenRTP(bytes.Clone(b), headerLen); err == nil {
			t.Error("opened")
		}
		if _, err := open.OpenRTCP(bytes.Clone(b)); err == nil {
			t.Error("opened as RTCP")
		}
		if len(open.rtpSources.all)+len(open.rtcpSources.all) != 0 {
			t.Error("something was learnt")
		}
		if _, err := open.OpenRTP(sealed(t, seal, 7, 9, 50), rtpHeaderSize); err != nil {
			t.Error(err)
		}
	})
}

// FuzzRound: whatever is sealed is opened as it was, wherever its header ends.
func FuzzRound(f *testing.F) {
	f.Add(uint8(0), uint8(0), uint16(3), []byte("payload"))
	f.Add(uint8(1), uint8(9), uint16(65535), make([]byte, 2000))
	f.Fuzz(func(t *testing.T, which, extra uint8, seq uint16, payload []byte) {
		p := profiles[int(which)%len(profiles)]
		seal, open, _, _ := both(t, p)
		headerLen := rtpHeaderSize + int(extra)
		n := headerLen + len(payload)
		if n+p.OverheadRTCP() > MaxPacket {
			return
		}
		buf := append(append(rtp(7, seq, headerLen)[:headerLen], payload...), make([]byte, 20)...)
		clear := bytes.Clone(buf[:n])
		whole, err := seal.SealRTP(buf, headerLen, n, 0)
		if err != nil || len(whole) != n+p.Overhead() {
			t.Fatal(len(whole), err)
		}
		got, err := open.OpenRTP(whole, headerLen)
		if err != nil || !bytes.Equal(got, clear) {
			t.Fatalf("%v\n got %x\nwant %x", err, got, clear)
		}
		if whole, err = seal.SealRTCP(buf, n); err != nil || len(whole) != n+p.OverheadRTCP() {
			t.Fatal(len(whole), err)
		}
		if got, err = open.OpenRTCP(whole); err != nil || !bytes.Equal(got, clear) {
			t.Fatalf("RTCP: %v\n got %x\nwant %x", err, got, clear)
		}
	})
}

// FuzzWindow holds the ring against a plain list of what came.
func FuzzWindow(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 255, 3, 128, 1})
	f.Add([]byte{200, 200, 200, 10, 10, 10, 0, 0})
	f.Add([]byte{0, 0, 0, 11, 243, 0, 1, 0, 100, 100, 100, 10, 200, 200, 0, 9, 129, 240})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var w window
		seen := map[uint64]bool{}
		newest := uint64(0)
		at := int64(70_000)
		for i, s := range steps {
			// Steps of very different length, forwards and backwards.
			d := int64(int8(s))
			switch i % 4 {
			case 1:
				d *= 9
			case 3:
				d *= 101
			}
			at = max(0, at+d)
			index := uint64(at)
			want := len(seen) == 0 || index > newest || newest-index < windowSize && !seen[index]
			if got := w.fresh(index); got != want {
				t.Fatalf("step %d: packet %d, newest %d: fresh %v, want %v", i, index, newest, got, want)
			}
			if want {
				w.mark(index)
				seen[index], newest = true, max(newest, index)
			}
			if guess := w.guess(uint16(index)); index+1<<15 > newest && index < newest+1<<15 && guess != int64(index) {
				t.Fatalf("step %d: packet %d, newest %d: guessed %d", i, index, newest, guess)
			}
		}
	})
}
