package room

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// game reads bytes as commands of many sessions on two rooms and checks after each command what must always hold.
type game struct {
	t     testing.TB
	rooms [2]*Room
	now   time.Time
	next  int             // makes names
	ids   []string        // every session and seat id ever, of both rooms: what an attacker may guess
	where map[string]int  // session → room
	over  map[string]bool // sessions that were ended
	n     uint64
}

func newGame(t testing.TB) *game {
	g := &game{t: t, now: time.Unix(1e9, 0), where: map[string]int{}, over: map[string]bool{}}
	for i := range g.rooms {
		g.rooms[i] = New(g.config(i), fakeTokens{})
	}
	return g
}

func (g *game) config(room int) Config {
	return Config{Name: fmt.Sprint("r", room), Seats: 2 + 2*room, Hub: room == 1, Sessions: 12, Saves: true}
}

// restart forgets everything but a snapshot, and lets some of the sessions return.
func (g *game) restart(room int, b byte) {
	old := g.rooms[room]
	old.forgive(g.now) // as Revive does
	text, err := json.Marshal(old.Snapshot())
	if err != nil {
		g.t.Fatal(err)
	}
	var s Snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		g.t.Fatal(err)
	}
	r := Revive(g.config(room), fakeTokens{}, g.now, s)
	if again, err := json.Marshal(r.Snapshot()); err != nil || string(again) != string(text) && old.exists {
		g.t.Fatalf("revived as\n%s\nof\n%s", again, text)
	}
	g.rooms[room] = r
	for i, x := range old.sessions {
		if (int(b)>>(i%7))&1 == 0 {
			continue
		}
		was := Return{Seat: old.SeatOf(x.ID), Name: "x", Role: old.RoleOf(x.ID), Rebuild: b&64 != 0}
		v := x.Visitor
		v.Was = x.ID
		_, _, fault := r.Return(g.now, v, was)
		if fault != nil {
			g.over[x.ID] = true
		} else if was.Seat != "" && s.Exists && r.SeatOf(x.ID) != was.Seat && !turnedAway(r, x.ID) {
			g.t.Fatalf("%s had the seat %s and has %q", x.ID, was.Seat, r.SeatOf(x.ID))
		}
	}
}

// turnedAway reports whether the session was told that there is no way to the hub.
func turnedAway(r *Room, id string) bool {
	return slices.ContainsFunc(r.effects, func(e Effect) bool {
		m, ok := e.Message.(*signal.Error)
		return ok && e.Session == id && m.Code == signal.CodeNoHub
	})
}

func (g *game) id(prefix string) string {
	g.next++
	id := fmt.Sprint(prefix, g.next)
	g.ids = append(g.ids, id)
	return id
}

// pick chooses one of all identifiers, mostly a recent one.
func (g *game) pick(b byte) string {
	if len(g.ids) == 0 {
		return "nobody"
	}
	if b < 200 {
		return g.ids[len(g.ids)-1-int(b)%min(len(g.ids), 16)]
	}
	return g.ids[int(b)%len(g.ids)]
}

func (g *game) run(data []byte) {
	for len(data) >= 3 {
		op, a, b := data[0], data[1], data[2]
		data = data[3:]
		room := int(op >> 7)
		before := g.snapshot(room)
		g.command(room, op&31, a, b)
		g.check(room, before)
	}
}

func (g *game) command(room int, op, a, b byte) {
	r := g.rooms[room]
	who := g.pick(a)
	if len(r.sessions) > 0 && a < 240 {
		who = r.sessions[int(a)%len(r.sessions)].ID
	}
	switch {
	case op == 4 || op == 9:
		r.Handle(g.now, who, g.conference(r, a, b))
	case op < 4:
		id := g.id("s")
		g.where[id] = room
		v := Visitor{ID: id, Host: a&7 == 0, Open: a&8 != 0, Was: g.pick(b), Address: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, a >> 5}), 32)}
		if _, _, fault := r.Attach(g.now, v); fault != nil {
			g.over[id] = true
		}
	case op < 10:
		j := Join{Join: &signal.Join{Header: signal.Header{N: 1}, Name: "x"}, ID: g.id("t"), Busy: b > 250}
		j.Listen = b&6 == 6
		if b > 128 {
			j.Claim = &Claim{Seat: g.pick(b * 31), Generation: uint32(b & 1)}
		}
		r.Join(g.now, who, j)
	case op == 10:
		g.now = g.now.Add(time.Duration(b) * 7 * time.Second)
		r.HandleTimeout(g.now)
		if d := r.Deadline(); !d.IsZero() && !d.After(g.now) {
			g.t.Fatal("the deadline does not move")
		}
	case op == 11, op == 12:
		r.Lost(g.now, who, op == 12)
	case op == 13, op == 14:
		r.Back(g.now, who)
	case op == 15:
		g.over[who] = g.over[who] || g.where[who] == room
		r.Gone(g.now, who, b&1 == 0)
	case op == 16:
		r.Answered(g.now, who)
	case op == 17 && b < 128:
		r.Revoke(who)
	case op == 17:
		g.restart(room, b)
	default:
		r.Handle(g.now, who, g.message(op, b))
	}
}

func (g *game) message(op, b byte) signal.Message {
	g.n++
	h := signal.Header{N: g.n}
	peer := signal.Peer{To: g.pick(b), Link: "l"}
	switch op {
	case 18:
		return &signal.Leave{Header: h}
	case 19:
		return &signal.Media{Header: h, Media: signal.MediaState{Camera: b&1 == 0}}
	case 20:
		return &signal.Chat{Header: h, ID: fmt.Sprint(b), Text: "x"}
	case 21:
		if b > 200 {
			return &signal.KeepHistory{Header: h, Policy: []signal.History{signal.HistoryNone, signal.HistorySession, signal.HistoryForever}[b%3]}
		}
		return &signal.Lock{Header: h, On: b&1 == 0}
	case 22:
		return &signal.WaitingRoom{Header: h, On: b&1 == 0}
	case 23, 24:
		return &signal.Admit{Header: h, Seat: g.pick(b)}
	case 25:
		return &signal.Mute{Header: h, Seat: g.pick(b), Source: signal.SourceCamera}
	case 26:
		return &signal.Remove{Header: h, Seat: g.pick(b)}
	case 27, 28, 29:
		return &signal.Offer{Header: h, Peer: peer, SDP: "v"}
	case 30:
		return &signal.Candidate{Header: h, Peer: peer}
	}
	return &signal.CloseLink{Header: h, Peer: peer}
}

// conference makes a message of rooms of more than two. Most reports are about the switch that is under way.
func (g *game) conference(r *Room, a, b byte) signal.Message {
	g.n++
	h := signal.Header{N: g.n}
	peer := signal.Peer{To: signal.Hub, Link: "h"}
	switch a % 12 {
	case 0, 1, 2:
		m := &signal.Moved{Header: h, Epoch: r.course.Epoch - uint64(b>>6&1)}
		if b&7 == 0 {
			m.Missing = []signal.Missing{{Seat: g.pick(b), Source: signal.SourceMicrophone}}
		}
		return m
	case 3:
		return &signal.HubReach{Header: h, OK: b&3 > 0}
	case 4:
		return &signal.SetTopology{Header: h, Policy: []signal.TopologyPolicy{signal.PolicyAuto, signal.PolicyAuto, signal.PolicyHub, signal.PolicyDirect}[b%4]}
	case 5:
		return &signal.Hand{Header: h, Up: b&1 == 0, Seat: []string{"", g.pick(b)}[b>>1&1]}
	case 6:
		return &signal.Reaction{Header: h, Kind: signal.ReactionLike}
	case 7:
		return &signal.MuteAll{Header: h, Source: signal.SourceMicrophone}
	case 8:
		return &signal.SetRole{Header: h, Seat: g.pick(b), Role: []signal.Role{signal.RoleHost, signal.RoleSpeaker, signal.RoleListener}[b%3]}
	case 9:
		return &signal.Invite{Header: h, Seat: g.pick(b), On: b&1 == 0}
	case 10:
		return &signal.Speak{Header: h, On: b&1 == 0}
	}
	return &signal.Offer{Header: h, Peer: peer, SDP: "v"}
}

// snapshot notes the sessions from which the people inside were hidden.
func (g *game) snapshot(room int) map[string]bool {
	hidden := map[string]bool{}
	for _, s := range g.rooms[room].sessions {
		hidden[s.ID] = !g.rooms[room].maySee(s)
	}
	return hidden
}

func (g *game) check(room int, hidden map[string]bool) {
	r := g.rooms[room]
	var said []*signal.Chat
	for _, e := range r.Effects() {
		if at, known := g.where[e.Session]; !known || at != room {
			g.t.Fatalf("room %d reaches %q of another room", room, e.Session)
		}
		if g.over[e.Session] {
			g.t.Fatalf("%s is over and gets %s", e.Session, describe(e))
		}
		g.over[e.Session] = e.End != nil
		if c, ok := e.Message.(*signal.Chat); ok && c.Unsaved {
			said = append(said, c)
		}
		if s := r.find(e.Session); s != nil && hidden[s.ID] && !r.maySee(s) && s.seat == nil {
			g.checkHidden(s, e)
		}
	}
	for _, c := range said {
		r.Saved(c.From, c.ID, 1)
	}
	for _, e := range r.Effects() {
		if s := r.find(e.Session); s == nil || !s.inside() {
			g.t.Fatalf("%s is not inside and gets %s", e.Session, describe(e))
		}
	}
	g.checkSeats(r)
	g.checkTopology(r)
}

// checkTopology holds what a room that stands still, or moves, may look like.
func (g *game) checkTopology(r *Room) {
	c := &r.course
	all := r.counted()
	switch {
	case c.Next == c.Kind, !r.cfg.Hub && (c.Kind != signal.TopologyDirect || c.Next != ""), !r.exists && c.Next != "":
		g.t.Fatalf("topology %+v", c.Topology)
	case c.Kind == signal.TopologyDirect && c.Next == "" && all > directSeats:
		g.t.Fatalf("%d on a direct path", all)
	case c.Next != "" && c.wake.IsZero():
		g.t.Fatal("nothing ends the switch")
	}
	for _, x := range r.seats {
		if x.fresh && (x.isWaiting() || c.Next != signal.TopologyHub) {
			g.t.Fatalf("seat %s is fresh in %+v", x.ID, c.Topology)
		}
		if x.Role == signal.RoleListener && x.Media != (signal.MediaState{}) || x.Invited && x.Role != signal.RoleListener {
			g.t.Fatalf("%+v", x.Seat)
		}
	}
	for _, s := range r.sessions {
		if s.inside() && s.told.topology != r.view(s).topology {
			g.t.Fatalf("%s was told %+v, and it is %+v", s.ID, s.told.topology, c.Topology)
		}
	}
}

// checkHidden holds that a session which may not know who is inside learns nothing of them.
func (g *game) checkHidden(s *session, e Effect) {
	switch m := e.Message.(type) {
	case *signal.SeatChange, *signal.Chat, *signal.Joined, signal.Relayed, *signal.Gone:
		g.t.Fatalf("%s must not know who is inside and gets %s", s.ID, describe(e))
	case *signal.Room:
		if len(m.Room.Seats) > 0 || m.Room.Host != "" {
			g.t.Fatalf("%s is told %s", s.ID, describe(e))
		}
	}
}

func (g *game) checkSeats(r *Room) {
	all, present := r.taken()
	if all > r.cfg.Seats || r.waitingCount() > maxWaiting || r.guests() > r.cfg.Sessions || len(r.removed) > maxRemoved {
		g.t.Fatalf("%d seats, %d waiting, %d sessions", all, r.waitingCount(), len(r.sessions))
	}
	if (all > 0) != r.exists {
		g.t.Fatalf("exists is %v with %d seats", r.exists, all)
	}
	var order uint64
	here := 0
	for _, x := range r.seats {
		if x.Order <= order {
			g.t.Fatalf("order %d after %d", x.Order, order)
		}
		order = x.Order
		s := r.find(x.Session)
		if s != nil && s.seat != x {
			g.t.Fatalf("seat %s says session %s, which sits elsewhere", x.ID, s.ID)
		}
		if (s != nil && !s.away) != x.since.IsZero() {
			g.t.Fatalf("seat %s is away since %v, its session %v", x.ID, x.since, s)
		}
		if x.State == signal.SeatPresent {
			here++
		}
		if (x.State == signal.SeatAway) != (!x.since.IsZero() && !x.isWaiting()) {
			g.t.Fatalf("seat %s is %s since %v", x.ID, x.State, x.since)
		}
	}
	if here != present || len(r.earlySessions()) > maxEarly {
		g.t.Fatalf("%d here of %d; %d early sessions", here, present, len(r.earlySessions()))
	}
	for _, s := range r.sessions {
		if s.hub && !s.inside() {
			g.t.Fatalf("session %s has no seat, and the hub does not know", s.ID)
		}
		if s.seat != nil && r.findSeat(s.seat.ID) != s.seat {
			g.t.Fatalf("session %s sits on a seat that is gone", s.ID)
		}
		if len(s.early) > 0 && !r.mayEarly(s) {
			g.t.Fatalf("session %s has early links and no right to them", s.ID)
		}
	}
}

func FuzzRoom(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(noise(seed, 300))
	}
	f.Fuzz(func(t *testing.T, data []byte) { newGame(t).run(data) })
}

func TestRandomGames(t *testing.T) {
	games := uint64(400)
	if testing.Short() {
		games = 50
	}
	for seed := range games {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { newGame(t).run(noise(seed, 6000)) })
	}
}

func noise(seed uint64, n int) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}
