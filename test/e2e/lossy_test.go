package e2e

import (
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/parley-rtc/parley/internal/config"
	parley "github.com/parley-rtc/parley/sdk"
)

// lossy is a way to a server that loses a share of the media, both ways, and nothing else.
type lossy struct {
	loss    float64
	to      string
	packets net.PacketConn
	calls   net.Listener
	running sync.WaitGroup

	mu    sync.Mutex
	open  []io.Closer
	paths map[string]net.Conn
	lost  int
}

// newLossy returns a way to a server and the address of its beginning.
func newLossy(t *testing.T, to string, loss float64) (*lossy, string) {
	t.Helper()
	l := &lossy{loss: loss, to: to, paths: map[string]net.Conn{}}
	var err error
	if l.calls, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if l.packets, err = net.ListenPacket("udp", l.calls.Addr().String()); err != nil {
		t.Fatal(err)
	}
	l.open = []io.Closer{l.calls, l.packets}
	l.running.Go(l.accept)
	l.running.Go(l.forth)
	t.Cleanup(func() {
		l.mu.Lock()
		for _, c := range l.open {
			_ = c.Close()
		}
		l.open = nil
		l.mu.Unlock()
		l.running.Wait()
	})
	return l, l.calls.Addr().String()
}

// keep has c closed at the end; false when that was already.
func (l *lossy) keep(c io.Closer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		_ = c.Close()
		return false
	}
	l.open = append(l.open, c)
	return true
}

func (l *lossy) accept() {
	for {
		near, err := l.calls.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		if err != nil || !l.keep(near) || !l.keep(far) {
			return
		}
		pass := func(to, from net.Conn) {
			_, _ = io.Copy(to, from)
			_, _ = to.Close(), from.Close()
		}
		l.running.Go(func() { pass(far, near) })
		l.running.Go(func() { pass(near, far) })
	}
}

// loses decides about a packet: of media (RFC 7983), some.
func (l *lossy) loses(pkt []byte) bool {
	if len(pkt) == 0 || pkt[0]>>6 != 2 || rand.Float64() >= l.loss {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost++
	return true
}

func (l *lossy) forth() {
	buf := make([]byte, 2048)
	for {
		n, from, err := l.packets.ReadFrom(buf)
		if err != nil {
			return
		}
		path := l.paths[from.String()]
		if path == nil {
			if path, err = net.Dial("udp", l.to); err != nil || !l.keep(path) {
				return
			}
			l.paths[from.String()] = path
			l.running.Go(func() { l.back(path, from) })
		}
		if !l.loses(buf[:n]) {
			_, _ = path.Write(buf[:n])
		}
	}
}

func (l *lossy) back(path net.Conn, to net.Addr) {
	buf := make([]byte, 2048)
	for {
		n, err := path.Read(buf)
		if err != nil {
			return
		}
		if !l.loses(buf[:n]) {
			_, _ = l.packets.WriteTo(buf[:n], to)
		}
	}
}

// TestSoundOverLossyWays: two on the hub, behind ways that lose one packet of twenty both ways, hear every frame of each other. Of a
// machine that stands still meanwhile nothing is asked: of some spells of 4 s one is to be whole, of which a tenth would be missing.
func TestSoundOverLossyWays(t *testing.T) {
	h := newHouse(t, func(c *config.Config) {
		c.Rooms.Topology = "hub"
		c.PublicAddress.Addrs = []netip.Addr{netip.MustParseAddr("127.0.0.9")} // not past the way
	})
	way, address := newLossy(t, h.Info().Listen.String(), 0.05)
	link := "http://" + address + "/r/tea"
	ann, bob := join(t, link, "Ann"), join(t, link, "Bob")
	people := []*peer{ann, bob}
	for _, p := range people {
		p.hearsAll(1, false, byHub)
	}
	var listening sync.WaitGroup
	for _, p := range people {
		track, ctx := p.track(parley.Microphone), wait(t)
		listening.Go(func() {
			var l spells
			for !l.whole {
				pkt, err := track.ReadRTP(ctx)
				if err != nil {
					t.Errorf("no spell is whole: %v, %v", l.missing, err)
					return
				}
				l.take(pkt.SequenceNumber)
			}
			t.Logf("%d frames came, %d of them late, missing in each spell: %v", len(l.came), len(l.late), l.missing)
		})
	}
	listening.Wait()
	way.mu.Lock()
	defer way.mu.Unlock()
	t.Logf("%d packets were lost on %d ways", way.lost, len(way.paths))
}

// spell is how many frames are looked at together, and allowed how long, in frames, one may be late.
const spell, allowed = 200, 60

// spells counts what is missing of a stream, spell by spell.
type spells struct {
	came, late map[int64]bool
	from, last int64
	missing    []int
	whole      bool // nothing is missing of the newest, and something of it came late
}

func (l *spells) take(number uint16) {
	if l.came == nil {
		l.came, l.late, l.from, l.last = map[int64]bool{}, map[int64]bool{}, int64(number), int64(number)
	}
	n := l.last + int64(int16(number-uint16(l.last))) // the wrap is meant
	l.came[n] = true
	if n < l.last {
		l.late[n] = true
	}
	if l.last = max(l.last, n); l.last < l.from+spell+allowed {
		return
	}
	missing, late := 0, 0
	for ; l.from <= l.last-allowed; l.from++ {
		if !l.came[l.from] {
			missing++
		}
		if l.late[l.from] {
			late++
		}
	}
	l.missing = append(l.missing, missing)
	l.whole = missing == 0 && late > 0
}
