package parley

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// state is a room as its one owner goroutine (run) sees it. Everything in it belongs to that goroutine, except what is
// a leaf with its own lock: mailbox, outbound, outlet, Track.
type state struct {
	options Options
	address address
	life    context.Context    // ends when the user closes the room
	work    context.Context    // ends when the owner does
	cancel  context.CancelFunc // ends work
	inbox   *mailbox
	events  *outbound
	session session
	door                         // the room, from the door inwards
	hub     hub                  // what comes and goes through the hub
	reach   reach                // whether we get there
	move    *move                // a switch that is under way
	after   *moved               // one that has just ended
	shape   Topology             // that the user was told
	remakes map[string]remake    // links that ended although they are wanted, by session
	shunned map[string]time.Time // who flooded us, until when they are not linked with
	reports reports              // for the record of the call
	kit     *kit                 // makes peer connections
	links   map[string]*link     // by the peer's session
	shows   map[Source]*show
	layers  map[Source][]string          // which sizes of our pictures the user was told that anybody gets
	tracks  map[string]map[Source]*Track // what arrives, by session
	feeds   int                          // streams so far
	made    map[string]made              // links that others made with us lately, by session
	secrecy *secrecy                     // nil in a room that is not encrypted
	begins  *beginning                   // an encryption that was asked for; nil when none is under way
	data    *channels
	labels  *dataHub
	watch   watch          // how well everybody comes through
	stir    bool           // links or people changed: programs' data and files have to follow
	files   traffic        // the transfers of files
	running sync.WaitGroup // every goroutine that the owner began
	opened  *request       // settled by the first welcome
	ended   *Ended         // set when it is over
	now     time.Time      // of the event that is being handled
	moves   int            // how often our addresses changed
}

// door is what we know of the room and of our place in it.
type door struct {
	room     signal.RoomState
	people   map[string]*signal.Seat
	me       string // our seat, "" in front of the door
	token    string // takes that seat again
	joining  *request
	knocked  uint64               // the number of the join
	wanted   bool                 // we want to be inside: join again in a new session
	on       MediaState           // what we send
	declared MediaState           // what the others were told
	missing  map[string]time.Time // seats that a restarted server does not know yet, and until when they are kept
	asked    map[uint64]*request  // numbered messages whose refusal somebody waits for
	recalls  map[uint64]*recall   // questions for the past
	said     []said               // the newest messages of the conversation
	unsaid   []*signal.Chat       // ours that a lost session may not have said; they wait for a seat
}

func newState(life context.Context, a address, o Options, kit *kit, connect func(context.Context) (*socket, error)) *state {
	work, cancel := context.WithCancel(context.WithoutCancel(life))
	s := &state{
		options: o, address: a, life: life, work: work, cancel: cancel,
		inbox: newMailbox(), events: newOutbound(), kit: kit,
		links: make(map[string]*link), shows: make(map[Source]*show), layers: make(map[Source][]string), data: newChannels(),
		made: make(map[string]made), tracks: make(map[string]map[Source]*Track), remakes: make(map[string]remake), shunned: make(map[string]time.Time), hub: newHub(),
		files: newTraffic(), opened: newRequest(),
		door: door{
			token: o.Seat, people: make(map[string]*signal.Seat),
			asked: make(map[uint64]*request), recalls: make(map[uint64]*recall), missing: make(map[string]time.Time),
		},
	}
	var err error
	if s.secrecy, err = newSecrecy(a, work.Done()); err != nil {
		s.end(Ended{Err: err})
	} else if s.secrecy != nil {
		s.data.covers.Store(s.secrecy.covers)
	}
	s.session.connect, s.labels = connect, newDataHub(s.data)
	s.openTraffic()
	for _, source := range Sources() {
		s.shows[source] = newShow(source)
	}
	return s
}

// run is the owner. Commands, what sockets and transports report, and time come in; nothing else touches s.
func (s *state) run(cmds <-chan func(*state)) {
	s.now = time.Now()
	s.dial()
	s.running.Go(func() { s.roam() })
	s.serve(cmds)
	s.shutdown()
}

// serve does what comes until the room is over. A panic, which is our fault, ends this room and no other.
func (s *state) serve(cmds <-chan func(*state)) {
	defer func() {
		if r := recover(); r != nil {
			s.options.Log.Error("a fault of the SDK ends a room", "room", s.address.room, "panic", r, "stack", string(debug.Stack()))
			s.end(Ended{Err: fmt.Errorf("parley: a fault of this library, please report it: %v", r)})
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for s.ended == nil {
		timer.Reset(max(0, time.Until(s.deadline())))
		var in, trial chan []byte
		if s.session.sock != nil {
			in = s.session.sock.in
		}
		if s.session.trial != nil {
			trial = s.session.trial.in
		}
		select {
		case f := <-cmds:
			s.now = time.Now()
			f(s)
		case <-s.inbox.ready:
			posted, overflow := s.inbox.take()
			if overflow {
				s.end(Ended{Err: errors.New("parley: more happened than this program could handle")})
			}
			for _, f := range posted {
				s.now = time.Now()
				f(s)
			}
		case b, ok := <-in:
			s.now = time.Now()
			if ok {
				s.receive(b)
			} else {
				s.cut(s.session.sock.err)
			}
		case b, ok := <-trial:
			s.now = time.Now()
			if ok {
				s.greet(b)
			} else {
				s.forsake(s.session.trial.err)
			}
		case <-timer.C:
			s.now = time.Now()
			s.tick()
		case <-s.life.Done():
			s.now = time.Now()
			s.end(Ended{})
		}
		s.tendSecrecy()
		s.tellLayers()
		if s.stir {
			s.stir = false
			s.rouse()
			s.labels.tend(s)
		}
	}
}

// post returns a function that runs f in the owner's goroutine, for callbacks.
func (s *state) post(f func(*state)) { s.inbox.post(f) }

// emit tells the user.
func (s *state) emit(e Event) { s.events.push(e) }

func (s *state) trouble(err error) {
	s.options.Log.Warn("trouble in a room", "room", s.address.room, "err", err)
	s.emit(Trouble{Err: err})
}

// end makes the owner stop after what it is doing.
func (s *state) end(e Ended) {
	if s.ended == nil {
		s.ended = &e
	}
}

// shutdown lets go of everything the owner began, and waits for it.
func (s *state) shutdown() {
	cause := s.ended.Err
	if cause == nil {
		cause = ErrClosed
	}
	s.opened.settle(cause)
	if s.joining != nil {
		s.joining.settle(cause)
	}
	s.forgetRecalls()
	for _, q := range s.asked {
		q.settle(cause)
	}
	if s.begins != nil {
		s.begins.q.settle(cause)
	}
	s.labels.close()
	s.unlink()
	s.dropBulks("")
	for _, source := range Sources() {
		s.shows[source].stop()
	}
	s.hangUp()
	s.cancel()
	s.running.Wait()
	s.emit(*s.ended)
}

// list returns everybody, sorted.
func (s *state) list() []Person {
	people := make([]Person, 0, len(s.people))
	for _, seat := range s.people {
		people = append(people, s.person(seat))
	}
	slices.SortFunc(people, func(a, b Person) int { return cmp.Compare(a.Order, b.Order) })
	return people
}

func (s *state) person(seat *signal.Seat) Person {
	return Person{
		ID: seat.ID, Name: seat.Name, Role: seat.Role, State: seat.State, Order: seat.Order, Media: seat.Media,
		Me: seat.ID == s.me, Hand: seat.Hand, Invited: seat.Invited, Note: seat.Note, Encryption: s.standing(seat),
	}
}

// holder returns the seat that session holds, nil when it holds none.
func (s *state) holder(session string) *signal.Seat {
	for _, seat := range s.people {
		if seat.Session == session && seat.State != signal.SeatWaiting {
			return seat
		}
	}
	return nil
}

func (s *state) info() Info {
	return Info{
		Name: s.room.Name, Locked: s.room.Locked, WaitingRoom: s.room.WaitingRoom, Role: s.room.Role, Host: s.room.Host,
		Key: s.address.key,
	}
}

// unlink lets go of every link, and of what came by it.
func (s *state) unlink() {
	for peer := range s.links {
		s.drop(peer, false)
	}
	s.leaveHub(false)
	s.shutTrunk(s.reach.trunk, false)
	for session := range s.tracks {
		s.forgetTracks(session)
	}
	s.reach, s.move, s.after = reach{}, nil, nil
	clear(s.remakes)
	clear(s.hub.told)
}

var errNotSeated = errors.New("parley: not in the room; Join takes a seat first")
