package srtp

import (
	"encoding/binary"
	"testing"

	pionrtp "github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
)

const benchSize = 1100 // bytes of packet, as in the measurements of rivals

// BenchmarkSeal seals packets of 1100 bytes, ours and pion's.
func BenchmarkSeal(b *testing.B) {
	for _, p := range profiles {
		seal, _, key, salt := both(b, p)
		index := uint64(0) // goes on when the benchmark is run again: no number is sealed twice
		b.Run(p.String()+"/parley", func(b *testing.B) {
			buf := rtp(7, 0, benchSize)
			b.ReportAllocs()
			for b.Loop() {
				binary.BigEndian.PutUint16(buf[2:], uint16(index))
				if _, err := seal.SealRTP(buf, rtpHeaderSize, benchSize, uint32(index>>16)); err != nil {
					b.Fatal(err)
				}
				index++
			}
		})
		theirs := rival(b, p, key, salt)
		b.Run(p.String()+"/pion", func(b *testing.B) {
			buf, index := rtp(7, 0, benchSize), uint64(0)
			dst := make([]byte, 0, 1500)
			var h pionrtp.Header
			b.ReportAllocs()
			for b.Loop() {
				binary.BigEndian.PutUint16(buf[2:], uint16(index))
				if _, err := theirs.EncryptRTP(dst, buf[:benchSize], &h); err != nil {
					b.Fatal(err)
				}
				index++
			}
		})
	}
}

// BenchmarkOpen opens packets of 1100 bytes, ours and pion's. Both copy a sealed packet into place first, for opening destroys it, and
// both go round 8 sealed packets, whose window is forgotten (ours) or not kept (pion's), the rest is as in life.
func BenchmarkOpen(b *testing.B) {
	for _, p := range profiles {
		seal, open, key, salt := both(b, p)
		whole := make([][]byte, 8)
		for i := range whole {
			whole[i] = sealed(b, seal, 7, uint64(i), benchSize)
		}
		b.Run(p.String()+"/parley", func(b *testing.B) {
			buf, i := make([]byte, 1500), 0
			b.ReportAllocs()
			for b.Loop() {
				if i%len(whole) == 0 && open.rtpSources.find(7) != nil {
					*open.rtpSources.find(7) = window{}
				}
				n := copy(buf, whole[i%len(whole)])
				if _, err := open.OpenRTP(buf[:n], rtpHeaderSize); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
		theirs := rival(b, p, key, salt, pion.SRTPNoReplayProtection())
		b.Run(p.String()+"/pion", func(b *testing.B) {
			buf, i := make([]byte, 1500), 0
			var h pionrtp.Header
			b.ReportAllocs()
			for b.Loop() {
				n := copy(buf, whole[i%len(whole)])
				if _, err := theirs.DecryptRTP(buf[:n], buf[:n], &h); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// TestPacketPathAllocatesNothing keeps what the benchmarks show.
func TestPacketPathAllocatesNothing(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		seal, open, _, _ := both(t, p)
		buf, index := rtp(7, 0, benchSize), uint64(0)
		control := rtcp(7, 100)
		once := func() {
			binary.BigEndian.PutUint16(buf[2:], uint16(index))
			b, err := seal.SealRTP(buf, rtpHeaderSize, benchSize, uint32(index>>16))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := open.OpenRTP(b, rtpHeaderSize); err != nil {
				t.Fatal(err)
			}
			index++
			if b, err = seal.SealRTCP(control, 100); err != nil {
				t.Fatal(err)
			}
			if _, err := open.OpenRTCP(b); err != nil {
				t.Fatal(err)
			}
		}
		once() // makes the windows
		if n := testing.AllocsPerRun(1000, once); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
