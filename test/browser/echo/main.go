// Command echo sits in a room and sends every message on the labels it is told back to whoever sent it, until its
// standard input ends. data.test.mjs lets a browser talk to it.
//
//	echo LINK label[:unordered][:once] …
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) < 2 {
		return errors.New("echo: say a link and labels")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	room, err := parley.Join(ctx, args[0], parley.Options{Name: "Echo", Insecure: true})
	if err != nil {
		return err
	}
	defer room.Close()
	var running sync.WaitGroup
	for _, arg := range args[1:] {
		label, how, _ := strings.Cut(arg, ":")
		options := parley.DataOptions{Unordered: strings.Contains(how, "unordered")}
		if strings.Contains(how, "once") {
			options.MaxRetransmits = new(uint16)
		}
		data, err := room.Data(ctx, label, options)
		if err != nil {
			return err
		}
		running.Go(func() { echo(ctx, data) })
	}
	go func() {
		for range room.Events() { // nobody needs them
		}
	}()
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in) // its end is all that matters
	cancel()
	running.Wait()
	return nil
}

// echo sends everything back, until the end. What does not fit now is tried again.
func echo(ctx context.Context, data *parley.Data) {
	for {
		m, err := data.Receive(ctx)
		if err != nil {
			return
		}
		for again := true; again; {
			if m.Text {
				err = data.SendText(string(m.Data), m.From)
			} else {
				err = data.Send(m.Data, m.From)
			}
			if again = errors.Is(err, parley.ErrDataFull); again {
				select {
				case <-time.After(5 * time.Millisecond):
				case <-ctx.Done():
					return
				}
			}
		}
	}
}
