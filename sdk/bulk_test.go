package parley

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// TestALinkForBulkLeavesThePagesChannelsAlone: a page has channels 0 and 1 of its own on every transport, and hears
// nothing of one that is opened under such a number.
func TestALinkForBulkLeavesThePagesChannelsAlone(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, _, seat := couple(t, d, ka, kb)
		up := make(chan struct{}, 1)
		if !inside(t, a, func(s *state) bool { return s.wantBulk(seat, func() { up <- struct{}{} }) }) {
			t.Fatal("no link for bulk")
		}
		<-up
		channel := inside(t, a, func(s *state) *webrtc.DataChannel {
			channel, err := s.bulkTo("session-2").pc.CreateDataChannel("x", nil)
			if err != nil {
				t.Error(err)
			}
			return channel
		})
		pass(time.Second)
		if id := channel.ID(); id == nil || *id < 2 {
			t.Errorf("the first channel has number 0 or 1, or none: %v", id)
		}
	})
}

// TestALinkForBulkThatIsNotAnsweredIsLeftAlone: the other side may be a client that knows none.
func TestALinkForBulkThatIsNotAnsweredIsLeftAlone(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		a, _, seat := couple(t, d, ka, kb)
		d.mu.Lock()
		d.deaf = true
		d.mu.Unlock()
		wants := func() bool { return inside(t, a, func(s *state) bool { return s.wantBulk(seat, func() {}) }) }
		for range 2 {
			if !wants() {
				t.Fatal("no link for bulk is tried")
			}
		}
		pass(bulkAnswer + time.Second)
		if wants() {
			t.Error("another one is tried at once")
		}
		pass(bulkRetry)
		if !wants() {
			t.Error("none is tried again")
		}
		pass(bulkAnswer + bulkRetry + time.Second)
		if wants() {
			t.Error("the pause does not grow")
		}
		d.mu.Lock()
		d.deaf = false
		d.mu.Unlock()
		pass(2 * bulkRetry)
		up := make(chan struct{}, 1)
		if !inside(t, a, func(s *state) bool { return s.wantBulk(seat, func() { up <- struct{}{} }) }) {
			t.Fatal("none is tried any more")
		}
		<-up
	})
}

// TestALinkForBulkInAnEncryptedRoom: the words by which the two would know its ends are late. Until they are there, the
// link carries nothing although it is up, and takes nothing that the other side sends on it; then it does both.
func TestALinkForBulkInAnEncryptedRoom(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		d.key = teaKey
		a, b, seat := couple(t, d, ka, kb)
		for _, r := range []*Room{a, b} { // words go by the server alone
			inside(t, r, func(s *state) any {
				for _, l := range s.links {
					_ = l.control.Close()
				}
				return nil
			})
		}
		pass(time.Second)
		const dwell = 5 * time.Second
		d.keep(dwell)
		ready, came := make(chan struct{}), make(chan string, 1)
		inside(t, b, func(s *state) any {
			s.data.accept("x", func(_ string, c *webrtc.DataChannel) func() {
				c.OnMessage(func(m webrtc.DataChannelMessage) { came <- string(m.Data) })
				return func() {}
			})
			return nil
		})
		began := time.Now()
		if !inside(t, a, func(s *state) bool { return s.wantBulk(seat, func() { close(ready) }) }) {
			t.Fatal("no link for bulk")
		}
		opened, looked := false, 0
		for time.Since(began) < dwell-time.Second {
			pass(20 * time.Millisecond)
			inside(t, a, func(s *state) any {
				for _, l := range s.files.bulks {
					if !l.up {
						continue
					}
					looked++
					if l.trusted || s.bulkTo("session-2") != nil {
						t.Errorf("after %v it is used", time.Since(began))
					}
					if opened {
						continue
					}
					opened = true // by a program that does not look
					c, err := l.pc.CreateDataChannel("x", &webrtc.DataChannelInit{Protocol: new("x")})
					if err != nil {
						t.Error(err)
						continue
					}
					c.OnOpen(func() { _ = c.SendText("early") })
				}
				return nil
			})
			select {
			case <-ready:
				t.Fatalf("after %v it is ready", time.Since(began))
			case text := <-came:
				t.Fatalf("after %v %q is taken", time.Since(began), text)
			default:
			}
		}
		if looked < 50 {
			t.Fatalf("it was up in %d looks only", looked)
		}
		<-ready
		if text := <-came; text != "early" || time.Since(began) < dwell {
			t.Errorf("%q came after %v", text, time.Since(began))
		}
	})
}
