package srtp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
)

var profiles = []Profile{AES128CMHMACSHA180, AEADAES128GCM, AEADAES256GCM}

// both returns the two ends of one direction, and the master key and salt they share.
func both(t testing.TB, p Profile) (seal, open *Context, key, salt []byte) {
	t.Helper()
	key, salt = make([]byte, p.KeySize()), make([]byte, p.SaltSize())
	r := rand.NewChaCha8([32]byte{byte(p)})
	_, _ = r.Read(key)
	_, _ = r.Read(salt)
	return context(t, p, key, salt), context(t, p, key, salt), key, salt
}

// rtp returns an RTP packet of n bytes without its tag, in a buffer with room for it.
func rtp(ssrc uint32, seq uint16, n int) []byte {
	b := make([]byte, n+32)
	b[0], b[1] = 0x80, 96
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], uint32(seq)*3000)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	for i := rtpHeaderSize; i < n; i++ {
		b[i] = byte(i * 7)
	}
	return b
}

// sealed returns the packet with the 48-bit index.
func sealed(t testing.TB, c *Context, ssrc uint32, index uint64, n int) []byte {
	t.Helper()
	b, err := c.SealRTP(rtp(ssrc, uint16(index), n), rtpHeaderSize, n, uint32(index>>16))
	if err != nil {
		t.Fatal(index, err)
	}
	return b
}

// rtcp returns an RTCP packet of n bytes in a buffer with room for its trailer.
func rtcp(ssrc uint32, n int) []byte {
	b := make([]byte, n+32)
	b[0], b[1] = 0x80, 200
	binary.BigEndian.PutUint16(b[2:], uint16(n/4-1))
	binary.BigEndian.PutUint32(b[4:], ssrc)
	return b
}

func each(t *testing.T, f func(t *testing.T, p Profile)) {
	for _, p := range profiles {
		t.Run(p.String(), func(t *testing.T) { f(t, p) })
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name      string
		p         Profile
		key, salt int
	}{
		{"no profile", 0, 16, 14},
		{"a 32-bit tag", 2, 16, 14},
		{"a long key", AEADAES128GCM, 32, 12},
		{"a short salt", AES128CMHMACSHA180, 16, 12},
		{"nothing", AEADAES256GCM, 0, 0},
	} {
		if c, err := New(tt.p, make([]byte, tt.key), make([]byte, tt.salt)); err == nil || c != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if n := Profile(2).Overhead() + Profile(2).OverheadRTCP() + Profile(2).SaltSize(); n != 0 || Profile(2).String() == "" {
		t.Error(n)
	}
}

// arrival is a packet by its index, and what opening it says.
type arrival struct {
	index uint64
	want  error
}

// TestOrder gives one receiver packets in other orders than they were sent in.
func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		name     string
		arrivals []arrival
	}{
		{"in order", []arrival{{100, nil}, {101, nil}, {102, nil}}},
		{"twice", []arrival{{100, nil}, {100, ErrReplayed}, {101, nil}, {100, ErrReplayed}, {101, ErrReplayed}}},
		{"swapped", []arrival{{100, nil}, {102, nil}, {101, nil}, {101, ErrReplayed}, {102, ErrReplayed}}},
		{"before the first", []arrival{{100, nil}, {99, nil}, {98, nil}, {99, ErrReplayed}}},
		{"at the edge of the window", []arrival{{5000, nil}, {5000 - windowSize + 1, nil}, {5000 - windowSize, ErrReplayed}, {5000 - windowSize + 1, ErrReplayed}}},
		{"the window moves on by one word", []arrival{{63, nil}, {64, nil}, {63, ErrReplayed}, {1023, nil}, {64, ErrReplayed}, {65, nil}, {1024, nil}, {960, nil}, {960, ErrReplayed}}},
		{"the window moves on by more than itself", []arrival{{7, nil}, {7 + 3*1024, nil}, {6 + 3*1024, nil}, {7 + 2*1024, ErrReplayed}}},
		{"late into a word that was used before", []arrival{{63, nil}, {1100, nil}, {1087, nil}, {1087, ErrReplayed}}},
		{"an old one out of a word that is used again", []arrival{{30, nil}, {1024, nil}, {30, ErrReplayed}}},
		{"over the end of the numbers", []arrival{{65534, nil}, {65536, nil}, {65535, nil}, {65537, nil}, {65536, ErrReplayed}, {65535, ErrReplayed}}},
		{"over the end with losses", []arrival{{50000, nil}, {50000 + 32767, nil}, {50000 + 2*32767, nil}, {50000 + 3*32767, nil}}},
		{"a number from before the beginning", []arrival{{3, nil}, {65535, ErrReplayed}, {4, nil}}},
		{"late in life", []arrival{{1 << 15, nil}, {1<<16 - 1, nil}, {1<<16 + 1<<15 - 2, nil}, {1<<17 - 3, nil}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(t *testing.T, p Profile) {
				_, open, key, salt := both(t, p)
				for i, a := range tt.arrivals {
					// Each by a sealer of its own: a sealer refuses what is out of order as well.
					_, err := open.OpenRTP(sealed(t, context(t, p, key, salt), 7, a.index, 50), rtpHeaderSize)
					if !errors.Is(err, a.want) {
						t.Fatalf("step %d, packet %d: %v, want %v", i, a.index, err, a.want)
					}
				}
			})
		})
	}
}

// TestLostCount: a source that went on for more than 2^15 packets in the dark is found again.
func TestLostCount(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		for _, gap := range []uint64{1 << 15, 50_000, 65_536, 90_000, 150_000} {
			seal, open, _, _ := both(t, p)
			if _, err := open.OpenRTP(sealed(t, seal, 7, 65_000, 50), rtpHeaderSize); err != nil {
				t.Fatal(err)
			}
			index, tries := 65_000+gap, 0
			for ; ; tries++ {
				b, err := open.OpenRTP(sealed(t, seal, 7, index, 50), rtpHeaderSize)
				index++
				if err == nil {
					equal(t, "opened", b[rtpHeaderSize:], rtp(7, 0, 50)[rtpHeaderSize:50])
					break
				}
				if tries > 4*lostEvery {
					t.Fatalf("%d packets after a gap of %d: %v", tries, gap, err)
				}
			}
			if _, err := open.OpenRTP(sealed(t, seal, 7, index, 50), rtpHeaderSize); err != nil {
				t.Error(err)
			}
			t.Logf("a gap of %d packets cost %d more", gap, tries)
		}
	})
}

// TestFlood: a million forged packets, of a known source and of others, neither stay in memory nor hurt an honest one.
func TestFlood(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		seal, open, _, _ := both(t, p)
		honest := func(index uint64) {
			t.Helper()
			if _, err := open.OpenRTP(sealed(t, seal, 7, index, 50), rtpHeaderSize); err != nil {
				t.Fatal(err)
			}
		}
		honest(0)
		r := rand.New(rand.NewPCG(1, 2))
		garbage := make([]byte, 80)
		flood := 1_000_000
		if testing.Short() {
			flood = 50_000
		}
		for i := range flood {
			binary.BigEndian.PutUint64(garbage[rtpHeaderSize:], r.Uint64())
			garbage[0], garbage[1] = 0x80, 96
			binary.BigEndian.PutUint16(garbage[2:], uint16(2+i%1000))
			binary.BigEndian.PutUint32(garbage[8:], uint32(7+i%2*i))
			if _, err := open.OpenRTP(garbage, rtpHeaderSize); err == nil {
				t.Fatal(i)
			}
			garbage[76], garbage[66] = 0x80, 0x80 // the E flag, wherever it is
			binary.BigEndian.PutUint32(garbage[4:], uint32(i))
			if _, err := open.OpenRTCP(garbage); err == nil {
				t.Fatal(i)
			}
			if i%1000 == 999 {
				honest(uint64(i/1000 + 1))
			}
		}
		if n, m := len(open.rtpSources.all), len(open.rtcpSources.all); n != 1 || m != 0 {
			t.Errorf("%d and %d sources", n, m)
		}
		if st := open.Stats(); st.Opened != uint64(flood/1000+1) || st.Forged+st.Replayed+st.Malformed != 2*uint64(flood) || st.Forged < uint64(flood) {
			t.Errorf("%+v", st)
		}
		n := testing.AllocsPerRun(1000, func() {
			binary.BigEndian.PutUint32(garbage[8:], r.Uint32())
			_, _ = open.OpenRTP(garbage, rtpHeaderSize)
			_, _ = open.OpenRTCP(garbage)
			_, _ = open.OpenRTP(garbage[:20], rtpHeaderSize)
		})
		if n != 0 {
			t.Errorf("%v allocations a packet", n)
		}
	})
}

// TestChanged: no bit of a packet can be changed.
func TestChanged(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		seal, open, _, _ := both(t, p)
		whole := sealed(t, seal, 7, 5, 60)
		wholeRTCP, err := seal.SealRTCP(rtcp(7, 28), 28)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(whole) {
			b := bytes.Clone(whole)
			b[bit/8] ^= 1 << (bit % 8)
			if _, err := open.OpenRTP(b, rtpHeaderSize); !errors.Is(err, ErrForged) {
				t.Fatalf("RTP, bit %d: %v", bit, err)
			}
		}
		for bit := range 8 * len(wholeRTCP) {
			b := bytes.Clone(wholeRTCP)
			b[bit/8] ^= 1 << (bit % 8)
			if _, err := open.OpenRTCP(b); !errors.Is(err, ErrForged) && !errors.Is(err, ErrClear) {
				t.Fatalf("RTCP, bit %d: %v", bit, err)
			}
		}
		for n := range len(whole) {
			if _, err := open.OpenRTP(bytes.Clone(whole[:n]), rtpHeaderSize); err == nil {
				t.Fatalf("RTP cut to %d bytes", n)
			}
		}
		for n := range len(wholeRTCP) {
			if _, err := open.OpenRTCP(bytes.Clone(wholeRTCP[:n])); err == nil {
				t.Fatalf("RTCP cut to %d bytes", n)
			}
		}
		if _, err := open.OpenRTP(whole, rtpHeaderSize); err != nil {
			t.Error(err)
		}
		if _, err := open.OpenRTCP(wholeRTCP); err != nil {
			t.Error(err)
		}
	})
}

// TestSealRefuses: what is refused leaves the buffer alone, and no number is sealed twice.
func TestSealRefuses(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		seal, _, _, _ := both(t, p)
		over := p.Overhead()
		_ = sealed(t, seal, 7, 3<<16|5, 60)
		for _, tt := range []struct {
			name         string
			b            []byte
			headerLen, n int
			roc          uint32
			want         error
		}{
			{"the same number", rtp(7, 5, 60), 12, 60, 3, ErrReused},
			{"a far older one", rtp(7, 5, 60), 12, 60, 2, ErrReused},
			{"no room", rtp(7, 6, 60)[:60+over-1], 12, 60, 3, ErrRoom},
			{"a short header", rtp(7, 6, 60), 11, 60, 3, ErrLength},
			{"a header that is longer than the packet", rtp(7, 6, 60), 61, 60, 3, ErrLength},
			{"too long", rtp(7, 6, MaxPacket), 12, MaxPacket - over + 1, 3, ErrLength},
			{"another number", rtp(7, 6, 60), 12, 60, 3, nil},
			{"one that was left out", rtp(7, 4, 60), 12, 60, 3, nil},
			{"no payload", rtp(7, 7, 12), 12, 12, 3, nil},
			{"another source", rtp(8, 5, 60), 12, 60, 3, nil},
			{"the longest", rtp(7, 8, MaxPacket), 12, MaxPacket - over, 3, nil},
		} {
			before := bytes.Clone(tt.b)
			out, err := seal.SealRTP(tt.b, tt.headerLen, tt.n, tt.roc)
			if !errors.Is(err, tt.want) || err != nil && !bytes.Equal(before, tt.b) || err == nil && len(out) != tt.n+over {
				t.Errorf("%s: %v, want %v; %d bytes", tt.name, err, tt.want, len(out))
			}
		}
		if _, err := seal.SealRTCP(rtcp(7, 28)[:28+p.OverheadRTCP()-1], 28); !errors.Is(err, ErrRoom) {
			t.Error(err)
		}
		if _, err := seal.SealRTCP(rtcp(7, 28), 7); !errors.Is(err, ErrLength) {
			t.Error(err)
		}
		seal.sealedRTCP = maxIndexRTCP - 1
		if _, err := seal.SealRTCP(rtcp(7, 28), 28); err != nil {
			t.Error(err)
		}
		if _, err := seal.SealRTCP(rtcp(7, 28), 28); !errors.Is(err, ErrExhausted) {
			t.Error(err)
		}
	})
}

func TestRTCPOrder(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		seal, open, _, _ := both(t, p)
		var all [][]byte
		for i := range 1100 {
			b, err := seal.SealRTCP(rtcp(uint32(7+i%2), 28), 28)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
		}
		for _, tt := range []arrival{{0, nil}, {2, nil}, {0, ErrReplayed}, {1, nil}, {1099, nil}, {3, ErrReplayed}, {4, nil}, {1098, nil}, {4, ErrReplayed}} {
			if _, err := open.OpenRTCP(bytes.Clone(all[tt.index])); !errors.Is(err, tt.want) {
				t.Errorf("%d: %v, want %v", tt.index, err, tt.want)
			}
		}
	})
}

// TestSources: a context knows so many sources and no more, until one is forgotten.
func TestSources(t *testing.T) {
	seal, open, _, _ := both(t, AEADAES128GCM)
	for ssrc := range uint32(MaxSources) {
		if _, err := open.OpenRTP(sealed(t, seal, ssrc, 1, 50), rtpHeaderSize); err != nil {
			t.Fatal(ssrc, err)
		}
	}
	if _, err := seal.SealRTP(rtp(MaxSources, 1, 50), rtpHeaderSize, 50, 0); !errors.Is(err, ErrSources) {
		t.Error(err)
	}
	seal.Forget(3)
	more := sealed(t, seal, MaxSources, 1, 50)
	if _, err := open.OpenRTP(bytes.Clone(more), rtpHeaderSize); !errors.Is(err, ErrSources) {
		t.Error(err)
	}
	if _, err := open.OpenRTP(sealed(t, seal, 5, 2, 50), rtpHeaderSize); err != nil {
		t.Error("an old source: ", err)
	}
	open.Forget(5) // the one that is at hand
	if _, err := open.OpenRTP(more, rtpHeaderSize); err != nil {
		t.Error(err)
	}
	if st := open.Stats(); st.Refused != 1 || st.Opened != MaxSources+2 {
		t.Errorf("%+v", st)
	}
	for ssrc := range uint32(MaxSources + 1) {
		b, err := seal.SealRTCP(rtcp(ssrc, 28), 28)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open.OpenRTCP(b); ssrc < MaxSources && err != nil || ssrc == MaxSources && !errors.Is(err, ErrSources) {
			t.Fatal(ssrc, err)
		}
	}
}
