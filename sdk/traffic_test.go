package parley

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

// couple is two rooms at a desk whose link is up, and the seat of the second.
func couple(t *testing.T, d *desk, ka, kb *kit) (a, b *Room, seat string) {
	t.Helper()
	a, b = d.dial("Ann", ka), d.dial("Bob", kb)
	if err := errors.Join(a.Join(t.Context()), b.Join(t.Context())); err != nil {
		t.Fatal(err)
	}
	seat = "seat-session-2"
	for !inside(t, a, func(s *state) bool { return s.linkTo(seat) != nil }) {
		pass(10 * time.Millisecond)
	}
	return a, b, seat
}

func twoFiles(t *testing.T) *Files {
	t.Helper()
	system := fstest.MapFS{"x/a": {Data: bytes.Repeat([]byte{7}, transfer.ChunkSize+5)}, "x/b": {}}
	files, err := FilesIn(system, "x")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// give sends files and takes them; it returns the transfer that sent.
func give(t *testing.T, a, b *Room, seat, dir string) *Transfer {
	t.Helper()
	out, err := a.SendFiles(t.Context(), seat, twoFiles(t), SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	offer := until(t, b, always[FilesOffered]).Offer
	if err := offer.Accept(dir); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Wait(t.Context()), offer.Wait(t.Context())); err != nil {
		t.Fatal(err)
	}
	return out
}

// rawChannel is a channel for files that a hostile peer opens by hand.
func rawChannel(t *testing.T, a *Room, seat, id string, open func(*webrtc.DataChannel), hear func(string)) *webrtc.DataChannel {
	t.Helper()
	channel := inside(t, a, func(s *state) *webrtc.DataChannel {
		channel, err := s.openChannel(seat, id, &webrtc.DataChannelInit{Protocol: new(transfer.Protocol)})
		if err != nil {
			t.Error(err)
			return nil
		}
		channel.OnOpen(func() { open(channel) })
		channel.OnMessage(func(m webrtc.DataChannelMessage) { hear(string(m.Data)) })
		return channel
	})
	if channel == nil {
		t.FailNow()
	}
	return channel
}

func TestALastWordThatWasMissedIsSaidAgain(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		dir := t.TempDir()
		id := give(t, a, b, seat, dir).ID()
		again, err := a.SendFiles(t.Context(), seat, twoFiles(t), SendOptions{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if p := again.Progress(); p.Wire != 0 || p.Done != 2 {
			t.Errorf("%+v", p)
		}
		for {
			select {
			case e := <-b.Events():
				if offer, ok := e.(FilesOffered); ok {
					t.Errorf("%s is offered again", offer.Offer.Name())
				}
				continue
			default:
			}
			break
		}
		if names := tree(t, dir); len(names) != 2 {
			t.Errorf("%v", names)
		}
	})
}

func TestSomebodyWhoTakesNoFilesIsLeftAlone(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		var opened atomic.Int32
		inside(t, b, func(s *state) bool {
			s.data.accept(transfer.Protocol, func(_ string, c *webrtc.DataChannel) func() {
				opened.Add(1)
				c.OnOpen(func() { _ = c.Close() })
				return func() {}
			})
			return true
		})
		began := time.Now()
		out, err := a.SendFiles(t.Context(), seat, twoFiles(t), SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		err = out.Wait(t.Context())
		var why *TransferError
		if !errors.As(err, &why) || why.Reason != "unanswered" || why.Mine {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); opened.Load() != 7 || took < time.Minute || took > 2*time.Minute {
			t.Errorf("%d channels in %v", opened.Load(), took)
		}
	})
}

// TestFloodOfFileOffers is somebody who opens more channels than there can be, and never ends to say what is offered.
func TestFloodOfFileOffers(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		part := `{"type":"offer","name":"x","count":10000,"total":10000,"files":[{"path":"a","size":1}]}`
		var busy, bad atomic.Int32
		var channels []*webrtc.DataChannel
		for range 2 * maxChannels {
			c := rawChannel(t, a, seat, NewTransferID(), func(c *webrtc.DataChannel) {
				_ = c.SendText(part) // the rest never comes
			}, func(text string) {
				switch {
				case strings.Contains(text, `"busy"`):
					busy.Add(1)
				case strings.Contains(text, `"bad-offer"`):
					bad.Add(1)
				}
			})
			channels = append(channels, c)
		}
		pass(3 * time.Second)
		waiting := inside(t, b, func(s *state) (n int) {
			for _, one := range s.files.incoming {
				if !one.busy {
					n++
				}
			}
			return n
		})
		if waiting > maxIncoming || int(busy.Load()) < maxChannels-maxIncoming-1 {
			t.Errorf("%d transfers wait, %d were told that these are too many", waiting, busy.Load())
		}
		pass(describePatience)
		if int(bad.Load()) != waiting {
			t.Errorf("%d of %d offers that never ended were refused", bad.Load(), waiting)
		}
		for _, c := range channels {
			_ = c.Close() // most are closed already
		}
		pass(10 * time.Second)
		if n := inside(t, b, func(s *state) int { return len(s.files.incoming) }); n != 0 {
			t.Errorf("%d transfers are still there", n)
		}
		give(t, a, b, seat, t.TempDir())
	})
}

// TestChannelsThatDoNotComeIn: a link on which channels are opened that the other side never hears of is replaced, whoever made it.
func TestChannelsThatDoNotComeIn(t *testing.T) {
	for _, maker := range []bool{false, true} {
		atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
			a, b, seat := couple(t, d, ka, kb)
			links := func(s *state) (ids []string, mine bool) {
				for _, l := range s.links {
					ids, mine = append(ids, l.id), l.mine
				}
				return ids, mine
			}
			before := inside(t, a, func(s *state) string {
				ids, mine := links(s)
				return fmt.Sprint(ids, mine)
			})
			from := a
			if strings.HasSuffix(before, "true") != maker {
				from = b
			}
			inside(t, from, func(s *state) bool {
				for _, l := range s.links {
					l.opened += 3
				}
				return true
			})
			pass(awayAfter - time.Second)
			for _, r := range []*Room{a, b} {
				inside(t, r, func(s *state) bool {
					if ids, _ := links(s); len(ids) != 1 || !strings.Contains(before, ids[0]) {
						t.Errorf("%v too early, before %s", ids, before)
					}
					return true
				})
			}
			pass(4 * time.Second)
			for _, r := range []*Room{a, b} {
				inside(t, r, func(s *state) bool {
					ids, _ := links(s)
					if len(ids) != 1 || strings.Contains(before, ids[0]) {
						t.Errorf("%v as before, %s", ids, before)
					}
					return true
				})
			}
			give(t, a, b, seat, t.TempDir())
			pass(awayAfter + time.Second)
			inside(t, b, func(s *state) bool {
				for _, l := range s.links {
					if !l.missed.IsZero() || l.claimed.Load() == 0 || l.claimed.Load() != l.gate.arrived.Load() {
						t.Errorf("claimed %d, arrived %d, missed since %v", l.claimed.Load(), l.gate.arrived.Load(), l.missed)
					}
				}
				return true
			})
		})
	}
}

// TestOffersOfSomebodyWhoWentAwayAreForgotten: two offers whose channels are gone wait for a minute, without a stir.
func TestOffersOfSomebodyWhoWentAwayAreForgotten(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		for range 2 {
			c := rawChannel(t, a, seat, NewTransferID(), func(c *webrtc.DataChannel) {
				_ = c.SendText(`{"type":"offer","name":"x","count":1,"total":5,"files":[{"path":"a","size":5}]}`)
			}, func(string) {})
			until(t, b, always[FilesOffered])
			_ = c.Close()
		}
		began := time.Now()
		for range 2 {
			var why *TransferError
			if err := until(t, b, always[TransferEnded]).Err; !errors.As(err, &why) || why.Reason != "gone" {
				t.Errorf("%v", err)
			}
		}
		if took := time.Since(began); took < forgetOffer-time.Second || took > forgetOffer+5*time.Second {
			t.Errorf("the offers were forgotten after %v", took)
		}
	})
}

// TestAChannelThatComesWithTheEndIsHeard: a channel may find its transfer in the moment in which that ends.
func TestAChannelThatComesWithTheEndIsHeard(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		id := NewTransferID()
		rawChannel(t, a, seat, id, func(c *webrtc.DataChannel) {
			_ = c.SendText(`{"type":"offer","name":"x","count":1,"total":5,"files":[{"path":"a","size":5}]}`)
		}, func(string) {})
		until(t, b, always[FilesOffered])
		ended := inside(t, b, func(s *state) *receiving {
			old := s.files.incoming[id]
			old.Abandon()
			<-old.Done() // while the owner is busy here
			channel, err := s.openChannel("seat-session-1", id, &webrtc.DataChannelInit{Protocol: new(transfer.Protocol)})
			if err != nil {
				t.Error(err)
				return old
			}
			s.delivers(newLane(channel, "session-1", nil))
			return old
		})
		pass(time.Second)
		if now := inside(t, b, func(s *state) *receiving { return s.files.incoming[id] }); now == nil || now == ended {
			t.Error("nobody hears the channel")
		}
	})
}

// TestAFileIsDoneOnce: a transfer that goes on over another channel tells nothing again.
func TestAFileIsDoneOnce(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		system := fstest.MapFS{"x/a": {Data: []byte("first")}, "x/b": {Data: make([]byte, 20<<20)}}
		files, err := FilesIn(system, "x")
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.SendFiles(t.Context(), seat, files, SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		in := until(t, b, always[FilesOffered]).Offer
		if err := in.Accept(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		for in.Progress().Wire < 4<<20 {
			pass(10 * time.Millisecond)
		}
		rawChannel(t, a, seat, out.ID(), func(*webrtc.DataChannel) {}, func(string) {}) // takes the place of the one in use
		for _, r := range []*Room{a, b} {
			done, begun := 0, 0
			for e := range r.Events() {
				switch e := e.(type) {
				case FileDone:
					done++
				case TransferChanged:
					if e.Progress.State == TransferOffered {
						begun++
					}
				case TransferEnded:
					if e.Err != nil {
						t.Error(e.Err)
					}
				}
				if _, over := e.(TransferEnded); over {
					break
				}
			}
			if done != 2 || begun < 2 {
				t.Errorf("%d files were done, in %d beginnings", done, begun)
			}
		}
	})
}

// TestFramesNobodyAskedFor is a sender who sends and a receiver who never accepts.
func TestFramesNobodyAskedFor(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		var said atomic.Value
		frame := make([]byte, 60000)
		transfer.Header{Kind: transfer.KindData}.Put(frame)
		rawChannel(t, a, seat, NewTransferID(), func(c *webrtc.DataChannel) {
			_ = c.SendText(`{"type":"offer","name":"x","count":1,"total":1000000,"files":[{"path":"a","size":1000000}]}`)
			for range 20 {
				_ = c.Send(frame)
			}
		}, func(text string) { said.Store(text) })
		until(t, b, always[FilesOffered])
		ended := until(t, b, always[TransferEnded])
		var why *TransferError
		if !errors.As(ended.Err, &why) || why.Reason != "fault" || !why.Mine {
			t.Errorf("%v", ended.Err)
		}
		pass(time.Second)
		if text, _ := said.Load().(string); !strings.Contains(text, `"fault"`) {
			t.Errorf("the sender heard %q", text)
		}
		give(t, a, b, seat, t.TempDir())
	})
}

func TestTransfersAreInTheRecord(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		var told []string
		d.reported = func(from string, e signal.ReportEvent) {
			if e.Kind == signal.ReportTransfer {
				told = append(told, fmt.Sprint(from, " ", e.Seat, " ", e.Cause))
			}
		}
		a, b, seat := couple(t, d, ka, kb)
		give(t, a, b, seat, t.TempDir())
		out, err := a.SendFiles(t.Context(), seat, twoFiles(t), SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		until(t, b, always[FilesOffered]).Offer.Refuse()
		if out.Wait(t.Context()) == nil {
			t.Error("a refusal is no error")
		}
		pass(2 * reportEvery)
		got := strings.Join(told, "\n")
		for _, from := range []string{"1 seat-session-2", "2 seat-session-1"} {
			want := []string{"started", "done", "declined"}
			for _, cause := range want {
				if strings.Count(got, "session-"+from+" "+cause) != 1 {
					t.Errorf("session-%s %s is not there once:\n%s", from, cause, got)
				}
			}
		}
	})
}

// TestACancelledTransferLeavesTheLinkAsItWas cancels while data is on its way, from either side.
func TestACancelledTransferLeavesTheLinkAsItWas(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, b, seat := couple(t, d, ka, kb)
		system := fstest.MapFS{"large": {Data: make([]byte, 20<<20)}}
		files, err := FilesIn(system, "large")
		if err != nil {
			t.Fatal(err)
		}
		for _, receiver := range []bool{true, false} {
			out, err := a.SendFiles(t.Context(), seat, files, SendOptions{})
			if err != nil {
				t.Fatal(err)
			}
			in := until(t, b, always[FilesOffered]).Offer
			if err := in.Accept(t.TempDir()); err != nil {
				t.Fatal(err)
			}
			for in.Progress().Wire < 2<<20 {
				pass(10 * time.Millisecond)
			}
			if receiver {
				in.Cancel()
			} else {
				out.Cancel()
			}
			for _, one := range []*Transfer{out, in.Transfer} {
				var why *TransferError
				if err := one.Wait(t.Context()); !errors.As(err, &why) || why.Reason != "cancelled" || why.Mine != (receiver == one.Incoming()) {
					t.Errorf("incoming %v: %v", one.Incoming(), err)
				}
			}
		}
		give(t, a, b, seat, t.TempDir())
		pass(10 * time.Second)
		open := inside(t, b, func(s *state) int {
			s.data.mu.Lock()
			defer s.data.mu.Unlock()
			return len(s.data.open)
		})
		if open != 0 {
			t.Errorf("%d people have channels open", open)
		}
	})
}
