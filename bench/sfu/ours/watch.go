package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/sfu"
)

// overview is how all people fare together.
type overview struct {
	people, starved                           int
	estimates, targets                        []int // bit/s
	decreases, probes, successes              uint64
	sent, dropped, repeated, refused          uint64
	broken, unknown, policed, missing, mended uint64
	loss                                      float64 // the worst that is believed
}

// watch prints an overview every second, until the returned function is called.
func (d *door) watch(port *portserver.Server, out io.Writer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			began := time.Now()
			o := d.overview(ctx)
			if o.people == 0 {
				continue
			}
			slices.Sort(o.estimates)
			slices.Sort(o.targets)
			s := port.Stats()
			fmt.Fprintf(out, "%d people, %d places starved; estimate %d to %d, target from %d kbit/s, %d falls, %d of %d probes found more, loss up to %.1f %%; "+
				"%d sent, %d dropped, %d repeated, %d refused; in: %d broken, %d unknown, %d policed, %d of %d missing mended; "+
				"port: %.2f packets a message, %d write errors, %d passed, %d lost in passing; asked in %v\n",
				o.people, o.starved, o.estimates[0]/1000, o.estimates[len(o.estimates)-1]/1000, o.targets[0]/1000, o.decreases, o.successes, o.probes, 100*o.loss,
				o.sent, o.dropped, o.repeated, o.refused, o.broken, o.unknown, o.policed, o.mended, o.missing,
				float64(s.Sent)/float64(max(s.Messages, 1)), s.WriteErrors, s.Passed, s.PassLost, time.Since(began).Round(time.Millisecond))
		}
	}()
	return cancel
}

func (d *door) overview(ctx context.Context) (o overview) {
	d.mu.Lock()
	var links []mediaserver.Link
	for _, r := range d.rooms {
		for _, p := range r.people {
			links = append(links, p.at)
		}
	}
	d.mu.Unlock()
	for _, at := range links {
		if s, err := d.media.LinkStats(ctx, at); err == nil && s.Ready {
			o.add(&s.Person)
		}
	}
	return o
}

func (o *overview) add(s *sfu.PersonStats) {
	o.people++
	o.estimates, o.targets = append(o.estimates, s.Bandwidth.Rate), append(o.targets, s.Bandwidth.Target)
	o.decreases, o.probes, o.successes = o.decreases+s.Bandwidth.Decreases, o.probes+s.Bandwidth.Probes, o.successes+s.Bandwidth.Successes
	o.sent, o.dropped, o.repeated, o.refused = o.sent+s.Sent.Packets, o.dropped+s.Sent.Dropped, o.repeated+s.Sent.Repeated, o.refused+s.Sent.Refused
	o.broken, o.unknown, o.policed = o.broken+s.Received.Broken, o.unknown+s.Received.Unknown, o.policed+s.Received.Policed
	o.loss = max(o.loss, s.Bandwidth.Loss)
	for _, st := range s.Streams {
		o.missing, o.mended = o.missing+st.Missing, o.mended+st.Mended
	}
	for _, p := range s.Places {
		if p.State == sfu.Starved {
			o.starved++
		}
	}
}
