package transfer

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
)

func TestMuchThatIsHeldNeedsManyMessages(t *testing.T) {
	sizes := make([]int, 4000)
	for i := range sizes {
		sizes[i] = 10
	}
	p := newPair(t, append(sizes, 3*ChunkSize, 0)...)
	for len(p.stored) < 3500 && p.step() {
		continue
	}
	p.restart()
	held := 0
	for p.step() {
		for _, f := range p.up {
			if f.text && bytes.HasPrefix(f.b, []byte(`{"type":"held"`)) {
				held++
			}
			if f.text && len(f.b) > MaxText {
				t.Fatalf("a message of %d bytes", len(f.b))
			}
		}
	}
	p.complete()
	if held == 0 {
		t.Error("all that was held fitted one message")
	}
}

func TestSmallFilesDoNotWaitForEachOther(t *testing.T) {
	const n = 1000
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = 1000
	}
	p := newPair(t, sizes...)
	for p.stepSender() { // the offer goes out
	}
	for p.stepReceiver() { // and is accepted
	}
	for p.stepSender() {
	}
	if len(p.sent) != n {
		t.Errorf("%d of %d files left without a word of the receiver", len(p.sent), n)
	}
}

// TestTheLastWordIsSaidAgain is a sender that missed it, and a receiver that is done.
func TestTheLastWordIsSaidAgain(t *testing.T) {
	p := newPair(t, 2*ChunkSize+1, 0)
	marks := map[int]Finish{}
	for p.step() {
		if a, ok := p.receiver.peek().(Finish); ok {
			marks[a.File] = a
		}
	}
	p.complete()
	for _, wrong := range []bool{false, true} {
		q := newPair(t, 2*ChunkSize+1, 0)
		for q.stepSender() {
		}
		r := &Receiver{}
		for _, f := range q.down {
			r.Text(f.b)
		}
		q.down, q.receiver = nil, r
		if _, ok := r.Next().(Offered); !ok {
			t.Fatal("no offer")
		}
		for i, m := range marks {
			if wrong {
				m.Root[0]++
			}
			r.Settle(i, m.Digest, m.Root)
		}
		r.Accept(false)
		for q.step() {
			continue
		}
		if len(q.sent) > 0 || len(q.finished) > 0 {
			t.Errorf("wrong %v: %v was sent, %v finished again", wrong, q.sent, q.finished)
		}
		if !wrong && q.done != [2]bool{true, true} || wrong && (q.ended[1] == nil || q.ended[1].Reason != Corrupt) {
			t.Errorf("wrong %v: done %v, ended %+v", wrong, q.done, q.ended[1])
		}
	}
}

// peek returns what Next will.
func (e *engine) peek() Action {
	if len(e.actions) == 0 {
		return nil
	}
	return e.actions[0]
}

func TestPeersThatNeverEndAreEnded(t *testing.T) {
	for name, text := range map[string]string{
		"pause":  `{"type":"pause"}`,
		"resume": `{"type":"resume"}`,
	} {
		p := newPair(t, 10)
		r := &Receiver{}
		r.Text(offerOf("a"))
		for range 2 * maxPauses {
			p.sender.Text([]byte(text))
			for p.stepSender() {
			}
			r.Text([]byte(text))
			if _, ended := drain(r); ended != nil && ended.Reason != Fault {
				t.Errorf("%s: %+v", name, ended)
			}
		}
		if e := p.ended[0]; e == nil || e.Reason != Fault || !r.over {
			t.Errorf("%s: the sender %+v, the receiver over %v", name, e, r.over)
		}
	}
	p := newPair(t, ChunkSize)
	p.flip = 1 << 30
	p.receiver = nil
	for p.stepSender() {
	}
	p.sender.Text([]byte(`{"type":"accept"}`))
	for range 10 {
		for p.stepSender() {
		}
		p.sender.Text([]byte(`{"type":"again","file":0,"chunk":0}`))
	}
	for p.stepSender() {
	}
	if e := p.ended[0]; e == nil || e.Reason != Fault || p.sent[spot{0, 0}] > tries*ChunkSize {
		t.Errorf("again and again: %+v after %d bytes", e, p.sent[spot{0, 0}])
	}
}

func TestReceiverMemoryFollowsWhatArrived(t *testing.T) {
	r := &Receiver{}
	r.Text([]byte(`{"type":"offer","name":"x","files":[{"path":"a","size":4503599626321920}],"count":1,"total":4503599626321920}`))
	drain(r)
	if r.over {
		t.Fatal("the largest file is refused")
	}
	last := r.files[0].Chunks() - 1
	bytes := testing.AllocsPerRun(1, func() { r.Hold(0, last, Hash{}) })
	if got := len(r.files[0].got.pages); got != 1 || bytes > 10 {
		t.Errorf("%d pages, %v allocations for one chunk of %d", got, bytes, last+1)
	}
}

func TestALongDescriptionIsNotSent(t *testing.T) {
	var o Offer
	long := strings.Repeat("x", 250) + "/"
	for i := range MaxFiles {
		o.Files = append(o.Files, File{Path: long + long + strconv.Itoa(i)})
	}
	if _, err := NewSender(o); err == nil || !strings.Contains(err.Error(), "archive") {
		t.Errorf("%v", err)
	}
}
