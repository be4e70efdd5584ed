//go:build bench

package parley

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"

	"github.com/parley-rtc/parley/sdk/media"
)

// road is one direction of a path between two programs on this machine: real sockets on the loopback device, with a
// queue of its own wrapped round sending. All sockets of one program share it, as those behind one access line do.
type road struct {
	surface
	mu      sync.Mutex
	free    time.Time // when the line has sent what waits
	random  *rand.Rand
	way     chan carried
	sent    atomic.Int64
	dropped atomic.Int64
}

// surface is how good a road is.
type surface struct {
	delay time.Duration
	rate  float64 // bits a second; 0 is as fast as the machine
	queue time.Duration
	loss  float64
}

type carried struct {
	due  time.Time
	conn transport.UDPConn
	to   net.Addr
	b    []byte
}

func (r *road) open(t *testing.T) {
	r.random, r.way = rand.New(rand.NewPCG(1, 1)), make(chan carried, 1<<16)
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	go func() {
		timer := time.NewTimer(0)
		for {
			select {
			case c := <-r.way: // in order: the delay is the same for all
				if wait := time.Until(c.due); wait > 500*time.Microsecond {
					timer.Reset(wait)
					<-timer.C
				}
				_, _ = c.conn.WriteTo(c.b, c.to) // as on a network, it may be closed by then
			case <-end:
				return
			}
		}
	}()
}

func (r *road) carry(conn transport.UDPConn, b []byte, to net.Addr) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent.Add(1)
	due := now
	if r.rate > 0 {
		if r.free.After(now) {
			due = r.free
		}
		if due.Sub(now) > r.queue {
			r.dropped.Add(1)
			return
		}
		due = due.Add(time.Duration(float64(len(b)+28) * 8 / r.rate * 1e9))
		r.free = due
	}
	if r.random.Float64() < r.loss {
		r.dropped.Add(1)
		return
	}
	select {
	case r.way <- carried{due.Add(r.delay), conn, to, slices.Clone(b)}:
	default:
		r.dropped.Add(1)
	}
}

// roadNet is the network of one program, whose sockets send over the road.
type roadNet struct {
	*stdnet.Net
	road *road
}

func (n roadNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, at)
	return roadConn{conn, n.road}, err
}

type roadConn struct {
	transport.UDPConn
	road *road
}

func (c roadConn) WriteTo(b []byte, to net.Addr) (int, error) {
	c.road.carry(c.UDPConn, b, to)
	return len(b), nil
}

// zeros is a file of so many bytes.
type zeros struct{ size int64 }

func (z zeros) Open(string) (fs.File, error)     { return zeroFile{z}, nil }
func (z zeros) Stat(string) (fs.FileInfo, error) { return zeroInfo{size: z.size}, nil }

type zeroFile struct{ zeros }

func (f zeroFile) Stat() (fs.FileInfo, error)                   { return zeroInfo{size: f.size}, nil }
func (f zeroFile) Read([]byte) (int, error)                     { return 0, errors.ErrUnsupported }
func (f zeroFile) Close() error                                 { return nil }
func (f zeroFile) ReadAt(b []byte, at int64) (n int, err error) { return len(b), nil }

type zeroInfo struct {
	fs.FileInfo
	size int64
}

func (i zeroInfo) Size() int64        { return i.size }
func (i zeroInfo) Mode() fs.FileMode  { return 0o600 }
func (i zeroInfo) ModTime() time.Time { return time.UnixMilli(1) }
func (i zeroInfo) IsDir() bool        { return false }

// heard is what became of the sound during a measurement.
type heard struct {
	got, lost int64
	late      []time.Duration // how much later than the fastest each packet came
}

func (h heard) String() string {
	slices.Sort(h.late)
	at := func(q float64) time.Duration {
		if len(h.late) == 0 {
			return 0
		}
		return h.late[int(q*float64(len(h.late)-1))].Round(time.Millisecond)
	}
	return fmt.Sprintf("sound: %.2f %% lost, late p50 %v p95 %v max %v", 100*float64(h.lost)/float64(max(1, h.got+h.lost)), at(.5), at(.95), at(1))
}

// listenTo measures a track until ctx ends.
func listenTo(ctx context.Context, track *Track) (h heard) {
	var first, newest uint16
	var least time.Duration
	var moments []time.Duration
	began := time.Now()
	for n := 0; ; n++ {
		p, err := track.ReadRTP(ctx)
		if err != nil {
			break
		}
		if n == 0 {
			first, newest = p.SequenceNumber, p.SequenceNumber
		}
		newest = max(newest, p.SequenceNumber)
		h.got++
		d := time.Since(began) - time.Duration(p.SequenceNumber-first)*20*time.Millisecond
		moments = append(moments, d)
		if n == 0 || d < least {
			least = d
		}
	}
	for _, d := range moments {
		h.late = append(h.late, d-least)
	}
	h.lost = max(0, int64(newest-first)+1-h.got)
	return h
}

// measure sends for a while over a path in one way: plain is the transport's own congestion control on the link of the
// call, as pion has it; otherwise ours.
func measure(t *testing.T, path surface, plain bool, lasts time.Duration, files bool) (mbps float64, h heard) {
	d := newDesk(t)
	roads := [2]*road{{}, {}}
	var rooms [2]*Room
	for i := range 2 {
		roads[i].surface = surface{delay: path.delay / 2, rate: path.rate, queue: path.queue}
		if i == 0 {
			roads[i].loss = path.loss // in the direction of the data
		}
		roads[i].open(t)
		std, err := stdnet.NewNet()
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Interfaces: func(name string) bool { return name == "lo" }}.withDefaults()
		o.Single = plain
		k, err := newKit(address{local: true}, o, roadNet{std, roads[i]})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			d.start()
		}
		o.Name = []string{"Ann", "Bob"}[i]
		rooms[i] = newRoom(address{room: "tea", host: "test", local: true}, o, k, d.connect)
		if err := rooms[i].wait(t.Context(), func(s *state) *request { return s.opened }); err != nil {
			t.Fatal(err)
		}
	}
	ann, bob := rooms[0], rooms[1]
	defer ann.Close()
	defer bob.Close()
	if err := errors.Join(ann.Publish(t.Context(), Microphone, media.Tone()), ann.Join(t.Context()), bob.Join(t.Context())); err != nil {
		t.Fatal(err)
	}
	track := until(t, bob, func(e TrackAdded) bool { return e.Track.Source == Microphone }).Track
	var out *Transfer
	if files {
		list, err := FilesIn(zeros{1 << 36}, "x")
		if err != nil {
			t.Fatal(err)
		}
		people, err := ann.People(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range people {
			if !p.Me {
				if out, err = ann.SendFiles(t.Context(), p.ID, list, SendOptions{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := until(t, bob, always[FilesOffered]).Offer.Accept(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		for out.Progress().Bytes == 0 {
			pass(10 * time.Millisecond)
		}
	}
	pass(3 * time.Second) // past the beginning
	for range ring {      // what waits in the track is old
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := track.ReadRTP(ctx)
		cancel()
		if err != nil {
			break
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	before, began := int64(0), time.Now()
	if out != nil {
		before = out.Progress().Bytes
	}
	h = listenTo(ctx, track)
	if out != nil {
		mbps = float64(out.Progress().Bytes-before) * 8 / 1e6 / time.Since(began).Seconds()
		out.Cancel()
	}
	return mbps, h
}

// TestFilesOnRoads prints how fast files go and what becomes of the sound beside them, with the plain transport and with
// ours in turn. It asserts nothing but that bytes arrive: `make bench RUN=roads`.
func TestFilesOnRoads(t *testing.T) {
	lasts := 12 * time.Second
	if s := os.Getenv("PARLEY_BENCH_SECONDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		lasts = time.Duration(n) * time.Second
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("load %s, %v a run\n", strings.TrimSpace(string(load)), lasts)
	for _, path := range []struct {
		name string
		surface
	}{
		{"80 ms, 0.5 % loss, 100 Mbit/s", surface{delay: 80 * time.Millisecond, loss: 0.005, rate: 100e6, queue: 100 * time.Millisecond}},
		{"5 Mbit/s, 40 ms, queue 100 ms", surface{delay: 40 * time.Millisecond, rate: 5e6, queue: 100 * time.Millisecond}},
		{"clean and near", surface{}},
	} {
		if only := os.Getenv("PARLEY_BENCH_ROAD"); only != "" && !strings.Contains(path.name, only) {
			continue
		}
		_, quiet := measure(t, path.surface, false, lasts/2, false)
		fmt.Printf("%-30s  no transfer         %v\n", path.name, quiet)
		var plain, ours []float64
		for range 3 {
			for _, isPlain := range []bool{true, false} {
				mbps, h := measure(t, path.surface, isPlain, lasts, true)
				name := "ours "
				if isPlain {
					name = "plain"
					plain = append(plain, mbps)
				} else {
					ours = append(ours, mbps)
				}
				fmt.Printf("%-30s  %s %6.1f Mbit/s   %v\n", path.name, name, mbps, h)
				if mbps == 0 {
					t.Errorf("%s: nothing arrives", path.name)
				}
			}
		}
		slices.Sort(plain)
		slices.Sort(ours)
		fmt.Printf("%-30s  median: plain %.1f, ours %.1f Mbit/s, ratio %.2f\n\n", path.name, plain[1], ours[1], ours[1]/plain[1])
	}
}
