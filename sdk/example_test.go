package parley_test

import (
	"context"
	"fmt"
	"log"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

// A bot joins a room, sends a tone and a test pattern for a minute, and says who is there and what arrives. The same
// steps run against a whole server in test/e2e.
func ExampleJoin() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	room, err := parley.Join(ctx, "https://call.example.org/r/tea", parley.Options{Name: "Bot"})
	if err != nil {
		log.Fatal(err)
	}
	defer room.Close()
	if err := room.Publish(ctx, parley.Microphone, media.Tone()); err != nil {
		log.Fatal(err)
	}
	if err := room.Publish(ctx, parley.Camera, media.Pattern()); err != nil {
		log.Fatal(err)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-room.Events():
			if !ok {
				return
			}
			switch e := event.(type) {
			case parley.Arrived:
				fmt.Println(e.Person.Name, "joined")
			case parley.TrackAdded:
				fmt.Println(e.Track.Name()+"'s", e.Track.Source, "arrives as", e.Track.Codec)
			case parley.PathChanged:
				fmt.Println(e.Person.Name, "is connected:", e.Path)
			case parley.Ended:
				fmt.Println("over:", e.Err)
			}
		}
	}
}
