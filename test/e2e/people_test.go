package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/trace"
	parley "github.com/parley-rtc/parley/sdk"
)

// TestSendToSeveral is parley send --people: a link for each, and everybody gets everything at the same time.
func TestSendToSeveral(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	dir := t.TempDir()
	env := []string{"XDG_STATE_HOME=" + filepath.Join(dir, "state")}
	from := filepath.Join(dir, "trip")
	big, small := content(4<<20+77, 3), content(10, 4)
	write(t, from, "big.bin", big)
	write(t, from, "small.txt", small)
	write(t, from, "empty", nil)
	sender := command(t, env, "send", "--json", "--people", "3", "--server", h.url, from)
	links := map[string]bool{}
	for range 3 {
		r := sender.until("a link", func(r report) bool { return r.Event == "waiting" })
		links[r.Link] = true
	}
	if len(links) != 3 {
		t.Fatalf("the links %v", links)
	}
	var receivers []*program
	var folders []string
	for link := range links {
		to := filepath.Join(dir, "to", filepath.Base(link))
		if err := os.MkdirAll(to, 0o700); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, to)
		receivers = append(receivers, command(t, env, "receive", "--json", "--yes", "--to", to, link))
	}
	for i, r := range receivers {
		if end := r.until("the end", func(r report) bool { return r.Event == "ended" }); end.State != "done" {
			t.Errorf("%+v", end)
		}
		r.end()
		if !r.cmd.ProcessState.Success() {
			t.Errorf("receive ended with %v", r.cmd.ProcessState)
		}
		same(t, filepath.Join(folders[i], "trip", "big.bin"), big)
		same(t, filepath.Join(folders[i], "trip", "small.txt"), small)
		same(t, filepath.Join(folders[i], "trip", "empty"), nil)
	}
	for range receivers {
		if end := sender.until("the end", func(r report) bool { return r.Event == "ended" }); end.State != "done" {
			t.Errorf("%+v", end)
		}
	}
	if sender.end(); !sender.cmd.ProcessState.Success() {
		t.Errorf("send ended with %v", sender.cmd.ProcessState)
	}
}

// TestTransfersAreInTheRecord is a file between two people as the call's record tells it.
func TestTransfersAreInTheRecord(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ann := dial(t, h.link("tea"), options("Ann")).enter()
	record := seated(ann)
	bob := join(t, h.link("tea"), "Bob")
	path := write(t, t.TempDir(), "a.txt", bytes.Repeat([]byte("a"), 1000))
	ann.hears(direct)
	out := send(t, ann, "Bob", files(t, path), parley.SendOptions{})
	if err := until[parley.FilesOffered](bob, nil).Offer.Accept(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if err := out.Wait(wait(t)); err != nil {
		t.Fatal(err)
	}
	seats := ann.people()
	h.record(t, record.ID, record.Token, func(r trace.Record) bool {
		told := map[string]bool{}
		for _, e := range r.Events {
			if e.Kind == signal.ReportTransfer {
				told[e.Who+" "+e.Seat+" "+e.Cause] = true
			}
		}
		a, b := seats["Ann"], seats["Bob"]
		return told[a+" "+b+" started"] && told[a+" "+b+" done"] && told[b+" "+a+" started"] && told[b+" "+a+" done"]
	})
}
