package hub

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/mediaserver"
)

// fake is a client's end of a channel.
type fake struct {
	name string

	mu     sync.Mutex
	got    []string
	bytes  int
	full   bool
	each   time.Duration // in which one message is taken, if it is not full
	next   time.Time
	closed bool
}

// slowly makes an end that is full take one message in each.
func (f *fake) slowly(each time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full, f.each = false, each
}

func (f *fake) Send(data []byte, _ bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return errors.New("closed")
	case f.full, time.Now().Before(f.next):
		return dtlsserver.ErrFull
	}
	f.next = time.Now().Add(f.each)
	f.bytes += len(data)
	f.got = append(f.got, string(data[:min(len(data), 8)]))
	return nil
}

func (f *fake) Buffered() uint64 { return 0 }
func (f *fake) Pending() int     { return 0 }

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

func (f *fake) look() (got []string, bytes int, closed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got, f.bytes, f.closed
}

// cast is a room with people, and the channels that the hub has opened to them, by seat, label and protocol.
type cast struct {
	*Hub
	r     *room
	links map[string]*link

	mu    sync.Mutex
	ends  map[string]*fake
	dials int
	stuck map[string]bool // seats that take nothing
}

func newCast(seats ...string) *cast {
	c := &cast{Hub: New(Config{Log: slog.New(slog.DiscardHandler)}), links: map[string]*link{}, ends: map[string]*fake{}, stuck: map[string]bool{}}
	c.open = func(at mediaserver.Link, cfg dtlsserver.ChannelConfig) (end, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		f := &fake{name: at.Seat + " " + cfg.Label + " " + cfg.Protocol, full: c.stuck[at.Seat]}
		c.ends[f.name] = f
		c.dials++
		return f, nil
	}
	c.r = c.meets("tea", seats...)
	return c
}

// meets makes another room, with people whose seats have names of their own.
func (c *cast) meets(name string, seats ...string) *room {
	r := newRoom(c.Hub, name)
	c.rooms[name] = r
	for _, seat := range seats {
		s := &session{room: r, id: "session-" + seat, links: map[string]*link{}}
		r.sessions[s.id] = s
		l := newLink(s, s.place(seat, "h1"))
		l.control = &fake{}
		s.links["h1"], r.seats[seat], c.links[seat] = l, l, l
	}
	return r
}

func (c *cast) end(name string) *fake {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ends[name]
}

// opens has somebody open a channel.
func (c *cast) opens(seat, label, protocol string, lossy bool) *fake {
	f := &fake{name: label}
	c.take(c.links[seat].at, f, dtlsserver.ChannelConfig{ID: 2, Label: label, Protocol: protocol, Reliability: dtlsserver.Reliability{Lossy: lossy}}, false)
	return f
}

func (c *cast) says(seat string, ch *fake, text string) {
	c.carry(c.links[seat].at, ch, 2, []byte(text), true)
}

func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2", "s3")
		defer c.Stop()
		chat := c.opens("s1", "chat", "parley.data.v1", false)
		if c.end("s2 chat parley.data.v1;from=s1") != nil {
			t.Error("opened before there is anything to say")
		}
		for i := range 100 {
			c.says("s1", chat, fmt.Sprint(i))
		}
		for _, seat := range []string{"s2", "s3"} {
			got, _, _ := c.end(seat + " chat parley.data.v1;from=s1").look()
			if len(got) != 100 || got[0] != "0" || got[99] != "99" {
				t.Errorf("%s got %q", seat, got)
			}
		}
		if c.end("s1 chat parley.data.v1;from=s1") != nil {
			t.Error("given back to who said it")
		}
		c.drop(c.links["s1"].at, chat)
		if _, _, closed := c.end("s2 chat parley.data.v1;from=s1").look(); !closed {
			t.Error("still open")
		}
		for _, protocol := range []string{"", "chat", "parley..v1", "parley.data.v2", "parley.data.v1;for=s2", "parley.data.v1;to=", "parley.data.v1;to=s9", "parley.data.v1;to=s1"} {
			ch := c.opens("s1", "x", protocol, false)
			synctest.Wait()
			if _, _, closed := ch.look(); !closed {
				t.Errorf("%q is taken", protocol)
			}
		}
	})
}

func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2", "s3")
		defer c.Stop()
		file := c.opens("s1", "f", "parley.file.v1;to=s2", false)
		far := c.end("s2 f parley.file.v1;from=s1")
		c.says("s2", far, "go on")
		c.says("s1", file, "data")
		synctest.Wait()
		if got, _, _ := file.look(); len(got) != 1 || got[0] != "go on" {
			t.Errorf("%q", got)
		}
		if got, _, _ := far.look(); len(got) != 1 || c.end("s3 f parley.file.v1;from=s1") != nil {
			t.Errorf("%q", got)
		}
		c.r.end(c.links["s2"])
		synctest.Wait()
		if _, _, closed := file.look(); !closed {
			t.Error("a pipe to nobody is open")
		}
		if n := c.Stats().Waiting; n != 0 {
			t.Errorf("%d bytes wait for nobody", n)
		}
	})
}

// TestSlowReceiver: one who takes nothing holds the sender up for two seconds, then gets 16 MiB, and then loses the channel; the
// other one gets everything.
func TestSlowReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2", "s3")
		defer c.Stop()
		c.stuck["s2"] = true
		chat := c.opens("s1", "chat", "parley.data.v1", false)
		block := strings.Repeat("x", 64<<10)
		began := time.Now()
		n := 0
		for ; c.r.bytesOf("s2") < heldUp-len(block); n++ {
			c.says("s1", chat, block)
		}
		if passed := time.Since(began); passed != 0 {
			t.Errorf("held up for %v with less than 1 MiB", passed)
		}
		c.says("s1", chat, block)
		if passed := time.Since(began); passed != stuck {
			t.Errorf("held up for %v, want %v", passed, stuck)
		}
		for n++; c.Stats().Cut == 0 && n < 1000; n++ {
			c.says("s1", chat, block)
		}
		if most := lineMost/len(block) + 1; n != most {
			t.Errorf("cut after %d messages, want %d", n, most)
		}
		if _, _, closed := c.end("s2 chat parley.data.v1;from=s1").look(); !closed {
			t.Error("the channel is open")
		}
		if _, bytes, _ := c.end("s3 chat parley.data.v1;from=s1").look(); bytes != n*len(block) {
			t.Errorf("the other one got %d bytes of %d", bytes, n*len(block))
		}
		if c.Stats().Waiting != 0 {
			t.Errorf("%+v", c.Stats())
		}
	})
}

func (r *room) bytesOf(seat string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seats[seat].line.bytes
}

// TestLossy: what may be lost is, rather than wait.
func TestLossy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2")
		defer c.Stop()
		c.stuck["s2"] = true
		pointer := c.opens("s1", "pointer", "parley.data.v1", true)
		began := time.Now()
		for range 1000 {
			c.says("s1", pointer, strings.Repeat("x", 1000))
		}
		if n := c.r.bytesOf("s2"); n > lossyMost || n < lossyMost-1000 || time.Since(began) != 0 {
			t.Errorf("%d bytes wait, after %v", n, time.Since(began))
		}
	})
}

// TestTell: what is told is handed on within bounds.
func TestTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2")
		defer c.Stop()
		for range 2 * tellRate {
			c.heard(c.links["s1"], []byte(`{"type":"tell","to":"s2","message":{"type":"here"}}`), true)
		}
		c.heard(c.links["s1"], []byte(`{"type":"tell","to":"s2","message":7}`), true)
		c.heard(c.links["s1"], []byte(`{"type":"ping","id":3}`), true)
		synctest.Wait()
		if got, _, _ := c.links["s2"].control.(*fake).look(); len(got) != tellRate {
			t.Errorf("%d messages were handed on", len(got))
		}
		if got, _, _ := c.links["s1"].control.(*fake).look(); len(got) != 1 {
			t.Errorf("%q", got)
		}
	})
}

// FuzzRead: whatever is said on the control channel is read or is not.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"type":"show","show":[{"mid":"1","seat":"s1","source":"camera","width":1e99,"height":-1,"paused":true}]}`))
	f.Add([]byte(`{"type":"ping","id":-1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, ok := read(b, true)
		if !ok && q.Type != "" {
			t.Errorf("%+v", q)
		}
		for _, w := range q.wants() {
			if w.Width < 0 || w.Width > maxPixels || w.Height < 0 || w.Height > maxPixels {
				t.Errorf("%+v", w)
			}
		}
	})
}
