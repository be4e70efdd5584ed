package dtlsserver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
)

// A peer may have so many channels open, and others when those have closed. What we open to it takes nothing away from that, and has
// a bound of its own.
func TestManyChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := joined(t)
		for i := range dtlsserver.MaxChannels {
			_, err := server.Open(dtlsserver.ChannelConfig{Label: fmt.Sprint("s", i)})
			must(t, err)
			_, err = client.Open(dtlsserver.ChannelConfig{Label: fmt.Sprint("c", i)})
			must(t, err)
		}
		time.Sleep(10 * time.Second) // SCTP takes 16 new ones at once; the others come again
		for _, s := range []*side{client, server} {
			if got := s.said(); strings.Count(got, "opened:") != 2*dtlsserver.MaxChannels || strings.Contains(got, "ended") {
				t.Error(got)
			}
		}
		for i := range dtlsserver.MaxChannels {
			must(t, client.channel(fmt.Sprint("c", i)).Close())
		}
		time.Sleep(10 * time.Second)
		if got := server.said(); strings.Count(got, "closed:") != dtlsserver.MaxChannels || strings.Contains(got, "ended") {
			t.Error(got)
		}
		for i := range dtlsserver.MaxOpened {
			_, err := client.Open(dtlsserver.ChannelConfig{Label: fmt.Sprint("again", i)})
			must(t, err)
			if (i+1)%dtlsserver.MaxChannels == 0 {
				time.Sleep(10 * time.Second) // the other side closes what is too much
			}
		}
		if got := server.said(); strings.Count(got, "opened:") != dtlsserver.MaxChannels {
			t.Error(got)
		}
	})
}

// Of a peer that opens more, what is too much is closed, with everything that was said on it, and the others go on.
func TestSurplusChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const surplus = 20
		client, server := joined(t)
		for i := range dtlsserver.MaxChannels + surplus {
			ch, err := client.Open(dtlsserver.ChannelConfig{Label: fmt.Sprint("c", i)})
			must(t, err)
			if i >= dtlsserver.MaxChannels {
				must(t, ch.Send(make([]byte, 26_000), false)) // altogether more than may wait to be read
			}
		}
		time.Sleep(20 * time.Second)
		if got := client.said(); strings.Count(got, "closed:") != surplus || strings.Contains(got, "ended") {
			t.Error(got)
		}
		server.said()
		must(t, client.channel("c1").Send(make([]byte, 200_000), false))
		time.Sleep(5 * time.Second)
		if got := server.said(); got != "c1:200000:false" {
			t.Error(got)
		}
		must(t, client.channel("c1").Close())
		time.Sleep(time.Second)
		_, err := client.Open(dtlsserver.ChannelConfig{Label: "in its place"})
		must(t, err)
		time.Sleep(time.Second)
		if got := server.said(); got != "closed:c1 opened:in its place" {
			t.Error(got)
		}
	})
}

// The numbers of streams come again, however many channels there were.
func TestNumbersComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := joined(t)
		_, err := server.Open(dtlsserver.ChannelConfig{Label: "first"}) // which stays open
		must(t, err)
		for i := range 1200 {
			label := fmt.Sprint("c", i)
			ch, err := server.Open(dtlsserver.ChannelConfig{Label: label})
			must(t, err)
			must(t, ch.Send([]byte(label), true))
			time.Sleep(100 * time.Millisecond)
			if ch.ID%2 != 1 || ch.ID < 3 || ch.ID > 1023 {
				t.Fatalf("channel %d has number %d", i, ch.ID)
			}
			must(t, ch.Close())
			time.Sleep(100 * time.Millisecond)
		}
		got := client.said()
		if n := strings.Count(got, "opened:c"); n != 1200 || strings.Count(got, "closed:c") != 1200 || strings.Count(got, ":true") != 1200 {
			t.Errorf("%d channels opened", n)
		}
	})
}

// Long messages on many channels at once, together more than may wait to be read, all arrive.
func TestLongMessagesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := joined(t)
		for i := range 12 {
			ch, err := client.Open(dtlsserver.ChannelConfig{Label: fmt.Sprint("c", i)})
			must(t, err)
			must(t, ch.Send(make([]byte, 80_000), false))
		}
		time.Sleep(10 * time.Second)
		if got := server.said(); strings.Count(got, ":80000") != 12 {
			t.Error(got)
		}
	})
}

// A peer that opens channels without end loses its data, and nothing else: media go on, and its goodbye is heard.
func TestFloodOfChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := joined(t)
		for i := range dtlsserver.MaxOpened {
			_, err := client.Open(dtlsserver.ChannelConfig{Label: fmt.Sprint("c", i)})
			must(t, err)
		}
		time.Sleep(10 * time.Second)
		for _, s := range []*side{client, server} {
			if _, err := s.Open(dtlsserver.ChannelConfig{Label: "more"}); !errors.Is(err, dtlsserver.ErrNoData) {
				t.Error(err)
			}
			if got := s.said(); strings.Contains(got, "ended") {
				t.Error(got)
			}
		}
		client.Close()
		time.Sleep(time.Second)
		if got := server.said(); got != "ended:EOF" {
			t.Error(got)
		}
	})
}
