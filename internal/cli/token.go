package cli

import (
	"fmt"
	"net/url"
	"time"

	"github.com/parley-rtc/parley/internal/server"
	"github.com/parley-rtc/parley/internal/signal"
)

type tokenCommand struct {
	Room   string  `arg:"" help:"Name of the room: 1 to 64 lower-case letters, digits, '-' and '_'. It need not exist: whoever opens the host link makes it by joining."`
	Server string  `placeholder:"URL" help:"Address of the server, such as https://meet.example.org. The default follows from the configuration."`
	Data   *string `placeholder:"DIR" help:"${data}"`
	Config string  `placeholder:"FILE" help:"Configuration in YAML, as for serve."`
}

// Run prints the links. The secret is derived from the data directory's key: it is good for 30 days, and nothing is kept.
func (c *tokenCommand) Run(w *World) error {
	if !signal.ValidRoom(c.Room) {
		return fmt.Errorf("%q cannot be a room's name: 1 to %d lower-case letters, digits, '-' and '_'", c.Room, signal.MaxRoom)
	}
	loaded, err := (&settings{Data: c.Data, Config: c.Config}).load(w)
	if err != nil {
		return err
	}
	base := c.Server
	if base == "" {
		if base, err = server.Base(&loaded.Config); err != nil {
			return err
		}
	} else if u, err := url.Parse(base); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("--server %q is not an address such as https://meet.example.org", base)
	}
	keys, err := server.ReadKeys(loaded.Data)
	if err != nil {
		return err
	}
	now := time.Now()
	links := server.NewLinks(keys, base, c.Room, now)
	_, err = fmt.Fprintf(w.Stdout, "Host link   %s\nGuest link  %s\n", links.Host, links.Guest)
	return err
}
