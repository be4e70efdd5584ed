// Command bot joins a room as one more person, listens to how loud everybody is, and posts to the chat who spoke, when,
// for how long and how loud. It sends nothing itself.
//
//	go run ./examples/bot https://call.example.org/r/tea
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

// interval is how often levels are looked at.
const interval = 100 * time.Millisecond

func main() {
	name := flag.String("name", "Level bot", "name that the others see")
	insecure := flag.Bool("insecure", false, "accept any certificate: for a test machine")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: bot [-name NAME] [-insecure] LINK")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), parley.Options{Name: *name, Insecure: *insecure, Listen: true}); err != nil {
		log.Fatal(err)
	}
}

// run stays in the room until ctx ends or the room does.
func run(ctx context.Context, link string, options parley.Options) error {
	room, err := parley.Join(ctx, link, options)
	if err != nil {
		return err
	}
	defer room.Close()
	if err := room.Show(ctx); err != nil { // no pictures: it only listens
		return err
	}
	ear := newEar()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case event, ok := <-room.Events():
			if !ok {
				return nil
			}
			switch e := event.(type) {
			case parley.TrackAdded:
				log.Printf("%s's %s arrives", e.Track.Name(), e.Track.Source)
			case parley.TopologyChanged:
				log.Printf("media take the way %q", e.Topology.Kind)
			case parley.Ended:
				return e.Err
			}
		case now := <-tick.C:
			stats, err := room.Stats(ctx)
			if err != nil {
				return ended(ctx, err)
			}
			for _, line := range ear.hear(now, levels(stats)) {
				log.Print(line)
				if _, err := room.Chat(ctx, line); err != nil {
					return ended(ctx, err)
				}
			}
		case <-ctx.Done():
			leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			return room.Leave(leaving)
		}
	}
}

// ended is nil for an end that was asked for.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, parley.ErrClosed) {
		return nil
	}
	return err
}

// levels says how loud everybody is, in dBov: 0 is the loudest.
func levels(stats parley.Stats) map[string]level {
	all := make(map[string]level)
	for _, link := range stats.Links {
		if sound := link.Received[parley.Microphone]; sound.Leveled {
			all[link.Person.ID] = level{name: link.Person.Name, dbov: sound.Level, packets: sound.Packets}
		}
	}
	return all
}
