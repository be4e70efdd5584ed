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

// TestALinkForBulkInAnEncryptedRoom carries nothing before both sides see the same ends, and files then.
func TestALinkForBulkInAnEncryptedRoom(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk, ka, kb *kit) {
		d.key = teaKey
		a, b, seat := couple(t, d, ka, kb)
		up := make(chan bool, 1)
		if !inside(t, a, func(s *state) bool {
			return s.wantBulk(seat, func() {
				up <- s.bulkTo("session-2") != nil && s.bulkTo("session-2").trusted
			})
		}) {
			t.Fatal("no link for bulk")
		}
		if !<-up {
			t.Error("it is used before it is trusted")
		}
		came := make(chan struct{})
		inside(t, b, func(s *state) any {
			s.data.accept("x", func(string, *webrtc.DataChannel) func() {
				close(came)
				return func() {}
			})
			return nil
		})
		inside(t, a, func(s *state) any {
			_, err := s.bulkTo("session-2").pc.CreateDataChannel("x", &webrtc.DataChannelInit{Protocol: new("x")})
			if err != nil {
				t.Error(err)
			}
			return nil
		})
		<-came
	})
}
