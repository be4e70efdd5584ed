package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing/fstest"
	"time"

	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/server"
	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

// What the example of the SDK shows, against a server of its own.
func Example() {
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	loaded, err := config.Load(config.Sources{Flags: map[string]string{"listen": "127.0.0.1:0", "data": dir}})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := server.Open(ctx, server.Config{Config: loaded.Config}, fstest.MapFS{"index.html": {}}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Run(ctx) }()
	defer func() {
		s.Close()
		if err := <-served; err != nil {
			panic(err)
		}
	}()
	link := "http://" + s.Info().Listen.String() + "/r/tea"

	ann, err := parley.Join(ctx, link, parley.Options{Name: "Ann", Interfaces: loopback})
	if err != nil {
		panic(err)
	}
	defer ann.Close()
	bot, err := parley.Join(ctx, link, parley.Options{Name: "Bot", Interfaces: loopback})
	if err != nil {
		panic(err)
	}
	defer bot.Close()
	if err := bot.Publish(ctx, parley.Camera, media.Pattern()); err != nil {
		panic(err)
	}
	for event := range ann.Events() {
		switch e := event.(type) {
		case parley.Arrived:
			fmt.Println(e.Person.Name, "joined")
		case parley.TrackAdded:
			fmt.Println(e.Track.Name()+"'s", e.Track.Source, "arrives as", e.Track.Codec)
			return
		}
	}
	// Output:
	// Bot joined
	// Bot's camera arrives as video/VP8
}
