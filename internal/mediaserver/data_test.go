package mediaserver

import (
	"errors"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/pion/webrtc/v4"
)

// echo gives each message back on a channel of its own.
type echo struct{ h *house }

func (e *echo) Opened(at Link, ch *dtlsserver.Channel) {
	if ch.Label == "back" {
		_ = ch.Send([]byte("welcome "+at.Seat), true)
	}
}

func (e *echo) Message(at Link, ch *dtlsserver.Channel, message []byte, text bool) {
	_ = ch.Send(message, text)
	_, _ = e.h.OpenChannel(at, dtlsserver.ChannelConfig{Label: "back"})
}
func (e *echo) Low(Link, *dtlsserver.Channel)    {}
func (e *echo) Closed(Link, *dtlsserver.Channel) {}

// TestData: data channels work both ways, whoever opens them.
func TestData(t *testing.T) {
	h := open(t, 1)
	h.cfg.Data = &echo{h}
	g := h.come(t, Link{"room", "ann", "1"}, 0, false)
	got := make(chan string, 4)
	tell := func(m webrtc.DataChannelMessage) { got <- string(m.Data) }
	ch, err := g.pc.CreateDataChannel("chat", nil)
	if err != nil {
		t.Fatal(err)
	}
	ch.OnOpen(func() { _ = ch.SendText("hello") })
	ch.OnMessage(tell)
	g.pc.OnDataChannel(func(ch *webrtc.DataChannel) { ch.OnMessage(tell) })
	g.offer(false)
	for range 2 {
		select {
		case m := <-got:
			if m != "hello" && m != "welcome ann" {
				t.Errorf("got %q", m)
			}
		case <-time.After(patience):
			t.Fatal("no answer")
		}
	}
	if _, err := h.OpenChannel(Link{"room", "bob", "1"}, dtlsserver.ChannelConfig{Label: "x"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("to nobody: %v", err)
	}
}
