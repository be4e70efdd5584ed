package signal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

func TestAckPolicy(t *testing.T) {
	start := time.Unix(1e9, 0)
	for _, tt := range []struct {
		name     string
		messages int
		every    time.Duration
		after    time.Duration // since the last message
		due      bool
	}{
		{"nothing received", 0, 0, time.Hour, false},
		{"one tick before a second", 1, 0, time.Second - 1, false},
		{"after a second", 1, 0, time.Second, true},
		{"fifteen", 15, 0, 0, false},
		{"sixteen", 16, 0, 0, true},
		{"the first counts, not the last", 3, 400 * time.Millisecond, 200 * time.Millisecond, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Sequence
			now := start
			for i := range tt.messages {
				if i > 0 {
					now = now.Add(tt.every)
				}
				if fresh, err := s.Receive(now, &Header{Type: TypeChat, N: uint64(i + 1)}); !fresh || err != nil {
					t.Fatal(fresh, err)
				}
			}
			now = now.Add(tt.after)
			if s.AckDue(now) != tt.due {
				t.Fatalf("due %v want %v", !tt.due, tt.due)
			}
			b, err := s.Send(&Ack{})
			if err != nil || s.AckDue(now.Add(time.Hour)) || !s.Deadline().IsZero() {
				t.Fatalf("still due after %s, %v", b, err)
			}
		})
	}
}

func TestReceive(t *testing.T) {
	now := time.Unix(1e9, 0)
	type step struct {
		n, ack     uint64
		unreadable int
		fresh      bool
		err        error
	}
	for name, steps := range map[string][]step{
		"in order":               {{n: 1, fresh: true}, {n: 2, fresh: true}, {n: 3, fresh: true}},
		"duplicates":             {{n: 1, fresh: true}, {n: 1}, {n: 2, fresh: true}, {n: 1}},
		"a gap":                  {{n: 2, err: ErrGap}},
		"unreadable, then next":  {{n: 1, fresh: true}, {unreadable: 1, n: 3, fresh: true}, {n: 5, err: ErrGap}},
		"unreadable, unnumbered": {{unreadable: 2, n: 1, fresh: true}, {n: 2, fresh: true}},
		"unreadable twice":       {{unreadable: 2, n: 3, fresh: true}},
		"ack of nothing sent":    {{n: 1, ack: 1, err: ErrAck}},
		"unnumbered":             {{n: 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var s Sequence
			for i, st := range steps {
				for range st.unreadable {
					s.Unreadable()
				}
				fresh, err := s.Receive(now, &Header{Type: TypeChat, N: st.n, Ack: st.ack})
				if fresh != st.fresh || !errors.Is(err, st.err) {
					t.Fatalf("step %d: %v %v", i, fresh, err)
				}
			}
		})
	}
}

func TestOverflow(t *testing.T) {
	s := Sequence{Limit: 3, LimitBytes: 1000}
	for range 3 {
		if _, err := s.Send(&Leave{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Send(&Leave{}); !errors.Is(err, ErrOverflow) {
		t.Fatal(err)
	}
	if _, err := s.Send(&Ping{}); err != nil {
		t.Fatal("unnumbered types need no room:", err)
	}
	if _, err := s.Receive(time.Time{}, &Header{Type: TypeAck, Ack: 2}); err != nil || s.Unacked() != 1 {
		t.Fatal(err, s.Unacked())
	}
	if _, err := s.Send(&Chat{Text: string(make([]byte, 1000))}); !errors.Is(err, ErrOverflow) {
		t.Fatal(err)
	}
	if b, err := s.Send(&Leave{}); err != nil || string(b) != `{"type":"leave","n":4}` {
		t.Fatal("a refused message must not use up a number:", string(b), err)
	}
}

func TestResumeRefused(t *testing.T) {
	var s Sequence
	for range 3 {
		if _, err := s.Send(&Leave{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Receive(time.Time{}, &Header{Type: TypeAck, Ack: 2}); err != nil {
		t.Fatal(err)
	}
	for received, want := range map[uint64]error{0: ErrAck, 1: ErrAck, 4: ErrAck, 2: nil, 3: nil} {
		c := s
		if _, err := c.Resume(received); !errors.Is(err, want) {
			t.Errorf("received %d: %v", received, err)
		}
	}
}

// wire is two ends and what is on the way between them; cuts lose the latter.
type wire struct {
	now  time.Time
	ends [2]struct {
		Sequence
		sent, obeyed int
		way          [][]byte // towards the other end
	}
}

func (w *wire) send(t testing.TB, from int) {
	e := &w.ends[from]
	b, err := e.Send(&Chat{ID: strconv.Itoa(e.sent + 1), Text: "x"})
	if errors.Is(err, ErrOverflow) && e.Unacked() >= MaxUnacked {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	e.sent++
	e.way = append(e.way, b)
}

// deliver moves one frame from one end to the other, where it must be the next one or a duplicate.
func (w *wire) deliver(t testing.TB, from int) {
	e, to := &w.ends[from], &w.ends[1-from]
	if len(e.way) == 0 {
		return
	}
	var m Chat
	if err := json.Unmarshal(e.way[0], &m); err != nil {
		t.Fatal(err)
	}
	e.way = e.way[1:]
	fresh, err := to.Receive(w.now, &m.Header)
	if err != nil {
		t.Fatal(err)
	}
	if fresh {
		to.obeyed++
		if m.ID != strconv.Itoa(to.obeyed) {
			t.Fatalf("got %s, want %d: lost, doubled or reordered", m.ID, to.obeyed)
		}
	}
}

func (w *wire) tick(t testing.TB, d time.Duration) {
	w.now = w.now.Add(d)
	for i := range w.ends {
		if e := &w.ends[i]; e.AckDue(w.now) {
			b, err := e.Send(&Ack{})
			if err != nil {
				t.Fatal(err)
			}
			e.way = append(e.way, b)
		}
	}
}

// cut loses everything on the way and resumes.
func (w *wire) cut(t testing.TB) {
	received := [2]uint64{w.ends[0].Received(), w.ends[1].Received()}
	for i := range w.ends {
		again, err := w.ends[i].Resume(received[1-i])
		if err != nil {
			t.Fatal(err)
		}
		w.ends[i].way = append([][]byte(nil), again...)
	}
}

// run reads ops as a game of two ends, and then lets everything arrive.
func (w *wire) run(t testing.TB, ops []byte) {
	w.now = time.Unix(1e9, 0)
	for _, op := range ops {
		end := int(op & 1)
		switch op >> 1 & 7 {
		case 0, 1:
			w.send(t, end)
		case 2, 3, 4:
			for range 1 + op>>4 {
				w.deliver(t, end)
			}
		case 5, 6:
			w.tick(t, time.Duration(op>>4)*100*time.Millisecond)
		case 7:
			w.cut(t)
		}
	}
	w.cut(t)
	for range 3 {
		for len(w.ends[0].way)+len(w.ends[1].way) > 0 {
			w.deliver(t, 0)
			w.deliver(t, 1)
		}
		w.tick(t, AckDelay)
	}
	for i := range w.ends {
		if e, to := &w.ends[i], &w.ends[1-i]; to.obeyed != e.sent || e.Unacked() != 0 || e.bytes != 0 {
			t.Fatalf("end %d sent %d, %d arrived, %d unacknowledged (%d bytes)", i, e.sent, to.obeyed, e.Unacked(), e.bytes)
		}
	}
}

func FuzzSequence(f *testing.F) {
	f.Add([]byte{0, 1, 4, 5, 14, 0, 0xfa, 4, 5})
	f.Fuzz(func(t *testing.T, ops []byte) { new(wire).run(t, ops) })
}

// TestCuts is the same game with many random seeds.
func TestCuts(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		ops := make([]byte, 2000)
		for i := range ops {
			ops[i] = byte(random.Uint32())
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { new(wire).run(t, ops) })
	}
}

// What is held is owed when it is let go: until then an acknowledgement would say nothing new.
func TestHeldIsNotOwed(t *testing.T) {
	now := time.Unix(0, 0)
	var s Sequence
	for n := uint64(1); n <= 3; n++ {
		if _, err := s.Receive(now, &Header{Type: TypeChat, N: n}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Send(&Ack{}); err != nil {
		t.Fatal(err)
	}
	s.Hold(now, 4)
	for n := uint64(4); n <= 4+2*AckEvery; n++ {
		if _, err := s.Receive(now, &Header{Type: TypeChat, N: n}); err != nil {
			t.Fatal(err)
		}
	}
	if s.AckDue(now.Add(time.Hour)) || s.Received() != 3 {
		t.Errorf("owes %v for what is held, received %d", s.Deadline(), s.Received())
	}
	s.Hold(now, 0)
	if !s.AckDue(now) || s.Received() != 4+2*AckEvery {
		t.Errorf("owes %v when it is let go, received %d", s.Deadline(), s.Received())
	}
}
