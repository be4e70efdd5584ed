package parley

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"

	"github.com/parley-rtc/parley/internal/signal"
)

// desk stands in for a server in tests of links, in memory and in the order of one goroutine: it welcomes, seats and
// relays. The rules of rooms and of resuming are tested against the real server in test/e2e.
type desk struct {
	t       *testing.T
	early   bool
	in      chan deskFrame
	later   chan func() // what the desk does at another time
	guests  []*guest
	offers  int // relayed
	refuse  bool
	forgets bool          // it does nothing of an encryption, and knows of sessions nothing but their tokens
	window  int           // seconds
	down    chan struct{} // once it is closed, nobody can connect
	order   uint64
	count   int // sessions so far
	router  *vnet.Router
	mu      sync.Mutex
	blocked bool                // the network drops everything
	silent  bool                // the desk says nothing any more
	deaf    bool                // it drops offers of links for bulk
	key     string              // of an encrypted room
	sealed  bool                // a room that was begun without is encrypted now
	plain   bool                // it says all the same that the room is not encrypted
	mum     bool                // it passes no keys on
	dwell   time.Duration       // how long it keeps keys before it passes them on
	forge   func(string) string // what it makes of descriptions; nil for nothing
	// reported, if set, hears what clients tell for the record of the call.
	reported func(session string, e signal.ReportEvent)
}

// roundTrip is the delay of the desk's network from one client to another and back. Talking to the desk takes no time.
// Without a delay both sides would close a transport in the same instant, where it waits with a lock held, and time
// does not pass for a bubble with a lock that somebody waits for.
const roundTrip = 20 * time.Millisecond

type deskFrame struct {
	from *guest
	b    []byte
}

// guest is one client as the desk sees it.
type guest struct {
	session  string
	seat     *signal.Seat
	sequence signal.Sequence
	sock     *socket
}

func newDesk(t *testing.T) *desk { return newDeskAt(t, roundTrip) }

func newDeskAt(t *testing.T, trip time.Duration) *desk {
	d := &desk{t: t, window: 600, in: make(chan deskFrame, 1000), later: make(chan func(), 1000), down: make(chan struct{})}
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "192.0.2.0/24", MinDelay: trip / 2, LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	if err != nil {
		t.Fatal(err)
	}
	router.AddChunkFilter(func(vnet.Chunk) bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return !d.blocked
	})
	d.router = router
	return d
}

// block lets the network drop everything, or not.
func (d *desk) block(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.blocked = yes
}

// keep lets the desk keep keys for so long.
func (d *desk) keep(dwell time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dwell = dwell
}

// hush lets the desk say nothing any more.
func (d *desk) hush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silent = true
}

// start begins to serve once every client's network is there.
func (d *desk) start() {
	if err := d.router.Start(); err != nil {
		d.t.Fatal(err)
	}
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case f := <-d.in:
				d.handle(f)
			case f := <-d.later:
				f()
			case <-end:
				return
			}
		}
	}()
	d.t.Cleanup(func() {
		pass(time.Second) // virtual: what was closed ends before the network does
		close(end)
		<-done
		if err := d.router.Stop(); err != nil {
			d.t.Error(err)
		}
	})
}

// kit makes peer connections on the desk's network.
func (d *desk) kit(n int) *kit {
	network, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{fmt.Sprintf("192.0.2.%d", n)}})
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.router.AddNet(network); err != nil {
		d.t.Fatal(err)
	}
	k, err := newKit(address{}, Options{}.withDefaults(), network)
	if err != nil {
		d.t.Fatal(err)
	}
	return k
}

// connect is the socket of a new guest.
func (d *desk) connect(ctx context.Context) (*socket, error) {
	select {
	case <-d.down:
		return nil, errors.New("the desk is closed")
	default:
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &socket{in: make(chan []byte, 1000), out: make(chan []byte, maxQueue), cancel: cancel, done: make(chan struct{})}
	g := &guest{sock: s}
	go func() {
		defer close(s.done)
		defer cancel()
		for {
			select {
			case b, ok := <-s.out:
				if !ok {
					d.in <- deskFrame{g, nil}
					return
				}
				d.in <- deskFrame{g, b}
			case <-ctx.Done():
				d.in <- deskFrame{g, nil}
				return
			}
		}
	}()
	return s, nil
}

func (d *desk) send(g *guest, m signal.Message) {
	b, err := g.sequence.Send(m)
	if err != nil {
		d.t.Error(err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.silent {
		return
	}
	select {
	case g.sock.in <- b:
	default:
		d.t.Error("desk: a client does not read")
	}
}

func (d *desk) handle(f deskFrame) {
	g := f.from
	if f.b == nil {
		d.gone(g)
		return
	}
	m, fault := signal.Decode(f.b, signal.FromClient)
	if fault != nil {
		d.t.Errorf("desk: a client sent what cannot be read: %+v", fault)
		return
	}
	if m, ok := m.(*signal.Hello); ok {
		d.hello(g, m)
		return
	}
	fresh, err := g.sequence.Receive(time.Now(), m.Head())
	if err != nil {
		d.t.Error(err)
		return
	}
	if !fresh && signal.Numbered(m.Head().Type) {
		return
	}
	d.obey(g, m)
	if fresh {
		d.send(g, &signal.Ack{})
	}
}

func (d *desk) obey(g *guest, m signal.Message) {
	switch m := m.(type) {
	case *signal.Ping:
		d.send(g, &signal.Pong{ID: m.ID})
	case *signal.Ack, *signal.Bye, *signal.Leave, *signal.HubReach:
	case *signal.Report:
		for _, e := range m.Events {
			if d.reported != nil {
				d.reported(g.session, e)
			}
		}
	case *signal.Join:
		d.join(g, m)
	case *signal.Media:
		g.seat.Media = m.Media
		d.tell(g)
	case *signal.ICEServersAsk:
		d.send(g, &signal.ICEServersAnswer{Re: m.N, ICE: signal.ICEServers{Servers: []signal.ICEServer{}, Expires: 1}})
	case *signal.Lock:
		d.send(g, &signal.Error{Re: m.N, Code: signal.CodeForbidden, Words: "only a host may do that"})
	case *signal.Mute:
		for _, o := range d.guests {
			if o.seat != nil && o.seat.ID == m.Seat {
				d.send(o, &signal.Muted{By: g.seat.ID, Source: m.Source})
			}
		}
	case *signal.Keys:
		d.mu.Lock()
		mum, dwell := d.mum, d.dwell
		d.mu.Unlock()
		for _, b := range m.Boxes {
			for _, o := range d.guests {
				if o.session != b.To || mum {
					continue
				}
				tell := func() {
					if slices.Contains(d.guests, o) {
						d.send(o, &signal.Keys{From: g.session, Box: b.Box})
					}
				}
				if dwell == 0 {
					tell()
				} else {
					time.AfterFunc(dwell, func() { d.later <- tell })
				}
			}
		}
	case *signal.Encrypt:
		if d.forgets {
			return
		}
		if d.refuse {
			d.send(g, &signal.Error{Re: m.N, Code: signal.CodeOrder, Words: "others are here"})
			return
		}
		d.sealed, g.seat.Identity = true, m.Identity
		d.send(g, &signal.Room{Room: signal.RoomState{Name: "tea", Exists: true, Role: signal.RoleHost, Encrypted: true}})
		d.tell(g)
	case *signal.Chat:
		for _, o := range d.guests {
			d.send(o, &signal.Chat{ID: m.ID, Text: m.Text, From: g.seat.ID, Name: g.seat.Name, At: 1})
		}
	default:
		d.relay(g, m)
	}
}

func (d *desk) hello(g *guest, m *signal.Hello) {
	d.guests = append(d.guests, g)
	reset := d.forgets && m.Resume != ""
	if reset {
		g.session = m.Resume
	} else {
		d.count++
		g.session = fmt.Sprintf("session-%d", d.count)
	}
	room := &signal.RoomState{Name: "tea", Exists: true, May: signal.MayJoin, Role: signal.RoleSpeaker, Early: d.early, Seats: d.seats(), Encrypted: d.key != "" || d.sealed}
	d.send(g, &signal.Welcome{Session: g.session, Resume: g.session, Reset: reset, Window: d.window, Heartbeat: 20000, Server: signal.Client{Name: "desk"}, Room: room})
}

func (d *desk) seats() (list []signal.Seat) {
	for _, g := range d.guests {
		if g.seat != nil {
			list = append(list, *g.seat)
		}
	}
	return list
}

func (d *desk) join(g *guest, m *signal.Join) {
	if d.refuse {
		d.send(g, &signal.Error{Re: m.N, Code: signal.CodeFull, Words: "every seat is taken"})
		return
	}
	d.order++
	g.seat = &signal.Seat{
		ID: "seat-" + g.session, Name: m.Name, Role: signal.RoleSpeaker, State: signal.SeatPresent, Session: g.session,
		Order: d.order, Media: m.Media, Identity: m.Identity,
	}
	d.send(g, &signal.Joined{Re: m.N, Seat: g.seat.ID, Token: "seat", Room: signal.RoomState{Name: "tea", Exists: true, Seats: d.seats(), Encrypted: (d.key != "" || d.sealed) && !d.plain}})
	d.tell(g)
}

// tell tells the others of a guest's seat.
func (d *desk) tell(g *guest) {
	for _, o := range d.guests {
		if o != g && o.seat != nil {
			d.send(o, &signal.SeatChange{Seat: *g.seat})
		}
	}
}

// gone is the end of a socket, and of its session: nothing can be resumed here.
func (d *desk) gone(g *guest) {
	close(g.sock.in)
	for i, o := range d.guests {
		if o == g {
			d.guests = append(d.guests[:i:i], d.guests[i+1:]...)
		}
	}
	for _, o := range d.guests {
		if g.seat != nil && o.seat != nil {
			d.send(o, &signal.Left{Seat: g.seat.ID, Reason: signal.LeftLeft})
		}
	}
}

// relay passes a message on between sessions.
func (d *desk) relay(g *guest, m signal.Message) {
	var p *signal.Peer
	switch m := m.(type) {
	case *signal.Offer:
		d.mu.Lock()
		deaf := d.deaf && m.Kind == signal.LinkBulk
		d.mu.Unlock()
		if deaf {
			return
		}
		p, m.Early, m.SDP = &m.Peer, g.seat == nil, d.passes(m.SDP)
		d.offers++
	case *signal.Answer:
		p, m.SDP = &m.Peer, d.passes(m.SDP)
	case *signal.Candidate:
		p = &m.Peer
	case *signal.EndOfCandidates:
		p = &m.Peer
	case *signal.Renegotiate:
		p = &m.Peer
	case *signal.CloseLink:
		p = &m.Peer
	default:
		d.t.Errorf("desk: %T", m)
		return
	}
	to := p.To
	p.From, p.To = g.session, ""
	for _, o := range d.guests {
		if o.session == to {
			d.send(o, m)
		}
	}
}

// passes is a description as it comes to the other side.
func (d *desk) passes(sdp string) string {
	if d.forge == nil {
		return sdp
	}
	return d.forge(sdp)
}

// dial opens a room on the desk.
func (d *desk) dial(name string, kit *kit) *Room {
	d.t.Helper()
	r := newRoom(address{room: "tea", host: "test", key: d.key}, Options{Name: name, Hear: true}.withDefaults(), kit, d.connect)
	d.t.Cleanup(r.Close)
	if err := r.opened.wait(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	return r
}

// until reads events until one fits.
func until[E Event](t *testing.T, r *Room, fits func(E) bool) E {
	t.Helper()
	limit := time.After(15 * time.Minute)
	for {
		select {
		case e, ok := <-r.Events():
			if !ok {
				t.Fatalf("the room ended without %T", *new(E))
			}
			if trouble, is := e.(Trouble); is {
				if _, wanted := any(*new(E)).(Trouble); !wanted {
					t.Errorf("trouble: %v", trouble.Err)
				}
			}
			if want, is := e.(E); is && fits(want) {
				return want
			}
		case <-limit:
			t.Fatalf("no %T within a quarter of an hour", *new(E))
		}
	}
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

func always[E Event](E) bool { return true }

// inside runs f in the owner of the room and returns what it does.
func inside[V any](t *testing.T, r *Room, f func(*state) V) (v V) {
	t.Helper()
	if err := r.do(t.Context(), func(s *state) error {
		v = f(s)
		return nil
	}); err != nil && !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	return v
}
