package room

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// stage plays scripts on one room in virtual time. A script is lines: "who verb words…" is a command, "+10m" lets time
// pass, "< effect" is the next expected effect, and "~" drops the effects so far. Sessions are called by their names;
// the seat of session ann is called Ann, and her nth one Annn.
type stage struct {
	t     *testing.T
	room  *Room
	now   time.Time
	n     map[string]uint64 // message numbers by session
	seats int
	got   []string
}

type fakeTokens struct{}

func (fakeTokens) SeatToken(_, seat string, generation uint32) string {
	return fmt.Sprintf("token(%s,%d)", seat, generation)
}
func (fakeTokens) HostSecret(string, time.Time) string { return "secret" }

func play(t *testing.T, cfg Config, script string) {
	cfg.Name = "r"
	st := &stage{t: t, room: New(cfg, fakeTokens{}), now: time.Unix(1e9, 0), n: map[string]uint64{}}
	for i, line := range strings.Split(strings.TrimSpace(script), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line == "~":
			st.got = nil
		case line[0] == '<':
			want := strings.TrimSpace(line[1:])
			if len(st.got) == 0 {
				t.Fatalf("line %d: want %q, got nothing", i+1, want)
			}
			if st.got[0] != want {
				t.Fatalf("line %d:\nwant %s\ngot  %s", i+1, want, strings.Join(st.got, "\n     "))
			}
			st.got = st.got[1:]
		default:
			if len(st.got) > 0 {
				t.Fatalf("line %d: unexpected before %q:\n%s", i+1, line, strings.Join(st.got, "\n"))
			}
			st.step(line)
		}
	}
	if len(st.got) > 0 {
		t.Fatalf("unexpected at the end:\n%s", strings.Join(st.got, "\n"))
	}
}

// step plays one command.
func (st *stage) step(line string) {
	if d, ok := strings.CutPrefix(line, "+"); ok {
		wait, err := time.ParseDuration(d)
		if err != nil {
			st.t.Fatal(err)
		}
		st.pass(wait)
		return
	}
	who, rest, _ := strings.Cut(line, " ")
	verb, rest, _ := strings.Cut(rest, " ")
	words := strings.Fields(rest)
	st.n[who]++
	switch verb {
	case "comes":
		st.comes(who, words)
	case "watches":
		st.watches(who, words)
	case "joins":
		st.joins(who, words)
	case "lost":
		st.room.Lost(st.now, who, false)
	case "closes":
		st.room.Lost(st.now, who, true)
	case "back":
		st.room.Back(st.now, who)
	case "gone":
		st.room.Gone(st.now, who, false)
	case "bye":
		st.room.Gone(st.now, who, true)
	case "answers":
		st.room.Answered(st.now, who)
	case "revoked":
		st.room.Revoke(who)
	default:
		st.room.Handle(st.now, who, st.message(who, verb, words))
	}
	st.collect()
}

// pass lets time pass, stopping at every deadline on the way.
func (st *stage) pass(d time.Duration) {
	end := st.now.Add(d)
	for range 100 {
		at := st.room.Deadline()
		if at.IsZero() || at.After(end) {
			break
		}
		st.now = at
		st.room.HandleTimeout(st.now)
		st.collect()
		if at == st.room.Deadline() {
			st.t.Fatal("the deadline does not move")
		}
	}
	st.now = end
	st.room.HandleTimeout(st.now)
	st.collect()
}

func visitor(who string, words []string) Visitor {
	v := Visitor{ID: who, Address: netip.MustParsePrefix("192.0.2.1/32")}
	for _, w := range words {
		switch {
		case w == "host":
			v.Host = true
		case w == "open":
			v.Open = true
		case w == "pass":
			v.Pass = true
		case w == "whip":
			v.Door = signal.DoorWHIP
		case strings.HasPrefix(w, "was="):
			v.Was = w[4:]
		default:
			v.Address = netip.MustParsePrefix(w + "/32")
		}
	}
	return v
}

func (st *stage) watches(who string, words []string) {
	seats, fault := st.room.Watch(st.now, visitor(who, words))
	text := who + " watches"
	for _, x := range seats {
		text += " [" + describeSeat(x) + "]"
	}
	if fault != nil {
		text = who + " refused " + string(fault.Code)
	}
	st.got = append(st.got, text)
}

func (st *stage) comes(who string, words []string) {
	state, relay, fault := st.room.Attach(st.now, visitor(who, words))
	if fault != nil {
		st.got = append(st.got, who+" refused "+string(fault.Code))
		return
	}
	text := who + " sees " + describeRoom(state)
	if !relay {
		text += " no-relay"
	}
	st.got = append(st.got, text)
}

func (st *stage) joins(who string, words []string) {
	st.seats++
	j := Join{Join: &signal.Join{Name: who}, ID: seatName(who, st.seats)}
	j.N = st.n[who]
	for _, w := range words {
		switch {
		case w == "busy":
			j.Busy = true
		case w == "listening":
			j.Listen = true
		case w == "mic":
			j.Media.Microphone = true
		case strings.HasPrefix(w, "key="):
			j.Identity = w[4:]
		case strings.HasPrefix(w, "note="):
			j.Note = w[5:]
		case strings.HasPrefix(w, "seat="):
			j.Claim = &Claim{}
			if _, err := fmt.Sscanf(strings.ReplaceAll(w[5:], ",", " "), "%s %d", &j.Claim.Seat, &j.Claim.Generation); err != nil {
				st.t.Fatal(err)
			}
		default:
			j.Name = w
		}
	}
	st.room.Join(st.now, who, j)
}

func seatName(who string, n int) string { return strings.ToUpper(who[:1]) + who[1:] + fmt.Sprint(n) }

func (st *stage) message(who, verb string, words []string) signal.Message {
	h := signal.Header{N: st.n[who]}
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	peer := signal.Peer{To: arg(0), Link: "l"}
	switch verb {
	case "leaves":
		return &signal.Leave{Header: h}
	case "says":
		return &signal.Chat{Header: h, ID: arg(0), Text: strings.Join(words[1:], " ")}
	case "media":
		return &signal.Media{Header: h, Media: signal.MediaState{Microphone: arg(0) == "on"}}
	case "locks":
		return &signal.Lock{Header: h, On: arg(0) == "on"}
	case "waiting-room":
		return &signal.WaitingRoom{Header: h, On: arg(0) == "on", Words: arg(1)}
	case "admits":
		return &signal.Admit{Header: h, Seat: arg(0)}
	case "mutes":
		return &signal.Mute{Header: h, Seat: arg(0), Source: signal.Source(arg(1))}
	case "removes":
		return &signal.Remove{Header: h, Seat: arg(0), Words: arg(1)}
	case "offers":
		return &signal.Offer{Header: h, Peer: peer, SDP: "v=0"}
	case "replies":
		return &signal.Answer{Header: h, Peer: peer, SDP: "v=0"}
	case "trickles":
		return &signal.Candidate{Header: h, Peer: peer}
	case "unlinks":
		return &signal.CloseLink{Header: h, Peer: peer}
	}
	return st.conference(h, verb, words, arg)
}

// conference reads the verbs of rooms of more than two.
func (st *stage) conference(h signal.Header, verb string, words []string, arg func(int) string) signal.Message {
	on := arg(0) == "on"
	switch verb {
	case "moved":
		m := &signal.Moved{Header: h}
		if _, err := fmt.Sscan(arg(0), &m.Epoch); err != nil {
			st.t.Fatal(err)
		}
		for _, w := range words[1:] {
			seat, source, _ := strings.Cut(w, ":")
			m.Missing = append(m.Missing, signal.Missing{Seat: seat, Source: signal.Source(source)})
		}
		return m
	case "reaches":
		return &signal.HubReach{Header: h, OK: on, Why: signal.ReachWhy(arg(1))}
	case "topology":
		return &signal.SetTopology{Header: h, Policy: signal.TopologyPolicy(arg(0))}
	case "hand":
		return &signal.Hand{Header: h, Up: arg(0) == "up", Seat: arg(1)}
	case "reacts":
		return &signal.Reaction{Header: h, Kind: signal.ReactionKind(arg(0))}
	case "mutes-all":
		return &signal.MuteAll{Header: h, Source: signal.Source(arg(0))}
	case "makes":
		return &signal.SetRole{Header: h, Seat: arg(0), Role: signal.Role(arg(1))}
	case "invites":
		return &signal.Invite{Header: h, Seat: arg(0), On: arg(1) != "off"}
	case "speaks":
		return &signal.Speak{Header: h, On: on}
	case "offers-hub":
		return &signal.Offer{
			Header: h, Peer: signal.Peer{To: signal.Hub, Link: "h"}, SDP: "v=0",
			Tracks: []signal.Track{{Mid: "0", Source: signal.SourceMicrophone}},
		}
	case "encrypts":
		return &signal.Encrypt{Header: h, Identity: arg(0)}
	case "keys":
		m := &signal.Keys{Header: h}
		for _, w := range words {
			to, box, _ := strings.Cut(w, ":")
			m.Boxes = append(m.Boxes, signal.Box{To: to, Box: box})
		}
		return m
	case "answers-hub":
		return &signal.Answer{Header: h, Peer: signal.Peer{To: signal.Hub, Link: "h"}, SDP: "v=0"}
	}
	st.t.Fatalf("no verb %q", verb)
	return nil
}

func (st *stage) collect() {
	for _, e := range st.room.Effects() {
		st.got = append(st.got, e.Session+" "+describe(e))
	}
}

func describe(e Effect) string {
	switch {
	case e.End != nil:
		return "bye " + string(e.End.Reason)
	case e.Probe:
		return "probe"
	case e.Relay != nil:
		return fmt.Sprintf("relay %v", *e.Relay)
	case e.Hub != nil:
		return strings.ToLower(fmt.Sprintf("%T", e.Hub.Message)[len("*signal."):]) + fmt.Sprintf(" to the hub of %s, %d tracks", e.Hub.Seat, tracksOf(e.Hub.Message))
	}
	switch m := e.Message.(type) {
	case *signal.Error:
		return fmt.Sprintf("error %s re=%d", m.Code, m.Re)
	case *signal.Waiting:
		return strings.TrimSpace(fmt.Sprintf("waiting re=%d %s %s", m.Re, m.Token, m.Words))
	case *signal.Keys:
		return "keys " + m.From + " " + m.Box
	case *signal.Reaction:
		return "reaction " + string(m.Kind) + " " + m.From
	case *signal.Joined:
		return fmt.Sprintf("joined re=%d %s %s", m.Re, m.Token, describeRoom(m.Room))
	case *signal.Room:
		return "room " + describeRoom(m.Room)
	case *signal.SeatChange:
		return "seat " + describeSeat(m.Seat)
	case *signal.Left:
		return "left " + m.Seat + " " + string(m.Reason)
	case *signal.Gone:
		return "gone " + m.Session
	case *signal.Chat:
		return fmt.Sprintf("chat %s %s(%s): %s", m.ID, m.Name, m.From, m.Text)
	case *signal.Muted:
		return "muted by " + m.By + " " + string(m.Source)
	case signal.Relayed:
		text := fmt.Sprintf("%T", m)[len("*signal."):]
		if o, ok := m.(*signal.Offer); ok && o.Early {
			text += " early"
		}
		return strings.ToLower(text) + " from " + m.Route().From + m.Route().To
	}
	return fmt.Sprintf("%#v", e.Message)
}

func describeRoom(s signal.RoomState) string {
	text := string(s.May) + " " + string(s.Role)
	for _, f := range []struct {
		on   bool
		name string
	}{{s.Exists, "exists"}, {s.Locked, "locked"}, {s.WaitingRoom, "waiting-room"}, {s.Encrypted, "encrypted"}, {s.Early, "early"}, {s.Host != "", "secret"}} {
		if f.on {
			text += " " + f.name
		}
	}
	if t := s.Topology; t != nil {
		text += " " + string(t.Kind)
		if t.Next != "" {
			text += ">" + string(t.Next)
		}
		text += fmt.Sprint("@", t.Epoch)
		if t.Policy != signal.PolicyAuto {
			text += "/" + string(t.Policy)
		}
	}
	if s.Watching > 0 {
		text += fmt.Sprint(" watching=", s.Watching)
	}
	if s.Why == signal.CodeNoHub {
		text += " no-hub"
	}
	for _, x := range s.Seats {
		text += " [" + describeSeat(x) + "]"
	}
	return text
}

func describeSeat(s signal.Seat) string {
	text := fmt.Sprintf("%s#%d %s %s %s", s.ID, s.Order, s.Name, s.Role, s.State)
	if s.Session != "" {
		text += " @" + s.Session
	}
	if s.Media.Microphone {
		text += " mic"
	}
	if s.Hand > 0 {
		text += fmt.Sprint(" hand", s.Hand)
	}
	if s.Invited {
		text += " invited"
	}
	if s.Hub != "" {
		text += " hub-" + string(s.Hub)
	}
	if s.HubWhy != "" {
		text += ":" + string(s.HubWhy)
	}
	if s.Door != "" {
		text += " by-" + string(s.Door)
	}
	if s.Note != "" {
		text += " note=" + s.Note
	}
	return text
}

func tracksOf(m signal.Relayed) int {
	if o, ok := m.(*signal.Offer); ok {
		return len(o.Tracks)
	}
	return 0
}
