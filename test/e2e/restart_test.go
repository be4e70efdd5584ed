package e2e

import (
	"testing"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// TestCallOutlivesTheServer kills the server under a call and starts it again on the same data: sound and pictures never
// stop, both keep their seats, and what they said meanwhile arrives once.
func TestCallOutlivesTheServer(t *testing.T) {
	data := t.TempDir()
	c := startChild(t, "127.0.0.1:0", data)
	link := "http://" + c.listen + "/r/tea"
	ann, bob := join(t, link, "Ann"), join(t, link, "Bob")
	ann.hears(direct)
	bob.hears(direct)
	before := ann.people()
	track := bob.track(parley.Microphone)

	gaps := make(chan time.Duration)
	stop := make(chan struct{})
	go func() {
		var longest time.Duration
		for last := time.Now(); ; {
			if _, err := track.ReadRTP(t.Context()); err != nil {
				t.Error("the track ended:", err)
				gaps <- longest
				return
			}
			longest = max(longest, time.Since(last))
			last = time.Now()
			select {
			case <-stop:
				gaps <- longest
				return
			default:
			}
		}
	}()
	began := time.Now()
	c.kill()
	for _, p := range []*peer{ann, bob} {
		until(p, func(e parley.Online) bool { return !e.Up })
	}
	if _, err := ann.Chat(wait(t), "still there?"); err != nil {
		t.Fatal(err)
	}
	startChild(t, c.listen, data)
	started := time.Now()
	for _, p := range []*peer{ann, bob} {
		until(p, func(e parley.Online) bool { return e.Up })
	}
	back := time.Since(started)
	said := func(list []parley.Chat) (n int) {
		for _, m := range list {
			if m.Text == "still there?" {
				n++
			}
		}
		return n
	}
	if e := until[parley.Chat](ann, nil); e.Text != "still there?" || !e.Mine {
		t.Errorf("Ann's own words came back as %+v", e)
	}
	if messages, _, err := bob.History(wait(t), 0, 0); err != nil || said(messages) != 1 {
		t.Errorf("Bob finds %+v in the history, %v", messages, err)
	}
	ann.hears(direct)
	bob.hears(direct)
	close(stop)
	t.Logf("without a server for %v, back %v after its start; the longest pause between two packets of sound was %v",
		started.Sub(began).Round(time.Millisecond), back.Round(time.Millisecond), (<-gaps).Round(time.Millisecond))
	if after := bob.people(); after["Ann"] != before["Ann"] || after["Bob"] != before["Bob"] || len(after) != 2 {
		t.Errorf("the seats were %v and are %v", before, after)
	}
}
