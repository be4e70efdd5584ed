package parley

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/netsim"
	"github.com/parley-rtc/parley/sdk/internal/quality"
)

// rates returns what a person was told last of somebody, and how often something.
func (p *peer) rates(name string) (Quality, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.rated[name]
	if len(list) == 0 {
		return Quality{Level: -1}, 0
	}
	return list[len(list)-1], len(list)
}

// TestQualityIsToldToBoth lets Ann's uplink lose packets: she is told that it is hers, Bob that it is not his.
func TestQualityIsToldToBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		w.meet(Options{})
		ann, bob := w.people[0], w.people[1]
		// Heavy loss may stall a link for a moment, so what is to be told need not be the last word at any one time.
		expect := func(p *peer, of string, level int, reason string) {
			t.Helper()
			var got Quality
			for range 60 {
				got, _ = p.rates(of)
				if got.Level == level && got.Reason == reason && !got.Paused && (got.Sound >= 1) {
					return
				}
				pass(time.Second)
			}
			t.Errorf("%s: %s is %+v, want level %d, %s", p.name, of, got, level, reason)
		}
		well := func() {
			for _, p := range w.people {
				expect(p, "Ann", 2, "none")
				expect(p, "Bob", 2, "none")
			}
		}
		pass(5 * time.Second)
		well()
		w.net.Change(func(*netsim.Network) { ann.uplinks[0].Out.Loss = 0.2 })
		expect(ann, "Ann", 0, "loss")
		expect(bob, "Ann", 0, "their-network")
		expect(bob, "Bob", 2, "none")
		w.net.Change(func(*netsim.Network) { ann.uplinks[0].Out.Loss = 0 })
		well()
		pass(20 * time.Second)
		_, before := bob.rates("Bob")
		pass(time.Minute)
		if _, n := bob.rates("Bob"); n-before > 2 {
			t.Errorf("Bob was told %d times of himself, and nothing happened", n-before)
		}
	})
}

func TestControlMessages(t *testing.T) {
	read := func(text string) *quality.Told {
		return tolds(controls(webrtc.DataChannelMessage{IsString: true, Data: []byte(text)}))
	}
	for text, want := range map[string]*quality.Told{
		`{"type":"quality","level":0,"reason":"upload-small","paused":true}`: {Level: 0, Reason: quality.UploadSmall, Paused: true},
		`{"type":"quality","level":2,"reason":"none","more":[1]}`:            {Level: 2, Reason: quality.None},
		`{"type":"quality","level":1,"reason":"new","paused":"yes"}`:         {Level: 1, Reason: quality.Loss},
		`{"type":"quality","level":7,"reason":"none"}`:                       nil,
		`{"type":"quality","level":1.5,"reason":"none"}`:                     nil,
		`{"type":"quality","level":"bad","reason":"none"}`:                   nil,
		`{"type":"quality","level":1,"reason":3}`:                            nil,
		`{"type":"quality"}`: nil, `{"type":"here"}`: nil, `{"type":7}`: nil, `null`: nil, `[]`: nil, ``: nil, `{`: nil,
	} {
		got := read(text)
		if (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	if tolds(controls(webrtc.DataChannelMessage{Data: []byte(`{"type":"quality","level":2,"reason":"none"}`)})) != nil {
		t.Error("a binary message was read")
	}
}

func FuzzControlMessage(f *testing.F) {
	f.Add(`{"type":"quality","level":0,"reason":"upload-small","paused":true}`)
	f.Add(`{"type":"quality","level":1e999}`)
	f.Fuzz(func(t *testing.T, text string) {
		told := tolds(controls(webrtc.DataChannelMessage{IsString: true, Data: []byte(text)}))
		if told == nil {
			return
		}
		b, err := json.Marshal(controlMessage{Type: "quality", Level: told.Level, Reason: told.Reason, Paused: told.Paused})
		if err != nil {
			t.Fatal(err)
		}
		again := tolds(controls(webrtc.DataChannelMessage{IsString: true, Data: b}))
		if again == nil || *again != *told || told.Level < 0 || told.Level > 2 {
			t.Errorf("%q: %+v, then %+v", text, told, again)
		}
	})
}
