package portserver

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// ledger is a way out that writes down what it is given: a run a line, as destination: lengths.
type ledger struct {
	lines []string
	check func(o *Outbox)
}

func (l *ledger) send(o *Outbox) (lost, messages int) {
	for i := range o.runs {
		r := &o.runs[i]
		line := fmt.Sprintf("%d:", r.dst.Port())
		for n := r.first; n >= 0; n = o.packets[n].next {
			line += fmt.Sprintf(" %d", len(o.data(n)))
		}
		l.lines = append(l.lines, line)
	}
	if l.check != nil {
		l.check(o)
	}
	return 0, len(o.runs)
}

func box(joins bool) (*Outbox, *ledger) {
	l := &ledger{}
	return newOutbox(&loop{server: &Server{}}, l, joins, 12345), l
}

func to(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(port))
}

func TestRuns(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sends string // port:length …
		want  string
	}{
		{"one", "1:100", "1: 100"},
		{"equal ones", "1:100 1:100 1:100", "1: 100 100 100"},
		{"the last is shorter", "1:100 1:100 1:7", "1: 100 100 7"},
		{"nothing after a shorter one", "1:100 1:7 1:7 1:100", "1: 100 7|1: 7|1: 100"},
		{"a longer one begins anew", "1:7 1:100 1:100", "1: 7|1: 100 100"},
		{"turn by turn", "1:100 2:100 3:50 1:100 2:100 3:50", "1: 100 100|2: 100 100|3: 50 50"},
		{"order is kept", "1:100 2:9 1:120 2:9 1:100", "1: 100|2: 9 9|1: 120 100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, l := box(true)
			for s := range strings.FieldsSeq(tt.sends) {
				var port, n int
				if _, err := fmt.Sscanf(s, "%d:%d", &port, &n); err != nil {
					t.Fatal(err)
				}
				o.Next()
				o.Send(n, to(port), netip.Addr{})
			}
			o.Flush()
			o.Flush() // nothing twice
			if got := strings.Join(l.lines, "|"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			alone, l := box(false)
			for s := range strings.FieldsSeq(tt.sends) {
				alone.Next()
				alone.Send(10, to(len(s)), netip.Addr{})
			}
			alone.Flush()
			if len(l.lines) != len(strings.Fields(tt.sends)) {
				t.Errorf("without runs: %v", l.lines)
			}
		})
	}
}

// TestRunLimits: of packets, of bytes, by the address that they leave from, by a destination that refuses them.
func TestRunLimits(t *testing.T) {
	o, l := box(true)
	send := func(n int, dst netip.AddrPort, local string) {
		o.Next()
		o.Send(n, dst, netip.MustParseAddr(local))
	}
	runs := func() int {
		l.lines = nil
		o.Flush()
		return len(l.lines)
	}
	for range runPackets + 1 {
		send(100, to(1), "192.0.2.9")
	}
	if n := runs(); n != 2 {
		t.Errorf("%d runs of %d packets", n, runPackets+1)
	}
	for range 40 { // 80,000 bytes
		send(2000, to(1), "192.0.2.9")
	}
	if n := runs(); n != 2 {
		t.Errorf("%d runs of 80,000 bytes", n)
	}
	send(100, to(1), "192.0.2.9")
	send(100, to(1), "192.0.2.8")
	if n := runs(); n != 2 {
		t.Errorf("%d runs from two addresses", n)
	}
	o.refuse(to(1).Addr())
	send(100, to(1), "192.0.2.9")
	send(100, to(1), "192.0.2.9")
	if n := runs(); n != 2 {
		t.Errorf("%d runs to a destination that refuses them", n)
	}
	for i := range 3 * maxRefused {
		o.refuse(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
	}
	if len(o.refused) > maxRefused {
		t.Errorf("%d destinations are remembered", len(o.refused))
	}
}

// TestFullOutbox: more packets, and more bytes, than there is room for go out before the flush; nothing is lost or mixed up.
func TestFullOutbox(t *testing.T) {
	for _, n := range []int{4, BufferLen} {
		o, l := box(true)
		var got []uint32
		l.check = func(o *Outbox) {
			for i := range o.packets {
				got = append(got, binary.BigEndian.Uint32(o.data(int32(i))))
			}
		}
		for i := range uint32(3 * outboxPackets) {
			binary.BigEndian.PutUint32(o.Next(), i)
			o.Send(n, to(int(i%7)), netip.Addr{})
		}
		if len(got) < 2*outboxPackets-int(outboxBytes/BufferLen) {
			t.Errorf("%d went out before the flush", len(got))
		}
		o.Flush()
		for i, v := range got {
			if int(v) != i {
				t.Fatalf("%d is at %d", v, i)
			}
		}
		if len(got) != 3*outboxPackets {
			t.Errorf("%d of %d went out", len(got), 3*outboxPackets)
		}
	}
}

func TestSendWithoutNext(t *testing.T) {
	for _, n := range []int{-1, BufferLen + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Send(%d) is no panic", n)
				}
			}()
			o, _ := box(true)
			o.Next()
			o.Send(n, to(1), netip.Addr{})
		}()
	}
	o, l := box(true)
	o.Next()
	o.Send(0, to(1), netip.Addr{})
	if o.Flush(); len(l.lines) != 0 {
		t.Error("nothing was sent as something")
	}
}

// FuzzOutbox: whatever is sent to whom, each destination gets its packets once and in order, and every run keeps the rules of
// UDP_SEGMENT. Two bytes are one packet: the destination, the length.
func FuzzOutbox(f *testing.F) {
	f.Add([]byte{1, 100, 2, 100, 1, 100, 1, 7, 1, 100}, true)
	f.Add(bytes.Repeat([]byte{3, 250}, 700), true)
	f.Add(bytes.Repeat([]byte{1, 9, 2, 9, 3, 9}, 300), false)
	f.Fuzz(func(t *testing.T, b []byte, joins bool) {
		o, l := box(joins)
		sent, got := map[uint16][]string{}, map[uint16][]string{}
		l.check = func(o *Outbox) {
			for i := range o.runs {
				r := &o.runs[i]
				count, size := 0, len(o.data(r.first))
				for n := r.first; n >= 0; n = o.packets[n].next {
					d := o.data(n)
					got[r.dst.Port()] = append(got[r.dst.Port()], string(d))
					if count++; len(d) > size || len(d) < size && n != r.last || count > runPackets || !joins && count > 1 {
						t.Fatalf("a run of %+v", r)
					}
				}
				if int(r.count) != count || r.bytes > runBytes {
					t.Fatalf("%d packets in %+v", count, r)
				}
			}
		}
		for i := 0; i+1 < len(b); i += 2 {
			n := max(1, int(b[i+1])*8)
			packet := o.Next()[:n]
			for at := range packet {
				packet[at] = byte(i + at)
			}
			dst := to(int(b[i]))
			sent[dst.Port()] = append(sent[dst.Port()], string(packet))
			o.Send(n, dst, netip.Addr{})
		}
		o.Flush()
		for port, want := range sent {
			if strings.Join(got[port], "") != strings.Join(want, "") || len(got[port]) != len(want) {
				t.Fatalf("%d got %d packets, want %d", port, len(got[port]), len(want))
			}
		}
	})
}
