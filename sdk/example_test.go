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

// A picture of which there are three sizes: the hub shows everybody the one that fits.
func ExampleRoom_PublishLayers() {
	ctx := context.Background()
	room, err := parley.Join(ctx, "https://call.example.org/r/tea", parley.Options{Name: "Cinema"})
	if err != nil {
		log.Fatal(err)
	}
	defer room.Close()
	var layers []parley.Layer
	for _, rid := range []string{"l", "m", "h"} { // the smallest first
		clip, err := media.Open("film-"+rid+".ivf", true)
		if err != nil {
			log.Fatal(err)
		}
		layers = append(layers, parley.Layer{RID: rid, Media: clip})
	}
	if err := room.PublishLayers(ctx, parley.Camera, layers...); err != nil {
		log.Fatal(err)
	}
	for event := range room.Events() {
		if e, ok := event.(parley.LayersWanted); ok {
			fmt.Println("somebody gets", e.RIDs)
		}
	}
}
