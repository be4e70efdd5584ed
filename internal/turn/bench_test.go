package turn

import (
	"net/netip"
	"strconv"
	"testing"

	"github.com/pion/stun/v4"
)

// dataPath is one way that a packet takes: handle does it once, and the engine must answer with one event of the kind.
type dataPath struct {
	name   string
	ports  Ports
	kind   Kind
	handle func(ann, bob *peer) func()
}

func dataPaths() []dataPath {
	sockets := Ports{50000, 60000}
	world := netip.MustParseAddrPort("8.8.8.8:9")
	packet := func(p *peer, number uint16) func() {
		b := frame(number, string(make([]byte, 1200)))
		return func() {
			b[1] = byte(number) // it may have been exchanged in place
			_ = p.s.HandlePacket(start, p.client, b)
		}
	}
	indication := func(p *peer, addr string) func() {
		m := build(stun.NewType(stun.MethodSend, stun.ClassIndication), p.id(), to(addr), attr{stun.AttrData, make([]byte, 1200)})
		return func() { _ = p.s.HandlePacket(start, p.client, m.Raw) }
	}
	return []dataPath{
		{"ChannelData/memory", Ports{}, ToClient, func(ann, _ *peer) func() { return packet(ann, 0x4000) }},
		{"ChannelData/toPeer", sockets, ToPeer, func(ann, _ *peer) func() {
			ann.bind(0x4002, world.String())
			return packet(ann, 0x4002)
		}},
		{"ChannelData/fromPeer", sockets, ToClient, func(ann, _ *peer) func() {
			ann.bind(0x4002, world.String())
			payload := make([]byte, 1200)
			return func() { ann.s.HandleRelayed(start, ann.relay, world, payload) }
		}},
		{"SendAndData/memory", Ports{}, ToClient, func(ann, bob *peer) func() {
			bob.s.clients[bob.client].channels = nil
			return indication(ann, bob.relay.String())
		}},
		{"SendAndData/toPeer", sockets, ToPeer, func(ann, _ *peer) func() {
			ann.permit(world.String())
			return indication(ann, world.String())
		}},
		{"SendAndData/fromPeer", sockets, ToClient, func(ann, _ *peer) func() {
			ann.permit(world.String())
			payload := make([]byte, 1200)
			return func() { ann.s.HandleRelayed(start, ann.relay, world, payload) }
		}},
	}
}

// prepare makes two allocations with channels to each other, on a server that has 200 more.
func (d dataPath) prepare(t testing.TB) func() {
	l := newLab(t, Config{Ports: d.ports})
	for i := range 200 {
		l.peer(netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 9).String(), "user"+strconv.Itoa(i)).allocate()
	}
	ann, bob := l.peer("203.0.112.1:1", "ann").allocate(), l.peer("203.0.112.2:1", "bob").allocate()
	ann.bind(0x4000, bob.relay.String())
	bob.bind(0x4001, ann.relay.String())
	handle := d.handle(ann, bob)
	return func() {
		handle()
		if events, _ := l.s.Poll(); len(events) != 1 || events[0].Kind != d.kind {
			t.Fatalf("%+v", events)
		}
	}
}

func BenchmarkDataPath(b *testing.B) {
	for _, d := range dataPaths() {
		b.Run(d.name, func(b *testing.B) {
			once := d.prepare(b)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}

// TestDataPathAllocatesNothing keeps what the benchmark shows.
func TestDataPathAllocatesNothing(t *testing.T) {
	for _, d := range dataPaths() {
		t.Run(d.name, func(t *testing.T) {
			if n := testing.AllocsPerRun(1000, d.prepare(t)); n != 0 {
				t.Errorf("%v allocations a packet", n)
			}
		})
	}
}
