package transfer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
)

// frame is one message on the way.
type frame struct {
	text bool
	b    []byte
}

// pair is a sender and a receiver with a wire between them that a test can cut, fill with rubbish or stop. What the
// receiver stores survives a cut, and a crash of either side.
type pair struct {
	t        testing.TB
	offer    Offer
	content  [][]byte
	sender   *Sender
	receiver *Receiver
	down, up []frame // to the receiver, to the sender
	disk     [][]byte
	stored   map[spot]Hash
	finished map[int]Hash
	sent     map[spot]int // data bytes on the wire by chunk
	repeated int          // data bytes of chunks that had been stored already
	done     [2]bool      // sender's, receiver's
	ended    [2]*Ended
	refuse   Reason
	flip     int // spoil that many of the next data frames
	limit    int
}

func newPair(t testing.TB, sizes ...int) *pair {
	p := &pair{
		t: t, stored: map[spot]Hash{}, finished: map[int]Hash{}, sent: map[spot]int{}, limit: MaxPayload,
		offer: Offer{Name: "some files"},
	}
	for i, size := range sizes {
		p.offer.Files = append(p.offer.Files, File{Path: fmt.Sprintf("folder/%d.bin", i), Size: int64(size)})
		b := make([]byte, size)
		for at := range b {
			b[at] = byte(at*7 + at>>9 + i)
		}
		p.content = append(p.content, b)
		p.disk = append(p.disk, make([]byte, size))
	}
	p.restart()
	return p
}

// restart is a new process at both ends.
func (p *pair) restart() {
	s, err := NewSender(p.offer)
	if err != nil {
		p.t.Fatal(err)
	}
	p.sender = s
	p.connect()
}

// connect opens a new channel: what was on the wire is lost.
func (p *pair) connect() {
	p.down, p.up, p.receiver = nil, nil, &Receiver{}
	p.sender.Connect()
}

// step does one thing at the sender or the receiver; false when both wait.
func (p *pair) step() bool { return p.stepSender() || p.stepReceiver() }

func (p *pair) stepSender() bool {
	switch a := p.sender.Next(p.limit).(type) {
	case nil:
		if len(p.up) == 0 {
			return false
		}
		f := p.up[0]
		p.up = p.up[1:]
		p.sender.Text(f.b)
	case Say:
		p.down = append(p.down, frame{true, a.Text})
	case Send:
		p.down = append(p.down, frame{false, a.Frame})
	case Read:
		b := make([]byte, HeaderSize+a.Length)
		copy(b[HeaderSize:], p.content[a.File][a.At:])
		if p.sender.Take(b) {
			at := spot{a.File, uint32(a.At / ChunkSize)}
			if _, twice := p.stored[at]; twice {
				p.repeated += a.Length
			}
			p.sent[at] += a.Length
			if p.flip > 0 {
				p.flip--
				b[HeaderSize] ^= 1
			}
			p.down = append(p.down, frame{false, b})
		}
	case Done:
		p.done[0] = true
	case Ended:
		p.ended[0] = &a
	}
	return true
}

func (p *pair) stepReceiver() bool {
	switch a := p.receiver.Next().(type) {
	case nil:
		if len(p.down) == 0 {
			return false
		}
		f := p.down[0]
		p.down = p.down[1:]
		if f.text {
			p.receiver.Text(f.b)
		} else {
			p.receiver.Data(f.b)
		}
	case Say:
		p.up = append(p.up, frame{true, a.Text})
	case Offered:
		if p.refuse != "" {
			p.receiver.Refuse(p.refuse)
			break
		}
		for at, h := range p.stored {
			p.receiver.Hold(at.file, at.chunk, h)
		}
		p.receiver.Accept(false)
	case Write:
		copy(p.disk[a.File][a.At:], a.Data)
	case Store:
		p.stored[spot{a.File, a.Chunk}] = a.Hash
		p.receiver.Stored(a.File, a.Chunk)
	case Finish:
		p.finished[a.File] = a.Root
		p.receiver.Finished(a.File)
	case Done:
		p.done[1] = true
	case Ended:
		p.ended[1] = &a
	}
	return true
}

// settle steps until both wait.
func (p *pair) settle() {
	for n := 0; p.step(); n++ {
		if n > 5_000_000 {
			p.t.Fatal("the two never come to rest")
		}
	}
}

// complete checks that everything arrived.
func (p *pair) complete() {
	p.t.Helper()
	if p.done != [2]bool{true, true} {
		p.t.Fatalf("not done: %v; sender %+v, receiver %+v", p.done, p.ended[0], p.ended[1])
	}
	for i, want := range p.content {
		if !bytes.Equal(p.disk[i], want) {
			p.t.Errorf("file %d differs", i)
		}
		var hashes []Hash
		for from := 0; from < len(want); from += ChunkSize {
			hashes = append(hashes, sha256.Sum256(want[from:min(from+ChunkSize, len(want))]))
		}
		if p.finished[i] != Root(int64(len(want)), hashes) {
			p.t.Errorf("file %d has another root", i)
		}
	}
	if p.repeated > 0 {
		p.t.Errorf("%d bytes of stored chunks were sent again", p.repeated)
	}
}

func TestFilesArrive(t *testing.T) {
	for _, sizes := range [][]int{
		{0}, {1}, {ChunkSize}, {ChunkSize + 1}, {12*ChunkSize - 1}, {5, 0, 3 * ChunkSize, 17},
	} {
		p := newPair(t, sizes...)
		p.settle()
		p.complete()
	}
}

func TestManyFilesNeedManyMessages(t *testing.T) {
	p := newPair(t, make([]int, MaxFiles)...)
	p.settle()
	p.complete()
}

func TestCutsRepeatLittle(t *testing.T) {
	for _, crash := range []bool{false, true} {
		p := newPair(t, 20*ChunkSize+5, 3*ChunkSize)
		const cuts = 20
		allowed := 0
		for cut := range cuts {
			for range 100 + 37*cut {
				p.step()
			}
			allowed += ChunkSize // and what is in flight
			for _, f := range p.down {
				if !f.text {
					allowed += len(f.b)
				}
			}
			if crash {
				p.restart()
			} else {
				p.connect()
			}
		}
		p.settle()
		p.complete()
		total := 0
		for _, n := range p.sent {
			total += n
		}
		if extra := total - int(p.offer.Total()); extra > allowed {
			t.Errorf("crash %v: %d bytes more than the files were sent, at most %d are explained", crash, extra, allowed)
		}
	}
}

func TestSenderStaysWithinItsCredit(t *testing.T) {
	p := newPair(t, 20*ChunkSize)
	for p.stepSender() { // the offer goes out
	}
	for p.stepReceiver() {
	}
	for p.stepSender() {
	}
	total := 0
	for _, n := range p.sent {
		total += n
	}
	if total != ahead {
		t.Errorf("%d bytes without an answer, want %d", total, ahead)
	}
	p.settle()
	p.complete()
}

func TestSpoiltChunkComesAgain(t *testing.T) {
	p := newPair(t, 3*ChunkSize)
	p.flip = 2
	p.settle()
	p.complete()
}

func TestSpoiltChunksEndTheTransfer(t *testing.T) {
	p := newPair(t, 30)
	p.flip = 1000
	p.settle()
	if p.ended[0] == nil || p.ended[0].Reason != Corrupt || p.ended[1] == nil || p.ended[1].Reason != Corrupt || !p.ended[1].Mine {
		t.Errorf("%+v, %+v", p.ended[0], p.ended[1])
	}
}

func TestRefusal(t *testing.T) {
	p := newPair(t, 30)
	p.refuse = Declined
	p.settle()
	if p.ended[0] == nil || p.ended[0].Reason != Declined || p.ended[0].Mine || len(p.sent) > 0 {
		t.Errorf("%+v, sent %v", p.ended[0], p.sent)
	}
}

func TestPauseStopsTheData(t *testing.T) {
	p := newPair(t, 10*ChunkSize)
	for range 60 {
		p.step()
	}
	p.receiver.Pause(true)
	p.settle()
	before := len(p.stored)
	if before == 10 || p.done[0] {
		t.Fatal("the pause came too late for this test")
	}
	p.sender.Pause(true)
	p.receiver.Pause(false)
	p.settle()
	if len(p.stored) != before {
		t.Error("data came although the sender paused")
	}
	p.sender.Pause(false)
	p.settle()
	p.complete()
}

func TestAnotherFileIsNoticed(t *testing.T) {
	for _, crash := range []bool{true, false} {
		p := newPair(t, 10*ChunkSize)
		for len(p.stored) < 4 {
			p.step()
		}
		p.content[0][ChunkSize+5] ^= 1
		if crash { // a new process hashes what it has
			p.restart()
		} else { // the receiver has a part of something else
			p.stored[spot{0, 1}] = Hash{1}
			p.connect()
		}
		p.settle()
		for side, e := range p.ended {
			if e == nil || e.Reason != Changed {
				t.Errorf("crash %v, side %d: %+v", crash, side, e)
			}
		}
	}
}

func TestCancel(t *testing.T) {
	for side := range 2 {
		p := newPair(t, 10*ChunkSize)
		for range 60 {
			p.step()
		}
		if side == 0 {
			p.sender.Cancel(Cancelled)
		} else {
			p.receiver.Cancel(NoSpace)
		}
		p.settle()
		if p.ended[0] == nil || p.ended[1] == nil || p.ended[side].Mine == p.ended[1-side].Mine || p.ended[0].Reason != p.ended[1].Reason {
			t.Errorf("%+v, %+v", p.ended[0], p.ended[1])
		}
	}
}

func TestFaultsAreErrFault(t *testing.T) {
	r := &Receiver{}
	r.Data([]byte{1})
	var ended *Ended
	for a := r.Next(); a != nil; a = r.Next() {
		if e, ok := a.(Ended); ok {
			ended = &e
		}
	}
	if ended == nil || !errors.Is(ended.Err, ErrFault) {
		t.Errorf("%+v", ended)
	}
}
