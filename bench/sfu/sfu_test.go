package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// TestMain lets the test's own binary be the plain server, or the hop, as the program is.
func TestMain(m *testing.M) {
	serve := map[string]func(io.Reader, io.Writer) error{"-serve-plain": servePlain, "-serve-hop": serveHop}[os.Args[len(os.Args)-1]]
	if serve != nil {
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestBench plays small rooms through a plain server that is a process: everything that is sent arrives, and everything that the
// table says was measured.
func TestBench(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var all []result
	for _, s := range []scenario{
		{name: "w", publishers: 2, receivers: 3},
		{name: "r", publishers: 2, receivers: 4, rooms: 2},
		{name: "c", publishers: 3, mutual: true},
		{name: "direct", publishers: 1, receivers: 1, direct: true},
		{name: "hop", publishers: 1, receivers: 1, direct: true, hop: true},
	} {
		r, err := s.run(ctx, program{"plain", []string{self, "-serve-plain"}}, 500*time.Millisecond)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if r.heard != r.streams || r.received == 0 || r.expected < r.received || r.millis(.5) <= 0 || r.join(.5) <= 0 {
			t.Errorf("%v", r)
		}
		if !s.direct && (r.full == 0 || r.empty == 0 || r.published == 0 || r.mallocs == 0) {
			t.Errorf("%+v", r)
		}
		all = append(all, r)
	}
	var out strings.Builder
	table(&out, all)
	if n := strings.Count(out.String(), "\n"); n != 7 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}

// TestCamera: a second is 170 packets in 30 frames, the first a key frame, and the next one when it is asked for; marks count.
func TestCamera(t *testing.T) {
	c := &camera{epoch: epoch(time.Now()), source: 7}
	var packets, keys, ends int
	for f := range frameRate {
		c.wantKey.Store(f == 10)
		if err := c.frame(func(p *rtp.Packet) error {
			packets++
			b, err := p.Marshal()
			if err != nil {
				return err
			}
			m, ok := readMark(b)
			if !ok || m.source != 7 || !m.video || m.sequence != uint32(packets) || m.key != (f == 0 || f == 10) {
				t.Errorf("packet %d: %+v", packets, m)
			}
			if p.Payload[0]&0x10 != 0 && p.Payload[4]&1 == 0 {
				keys++
			}
			if p.Marker {
				ends++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if packets != packetsASec || keys != 2 || ends != frameRate {
		t.Errorf("%d packets, %d key frames, %d frames", packets, keys, ends)
	}
}

func TestHistogram(t *testing.T) {
	var h, other histogram
	for i := range 1000 {
		h.add(int64(i) * int64(time.Microsecond))
	}
	other.add(0)
	h.merge(&other)
	for q, want := range map[float64]time.Duration{.5: 500 * time.Microsecond, .99: 990 * time.Microsecond} {
		if got := h.quantile(q); got < want*98/100 || got > want*102/100 {
			t.Errorf("%v: %v", q, got)
		}
	}
}

// TestAdded: a server through which all comes a quarter of a millisecond later, in each of two rounds, adds that.
func TestAdded(t *testing.T) {
	var all []result
	for range 2 {
		direct := result{server: "none", scenario: "direct", direct: true}
		one := result{server: "ours", scenario: "one"}
		for i := range 1000 {
			d := int64(100+i) * int64(time.Microsecond)
			direct.latency.add(d)
			one.latency.add(d + int64(250*time.Microsecond))
		}
		all = append(all, one, direct)
	}
	var out strings.Builder
	added(&out, all)
	var p50, least, most, p99 float64
	line := out.String()[strings.Index(out.String(), "| ours"):]
	cells := strings.Split(line, "|")
	if _, err := fmt.Sscanf(cells[5], " %f (%f to %f)", &p50, &least, &most); err != nil {
		t.Fatal(err, line)
	}
	if _, err := fmt.Sscanf(cells[6], " %f", &p99); err != nil {
		t.Fatal(err, line)
	}
	for _, v := range []float64{p50, least, most, p99} {
		if v < .21 || v > .29 {
			t.Error(line)
		}
	}
	out.Reset()
	if added(&out, all[:1]); out.Len() != 0 {
		t.Error("without the direct path: ", out.String())
	}
}

func TestParseStat(t *testing.T) {
	got, err := parseStat([]byte("12 (a) b) (c) S 1 12 12 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 100 1 1"))
	if err != nil || got != 3*time.Second {
		t.Error(got, err)
	}
	if _, err := parseStat([]byte("12 (a)")); err == nil {
		t.Error("no error")
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "X"}, {"-server", "ours"}, {"-server", "=x"}} {
		if err := run(t.Context(), args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

// FuzzMark: whatever arrives, reading stays inside of it, and what was written is read.
func FuzzMark(f *testing.F) {
	b := make([]byte, 100)
	b[0] = 0x80
	mark{1, true, true, 2, 3}.put(b)
	f.Add(b)
	f.Add([]byte{0xa0, 0xff, 11: 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := readMark(b)
		if !ok {
			return
		}
		again := make([]byte, 12+markLen)
		m.put(again)
		if got, ok := readMark(again); !ok || got != m {
			t.Fatalf("%+v is %+v", m, got)
		}
	})
}
