package room

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// crowd is people who come, go, lose the network and report as they like, on one room with a hub, in virtual time. Each
// believes what it was told, the greatest epoch last.
type crowd struct {
	t      *testing.T
	random *rand.Rand
	room   *Room
	now    time.Time
	people map[string]*person
	n      int
	honest bool // everybody reports what holds, at once
	trace  []string
}

// person is one client.
type person struct {
	topology signal.Topology
	joins    map[uint64]bool // numbers of joins that wait for a word
	n        uint64
	seat     string // the newest
	owed     string // why it was taken away without a word so far
	reported uint64 // the epoch that it has reported on
	away     bool
}

func (c *crowd) step(what string, f func()) {
	c.trace = append(c.trace, fmt.Sprint(c.now.Unix()%1e6, " ", what))
	f()
	for c.collect() {
	}
}

// collect gives everybody what the room says, and lets the honest answer.
func (c *crowd) collect() (more bool) {
	for _, e := range c.room.Effects() {
		p := c.people[e.Session]
		switch m := e.Message.(type) {
		case *signal.Error:
			if m.Words == "" {
				c.fail("an error without a word: %+v", m)
			}
			if m.Code == signal.CodeNoHub {
				p.owed = ""
			}
			delete(p.joins, m.Re)
		case *signal.Joined:
			delete(p.joins, m.Re)
			p.seat = m.Seat
			p.learn(c, m.Room.Topology)
		case *signal.Room:
			p.learn(c, m.Room.Topology)
		case *signal.Left:
			if m.Seat == p.seat && m.Reason == signal.LeftNoHub {
				p.owed = m.Seat
			}
		}
		if e.End != nil {
			delete(c.people, e.Session)
		}
	}
	c.room.Events()
	if !c.honest {
		return false
	}
	for id, p := range c.people {
		if p.topology.Next != "" && p.reported < p.topology.Epoch && !p.away && c.room.Inside(id) {
			p.reported = p.topology.Epoch
			p.n++
			c.room.Handle(c.now, id, &signal.Moved{Header: signal.Header{N: p.n}, Epoch: p.topology.Epoch})
			more = true
		}
	}
	return more
}

// learn believes a newer epoch; an older one never comes after it.
func (p *person) learn(c *crowd, t *signal.Topology) {
	switch {
	case t == nil:
	case t.Epoch < p.topology.Epoch:
		c.fail("epoch %d after %d", t.Epoch, p.topology.Epoch)
	case t.Epoch == p.topology.Epoch && (t.Kind != p.topology.Kind || t.Next != p.topology.Next) && p.topology.Kind != "":
		c.fail("two topologies of epoch %d: %+v and %+v", t.Epoch, *t, p.topology)
	default:
		p.topology = *t
	}
}

func (c *crowd) fail(format string, args ...any) {
	c.t.Helper()
	for _, line := range c.trace[max(0, len(c.trace)-40):] {
		c.t.Log(line)
	}
	c.t.Fatalf(format, args...)
}

// pick chooses somebody, "" when nobody is there.
func (c *crowd) pick() string {
	if len(c.room.sessions) == 0 {
		return ""
	}
	return c.room.sessions[c.random.IntN(len(c.room.sessions))].ID
}

func (c *crowd) play(steps int) {
	for range steps {
		c.something()
		for id, p := range c.people {
			if p.owed != "" || len(p.joins) > 0 && c.room.SeatOf(id) == "" && len(c.room.probes) == 0 {
				c.fail("%s was sent away and hears nothing: %q %v", id, p.owed, p.joins)
			}
		}
	}
}

// something does one thing that can happen.
func (c *crowd) something() {
	id := c.pick()
	p := c.people[id]
	what := c.random.IntN(16)
	if what > 2 && p == nil {
		return
	}
	switch what {
	case 0, 1:
		c.come()
	case 2, 3:
		d := time.Duration(c.random.IntN(12_000)) * time.Millisecond
		c.step("time "+d.String(), func() { c.pass(d) })
	case 4, 5, 6:
		p.n++
		c.step(id+" joins", func() { c.join(id, p) })
	case 7:
		p.n++
		c.step(id+" leaves", func() {
			c.room.Handle(c.now, id, &signal.Leave{Header: signal.Header{N: p.n}})
			clear(p.joins)
		})
	case 8:
		c.step(id+" lost", func() { c.room.Lost(c.now, id, c.random.IntN(4) == 0); p.away = true })
	case 9:
		c.step(id+" back", func() { c.room.Back(c.now, id); p.away = false })
	case 10:
		c.step(id+" gone", func() { c.room.Gone(c.now, id, c.random.IntN(2) == 0); delete(c.people, id) })
	case 11:
		ok := c.random.IntN(4) > 0
		c.step(fmt.Sprint(id, " reaches ", ok), func() { c.say(id, p, &signal.HubReach{OK: ok}) })
	case 12:
		policy := []signal.TopologyPolicy{signal.PolicyAuto, signal.PolicyHub, signal.PolicyDirect}[c.random.IntN(3)]
		c.step(fmt.Sprint(id, " wants ", policy), func() { c.say(id, p, &signal.SetTopology{Policy: policy}) })
	default:
		m := &signal.Moved{Epoch: p.topology.Epoch - min(p.topology.Epoch, c.random.Uint64N(2))}
		if seats := c.room.Seats(); len(seats) > 0 && c.random.IntN(5) == 0 {
			m.Missing = []signal.Missing{{Seat: seats[c.random.IntN(len(seats))].ID, Source: signal.SourceMicrophone}}
		}
		c.step(fmt.Sprintf("%s moved %d %v", id, m.Epoch, m.Missing), func() { c.say(id, p, m) })
	}
}

func (c *crowd) say(id string, p *person, m signal.Message) {
	p.n++
	m.Head().N = p.n
	c.room.Handle(c.now, id, m)
}

func (c *crowd) come() {
	c.n++
	id := fmt.Sprint("s", c.n)
	c.step(id+" comes", func() {
		state, _, fault := c.room.Attach(c.now, Visitor{
			ID: id, Open: true, Host: c.n%3 == 0,
			Address: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(c.n)}), 32),
		})
		if fault == nil {
			p := &person{joins: map[uint64]bool{}}
			p.learn(c, state.Topology)
			c.people[id] = p
		}
	})
}

func (c *crowd) join(id string, p *person) {
	p.joins[p.n] = true
	c.n++
	j := &signal.Join{Header: signal.Header{N: p.n}, Name: id, Media: signal.MediaState{Microphone: c.random.IntN(3) > 0}}
	c.room.Join(c.now, id, Join{Join: j, ID: fmt.Sprint("t", c.n)})
	if c.random.IntN(3) > 0 {
		c.say(id, p, &signal.HubReach{OK: true})
	}
}

// pass lets time pass, deadline by deadline.
func (c *crowd) pass(d time.Duration) {
	end := c.now.Add(d)
	for range 1000 {
		at := c.room.Deadline()
		if at.IsZero() || at.After(end) {
			break
		}
		c.now = at
		c.room.HandleTimeout(at)
		for c.collect() {
		}
	}
	c.now = end
	c.room.HandleTimeout(end)
}

// TestAnySwitch: whatever people do in whatever order, no epoch is ever taken back, nobody is refused without a word,
// and once they hold still the room comes to rest, in one topology that everybody inside knows. Half of the games end
// with people who report, the others with people who say nothing any more.
func TestAnySwitch(t *testing.T) {
	games := uint64(3000)
	if testing.Short() {
		games = 300
	}
	var switches, onHub uint64
	for seed := range games {
		c := &crowd{
			t: t, random: rand.New(rand.NewPCG(seed, 24)), now: time.Unix(1e9, 0), people: map[string]*person{},
			room: New(Config{Name: "r", Hub: true, Seats: 2 + int(seed%6), Sessions: 20}, fakeTokens{}),
		}
		c.play(150)
		c.honest = seed%2 == 0
		c.rest()
		switches += c.room.course.Epoch
		if c.room.course.Kind == signal.TopologyHub {
			onHub++
		}
	}
	t.Logf("%d games, %d epochs, %d ended on the hub", games, switches, onHub)
	if onHub == 0 || onHub == games {
		t.Error("the games are all alike")
	}
}

// rest lets two minutes pass in which nobody does anything but answer, and looks at what became of the room.
func (c *crowd) rest() {
	c.step("rest", func() { c.pass(2 * time.Minute) })
	r := c.room
	epoch := r.course.Epoch
	if r.course.Next != "" {
		c.fail("it never ends: %+v", r.course)
	}
	c.step("rest", func() { c.pass(2 * time.Minute) })
	if r.course.Epoch != epoch || r.course.Next != "" {
		c.fail("it does not come to rest: epoch %d after %d", r.course.Epoch, epoch)
	}
	all := r.counted()
	if all > directSeats && r.course.Kind == signal.TopologyDirect {
		c.fail("%d on the direct path", all)
	}
	for id, p := range c.people {
		if r.Inside(id) && p.topology != r.course.Topology {
			c.fail("%s believes %+v, and it is %+v", id, p.topology, r.course.Topology)
		}
	}
}

// TestSwitchAfterRestart: a switch goes on after a restart, under its epoch.
func TestSwitchAfterRestart(t *testing.T) {
	now := time.Unix(1e9, 0)
	cfg := Config{Name: "r", Hub: true}
	r := New(cfg, fakeTokens{})
	for i, id := range []string{"ann", "bob", "cyd"} {
		if _, _, fault := r.Attach(now, Visitor{ID: id, Open: true}); fault != nil {
			t.Fatal(fault.Words)
		}
		r.Join(now, id, Join{Join: &signal.Join{Name: id}, ID: fmt.Sprint("t", i)})
	}
	r.Handle(now, "bob", &signal.Hand{Up: true})
	r.Handle(now, "ann", &signal.SetRole{Seat: "t2", Role: signal.RoleListener})
	r = Revive(cfg, fakeTokens{}, now, r.Snapshot())
	for _, id := range []string{"ann", "bob", "cyd"} {
		state, _, fault := r.Return(now, Visitor{ID: id}, Return{})
		if fault != nil || state.Topology == nil || state.Topology.Next != signal.TopologyHub || state.Topology.Epoch != 1 {
			t.Fatalf("%+v %v", state.Topology, fault)
		}
		if state.Seats[1].Hand != 1 || state.Seats[2].Role != signal.RoleListener {
			t.Fatalf("%+v", state.Seats)
		}
		r.Handle(now, id, &signal.Moved{Epoch: 1})
	}
	if got := r.course.Topology; got.Kind != signal.TopologyHub || got.Next != "" || got.Epoch != 2 {
		t.Fatalf("%+v", got)
	}
	cfg.Hub = false
	if got := Revive(cfg, fakeTokens{}, now, r.Snapshot()).course.Topology; got.Kind != signal.TopologyDirect || got.Epoch != 3 {
		t.Fatalf("without a hub: %+v", got)
	}
}
