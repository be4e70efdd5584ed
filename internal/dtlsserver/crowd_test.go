package dtlsserver_test

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/sdp"
)

// silent is the owner of an association whose peer never says anything.
type silent struct {
	sent, bytes *atomic.Int64
	ended       chan<- error
}

func (s silent) SendDTLS(datagram []byte)                { s.sent.Add(1); s.bytes.Add(int64(len(datagram))) }
func (silent) SetKeys(dtlsserver.Keys)                   {}
func (s silent) Ended(err error)                         { s.ended <- err }
func (silent) Opened(*dtlsserver.Channel)                {}
func (silent) Message(*dtlsserver.Channel, []byte, bool) {}
func (silent) Low(*dtlsserver.Channel)                   {}
func (silent) Closed(*dtlsserver.Channel)                {}

// state is memory in use and goroutines.
func state() (bytes uint64, goroutines int) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse, runtime.NumGoroutine()
}

// Of 2,000 handshakes that stay half open, as many go on as may, the others are refused at once, and nothing is left of them.
func TestHalfOpen(t *testing.T) {
	server, err := dtlsserver.New(dtlsserver.Config{})
	must(t, err)
	const crowd = 2000
	var sent, bytes atomic.Int64
	ended := make(chan error, crowd)
	memory, goroutines := state()
	for i := range crowd {
		a := server.Open(dtlsserver.Params{
			Client: i%2 == 0, Fingerprints: []sdp.Fingerprint{server.Fingerprint()}, Data: true, Owner: silent{&sent, &bytes, ended},
		})
		a.Start(ice.Path{})
		a.Handle([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9}) // rubbish does not end it
	}
	until(t, "the others to be refused", func() bool { return len(ended) == crowd-dtlsserver.MaxHalfOpen })
	for range len(ended) {
		if err := <-ended; !errors.Is(err, dtlsserver.ErrBusy) {
			t.Fatal(err)
		}
	}
	until(t, "hellos", func() bool { return sent.Load() >= dtlsserver.MaxHalfOpen/2 })
	if s := server.Stats(); s.HalfOpen != dtlsserver.MaxHalfOpen || s.Busy != crowd-dtlsserver.MaxHalfOpen {
		t.Errorf("%+v", s)
	}
	m, g := state()
	t.Logf("half open: %d kB and %.1f goroutines each, %d bytes sent to each of those we began with", (m-memory)/1024/dtlsserver.MaxHalfOpen,
		float64(g-goroutines)/dtlsserver.MaxHalfOpen, bytes.Load()/(dtlsserver.MaxHalfOpen/2))
	server.Close()
	until(t, "all to end", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
	if len(ended) != dtlsserver.MaxHalfOpen {
		t.Error(len(ended))
	}
	if s := server.Stats(); s.HalfOpen != 0 {
		t.Errorf("%+v", s)
	}
}

// Hellos of strangers, during the handshake and after it, change nothing.
func TestStrangers(t *testing.T) {
	h := newHub(t, dtlsserver.Config{})
	stranger, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(h.Address()))
	must(t, err)
	defer func() { _ = stranger.Close() }()
	hello := append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48, 0xfe, 0xfd}, make([]byte, 46)...)
	c := newCaller(t, h, true)
	c.offer(false)
	var floods atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				for _, b := range []byte{22, 0x80, 0xc8, 20} {
					hello[0] = b
					_, _ = stranger.Write(hello)
					floods.Add(1)
				}
				runtime.Gosched()
			}
		}
	}()
	until(t, "the transport to be ready", c.ready)
	c.talk(50)
	close(stop)
	<-stopped
	h.Do(func() {
		if s := c.there.Transport.Stats(); s.Strange+s.Refused+s.Early+s.Malformed > 4 {
			t.Errorf("%+v", s)
		}
	})
	if s := h.Server.Stats(); s.Opened != 1 || s.Failed != 0 || s.HalfOpen != 0 {
		t.Errorf("%+v", s)
	}
	t.Logf("%d packets of strangers; %s", floods.Load(), h.Report(c.there))
}

// What an association costs that is open: with data channels, and without.
func TestFootprint(t *testing.T) {
	for name, data := range map[string]bool{"media only": false, "with data": true} {
		const crowd = 100
		memory, goroutines := state()
		var sides []*side
		var took time.Duration
		for range crowd {
			client, server := pair(t, func(c, s *dtlsserver.Params) {
				c.Data, s.Data = data, data
				if data {
					c.Negotiated = []dtlsserver.ChannelConfig{{Label: "control"}}
					s.Negotiated = c.Negotiated
				}
			})
			began := time.Now()
			client.begin()
			server.begin()
			until(t, "keys", func() bool {
				client.mu.Lock()
				defer client.mu.Unlock()
				return strings.Contains(strings.Join(client.log, " "), map[bool]string{false: "keys", true: "opened:control"}[data])
			})
			took += time.Since(began)
			sides = append(sides, client, server)
		}
		m, g := state()
		t.Logf("%s: %d kB and %.1f goroutines for each side, %v from start to keys or channel", name, (m-memory)/1024/(2*crowd),
			float64(g-goroutines)/(2*crowd), took/crowd)
		runtime.KeepAlive(sides)
	}
}

// BenchmarkHandshake is both sides of a handshake, without data.
func BenchmarkHandshake(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		client, server := pair(b, func(c, s *dtlsserver.Params) { c.Data, s.Data = false, false })
		client.begin()
		server.begin()
		until(b, "keys", func() bool {
			client.mu.Lock()
			defer client.mu.Unlock()
			return len(client.log) > 0
		})
	}
}
