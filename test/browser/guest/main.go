// Command guest sits in a room, sends a tone and a test pattern, says in the chat what stands on its standard input, and
// tells on its standard output what is said and what arrives. program.test.mjs lets a browser talk to it.
//
//	guest LINK [KEY]
//
// With a key it encrypts the room, which it has begun without.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// line is what is told: of a chat message, of a person, or of what has arrived of them.
type line struct {
	Chat       string            `json:"chat,omitempty"`
	Key        string            `json:"key,omitempty"` // the room's, from now on
	From       string            `json:"from,omitempty"`
	Encryption parley.Encryption `json:"encryption,omitempty"`
	Path       parley.PathKind   `json:"path,omitempty"`
	Frames     uint64            `json:"frames,omitempty"`
	Sounds     uint64            `json:"sounds,omitempty"`
	Level      float64           `json:"level,omitempty"`
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 && len(args) != 2 {
		return errors.New("guest: say a link, and a key if the room is to be encrypted with it")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	room, err := parley.Dial(ctx, args[0], parley.Options{Name: "Gus", Insecure: true, Hear: true})
	if err != nil {
		return err
	}
	defer room.Close()
	err = errors.Join(room.Publish(ctx, parley.Microphone, media.Tone()), room.Publish(ctx, parley.Camera, media.Pattern()))
	if err != nil {
		return err
	}
	if err := room.Join(ctx); err != nil {
		return err
	}
	told := json.NewEncoder(out)
	if len(args) == 2 {
		if err := errors.Join(room.Encrypt(ctx, args[1]), told.Encode(line{Key: args[1]})); err != nil {
			return err
		}
	}
	var running sync.WaitGroup
	running.Go(func() { tell(ctx, room, told) })
	for words := bufio.NewScanner(in); words.Scan(); {
		if _, err := room.Chat(ctx, words.Text()); err != nil {
			return err
		}
	}
	cancel()
	running.Wait()
	return nil
}

// tell writes lines until ctx or the room ends.
func tell(ctx context.Context, room *parley.Room, out *json.Encoder) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case e, ok := <-room.Events():
			if !ok {
				return
			}
			switch e := e.(type) {
			case parley.Chat:
				_ = out.Encode(line{Chat: e.Text, From: e.Name}) // whoever reads it is gone otherwise
			case parley.Trouble:
				fmt.Fprintln(os.Stderr, e.Err)
			}
		case <-tick.C:
			stats, err := room.Stats(ctx)
			if err != nil {
				return
			}
			for _, l := range stats.Links {
				camera, sound := l.Received[parley.Camera], l.Received[parley.Microphone]
				_ = out.Encode(line{
					From: l.Person.Name, Encryption: l.Person.Encryption, Path: l.Path.Kind, Frames: camera.Frames,
					Sounds: sound.Packets, Level: sound.Level,
				})
			}
		case <-ctx.Done():
			return
		}
	}
}
