package e2e

import (
	"fmt"
	"slices"
	"testing"

	parley "github.com/parley-rtc/parley/sdk"
)

// texts are the words of messages.
func texts(list []parley.Chat) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.Text)
	}
	return out
}

// TestHistory keeps a conversation by the policies a host may choose, over a restart of the server as well.
func TestHistory(t *testing.T) {
	data := t.TempDir()
	h, stop := startHouse(t, "127.0.0.1:0", data, nil)
	ann := join(t, h.link("history"), "Ann")
	said := make([]string, 150)
	for i := range said {
		said[i] = fmt.Sprintf("message %d", i)
		id, err := ann.Chat(wait(t), said[i])
		if err != nil {
			t.Fatal(err)
		}
		if i == len(said)-1 {
			until(ann, func(e parley.Saved) bool { return e.ID == id })
		}
	}

	t.Run("whoever comes reads the newest, and the older ones page by page", func(t *testing.T) {
		bob := join(t, h.link("history"), "Bob")
		newest := until[parley.Recalled](bob, nil)
		if n := len(newest.Messages); n < 50 || !newest.More || !slices.Equal(texts(newest.Messages), said[len(said)-n:]) {
			t.Fatalf("%d messages, more %v: %q", n, newest.More, texts(newest.Messages))
		}
		all := texts(newest.Messages)
		for before, more := newest.Messages[0].Seq, true; more; {
			page, m, err := bob.History(wait(t), before, 40)
			if err != nil || len(page) == 0 || len(page) > 40 {
				t.Fatalf("%d messages, %v", len(page), err)
			}
			all = append(texts(page), all...)
			before, more = page[0].Seq, m
		}
		if !slices.Equal(all, said) {
			t.Errorf("%d messages: %q", len(all), all)
		}
		refused(t, bob.KeepHistory(wait(t), parley.HistoryForever), parley.CodeForbidden)
		if err := bob.Leave(wait(t)); err != nil {
			t.Error(err)
		}
		bob.Close()
	})

	if err := ann.KeepHistory(wait(t), parley.HistoryForever); err != nil {
		t.Fatal(err)
	}
	if err := ann.Leave(wait(t)); err != nil { // the room ends
		t.Fatal(err)
	}
	ann.Close()
	stop()

	h, stop = startHouse(t, h.Info().Listen.String(), data, nil)
	t.Cleanup(func() {
		h.Close()
		stop()
	})
	cyd := join(t, h.link("history"), "Cyd")
	t.Run("kept for the next time, over a restart", func(t *testing.T) {
		if m := until[parley.Recalled](cyd, nil).Messages; len(m) == 0 || m[len(m)-1].Text != "message 149" || m[0].Mine {
			t.Errorf("%q", texts(m))
		}
	})
	t.Run("what is not to be kept is gone", func(t *testing.T) {
		if err := cyd.KeepHistory(wait(t), parley.HistoryNone); err != nil {
			t.Fatal(err)
		}
		id, err := cyd.Chat(wait(t), "in passing")
		if err != nil {
			t.Fatal(err)
		}
		if e := until(cyd, func(e parley.Chat) bool { return e.ID == id }); e.Unsaved || e.Seq != 0 {
			t.Errorf("%+v", e)
		}
		if list, more, err := cyd.History(wait(t), 0, 0); err != nil || more || len(list) > 0 {
			t.Errorf("%q %v %v", texts(list), more, err)
		}
	})
}
