package hub

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// standing counts those that are not closed.
func standing(channels []*fake) (n int) {
	synctest.Wait()
	for _, ch := range channels {
		if _, _, closed := ch.look(); !closed {
			n++
		}
	}
	return n
}

// TestFeeds: one may have so many channels to everybody, so many to one beside them, and open them so fast.
func TestFeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2")
		defer c.Stop()
		var all []*fake
		for i := range 63 {
			ch := c.opens("s1", fmt.Sprint("x", i), "parley.zzz.v1", false)
			c.says("s1", ch, "x")
			all = append(all, ch)
		}
		if n := standing(all); n != maxFeeds {
			t.Errorf("%d channels to everybody", n)
		}
		synctest.Wait()
		if n := len(c.ends); n != maxFeeds {
			t.Errorf("%d channels to the other one", n)
		}
		var pipes []*fake
		for i := range 20 {
			pipes = append(pipes, c.opens("s1", fmt.Sprint("p", i), "parley.zzz.v1;to=s2", false))
		}
		if n := standing(pipes); n != len(pipes) {
			t.Errorf("%d channels to one", n)
		}
		for _, to := range []string{"", ";to=s2"} {
			n, each := 0, feedEach
			if to != "" {
				each = pipeEach
			}
			began := time.Now()
			for time.Since(began) < time.Minute {
				ch := c.opens("s1", "again", "parley.zzz.v1"+to, false)
				n += standing([]*fake{ch})
				c.drop(c.links["s1"].at, ch)
				if len(all) > 0 {
					c.drop(c.links["s1"].at, all[0])
					all = all[1:]
				}
				time.Sleep(each / 10)
			}
			if most := int(time.Minute/each) + pipeBurst; n > most || n < int(time.Minute/each)-1 {
				t.Errorf("%q: %d channels in a minute", to, n)
			}
		}
	})
}

// TestTrickle: one who takes a little all the time holds the others up no longer than one who takes nothing, and one who takes enough
// holds them up as long as it does.
func TestTrickle(t *testing.T) {
	for _, tt := range []struct {
		name string
		each time.Duration // in which a block of 64 KiB is taken
		most time.Duration
	}{
		{"a little all the time", time.Second, stuck},
		{"enough", stuck / 8, 2 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCast("s1", "s2")
				defer c.Stop()
				c.stuck["s2"] = true
				chat := c.opens("s1", "chat", "parley.data.v1", false)
				block := strings.Repeat("x", 64<<10)
				c.says("s1", chat, block)
				ch := c.end("s2 chat parley.data.v1;from=s1")
				ch.slowly(tt.each)
				var held time.Duration
				const blocks = 200 // less than what makes it lose the channel
				for range blocks {
					began := time.Now()
					c.says("s1", chat, block)
					held += time.Since(began)
				}
				if held > tt.most || tt.most > stuck && held < time.Duration(blocks-heldUp/len(block)-1)*tt.each {
					t.Errorf("held up for %v", held)
				}
				if _, _, closed := ch.look(); closed {
					t.Error("the channel is closed")
				}
				if _, bytes, _ := ch.look(); bytes == 0 {
					t.Error("nothing is taken")
				}
			})
		})
	}
}

// TestRate: what one sends passes at a rate, whether it may be lost or not: the one is dropped, the other held up.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2", "s3")
		defer c.Stop()
		pointer, chat := c.opens("s1", "pointer", "parley.data.v1", true), c.opens("s1", "chat", "parley.data.v1", false)
		block := strings.Repeat("x", 32<<10)
		pass := func() (bytes int) {
			for _, label := range []string{"pointer", "chat"} {
				for _, seat := range []string{"s2", "s3"} {
					if ch := c.end(seat + " " + label + " parley.data.v1;from=s1"); ch != nil {
						_, n, _ := ch.look()
						bytes += n
					}
				}
			}
			return bytes
		}
		for range 4 * dataRate / (2 * len(block)) { // as much as four seconds' worth, in one
			c.says("s1", pointer, block)
			time.Sleep(time.Second / (4 * dataRate / (2 * 32 << 10)))
		}
		if n := pass(); n < 2*dataRate-len(block) || n > 2*dataRate+4*len(block) {
			t.Errorf("%d bytes passed in the first second, want what may pass at once and in a second, %d", n, 2*dataRate)
		}
		began, before := time.Now(), pass()
		for range dataRate / (2 * len(block)) {
			c.says("s1", chat, block)
		}
		if n, passed := pass()-before, time.Since(began); n != dataRate || passed < time.Second-50*time.Millisecond || passed > time.Second+50*time.Millisecond {
			t.Errorf("%d bytes that must not be lost in %v", n, passed)
		}
	})
}

// TestClosedByReceiver: who has closed a label gets what is sent on it after a pause again, on another channel; one who closes it each
// time does not make the hub open channels without end.
func TestClosedByReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2")
		defer c.Stop()
		chat := c.opens("s1", "chat", "parley.data.v1", false)
		const name = "s2 chat parley.data.v1;from=s1"
		c.says("s1", chat, "first")
		first := c.end(name)
		c.drop(c.links["s2"].at, first)
		c.says("s1", chat, "lost")
		if _, _, closed := c.end(name).look(); !closed || c.dials != 1 {
			t.Error("no end is seen")
		}
		time.Sleep(firstPause)
		c.says("s1", chat, "next")
		if got, _, closed := c.end(name).look(); closed || len(got) != 1 || got[0] != "next" {
			t.Errorf("%q", got)
		}
		time.Sleep(lastPause)
		for began := time.Now(); time.Since(began) < time.Hour; time.Sleep(time.Second) {
			c.says("s1", chat, "x")
			if ch := c.end(name); ch != nil {
				c.drop(c.links["s2"].at, ch)
			}
		}
		if c.dials < 60 || c.dials > 70 {
			t.Errorf("%d channels in an hour", c.dials)
		}
	})
}

// TestFeedForgets: one who sends for weeks keeps nothing of those who have left.
func TestFeedForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2", "s3", "s4")
		defer c.Stop()
		chat := c.opens("s1", "chat", "parley.data.v1", false)
		c.says("s1", chat, "x")
		c.drop(c.links["s4"].at, c.end("s4 chat parley.data.v1;from=s1"))
		c.r.end(c.links["s3"])
		c.r.end(c.links["s4"])
		synctest.Wait()
		if n := len(c.links["s1"].feeds[chat].outs); n != 1 {
			t.Errorf("%d receivers are known, want one", n)
		}
	})
}

// TestWaitMost: when too much waits for all together, those who take nothing lose their channels, those with most of it first, and
// nobody of another room who is only a little behind.
func TestWaitMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idle, each = 17, 15 << 20
		var seats []string
		for i := range idle {
			seats = append(seats, fmt.Sprint("idle", i))
		}
		c := newCast(append(seats, "s1")...)
		defer c.Stop()
		for _, seat := range seats {
			c.stuck[seat] = true
		}
		c.meets("milk", "x1", "x2")
		c.stuck["x2"] = true
		block := strings.Repeat("x", 256<<10)
		spam := c.opens("s1", "spam", "parley.data.v1", false)
		for range each / len(block) {
			c.says("s1", spam, block)
		}
		if s := c.Stats(); s.Cut != 0 || s.Waiting != idle*each {
			t.Fatalf("%+v", s)
		}
		file := c.opens("x1", "file", "parley.file.v1;to=x2", false)
		for range (waitMost-idle*each)/len(block) + 4 { // more than may wait
			go c.says("x1", file, block)
			synctest.Wait()
		}
		if s := c.Stats(); s.Cut != 1 || s.Waiting > waitMost {
			t.Errorf("%+v", s)
		}
		far := c.end("x2 file parley.file.v1;from=x1")
		if _, _, closed := far.look(); closed {
			t.Error("the innocent one lost the channel")
		}
		if _, _, closed := file.look(); closed {
			t.Error("so did who sends to them")
		}
		far.slowly(0)
		time.Sleep(time.Second)
		if _, bytes, _ := far.look(); bytes != ((waitMost-idle*each)/len(block)+4)*len(block) {
			t.Errorf("%d bytes arrived", bytes)
		}
	})
}

// TestLatePipe: when the one at the other end of a pipe is too far behind, its sender sees an end.
func TestLatePipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCast("s1", "s2")
		defer c.Stop()
		c.stuck["s2"] = true
		file := c.opens("s1", "file", "parley.file.v1;to=s2", false)
		block := strings.Repeat("x", 256<<10)
		for range lineMost/len(block) + 1 {
			c.says("s1", file, block)
		}
		synctest.Wait()
		if _, _, closed := file.look(); !closed || c.Stats().Cut != 1 {
			t.Errorf("the sender's end is open, %+v", c.Stats())
		}
	})
}
